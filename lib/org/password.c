#include "lib/org/password.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

#define SPAN_MAX ((int64_t)7 * 86400) /* seconds: nobody waits longer for a password */

struct reading {
	struct password_policy *policy;
	bool source, tell, after, hint; /* was said */
};

struct choice {
	const char *word; /* first: conf_near() looks here */
	unsigned value;
};

#define BLAME(line, i, ...) conf_blame(fault, (line)->number, (line)->word[i].column, __VA_ARGS__)

static bool choose(const struct choice *choices, size_t n, const struct conf_line *line, size_t at,
    const char *expected, unsigned *value, struct conf_fault *fault)
{
	const char *word = line->word[at].text;
	const char *near;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(choices[i].word, word) == 0) {
			*value = choices[i].value;
			return true;
		}
	}
	near = conf_near(word, choices, n, sizeof *choices);
	return BLAME(line, at, "%s is expected, not \"%.40s\"%s%s", expected, word,
	    near != NULL ? "; near: " : "", near != NULL ? near : "");
}

static bool once(bool *said, const struct conf_line *line, struct conf_fault *fault)
{
	if (*said)
		return BLAME(line, 0, "%s stands twice", line->word[0].text);
	*said = true;
	return true;
}

static bool words(
    const struct conf_line *line, size_t n, const char *form, struct conf_fault *fault)
{
	if (line->words == n)
		return true;
	return conf_blame(fault, line->number, line->words > n ? line->word[n].column : 0,
	    "\"%s\" is expected", form);
}

/* ---- where it comes from ---- */

static bool source(struct reading *r, const struct conf_line *line, enum password_source source,
    struct conf_fault *fault)
{
	if (r->source)
		return BLAME(line, 0, "a policy says once where the password comes from");
	r->source = true;
	r->policy->source = source;
	return true;
}

static bool take_generate(struct reading *r, const struct conf_line *line, struct conf_fault *fault)
{
	static const struct choice kinds[] = {{"upper", PASSWORD_UPPER}, {"lower", PASSWORD_LOWER},
	    {"digit", PASSWORD_DIGIT}, {"symbol", PASSWORD_SYMBOL}};
	unsigned kind = 0;
	long n;
	char *end;

	if (!source(r, line, PASSWORD_GENERATED, fault))
		return false;
	if (line->words < 3)
		return conf_blame(fault, line->number, 0,
		    "\"generate N upper lower digit symbol\" is expected, one of them or more");
	n = strtol(line->word[1].text, &end, 10);
	if (*end != '\0' || n < PASSWORD_LETTERS_MIN || n > PASSWORD_LETTERS_MAX)
		return BLAME(line, 1,
		    "a number of letters from %d to %d is expected, not \"%.40s\"",
		    PASSWORD_LETTERS_MIN, PASSWORD_LETTERS_MAX, line->word[1].text);
	for (size_t i = 2; i < line->words; i++) {
		if (!choose(kinds, COUNT_OF(kinds), line, i, "upper, lower, digit or symbol", &kind,
			fault))
			return false;
		r->policy->letters |= kind;
	}
	r->policy->length = (unsigned)n;
	return true;
}

static bool take_fixed(struct reading *r, const struct conf_line *line, struct conf_fault *fault)
{
	if (line->words > 1)
		return BLAME(line, 1, "the password itself stands in etc/secrets, never here");
	return source(r, line, PASSWORD_FIXED, fault);
}

static bool take_by_hand(struct reading *r, const struct conf_line *line, struct conf_fault *fault)
{
	return words(line, 1, "by-hand", fault) && source(r, line, PASSWORD_BY_HAND, fault);
}

/* ---- who is told ---- */

static bool take_tell(struct reading *r, const struct conf_line *line, struct conf_fault *fault)
{
	static const struct choice whom[] = {{"recipient", PASSWORD_TO_RECIPIENT},
	    {"sender", PASSWORD_TO_SENDER}, {"both", PASSWORD_TO_BOTH},
	    {"nobody", PASSWORD_TO_NOBODY}, {"hint", PASSWORD_TO_HINT}};
	const char *expected = "recipient, sender, both, nobody or hint";
	unsigned tell = PASSWORD_TO_SENDER;

	if (!once(&r->tell, line, fault) || !words(line, 2, "tell WHOM", fault) ||
	    !choose(whom, COUNT_OF(whom), line, 1, expected, &tell, fault))
		return false;
	r->policy->tell = (enum password_tell)tell;
	return true;
}

/* "90s", "3m", "1h", "1d" in seconds, or -1. */
static int64_t span(const char *text)
{
	static const char units[] = "smhd";
	static const int seconds[] = {1, 60, 3600, 86400};
	size_t n = strspn(text, "0123456789");
	const char *unit = n > 0 && n < 8 && text[n] != '\0' ? strchr(units, text[n]) : NULL;
	int64_t value;

	if (unit == NULL || text[n + 1] != '\0')
		return -1;
	value = strtol(text, NULL, 10) * seconds[unit - units];
	return value <= SPAN_MAX ? value : -1;
}

static bool take_after(struct reading *r, const struct conf_line *line, struct conf_fault *fault)
{
	int64_t seconds;

	if (!once(&r->after, line, fault) || !words(line, 2, "after SPAN", fault))
		return false;
	seconds = span(line->word[1].text);
	if (seconds < 0)
		return BLAME(line, 1, "a span of at most 7d is expected, as 3m, not \"%.40s\"",
		    line->word[1].text);
	r->policy->after = seconds * CLOCK_SECOND;
	return true;
}

static bool take_hint(struct reading *r, const struct conf_line *line, struct conf_fault *fault)
{
	size_t used = 0;

	if (!once(&r->hint, line, fault))
		return false;
	if (line->words < 2)
		return conf_blame(fault, line->number, 0, "a text is expected behind hint");
	for (size_t i = 1; i < line->words; i++) {
		size_t len = strlen(line->word[i].text);

		if (used + len + 2 > sizeof r->policy->hint)
			return BLAME(
			    line, i, "a hint has at most %zu bytes", sizeof r->policy->hint - 1);
		if (i > 1)
			r->policy->hint[used++] = ' ';
		memcpy(r->policy->hint + used, line->word[i].text, len + 1);
		used += len;
	}
	return true;
}

/* ---- the file ---- */

static bool take(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	static const struct {
		const char *word; /* first: conf_near() looks here */
		bool (*take)(
		    struct reading *r, const struct conf_line *line, struct conf_fault *fault);
	} keys[] = {{"generate", take_generate}, {"fixed", take_fixed}, {"by-hand", take_by_hand},
	    {"tell", take_tell}, {"after", take_after}, {"hint", take_hint}};
	const char *near;

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		if (strcmp(keys[i].word, line->word[0].text) == 0)
			return keys[i].take(context, line, fault);
	}
	near = conf_near(line->word[0].text, keys, COUNT_OF(keys), sizeof keys[0]);
	return BLAME(line, 0,
	    "generate, fixed, by-hand, tell, after or hint is expected, not \"%.40s\"%s%s",
	    line->word[0].text, near != NULL ? "; near: " : "", near != NULL ? near : "");
}

static bool begin(struct reading *r, struct password_policy *policy)
{
	*policy = (struct password_policy){.tell = PASSWORD_TO_SENDER};
	*r = (struct reading){.policy = policy};
	return true;
}

static bool end(const struct reading *r, struct conf_fault *fault)
{
	if (!r->source)
		return conf_blame(fault, 0, 0,
		    "it does not say where the password comes from: generate, fixed or by-hand");
	if (r->policy->tell == PASSWORD_TO_HINT && !r->hint)
		return conf_blame(fault, 0, 0, "\"tell hint\" needs a line \"hint TEXT\"");
	return true;
}

bool password_policy_parse(const char *bytes, size_t len, const char *file,
    struct password_policy *policy, struct conf_fault *fault)
{
	struct reading r;

	return begin(&r, policy) && conf_parse(bytes, len, file, take, &r, fault) && end(&r, fault);
}

bool password_policy_read(
    int etc, const char *name, struct password_policy *policy, struct conf_fault *fault)
{
	struct reading r;
	char path[128];

	(void)snprintf(path, sizeof path, "passwords/%.64s", name);
	return begin(&r, policy) && conf_read(etc, path, false, take, &r, fault) && end(&r, fault);
}
