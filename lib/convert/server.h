/* seki-convert(8): one process for each employer, and within it one for each file. */
#ifndef SEKISHO_CONVERT_SERVER_H
#define SEKISHO_CONVERT_SERVER_H

#include "lib/base/settings.h"
#include "lib/convert/convert.h"

/* A file that processes lock bytes of, so that no more than `converters` tools run at once. */
#define CONVERT_SLOTS "run/convert/slots"

/* ---- tools (tool.c) ---- */

struct convert_tool {
	const char *word;
	const char *path;
	const char *data;             /* a directory that it reads, or NULL */
	const char *const *arguments; /* from its name on, NULL-ended */
};

/* NULL: there is none of that name. */
const struct convert_tool *convert_tool_named(const char *word);

/*
 * Gives up every file but the tools, their libraries and their data. Done by the process that serves
 * an employer, before it reads anything; the tools are its children and inherit it. Dies if it fails.
 */
void convert_confine(void);

/* What a process of a tool is given. */
struct convert_job {
	const struct convert_tool *tool;
	const struct settings *settings;
	pid_t parent;
	int in;     /* the file: it cannot be changed */
	int text;   /* empty */
	int errors; /* a pipe */
};

/* The process of a tool, after fork: it becomes the tool, within its limits, or exits with 127. */
NORETURN void convert_become(const struct convert_job *job);

/* ---- one file (run.c) ---- */

/*
 * Runs the tool on the sealed file `in`. `employer` is watched: when it goes, the tool is killed.
 * Returns the status; with DONE answer->text is a sealed file, the caller's.
 */
enum convert_status convert_run(const struct settings *settings, const struct convert_tool *tool,
    int in, int employer, struct convert_answer *answer);

/* ---- an employer (serve.c) ---- */

/* Serves the employer until it closes the socket. `slots` is -1 if no others convert. Exit code. */
NODISCARD int convert_serve(int socket, const struct settings *settings, int slots);

/* ---- the service (service.c) ---- */

/*
 * Converts a small Japanese file, in a process like those for employers; an alarm, if that does not
 * give its text: then Japanese files would be empty without anybody noticing.
 */
void convert_check(const struct settings *settings);

/* Serves the socket until SIGTERM. */
void convert_service(int listener, int signals, struct settings *settings, void (*ready)(void));

#endif
