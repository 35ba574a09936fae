#include "lib/audit/chain.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/hex.h"
#include "lib/base/xtext.h"

#define STAMP      ((size_t)CLOCK_TEXT - 1)
#define CHAIN_KEY  " chain="
#define CHAIN_TAIL (sizeof CHAIN_KEY - 1 + DIGEST_HEX - 1)
#define SEQ_DIGITS ((size_t)19)

const struct chain_end chain_empty = {.seq = 0, .chain = CHAIN_BEFORE_ALL};

/* ---- cutting ------------------------------------------------------------------------------ */

/* Digits without a leading zero. How many; 0: there is no number. */
static size_t cut_number(const char *p, size_t len, uint64_t *number)
{
	size_t n = 0;

	*number = 0;
	for (; n < len && n < SEQ_DIGITS && p[n] >= '0' && p[n] <= '9'; n++)
		*number = *number * 10 + (uint64_t)(p[n] - '0');
	return n > 1 && p[0] == '0' ? 0 : n;
}

/* "key=WORD" at `*p`, behind one blank. */
static bool cut_word(const char **p, const char *end, const char *key, const char **word, size_t *n)
{
	size_t len = strlen(key);
	const char *stop;

	if ((size_t)(end - *p) <= len || memcmp(*p, key, len) != 0)
		return false;
	*word = *p + len;
	stop = memchr(*word, ' ', (size_t)(end - *word));
	if (stop == NULL)
		stop = end;
	*n = (size_t)(stop - *word);
	*p = stop;
	for (size_t i = 0; i < *n; i++) {
		char c = (*word)[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return *n > 0 && *n < CHAIN_PROGRAM;
}

static bool pairs_are(const char *p, const char *end)
{
	while (p < end) {
		const char *key = p + 1, *equals, *next;

		if (*p != ' ' || key >= end)
			return false;
		next = memchr(key, ' ', (size_t)(end - key));
		if (next == NULL)
			next = end;
		equals = memchr(key, '=', (size_t)(next - key));
		if (equals == NULL || equals == key ||
		    !xtext_valid(equals + 1, (size_t)(next - equals - 1)))
			return false;
		p = next;
	}
	return true;
}

const char *chain_cut(const char *bytes, size_t len, struct chain_line *line)
{
	const char *p = bytes, *end = bytes + len;
	unsigned char value[(DIGEST_HEX - 1) / 2];
	size_t n;

	if (len > CHAIN_LINE_MAX || len <= CHAIN_TAIL)
		return len > CHAIN_TAIL ? "it is too long" : "it is too short";
	line->hashed = len - CHAIN_TAIL;
	line->chain = end - (DIGEST_HEX - 1);
	if (memcmp(bytes + line->hashed, CHAIN_KEY, sizeof CHAIN_KEY - 1) != 0 ||
	    !hex_decode(line->chain, value, sizeof value))
		return "it does not end in chain= and 64 digits";
	end = bytes + line->hashed;

	n = cut_number(p, (size_t)(end - p), &line->seq);
	if (n == 0 || line->seq == 0 || p + n >= end || p[n] != ' ')
		return "it does not begin with its number";
	p += n + 1;
	line->time = p;
	if ((size_t)(end - p) <= STAMP || p[STAMP] != ' ')
		return "it has no time";
	line->wall = clock_parse(p, STAMP);
	if (line->wall < 0)
		return "it has no time";
	p += STAMP;
	if (!cut_word(&p, end, " program=", &line->program, &line->program_len) ||
	    !cut_word(&p, end, " what=", &line->what, &line->what_len))
		return "it does not say program= and what=";
	line->pairs = p;
	line->pairs_len = (size_t)(end - p);
	return pairs_are(p, end) ? NULL : "it has a pair that is none";
}

bool chain_pair(const struct chain_line *line, const char *key, const char **value, size_t *len)
{
	const char *p = line->pairs, *end = line->pairs + line->pairs_len;
	size_t n = strlen(key);

	while (p < end) {
		const char *next = memchr(p + 1, ' ', (size_t)(end - p - 1));

		if (next == NULL)
			next = end;
		if ((size_t)(next - p) > n + 1 && memcmp(p + 1, key, n) == 0 && p[n + 1] == '=') {
			*value = p + n + 2;
			*len = (size_t)(next - *value);
			return true;
		}
		p = next;
	}
	return false;
}

bool chain_is(const char *bytes, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(bytes, word, len) == 0;
}

bool chain_is_mark(const struct chain_line *line)
{
	return chain_is(line->program, line->program_len, AUDIT_PROGRAM) &&
	       chain_is(line->what, line->what_len, "mark");
}

/* ---- how far trays were taken ------------------------------------------------------------- */

struct chain_position *chain_position(struct chain_positions *positions, const char *program)
{
	for (size_t i = 0; i < positions->n; i++) {
		if (strcmp(positions->at[i].program, program) == 0)
			return &positions->at[i];
	}
	return NULL;
}

bool chain_position_set(
    struct chain_positions *positions, const char *program, const char *random, uint64_t offset)
{
	struct chain_position *at = chain_position(positions, program);

	if (at == NULL) {
		if (positions->n == CHAIN_TRAYS_MAX)
			return false;
		at = &positions->at[positions->n++];
		(void)snprintf(at->program, sizeof at->program, "%s", program);
	}
	(void)snprintf(at->random, sizeof at->random, "%s", random);
	at->offset = offset;
	return true;
}

/* "RANDOM.OFFSET" */
static bool cut_at(const char *value, size_t len, char random[TRAY_RANDOM], uint64_t *offset)
{
	if (len < TRAY_RANDOM + 1 || value[TRAY_RANDOM - 1] != '.')
		return false;
	(void)snprintf(random, TRAY_RANDOM, "%.*s", TRAY_RANDOM - 1, value);
	len -= TRAY_RANDOM;
	return cut_number(value + TRAY_RANDOM, len, offset) == len;
}

static void take(struct chain_positions *positions, const char *program, size_t program_len,
    const char *value, size_t len)
{
	char name[CHAIN_PROGRAM], random[TRAY_RANDOM];
	uint64_t offset;

	if (program_len >= sizeof name || !cut_at(value, len, random, &offset))
		return;
	(void)snprintf(name, sizeof name, "%.*s", (int)program_len, program);
	/* There are never more programs than places: both come from the same trays. */
	(void)!chain_position_set(positions, name, random, offset);
}

void chain_take_position(struct chain_positions *positions, const struct chain_line *line)
{
	const char *value, *end;
	size_t len;

	if (!chain_is_mark(line)) {
		if (chain_pair(line, "at", &value, &len))
			take(positions, line->program, line->program_len, value, len);
		return;
	}
	if (!chain_pair(line, "trays", &value, &len))
		return;
	for (end = value + len; value < end;) {
		const char *next = memchr(value, ',', (size_t)(end - value)), *colon;

		if (next == NULL)
			next = end;
		colon = memchr(value, ':', (size_t)(next - value));
		if (colon != NULL)
			take(positions, value, (size_t)(colon - value), colon + 1,
			    (size_t)(next - colon - 1));
		value = next < end ? next + 1 : end;
	}
}

/* ---- making ------------------------------------------------------------------------------- */

void chain_digest(struct digest *digest, const char *before, const char *bytes, size_t hashed,
    char chain[DIGEST_HEX])
{
	char hex[DIGEST_HEX];

	digest_restart(digest);
	digest_add(digest, before, DIGEST_HEX - 1);
	digest_add(digest, bytes, hashed);
	digest_end(digest, hex); /* `before` may be `chain` */
	memcpy(chain, hex, sizeof hex);
}

/* Ends the line that begins at `begin`. */
static void finish(struct buf *out, size_t begin, struct chain_end *end, struct digest *digest)
{
	if (!buf_ok(out))
		return;
	chain_digest(digest, end->chain, out->bytes + begin, out->len - begin, end->chain);
	end->seq++;
	buf_addf(out, CHAIN_KEY "%s\n", end->chain);
}

void chain_add(struct buf *out, struct chain_end *end, struct digest *digest, const char *program,
    const char *said, size_t len, const char *random, uint64_t offset)
{
	size_t begin = out->len;

	buf_addf(out, "%llu ", (unsigned long long)end->seq + 1);
	buf_add(out, said, STAMP);
	buf_addf(out, " program=%s", program);
	buf_add(out, said + STAMP, len - STAMP);
	if (random != NULL)
		buf_addf(out, " at=%s.%llu", random, (unsigned long long)offset);
	finish(out, begin, end, digest);
}

void chain_add_mark(struct buf *out, struct chain_end *end, struct digest *digest, int64_t now,
    const char *file, const char *why, uint64_t cut, const struct chain_positions *positions)
{
	size_t begin = out->len;
	char time[CLOCK_TEXT];

	clock_format(now, time);
	buf_addf(out, "%llu %s program=" AUDIT_PROGRAM " what=mark file=%s why=%s",
	    (unsigned long long)end->seq + 1, time, file, why);
	if (cut > 0)
		buf_addf(out, " cut=%llu", (unsigned long long)cut);
	for (size_t i = 0; i < positions->n; i++) {
		const struct chain_position *at = &positions->at[i];

		buf_addf(out, "%s%s:%s.%llu", i == 0 ? " trays=" : ",", at->program, at->random,
		    (unsigned long long)at->offset);
	}
	buf_addf(out, " prev=%s", end->chain);
	finish(out, begin, end, digest);
}
