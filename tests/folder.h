/*
 * folder - a directory of the test's own, with what is put there.
 *
 * Each name below is of an entry in the folder: "a/b.txt". Whatever cannot be made fails the
 * test. All is made where TMPDIR says, which is a folder of this run: what a test that fails
 * does not remove goes with that.
 */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

enum { FOLDER_TEXT = 256 };

struct folder {
	char path[FOLDER_TEXT];
	int fd; /* open on it, close-on-exec */
};

/** Makes an empty one. */
void folder_create(struct folder *folder);

/** Removes it with all that is in it. */
void folder_remove(struct folder *folder);

/** Makes a file of these bytes, or gives it new ones. */
void folder_file(const struct folder *folder, const char *name, const void *bytes,
		 size_t length);

/** The same with a text. */
void folder_text(const struct folder *folder, const char *name, const char *text);

/** Makes a directory. */
void folder_directory(const struct folder *folder, const char *name);

/** Makes a symbolic link, which need not lead to anything. */
void folder_link(const struct folder *folder, const char *name, const char *target);

/** Makes a FIFO. */
void folder_fifo(const struct folder *folder, const char *name);

/** Makes a socket, to which nobody listens. */
void folder_socket(const struct folder *folder, const char *name);

/** The path of an entry, whether it is there or not. It lasts until the next call. */
const char *folder_path(const struct folder *folder, const char *name);

/** Whether there is an entry of that name. */
bool folder_has(const struct folder *folder, const char *name);

/** An entry must be a file of these bytes and no others. */
void folder_expect_file(const struct folder *folder, const char *name, const void *bytes,
			size_t length);

/** Makes an empty directory. @p path becomes its path, with @p name in it */
void folder_create_path(char path[FOLDER_TEXT], const char *name);

/** Makes an empty file in the same way. @return it, open for reading and writing */
int folder_create_file(char path[FOLDER_TEXT], const char *name);

/** Makes an empty file that has no name any more. */
int folder_create_nameless(void);

/** The longest path of a file in a directory for which there are @p size bytes, NUL included. */
void folder_longest_path(const char *directory, char *path, size_t size);

/** Removes a directory of that path, whoever made it, with all that is in it. */
void folder_remove_path(const char *path);

#endif
