#include "lib/shell/envelope.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ENVELOPE_MAX    ((size_t)16 * 1024 * 1024)
#define ADDRESS_BYTES   ((size_t)1024)
#define TRIAL_CLIENT    "client 127.0.0.1 helo=seki proto=esmtp\n"
#define FIRST_ADDRESSES ((size_t)16)

static bool fine(const char *address)
{
	size_t len = strlen(address);

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)address[i] < ' ' || address[i] == 0x7f)
			return false;
	}
	return len <= ADDRESS_BYTES;
}

bool envelope_make(struct envelope *e, const char *from, const char *const *rcpt, size_t rcpts,
    int64_t accepted, uint64_t size)
{
	bool good = fine(from);

	*e = (struct envelope){.leg = {.rcpts = 0}};
	buf_init(&e->text, ENVELOPE_MAX);
	leg_write_address(&e->text, "from", from, "");
	for (size_t i = 0; good && i < rcpts; i++) {
		good = fine(rcpt[i]) && rcpt[i][0] != '\0';
		leg_write_address(&e->text, "to", rcpt[i], "");
	}
	buf_add_text(&e->text, TRIAL_CLIENT);
	if (!good || !buf_ok(&e->text) || !leg_read_envelope(e->text.bytes, e->text.len, &e->leg)) {
		e->leg = (struct leg){.rcpts = 0};
		return false;
	}
	e->leg.accepted = accepted;
	e->leg.size = size;
	return true;
}

void envelope_free(struct envelope *e)
{
	if (e->leg.rcpts > 0)
		leg_free(&e->leg);
	buf_free(&e->text);
}

/* ---- addresses, collected ----------------------------------------------------------------- */

static bool make_room(struct addresses *a)
{
	size_t room = a->room == 0 ? FIRST_ADDRESSES : 2 * a->room;
	char **more;

	if (a->n < a->room)
		return true;
	more = a->n < ADDRESSES_MAX ? reallocarray(a->address, room, sizeof *more) : NULL;
	if (more == NULL)
		return false;
	a->address = more;
	a->room = room;
	return true;
}

void addresses_add(struct addresses *a, const char *address, size_t len)
{
	char *copy;

	for (size_t i = 0; i < a->n; i++) {
		if (strlen(a->address[i]) == len && strncasecmp(a->address[i], address, len) == 0)
			return;
	}
	copy = make_room(a) ? strndup(address, len) : NULL;
	if (copy != NULL)
		a->address[a->n++] = copy;
	else
		a->failed = true;
}

void addresses_free(struct addresses *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->address[i]);
	free(a->address);
	*a = (struct addresses){.n = 0};
}
