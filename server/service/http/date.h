/*
 * date - the dates of HTTP (RFC 9110, section 5.6.7): written in one format, read in
 * three.
 */
#ifndef SERVER_SERVICE_HTTP_DATE_H
#define SERVER_SERVICE_HTTP_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum { HTTP_DATE_TEXT = 32 };

/** Writes "Sun, 06 Nov 1994 08:49:37 GMT". A time before the year 1000 or after 9999
 *  becomes the nearest time that four digits can express. @return @p out */
const char *http_date(time_t when, char out[HTTP_DATE_TEXT]);

/**
 * Reads a date in one of the three formats, strictly: "Sun, 06 Nov 1994 08:49:37 GMT",
 * "Sunday, 06-Nov-94 08:49:37 GMT" and "Sun Nov  6 08:49:37 1994". The day name must
 * be valid, but need not match the date.
 *
 * @param now  for years of two digits: the date is at most 50 years after this time
 * @return false if the text is no date
 */
bool http_date_read(const char *text, size_t length, time_t now, time_t *when);

#endif
