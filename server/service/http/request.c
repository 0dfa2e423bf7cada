/*
 * request - the HTTP parser, a state machine.
 *
 * Each state is a function that handles the bytes it knows, and sets the next state.
 * Where the bytes end, the next call continues in the same state. So each byte is
 * examined once (in the few fields that matter here, twice), and a request has the same
 * meaning in one piece or byte by byte.
 *
 * An error is found at the first byte that makes the request invalid, so it does not
 * depend on how the bytes arrive either. For the same reason no state examines bytes
 * beyond a limit: a line that is too long is reported as that, not as an error in its
 * later bytes.
 *
 * The parser copies nothing and allocates nothing.
 */
#include "server/service/http/request.h"

#include <arpa/inet.h>
#include <string.h>

/*
 * The states, in the order of a request. Section numbers are of RFC 9112 unless said
 * otherwise.
 *
 *   START --> METHOD --> TARGET --+-- '/' ----> PATH --+-- '?' --> QUERY --+--> VERSION
 *    ^  |                         +-- '*' ----> ASTERISK ------------------+      |
 *    |  v  empty line             +-- scheme -> SCHEME -> SLASHES          |      |
 *   START_END                     |                          |             |      |
 *                                 +-- CONNECT -----------> AUTHORITY ------+      |
 *                                                            | '/' or '?'         |
 *                                                            +--> PATH, QUERY     |
 *   In PATH and QUERY a '%' leads through ESCAPE_FIRST and ESCAPE_SECOND.         |
 *                                                                                 v
 *         +---------- FIELD_END <--CR-- VALUE <--':'-- NAME          LINE_END, LINE_END_LF
 *         |                                             ^                         |
 *         +---------------------> FIELD --a name--------+                         |
 *                                  ^  |                                           |
 *                                  +--|-------------------------------------------+
 *                                     | empty line
 *                                     v
 *                                SECTION_END --no body----> WHOLE
 *                                     |  |
 *                                     |  +--length--> COUNTED --all bytes--> WHOLE
 *                                     | chunked
 *                                     v
 *       +-----------------------> CHUNK_SIZE --> EXTENSION... --> CHUNK_SIZE_END
 *       |                                                             |      |
 *       |                                                    size > 0 |      | size 0
 *       +-- CHUNK_DATA_END_LF <-- CHUNK_DATA_END <-- CHUNK_DATA <-----+      v
 *                                                                 FIELD ... SECTION_END: WHOLE
 *   In every state an invalid byte leads to FAILED.
 */
enum state {
	START,        /* first byte, or an empty line before it: 2.2 */
	START_END,    /* its LF */
	METHOD,       /* 3.1 */
	TARGET,       /* the first byte determines the form: 3.2 */
	ASTERISK,     /* after a '*': 3.2.4 */
	SCHEME,       /* of an absolute target: 3.2.2 */
	SLASHES,      /* between scheme and host */
	AUTHORITY,    /* host and port: 3.2.3; RFC 3986, 3.2 */
	PATH,         /* 3.2.1; RFC 3986, 3.3 */
	QUERY,        /* RFC 3986, 3.4 */
	ESCAPE_FIRST, /* digit after a '%': RFC 3986, 2.1 */
	ESCAPE_SECOND,
	VERSION,  /* 2.3 */
	LINE_END, /* CR, and then LF: 3 */
	LINE_END_LF,
	FIELD,       /* first byte of a field line, or of the empty line: 5 */
	NAME,        /* 5.1 */
	VALUE,       /* 5.1; RFC 9110, 5.5 */
	FIELD_END,   /* LF */
	SECTION_END, /* LF of the empty line: 2.1, 6.3 */
	COUNTED,     /* a body of a length: 6.2 */
	CHUNK_SIZE,  /* 7.1 */
	EXTENSION,   /* 7.1.1, until CHUNK_SIZE_END */
	EXTENSION_FIRST,
	EXTENSION_NAME,
	EXTENSION_NAME_END,
	EXTENSION_VALUE,
	EXTENSION_TOKEN,
	EXTENSION_QUOTED,
	EXTENSION_ESCAPE,
	EXTENSION_QUOTED_END,
	CHUNK_SIZE_END, /* LF */
	CHUNK_DATA,
	/* CR, and then LF. After the last chunk comes FIELD again: 7.1.2 */
	CHUNK_DATA_END,
	CHUNK_DATA_END_LF,
	WHOLE,
	FAILED,
};

/* ---- characters ------------------------------------------------------------------------ */

/*
 * The classes of bytes. A URI contains only ASCII, but no controls, no space, no '#'
 * (a fragment is not sent), and not '"', '<' or '>' (RFC 3986, section 2). The RFC
 * does not allow [ ] ^ ` { | } either, nor \ in a query. But browsers send them as
 * they were typed (WHATWG URL, "percent-encode sets"), and they have only one meaning,
 * so they are accepted. In a path \ is refused, because some programs read it as '/'.
 */
enum {
	IN_TOKEN = 1, /* RFC 9110, section 5.6.2 */
	IN_VALUE = 2, /* a field value: section 5.5; with obs-text */
	/* a host: reg-name of RFC 3986, section 3.2.2, except '%', and except ',':
	 * two Host fields that were joined look like this */
	IN_NAME = 4,
	IN_AUTHORITY = 8, /* a host name or address, and port: section 3.2 */
	IN_PATH = 16,     /* section 3.3, except '%' */
	IN_QUERY = 32,    /* section 3.4, except '%' */

	_ = 0,
	V = IN_VALUE,                    /* blanks, '"', '<', '>', obs-text */
	T = V | IN_TOKEN,                /* '#' */
	Q = V | IN_QUERY,                /* '?', '\' */
	P = Q | IN_PATH,                 /* '/', '@', '{', '}', ',' */
	X = P | IN_TOKEN,                /* '^', '`', '|' */
	H = P | IN_AUTHORITY,            /* ':', '[', ']' */
	S = H | IN_NAME,                 /* '(', ')', ';', '=' */
	E = V | IN_TOKEN | IN_AUTHORITY, /* '%' */
	A = S | IN_TOKEN,                /* letters, digits, !$&'*+-._~ */
};

/* clang-format off */
static const unsigned char classes[256] = {
	_, _, _, _, _, _, _, _, _, V, _, _, _, _, _, _, /* HTAB */
	_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _,
	V, A, V, T, A, E, A, A, S, S, A, A, P, A, A, P, /*  !"#$%&'()*+,-./ */
	A, A, A, A, A, A, A, A, A, A, H, S, V, S, V, Q, /* 0123456789:;<=>? */
	P, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, /* @ABCDEFGHIJKLMNO */
	A, A, A, A, A, A, A, A, A, A, A, H, Q, H, X, A, /* PQRSTUVWXYZ[\]^_ */
	X, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, /* `abcdefghijklmno */
	A, A, A, A, A, A, A, A, A, A, A, P, X, P, A, _, /* pqrstuvwxyz{|}~ and DEL */
	V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
	V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
	V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
	V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
	V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
	V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
	V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
	V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
};
/* clang-format on */

static bool is_in(char byte, unsigned class)
{
	return (classes[(unsigned char)byte] & class) != 0;
}

static size_t skip(const char *bytes, size_t at, size_t end, unsigned class)
{
	while (at < end && is_in(bytes[at], class))
		at++;
	return at;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* @return 0 to 15, or 16 if the byte is no hexadecimal digit */
static unsigned hex_value(char byte)
{
	if (is_digit(byte))
		return (unsigned)(byte - '0');
	if (byte >= 'a' && byte <= 'f')
		return (unsigned)(byte - 'a') + 10;
	if (byte >= 'A' && byte <= 'F')
		return (unsigned)(byte - 'A') + 10;
	return 16;
}

static char lower(char byte)
{
	return (char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
}

/* Only ASCII letters are compared without case, in every locale (RFC 9110, section
 * 5.1). */
static bool equals(const char *text, size_t length, const char *word)
{
	size_t i = 0;

	while (i < length && word[i] != '\0' && lower(text[i]) == lower(word[i]))
		i++;
	return i == length && word[i] == '\0';
}

/* ---- errors ---------------------------------------------------------------------------- */

/* The request is invalid from this byte on. Returns its position. */
static size_t fail(struct http_request *request, size_t at, int status, const char *why)
{
	if (request->state >= METHOD && request->state <= LINE_END)
		request->line.length = (uint32_t)(at - request->line.at);
	request->state = FAILED;
	request->status = status;
	request->why = why;
	return at;
}

static size_t refuse(struct http_request *request, const char *bytes, size_t at,
		     const char *why)
{
	return fail(request, at, 400,
		    bytes[at] == '\n' ? "a line ends without CR before its LF" : why);
}

/* RFC 9112, section 2.2: a CR is allowed only before an LF. A recipient may accept a
 * bare LF as a line end, but not all do, so it is an error here. */
static size_t take_lf(struct http_request *request, const char *bytes, size_t at,
		      enum state next)
{
	if (bytes[at] != '\n')
		return fail(request, at, 400, "a CR is not followed by LF");
	request->state = next;
	return at + 1;
}

/* ---- host and port (RFC 3986, section 3.2) --------------------------------------------- */

/* The length of an address in brackets; 0: invalid. No version of IPvFuture, the other
 * allowed form, exists. */
static size_t bracketed_length(const char *text, size_t n)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr ignored;
	const char *bracket = memchr(text, ']', n);
	size_t length = bracket == NULL ? 0 : (size_t)(bracket - text) - 1;

	if (length == 0 || length >= sizeof address)
		return 0;
	memcpy(address, text + 1, length);
	address[length] = '\0';
	return inet_pton(AF_INET6, address, &ignored) == 1 ? length + 2 : 0;
}

static size_t name_length(const char *text, size_t n)
{
	size_t at = skip(text, 0, n, IN_NAME);

	while (n - at >= 3 && text[at] == '%' && hex_value(text[at + 1]) < 16 &&
	       hex_value(text[at + 2]) < 16)
		at = skip(text, at + 3, n, IN_NAME);
	return at;
}

/* A port may be empty, as in "http://example.com:/". */
static bool is_port(const char *text, size_t n)
{
	unsigned port = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is_digit(text[i]))
			return false;
		port = port * 10 + (unsigned)(text[i] - '0');
		if (port > UINT16_MAX)
			return false;
	}
	return true;
}

/* User and password are not allowed (RFC 9110, section 4.2.4). A host is required
 * (4.2.1). */
static bool is_authority(const char *text, size_t n)
{
	size_t host;

	if (n == 0)
		return false;
	host = text[0] == '[' ? bracketed_length(text, n) : name_length(text, n);
	if (host == 0 || host == n)
		return host > 0;
	return text[host] == ':' && is_port(text + host + 1, n - host - 1);
}

/* ---- the request line (RFC 9112, section 3) -------------------------------------------- */

/* Empty lines before the request line: section 2.2. Old clients sent one after a body. */
static size_t read_start(struct http_request *request, const char *bytes, size_t at)
{
	if (bytes[at] != '\r') {
		request->line.at = (uint32_t)at;
		request->state = METHOD;
		return at;
	}
	if (request->empty_lines == HTTP_EMPTY_LINES)
		return fail(request, at, 400,
			    "too many empty lines come before the request line");
	request->empty_lines++;
	request->state = START_END;
	return at + 1;
}

/* RFC 9110, section 9.1: case matters. */
static enum http_method find_method(const char *name, size_t length)
{
	static const struct {
		const char name[8];
		size_t length;
		enum http_method method;
	} methods[] = {
		{ "GET", 3, HTTP_GET },
		{ "HEAD", 4, HTTP_HEAD },
		{ "OPTIONS", 7, HTTP_OPTIONS },
		{ "POST", 4, HTTP_NOT_ALLOWED },
		{ "PUT", 3, HTTP_NOT_ALLOWED },
		{ "DELETE", 6, HTTP_NOT_ALLOWED },
		{ "CONNECT", 7, HTTP_NOT_ALLOWED },
		{ "TRACE", 5, HTTP_NOT_ALLOWED },
		{ "PATCH", 5, HTTP_NOT_ALLOWED }, /* RFC 5789 */
	};

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (length == methods[i].length &&
		    memcmp(name, methods[i].name, length) == 0)
			return methods[i].method;
	return HTTP_UNKNOWN;
}

/* Section 3.1. */
static size_t read_method(struct http_request *request, const char *bytes, size_t at,
			  size_t end)
{
	size_t start = request->line.at;

	at = skip(bytes, at, end, IN_TOKEN);
	if (at == end)
		return at;
	if (bytes[at] != ' ' || at == start)
		return refuse(request, bytes, at,
			      "the request does not begin with a method and a space");
	request->method = find_method(bytes + start, at - start);
	request->connects = at - start == 7 && memcmp(bytes + start, "CONNECT", 7) == 0;
	request->state = TARGET;
	return at + 1;
}

static void begin_version(struct http_request *request, size_t at)
{
	request->mark = (uint32_t)at;
	request->state = VERSION;
}

static void begin_query(struct http_request *request, size_t at)
{
	request->query.at = (uint32_t)at;
	request->state = QUERY;
}

/* The first byte of the target determines its form: section 3.2. */
static size_t read_target(struct http_request *request, const char *bytes, size_t at)
{
	if (request->connects) {
		request->host.at = (uint32_t)at;
		request->state = AUTHORITY;
	} else if (bytes[at] == '/') {
		request->path.at = (uint32_t)at;
		request->state = PATH;
	} else if (bytes[at] == '*') {
		request->path = (struct http_piece){ (uint32_t)at, 1 };
		request->state = ASTERISK;
		return at + 1;
	} else {
		request->mark = (uint32_t)at;
		request->state = SCHEME;
	}
	return at;
}

/* Section 3.2.4. Whether the method is OPTIONS is checked at the end of the line: the
 * first line of HTTP/2 is "PRI * HTTP/2.0", and the error to report is its version. */
static size_t read_asterisk(struct http_request *request, const char *bytes, size_t at)
{
	if (bytes[at] != ' ')
		return refuse(request, bytes, at, "the target is malformed");
	begin_version(request, at + 1);
	return at + 1;
}

/* Section 3.2.2: an absolute target, which every server must accept. */
static size_t read_scheme(struct http_request *request, const char *bytes, size_t at,
			  size_t end)
{
	const char *scheme = bytes + request->mark;
	size_t length;

	at = skip(bytes, at, end, IN_TOKEN);
	if (at == end)
		return at;
	length = at - request->mark;
	if (bytes[at] != ':')
		return refuse(request, bytes, at, "the target does not begin with '/'");
	if (!equals(scheme, length, "http") && !equals(scheme, length, "https"))
		return refuse(request, bytes, at,
			      "the target is neither a path nor an http or https URI");
	request->mark = (uint32_t)(at + 1);
	request->state = SLASHES;
	return at + 1;
}

/* Matches bytes against a pattern from the mark on; '0' in it stands for any digit. */
static size_t match(const struct http_request *request, const char *bytes, size_t at,
		    size_t end, const char *form)
{
	for (; at < end; at++) {
		char wanted = form[at - request->mark];

		if (wanted == '0' ? !is_digit(bytes[at])
				  : wanted == '\0' || bytes[at] != wanted)
			break;
	}
	return at;
}

static size_t read_slashes(struct http_request *request, const char *bytes, size_t at,
			   size_t end)
{
	at = match(request, bytes, at, end, "//");
	if (at - request->mark < 2)
		return at == end ? at
				 : refuse(request, bytes, at, "the target has no host");
	request->path = (struct http_piece){ request->mark, 1 }; /* unless one follows */
	request->host.at = (uint32_t)at;
	request->state = AUTHORITY;
	return at;
}

/* RFC 9110, section 9.3.6: CONNECT needs a port. */
static size_t end_connect(struct http_request *request, const char *bytes, size_t at)
{
	if (bytes[at] != ' ' || !is_digit(bytes[at - 1]) ||
	    memchr(bytes + request->host.at, ':', request->host.length) == NULL)
		return refuse(request, bytes, at,
			      "the target of CONNECT is not a host and a port");
	begin_version(request, at + 1);
	return at + 1;
}

/* The authority of an absolute target, or the target of CONNECT: section 3.2.3. */
static size_t read_authority(struct http_request *request, const char *bytes, size_t at,
			     size_t end)
{
	at = skip(bytes, at, end, IN_AUTHORITY);
	if (at == end)
		return at;
	request->host.length = (uint32_t)(at - request->host.at);
	if (!is_authority(bytes + request->host.at, request->host.length))
		return refuse(request, bytes, at, "the host of the target is malformed");
	if (request->connects)
		return end_connect(request, bytes, at);
	if (bytes[at] == '/') {
		request->path.at = (uint32_t)at;
		request->state = PATH;
		return at;
	}
	if (bytes[at] == '?')
		begin_query(request, at + 1);
	else if (bytes[at] == ' ')
		begin_version(request, at + 1);
	else
		return refuse(request, bytes, at, "the host of the target is malformed");
	return at + 1;
}

/* Path and query: section 3.2.1; RFC 3986, sections 3.3 and 3.4. */
static size_t read_uri(struct http_request *request, const char *bytes, size_t at,
		       size_t end)
{
	bool in_query = request->state == QUERY;
	struct http_piece *piece = in_query ? &request->query : &request->path;

	at = skip(bytes, at, end, in_query ? IN_QUERY : IN_PATH);
	if (at == end)
		return at;
	piece->length = (uint32_t)(at - piece->at);
	if (bytes[at] == ' ')
		begin_version(request, at + 1);
	else if (bytes[at] == '?')
		begin_query(request, at + 1);
	else if (bytes[at] == '%')
		request->state = ESCAPE_FIRST;
	else
		return refuse(request, bytes, at,
			      bytes[at] == '\r'
				      ? "the request line has no version"
				      : "the target has a byte that must be escaped");
	return at + 1;
}

/* RFC 3986, section 2.1: two hexadecimal digits after a '%'. */
static size_t read_escape(struct http_request *request, const char *bytes, size_t at)
{
	if (hex_value(bytes[at]) > 15)
		return refuse(
			request, bytes, at,
			"a '%' in the target is not followed by two hexadecimal digits");
	if (request->state == ESCAPE_FIRST)
		request->state = ESCAPE_SECOND;
	else
		request->state = request->query.at > 0 ? QUERY : PATH;
	return at + 1;
}

/* Section 2.3: case matters, and each number is one digit. */
static size_t read_version(struct http_request *request, const char *bytes, size_t at,
			   size_t end)
{
	static const char form[] = "HTTP/0.0";

	at = match(request, bytes, at, end, form);
	if (at - request->mark == sizeof form - 1)
		request->state = LINE_END;
	else if (at < end)
		return refuse(request, bytes, at, "the version is malformed");
	return at;
}

static size_t read_line_end(struct http_request *request, const char *bytes, size_t at)
{
	if (bytes[at] != '\r')
		return refuse(request, bytes, at,
			      "something follows the version in the request line");
	request->line.length = (uint32_t)(at - request->line.at);
	request->state = LINE_END_LF;
	return at + 1;
}

/* RFC 9110, section 2.5: a higher minor version may be handled like the highest known
 * one. Another major version has other rules. */
static size_t end_line(struct http_request *request, const char *bytes, size_t at)
{
	const char *version = bytes + request->mark;

	at = take_lf(request, bytes, at, FIELD);
	if (request->state == FAILED)
		return at;
	if (version[5] != '1')
		return fail(request, at, 505, "this version of HTTP is not served");
	if (request->method != HTTP_OPTIONS && request->path.length > 0 &&
	    bytes[request->path.at] == '*')
		return fail(request, at, 400, "only OPTIONS may have the target '*'");
	request->minor = version[7] > '0';
	request->fields.at = (uint32_t)at;
	return at;
}

/* ---- the fields that matter here ------------------------------------------------------- */

/* Takes the next element from a list (RFC 9110, section 5.6.1), without the blanks
 * around it. It may be empty. @p list is NULL after the last element. */
static bool take_element(const char **list, const char *end, const char **element,
			 size_t *length)
{
	const char *from = *list, *comma, *to;

	if (from == NULL)
		return false;
	comma = memchr(from, ',', (size_t)(end - from));
	to = comma != NULL ? comma : end;
	*list = comma != NULL ? comma + 1 : NULL;
	while (from < to && is_blank(*from))
		from++;
	while (to > from && is_blank(to[-1]))
		to--;
	*element = from;
	*length = (size_t)(to - from);
	return true;
}

/* RFC 9112, section 3.2: exactly one valid Host field, in every version; its value may
 * be empty. The host of an absolute target has priority, but a Host field must be
 * valid nevertheless. */
static const char *take_host(struct http_request *request, const char *bytes,
			     struct http_piece value)
{
	if (request->has_host)
		return "there is more than one Host field";
	if (value.length > 0 && !is_authority(bytes + value.at, value.length))
		return "the Host field is malformed";
	request->has_host = true;
	if (request->host.length == 0)
		request->host = value;
	return NULL;
}

/* RFC 9110, section 8.6: only digits. A recipient may accept "5, 5", or two equal
 * fields, as one 5, or refuse it. It is refused here, because two messages may have
 * been joined. */
static const char *take_length(struct http_request *request, const char *bytes,
			       struct http_piece value)
{
	uint64_t length = 0;

	if (request->counted)
		return "there is more than one Content-Length field";
	if (value.length == 0)
		return "the Content-Length field is malformed";
	for (size_t i = 0; i < value.length; i++) {
		char byte = bytes[value.at + i];
		unsigned digit = (unsigned)(byte - '0');

		if (!is_digit(byte))
			return "the Content-Length field is malformed";
		if (length > (UINT64_MAX - digit) / 10)
			return "the Content-Length is too large";
		length = length * 10 + digit;
	}
	request->counted = true;
	request->body_left = length;
	return NULL;
}

/* RFC 9112, section 6.1: chunked must be the last coding and appear once; it has no
 * parameters (section 7.1). Several fields are one list. Empty elements are refused
 * here although lists may have them, because this field can hide a length from a
 * proxy. An unknown coding before chunked is 501 (section 6.1); section 6.3 could also
 * be read as 400. In both cases the connection ends. */
static const char *take_codings(struct http_request *request, const char *bytes,
				struct http_piece value)
{
	const char *list = bytes + value.at, *end = list + value.length, *coding;
	size_t length;

	request->coded = true;
	while (take_element(&list, end, &coding, &length)) {
		if (request->chunked)
			return "chunked is not the last transfer coding, or is repeated";
		if (equals(coding, length, "chunked"))
			request->chunked = true;
		else if (length > 0 && skip(coding, 0, length, IN_TOKEN) == length)
			request->coded_otherwise = true;
		else
			return "the Transfer-Encoding field is malformed";
	}
	return NULL;
}

/* RFC 9110, section 7.6.1. Other options are only for proxies. */
static void take_connection(struct http_request *request, const char *bytes,
			    struct http_piece value)
{
	const char *list = bytes + value.at, *end = list + value.length, *option;
	size_t length;

	while (take_element(&list, end, &option, &length)) {
		request->closes |= equals(option, length, "close");
		request->persists |= equals(option, length, "keep-alive");
	}
}

/* RFC 9110, section 10.1.1: ignored in HTTP/1.0. @return whether all expectations can
 * be met */
static bool take_expectations(struct http_request *request, const char *bytes,
			      struct http_piece value)
{
	const char *list = bytes + value.at, *end = list + value.length, *expectation;
	size_t length;

	if (request->minor == 0)
		return true;
	while (take_element(&list, end, &expectation, &length)) {
		if (length == 0)
			continue;
		if (!equals(expectation, length, "100-continue"))
			return false;
		request->expects = true;
	}
	return true;
}

/* The value without the blanks around it: RFC 9112, section 5.1. */
static struct http_piece trimmed(const char *bytes, size_t at, size_t end)
{
	while (at < end && is_blank(bytes[at]))
		at++;
	while (end > at && is_blank(bytes[end - 1]))
		end--;
	return (struct http_piece){ (uint32_t)at, (uint32_t)(end - at) };
}

/* Handles a complete field line, whose value ends before end. The length of most names
 * is unique, so few names are compared. */
static void take_field(struct http_request *request, const char *bytes, size_t end)
{
	const char *name = bytes + request->mark, *why = NULL;
	size_t length = request->value_at - 1 - request->mark;
	struct http_piece value = trimmed(bytes, request->value_at, end);

	if (equals(name, length, "host"))
		why = take_host(request, bytes, value);
	else if (equals(name, length, "connection"))
		take_connection(request, bytes, value);
	else if (equals(name, length, "content-length"))
		why = take_length(request, bytes, value);
	else if (equals(name, length, "transfer-encoding"))
		why = take_codings(request, bytes, value);
	else if (equals(name, length, "expect") &&
		 !take_expectations(request, bytes, value))
		fail(request, end, 417,
		     "the request expects something other than 100-continue");
	if (why != NULL)
		fail(request, end, 400, why);
}

/* ---- field lines (RFC 9112, section 5), of the header and of the trailer section --------- */

static size_t read_field(struct http_request *request, const char *bytes, size_t at)
{
	if (bytes[at] == '\r') {
		request->state = SECTION_END;
		return at + 1;
	}
	if (is_blank(bytes[at])) /* obs-fold: section 5.2; before all fields: 2.2 */
		return fail(request, at, 400, "a line begins with white space");
	if (!is_in(bytes[at], IN_TOKEN))
		return refuse(request, bytes, at,
			      bytes[at] == ':' ? "a field has no name"
					       : "a field's name is malformed");
	if (request->fields_seen == HTTP_FIELDS)
		return fail(request, at, 431, "there are more than 100 fields");
	request->fields_seen++;
	request->mark = (uint32_t)at;
	request->state = NAME;
	return at + 1;
}

/* Section 5.1: nothing is allowed between the name and the colon. */
static size_t read_name(struct http_request *request, const char *bytes, size_t at,
			size_t end)
{
	at = skip(bytes, at, end, IN_TOKEN);
	if (at == end)
		return at;
	if (is_blank(bytes[at]))
		return fail(request, at, 400,
			    "a field's name is not followed by a colon");
	if (bytes[at] != ':')
		return refuse(request, bytes, at, "a field's name is malformed");
	request->value_at = (uint32_t)(at + 1);
	request->state = VALUE;
	return at + 1;
}

/* RFC 9110, section 5.5: no control characters except HTAB. */
static size_t read_value(struct http_request *request, const char *bytes, size_t at,
			 size_t end)
{
	at = skip(bytes, at, end, IN_VALUE);
	if (at == end)
		return at;
	if (bytes[at] != '\r')
		return refuse(request, bytes, at,
			      "a field's value has a control character");
	request->state = FIELD_END;
	return at + 1;
}

static size_t end_field(struct http_request *request, const char *bytes, size_t at)
{
	size_t next = take_lf(request, bytes, at, FIELD);

	if (request->state == FIELD && !request->in_trailer)
		take_field(request, bytes, at - 1);
	return next;
}

/* Checks that need all fields: RFC 9112, sections 3.2, 6.1, 6.3, 9.3. */
static const char *find_contradiction(const struct http_request *request)
{
	if (request->minor > 0 && !request->has_host)
		return "the Host field is missing";
	if (request->coded && request->counted)
		return "there are both Content-Length and Transfer-Encoding";
	if (request->coded && request->minor == 0)
		return "there is a Transfer-Encoding in HTTP/1.0";
	return NULL;
}

static size_t end_header(struct http_request *request, size_t at)
{
	const char *why = find_contradiction(request);

	if (why != NULL)
		return fail(request, at, 400, why);
	if (request->coded_otherwise)
		return fail(request, at, 501, "the transfer coding is not known");
	request->length = at;
	request->fields.length = (uint32_t)(at - 2 - request->fields.at);
	request->has_body = request->chunked || request->body_left > 0;
	request->continues = request->expects && request->has_body;
	request->keep_alive =
		!request->closes && (request->minor > 0 || request->persists);
	request->state = request->chunked    ? CHUNK_SIZE
			 : request->has_body ? COUNTED
					     : WHOLE;
	return at;
}

static size_t end_section(struct http_request *request, const char *bytes, size_t at)
{
	at = take_lf(request, bytes, at, WHOLE);
	if (request->state == WHOLE && !request->in_trailer)
		return end_header(request, at);
	return at;
}

/* Continues in the current state, with at least one byte. Returns the position of the
 * first byte that was not handled. The state has often changed then, and the next call
 * handles more. */
static size_t read_section(struct http_request *request, const char *bytes, size_t at,
			   size_t end)
{
	switch (request->state) {
	case FIELD:
		return read_field(request, bytes, at);
	case NAME:
		return read_name(request, bytes, at, end);
	case VALUE:
		return read_value(request, bytes, at, end);
	case FIELD_END:
		return end_field(request, bytes, at);
	default:
		return end_section(request, bytes, at);
	}
}

static size_t read_line(struct http_request *request, const char *bytes, size_t at,
			size_t end)
{
	switch (request->state) {
	case START:
		return read_start(request, bytes, at);
	case START_END:
		return take_lf(request, bytes, at, START);
	case METHOD:
		return read_method(request, bytes, at, end);
	case TARGET:
		return read_target(request, bytes, at);
	case ASTERISK:
		return read_asterisk(request, bytes, at);
	case SCHEME:
		return read_scheme(request, bytes, at, end);
	case SLASHES:
		return read_slashes(request, bytes, at, end);
	case AUTHORITY:
		return read_authority(request, bytes, at, end);
	case PATH:
	case QUERY:
		return read_uri(request, bytes, at, end);
	case ESCAPE_FIRST:
	case ESCAPE_SECOND:
		return read_escape(request, bytes, at);
	case VERSION:
		return read_version(request, bytes, at, end);
	case LINE_END:
		return read_line_end(request, bytes, at);
	default:
		return end_line(request, bytes, at);
	}
}

/* RFC 9112, section 3: a method longer than any known one is 501, a long target 414.
 * RFC 6585, section 5: a long header is 431. */
static void fail_for_length(struct http_request *request)
{
	if (request->state == METHOD)
		fail(request, request->next, 501, "the method is too long");
	else if (request->state <= VERSION)
		fail(request, request->next, 414,
		     "the request line is longer than 8192 bytes");
	else
		fail(request, request->next, 431,
		     "the header is longer than 32768 bytes");
}

enum http_progress http_request_header(struct http_request *request, const char *bytes,
				       size_t n)
{
	while (request->length == 0 && request->state != FAILED) {
		bool in_line = request->state >= METHOD && request->state <= VERSION;
		size_t most =
			in_line ? request->line.at + (size_t)HTTP_LINE : HTTP_HEADER;
		size_t end = n < most ? n : most;

		if (request->next == most)
			fail_for_length(request);
		else if (request->next == end)
			return HTTP_MORE;
		else if (request->state < FIELD)
			request->next = read_line(request, bytes, request->next, end);
		else
			request->next = read_section(request, bytes, request->next, end);
	}
	return request->state == FAILED ? HTTP_BAD : HTTP_DONE;
}

/* ---- the body (RFC 9112, sections 6 and 7) --------------------------------------------- */

/* Reads bytes of known number: a body with a length, or the data of a chunk. */
static size_t read_content(struct http_request *request, size_t at, size_t n)
{
	size_t taken = n - at;

	if (taken > request->body_left)
		taken = (size_t)request->body_left;
	request->body_left -= taken;
	request->body_seen += taken;
	if (request->body_left == 0)
		request->state = request->state == COUNTED ? WHOLE : CHUNK_DATA_END;
	return at + taken;
}

/* Section 7.1: only hexadecimal digits. strtol() would accept more. */
static size_t read_chunk_size(struct http_request *request, const char *bytes, size_t at)
{
	unsigned digit = hex_value(bytes[at]);

	if (digit < 16) {
		if (request->digits == HTTP_CHUNK_DIGITS)
			return fail(request, at, 400,
				    "the size of a chunk has more than 16 digits");
		request->digits++;
		request->body_left = request->body_left << 4 | digit;
		return at + 1;
	}
	if (request->digits == 0)
		return refuse(request, bytes, at, "the size of a chunk is missing");
	request->digits = 0;
	request->state = EXTENSION;
	if (bytes[at] != '\r')
		return at;
	request->state = CHUNK_SIZE_END;
	return at + 1;
}

/*
 * Section 7.1.1: *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ),
 * where BWS is optional blanks that should not be there. A quoted-string is defined in
 * RFC 9110, section 5.6.4. Extensions are used only by attacks that want two servers
 * to see different line ends. So they are parsed strictly, and discarded. A transition
 * that is not in the table is an error.
 */
static enum state after_extension_byte(enum state state, char byte)
{
	enum kind {
		BLANK,
		WORD,
		SEMICOLON,
		EQUALS,
		QUOTE,
		BACKSLASH,
		OTHER,
		RETURN,
		KINDS
	};
	/* clang-format off */
	static const enum state next[][KINDS] = {
		/* also for no extension: the bytes after a size or an extension */
		[EXTENSION] = {
			[BLANK] = EXTENSION, [SEMICOLON] = EXTENSION_FIRST },
		[EXTENSION_FIRST] = {
			[BLANK] = EXTENSION_FIRST, [WORD] = EXTENSION_NAME },
		[EXTENSION_NAME] = {
			[WORD] = EXTENSION_NAME, [BLANK] = EXTENSION_NAME_END,
			[EQUALS] = EXTENSION_VALUE,
			[SEMICOLON] = EXTENSION_FIRST, [RETURN] = CHUNK_SIZE_END },
		[EXTENSION_NAME_END] = {
			[BLANK] = EXTENSION_NAME_END, [EQUALS] = EXTENSION_VALUE,
			[SEMICOLON] = EXTENSION_FIRST },
		[EXTENSION_VALUE] = {
			[BLANK] = EXTENSION_VALUE, [WORD] = EXTENSION_TOKEN,
			[QUOTE] = EXTENSION_QUOTED },
		[EXTENSION_TOKEN] = {
			[WORD] = EXTENSION_TOKEN, [BLANK] = EXTENSION,
			[SEMICOLON] = EXTENSION_FIRST, [RETURN] = CHUNK_SIZE_END },
		[EXTENSION_QUOTED] = {
			[BLANK] = EXTENSION_QUOTED, [WORD] = EXTENSION_QUOTED,
			[SEMICOLON] = EXTENSION_QUOTED, [EQUALS] = EXTENSION_QUOTED,
			[OTHER] = EXTENSION_QUOTED, [BACKSLASH] = EXTENSION_ESCAPE,
			[QUOTE] = EXTENSION_QUOTED_END },
		[EXTENSION_ESCAPE] = {
			[BLANK] = EXTENSION_QUOTED, [WORD] = EXTENSION_QUOTED,
			[SEMICOLON] = EXTENSION_QUOTED, [EQUALS] = EXTENSION_QUOTED,
			[OTHER] = EXTENSION_QUOTED, [BACKSLASH] = EXTENSION_QUOTED,
			[QUOTE] = EXTENSION_QUOTED },
		[EXTENSION_QUOTED_END] = {
			[BLANK] = EXTENSION, [SEMICOLON] = EXTENSION_FIRST,
			[RETURN] = CHUNK_SIZE_END },
	};
	/* clang-format on */
	static const char specials[] = ";=\"\\";
	const char *special = byte != '\0' ? strchr(specials, byte) : NULL;

	if (special != NULL)
		return next[state][SEMICOLON + (special - specials)];
	if (byte == '\r')
		return next[state][RETURN];
	if (!is_in(byte, IN_VALUE))
		return START;
	return next[state][is_blank(byte) ? BLANK : is_in(byte, IN_TOKEN) ? WORD : OTHER];
}

static size_t read_extension(struct http_request *request, const char *bytes, size_t at)
{
	enum state next = after_extension_byte(request->state, bytes[at]);

	if (next == START)
		return refuse(request, bytes, at,
			      "a chunk size is followed by a malformed extension");
	if (next != CHUNK_SIZE_END && request->extra == HTTP_EXTENSIONS)
		return fail(request, at, 400,
			    "the chunk extensions are longer than 4096 bytes");
	request->extra += next != CHUNK_SIZE_END;
	request->state = next;
	return at + 1;
}

/* How many bytes of content may still arrive. */
static uint64_t space_left(const struct http_request *request, uint64_t most)
{
	return most > request->body_seen ? most - request->body_seen : 0;
}

static size_t fail_for_size(struct http_request *request, size_t at)
{
	return fail(request, at, 413, "the body is too large");
}

/* Section 7.1.2: the last chunk has no data. The trailer section follows. */
static size_t end_chunk_size(struct http_request *request, const char *bytes, size_t at,
			     uint64_t most)
{
	at = take_lf(request, bytes, at, CHUNK_DATA);
	if (request->state == FAILED)
		return at;
	if (request->body_left > space_left(request, most))
		return fail_for_size(request, at);
	if (request->body_left == 0) {
		request->in_trailer = true;
		request->fields_seen = 0;
		request->extra = 0;
		request->state = FIELD;
	}
	return at;
}

static size_t end_chunk_data(struct http_request *request, const char *bytes, size_t at)
{
	if (request->state == CHUNK_DATA_END_LF)
		return take_lf(request, bytes, at, CHUNK_SIZE);
	if (bytes[at] != '\r')
		return refuse(request, bytes, at, "a chunk is longer than its size");
	request->state = CHUNK_DATA_END_LF;
	return at + 1;
}

static size_t read_trailer(struct http_request *request, const char *bytes, size_t at,
			   size_t n)
{
	size_t most = HTTP_HEADER - request->extra;
	size_t end = n - at < most ? n : at + most;
	size_t next = read_section(request, bytes, at, end);

	request->extra += (uint32_t)(next - at);
	if (request->extra == HTTP_HEADER && request->state != WHOLE &&
	    request->state != FAILED)
		fail(request, next, 431,
		     "the trailer section is longer than 32768 bytes");
	return next;
}

static size_t read_body(struct http_request *request, const char *bytes, size_t at,
			size_t n, uint64_t most)
{
	switch (request->state) {
	case COUNTED:
	case CHUNK_DATA:
		return read_content(request, at, n);
	case CHUNK_SIZE:
		return read_chunk_size(request, bytes, at);
	case CHUNK_SIZE_END:
		return end_chunk_size(request, bytes, at, most);
	case CHUNK_DATA_END:
	case CHUNK_DATA_END_LF:
		return end_chunk_data(request, bytes, at);
	case FIELD:
	case NAME:
	case VALUE:
	case FIELD_END:
	case SECTION_END:
		return read_trailer(request, bytes, at, n);
	default:
		return read_extension(request, bytes, at);
	}
}

enum http_progress http_request_body(struct http_request *request, const char *bytes,
				     size_t n, uint64_t most, size_t *consumed)
{
	size_t at = 0;

	if (request->state == COUNTED && request->body_left > space_left(request, most))
		fail_for_size(request, 0);
	while (at < n && request->state != WHOLE && request->state != FAILED)
		at = read_body(request, bytes, at, n, most);
	*consumed = at;
	if (request->state == FAILED)
		return HTTP_BAD;
	return request->state == WHOLE ? HTTP_DONE : HTTP_MORE;
}

/* ---- other fields ---------------------------------------------------------------------- */

bool http_request_field(const struct http_request *request, const char *bytes,
			const char *name, struct http_piece *found)
{
	size_t end = (size_t)request->fields.at + request->fields.length;
	size_t at = request->fields.at, length = strlen(name);

	if (found->at > 0) { /* after the line of the last one found */
		const char *from = bytes + found->at + found->length;
		const char *lf = memchr(from, '\n', (size_t)(bytes + end - from));

		at = lf == NULL ? end : (size_t)(lf + 1 - bytes);
	}
	while (at < end) {
		const char *line = bytes + at;
		const char *lf = memchr(line, '\n', end - at);
		size_t next = lf == NULL ? end : (size_t)(lf + 1 - bytes);

		if (next - at > length && line[length] == ':' &&
		    equals(line, length, name)) {
			*found = trimmed(bytes, at + length + 1, next - 2);
			return true;
		}
		at = next;
	}
	return false;
}
