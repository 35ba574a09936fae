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

/* "20261122T093501Z" as seconds, or -1. */
static int64_t parse_due(const char *text)
{
	char iso[21];
	int64_t micro;

	if (strnlen(text, DUE_LEN) < DUE_LEN || text[8] != 'T' || text[15] != 'Z')
		return -1;

	(void)snprintf(iso, sizeof iso, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", text, text + 4, text + 6,
	    text + 9, text + 11, text + 13);
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
	(void)snprintf(name->k, sizeof name->k, "%s", id + ID_LEN + 1);
	return true;
}

void name_format(const struct leg_name *name, enum spool_state state, char text[NAME_TEXT])
{
	char iso[CLOCK_TEXT];
	int64_t due = name->due < 0 ? 0 : name->due > DUE_NEVER ? DUE_NEVER : name->due;

	if (!state_has_due(state)) {
		(void)snprintf(text, NAME_TEXT, "%s.%s", name->id, name->k);
		return;
	}

	clock_format(due * CLOCK_SECOND, iso);
	(void)snprintf(text, NAME_TEXT, "%.4s%.2s%.2sT%.2s%.2s%.2sZ.%s.%s", iso, iso + 5, iso + 8,
	    iso + 11, iso + 14, iso + 17, name->id, name->k);
}

bool name_same_leg(const struct leg_name *a, const struct leg_name *b)
{
	return strcmp(a->id, b->id) == 0 && strcmp(a->k, b->k) == 0;
}
