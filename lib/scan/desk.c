#include "lib/scan/desk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"

#define GRACE   (5 * CLOCK_SECOND) /* beyond what the worker's own timers allow */
#define ASK_MAX ((size_t)4096)
#define SCRATCH "spool/split/scan" /* nobody else's; what is made there has no name */

/* A connection. */
struct chair {
	struct inspect_client *client;
	unsigned version; /* of the settings that it was made for */
	int64_t since;    /* boot clock */
	unsigned messages;
};

struct desk {
	pthread_mutex_t lock;
	struct settings settings;
	unsigned version;   /* of the settings */
	struct chair *idle; /* those that no thread has in hand */
	size_t n;
	size_t places;
};

struct desk *desk_new(size_t n)
{
	struct desk *desk = calloc(1, sizeof *desk);

	if (desk == NULL)
		return NULL;
	desk->idle = calloc(n, sizeof *desk->idle);
	if (desk->idle == NULL || pthread_mutex_init(&desk->lock, NULL) != 0) {
		free(desk->idle);
		free(desk);
		return NULL;
	}
	desk->places = n;
	return desk;
}

/* ---- connections -------------------------------------------------------------------------- */

/* Any that is idle; false: none is. */
static bool take_idle(struct desk *desk, struct chair *chair)
{
	bool there;

	(void)pthread_mutex_lock(&desk->lock);
	there = desk->n > 0;
	if (there)
		*chair = desk->idle[--desk->n];
	(void)pthread_mutex_unlock(&desk->lock);
	return there;
}

void desk_settings(struct desk *desk, const struct settings *settings)
{
	struct chair chair;

	(void)pthread_mutex_lock(&desk->lock);
	desk->settings = *settings;
	desk->version++;
	(void)pthread_mutex_unlock(&desk->lock);

	/* Those in hand are closed when they are put back. */
	while (take_idle(desk, &chair))
		inspect_close(chair.client);
}

static struct inspect_client *new_client(const struct settings *settings)
{
	struct inspect_setup setup = {.patience = settings->inspect_time + GRACE,
	    .converts = settings->convert_time + GRACE,
	    .virus = settings->clamd_time,
	    .clamd = strcmp(settings->clamd, "-") != 0 ? settings->clamd : NULL,
	    .folder = open(SCRATCH, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	struct inspect_client *client = NULL;
	struct buf ask;
	int error;

	if (setup.folder < 0)
		return NULL;
	buf_init(&ask, ASK_MAX);
	buf_add_text(&ask, "want inside\n");
#define L(field, name) buf_addf(&ask, "limit " name " %lld\n", (long long)settings->field);
	INSPECT_LIMITS(L)
#undef L
	errno = ENOMEM;
	if (buf_ok(&ask))
		client = inspect_open(&setup, ask.bytes, ask.len);
	error = errno;
	(void)close(setup.folder);
	buf_free(&ask);
	errno = error;
	return client;
}

static bool is_good(const struct chair *chair, unsigned version)
{
	return chair->version == version && chair->messages < DESK_MESSAGES &&
	       clock_boot() - chair->since < DESK_AGE;
}

/* One that is idle and good, or a new one. False with errno. */
static bool take_chair(struct desk *desk, struct chair *chair)
{
	struct settings settings;
	unsigned version;

	(void)pthread_mutex_lock(&desk->lock);
	version = desk->version;
	settings = desk->settings;
	(void)pthread_mutex_unlock(&desk->lock);

	while (take_idle(desk, chair)) {
		if (is_good(chair, version))
			return true;
		inspect_close(chair->client);
	}
	*chair = (struct chair){new_client(&settings), version, clock_boot(), 0};
	return chair->client != NULL;
}

static void put_chair(struct desk *desk, struct chair *chair)
{
	bool kept;

	chair->messages++;
	(void)pthread_mutex_lock(&desk->lock);
	kept = desk->n < desk->places && is_good(chair, desk->version);
	if (kept)
		desk->idle[desk->n++] = *chair;
	(void)pthread_mutex_unlock(&desk->lock);
	if (!kept)
		inspect_close(chair->client);
}

/* ---- one message -------------------------------------------------------------------------- */

static bool take_lines(void *context, const char *lines, size_t len)
{
	heard_lines(context, lines, len);
	return true;
}

static void ask(
    struct chair *chair, const struct leg *leg, const char **rcpt, int fd, struct heard *heard)
{
	struct inspect_message message = {.content = {fd, (uint64_t)leg->content, leg->size},
	    .from = leg->from,
	    .rcpt = rcpt,
	    .rcpts = leg->rcpts};

	for (size_t i = 0; i < leg->rcpts; i++)
		rcpt[i] = leg->rcpt[i].address;
	heard_end(heard,
	    inspect_ask(chair->client, &message, take_lines, heard, heard->why, sizeof heard->why));
}

void desk_inspect(struct desk *desk, const struct stage_opened *opened, struct heard *heard)
{
	/* Whoever reads a stranger's bytes must not be able to write a record behind them. */
	int fd = spool_reopen_to_read(opened->fd);
	const char **rcpt = fd >= 0 ? reallocarray(NULL, opened->leg.rcpts, sizeof *rcpt) : NULL;
	struct chair chair;

	heard_begin(heard);
	if (rcpt != NULL && take_chair(desk, &chair)) {
		ask(&chair, &opened->leg, rcpt, fd, heard);
		put_chair(desk, &chair);
	} else {
		heard_failed(heard, HEARD_SCRATCH, strerrordesc_np(errno));
	}
	free(rcpt);
	if (fd >= 0)
		(void)close(fd);
}
