/*
 * date - writes the dates of answers, and reads the dates of requests.
 *
 * Why not strftime(3) and strptime(3): their names of days and months depend on the
 * locale, strptime(3) accepts more than HTTP allows, and gmtime_r(3) loads the time zone
 * under a lock. Every answer has a date. In a forked child that answers one request, the
 * pages that those functions touch would be a sixth of all that it touches. The cost is
 * the calendar arithmetic below.
 */
#define _DEFAULT_SOURCE /* timegm, which is in POSIX since 2024 */

#include "server/service/http/date.h"

#include <stdint.h>
#include <string.h>

enum {
	NAME_TEXT = 10,
	SHORT_NAME = 3,
	MINUTE = 60,
	HOUR = 3600,
	DAY = 86400,
	FUTURE_YEARS = 50
};

static const int64_t year_1000 = INT64_C(-30610224000);
static const int64_t year_9999_end = INT64_C(253402300799);

/* The first three letters are the short name. */
static const char days[][NAME_TEXT] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
					"Thursday", "Friday", "Saturday" };
static const char months[][NAME_TEXT] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/* The notation is that of strptime(3): %a and %A short and full day name, %b month, %d
 * day, %e day with a blank instead of a leading zero, %Y and %y year of four and of
 * two digits, %H, %M and %S the time. */
static const char *const forms[] = {
	"%a, %d %b %Y %H:%M:%S GMT", /* IMF-fixdate */
	"%A, %d-%b-%y %H:%M:%S GMT", /* RFC 850 */
	"%a %b %e %H:%M:%S %Y",      /* asctime(3) */
};

/* The part of the text that is not read yet. */
struct rest {
	const char *text;
	size_t length;
};

/* Days from 1 January of year 1 to 1 January of this year, in the Gregorian calendar,
 * as POSIX counts them (4.16, Seconds Since the Epoch). */
static int64_t days_before(int64_t year)
{
	year--;
	return year * 365 + year / 4 - year / 100 + year / 400;
}

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t year_of(int64_t day)
{
	int64_t year = day * 400 / days_before(401) + 1; /* at most one year off */

	while (days_before(year) > day)
		year--;
	while (days_before(year + 1) <= day)
		year++;
	return year;
}

/* Splits a day of the year, from 0: leaves the day of the month, from 0, in *day.
 * @return the month, from 0 */
static int take_month(int64_t year, int64_t *day)
{
	static const char lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int month = 0;

	for (;; month++) {
		int length = lengths[month] + (month == 1 && is_leap(year));

		if (*day < length)
			return month;
		*day -= length;
	}
}

static char *put_name(char *out, const char *name, const char *after)
{
	memcpy(out, name, SHORT_NAME);
	memcpy(out + SHORT_NAME, after, strlen(after));
	return out + SHORT_NAME + strlen(after);
}

static char *put_number(char *out, int digits, int64_t number, char after)
{
	for (int i = digits; i-- > 0; number /= 10)
		out[i] = (char)('0' + number % 10);
	out[digits] = after;
	return out + digits + 1;
}

const char *http_date(time_t when, char out[HTTP_DATE_TEXT])
{
	const int64_t earliest = year_1000, latest = year_9999_end;
	int64_t second = when < earliest ? earliest : when > latest ? latest : when;
	int64_t day, year;
	int month;
	char *at = out;

	second += days_before(1970) * DAY;
	day = second / DAY;
	second %= DAY;
	at = put_name(at, days[(day + 1) % 7],
		      ", "); /* 1 January of year 1 was a Monday */
	year = year_of(day);
	day -= days_before(year);
	month = take_month(year, &day);
	at = put_number(at, 2, day + 1, ' ');
	at = put_name(at, months[month], " ");
	at = put_number(at, 4, year, ' ');
	at = put_number(at, 2, second / HOUR, ':');
	at = put_number(at, 2, second / MINUTE % 60, ':');
	at = put_number(at, 2, second % 60, ' ');
	memcpy(at, "GMT", sizeof "GMT");
	return out;
}

static bool take(struct rest *rest, const char *text, size_t length)
{
	if (rest->length < length || memcmp(rest->text, text, length) != 0)
		return false;
	rest->text += length;
	rest->length -= length;
	return true;
}

/* Reads exactly this many digits. */
static bool take_number(struct rest *rest, size_t digits, int *number)
{
	if (rest->length < digits)
		return false;
	*number = 0;
	for (size_t i = 0; i < digits; i++) {
		if (rest->text[i] < '0' || rest->text[i] > '9')
			return false;
		*number = *number * 10 + (rest->text[i] - '0');
	}
	rest->text += digits;
	rest->length -= digits;
	return true;
}

/* @return the index of the name, or -1 */
static int take_name(struct rest *rest, const char names[][NAME_TEXT], int count,
		     bool whole)
{
	for (int i = 0; i < count; i++)
		if (take(rest, names[i], whole ? strlen(names[i]) : SHORT_NAME))
			return i;
	return -1;
}

/* A year of two digits is stored as it is; the century is found later. */
static bool take_part(struct rest *rest, char what, struct tm *parts)
{
	switch (what) {
	case 'a':
		return take_name(rest, days, 7, false) >= 0;
	case 'A':
		return take_name(rest, days, 7, true) >= 0;
	case 'b':
		parts->tm_mon = take_name(rest, months, 12, false);
		return parts->tm_mon >= 0;
	case 'd':
		return take_number(rest, 2, &parts->tm_mday);
	case 'e':
		return take_number(rest, take(rest, " ", 1) ? 1 : 2, &parts->tm_mday);
	case 'Y':
		if (!take_number(rest, 4, &parts->tm_year))
			return false;
		parts->tm_year -= 1900;
		return true;
	case 'y':
		return take_number(rest, 2, &parts->tm_year);
	case 'H':
		return take_number(rest, 2, &parts->tm_hour);
	case 'M':
		return take_number(rest, 2, &parts->tm_min);
	default:
		return take_number(rest, 2, &parts->tm_sec);
	}
}

static bool take_form(struct rest rest, const char *form, struct tm *parts)
{
	for (; *form != '\0'; form++) {
		bool taken = *form == '%' ? take_part(&rest, *++form, parts)
					  : take(&rest, form, 1);
		if (!taken)
			return false;
	}
	return rest.length == 0;
}

/* Converts a date that exists: 31 June does not. Second 60 is a leap second. */
static bool to_time(const struct tm *parts, time_t *when)
{
	struct tm day = { .tm_year = parts->tm_year,
			  .tm_mon = parts->tm_mon,
			  .tm_mday = parts->tm_mday };

	if (parts->tm_hour > 23 || parts->tm_min > 59 || parts->tm_sec > 60)
		return false;
	*when = timegm(&day) + parts->tm_hour * HOUR + parts->tm_min * MINUTE +
		parts->tm_sec;
	return day.tm_mon == parts->tm_mon && day.tm_mday == parts->tm_mday;
}

/* Chooses the latest year with these two digits in which the date is at most 50 years
 * in the future. */
static bool to_time_in_century(struct tm *parts, time_t now, time_t *when)
{
	struct tm latest;
	time_t limit;
	bool exists;

	gmtime_r(&now, &latest);
	latest.tm_year += FUTURE_YEARS;
	limit = timegm(&latest);
	parts->tm_year = latest.tm_year - (latest.tm_year - parts->tm_year) % 100;
	exists = to_time(parts, when);
	if (exists && *when <= limit)
		return true;
	parts->tm_year -= 100;
	return to_time(parts, when);
}

bool http_date_read(const char *text, size_t length, time_t now, time_t *when)
{
	const struct rest rest = { text, length };

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct tm parts = { 0 };

		if (!take_form(rest, forms[i], &parts))
			continue;
		if (strchr(forms[i], 'y') != NULL)
			return to_time_in_century(&parts, now, when);
		return to_time(&parts, when);
	}
	return false;
}
