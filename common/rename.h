/*
 * rename - puts a file that is whole in the place where others look for it.
 */
#ifndef COMMON_RENAME_H
#define COMMON_RENAME_H

/**
 * Gives a file another name, which nobody must have yet: the check and the renaming are one
 * step, and no file is ever replaced. renameat2(2) with RENAME_NOREPLACE on Linux; where that
 * is missing, linkat(2), which never replaces, then unlinkat(2): the file has both names for
 * a moment.
 *
 * Build with -DRENAME_USE_LINKAT to have the second way on Linux too.
 *
 * @param from_directory, from  its directory, open, and its name there
 * @param to_directory, to      where it goes, in the same file system
 * @return 0, or -1 with errno of rename(2); EEXIST if the name is taken
 */
int rename_new(int from_directory, const char *from, int to_directory, const char *to);

#endif
