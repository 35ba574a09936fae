/* The employer of seki-inspect: as many inspections at once as there are places. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/xtext.h"
#include "lib/inspect/client.h"
#include "lib/scan/scan.h"

#define GRACE   (5 * CLOCK_SECOND) /* beyond what the worker's own timers allow */
#define ASK_MAX ((size_t)4096)
#define SCRATCH "spool/split/scan" /* nobody else's; what is made there has no name */

struct desk {
	pthread_mutex_t lock;
	struct settings settings;
	unsigned version;               /* of the settings */
	struct inspect_client **client; /* those that no thread has in hand */
	unsigned *of_version;
	size_t free;
	size_t places;
};

struct desk *desk_new(size_t n)
{
	struct desk *desk = calloc(1, sizeof *desk);

	if (desk == NULL)
		return NULL;
	desk->client = calloc(n, sizeof *desk->client);
	desk->of_version = calloc(n, sizeof *desk->of_version);
	if (desk->client == NULL || desk->of_version == NULL ||
	    pthread_mutex_init(&desk->lock, NULL) != 0) {
		free(desk->client);
		free(desk->of_version);
		free(desk);
		return NULL;
	}
	desk->places = n;
	return desk;
}

void desk_settings(struct desk *desk, const struct settings *settings)
{
	(void)pthread_mutex_lock(&desk->lock);
	desk->settings = *settings;
	desk->version++;
	(void)pthread_mutex_unlock(&desk->lock);
}

/* ---- clients ---- */

static struct inspect_client *new_client(const struct settings *settings)
{
	struct inspect_setup setup = {.patience = settings->inspect_time + GRACE,
	    .converts = settings->convert_time + GRACE,
	    .virus = settings->clamd_time,
	    .clamd = strcmp(settings->clamd, "-") != 0 ? settings->clamd : NULL,
	    .folder = open(SCRATCH, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	struct inspect_client *client = NULL;
	struct buf ask;

	buf_init(&ask, ASK_MAX);
	buf_add_text(&ask, "want inside\n");
#define L(field, name) buf_addf(&ask, "limit " name " %lld\n", (long long)settings->field);
	INSPECT_LIMITS(L)
#undef L
	if (setup.folder >= 0 && buf_ok(&ask))
		client = inspect_open(&setup, ask.bytes, ask.len);
	if (setup.folder >= 0)
		(void)close(setup.folder);
	buf_free(&ask);
	return client;
}

/* One that is free and of these settings, or a new one. NULL with errno. */
static struct inspect_client *take_client(struct desk *desk, unsigned *version)
{
	struct inspect_client *client = NULL, *old = NULL;
	struct settings settings;

	(void)pthread_mutex_lock(&desk->lock);
	*version = desk->version;
	settings = desk->settings;
	if (desk->free > 0) {
		client = desk->client[--desk->free];
		if (desk->of_version[desk->free] != *version) {
			old = client;
			client = NULL;
		}
	}
	(void)pthread_mutex_unlock(&desk->lock);
	inspect_close(old);
	return client != NULL ? client : new_client(&settings);
}

static void put_client(struct desk *desk, struct inspect_client *client, unsigned version)
{
	(void)pthread_mutex_lock(&desk->lock);
	if (desk->free < desk->places) {
		desk->of_version[desk->free] = version;
		desk->client[desk->free++] = client;
		client = NULL;
	}
	(void)pthread_mutex_unlock(&desk->lock);
	inspect_close(client);
}

/* ---- facts ---- */

/* Of all facts, whether everything could be looked at, and the first reason why not. */
static void take_line(struct policy_facts *facts, const char *line, size_t len)
{
	static const char word[] = "uninspectable ", key[] = " reason=";
	const char *reason;
	size_t n = 0;

	if (len < sizeof word - 1 || memcmp(line, word, sizeof word - 1) != 0)
		return;
	facts->uninspectable = true;
	reason = memmem(line, len, key, sizeof key - 1);
	if (reason == NULL || facts->reason[0] != '\0')
		return;
	reason += sizeof key - 1;
	while (reason + n < line + len && reason[n] != ' ' && n + 1 < sizeof facts->reason)
		n++;
	if (xtext_valid(reason, n))
		memcpy(facts->reason, reason, n);
}

static bool take(void *context, const char *lines, size_t len)
{
	const char *newline;

	while ((newline = memchr(lines, '\n', len)) != NULL) {
		size_t n = (size_t)(newline - lines);

		take_line(context, lines, n);
		lines += n + 1;
		len -= n + 1;
	}
	return true;
}

static void cannot(struct policy_facts *facts, const char *reason)
{
	facts->uninspectable = true;
	(void)stpcpy(facts->reason, reason);
}

void desk_inspect(struct desk *desk, struct scan_job *job)
{
	const struct leg *leg = &job->opened.leg;
	/* Whoever reads a stranger's bytes must not be able to write a record behind them. */
	int fd = spool_reopen_to_read(job->opened.fd);
	const char **rcpt = reallocarray(NULL, leg->rcpts, sizeof *rcpt);
	struct inspect_message message = {.content = {fd, (uint64_t)leg->content, leg->size},
	    .from = leg->from,
	    .rcpt = rcpt,
	    .rcpts = leg->rcpts};
	struct inspect_client *client;
	char fault[256];
	unsigned version = 0;

	job->facts = (struct policy_facts){.known = true};
	client = rcpt != NULL && fd >= 0 ? take_client(desk, &version) : NULL;
	if (client == NULL) {
		LOG_ALARM("inspection-failed", kv("id", job->opened.text), kv_errno(errno));
		cannot(&job->facts, "scratch");
		goto done;
	}
	for (size_t i = 0; i < leg->rcpts; i++)
		rcpt[i] = leg->rcpt[i].address;
	if (inspect_ask(client, &message, take, &job->facts, fault, sizeof fault) ==
	    INSPECT_REFUSED) {
		LOG_ALARM("inspection-failed", kv("id", job->opened.text), kv("why", fault));
		cannot(&job->facts, "refused");
	}
	put_client(desk, client, version);
done:
	free(rcpt);
	if (fd >= 0)
		(void)close(fd);
}
