/*
 * file - receives files and sends them, and never shows an incomplete file.
 *
 * The protocol is the classic way to send files: a line of text, then a counted number
 * of bytes. The service also shows what it takes that a file of another client is either
 * complete or absent. The parts: command.c parses the lines, store.c opens files in the
 * directory, upload.c turns a partial file into a file, listing.c reads directories.
 * This file is the conversation.
 *
 * read(2) and write(2) can block on a disk, even with O_NONBLOCK. So long work is
 * done in steps of bounded size: a file is read for its checksum, or a directory for its
 * list, a few MiB or a thousand entries at a time. Between the steps the session pauses,
 * so that an event loop serves its other clients. The final LF of the line stays in the
 * input meanwhile, because input() is called again only if there is input. When many
 * requests arrive in one piece, one turn answers as many as its budget allows.
 * fdatasync(2) cannot be split: in an event loop a slow disk delays all clients (-S
 * avoids it).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/checksum.h"
#include "common/disk.h"
#include "common/message.h"
#include "common/options.h"
#include "common/text.h"
#include "common/words.h"
#include "server/service.h"
#include "server/service/file/command.h"
#include "server/service/file/file.h"
#include "server/service/file/listing.h"
#include "server/service/file/store.h"
#include "server/service/file/upload.h"
#include "server/core/sandbox.h"
#include "server/core/session.h"

enum {
	TURN = FILE_SUM_TURN, /* the budget of a turn, in bytes read */
	LINE_COST = TURN / 32,
	PIECE = 65536, /* bytes sent at once, with a checksum */
	PIECES_TURN = 4,
	REPLY = FAILURE_TEXT + 32,
	CULPRIT = 200,
	HOURS_MOST = 24 * 366 * 10,
};

struct file_store file_store = { .most = INT64_MAX, .part_life = 24 * 3600 };
const char *file_directory;

/*
 * The phases of a session. Those marked with * are done in steps, with pauses between them.
 *
 *                                 READS_COMMAND
 *                                        |
 *      PUT               GET             |  GET nosum        LIST
 *      +-----------------+---------------+---+---------------+
 *      v                 v                   v               v
 *   CHECKS_PART *   SUMS_BEGINNING *    SENDS_FILE      READS_LIST *
 *      |  SEND           |                   |               |  ENTRIES
 *      v                 v                   |               v
 *   READS_CONTENT      SENDS                 |          SENDS_LIST
 *      | all bytes       |                   |               |
 *      v                 |                   |               |
 *   READS_SUM            |                   |               |
 *      | DONE or ERR     | SUM               | SUM -         | all entries
 *      +-----------------+-----------+-------+---------------+
 *                                    v
 *                              READS_COMMAND
 *
 * A new upload skips CHECKS_PART, and an empty file READS_CONTENT. After an error while
 * content is read, the session ends, because the position of the next line is unknown.
 */
enum phase {
	READS_COMMAND,
	CHECKS_PART,   /* of a resumed upload; in steps */
	READS_CONTENT, /* of an upload */
	READS_SUM,
	SUMS_BEGINNING, /* of a file that is sent from an offset; in steps */
	SENDS,
	SENDS_FILE, /* by sendfile(2), without a checksum */
	READS_LIST, /* in steps */
	SENDS_LIST,
};

struct file_state {
	enum phase phase;
	bool ended;    /* the client has half-closed while output is being sent */
	uint64_t turn; /* the rest of the budget */
	struct file_line line;
	struct file_upload upload;
	int fd;                  /* the file that is sent; -1: none */
	uint64_t offset, length; /* where sending starts; size of the file */
	struct checksum sum;     /* of the bytes so far */
	struct file_listing *list;
	size_t listed; /* entries that were sent */
};

/* ---- replies --------------------------------------------------------------------------- */

static void say(struct session *session, const char *text)
{
	session_write(session, text, strlen(text));
}

static void refuse_line(struct session *session, const char *why)
{
	char reply[REPLY];
	int length = snprintf(reply, sizeof reply, "ERR bad-request %s\n", why);

	session_write(session, reply, (size_t)length);
}

/* An error of the server itself is also printed for its operator. */
static void report_to_operator(struct session *session, const char *name, const char *why)
{
	char peer[ADDRESS_TEXT], text[CULPRIT];

	text_escape_quoted(name, strlen(name), text, sizeof text);
	message_about(MESSAGE_ERROR, session_peer(session, peer), "\"%s\": %s", text,
		      why);
}

static void refuse(struct session *session, const char *name,
		   const struct file_refusal *refusal)
{
	char reply[WORDS_QUOTED(NAME_MOST) + CULPRIT];
	size_t length = (size_t)snprintf(reply, sizeof reply, "ERR %s ", refusal->code);

	length += words_quote(name, reply + length);
	length += (size_t)snprintf(reply + length, sizeof reply - length, ": %s\n",
				   refusal->why);
	session_write(session, reply, length);
	if (strcmp(refusal->code, "internal") == 0)
		report_to_operator(session, name, refusal->why);
}

/* ---- phases ---------------------------------------------------------------------------- */

/* Whether input must wait until other work is done. */
static bool is_at_work(const struct file_state *state)
{
	return state->phase != READS_COMMAND && state->phase != READS_CONTENT &&
	       state->phase != READS_SUM;
}

/* Whether the work is done in steps, with the LF left in the input. */
static bool takes_turns(const struct file_state *state)
{
	return state->phase == CHECKS_PART || state->phase == SUMS_BEGINNING ||
	       state->phase == READS_LIST;
}

static void charge(struct file_state *state, uint64_t cost)
{
	state->turn -= cost < state->turn ? cost : state->turn;
}

static void enter(struct session *session, enum phase phase)
{
	struct file_state *state = session->state;

	state->phase = phase;
	session_set_busy(session, phase != READS_COMMAND);
	if (phase == READS_COMMAND && state->ended)
		session_finish(session);
}

/* ---- PUT ------------------------------------------------------------------------------- */

static void ask_for_content(struct session *session)
{
	struct file_state *state = session->state;
	char reply[64];
	int length =
		snprintf(reply, sizeof reply, "SEND %" PRIu64 "\n", state->upload.here);

	session_write(session, reply, (size_t)length);
	enter(session,
	      state->upload.here < state->upload.size ? READS_CONTENT : READS_SUM);
}

/* Copies the name: an upload that fails frees its own copy, and the error reply needs
 * the name. */
static void name_of_upload(const struct file_state *state, char name[NAME_MOST + 1])
{
	memcpy(name, state->upload.name, strlen(state->upload.name) + 1);
}

static void check_part(struct session *session)
{
	struct file_state *state = session->state;
	struct file_refusal refusal;
	char name[NAME_MOST + 1];
	int more;

	name_of_upload(state, name);
	charge(state, state->upload.here); /* more than the budget counts as the budget */
	more = file_upload_check(&file_store, &state->upload, FILE_SUM_TURN, &refusal);
	if (more > 0)
		return;
	if (more == 0) {
		ask_for_content(session);
		return;
	}
	refuse(session, name, &refusal);
	enter(session, READS_COMMAND);
}

static void begin_put(struct session *session, const struct file_command *command)
{
	struct file_state *state = session->state;
	struct file_refusal refusal;

	if (file_upload_begin(&file_store, &state->upload, command->name, command->size,
			      command->modified, command->without_sum, &refusal) < 0) {
		refuse(session, command->name, &refusal);
		return;
	}
	state->upload.fd = session_keep_file(session, state->upload.fd);
	if (state->upload.here == 0) {
		ask_for_content(session);
	} else {
		enter(session, CHECKS_PART);
		check_part(session);
	}
}

/* After an error the position of the next line is unknown, so the session ends. */
static size_t read_content(struct session *session, const char *bytes, size_t n)
{
	struct file_state *state = session->state;
	struct file_upload *upload = &state->upload;
	struct file_refusal refusal;
	char name[NAME_MOST + 1];

	if (n > upload->size - upload->here)
		n = (size_t)(upload->size - upload->here);
	name_of_upload(state, name);
	if (file_upload_write(&file_store, upload, bytes, n, &refusal) < 0) {
		refuse(session, name, &refusal);
		session_finish(session);
	} else if (upload->here == upload->size) {
		enter(session, READS_SUM);
	}
	return n;
}

/* May wait for the disk: uses up the whole budget. */
static void finish_put(struct session *session, const struct file_command *command)
{
	struct file_state *state = session->state;
	uint32_t crc = checksum_value(&state->upload.sum);
	uint64_t size = state->upload.size;
	struct file_refusal refusal;
	char name[NAME_MOST + 1], reply[64];

	charge(state, TURN);
	name_of_upload(state, name);
	if (file_upload_finish(&file_store, &state->upload,
			       command->without_sum ? NULL : &command->crc,
			       &refusal) < 0) {
		refuse(session, name, &refusal);
	} else {
		int length =
			command->without_sum
				? snprintf(reply, sizeof reply, "DONE %" PRIu64 " -\n",
					   size)
				: snprintf(reply, sizeof reply,
					   "DONE %" PRIu64 " %" PRIu32 "\n", size, crc);

		session_write(session, reply, (size_t)length);
	}
	enter(session, READS_COMMAND);
}

/* ---- GET ------------------------------------------------------------------------------- */

static void close_file(struct file_state *state)
{
	if (state->fd >= 0)
		close(state->fd);
	state->fd = -1;
}

/* The client was promised more bytes. The only way to report the error is to close the
 * connection. */
static void break_off(struct session *session)
{
	close_file(session->state);
	session_finish(session);
}

static void end_get(struct session *session)
{
	struct file_state *state = session->state;
	char reply[32];
	int length = snprintf(reply, sizeof reply, "SUM %" PRIu32 "\n",
			      checksum_value(&state->sum));

	close_file(state);
	session_write(session, reply, (size_t)length);
	enter(session, READS_COMMAND);
}

/* @param piece  a buffer of PIECE bytes
 * @return false when no more is to be sent: at the end or after an error */
static bool send_piece(struct session *session, char *piece)
{
	struct file_state *state = session->state;
	uint64_t left = state->length - state->sum.length;
	ssize_t n;

	if (left == 0) {
		end_get(session);
		return false;
	}
	do
		n = pread(state->fd, piece, left < PIECE ? (size_t)left : PIECE,
			  (off_t)state->sum.length);
	while (n < 0 && errno == EINTR);
	if (n <= 0) {
		break_off(session);
		return false;
	}
	charge(state, (uint64_t)n);
	checksum_add(&state->sum, piece, (size_t)n);
	session_write(session, piece, (size_t)n);
	return true;
}

/* The last piece may exceed the budget by one. The buffer is not on the stack, which
 * is small in a thread, and not in the session, because many sessions are idle. */
static void send_pieces(struct session *session)
{
	char *piece = malloc(PIECE);
	bool more = piece != NULL;

	if (!more)
		break_off(session);
	for (int i = 0; i <= PIECES_TURN && more && !session_full(session); i++)
		more = send_piece(session, piece);
	free(piece);
}

static void sum_beginning(struct session *session)
{
	struct file_state *state = session->state;
	uint64_t left = state->offset - state->sum.length;
	ssize_t n =
		checksum_add_file(&state->sum, state->fd,
				  left < FILE_SUM_TURN ? (size_t)left : FILE_SUM_TURN);

	charge(state, left);
	if (n < 0 || (n == 0 && left > 0)) {
		break_off(session);
	} else if (state->sum.length == state->offset) {
		enter(session, SENDS);
		send_pieces(session);
	}
}

static void send_file(struct session *session)
{
	struct file_state *state = session->state;
	int fd = state->fd;

	state->fd = -1;
	enter(session, SENDS_FILE);
	session_send_file(session, fd, state->offset, state->length - state->offset);
}

static void end_send_file(struct session *session)
{
	say(session, "SUM -\n");
	enter(session, READS_COMMAND);
}

static void announce(struct session *session, const struct stat *status)
{
	char reply[96], time[TEXT_TIMESTAMP];
	int length = snprintf(reply, sizeof reply, "FILE %" PRIu64 " %s\n",
			      (uint64_t)status->st_size,
			      text_timestamp(disk_modified(status), time));

	session_write(session, reply, (size_t)length);
}

static void begin_get(struct session *session, const struct file_command *command)
{
	struct file_state *state = session->state;
	struct file_refusal refusal;
	struct stat status;
	int fd = file_store_read(&file_store, command->name, &status, &refusal);

	if (fd >= 0 && command->offset > (uint64_t)status.st_size) {
		close(fd);
		fd = file_refuse(&refusal, "bad-request",
				 "offset is beyond the end of the file");
	}
	if (fd < 0) {
		refuse(session, command->name, &refusal);
		return;
	}
	announce(session, &status);
	state->fd = session_keep_file(session, fd);
	state->length = (uint64_t)status.st_size;
	state->sum = (struct checksum){ 0 };
	state->offset = command->offset;
	if (command->without_sum) {
		send_file(session);
	} else {
		enter(session, SUMS_BEGINNING);
		sum_beginning(session);
	}
}

/* ---- LIST, STAT, HELP ------------------------------------------------------------------ */

static void end_list(struct session *session)
{
	struct file_state *state = session->state;

	file_listing_end(state->list);
	state->list = NULL;
	enter(session, READS_COMMAND);
}

static void send_list(struct session *session)
{
	struct file_state *state = session->state;
	size_t count = file_listing_count(state->list);
	char line[FILE_ENTRY];

	for (int i = 0;
	     i < FILE_LIST_TURN && state->listed < count && !session_full(session); i++)
		session_write(session, line,
			      file_listing_line(state->list, state->listed++, line));
	if (state->listed == count)
		end_list(session);
}

static void refuse_list(struct session *session, const char *name, int error)
{
	struct file_refusal refusal;

	if (error == E2BIG)
		file_refuse(&refusal, "too-large", "more than 100000 entries");
	else if (error == EBUSY)
		file_refuse(&refusal, "busy", "too many lists in progress");
	else if (error == ENOENT || error == ENOTDIR)
		file_refuse(&refusal, "not-found", strerror(error));
	else
		file_refuse_errno(&refusal, error);
	refuse(session, name, &refusal);
}

static void read_list(struct session *session)
{
	struct file_state *state = session->state;
	int more = file_listing_read(state->list, FILE_LIST_TURN);
	char reply[32];

	if (more > 0)
		return;
	if (more < 0) {
		refuse_list(session, "this directory", errno);
		end_list(session);
		return;
	}
	session_write(session, reply,
		      (size_t)snprintf(reply, sizeof reply, "ENTRIES %zu\n",
				       file_listing_count(state->list)));
	state->listed = 0;
	enter(session, SENDS_LIST);
	send_list(session);
}

static void begin_list(struct session *session, const char *name)
{
	struct file_state *state = session->state;
	int fd = file_store_open_directory(&file_store, name);

	charge(state, TURN);
	state->list = fd >= 0 ? file_listing_begin(session_keep_file(session, fd)) : NULL;
	if (state->list == NULL) {
		refuse_list(session, name != NULL ? name : "", errno);
		return;
	}
	enter(session, READS_LIST);
	read_list(session);
}

static void send_status(struct session *session, const char *name)
{
	struct file_refusal refusal;
	struct stat status;
	char reply[5 + FILE_ENTRY] = "STAT ";

	if (file_store_look(&file_store, name, &status, &refusal) < 0)
		refuse(session, name, &refusal);
	else
		session_write(session, reply,
			      5 + file_entry_line(name, &status, reply + 5));
}

static void help(struct session *session)
{
	say(session,
	    "HELP 7\n"
	    "PUT name size mtime [nosum] -> SEND offset; then the bytes, and SUM crc or "
	    "SUM - -> DONE size crc\n"
	    "GET name [offset] [nosum] -> FILE size mtime, the bytes, SUM crc\n"
	    "LIST [path] -> ENTRIES n, and n lines: F size mtime name, or "
	    "D - mtime name\n"
	    "STAT name -> STAT, and one such line\n"
	    "HELP -> this text\n"
	    "QUIT -> BYE\n"
	    "Put a name with spaces in \"quotes\"; crc is the checksum of cksum\n");
}

/* ---- the conversation ------------------------------------------------------------------ */

static void run_command(struct session *session, const struct file_command *command)
{
	switch (command->verb) {
	case FILE_PUT:
		begin_put(session, command);
		break;
	case FILE_GET:
		begin_get(session, command);
		break;
	case FILE_LIST:
		begin_list(session, command->name);
		break;
	case FILE_STAT:
		send_status(session, command->name);
		break;
	case FILE_HELP:
		help(session);
		break;
	case FILE_QUIT:
		say(session, "BYE\n");
		session_finish(session);
		break;
	default:
		refuse_line(session, "SUM without a PUT before it");
		break;
	}
}

/* A line other than SUM after the content: what has arrived is kept for a resumed
 * upload. */
static void refuse_sum(struct session *session, const char *why)
{
	struct file_state *state = session->state;

	file_upload_cut_off(&file_store, &state->upload);
	refuse_line(session, why);
	enter(session, READS_COMMAND);
}

static void refuse_command(struct session *session, const char *why)
{
	const struct file_state *state = session->state;

	if (state->phase == READS_SUM)
		refuse_sum(session, why);
	else
		refuse_line(session, why);
}

static void read_command(struct session *session, const char *line, size_t length)
{
	const struct file_state *state = session->state;
	struct file_command command;
	struct failure why;

	if (file_command_read(&command, line, length, &why) < 0)
		refuse_command(session, why.text);
	else if (state->phase != READS_SUM)
		run_command(session, &command);
	else if (command.verb == FILE_SUM && !command.without_sum &&
		 state->upload.without_sum)
		refuse_sum(session, "after PUT with nosum, send SUM -");
	else if (command.verb == FILE_SUM && command.without_sum && state->upload.resumed)
		refuse_sum(session, "SUM - is not allowed for a resumed upload");
	else if (command.verb == FILE_SUM)
		finish_put(session, &command);
	else
		refuse_sum(session, "SUM expected after the content");
}

static size_t read_line(struct session *session, const char *bytes, size_t n)
{
	struct file_state *state = session->state;

	charge(state, LINE_COST);
	switch (file_line_find(&state->line, bytes, n)) {
	case FILE_LINE_WHOLE:
		read_command(session, bytes, state->line.length);
		break;
	case FILE_LINE_TOO_LONG:
		refuse_command(session, "line longer than 8192 bytes");
		break;
	default:
		break;
	}
	return takes_turns(state) ? state->line.taken - 1 : state->line.taken;
}

/* Does the next step of the current work. @return how many bytes of input are consumed */
static size_t work(struct session *session)
{
	const struct file_state *state = session->state;
	bool took_turns = takes_turns(state);

	switch (state->phase) {
	case CHECKS_PART:
		check_part(session);
		break;
	case SUMS_BEGINNING:
		sum_beginning(session);
		break;
	case READS_LIST:
		read_list(session);
		break;
	case SENDS:
		send_pieces(session);
		break;
	case SENDS_LIST:
		send_list(session);
		break;
	case SENDS_FILE:
		end_send_file(session);
		break;
	default:
		break;
	}
	return took_turns && !takes_turns(state);
}

static size_t take(struct session *session, const char *bytes, size_t n)
{
	const struct file_state *state = session->state;

	if (is_at_work(state))
		return work(session);
	if (state->phase == READS_CONTENT)
		return read_content(session, bytes, n);
	return read_line(session, bytes, n);
}

static void hold_back(struct session *session, size_t left)
{
	const struct file_state *state = session->state;

	if (left == 0 || session_full(session) || session->finished)
		return;
	if (is_at_work(state))
		session_pause(session, 1);
	else if (state->turn == 0)
		session_pause(session, 0);
}

/* Input that must wait is held back by a pause. Then nothing more is read, and in
 * particular a half-close is not reported before earlier requests are answered. A file
 * that was sent at once does not end the turn: the server calls input() again at once
 * for the rest of the input. */
static size_t file_input(struct session *session, const char *bytes, size_t n)
{
	struct file_state *state = session->state;
	size_t used = 0, taken;

	if (state->phase != SENDS_FILE)
		state->turn = TURN;
	do {
		enum phase before = state->phase;

		taken = take(session, bytes + used, n - used);
		used += taken;
		if ((taken == 0 && state->phase == before) || takes_turns(state))
			break;
	} while (used < n && state->turn > 0 && !session_full(session) &&
		 !session->finished);
	hold_back(session, n - used);
	file_upload_keep(&file_store, &state->upload);
	return used;
}

static void file_open(struct session *session)
{
	struct file_state *state = session->state;

	state->fd = -1;
}

static void file_drained(struct session *session)
{
	const struct file_state *state = session->state;

	if (is_at_work(state) && !takes_turns(state))
		(void)work(session);
}

static void file_end(struct session *session, const char *bytes, size_t n)
{
	struct file_state *state = session->state;

	(void)bytes;
	if (state->phase == READS_COMMAND && (n > 0 || state->line.skipping))
		refuse_line(session, "incomplete line: no newline");
	state->ended = true;
	if (!is_at_work(state))
		session_finish(session);
}

static void file_close(struct session *session)
{
	struct file_state *state = session->state;

	file_upload_cut_off(&file_store, &state->upload);
	file_listing_end(state->list);
	close_file(state);
}

/* ---- options --------------------------------------------------------------------------- */

static int file_option(int letter, const struct options *options, struct failure *failure)
{
	uint64_t number = 0;

	switch (letter) {
	case 'r':
		file_directory = options->value;
		return 0;
	case 'w':
		file_store.replaces = true;
		return 0;
	case 'S':
		file_store.unsynced = true;
		return 0;
	case 'M':
		return options_size(options, letter, 0, INT64_MAX, &file_store.most,
				    failure);
	case 'Q':
		if (options_size(options, letter, 1, INT64_MAX, &number, failure) < 0)
			return -1;
		file_store.quota = (int64_t)number;
		return 0;
	default:
		if (options_number(options, letter, 0, HOURS_MOST, &number, failure) < 0)
			return -1;
		file_store.part_life = (int64_t)number * 3600;
		return 0;
	}
}

static const struct option_line file_options[] = {
	{ 'r', "root", "DIR", "store the files in DIR; required" },
	{ 'w', "replace", NULL, "allow an upload to replace a file" },
	{ 'M', "max-file", "SIZE", "largest file, in bytes (default: no limit)" },
	{ 'Q', "quota", "SIZE", "limit of all files together (default: no limit)" },
	{ 'E', "expire", "N",
	  "remove a partial upload N hours after its last\n"
	  "byte (default 24; 0: never)" },
	{ 'S', "no-sync", NULL, "confirm an upload before the file is on disk" },
	{ 0 },
};

static int file_check(struct failure *failure)
{
	if (file_directory == NULL)
		return failure_set(failure, "no directory to serve: use -r DIR");
	return 0;
}

/* The first use of the checksum builds its tables. This is done here, once, not in
 * each child. */
static int file_prepare(struct failure *failure)
{
	struct checksum sum = { 0 };

	checksum_add(&sum, "", 1);
	if (file_listing_prepare() < 0)
		return failure_set(failure, "cannot start: %s", strerror(errno));
	if (file_store_open(&file_store, file_directory, failure) < 0)
		return -1;
	file_upload_expire(&file_store);
	return 0;
}

static void file_allow(struct sandbox *sandbox)
{
	sandbox_change(sandbox, file_directory);
}

static void file_reopen(void)
{
	file_store_reopen(&file_store);
}

const struct service file_service = {
	.name = "file",
	.summary = "receives and sends files",
	.port = "7012",
	.state_size = sizeof(struct file_state),
	.options = file_options,
	.option = file_option,
	.check = file_check,
	.prepare = file_prepare,
	.allow = file_allow,
	.open = file_open,
	.input = file_input,
	.end = file_end,
	.drained = file_drained,
	.reopen = file_reopen,
	.close = file_close,
};
