#include "lib/audit/server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/audit/state.h"
#include "lib/audit/take.h"
#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/base/log.h"
#include "lib/base/reload.h"

#define STATE_EVERY (2 * CLOCK_SECOND)
#define LOOK_EVERY  (CLOCK_SECOND / 5) /* between two batches; without inotify, at trays */
#define AGAIN_AFTER (2 * CLOCK_SECOND) /* a failure */
#define ALARM_EVERY (60 * CLOCK_SECOND)
#define DAY         (86400 * CLOCK_SECOND)

struct server {
	struct audit_log log;
	struct take *take;
	int signals;
	bool stopping;
	bool opened; /* the chain's end stands, and is ours */
	bool failed;
	struct log_claim claim;
	int64_t look_at;  /* boot clock: when trays are looked at */
	int64_t state_at; /* when the state is written */
	int64_t check_at; /* when it is looked whether the log could be written */
	int64_t alarm_at; /* before that no further alarm of a failure */
	int64_t head_day; /* the day of which the head was logged */
};

/* ---- how we are --------------------------------------------------------------------------- */

static void tell_state(struct server *s, int64_t boot)
{
	const struct chain_end *end = s->claim.known ? &s->claim.end : NULL;

	s->state_at = boot + STATE_EVERY;
	/* Should it not be there, or the directory be read-only, it becomes too old, which says the same. */
	if (!state_write(boot, s->failed ? s->log.reason : NULL, end))
		LOG("state-unwritten", kv("file", AUDIT_STATE), kv_errno(errno));
}

static void fail(struct server *s, int64_t boot)
{
	if (!s->failed || boot >= s->alarm_at) {
		LOG_ALARM("audit-failed", kv("why", s->log.reason),
		    kv("text", s->log.broken ? "see BROKEN CHAINS in seki-audit(8); until then new "
					       "mail gets 451 and held mail stays"
					     : "until it is mended new mail gets 451 and held "
					       "mail stays"));
		s->alarm_at = boot + ALARM_EVERY;
	}
	s->failed = true;
	s->look_at = boot + AGAIN_AFTER;
	tell_state(s, boot);
}

static void recover(struct server *s, int64_t boot)
{
	if (!s->failed)
		return;
	LOG("audit-recovered", kv_num("seq", (int64_t)s->log.end.seq));
	s->failed = false;
	tell_state(s, boot);
}

/* The head stands in another log, too: who changes ours, to its end, must change that as well. */
static void tell_head(struct server *s, int64_t now)
{
	if (s->head_day == now / DAY || s->failed)
		return;
	s->head_day = now / DAY;
	LOG("head", kv_num("seq", (int64_t)s->log.end.seq), kv("chain", s->log.end.chain));
}

/* ---- the work ----------------------------------------------------------------------------- */

static void keep_claim(struct server *s)
{
	s->claim.known = true;
	s->claim.end = s->log.end;
}

/* Checks the end of the chain; after a fault again and again, for a person may have mended it. */
static bool open_log(struct server *s, int64_t boot, int64_t now)
{
	s->opened = audit_log_open(&s->log, &s->claim, now) == LOG_OPENED;
	if (!s->opened) {
		fail(s, boot);
		return false;
	}
	LOG("audit-opened", kv("file", s->log.file), kv_num("seq", (int64_t)s->log.end.seq),
	    kv("chain", s->log.end.chain));
	keep_claim(s);
	recover(s, boot);
	return true;
}

/* Takes what was said. False: it failed. */
static bool one_batch(struct server *s, bool look, int64_t boot, int64_t now, bool *more)
{
	enum take_result took;

	audit_log_begin(&s->log, now);
	took = take_lines(s->take, &s->log, look);
	*more = took != TAKE_NOTHING;
	if (took == TAKE_FAILED || (*more && !audit_log_commit(&s->log))) {
		s->opened = !s->log.broken;
		fail(s, boot);
		return false;
	}
	if (*more) {
		take_done(s->take);
		keep_claim(s);
		s->state_at = boot; /* whoever verifies is to know the end */
	}
	return true;
}

/* Where nobody has said anything, nothing was tried: it is looked whether it could be written. */
static bool is_ready(struct server *s, int64_t boot)
{
	s->check_at = boot + STATE_EVERY;
	if (audit_log_ready(&s->log))
		return true;
	s->opened = !s->log.broken;
	fail(s, boot);
	return false;
}

static void work(struct server *s, bool look)
{
	int64_t boot = clock_boot(), now = clock_wall();
	bool more = false;

	if (boot >= s->look_at && (s->opened || open_log(s, boot, now)) &&
	    one_batch(s, look, boot, now, &more) &&
	    ((boot < s->check_at && !s->failed) || is_ready(s, boot))) {
		recover(s, boot);
		/* What is said meanwhile goes into the next batch. Then an event wakes us. */
		s->look_at = more || take_fd(s->take) < 0 ? boot + LOOK_EVERY : 0;
	}
	if (boot >= s->state_at)
		tell_state(s, boot);
	tell_head(s, now);
}

/* ---- signals ------------------------------------------------------------------------------ */

static void reload(void)
{
	static struct settings settings; /* too large for the stack; nothing of it is ours */
	char fault[512];
	bool taken = forks_settings(&settings, fault, sizeof fault);

	if (taken)
		LOG("reloaded", kv("program", AUDIT_PROGRAM));
	else
		LOG_ALARM("reload-refused", kv("what", fault));
	reload_answer(AUDIT_PROGRAM, taken, taken ? "" : fault);
}

static void read_signals(struct server *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			s->stopping = true;
		else if (info.ssi_signo == SIGHUP)
			reload();
	}
}

/* ---- the loop ----------------------------------------------------------------------------- */

static int patience(const struct server *s)
{
	int64_t now = clock_boot(), next = s->state_at;

	if (s->look_at > 0 && s->look_at < next)
		next = s->look_at;
	return next <= now ? 0 : (int)((next - now + 999) / 1000);
}

static void one_round(struct server *s)
{
	bool waits =
	    s->look_at > 0; /* a batch is due at a time: what is said meanwhile goes into it */
	struct pollfd fds[] = {{.fd = s->signals, .events = POLLIN},
	    {.fd = waits ? -1 : take_fd(s->take), .events = POLLIN}};
	int ready = poll(fds, COUNT_OF(fds), clock_patience(patience(s)));

	if (ready < 0 && errno != EINTR)
		die_environ("waiting for lines");
	if (ready > 0 && fds[0].revents != 0)
		read_signals(s);
	if (ready > 0 && fds[1].revents != 0)
		take_heard(s->take);
	if (s->stopping)
		return;
	if (ready == 0 || fds[1].revents != 0)
		work(s, ready == 0);
}

void audit_serve(int signals, void (*ready)(void))
{
	static struct server s; /* one a process */
	bool more;

	s = (struct server){.signals = signals, .claim = state_read()};
	s.take = take_open();
	if (s.take == NULL || !audit_log_init(&s.log))
		die_environ(AUDIT_TRAYS);
	work(&s, true);
	ready();
	while (!s.stopping)
		one_round(&s);
	/* Who comes back within audit-lag was never away: the state says no more than that we were here. */
	if (s.opened)
		(void)one_batch(&s, true, clock_boot(), clock_wall(), &more);
	tell_state(&s, clock_boot());
	take_close(s.take);
	audit_log_free(&s.log);
}
