/*
 * name - what a file may be called when it goes from one machine to another.
 *
 * A name that comes from a stranger must not lead outside of the folder that it is meant for,
 * nor hide there, nor be obeyed by a terminal that shows it. Both sides of a transfer refuse
 * such names, each for its own sake.
 */
#ifndef COMMON_NAME_H
#define COMMON_NAME_H

/** The most bytes of a name, and of a part of it between two '/'. */
enum { NAME_MOST = 4095, NAME_PART_MOST = 255 };

/**
 * Whether a name may be asked for, or be that of a file: UTF-8 (RFC 3629) without control
 * characters, relative, its parts separated by '/', none of them empty or beginning with a
 * dot.
 * @return NULL, or why not: "a part of it begins with a dot"
 */
const char *name_flaw(const char *name);

#endif
