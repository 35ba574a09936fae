/*
 * What is asked of seki-db and what is told to it: the first byte says which, the others are the bytes
 * of a client, or of a tray. Whatever they are, the history stays one that answers; and a line that is
 * one is written as it was read.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/db/client.h"
#include "lib/db/history.h"

#define NOW ((int64_t)1795392000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct store *store;
static struct history *history;
static unsigned runs;

/* The library finds its own memory by offsets, which a leak checker does not see. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libdb-5.3.so\n";
}

/* Addresses stay in memory though their transaction is given up: it begins anew from time to time. */
static void open_history(void)
{
	char root[] = "db.XXXXXX", fault[256]; /* where inputs that fail are put */

	if (store == NULL &&
	    (mkdtemp(root) == NULL || store_open(root, &store, fault, sizeof fault) != STORE_OPEN))
		abort();
	history_close(history);
	history = history_open(store, NOW);
	if (history == NULL)
		abort();
	history_bounds(history, 86400, 86400);
}

/* A word is its value in one spelling: cut, put together and cut again it is the same. */
static void check_words(const struct past_line *line)
{
	struct past_line again;
	struct buf out;

	buf_init(&out, PAST_LINE_MAX * 4);
	buf_add_text(&out, "w");
	for (size_t i = 0; i + 1 < line->words; i++)
		past_put(&out, line->word[i]);
	buf_add(&out, "", 1);
	if (!buf_ok(&out) || !past_line_cut(out.bytes, out.len - 1, &again) ||
	    again.words != line->words)
		abort();
	for (size_t i = 0; i + 1 < line->words; i++) {
		if (strcmp(line->word[i], again.word[i + 1]) != 0)
			abort();
	}
	buf_free(&out);
}

static void tell(char *bytes, size_t size)
{
	if (!store_begin(store))
		abort();
	for (size_t at = 0; at < size;) {
		char *end = memchr(bytes + at, '\n', size - at);
		size_t len = end != NULL ? (size_t)(end - bytes) - at : size - at;
		struct past_line line;

		if (len <= PAST_LINE_MAX && past_line_cut(bytes + at, len, &line)) {
			check_words(&line);
			if (history_take(history, &line, NOW) == HISTORY_FAILED)
				abort();
		}
		at += len + 1;
	}
	store_abort(store);
}

static void ask(const char *bytes, size_t size)
{
	int pair[2];
	struct client *c;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0 ||
	    (c = client_new(pair[0])) == NULL)
		abort();
	for (size_t at = 0; at < size && !c->gone;) {
		ssize_t n = send(pair[1], bytes + at, size - at, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		at += (size_t)n;
		for (int i = 0; i < 64; i++) {
			client_read(c);
			client_answer(c, history, NOW, 16);
		}
	}
	if (c->out.len > CLIENT_OUT || c->have > PAST_LINE_MAX)
		abort();
	client_free(c);
	(void)close(pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes;

	if (runs++ % 10000 == 0)
		open_history();
	if (size == 0)
		return 0;
	bytes = malloc(size + 1); /* a line is ended by a NUL in the place of its LF */
	if (bytes == NULL)
		abort();
	memcpy(bytes, data, size);
	bytes[size] = '\0';
	if (data[0] == 't')
		tell(bytes + 1, size - 1);
	else
		ask(bytes + 1, size - 1);
	free(bytes);
	return 0;
}
