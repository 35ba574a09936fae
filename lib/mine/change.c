/* A change of rules, from the first check to the generation that is in force. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/mine/work.h"
#include "lib/org/compile.h"

/* "seki compile" may be at work, with its tests; pages wait 15 seconds for the answer. */
#define LOCK_SECONDS 10

static void at(const struct mine_work *w, enum mine_point point)
{
	if (w->mine->at != NULL)
		w->mine->at(point);
}

/* ---- what others have begun --------------------------------------------------------------- */

static bool in_force(void *context, const char *address, const char *bytes, size_t len)
{
	const struct buf *rules = context;
	char path[MINE_PATH_MAX];
	const char *found;
	size_t n;

	(void)snprintf(path, sizeof path, "user/%s", address);
	found = policy_rules_find(rules->bytes, rules->len, path, &n);
	LOG("rules-unfinished", kv("who", address),
	    kv("done", n == len && (n == 0 || memcmp(found, bytes, n) == 0) ? "yes" : "no"));
	return n == len && (n == 0 || memcmp(found, bytes, n) == 0);
}

/* With the lock. */
static int finish(const struct mine *mine)
{
	struct conf_fault fault;
	struct buf rules;
	int done = -1;

	buf_init(&rules, (size_t)64 * 1024 * 1024);
	errno = EPROTO;
	if (policy_current_rules(&rules, &fault))
		done = mine_file_finish(mine->users, in_force, &rules);
	buf_free(&rules);
	return done;
}

int mine_finish(const struct mine *mine)
{
	int lock = compile_lock(mine->compiled, LOCK_SECONDS), done, error;

	if (lock < 0)
		return -1;
	done = finish(mine);
	error = errno;
	(void)close(lock);
	errno = error;
	return done;
}

bool mine_lock(struct mine_work *w)
{
	w->lock = compile_lock(w->mine->compiled, LOCK_SECONDS);
	return (w->lock >= 0 && finish(w->mine) >= 0) ||
	       mine_later(w, "the lock, or a change that was not finished", strerrordesc_np(errno));
}

/* ---- the change --------------------------------------------------------------------------- */

static bool tests_pass(struct mine_work *w, const struct generation *generation)
{
	switch (w->mine->test(w->mine->context, generation->name)) {
	case MINE_TESTS_FINE:
		return true;
	case MINE_TESTS_RED:
		return mine_no(w, "tests");
	case MINE_TESTS_UNABLE:
		break;
	}
	return mine_later(w, "the tests of rules", "they cannot be run");
}

/* Before anything is changed: what nobody would know of is not done. */
static bool audited(struct mine_work *w, const struct generation *generation, const char *after)
{
	struct audit *audit = w->mine->audit;
	bool adds = w->line > 0, said;
	char why[AUDIT_REASON_MAX];
	struct buf line;

	if (!audit_well(audit)) {
		audit_reason(audit, why, sizeof why);
		return mine_later(w, "the audit log", why);
	}
	buf_init(&line, AUDIT_LINE_MAX);
	audit_begin(&line, "own-rules");
	audit_put(&line, "by", w->address);
	audit_put(&line, "via", "web");
	audit_put(&line, "do", adds ? "add" : "remove");
	if (adds)
		audit_put(&line, "rule", w->rule.name);
	audit_put(&line, "before", w->file.digest);
	audit_put(&line, "after", after);
	audit_put(&line, "generation", generation->name);
	said = audit_say_line(audit, true, &line);
	buf_free(&line);
	return said || mine_later(w, "the audit log", strerrordesc_np(errno));
}

/* The file, and then the generation that has it. What fails in between is taken back, as after a crash. */
static bool put_in_force(struct mine_work *w, const struct generation *generation)
{
	const struct mine *mine = w->mine;
	struct conf_fault fault = {.line = 0};
	bool done = mine_file_put(mine->users, w->address, w->fresh.bytes, w->fresh.len);

	if (!done)
		(void)conf_blame(&fault, 0, 0, "%s", strerrordesc_np(errno));
	at(w, MINE_PUT);
	done = done && compile_publish(mine->compiled, generation, &fault);
	at(w, MINE_PUBLISHED);
	if (done) {
		mine_file_keep(mine->users, w->address);
		return true;
	}
	if (finish(mine) < 0)
		LOG_ALARM("rules-unfinished", kv("who", w->address), kv_errno(errno));
	return mine_later(w, "the person's file", fault.text);
}

/*
 * Each change leaves a file of rules behind: what new mail is to have is not taken for it. Mail is refused where
 * less is free than it is to find, so this ends at twice as much.
 */
static bool has_room(struct mine_work *w)
{
	const struct settings *settings = w->mine->settings;
	uint64_t keep, left;
	struct statvfs room;

	if (fstatvfs(w->mine->compiled, &room) != 0)
		return mine_later(w, "the generation", strerrordesc_np(errno));
	keep = (uint64_t)room.f_blocks * room.f_frsize / 100 * (uint64_t)settings->space_percent;
	if (keep > (uint64_t)settings->space_bytes)
		keep = (uint64_t)settings->space_bytes;
	left = (uint64_t)room.f_bavail * room.f_frsize;
	/* File systems without a number of files say 0. */
	if (left >= 2 * keep + w->bundle.len + w->fresh.len &&
	    (room.f_files == 0 || room.f_favail >= 2 * (uint64_t)settings->space_files))
		return true;
	return mine_later(w, "the generation", strerrordesc_np(ENOSPC));
}

/* Tests and generations cost everybody: how often that is, is bounded, whatever becomes of it. */
static bool not_often(struct mine_work *w)
{
	const struct settings *settings = w->mine->settings;

	return w->mine->often == NULL ||
	       often_count(w->mine->often, w->address, clock_boot(),
		   (size_t)settings->own_rules_changes, (size_t)settings->own_rules_changes_all) ||
	       mine_no(w, "often");
}

/* An administrator takes no lock to write a file by hand: it must be the one that was looked at. */
static bool still_same(struct mine_work *w)
{
	struct mine_file now;
	bool same = mine_file_read(w->mine->users, w->address, &now) &&
		    now.there == w->file.there && now.hand == w->file.hand &&
		    strcmp(now.digest, w->file.digest) == 0;

	if (!same)
		mine_set(w->json, "digest", json_string(now.digest));
	mine_file_free(&now);
	return same || mine_no(w, "changed");
}

bool mine_change(struct mine_work *w)
{
	struct generation generation;
	struct conf_fault fault;
	char after[DIGEST_HEX], why[sizeof fault.file + sizeof fault.text + 32];
	bool done;

	digest_of(w->fresh.len > 0 ? w->fresh.bytes : "", w->fresh.len, after);
	if (!has_room(w) || !not_often(w))
		return false;
	if (!compile_rules(
		w->mine->compiled, w->bundle.bytes, w->bundle.len, &generation, &fault)) {
		conf_fault_show(&fault, why, sizeof why);
		return mine_later(w, "the generation", why);
	}
	at(w, MINE_COMPILED);
	done = tests_pass(w, &generation) && still_same(w) && audited(w, &generation, after);
	if (done)
		at(w, MINE_AUDITED);
	done = done && still_same(w) && put_in_force(w, &generation);
	if (!done) {
		compile_abandon(w->mine->compiled, &generation);
		return false;
	}
	LOG("rules-changed", kv("who", w->address), kv("do", mine_verb_word(w->request.verb)),
	    kv("generation", generation.name));
	mine_set(w->json, "generation", json_string(generation.name));
	mine_set(w->json, "digest", json_string(after));
	return true;
}
