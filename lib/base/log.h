/*
 * The log: one event a line on standard error, `event=NAME key=value …`, read by s6-log.
 *
 * Values are xtext (RFC 3461 section 4): no space, quote, '=' or control character of a stranger
 * ever reaches the log as itself. A line is one write(2) of at most LOG_LINE_MAX bytes, so that
 * lines of several threads never mix.
 *
 * A logger that does not read must not stop a stage in the middle of a transition. A line waits
 * for the pipe at most LOG_PATIENCE_MS; then it is dropped and counted, and the next line that
 * goes through is preceded by event=log-dropped. seki-queue asks log_ready() before it takes new
 * mail: while nobody reads the log, new mail gets 451.
 */
#ifndef SEKISHO_BASE_LOG_H
#define SEKISHO_BASE_LOG_H

#include "lib/base/compat.h"

#define LOG_LINE_MAX    2048
#define LOG_PATIENCE_MS 1000

struct log_field {
	const char *key;  /* literal */
	const char *text; /* value, or NULL: then `number` */
	int64_t number;
};

static inline struct log_field kv(const char *key, const char *text)
{
	return (struct log_field){.key = key, .text = text != NULL ? text : ""};
}

static inline struct log_field kv_num(const char *key, int64_t number)
{
	return (struct log_field){.key = key, .number = number};
}

/* error=TEXT of an errno value. */
struct log_field kv_errno(int error);

/*
 * Writes one line. `event` is a literal. An alarm carries alarm=yes: a person should look. errno
 * stays as it was.
 */
void log_event(const char *event, bool alarm, const struct log_field *fields, size_t n);

#define LOG(event, ...)                                                                            \
	log_event((event), false, (const struct log_field[]){__VA_ARGS__},                         \
	    COUNT_OF(((const struct log_field[]){__VA_ARGS__})))
#define LOG_ALARM(event, ...)                                                                      \
	log_event((event), true, (const struct log_field[]){__VA_ARGS__},                          \
	    COUNT_OF(((const struct log_field[]){__VA_ARGS__})))

/* Whether the log can be written just now. */
NODISCARD bool log_ready(void);

#endif
