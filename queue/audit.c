#include "queue/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/tray.h"
#include "lib/base/xtext.h"

#define LOOK_EVERY  CLOCK_SECOND
#define LAG_DEFAULT (30 * CLOCK_SECOND)
#define STAMP       (CLOCK_TEXT - 1)
#define WORD_MAX    ((size_t)31) /* bytes of a key or of what= */

/* How often a tray that its reader has locked is tried, some 5 ms each: it empties it, and may wait for the
 * disk. A leg that could not be told of would wait much longer. */
#define LOCKED_TRIES 100

struct audit {
	struct tray *tray;
	pthread_mutex_t lock; /* of all below */
	bool wanted;          /* setting audit */
	int64_t lag;
	int64_t looked; /* boot clock; 0: never */
	bool well;
	char reason[AUDIT_REASON_MAX];
};

struct audit *audit_reach(const char *program)
{
	struct audit *audit = calloc(1, sizeof *audit);
	char path[TRAY_PATH_MAX];

	if (audit == NULL)
		return NULL;
	(void)snprintf(path, sizeof path, AUDIT_TRAYS "/%s", program);
	audit->wanted = true;
	audit->lag = LAG_DEFAULT;
	audit->tray = tray_at(path);
	if (audit->tray == NULL || pthread_mutex_init(&audit->lock, NULL) != 0) {
		tray_close(audit->tray);
		free(audit);
		return NULL;
	}
	return audit;
}

void audit_leave(struct audit *audit)
{
	if (audit == NULL)
		return;
	tray_close(audit->tray);
	(void)pthread_mutex_destroy(&audit->lock);
	free(audit);
}

void audit_settings(struct audit *audit, const struct settings *settings)
{
	(void)pthread_mutex_lock(&audit->lock);
	audit->wanted = settings->audit;
	audit->lag = settings->audit_lag;
	audit->looked = 0;
	(void)pthread_mutex_unlock(&audit->lock);
	tray_bound(audit->tray, settings->tray_max);
}

static bool is_wanted(struct audit *audit)
{
	bool wanted;

	(void)pthread_mutex_lock(&audit->lock);
	wanted = audit->wanted;
	(void)pthread_mutex_unlock(&audit->lock);
	return wanted;
}

/* ---- lines -------------------------------------------------------------------------------- */

/* The bytes of a word at `p`: a letter, then letters, digits and "-". 0: there is none. */
static size_t word_at(const char *p, const char *end)
{
	const char *q = p;

	while (q < end && (size_t)(q - p) < WORD_MAX &&
	       ((*q >= 'a' && *q <= 'z') || (q > p && ((*q >= '0' && *q <= '9') || *q == '-'))))
		q++;
	return (size_t)(q - p);
}

static bool is_reserved(const char *key, size_t len)
{
	static const char *const reserved[] = {"program", "at", "chain", "prev", "seq", "what"};

	for (size_t i = 0; i < COUNT_OF(reserved); i++) {
		if (strlen(reserved[i]) == len && memcmp(reserved[i], key, len) == 0)
			return true;
	}
	return false;
}

bool audit_line_valid(const char *line, size_t len)
{
	const char *p = line + STAMP, *end = line + len;

	if (len > AUDIT_LINE_MAX || len < STAMP + sizeof " what=" || clock_parse(line, STAMP) < 0 ||
	    memcmp(p, " what=", 6) != 0)
		return false;
	p += 6;
	if (word_at(p, end) == 0)
		return false;
	p += word_at(p, end);
	while (p < end) {
		const char *key = p + 1, *value;
		size_t n = word_at(key, end);

		if (*p != ' ' || n == 0 || key + n >= end || key[n] != '=' || is_reserved(key, n))
			return false;
		value = key + n + 1;
		p = memchr(value, ' ', (size_t)(end - value));
		if (p == NULL)
			p = end;
		if (!xtext_valid(value, (size_t)(p - value)))
			return false;
	}
	return true;
}

static bool tell(struct audit *audit, bool durable, const char *text, size_t len)
{
	bool said = false;

	if (durable)
		return tray_add_durably(audit->tray, text, len);
	errno = EAGAIN;
	for (unsigned i = 0; i < LOCKED_TRIES && !said && errno == EAGAIN; i++)
		said = tray_add(audit->tray, text, len);
	return said;
}

bool audit_say(struct audit *audit, bool durable, const char *line, size_t len)
{
	char *whole;
	bool said;
	int error;

	if (!is_wanted(audit))
		return true;
	if (len > AUDIT_LINE_MAX || !audit_line_valid(line, len)) {
		errno = len > AUDIT_LINE_MAX ? EMSGSIZE : EINVAL;
		return false;
	}
	whole = malloc(len + 1);
	if (whole == NULL)
		return false;
	memcpy(whole, line, len);
	whole[len] = '\n';
	said = tell(audit, durable, whole, len + 1);
	error = errno;
	free(whole);
	errno = error;
	return said;
}

bool audit_say_line(struct audit *audit, bool durable, const struct buf *line)
{
	if (buf_ok(line))
		return audit_say(audit, durable, line->bytes, line->len);
	if (!is_wanted(audit))
		return true;
	errno = EMSGSIZE;
	return false;
}

void audit_begin(struct buf *line, const char *what)
{
	char now[CLOCK_TEXT];

	clock_format(clock_wall(), now);
	buf_clear(line);
	buf_addf(line, "%s what=%s", now, what);
}

void audit_put_bytes(struct buf *line, const char *key, const char *value, size_t len)
{
	if (len == 0)
		return;
	buf_addf(line, " %s=", key);
	buf_add_xtext(line, value, len);
}

void audit_put(struct buf *line, const char *key, const char *value)
{
	if (value != NULL)
		audit_put_bytes(line, key, value, strlen(value));
}

void audit_put_number(struct buf *line, const char *key, int64_t number)
{
	buf_addf(line, " %s=%lld", key, (long long)number);
}

void audit_put_xtext(struct buf *line, const char *key, const char *value, size_t len)
{
	if (len == 0)
		return;
	buf_addf(line, " %s=", key);
	buf_add(line, value, len);
}

/* ---- how seki-audit is -------------------------------------------------------------------- */

/* "fine BOOT …" or "failed BOOT reason=XTEXT", filled up with blanks to AUDIT_STATE_LEN. */
static bool understand(struct audit *audit, char *text, int64_t now)
{
	char *save = NULL, *word = strtok_r(text, " \n", &save),
	     *time = strtok_r(NULL, " \n", &save);
	char *reason = strtok_r(NULL, " \n", &save), *end;
	long long at;
	size_t len;

	if (word == NULL || time == NULL) {
		(void)snprintf(audit->reason, sizeof audit->reason, "seki-audit has not started");
		return false;
	}
	at = strtoll(time, &end, 10);
	if (*end != '\0' || at > now || now - at > audit->lag) {
		(void)snprintf(audit->reason, sizeof audit->reason,
		    "seki-audit has said nothing for longer than audit-lag: does it run? See its "
		    "log");
		return false;
	}
	if (strcmp(word, "fine") == 0)
		return true;
	if (reason == NULL || strncmp(reason, "reason=", 7) != 0 ||
	    !xtext_decode(reason + 7, strlen(reason + 7), reason, &len))
		len = 0;
	(void)snprintf(audit->reason, sizeof audit->reason,
	    "seki-audit cannot write: %.*s; see its log", (int)len, len > 0 ? reason : "");
	return false;
}

static bool look_once(struct audit *audit)
{
	char text[AUDIT_STATE_LEN + 1];
	int fd = open(AUDIT_STATE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd >= 0 ? pread(fd, text, AUDIT_STATE_LEN, 0) : -1;
	int error = errno;

	if (fd >= 0)
		(void)close(fd);
	if (n < 0) {
		(void)snprintf(audit->reason, sizeof audit->reason, AUDIT_STATE ": %s",
		    strerrordesc_np(error));
		return false;
	}
	text[n] = '\0';
	return understand(audit, text, clock_boot());
}

/* Where the clock is moved by hand, seki-audit gets a moment to see that. */
static bool look(struct audit *audit)
{
#ifdef SEKISHO_TESTING
	static const struct timespec pause = {.tv_nsec = (long)20 * 1000 * 1000};

	for (unsigned i = 0; i < 25; i++) {
		if (look_once(audit))
			return true;
		if (strstr(audit->reason, "audit-lag") == NULL)
			return false;
		(void)nanosleep(&pause, NULL);
	}
#endif
	return look_once(audit);
}

bool audit_well(struct audit *audit)
{
	int64_t now = clock_boot();
	bool well;

	(void)pthread_mutex_lock(&audit->lock);
	if (audit->wanted && (audit->looked == 0 || now - audit->looked >= LOOK_EVERY)) {
		audit->well = look(audit);
		audit->looked = now;
	}
	well = !audit->wanted || audit->well;
	(void)pthread_mutex_unlock(&audit->lock);
	return well;
}

void audit_reason(struct audit *audit, char *text, size_t room)
{
	(void)pthread_mutex_lock(&audit->lock);
	(void)snprintf(text, room, "%s", audit->reason);
	(void)pthread_mutex_unlock(&audit->lock);
}
