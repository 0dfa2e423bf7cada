/*
 * machine - reads what a figure depends on, from uname(2), sysconf(3) and /proc.
 *
 * A figure without these facts cannot be compared with one of another machine.
 */
#include "client/versus/machine.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "common/failure.h"
#include "common/json.h"

#ifndef SOCKWAYS_FLAGS
#define SOCKWAYS_FLAGS "unknown"
#endif

static void add(struct machine *machine, const char *name, const char *format, ...)
	PRINTF_LIKE(3, 4);

static void add(struct machine *machine, const char *name, const char *format, ...)
{
	struct machine_fact *fact = &machine->facts[machine->count];
	va_list arguments;
	int length;

	if (machine->count == MACHINE_FACTS)
		return;
	fact->name = name;
	va_start(arguments, format);
	length = vsnprintf(fact->value, sizeof fact->value, format, arguments);
	va_end(arguments);
	if (length > 0)
		machine->count++;
}

/* The first line of a file, without its end. @return false if there is none */
static bool read_line(const char *path, char line[MACHINE_TEXT])
{
	FILE *file = fopen(path, "re");
	bool found;

	if (file == NULL)
		return false;
	found = fgets(line, MACHINE_TEXT, file) != NULL;
	fclose(file);
	if (found)
		line[strcspn(line, "\n")] = '\0';
	return found && line[0] != '\0';
}

static void add_processor(struct machine *machine)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[MACHINE_TEXT], *colon;

	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		colon = strchr(line, ':');
		if (strncmp(line, "model name", 10) != 0 || colon == NULL)
			continue;
		line[strcspn(line, "\n")] = '\0';
		add(machine, "processor", "%s", colon + 1 + strspn(colon + 1, " "));
		break;
	}
	if (file != NULL)
		fclose(file);
	add(machine, "processors", "%ld", sysconf(_SC_NPROCESSORS_ONLN));
}

static void add_memory(struct machine *machine)
{
	double bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);

	if (bytes > 0)
		add(machine, "memory", "%.1f GiB", bytes / (1024. * 1024 * 1024));
}

static void add_limit(struct machine *machine, const char *name, int resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return;
	if (limit.rlim_max == RLIM_INFINITY)
		add(machine, name, "unlimited");
	else
		add(machine, name, "%ju", (uintmax_t)limit.rlim_max);
}

/* The settings of Linux that the figures depend on. */
static void add_settings(struct machine *machine)
{
	static const char *const settings[][2] = {
		{ "net.core.somaxconn", "/proc/sys/net/core/somaxconn" },
		{ "net.ipv4.tcp_max_syn_backlog",
		  "/proc/sys/net/ipv4/tcp_max_syn_backlog" },
		{ "net.ipv4.ip_local_port_range",
		  "/proc/sys/net/ipv4/ip_local_port_range" },
		{ "net.ipv4.tcp_congestion_control",
		  "/proc/sys/net/ipv4/tcp_congestion_control" },
		{ "net.ipv4.tcp_rmem", "/proc/sys/net/ipv4/tcp_rmem" },
		{ "net.ipv4.tcp_wmem", "/proc/sys/net/ipv4/tcp_wmem" },
		{ "kernel.pid_max", "/proc/sys/kernel/pid_max" },
	};
	char line[MACHINE_TEXT];

	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		if (!read_line(settings[i][1], line))
			continue;
		for (char *tab = line; (tab = strchr(tab, '\t')) != NULL;)
			*tab = ' ';
		add(machine, settings[i][0], "%s", line);
	}
}

void machine_read(struct machine *machine)
{
	struct utsname name;
	time_t now = time(NULL);
	struct tm parts;
	char date[32];

	machine->count = 0;
	if (gmtime_r(&now, &parts) != NULL &&
	    strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", &parts) > 0)
		add(machine, "date", "%s", date);
	if (uname(&name) == 0)
		add(machine, "kernel", "%s %s %s", name.sysname, name.release,
		    name.machine);
	add_processor(machine);
	add_memory(machine);
	add_limit(machine, "descriptors", RLIMIT_NOFILE);
#ifdef RLIMIT_NPROC
	add_limit(machine, "processes", RLIMIT_NPROC);
#endif
	add_settings(machine);
	add(machine, "sockways", "%s", SOCKWAYS_VERSION);
#ifdef __VERSION__
	add(machine, "compiler", "%s", __VERSION__);
#endif
	add(machine, "flags", "%s", SOCKWAYS_FLAGS);
}

void machine_write_json(const struct machine *machine, FILE *out)
{
	putc('{', out);
	for (unsigned i = 0; i < machine->count; i++) {
		fputs(i > 0 ? ", " : "", out);
		json_write_string(out, machine->facts[i].name);
		fputs(": ", out);
		json_write_string(out, machine->facts[i].value);
	}
	putc('}', out);
}
