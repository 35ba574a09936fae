#include "lib/shell/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/shell/clocks.h"
#include "lib/shell/legs.h"
#include "queue/freeze.h"

#define BLOCK 512 /* what st_blocks counts in */

/* What one state holds. */
struct totals {
	uint64_t legs, bytes;
	int64_t oldest; /* seconds; -1: none */
	int64_t next;   /* seconds; -1: none */
};

struct counting {
	const struct instance *in;
	struct totals state[STATE_COUNT];
};

/* From the name and the file's size alone: no leg is opened. */
static enum visit count(void *context, const struct names *names, const struct entry *e)
{
	struct counting *c = context;
	struct totals *t = &c->state[e->state];
	struct stat st;
	char id[ID_TEXT];
	int64_t made;

	if (fstatat(c->in->spool.dir[e->state], entry_name(names, e), &st, AT_SYMLINK_NOFOLLOW) !=
	    0)
		return VISIT_GONE;
	t->legs++;
	t->bytes += (uint64_t)st.st_blocks * BLOCK;
	if (e->foreign)
		return VISIT_DONE;

	memcpy(id, entry_leg(names, e), ID_LEN);
	id[ID_LEN] = '\0';
	made = id_time(id) / CLOCK_SECOND;
	if (t->oldest < 0 || made < t->oldest)
		t->oldest = made;
	if (e->due != DUE_NONE && (t->next < 0 || e->due < t->next))
		t->next = e->due;
	return VISIT_DONE;
}

static void put_states(struct out *o, const struct counting *c)
{
	for (unsigned i = 0; i < STATE_COUNT; i++) {
		if ((STATES_LISTED & STATE_BIT(i)) == 0)
			continue;
		out_text(o, "state", state_name((enum spool_state)i));
		out_number(o, "legs", c->state[i].legs);
		out_number(o, "bytes", c->state[i].bytes);
		out_time(o, "oldest", c->state[i].oldest);
		out_time(o, "next", c->state[i].next);
		out_end(o);
	}
}

static void put_number(struct out *o, const char *what, uint64_t number)
{
	out_text(o, "what", what);
	out_number(o, "value", number);
	out_end(o);
}

static int put_room(struct out *o, const struct instance *in)
{
	struct spool_room room;

	if (!spool_room(&in->spool, &room)) {
		complain("the free space cannot be asked for: %s", strerrordesc_np(errno));
		return EXIT_ENVIRON;
	}
	put_number(o, "free-bytes", room.bytes);
	put_number(o, "total-bytes", room.total);
	if (room.files != UINT64_MAX)
		put_number(o, "free-files", room.files);
	return EXIT_FINE;
}

static void count_entry(void *context, const struct freeze_entry *e)
{
	uint64_t *n = context;

	(void)e;
	(*n)++;
}

static void put_frozen(struct out *o)
{
	static const char *const files[] = {FREEZE_FILE, FREEZE_QUOTA_FILE};
	struct conf_fault fault;
	const char *bad = NULL;
	char text[64];
	uint64_t n = 0;
	int lib = open("lib", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < COUNT_OF(files); i++) {
		if (lib < 0 || !freeze_list(lib, files[i], count_entry, &n, &fault))
			bad = files[i];
	}
	if (bad == NULL) {
		put_number(o, "frozen", n);
	} else {
		(void)snprintf(text, sizeof text, "everything: lib/%s is unreadable", bad);
		out_text(o, "what", "frozen");
		out_text(o, "value", text);
		out_end(o);
	}
	if (lib >= 0)
		(void)close(lib);
}

static void put_clock(void *context, const struct clock_mark *mark)
{
	struct out *o = context;

	out_text(o, "what", "clock");
	out_text(o, "stage", mark->stage);
	out_text(o, "state", mark->state);
	out_end(o);
}

int shell_stats(const struct shell *sh, int argc, char **argv)
{
	struct instance in;
	struct counting c = {.in = &in};
	struct out o;
	int code;

	(void)argv;
	if (argc > 0)
		return complain_usage("stats takes no arguments");
	code = instance_open(&in);
	if (code != EXIT_FINE)
		return code;

	for (size_t i = 0; i < STATE_COUNT; i++)
		c.state[i] = (struct totals){.oldest = -1, .next = -1};
	out_open(&o, sh, "STATE\tLEGS\tBYTES\tOLDEST\tNEXT");
	if (names_walk(&in.spool, STATES_LISTED, false, count, &c)) {
		put_states(&o, &c);
		code = put_room(&o, &in);
	} else {
		complain("the spool cannot be listed: %s", strerrordesc_np(errno));
		code = EXIT_ENVIRON;
	}
	put_frozen(&o);
	if (!clocks_each(put_clock, &o))
		code = EXIT_ENVIRON;
	instance_close(&in);
	return out_close(&o, code);
}
