#include "lib/audit/check.h"

#include <stdio.h>
#include <string.h>

bool check_init(struct check *check)
{
	*check = (struct check){.digest = digest_new(), .end = chain_empty, .begun = true};
	return check->digest != NULL;
}

void check_free(struct check *check)
{
	if (check->digest != NULL)
		digest_free(check->digest);
	check->digest = NULL;
}

void check_trust(struct check *check)
{
	check->begun = false;
}

void check_file(struct check *check, const char *file, bool middle)
{
	(void)snprintf(check->file, sizeof check->file, "%s", file);
	check->lines = middle ? 1 : 0;
}

void check_no_line(struct check *check)
{
	check->lines++;
	check->end.seq++; /* it stood for one, presumably */
	check->computed[0] = '\0';
	check->end.chain[0] = '\0';
	check->shaken = true;
}

static const char *blame(struct check *check, const char *text)
{
	(void)snprintf(check->fault, sizeof check->fault, "%s", text);
	return check->fault;
}

/* Whether the line follows `before`. */
static bool follows(struct check *check, const char *before, const char *bytes,
    const struct chain_line *line, char chain[DIGEST_HEX])
{
	if (before[0] == '\0')
		return false;
	chain_digest(check->digest, before, bytes, line->hashed, chain);
	return memcmp(chain, line->chain, DIGEST_HEX - 1) == 0;
}

/* A mark says itself what it follows. */
static bool mark_stands(struct check *check, const char *bytes, const struct chain_line *line)
{
	char before[DIGEST_HEX], chain[DIGEST_HEX];
	const char *prev;
	size_t len;

	if (!chain_is_mark(line) || !chain_pair(line, "prev", &prev, &len) || len != DIGEST_HEX - 1)
		return false;
	memcpy(before, prev, len);
	before[len] = '\0';
	return follows(check, before, bytes, line, chain);
}

/* What is wrong with the first line of a file. */
static const char *first_fault(const struct check *check, const struct chain_line *line)
{
	const char *file;
	size_t len;

	if (!chain_is_mark(line) || !chain_pair(line, "file", &file, &len))
		return "the file does not begin with its mark: its beginning is missing";
	return chain_is(file, len, check->file) ? NULL : "the file had another name";
}

static const char *gap(struct check *check, uint64_t seq)
{
	uint64_t next = check->end.seq + 1;

	if (seq > next && seq == next + 1)
		(void)snprintf(check->fault, sizeof check->fault,
		    "number %llu is missing before it", (unsigned long long)next);
	else if (seq > next)
		(void)snprintf(check->fault, sizeof check->fault,
		    "numbers %llu to %llu are missing before it", (unsigned long long)next,
		    (unsigned long long)seq - 1);
	else
		(void)snprintf(check->fault, sizeof check->fault,
		    "number %llu stands where %llu is expected", (unsigned long long)seq,
		    (unsigned long long)next);
	return check->fault;
}

/* Whether the line stands behind what was seen; `chain` is what it would have to have. */
static const char *find_fault(
    struct check *check, const char *bytes, const struct chain_line *line, char chain[DIGEST_HEX])
{
	bool mark = mark_stands(check, bytes, line);
	const char *fault = check->lines == 1 ? first_fault(check, line) : NULL;

	chain[0] = '\0';
	if (fault != NULL)
		return blame(check, fault);
	if (!check->begun) {
		/* The first of a file proves itself; in the middle of one it must be believed. */
		return mark || check->lines > 1 ? NULL : blame(check, "it was changed");
	}
	if (check->shaken && mark)
		return NULL;
	if (line->seq != check->end.seq + 1)
		return gap(check, line->seq);
	if (follows(check, check->end.chain, bytes, line, chain))
		return NULL;
	if (check->shaken) {
		/* One of the two is right, whichever part of the line before was changed; of a line
		 * that could not be read nothing is known. */
		if (check->computed[0] == '\0' ||
		    follows(check, check->computed, bytes, line, chain))
			return NULL;
	}
	return blame(check, "it was changed: its chain is not that of its bytes");
}

const char *check_line(struct check *check, const char *bytes, size_t len, struct chain_line *line)
{
	char chain[DIGEST_HEX];
	const char *fault = chain_cut(bytes, len, line);

	if (fault != NULL) {
		check_no_line(check);
		return blame(check, fault);
	}
	check->lines++;
	fault = find_fault(check, bytes, line, chain);
	check->shaken = fault != NULL;
	memcpy(check->computed, chain, sizeof chain);
	check->begun = true;
	check->end.seq = line->seq;
	memcpy(check->end.chain, line->chain, DIGEST_HEX - 1);
	check->end.chain[DIGEST_HEX - 1] = '\0';
	return fault;
}
