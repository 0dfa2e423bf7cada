/*
 * program - finds the file of a program, as a shell does.
 */
#ifndef CLIENT_LIB_PROGRAM_H
#define CLIENT_LIB_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

/** Whether @p path is a regular file that this process may execute. @return false with errno: EISDIR,
 *  EACCES, or that of stat(2) */
bool program_is(const char *path);

/**
 * Looks for a program in the directories of the environment variable PATH. An empty name there is
 * the current directory (POSIX, "Environment Variables").
 *
 * @param path  receives the path of the program
 * @return whether it was found; otherwise errno is ENOENT, and @p path is undefined
 */
bool program_search(const char *name, char *path, size_t size);

#endif
