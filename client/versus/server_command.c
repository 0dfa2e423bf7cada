/*
 * server_command - takes the argument of --server apart.
 *
 * The shell runs the command, so it is not parsed here, except for the name of its row:
 * "PORT={port} exec ./bin/myserver -v" is called "myserver".
 */
#include "client/versus/server_command.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static const char blanks[] = " \t\n";

static bool is_prefix(const char *word, size_t length)
{
	return (length == 4 && strncmp(word, "exec", 4) == 0) ||
	       (length == 3 && strncmp(word, "env", 3) == 0);
}

/* Whether a word only prepares the command: VARIABLE=value, exec, env. */
static bool is_preparation(const char *word, size_t length)
{
	size_t variable = strspn(word, LETTERS DIGITS "_");

	return (variable > 0 && variable < length && word[variable] == '=') ||
	       is_prefix(word, length);
}

/* The end of the first word: a blank, or the end of what is between quotation marks. */
static size_t word_length(const char *word)
{
	const char *end = *word == '\'' || *word == '"' ? strchr(word + 1, *word) : NULL;

	return end != NULL ? (size_t)(end - word) + 1 : strcspn(word, blanks);
}

/* The length of the NAME before '='; 0 if there is none. */
static size_t name_length(const char *argument)
{
	size_t length = strspn(argument, LETTERS DIGITS " ._+-");

	if (argument[length] != '=' || is_prefix(argument, word_length(argument)) ||
	    strspn(argument, " ") == length ||
	    strncmp(argument + length + 1, "{port}", 6) == 0 ||
	    strncmp(argument + length + 1, "{path}", 6) == 0)
		return 0;
	for (size_t i = 0; i < length; i++)
		if (argument[i] == '-' && (i == 0 || argument[i - 1] == ' '))
			return 0; /* an option of a command */
	return length;
}

/* Sets the name: the last part of the path, without quotation marks. */
static void set_name(struct server_process *server, const char *word, size_t length)
{
	if (length > 1 && (*word == '\'' || *word == '"')) {
		word++;
		length -= 2;
	}
	for (size_t i = length; i > 0; i--)
		if (word[i - 1] == '/' && i < length) {
			word += i;
			length -= i;
			break;
		}
	text_escape(word, length, server->name, sizeof server->name);
}

static void set_base_name(struct server_process *server, const char *command)
{
	size_t length = word_length(command);

	while (is_preparation(command, length) &&
	       command[length + strspn(command + length, blanks)] != '\0') {
		command += length + strspn(command + length, blanks);
		length = word_length(command);
	}
	set_name(server, command, length);
}

int server_command_take(struct server_process *server, const char *argument, bool *named,
			struct failure *failure)
{
	size_t length = name_length(argument);
	const char *command = length > 0 ? argument + length + 1 : argument;

	command += strspn(command, blanks);
	*named = length > 0;
	server->command = command;
	if (*command == '\0')
		return failure_set(failure, "--server: '%.60s' has no command",
				   length > 0 ? argument : "");
	if (*named)
		text_escape(argument, length, server->name, sizeof server->name);
	else
		set_base_name(server, command);
	return 0;
}

void server_command_number(struct server_process *server, unsigned number)
{
	char suffix[16];
	size_t length = strlen(server->name);
	int n = snprintf(suffix, sizeof suffix, "-%u", number);

	if (length + (size_t)n >= sizeof server->name)
		length = sizeof server->name - (size_t)n - 1;
	memcpy(server->name + length, suffix, (size_t)n + 1);
}

void server_command_write_word(const char *word, FILE *out)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_./,=:+@%";

	if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word != '\0'; word++)
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	fputc('\'', out);
}
