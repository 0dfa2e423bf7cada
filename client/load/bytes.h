/*
 * bytes - the contents of requests, and the description of a reply that differs from them.
 */
#ifndef CLIENT_LOAD_BYTES_H
#define CLIENT_LOAD_BYTES_H

#include "client/load/protocol.h"

/** How many bytes of a wrong reply are shown, and the size of their text. */
enum { LOAD_SHOWN = 16, LOAD_SHOWN_TEXT = 4 * LOAD_SHOWN + 1 };

/** Offset of a request in the block. It differs by connection and sequence number. */
size_t load_letters_offset(unsigned connection, uint64_t sequence);

/** Pseudo-random letters and digits, the same in each run. Not terminated. */
void load_letters(char *out, size_t size);

/**
 * Describes in exchange->wrong how the @p length @p bytes differ from the @p expected
 * ones: the first wrong byte of the reply, and some bytes of both, escaped.
 *
 * @param at               number of correct bytes of the reply before these
 * @param expected_length  maximum number of bytes; the reply ends after them
 * @return LOAD_WRONG
 */
enum load_verdict load_wrong_bytes(struct load_exchange *exchange, size_t at,
				   const char *expected, size_t expected_length,
				   const char *bytes, size_t length);

/** Escapes the first LOAD_SHOWN of the bytes. */
void load_show_bytes(const char *bytes, size_t length, char out[LOAD_SHOWN_TEXT]);

#endif
