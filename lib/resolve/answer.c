#include "lib/resolve/answer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/die.h"
#include "lib/resolve/mx.h"
#include "lib/resolve/name.h"

#define LINE_MAX_BYTES ((size_t)1024)
#define NUMBER_MAX     65535 /* preferences; records that fit into one DNS message are fewer */

static const char *const kinds[] = {[RESOLVE_MX] = "mx", [RESOLVE_A] = "a"};

static const char *const statuses[] = {[RESOLVE_OK] = "ok",
    [RESOLVE_NONE] = "none",
    [RESOLVE_NULL] = "null",
    [RESOLVE_LATER] = "later"};

/* The last two are the client's own. */
static const char *const reasons[] = {[RESOLVE_NO_REASON] = "-",
    [RESOLVE_NXDOMAIN] = "nxdomain",
    [RESOLVE_NO_ADDRESS] = "no-address",
    [RESOLVE_NO_NAME] = "no-name",
    [RESOLVE_SERVFAIL] = "servfail",
    [RESOLVE_REFUSED] = "refused",
    [RESOLVE_BOGUS] = "bogus",
    [RESOLVE_TIMEOUT] = "timeout",
    [RESOLVE_STOPPING] = "stopping",
    [RESOLVE_NO_RESOURCES] = "no-resources",
    [RESOLVE_GONE] = "gone",
    [RESOLVE_UNINTELLIGIBLE] = "unintelligible"};

const char *resolve_kind_word(enum resolve_kind kind)
{
	return kinds[kind];
}

const char *resolve_status_word(enum resolve_status status)
{
	return statuses[status];
}

const char *resolve_reason_word(enum resolve_reason reason)
{
	return reasons[reason];
}

/* Which reasons go with which status. */
static bool goes_with(enum resolve_status status, enum resolve_reason reason)
{
	switch (status) {
	case RESOLVE_OK:
	case RESOLVE_NULL:
		return reason == RESOLVE_NO_REASON;
	case RESOLVE_NONE:
		return reason == RESOLVE_NXDOMAIN || reason == RESOLVE_NO_ADDRESS ||
		       reason == RESOLVE_NO_NAME;
	case RESOLVE_LATER:
		return reason >= RESOLVE_SERVFAIL && reason <= RESOLVE_NO_RESOURCES;
	}
	return false;
}

/* ---- writing ---- */

static const char *yesno(bool b)
{
	return b ? "yes" : "no";
}

static void write_address(const struct resolve_address *a, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(a->v6 ? AF_INET6 : AF_INET, a->bytes, text, sizeof text) == NULL)
		die_bug("lib/resolve/answer.c: address");
	buf_addf(out, "at %s\n", text);
}

static void write_host(const struct resolve_host *h, struct buf *out)
{
	buf_addf(out, "host %u %s %s %s %s secure=%s addresses=%zu\n", (unsigned)h->preference,
	    h->name, h->canon[0] != '\0' ? h->canon : "-", statuses[h->status], reasons[h->reason],
	    yesno(h->secure), h->n_addresses);
	for (size_t i = 0; i < h->n_addresses; i++)
		write_address(&h->address[i], out);
}

void answer_write(const struct resolve_answer *a, struct buf *out)
{
	buf_addf(out, "%s %s %s %s secure=%s implicit=%s hosts=%zu more=%zu malformed=%zu\n",
	    kinds[a->kind], a->name, statuses[a->status], reasons[a->reason], yesno(a->secure),
	    yesno(a->implicit), a->n_hosts, a->more, a->malformed);
	for (size_t i = 0; i < a->n_hosts; i++)
		write_host(&a->host[i], out);
}

size_t resolve_question_write(
    enum resolve_kind kind, const char *name, char bytes[RESOLVE_QUESTION_MAX])
{
	char line[RESOLVE_QUESTION_MAX + 1];
	int n = snprintf(line, sizeof line, "%s %s\n", kinds[kind], name);

	if (n < 0 || (size_t)n > RESOLVE_QUESTION_MAX || !name_good(name))
		die_bug("lib/resolve/answer.c: question");
	memcpy(bytes, line, (size_t)n);
	return (size_t)n;
}

/* ---- reading ---- */

/*
 * Bytes that are being read. `broken`: what is there cannot become an answer; `short_of`: it ends
 * too early. Either sticks, and then nothing more is read.
 */
struct reader {
	const char *bytes;
	size_t len;
	size_t at;
	bool broken;
	bool short_of;
	char line[LINE_MAX_BYTES]; /* the one that is being read, NUL-ended */
	char *word;                /* its next one */
};

static void next_line(struct reader *r)
{
	const char *from = r->bytes + r->at;
	size_t left = r->len - r->at;
	size_t look = left < LINE_MAX_BYTES ? left : LINE_MAX_BYTES;
	const char *end = look > 0 ? memchr(from, '\n', look) : NULL;
	size_t len = end != NULL ? (size_t)(end - from) : 0;

	r->word = NULL;
	if (r->broken || r->short_of)
		return;
	if (end == NULL) {
		r->broken = look == LINE_MAX_BYTES;
		r->short_of = !r->broken;
		return;
	}
	r->broken = memchr(from, '\0', len) != NULL;
	memcpy(r->line, from, len);
	r->line[len] = '\0';
	r->word = r->line;
	r->at += len + 1;
}

/* The next word of the line; "" where there is none, which is never right. */
static const char *next_word(struct reader *r)
{
	char *word = r->word;
	size_t len;

	if (word == NULL) {
		r->broken = r->broken || !r->short_of;
		return "";
	}
	len = strcspn(word, " ");
	r->word = word[len] == ' ' ? word + len + 1 : NULL;
	word[len] = '\0';
	return word;
}

static void expect(struct reader *r, bool right)
{
	if (!right && !r->short_of)
		r->broken = true;
}

static void end_of_line(struct reader *r)
{
	expect(r, r->word == NULL);
}

static size_t one_of(struct reader *r, const char *const *words, size_t n)
{
	const char *word = next_word(r);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(word, words[i]) == 0)
			return i;
	}
	expect(r, false);
	return 0;
}

/* Behind `before`; only digits, and no zero in front, so that there is one way to write it. */
static size_t number(struct reader *r, const char *before, size_t most)
{
	const char *word = next_word(r);
	size_t skip = strlen(before);
	size_t value = 0, len;

	if (strncmp(word, before, skip) != 0) {
		expect(r, false);
		return 0;
	}
	word += skip;
	len = strlen(word);
	expect(r, len >= 1 && len <= 5 && strspn(word, "0123456789") == len &&
		      (word[0] != '0' || len == 1));
	for (size_t i = 0; i < len && !r->broken; i++)
		value = value * 10 + (size_t)(word[i] - '0');
	expect(r, value <= most);
	return value <= most ? value : 0;
}

static bool flag(struct reader *r, const char *yes, const char *no)
{
	return one_of(r, (const char *const[]){no, yes}, 2) == 1;
}

static void name_word(struct reader *r, char name[RESOLVE_NAME_MAX + 1])
{
	const char *word = next_word(r);

	name[0] = '\0';
	expect(r, name_good(word));
	if (!r->broken && !r->short_of)
		memcpy(name, word, strlen(word) + 1);
}

static void canon_word(struct reader *r, const char *plain, char name[RESOLVE_NAME_MAX + 1])
{
	if (r->word != NULL && strncmp(r->word, "- ", 2) == 0) {
		(void)next_word(r);
		name[0] = '\0';
		return;
	}
	name_word(r, name);
	expect(r, strcmp(name, plain) != 0);
}

static void read_status(struct reader *r, enum resolve_status *status, enum resolve_reason *reason)
{
	*status = (enum resolve_status)one_of(r, statuses, COUNT_OF(statuses));
	*reason = (enum resolve_reason)one_of(r, reasons, COUNT_OF(reasons));
	expect(r, goes_with(*status, *reason));
}

static void read_address(struct reader *r, struct resolve_address *a)
{
	char text[INET6_ADDRSTRLEN] = "";
	const char *word;

	memset(a, 0, sizeof *a);
	next_line(r);
	expect(r, strcmp(next_word(r), "at") == 0);
	word = next_word(r);
	end_of_line(r);

	a->v6 = strchr(word, ':') != NULL;
	/* What is read back as the same text stands there in the only way. */
	expect(r, inet_pton(a->v6 ? AF_INET6 : AF_INET, word, a->bytes) == 1 &&
		      inet_ntop(a->v6 ? AF_INET6 : AF_INET, a->bytes, text, sizeof text) != NULL &&
		      strcmp(text, word) == 0);
}

static void read_host(struct reader *r, struct resolve_host *h)
{
	memset(h, 0, sizeof *h);
	next_line(r);
	expect(r, strcmp(next_word(r), "host") == 0);
	h->preference = (uint16_t)number(r, "", NUMBER_MAX);
	name_word(r, h->name);
	canon_word(r, h->name, h->canon);
	read_status(r, &h->status, &h->reason);
	h->secure = flag(r, "secure=yes", "secure=no");
	h->n_addresses = number(r, "addresses=", RESOLVE_ADDRESSES_MAX);
	end_of_line(r);
	expect(r, h->status != RESOLVE_NULL);
	expect(r, (h->status == RESOLVE_OK) == (h->n_addresses > 0));

	for (size_t i = 0; i < h->n_addresses && !r->broken && !r->short_of; i++) {
		read_address(r, &h->address[i]);
		expect(r, i == 0 || h->address[i - 1].v6 || !h->address[i].v6);
	}
}

static void read_head(struct reader *r, struct resolve_answer *a)
{
	next_line(r);
	a->kind = (enum resolve_kind)one_of(r, kinds, COUNT_OF(kinds));
	name_word(r, a->name);
	read_status(r, &a->status, &a->reason);
	a->secure = flag(r, "secure=yes", "secure=no");
	a->implicit = flag(r, "implicit=yes", "implicit=no");
	a->n_hosts = number(r, "hosts=", RESOLVE_HOSTS_MAX);
	a->more = number(r, "more=", NUMBER_MAX);
	a->malformed = number(r, "malformed=", NUMBER_MAX);
	end_of_line(r);

	if (a->kind == RESOLVE_A || a->implicit)
		expect(r, a->n_hosts <= 1 && a->more == 0 && a->malformed == 0);
	expect(r, !a->implicit || (a->kind == RESOLVE_MX && a->n_hosts == 1));
}

/* What is said of the whole must be what its hosts make of it. */
static void check_whole(struct reader *r, struct resolve_answer *a)
{
	enum resolve_status status = a->status;
	enum resolve_reason reason = a->reason;
	bool secure = a->secure;

	for (size_t i = 1; i < a->n_hosts; i++)
		expect(r, a->host[i - 1].preference <= a->host[i].preference);
	if (a->n_hosts == 0) {
		expect(r, status != RESOLVE_OK);
		return;
	}
	if (a->implicit || a->kind == RESOLVE_A)
		expect(r, a->host[0].preference == 0 && strcmp(a->host[0].name, a->name) == 0);
	mx_answer_settle(a);
	expect(r, a->status == status && a->reason == reason && a->secure == secure);
}

enum resolve_read resolve_answer_read(
    const char *bytes, size_t len, size_t *used, struct resolve_answer *answer)
{
	struct reader r = {
	    .bytes = bytes, .len = len < RESOLVE_ANSWER_MAX ? len : RESOLVE_ANSWER_MAX};

	*used = 0;
	read_head(&r, answer);
	for (size_t i = 0; i < answer->n_hosts && !r.broken && !r.short_of; i++)
		read_host(&r, &answer->host[i]);
	if (r.short_of)
		return len < RESOLVE_ANSWER_MAX ? RESOLVE_READ_MORE : RESOLVE_READ_BROKEN;
	check_whole(&r, answer);
	if (r.broken)
		return RESOLVE_READ_BROKEN;
	*used = r.at;
	return RESOLVE_READ_WHOLE;
}

bool question_line(
    const char *line, size_t len, enum resolve_kind *kind, char name[RESOLVE_NAME_MAX + 1])
{
	struct reader r = {.short_of = false};

	if (len >= RESOLVE_QUESTION_MAX || memchr(line, '\0', len) != NULL)
		return false;
	memcpy(r.line, line, len);
	r.line[len] = '\0';
	r.word = r.line;
	*kind = (enum resolve_kind)one_of(&r, kinds, COUNT_OF(kinds));
	name_word(&r, name);
	end_of_line(&r);
	return !r.broken;
}
