/*
 * rename - gives a complete file its final name.
 */
#ifndef COMMON_RENAME_H
#define COMMON_RENAME_H

/**
 * Renames a file to a name that must not exist. The check and the renaming are one
 * step, so no file is ever replaced: renameat2(2) with RENAME_NOREPLACE on Linux;
 * elsewhere linkat(2), which never replaces, then unlinkat(2): for a moment the file
 * has both names.
 *
 * Build with -DRENAME_USE_LINKAT to use the fallback on Linux.
 *
 * @param from_directory, from  its open directory, and its name there
 * @param to_directory, to      the target directory, in the same file system, and the
 * new name
 * @return 0, or -1 with errno of rename(2); EEXIST if the name exists
 */
int rename_new(int from_directory, const char *from, int to_directory, const char *to);

#endif
