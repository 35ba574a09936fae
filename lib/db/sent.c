/*
 * What people have sent: a row for each message, by who sent it, the newest first. A message is told of leg by
 * leg; legs of one message are one row.
 */
#include "lib/db/sent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/db/inside.h"
#include "lib/org/org.h"
#include "lib/text/fold.h"
#include "queue/id.h"
#include "queue/name.h"

#define SENT_FROM  'f'
#define SENT_LOGIN 'l'

#define SUBJECT_MAX ((size_t)200)   /* bytes of it that are kept */
#define FOLDED_MAX  ((size_t)400)   /* of what a search looks at */
#define LEGS_MAX    ((size_t)64)    /* that are told apart; further ones are only counted */
#define LOOKED_MAX  ((size_t)20000) /* rows of one question: mail waits for nobody's search */
#define ID_BYTES    ((size_t)16)
#define VALUE_MAX   ((size_t)32768) /* more than all of that */

enum { AT_ENDED, AT_RCPTS, AT_DELIVERED, AT_FAILED, AT_RETURNED, NUMBERS };

/* Behind the numbers; each has a NUL. Then the names of its legs, each with a NUL. */
enum { TEXT_FOLDED, TEXT_FROM, TEXT_SUBJECT, TEXT_RCPT, TEXTS = TEXT_RCPT + PAST_SENT_RCPTS };

#define HEAD ((size_t)NUMBERS * 8)

struct sent_row {
	uint64_t number[NUMBERS];
	const char *text[TEXTS];
	const char *legs; /* of `legs_len` bytes */
	size_t legs_len;
};

/* ---- keys --------------------------------------------------------------------------------- */

/* Ids rise with time: written the other way round the newest comes first. */
static bool put_id(struct key *k, const char *id)
{
	unsigned char bytes[ID_BYTES];

	if (!id_valid(id, strlen(id)) || !hex_decode(id, bytes, ID_BYTES))
		return false;
	for (size_t i = 0; i < ID_BYTES; i++)
		bytes[i] = (unsigned char)~bytes[i];
	key_add(k, (const char *)bytes, ID_BYTES);
	return true;
}

static void id_of_key(const char *key, size_t len, char id[ID_TEXT])
{
	unsigned char bytes[ID_BYTES];

	memcpy(bytes, key + len - ID_BYTES, ID_BYTES);
	for (size_t i = 0; i < ID_BYTES; i++)
		bytes[i] = (unsigned char)~bytes[i];
	hex_encode(bytes, ID_BYTES, id);
}

/* An address is one of its person with or without its +detail. */
static void without_detail(char address[ORG_ADDRESS_MAX])
{
	size_t plus = strcspn(address, "+@");
	const char *domain = strrchr(address, '@');

	if (plus > 0 && address[plus] == '+' && address[0] != '"' && domain != NULL)
		memmove(address + plus, domain, strlen(domain) + 1);
}

static void owner_key(struct key *k, char kind, const char *owner)
{
	key_begin(k, kind);
	key_part(k, owner);
}

/* ---- rows --------------------------------------------------------------------------------- */

/* False: it is none. */
static bool read_row(const char *value, size_t len, struct sent_row *row)
{
	const char *at = value + HEAD, *end = value + len;

	if (len < HEAD || (len > HEAD && end[-1] != '\0'))
		return false;
	for (size_t i = 0; i < NUMBERS; i++)
		row->number[i] = numbers_at(value, len, i);
	for (size_t i = 0; i < TEXTS; i++) {
		if (at >= end)
			return false;
		row->text[i] = at;
		at += strlen(at) + 1;
	}
	row->legs = at;
	row->legs_len = (size_t)(end - at);
	return true;
}

static bool has_leg(const struct sent_row *row, const char *k, size_t *legs)
{
	const char *end = row->legs + row->legs_len;

	*legs = 0;
	for (const char *at = row->legs; at < end; at += strlen(at) + 1, ++*legs) {
		if (strcmp(at, k) == 0)
			return true;
	}
	return false;
}

static size_t whole_letters(const char *text, size_t len, size_t most)
{
	if (len <= most)
		return len;
	while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80)
		most--;
	return most;
}

/* A part of what a search looks at, with a newline behind it: no query has one. */
static void add_folded(struct buf *out, size_t begin, const char *text)
{
	char *fold = fold_for_search(text, strlen(text));
	size_t used = out->len - begin, len;

	if (fold != NULL && used + 1 < FOLDED_MAX) {
		len = whole_letters(fold, strlen(fold), FOLDED_MAX - used - 1);
		buf_add(out, fold, len);
		buf_add_text(out, "\n");
	}
	free(fold);
}

/* A leg's line. */
struct told {
	const char *id, *k, *from, *subject;
	uint64_t number[NUMBERS];
	char *const *rcpt;
	size_t rcpts;
};

/* The row with the leg added; `old`: as it was. */
static void write_row(struct buf *out, const struct sent_row *old, const struct told *t)
{
	const char *rcpt[PAST_SENT_RCPTS] = {NULL};
	size_t have = 0, legs = 0, begin;
	char head[HEAD];
	uint64_t number[NUMBERS];

	for (size_t i = 0; i < NUMBERS; i++)
		number[i] = t->number[i] + (old != NULL && i != AT_ENDED ? old->number[i] : 0);
	if (old != NULL && old->number[AT_ENDED] > number[AT_ENDED])
		number[AT_ENDED] = old->number[AT_ENDED];
	numbers_put(head, number, NUMBERS);
	buf_add(out, head, HEAD);

	begin = out->len;
	if (old != NULL)
		buf_add_text(out, old->text[TEXT_FOLDED]);
	else
		add_folded(out, begin, t->subject);
	for (size_t i = 0; i < t->rcpts; i++)
		add_folded(out, begin, t->rcpt[i]);
	buf_add(out, "", 1);

	buf_add(out, t->from, strlen(t->from) + 1);
	buf_add(out, t->subject, whole_letters(t->subject, strlen(t->subject), SUBJECT_MAX));
	buf_add(out, "", 1);
	for (size_t i = 0; old != NULL && i < PAST_SENT_RCPTS; i++) {
		if (old->text[TEXT_RCPT + i][0] != '\0')
			rcpt[have++] = old->text[TEXT_RCPT + i];
	}
	for (size_t i = 0; i < t->rcpts && have < PAST_SENT_RCPTS; i++)
		rcpt[have++] = t->rcpt[i];
	for (size_t i = 0; i < PAST_SENT_RCPTS; i++)
		buf_add(
		    out, rcpt[i] != NULL ? rcpt[i] : "", rcpt[i] != NULL ? strlen(rcpt[i]) + 1 : 1);

	if (old != NULL) {
		buf_add(out, old->legs, old->legs_len);
		(void)has_leg(old, t->k, &legs);
	}
	if (legs < LEGS_MAX)
		buf_add(out, t->k, strlen(t->k) + 1);
}

/* One that is told twice counts once. */
static bool add_leg(struct history *h, char kind, const char *owner, const struct told *t)
{
	char *value = malloc(VALUE_MAX);
	struct sent_row old;
	enum store_found found = STORE_FAILED;
	size_t len = 0, legs;
	struct buf row;
	struct key k;
	bool good = false;

	owner_key(&k, kind, owner);
	buf_init(&row, VALUE_MAX);
	if (put_id(&k, t->id) && value != NULL)
		found = store_get(h->store, STORE_SENT, k.bytes, k.len, value, VALUE_MAX, &len);
	if (found == STORE_FOUND && !read_row(value, len, &old))
		found = STORE_NONE; /* what it may be nobody knows */
	if (found == STORE_FOUND && has_leg(&old, t->k, &legs)) {
		good = true;
	} else if (found != STORE_FAILED) {
		write_row(&row, found == STORE_FOUND ? &old : NULL, t);
		good = buf_ok(&row) &&
		       store_put(h->store, STORE_SENT, k.bytes, k.len, row.bytes, row.len);
	}
	buf_free(&row);
	free(value);
	return good;
}

/* sent TIME ID K FROM LOGIN SUBJECT N DELIVERED FAILED RETURNED [RCPT…] */
enum history_took sent_take(struct history *h, const struct past_line *line, int64_t time)
{
	char from[ORG_ADDRESS_MAX], login[ORG_ADDRESS_MAX];
	struct told t = {.number[AT_ENDED] = (uint64_t)time};

	if (line->words < 11 || line->words > 11 + PAST_NAMED_MAX ||
	    !id_valid(line->word[2], strlen(line->word[2])) || strlen(line->word[3]) >= K_MAX ||
	    line->word[4][0] == '\0')
		return HISTORY_NO_LINE;
	for (size_t i = AT_RCPTS; i < NUMBERS; i++) {
		if (!past_number(line->word[6 + i], &t.number[i]) || t.number[i] > INT32_MAX)
			return HISTORY_NO_LINE;
	}
	t.id = line->word[2];
	t.k = line->word[3];
	t.from = line->word[4];
	t.subject = line->word[6];
	t.rcpt = line->word + 11;
	t.rcpts = line->words - 11;
	for (size_t i = 0; i < t.rcpts; i++) {
		if (strlen(t.rcpt[i]) >= ORG_ADDRESS_MAX)
			return HISTORY_NO_LINE;
	}
	(void)!org_normal(line->word[4], from);
	without_detail(from);
	if (!add_leg(h, SENT_FROM, from, &t))
		return HISTORY_FAILED;
	/* What has no normal form is a name, in small letters. */
	(void)!org_normal(line->word[5], login);
	without_detail(login);
	if (login[0] == '\0' || strcmp(login, from) == 0)
		return HISTORY_TOOK;
	return add_leg(h, SENT_LOGIN, login, &t) ? HISTORY_TOOK : HISTORY_FAILED;
}

bool sent_old(const char *value, size_t len, int64_t before)
{
	return (int64_t)numbers_at(value, len, AT_ENDED) < before;
}

/* ---- questions ---------------------------------------------------------------------------- */

struct hit {
	unsigned char id[ID_BYTES]; /* as in the key */
	uint64_t rank;
};

struct list {
	struct key from;
	uint64_t first, n; /* ranks */
};

struct asking {
	const struct sent_question *q;
	struct history *h;
	struct list list[PAST_SENT_NAMES];
	const char *folded; /* NULL: everything is looked for */
	struct hit *hit;
	size_t hits, room;
	size_t looked;
	bool more; /* not all was looked at */
	bool failed;
	/* The list that is walked over: */
	const struct list *at;
	uint64_t rank;
	size_t most; /* hits of it that count */
	size_t found;
	/* What is told: */
	struct buf *out;
	size_t told;
};

static bool bounds(struct asking *a, struct list *l, const char *name)
{
	char owner[ORG_ADDRESS_MAX];
	struct key end;
	uint64_t last;

	(void)snprintf(owner, sizeof owner, "%s", name + 1);
	without_detail(owner);
	owner_key(&l->from, name[0], owner);
	end = l->from;
	for (size_t i = 0; i <= ID_BYTES; i++)
		key_add(&end, "\xff", 1);
	if (!store_rank(a->h->store, STORE_SENT, l->from.bytes, l->from.len, &l->first) ||
	    !store_rank(a->h->store, STORE_SENT, end.bytes, end.len, &last))
		return false;
	l->n = last - l->first;
	return true;
}

static void put_mail(struct buf *out, const char *key, size_t key_len, const struct sent_row *row)
{
	char id[ID_TEXT];

	id_of_key(key, key_len, id);
	buf_addf(out, "mail %s", id);
	for (size_t i = 0; i < NUMBERS; i++)
		buf_addf(out, " %llu", (unsigned long long)row->number[i]);
	for (size_t i = TEXT_FROM; i < TEXTS; i++)
		past_put(out, row->text[i]);
	buf_add(out, "\n", 1);
}

/* One page of the only list that has anything: it is found at once. */
static bool tell_row(void *context, const char *key, size_t key_len, const char *value, size_t len)
{
	struct asking *a = context;
	struct sent_row row;

	if (a->told == a->most || key_len < ID_BYTES)
		return false;
	if (read_row(value, len, &row))
		put_mail(a->out, key, key_len, &row);
	a->told++;
	return a->told < a->most;
}

static bool tell_page(struct asking *a, const struct list *l)
{
	uint64_t left = l->n > a->q->first ? l->n - a->q->first : 0;

	a->most = left < a->q->count ? (size_t)left : a->q->count;
	if (a->most > 0 &&
	    !store_walk_at(a->h->store, STORE_SENT, l->first + a->q->first, tell_row, a))
		return false;
	buf_addf(a->out, "end %llu all\n", (unsigned long long)l->n);
	return true;
}

/* Whether the row of a login stands in the list of its address, too, which is asked for. */
static bool stands_twice(const struct asking *a, const struct sent_row *row)
{
	char from[ORG_ADDRESS_MAX];
	struct key k;

	(void)!org_normal(row->text[TEXT_FROM], from);
	without_detail(from);
	owner_key(&k, SENT_FROM, from);
	for (size_t i = 0; i < a->q->names; i++) {
		const struct key *asked = &a->list[i].from; /* without its +detail */

		if (asked->len == k.len && memcmp(asked->bytes, k.bytes, k.len) == 0)
			return true;
	}
	return false;
}

static bool add_hit(struct asking *a, const char *key, size_t key_len)
{
	struct hit *more;
	size_t room = a->room == 0 ? 256 : 2 * a->room;

	if (a->hits == a->room) {
		more = reallocarray(a->hit, room, sizeof *more);
		if (more == NULL) {
			a->failed = true;
			return false;
		}
		a->hit = more;
		a->room = room;
	}
	memcpy(a->hit[a->hits].id, key + key_len - ID_BYTES, ID_BYTES);
	a->hit[a->hits++].rank = a->rank;
	a->found++;
	return true;
}

static bool look_at(void *context, const char *key, size_t key_len, const char *value, size_t len)
{
	struct asking *a = context;
	struct sent_row row;

	if (a->rank >= a->at->first + a->at->n || key_len < ID_BYTES)
		return false;
	if (a->looked == LOOKED_MAX) {
		a->more = true;
		return false;
	}
	a->looked++;
	if (read_row(value, len, &row) &&
	    (a->folded == NULL || strstr(row.text[TEXT_FOLDED], a->folded) != NULL) &&
	    (a->at->from.bytes[0] == SENT_FROM || !stands_twice(a, &row)) &&
	    !add_hit(a, key, key_len))
		return false;
	a->rank++;
	/* Of a list that is merged with others nothing behind the page is told. */
	return a->found < a->most;
}

static int by_id(const void *a, const void *b)
{
	return memcmp(((const struct hit *)a)->id, ((const struct hit *)b)->id, ID_BYTES);
}

/* Those on the page, gathered from several lists, or searched for. */
static bool tell_hits(struct asking *a, uint64_t total)
{
	if (a->hits > 0)
		qsort(a->hit, a->hits, sizeof *a->hit, by_id);
	a->most = 1;
	for (size_t i = (size_t)a->q->first; i < a->hits && i < a->q->first + a->q->count; i++) {
		a->told = 0;
		if (!store_walk_at(a->h->store, STORE_SENT, a->hit[i].rank, tell_row, a))
			return false;
	}
	buf_addf(a->out, "end %llu %s\n", (unsigned long long)total, a->more ? "more" : "all");
	return true;
}

/* Rows of a login are looked at one by one, as they may stand in another list, too. */
static bool gather(struct asking *a)
{
	uint64_t total = 0;

	for (size_t i = 0; i < a->q->names; i++) {
		const struct list *l = &a->list[i];
		bool whole = a->folded != NULL || l->from.bytes[0] == SENT_LOGIN;

		a->at = l;
		a->rank = l->first;
		a->found = 0;
		a->most = whole ? SIZE_MAX : (size_t)(a->q->first + a->q->count);
		if (l->n > 0 &&
		    (!store_walk_at(a->h->store, STORE_SENT, l->first, look_at, a) || a->failed))
			return false;
		total += whole ? a->found : l->n;
	}
	return tell_hits(a, total);
}

/* Of addresses that differ in nothing but their +detail. */
static bool is_asked_before(const struct asking *a, size_t list)
{
	const struct key *k = &a->list[list].from;

	for (size_t i = 0; i < list; i++) {
		const struct key *other = &a->list[i].from;

		if (other->len == k->len && memcmp(other->bytes, k->bytes, k->len) == 0)
			return true;
	}
	return false;
}

static bool answer(struct asking *a)
{
	const struct list *only = NULL;
	size_t full = 0;

	for (size_t i = 0; i < a->q->names; i++) {
		if (!bounds(a, &a->list[i], a->q->name[i]))
			return false;
		if (is_asked_before(a, i))
			a->list[i].n = 0;
		if (a->list[i].n > 0) {
			only = &a->list[i];
			full++;
		}
	}
	if (a->folded != NULL || full > 1 || (only != NULL && only->from.bytes[0] == SENT_LOGIN))
		return gather(a);
	if (only != NULL)
		return tell_page(a, only);
	buf_add_text(a->out, "end 0 all\n");
	return true;
}

bool history_sent(struct history *h, const struct sent_question *q, struct buf *out)
{
	struct asking *a = calloc(1, sizeof *a);
	char *folded = q->query[0] != '\0' ? fold_for_search(q->query, strlen(q->query)) : NULL;
	bool good = false;

	if (a != NULL) {
		a->q = q;
		a->h = h;
		a->folded = folded;
		a->out = out;
		if (q->query[0] != '\0' && folded == NULL) {
			buf_add_text(out, "end 0 all\n"); /* it is no text, and stands nowhere */
			good = true;
		} else {
			good = answer(a);
		}
		free(a->hit);
	}
	free(folded);
	free(a);
	return good && buf_ok(out);
}
