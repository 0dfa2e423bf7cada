/*
 * name - names of files that are sent from one machine to another.
 *
 * An untrusted name must not lead out of its folder, create hidden files, or contain
 * control characters that a terminal obeys. Both sides of a transfer refuse such names.
 */
#ifndef COMMON_NAME_H
#define COMMON_NAME_H

/** Maximum bytes of a name, and of a part of it between two slashes. */
enum { NAME_MOST = 4095, NAME_PART_MOST = 255 };

/**
 * Checks a name: UTF-8 (RFC 3629) without control characters, relative, with parts
 * separated by '/', none of them empty or with a dot at its start.
 * @return NULL, or the reason: "path component begins with a dot"
 */
const char *name_flaw(const char *name);

#endif
