#include "lib/shell/legs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"

#define TRAILER_MAX ((size_t)64 * 1024 * 1024) /* the largest that trailer-max can be */

int instance_open(struct instance *in)
{
	struct conf_fault fault;
	char text[512];
	int etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (etc < 0 || !settings_read(etc, &in->settings, &fault)) {
		if (etc >= 0)
			conf_fault_show(&fault, text, sizeof text);
		complain_about(etc >= 0 ? text : "etc", "unreadable; going on with the defaults");
		settings_default(&in->settings);
	}
	if (etc >= 0)
		(void)close(etc);

	if (!spool_open(&in->spool, &in->settings, NULL)) {
		complain("spool/ cannot be opened: %s", strerrordesc_np(errno));
		return EXIT_ENVIRON;
	}
	return EXIT_FINE;
}

void instance_close(struct instance *in)
{
	spool_close(&in->spool);
}

/* ---- one leg ------------------------------------------------------------------------------ */

static enum finding read_found(struct found *f, const char *name)
{
	switch (leg_read(f->fd, TRAILER_MAX, &f->leg, &f->why)) {
	case LEG_FINE:
		f->read = true;
		return FOUND;
	case LEG_UNREADABLE:
	case LEG_TOO_LONG:
		return FOUND;
	case LEG_ENVIRON:
		break;
	}
	complain_about(name, "cannot be read: %s", strerrordesc_np(errno));
	(void)close(f->fd);
	return FOUND_FAILED;
}

enum finding found_open(
    const struct instance *in, const struct names *names, const struct entry *e, struct found *f)
{
	const char *name = entry_name(names, e);

	*f = (struct found){.fd = -1, .why = ""};
	switch (spool_open_leg(&in->spool, e->state, name, &f->fd)) {
	case SPOOL_GONE:
		return FOUND_GONE;
	case SPOOL_FOREIGN:
		return FOUND_FOREIGN;
	case SPOOL_FAILED:
		complain_about(name, "cannot be opened: %s", strerrordesc_np(errno));
		return FOUND_FAILED;
	case SPOOL_OPENED:
		break;
	}
	if (fstat(f->fd, &f->st) != 0) {
		complain_about(name, "fstat: %s", strerrordesc_np(errno));
		(void)close(f->fd);
		return FOUND_FAILED;
	}
	return read_found(f, name);
}

void found_close(struct found *f)
{
	if (f->read)
		leg_free(&f->leg);
	(void)close(f->fd); /* nothing was written */
}

/* The recipients' field: the first, and how many there are besides. */
static void recipients(struct out *o, const struct leg *leg)
{
	struct buf b;

	if (o->json) {
		out_text(o, "to", leg->rcpt[0].address);
		out_number(o, "recipients", leg->rcpts);
		return;
	}
	buf_init(&b, LEG_HEAD_MAX);
	buf_add_text(&b, leg->rcpt[0].address);
	if (leg->rcpts > 1)
		buf_addf(&b, " +%zu", leg->rcpts - 1);
	out_bytes(o, "to", b.bytes, b.len);
	buf_free(&b);
}

void leg_fields(
    struct out *o, const struct names *names, const struct entry *e, const struct found *f)
{
	const struct leg *leg = f != NULL && f->read ? &f->leg : NULL;

	out_text(o, "state", state_name(e->state));
	out_time(o, "due", e->due);
	out_text(o, "leg", entry_leg(names, e));
	out_time(o, "accepted", leg != NULL ? leg->accepted / CLOCK_SECOND : -1);
	if (leg != NULL) {
		out_text(o, "from", leg->from[0] == '\0' ? "<>" : leg->from);
		recipients(o, leg);
	} else {
		out_none(o, "from");
		out_none(o, "to");
	}
	if (leg != NULL)
		out_number(o, "size", leg->size);
	else if (f != NULL)
		out_number(o, "size", (uint64_t)f->st.st_size);
	else
		out_none(o, "size");
}

void leg_line(
    struct out *o, const struct names *names, const struct entry *e, const struct found *f)
{
	leg_fields(o, names, e, f);
	out_end(o);
}
