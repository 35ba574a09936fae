/*
 * body: the mail itself, as a file of its own. What stands around it in the leg's file - votes with their
 * comments, where it came from, and all that is appended later - is not the reader's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/hold/answering.h"
#include "queue/audit.h"
#include "queue/receive.h"
#include "queue/reseal.h"

#define PIECE ((size_t)256 * 1024)

/* A copy that is being made, piece by piece: mail may be large, and the main loop has other things to do. */
struct body_work {
	bool opened;
	struct asked_leg leg; /* stays open: it may be renamed meanwhile */
	int copy;             /* an unnamed file */
	uint64_t done;
	struct digest *digest;
};

void body_work_free(struct body_work *work)
{
	if (work == NULL)
		return;
	if (work->opened)
		asked_leg_close(&work->leg);
	if (work->copy >= 0)
		(void)close(work->copy);
	digest_free(work->digest);
	free(work);
}

/* Whoever reads a body is written down before he has it. */
static bool audit_read(struct answering *a, const struct asked_leg *leg)
{
	char id[NAME_TEXT];
	struct buf line;
	bool said;

	name_format(&leg->o.leg.name, STATE_NEW, id);
	buf_init(&line, AUDIT_LINE_MAX);
	audit_begin(&line, "read");
	audit_put(&line, "id", id);
	audit_put(&line, "state", state_name(leg->state));
	audit_put(&line, "from", leg->o.leg.from);
	audit_put(&line, "by", a->asker.address);
	audit_put(&line, "via", a->asker.via);
	said = audit_well(a->h->stage->audit) && audit_say_line(a->h->stage->audit, true, &line);
	if (!said)
		LOG_ALARM("not-audited", kv("id", id), kv("what", "read"), kv_errno(errno));
	buf_free(&line);
	return said;
}

static void not_now(struct answering *a)
{
	answer_say(a, "no", "environment", "it cannot be copied just now: try again");
}

/* ---- the copy ----------------------------------------------------------------------------- */

/* An unnamed file with room for it; never the space that new mail needs. -1: there is none. */
static int scratch(const struct stage *stage, uint64_t size)
{
	struct receive_limits limits;
	int fd = -1;

	receive_limits_take(&limits, &stage->settings);
	if (receive_room(&stage->spool, &limits, size))
		fd = reseal_scratch(stage);
	if (fd >= 0 && size > 0 && !spool_reserve(fd, (off_t)size)) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static bool write_piece(int fd, const char *bytes, size_t len, off_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, bytes, len, at);

		if (n <= 0)
			return false;
		bytes += n;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

/* As much as this turn allows. False: the system failed. */
static bool copy_some(struct answering *a, struct body_work *work)
{
	const struct leg *l = &work->leg.o.leg;
	char *bytes = malloc(PIECE);
	bool fine = bytes != NULL;

	while (fine && work->done < l->size && a->turn->bytes > 0) {
		size_t most = a->turn->bytes < PIECE ? a->turn->bytes : PIECE;
		ssize_t n;

		if (l->size - work->done < most)
			most = (size_t)(l->size - work->done);
		n = pread(work->leg.o.fd, bytes, most, l->content + (off_t)work->done);
		fine = n > 0 && write_piece(work->copy, bytes, (size_t)n, (off_t)work->done);
		if (!fine)
			break;
		digest_add(work->digest, bytes, (size_t)n);
		work->done += (uint64_t)n;
		a->turn->bytes -= (size_t)n;
	}
	free(bytes);
	return fine;
}

/* The copy is whole: what is read is what was accepted, or nothing is. */
static void give(struct answering *a, struct body_work *work)
{
	const struct leg *l = &work->leg.o.leg;
	char name[NAME_TEXT], hex[DIGEST_HEX];

	digest_end(work->digest, hex);
	if (strcmp(hex, l->sha256) != 0) {
		answer_say(a, "no", "environment", "its content is damaged, or was thrown away");
		return;
	}
	if (!audit_read(a, &work->leg)) {
		answer_say(a, "no", "audit", "the audit cannot be written, so it is not shown");
		return;
	}
	a->leg = spool_reopen_to_read(work->copy);
	if (a->leg < 0) {
		not_now(a);
		return;
	}
	name_format(&l->name, STATE_NEW, name);
	answer_say(a, "done", NULL, NULL);
	answer_set(a->json, "leg", json_string(name));
	answer_set(a->json, "offset", json_integer(0));
	answer_set(a->json, "size", json_integer((json_int_t)l->size));
}

/* ---- which leg ---------------------------------------------------------------------------- */

/* Opens what is asked for. False: it was answered. */
static bool open_leg(struct answering *a, struct body_work *work)
{
	struct asker_role role;
	struct walk w;

	if (!walk_begin(&w, a))
		return false;
	w.only = gate_request_value(a->request, "leg");
	work->opened = walk_next(&w, &work->leg, &role);
	if (!work->opened)
		answer_gone(a, &w.passed);
	walk_end(&w);
	return work->opened;
}

/* False: it was answered. */
static bool begin_copy(struct answering *a, struct body_work *work)
{
	if (!open_leg(a, work))
		return false;
	if (work->leg.o.leg.emptied) {
		answer_say(a, "no", "emptied", "its content has been thrown away");
		return false;
	}
	work->copy = scratch(a->h->stage, work->leg.o.leg.size);
	work->digest = digest_new();
	if (work->copy >= 0 && work->digest != NULL)
		return true;
	not_now(a);
	return false;
}

/* The same. */
static bool begin(struct answering *a)
{
	struct body_work *work;

	if (!answer_take_id(a))
		return false;
	if (!asker_may(&a->asker, GATE_READ)) {
		answer_refuse(a, "forbidden", "rights", "the link is not for that");
		return false;
	}
	work = calloc(1, sizeof *work);
	if (work == NULL) {
		not_now(a);
		return false;
	}
	work->copy = -1;
	a->work->body = work; /* freed with the rest */
	return begin_copy(a, work);
}

bool answer_body(struct answering *a)
{
	struct body_work *work;

	if (a->work->body == NULL && !begin(a))
		return true;
	work = a->work->body;
	if (!copy_some(a, work)) {
		not_now(a);
		return true;
	}
	if (work->done < work->leg.o.leg.size) {
		a->turn->at_once = true;
		return false;
	}
	give(a, work);
	return true;
}
