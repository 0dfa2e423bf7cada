/*
 * bytes - the contents of requests, and the description of a reply that differs from them.
 */
#ifndef CLIENT_LOAD_BYTES_H
#define CLIENT_LOAD_BYTES_H

#include "client/load/protocol.h"

/** How many bytes of a wrong reply are shown, and the size of their text. */
enum { LOAD_SHOWN = 16, LOAD_SHOWN_TEXT = 4 * LOAD_SHOWN + 1 };

/** Where in the block a request begins: another place for each connection and sequence. */
size_t load_letters_offset(unsigned connection, uint64_t sequence);

/** Pseudo-random letters and digits, always the same: what has to be told apart from any
 *  other text of its length. Not terminated. */
void load_letters(char *out, size_t size);

/**
 * Notes in exchange->wrong what is wrong with the @p length @p bytes that came: from which
 * byte of the reply on they are not the @p expected ones, and some of both, escaped.
 *
 * @param at               bytes of the reply before these, which were right
 * @param expected_length  bytes that were expected at most; the reply ends after them
 * @return LOAD_WRONG
 */
enum load_verdict load_wrong_bytes(struct load_exchange *exchange, size_t at,
				   const char *expected, size_t expected_length,
				   const char *bytes, size_t length);

/** Escapes the first LOAD_SHOWN of the bytes. */
void load_show_bytes(const char *bytes, size_t length, char out[LOAD_SHOWN_TEXT]);

#endif
