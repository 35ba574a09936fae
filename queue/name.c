#include "queue/name.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

static const struct {
	const char *name;
	bool due;
} states[STATE_COUNT] = {
    [STATE_TMP] = {"tmp", false},
    [STATE_NEW] = {"new", false},
    [STATE_APPROVE] = {"approve", true},
    [STATE_HOLD] = {"hold", true},
    [STATE_ENCRYPT] = {"encrypt", true},
    [STATE_STAGGER] = {"stagger", true},
    [STATE_DELIVER] = {"deliver", true},
    [STATE_SENT] = {"sent", false},
    [STATE_TRASH] = {"trash", false},
    [STATE_REFUSED] = {"refused", false},
    [STATE_BAD] = {"bad", false},
};

const char *state_name(enum spool_state state)
{
	return states[state].name;
}

bool state_by_name(const char *name, enum spool_state *state)
{
	for (size_t i = 0; i < STATE_COUNT; i++) {
		if (strcmp(states[i].name, name) == 0) {
			*state = (enum spool_state)i;
			return true;
		}
	}
	return false;
}

bool state_has_due(enum spool_state state)
{
	return states[state].due;
}

bool k_valid(const char *k)
{
	const char *p = k;

	if (strlen(k) >= K_MAX)
		return false;

	for (;;) {
		if (*p < '1' || *p > '9')
			return false;
		while (*p >= '0' && *p <= '9')
			p++;
		if (*p == '\0')
			return true;
		if (*p++ != '.')
			return false;
	}
}

bool k_child(const char *parent, size_t n, char k[K_MAX])
{
	int len = snprintf(k, K_MAX, "%s.%zu", parent, n);

	return len > 0 && len < K_MAX;
}

/* Where the numbers of "20261122T093501Z" stand there, and in "2026-11-22T09:35:01Z". */
static const struct {
	unsigned char due, iso, len;
} numbers[] = {{0, 0, 4}, {4, 5, 2}, {6, 8, 2}, {9, 11, 2}, {11, 14, 2}, {13, 17, 2}};

/* "20261122T093501Z" as seconds, or -1. */
static int64_t parse_due(const char *text)
{
	char iso[] = "0000-00-00T00:00:00Z";
	int64_t micro;

	if (strnlen(text, DUE_LEN) < DUE_LEN || text[8] != 'T' || text[15] != 'Z')
		return -1;

	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		memcpy(iso + numbers[i].iso, text + numbers[i].due, numbers[i].len);
	micro = clock_parse(iso, sizeof iso - 1);
	return micro < 0 ? -1 : micro / CLOCK_SECOND;
}

bool name_parse(const char *text, struct leg_name *name)
{
	const char *id = text;

	name->due = DUE_NONE;
	if (strnlen(text, NAME_TEXT) >= NAME_TEXT)
		return false;

	if (!id_valid(text, strlen(text)) || text[ID_LEN] != '.') {
		name->due = parse_due(text);
		if (name->due < 0 || text[DUE_LEN] != '.')
			return false;
		id = text + DUE_LEN + 1;
		if (!id_valid(id, strlen(id)) || id[ID_LEN] != '.')
			return false;
	}

	memcpy(name->id, id, ID_LEN);
	name->id[ID_LEN] = '\0';
	if (!k_valid(id + ID_LEN + 1))
		return false;
	memcpy(name->k, id + ID_LEN + 1, strlen(id + ID_LEN + 1) + 1); /* k_valid: it has room */
	return true;
}

/* By hand, for a start reads and writes a hundred thousand of them before it is ready. */
static char *put(char *at, const char *text)
{
	size_t len = strlen(text);

	memcpy(at, text, len + 1);
	return at + len;
}

static char *put_due(char *at, int64_t due)
{
	char iso[CLOCK_TEXT];

	clock_format(due * CLOCK_SECOND, iso);
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		memcpy(at + numbers[i].due, iso + numbers[i].iso, numbers[i].len);
	at[8] = 'T';
	return put(at + DUE_LEN - 1, "Z.");
}

void name_format(const struct leg_name *name, enum spool_state state, char text[NAME_TEXT])
{
	int64_t due = name->due < 0 ? 0 : name->due > DUE_NEVER ? DUE_NEVER : name->due;
	char *at = state_has_due(state) ? put_due(text, due) : text;

	at = put(at, name->id);
	at = put(at, ".");
	(void)put(at, name->k);
}

bool name_same_leg(const struct leg_name *a, const struct leg_name *b)
{
	return strcmp(a->id, b->id) == 0 && strcmp(a->k, b->k) == 0;
}
