#include "lib/scan/desk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"

#define GRACE   (5 * CLOCK_SECOND) /* beyond what the worker's own timers allow */
#define ASK_MAX (ASK_TEXT_MAX + 4096)
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
	struct buf ask;     /* what the rules want to know */
	unsigned version;   /* of both */
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

/* Everything but "go". False: no memory. */
static bool write_ask(struct buf *ask, const struct settings *settings, const struct policy *policy)
{
	buf_init(ask, ASK_MAX);
	if (settings->plan_facts == PLAN_FACTS_YES)
		buf_add_text(ask, "want inside\n");
	policy_ask(policy, ask);
#define L(field, name) buf_addf(ask, "limit " name " %lld\n", (long long)settings->field);
	INSPECT_LIMITS(L)
#undef L
	if (buf_ok(ask))
		return true;
	buf_free(ask);
	return false;
}

bool desk_settings(struct desk *desk, const struct settings *settings, const struct policy *policy)
{
	struct chair chair;
	struct buf ask;

	if (!write_ask(&ask, settings, policy))
		return false;
	(void)pthread_mutex_lock(&desk->lock);
	buf_free(&desk->ask);
	desk->ask = ask;
	desk->settings = *settings;
	desk->version++;
	(void)pthread_mutex_unlock(&desk->lock);

	/* Those in hand are closed when they are put back. */
	while (take_idle(desk, &chair))
		inspect_close(chair.client);
	return true;
}

static struct inspect_client *new_client(const struct settings *settings, const struct buf *ask)
{
	struct inspect_setup setup = {.patience = settings->inspect_time + GRACE,
	    .converts = settings->convert_time + GRACE,
	    .virus = settings->clamd_time,
	    .clamd = strcmp(settings->clamd, "-") != 0 ? settings->clamd : NULL,
	    .folder = open(SCRATCH, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	struct inspect_client *client = NULL;
	int error;

	if (setup.folder < 0)
		return NULL;
	client = inspect_open(&setup, ask->bytes, ask->len);
	error = errno;
	(void)close(setup.folder);
	errno = error;
	return client;
}

static bool is_good(const struct chair *chair, unsigned version)
{
	return chair->version == version && chair->messages < DESK_MESSAGES &&
	       clock_boot() - chair->since < DESK_AGE;
}

/* The settings and questions of now; `ask` is the caller's. False: no memory. */
static bool copy_questions(
    struct desk *desk, struct settings *settings, struct buf *ask, unsigned *version)
{
	buf_init(ask, ASK_MAX);
	(void)pthread_mutex_lock(&desk->lock);
	*version = desk->version;
	*settings = desk->settings;
	buf_add(ask, desk->ask.bytes, desk->ask.len);
	(void)pthread_mutex_unlock(&desk->lock);
	return buf_ok(ask);
}

static unsigned version_of(struct desk *desk)
{
	unsigned version;

	(void)pthread_mutex_lock(&desk->lock);
	version = desk->version;
	(void)pthread_mutex_unlock(&desk->lock);
	return version;
}

/* One that is idle and good, or a new one. False with errno. */
static bool take_chair(struct desk *desk, struct chair *chair)
{
	struct settings settings;
	unsigned version = version_of(desk);
	struct buf ask;

	while (take_idle(desk, chair)) {
		if (is_good(chair, version))
			return true;
		inspect_close(chair->client);
	}
	*chair = (struct chair){.since = clock_boot()};
	errno = ENOMEM;
	if (copy_questions(desk, &settings, &ask, &chair->version))
		chair->client = new_client(&settings, &ask);
	buf_free(&ask);
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

	errno = ENOMEM;
	if (heard_begin(heard) && rcpt != NULL && take_chair(desk, &chair)) {
		ask(&chair, &opened->leg, rcpt, fd, heard);
		put_chair(desk, &chair);
	} else {
		heard_failed(heard, HEARD_SCRATCH, strerrordesc_np(errno));
	}
	free(rcpt);
	if (fd >= 0)
		(void)close(fd);
}
