/*
 * types - a sorted table of extensions, and a look at the content of files without one.
 *
 * The lookup is a binary search without regard to case. Only a file without an extension
 * is read: 512 bytes by one pread(2), which does not move the file offset that
 * sendfile(2) uses. A table in the program needs no configuration, and no file that
 * could be missing.
 */
#include "server/service/http/types.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/text.h"

/* SNIFFED: the number of bytes examined in a file without an extension. */
enum { SNIFFED = 512, UTF8_LONGEST = 4 };

/* Common file types, with the media types registered by IANA where there is one.
 * Source code is shown as plain text. ".ts" is a segment of a video stream (m3u8), as
 * in nginx, not TypeScript. Sorted for bsearch(3). Text is UTF-8, except for formats
 * that name their encoding themselves. */
static const struct media {
	const char *extension, *type;
} types[] = {
	{ "3gp", "video/3gpp" },
	{ "7z", "application/x-7z-compressed" },
	{ "aac", "audio/aac" },
	{ "aif", "audio/x-aiff" },
	{ "aiff", "audio/x-aiff" },
	{ "apk", "application/vnd.android.package-archive" },
	{ "apng", "image/apng" },
	{ "asc", "text/plain; charset=utf-8" },
	{ "atom", "application/atom+xml" },
	{ "avi", "video/x-msvideo" },
	{ "avif", "image/avif" },
	{ "bmp", "image/bmp" },
	{ "bz2", "application/x-bzip2" },
	{ "c", "text/plain; charset=utf-8" },
	{ "cc", "text/plain; charset=utf-8" },
	{ "cfg", "text/plain; charset=utf-8" },
	{ "cjs", "text/javascript; charset=utf-8" },
	{ "conf", "text/plain; charset=utf-8" },
	{ "cpp", "text/plain; charset=utf-8" },
	{ "css", "text/css; charset=utf-8" },
	{ "csv", "text/csv; charset=utf-8" },
	{ "deb", "application/vnd.debian.binary-package" },
	{ "diff", "text/plain; charset=utf-8" },
	{ "djvu", "image/vnd.djvu" },
	{ "dmg", "application/x-apple-diskimage" },
	{ "doc", "application/msword" },
	{ "docx",
	  "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
	{ "eot", "application/vnd.ms-fontobject" },
	{ "epub", "application/epub+zip" },
	{ "flac", "audio/flac" },
	{ "geojson", "application/geo+json" },
	{ "gif", "image/gif" },
	{ "glb", "model/gltf-binary" },
	{ "gltf", "model/gltf+json" },
	{ "go", "text/plain; charset=utf-8" },
	{ "gpx", "application/gpx+xml" },
	{ "gz", "application/gzip" },
	{ "h", "text/plain; charset=utf-8" },
	{ "heic", "image/heic" },
	{ "heif", "image/heif" },
	{ "hpp", "text/plain; charset=utf-8" },
	{ "htm", "text/html; charset=utf-8" },
	{ "html", "text/html; charset=utf-8" },
	{ "ico", "image/vnd.microsoft.icon" },
	{ "ics", "text/calendar; charset=utf-8" },
	{ "ini", "text/plain; charset=utf-8" },
	{ "iso", "application/x-iso9660-image" },
	{ "jar", "application/java-archive" },
	{ "java", "text/plain; charset=utf-8" },
	{ "jp2", "image/jp2" },
	{ "jpeg", "image/jpeg" },
	{ "jpg", "image/jpeg" },
	{ "js", "text/javascript; charset=utf-8" },
	{ "json", "application/json" },
	{ "jsonld", "application/ld+json" },
	{ "jxl", "image/jxl" },
	{ "kml", "application/vnd.google-earth.kml+xml" },
	{ "kmz", "application/vnd.google-earth.kmz" },
	{ "log", "text/plain; charset=utf-8" },
	{ "lua", "text/plain; charset=utf-8" },
	{ "m3u8", "application/vnd.apple.mpegurl" },
	{ "m4a", "audio/mp4" },
	{ "m4b", "audio/mp4" },
	{ "m4s", "video/iso.segment" },
	{ "m4v", "video/mp4" },
	{ "map", "application/json" },
	{ "md", "text/markdown; charset=utf-8" },
	{ "mid", "audio/midi" },
	{ "midi", "audio/midi" },
	{ "mjs", "text/javascript; charset=utf-8" },
	{ "mkv", "video/matroska" },
	{ "mov", "video/quicktime" },
	{ "mp3", "audio/mpeg" },
	{ "mp4", "video/mp4" },
	{ "mpd", "application/dash+xml" },
	{ "mpeg", "video/mpeg" },
	{ "mpg", "video/mpeg" },
	{ "ndjson", "application/x-ndjson" },
	{ "odp", "application/vnd.oasis.opendocument.presentation" },
	{ "ods", "application/vnd.oasis.opendocument.spreadsheet" },
	{ "odt", "application/vnd.oasis.opendocument.text" },
	{ "oga", "audio/ogg" },
	{ "ogg", "audio/ogg" },
	{ "ogv", "video/ogg" },
	{ "opus", "audio/ogg" },
	{ "otf", "font/otf" },
	{ "patch", "text/plain; charset=utf-8" },
	{ "pdf", "application/pdf" },
	{ "pl", "text/plain; charset=utf-8" },
	{ "png", "image/png" },
	{ "ppt", "application/vnd.ms-powerpoint" },
	{ "pptx",
	  "application/vnd.openxmlformats-officedocument.presentationml.presentation" },
	{ "ps", "application/postscript" },
	{ "psd", "image/vnd.adobe.photoshop" },
	{ "py", "text/plain; charset=utf-8" },
	{ "rar", "application/vnd.rar" },
	{ "rb", "text/plain; charset=utf-8" },
	{ "rpm", "application/x-rpm" },
	{ "rs", "text/plain; charset=utf-8" },
	{ "rss", "application/rss+xml" },
	{ "rst", "text/plain; charset=utf-8" },
	{ "rtf", "application/rtf" },
	{ "sh", "text/plain; charset=utf-8" },
	{ "sql", "text/plain; charset=utf-8" },
	{ "srt", "text/plain; charset=utf-8" },
	{ "stl", "model/stl" },
	{ "svg", "image/svg+xml" },
	{ "tar", "application/x-tar" },
	{ "tex", "text/plain; charset=utf-8" },
	{ "text", "text/plain; charset=utf-8" },
	{ "tgz", "application/gzip" },
	{ "tif", "image/tiff" },
	{ "tiff", "image/tiff" },
	{ "toml", "application/toml" },
	{ "torrent", "application/x-bittorrent" },
	{ "ts", "video/mp2t" },
	{ "tsv", "text/tab-separated-values; charset=utf-8" },
	{ "ttc", "font/collection" },
	{ "ttf", "font/ttf" },
	{ "ttl", "text/turtle; charset=utf-8" },
	{ "txt", "text/plain; charset=utf-8" },
	{ "usdz", "model/vnd.usdz+zip" },
	{ "vcf", "text/vcard; charset=utf-8" },
	{ "vtt", "text/vtt; charset=utf-8" },
	{ "wasm", "application/wasm" },
	{ "wav", "audio/wav" },
	{ "weba", "audio/webm" },
	{ "webm", "video/webm" },
	{ "webmanifest", "application/manifest+json" },
	{ "webp", "image/webp" },
	{ "wmv", "video/x-ms-wmv" },
	{ "woff", "font/woff" },
	{ "woff2", "font/woff2" },
	{ "xhtml", "application/xhtml+xml" },
	{ "xls", "application/vnd.ms-excel" },
	{ "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
	{ "xml", "application/xml" },
	{ "xpi", "application/x-xpinstall" },
	{ "xsl", "application/xslt+xml" },
	{ "xslt", "application/xslt+xml" },
	{ "xz", "application/x-xz" },
	{ "yaml", "application/yaml" },
	{ "yml", "application/yaml" },
	{ "zip", "application/zip" },
	{ "zst", "application/zstd" },
};

static int compare(const void *extension, const void *media)
{
	return strcasecmp(extension, ((const struct media *)media)->extension);
}

static const char unknown[] = "application/octet-stream";
static const char plain_text[] = "text/plain; charset=utf-8";

/* The extension of a name without its dot; NULL if there is none. */
static const char *extension_of(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *dot = strrchr(slash != NULL ? slash : name, '.');

	return dot != NULL ? dot + 1 : NULL;
}

const char *http_type(const char *name)
{
	const char *extension = extension_of(name);
	const struct media *media = NULL;

	if (extension != NULL)
		media = bsearch(extension, types, sizeof types / sizeof *types,
				sizeof *types, compare);
	return media != NULL ? media->type : unknown;
}

/* Bytes that do not occur in text: MIME Sniffing Standard, section 3, "binary data
 * byte". */
static bool is_binary(unsigned char byte)
{
	return byte < ' ' && (byte < '\t' || strchr("\t\n\f\r\x1b", byte) == NULL);
}

/* Whether the first bytes of a file are text in UTF-8. The last character, of up to
 * four bytes, may be cut off. */
static bool is_text(const char *bytes, size_t n)
{
	size_t at = 0, length;

	for (; at < n; at += length) {
		length = text_utf8_length(bytes + at, n - at);
		if (length == 0)
			return n == SNIFFED && n - at < UTF8_LONGEST;
		if (is_binary((unsigned char)bytes[at]))
			return false;
	}
	return true;
}

const char *http_type_of_file(const char *name, int fd)
{
	char bytes[SNIFFED];
	ssize_t n;

	if (extension_of(name) != NULL)
		return http_type(name);
	n = pread(fd, bytes, sizeof bytes, 0);
	return n > 0 && is_text(bytes, (size_t)n) ? plain_text : unknown;
}
