#include "queue/plan.h"

#include <string.h>

#include "queue/digest.h"

/* Each word of a plan: the state in which it is carried out, and the record that closes it. */
static const struct {
	const char *word;
	const char *closing;
	enum spool_state state;
} words[] = {
    [WORD_APPROVE] = {"approve", "approved", STATE_APPROVE},
    [WORD_HOLD] = {"hold", "held", STATE_HOLD},
    [WORD_ENCRYPT] = {"encrypt", "sealed", STATE_ENCRYPT},
    [WORD_STAGGER] = {"stagger", "staggered", STATE_STAGGER},
    [WORD_DELIVER] = {"deliver", NULL, STATE_DELIVER},
};

void plan_digest(
    const char *id, const char *k, const char *lines, size_t len, char digest[PLAN_DIGEST_LEN + 1])
{
	struct buf whole;
	char hex[DIGEST_HEX] = "";

	buf_init(&whole, SIZE_MAX);
	buf_addf(&whole, "%s.%s\n", id, k);
	buf_add(&whole, lines, len);
	if (buf_ok(&whole))
		digest_of(whole.bytes, whole.len, hex);
	buf_free(&whole);

	/* Without memory: a digest that no plan has, so the leg waits. */
	memcpy(digest, hex, PLAN_DIGEST_LEN);
	digest[PLAN_DIGEST_LEN] = '\0';
}

static enum plan_word word_of(const char *line, size_t len)
{
	size_t word_len = 0;

	while (word_len < len && line[word_len] != ' ')
		word_len++;

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strlen(words[i].word) == word_len && memcmp(words[i].word, line, word_len) == 0)
			return (enum plan_word)i;
	}
	return WORD_UNKNOWN;
}

bool plan_parse(struct plan *plan, const char *lines, size_t len)
{
	const char *line = lines, *end = lines + len;
	size_t n = 0;

	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		struct plan_step *step = &plan->step[n];

		if (n == PLAN_STEPS_MAX || newline == NULL || *line != ' ')
			return false;
		*step = (struct plan_step){.text = line + 1, .len = (size_t)(newline - line - 1)};
		step->word = word_of(step->text, step->len);
		line = newline + 1;
		n++;
		/* `deliver` is the last line, and only the last. */
		if ((step->word == WORD_DELIVER) != (line == end))
			return false;
	}
	plan->steps = n;
	return n > 0;
}

bool plan_read(struct plan *plan, const char *id, const char *k, const char *lines, size_t len,
    size_t n, const char *digest)
{
	plan_digest(id, k, lines, len, plan->digest);
	return plan_parse(plan, lines, len) && plan->steps == n &&
	       strcmp(plan->digest, digest) == 0;
}

void plan_write(struct buf *out, const char *id, const char *k, const char *lines, size_t len)
{
	char digest[PLAN_DIGEST_LEN + 1];
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += lines[i] == '\n';

	plan_digest(id, k, lines, len, digest);
	buf_addf(out, "plan %zu sha256=%s\n", n, digest);
	buf_add(out, lines, len);
}

enum spool_state plan_word_state(enum plan_word word)
{
	return words[word].state;
}

const char *plan_closing(enum plan_word word)
{
	return word == WORD_UNKNOWN ? NULL : words[word].closing;
}

const struct plan_step *plan_open_step(const struct plan *plan)
{
	for (size_t i = 0; i < plan->steps; i++) {
		if (!plan->step[i].closed)
			return &plan->step[i];
	}
	return NULL;
}

const struct plan_step *plan_find(const struct plan *plan, enum plan_word word)
{
	for (size_t i = 0; i < plan->steps; i++) {
		if (plan->step[i].word == word)
			return &plan->step[i];
	}
	return NULL;
}

const char *plan_argument(const struct plan_step *step, const char *key, size_t *len)
{
	size_t key_len = strlen(key);
	const char *p = step->text, *end = step->text + step->len;

	while (p < end) {
		const char *stop = memchr(p, ' ', (size_t)(end - p));

		if (stop == NULL)
			stop = end;
		if ((size_t)(stop - p) > key_len && memcmp(p, key, key_len) == 0 &&
		    p[key_len] == '=') {
			*len = (size_t)(stop - p) - key_len - 1;
			return p + key_len + 1;
		}
		p = stop + (stop < end);
	}
	return NULL;
}

bool plan_step_is(const struct plan_step *step, const char *text)
{
	return step->len == strlen(text) && memcmp(step->text, text, step->len) == 0;
}

static bool is_among(const char *text, size_t len, const char *const *known)
{
	for (; *known != NULL; known++) {
		if (strlen(*known) == len && memcmp(*known, text, len) == 0)
			return true;
	}
	return false;
}

bool plan_knows(const struct plan_step *step, const char *const *plain, const char *const *keys)
{
	const char *p = step->text, *end = p + step->len;

	while (p < end) {
		const char *space = memchr(p, ' ', (size_t)(end - p));
		size_t len = (size_t)((space != NULL ? space : end) - p);
		const char *equals = memchr(p, '=', len);

		if (equals == NULL ? !is_among(p, len, plain)
				   : !is_among(p, (size_t)(equals - p), keys))
			return false;
		p += len + 1;
	}
	return true;
}
