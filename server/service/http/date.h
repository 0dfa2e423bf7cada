/*
 * date - the dates of HTTP (RFC 9110, section 5.6.7): written in one form, read in three.
 */
#ifndef SERVER_SERVICE_HTTP_DATE_H
#define SERVER_SERVICE_HTTP_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum { HTTP_DATE_TEXT = 32 };

/** Writes "Sun, 06 Nov 1994 08:49:37 GMT". What its four digits of a year cannot say becomes
 *  the year 1000 or 9999. @return @p out */
const char *http_date(time_t when, char out[HTTP_DATE_TEXT]);

/**
 * Reads a date in any of the three forms, strictly: that one, "Sunday, 06-Nov-94 08:49:37
 * GMT" and "Sun Nov  6 08:49:37 1994". The name of the day must be one, but need not fit
 * the date.
 *
 * @param now  for years of two digits: at most 50 years from then, else in the past
 * @return false if it is no date
 */
bool http_date_read(const char *text, size_t length, time_t now, time_t *when);

#endif
