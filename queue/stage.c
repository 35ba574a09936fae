/* The stage's loop: events, the timetable, the background, the sweep. */
#include "queue/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"
#include "queue/audit.h"
#include "queue/order_door.h"
#include "queue/order_leg.h"
#include "queue/split.h"

#define TURN_LEGS 64 /* looked at before events are seen to again */
#define BACKGROUND_LEGS                                                                            \
	16 /* looked at in BACKGROUND_EVERY: no more than a small part of the time */
#define BACKGROUND_MS   10
#define DOOR_EVERY      (CLOCK_SECOND / 50) /* while there is too much to do to wait for the bell */
#define EVENTS_ROOM     ((size_t)65536)
#define CREATED_WAIT    10 /* seconds that a file made in place (cp) has to become whole */
#define RETENTION_EVERY 12 /* sweeps: directories of finished legs are large and slow to change */
#define LONGEST_NAP_MS  1000

/* The directories whose legs have come to an end, and how long they are kept there. */
static int64_t keep_time(const struct settings *s, enum spool_state state)
{
	switch ((int)state) {
	case STATE_SENT:
		return s->keep_sent;
	case STATE_TRASH:
		return s->keep_trash;
	case STATE_REFUSED:
		return s->keep_refused;
	case STATE_BAD:
		return s->keep_bad;
	default:
		return -1;
	}
}

int64_t stage_now(const struct stage *stage)
{
	return watch_now(&stage->watch) / CLOCK_SECOND;
}

bool stage_timer_frozen(const struct stage *stage, enum spool_state state)
{
	return stage->watch.frozen && (state == STATE_HOLD || state == STATE_STAGGER);
}

static void add(struct timetable *t, const struct leg_name *name, int64_t look)
{
	if (!timetable_add(t, name, look))
		die_environ("memory for the timetable");
}

void stage_schedule(
    struct stage *stage, enum spool_state state, const struct leg_name *name, int64_t when)
{
	add(&stage->due[state], name, when);
}

/* ---- names as they are seen --------------------------------------------------------------- */

/*
 * Reads a name found in `state`. A leg's name of another state's form (moved by hand) is mended by
 * a rename, which comes back as an event; what is no leg's name goes to bad/. True: it is a name
 * of this state.
 */
static bool read_name(
    struct stage *stage, enum spool_state state, const char *text, struct leg_name *name)
{
	char right[NAME_TEXT];

	if (!name_parse(text, name)) {
		stage_quarantine(stage, state, text, "no leg's name");
		return false;
	}

	name_format(name, state, right);
	if (strcmp(right, text) == 0 && state_has_due(state) == (name->due != DUE_NONE))
		return true;
	(void)stage_move(stage, state, text, name, state, stage_now(stage), "wrong form of name");
	return false;
}

/*
 * When to look at a leg of that DUE. While the clock is suspect, so is a DUE that was written by it:
 * one that lies further off than any retry is not waited for.
 */
static int64_t look_at(const struct stage *stage, const struct leg_name *name)
{
	int64_t now = stage_now(stage);

	if (stage->watch.frozen && name->due != DUE_NEVER &&
	    name->due > now + stage->settings.retry_longest / CLOCK_SECOND)
		return now;
	return name->due;
}

static void appeared(struct stage *stage, enum spool_state state, const char *text)
{
	struct leg_name name;

	if (!read_name(stage, state, text, &name))
		return;
	if (keep_time(&stage->settings, state) >= 0) {
		/* What a job of the role has moved here, the job ends itself. */
		if (stage->role->in_hand == NULL || !stage->role->in_hand(stage, &name))
			add(&stage->background[state], &name, DUE_NONE);
		return;
	}

	/*
	 * Whose work is done in jobs has the leg looked at by a job; a later one is proved at once,
	 * unless a job that has just proved it gave it that name.
	 */
	if (stage->role->take == NULL ||
	    (look_at(stage, &name) > stage_now(stage) && !stage->role->in_hand(stage, &name)))
		stage_look(stage, state, &name);
	if (stage->role->take != NULL && (look_at(stage, &name) > stage_now(stage) ||
					     !stage->role->take(stage, state, &name, true)))
		add(&stage->due[state], &name, look_at(stage, &name));
}

/* ---- the sweep ---------------------------------------------------------------------------- */

struct sweep {
	struct stage *stage;
	enum spool_state state;
	bool first; /* after a start: each leg is looked at once */
};

/* Whether a finished leg has been kept long enough; if so it is removed. */
static bool expired(struct stage *stage, enum spool_state state, const char *text, int64_t since)
{
	int64_t keep = keep_time(&stage->settings, state);
	int64_t written;

	if (keep <= 0 || stage->watch.frozen || since + keep > watch_now(&stage->watch))
		return false;
	written = spool_changed(&stage->spool, state, text);
	if (written < 0 || written + keep > watch_now(&stage->watch))
		return false;

	if (!spool_remove(&stage->spool, state, text))
		return false;
	LOG("removed", kv("name", text), kv("state", state_name(state)),
	    kv("why", "kept long enough"));
	return true;
}

static bool sweep_name(void *context, const char *text)
{
	const struct sweep *sweep = context;
	struct stage *stage = sweep->stage;
	enum spool_state state = sweep->state;
	struct leg_name name;

	/* Nothing is removed for age before the clock has been looked at. */
	if (state == STATE_BAD) {
		if (!sweep->first)
			(void)expired(stage, state, text, 0);
		return true;
	}
	if (!read_name(stage, state, text, &name))
		return true;
	if (!sweep->first && expired(stage, state, text, id_time(name.id)))
		return true;

	if (state_has_due(state))
		add(&stage->due[state], &name, look_at(stage, &name));
	else if (keep_time(&stage->settings, state) < 0)
		add(&stage->due[state], &name, stage_now(stage));
	if (sweep->first && (state_has_due(state) || keep_time(&stage->settings, state) >= 0))
		add(&stage->background[state], &name, DUE_NONE);
	return true;
}

static void sweep_all(struct stage *stage, bool first)
{
	bool retention = first || ++stage->sweeps % RETENTION_EVERY == 0;

	if (stage->role->sweeping != NULL)
		stage->role->sweeping(stage);

	for (size_t i = 0; i < stage->role->n_states; i++) {
		enum spool_state state = stage->role->states[i];
		struct sweep sweep = {
		    stage, state, first || stage->overflow || stage->unseen[state]};

		if (keep_time(&stage->settings, sweep.state) >= 0 && !retention && !sweep.first)
			continue;
		timetable_clear(&stage->due[sweep.state]);
		stage->unseen[state] = false;
		if (!spool_list(&stage->spool, state, sweep_name, &sweep)) {
			stage->unseen[state] = sweep.first;
			LOG_ALARM(
			    "sweep-failed", kv("state", state_name(sweep.state)), kv_errno(errno));
		}
	}
	stage->swept = clock_boot();
	stage->overflow = false;
}

/* ---- events ------------------------------------------------------------------------------- */

static bool state_of_watch(const struct stage *stage, int wd, enum spool_state *state)
{
	for (size_t i = 0; i < stage->role->n_states; i++) {
		*state = stage->role->states[i];
		if (stage->watch_descriptor[*state] == wd)
			return true;
	}
	return false;
}

static void one_event(struct stage *stage, const struct inotify_event *event)
{
	enum spool_state state;
	struct leg_name name;

	if ((event->mask & IN_Q_OVERFLOW) != 0) {
		stage->overflow = true;
		return;
	}
	if (event->len == 0 || !state_of_watch(stage, event->wd, &state) || state == STATE_BAD)
		return;
	if ((event->mask & IN_MOVED_TO) != 0)
		appeared(stage, state, event->name);
	else if (name_parse(event->name, &name))
		add(&stage->due[state], &name, stage_now(stage) + CREATED_WAIT);
}

/* Sees to what has happened since the last turn. True if there was anything. */
static bool read_events(struct stage *stage)
{
	static const size_t header = sizeof(struct inotify_event);
	char bytes[EVENTS_ROOM] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n = read(stage->inotify, bytes, sizeof bytes);

	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *event = (const void *)(bytes + at);

		one_event(stage, event);
		at += (ssize_t)(header + event->len);
	}
	return n > 0;
}

static void take_limits(struct stage *stage)
{
	stage->limits.trailer_max = stage->settings.trailer_max;
	stage->limits.legs_max = stage->settings.legs_max;
	stage->limits.split_max = stage->settings.split_max;
}

/* The new configuration as a whole, or the old one. */
static void reload(struct stage *stage)
{
	struct settings fresh;
	struct conf_fault fault;
	char text[512];
	bool taken = settings_read(stage->etc, &fresh, &fault);

	if (!taken)
		conf_fault_show(&fault, text, sizeof text);
	else if (stage->role->reload != NULL)
		taken = stage->role->reload(stage, &fresh, text, sizeof text);
	if (taken) {
		stage->settings = fresh;
		take_limits(stage);
		audit_settings(stage->audit, &stage->settings);
		LOG("reloaded", kv("file", "etc/settings"));
	} else {
		LOG_ALARM("reload-refused", kv("fault", text));
	}
	reload_answer(stage->role->program, taken, taken ? "" : text);
}

static void read_signals(struct stage *stage)
{
	struct signalfd_siginfo info;

	while (read(stage->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGTERM) {
			stage->draining = true;
		} else if (info.ssi_signo == SIGALRM) {
			if (stage->role->alarm != NULL)
				stage->role->alarm(stage);
		} else {
			reload(stage);
		}
	}
}

/* ---- the loop ----------------------------------------------------------------------------- */

/* Looks at legs whose time has come, the earliest first. True if there were any. */
static bool work_due(struct stage *stage, enum spool_state state)
{
	struct timetable *t = &stage->due[state];
	struct leg_name name;
	size_t done = 0;

	while (done < TURN_LEGS && !stage_timer_frozen(stage, state) &&
	       timetable_next(t) <= stage_now(stage) && timetable_pop(t, &name)) {
		if (stage->role->take == NULL || keep_time(&stage->settings, state) >= 0) {
			stage_look(stage, state, &name);
		} else if (!stage->role->take(stage, state, &name, false)) {
			add(t, &name, stage_now(stage));
			stage->full = true;
			break;
		}
		done++;
	}
	return done > 0;
}

/*
 * Looks at some of the legs that nobody has seen since the start, now and then: there may be very many,
 * and mail that comes meanwhile is not to wait for them.
 */
static void work_background(struct stage *stage)
{
	struct leg_name name;
	size_t done = 0;

	if (clock_boot() - stage->looked < BACKGROUND_MS * CLOCK_SECOND / 1000)
		return;
	stage->looked = clock_boot();
	for (size_t i = 0; i < stage->role->n_states; i++) {
		enum spool_state state = stage->role->states[i];

		while (done < BACKGROUND_LEGS && timetable_pop(&stage->background[state], &name)) {
			stage_look(stage, state, &name);
			done++;
		}
	}
}

static bool background_waits(const struct stage *stage)
{
	size_t n = 0;

	for (size_t i = 0; i < stage->role->n_states; i++)
		n += stage->background[stage->role->states[i]].n;
	return n > 0;
}

static struct order_answer carry_out(void *context, const struct order *order)
{
	return order_carry_out(context, order);
}

/* One turn. Returns whether there is more to do at once. */
static bool turn(struct stage *stage)
{
	bool busy = false;

	watch_look(&stage->watch);
	read_signals(stage);
	if (stage->draining)
		return true;

	stage->full = false;
	busy = read_events(stage);
	if (stage->door != NULL &&
	    (stage->door_rang || clock_boot() - stage->door_looked > DOOR_EVERY)) {
		stage->door_rang = false;
		stage->door_looked = clock_boot();
		order_door_serve(stage->door, carry_out, stage);
	}
	if (stage->role->turn != NULL)
		stage->role->turn(stage);
	for (size_t i = 0; i < stage->role->n_states; i++)
		busy |= work_due(stage, stage->role->states[i]);
	if (!busy)
		work_background(stage);
	if (stage->overflow || clock_boot() - stage->swept >= stage->settings.sweep_every)
		sweep_all(stage, false);
	return busy;
}

/* How long there is nothing to do, in milliseconds. */
static int nap(const struct stage *stage)
{
	int64_t next = DUE_NEVER, now = watch_now(&stage->watch), ms;
	int longest = background_waits(stage) ? BACKGROUND_MS : LONGEST_NAP_MS;
	int role = stage->role->nap != NULL ? stage->role->nap(stage) : -1;

	if (role >= 0 && role < longest)
		longest = role;
	for (size_t i = 0; i < stage->role->n_states; i++) {
		int64_t due = timetable_next(&stage->due[stage->role->states[i]]);

		if (!stage_timer_frozen(stage, stage->role->states[i]) && due < next)
			next = due;
	}
	if (next == DUE_NEVER || stage->full)
		return longest;
	ms = (next * CLOCK_SECOND - now + 999) / 1000;
	return ms < 1 ? 1 : ms > longest ? longest : (int)ms;
}

static void rest(struct stage *stage)
{
	struct pollfd fds[3 + ORDER_FDS] = {
	    {.fd = stage->inotify, .events = POLLIN},
	    {.fd = stage->signals, .events = POLLIN},
	    {.fd = stage->role->wake_fd != NULL ? stage->role->wake_fd(stage) : -1,
		.events = POLLIN},
	};

	nfds_t n = 3;

	if (stage->door != NULL)
		n += order_door_poll(stage->door, fds + n);
	(void)poll(fds, n, clock_patience(nap(stage)));
	for (nfds_t i = 3; i < n; i++)
		stage->door_rang |= fds[i].revents != 0;

	/*
	 * A role that has nothing in hand lets a few legs come together: their jobs then sync at the
	 * same time, the kernel merges the commits, and new mail waits behind fewer of them.
	 */
	if (stage->role->gather_ms > 0 && fds[0].revents != 0 && stage->role->at_rest(stage))
		(void)poll(&fds[1], 1, stage->role->gather_ms);
}

/* ---- the start ---------------------------------------------------------------------------- */

static void open_signals(struct stage *stage)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGALRM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	stage->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (stage->signals < 0)
		die_environ("signalfd");
}

static void open_configuration(struct stage *stage)
{
	struct conf_fault fault;
	char text[512];

	stage->etc = open("etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (stage->etc < 0)
		die_environ("etc/");
	if (!settings_read(stage->etc, &stage->settings, &fault)) {
		conf_fault_show(&fault, text, sizeof text);
		reload_answer(stage->role->program, false, text);
		die_config(text);
	}
	take_limits(stage);
}

void stage_check_filesystem(const struct spool *spool, const struct settings *settings)
{
	char why[256];

	if (spool_filesystem_known(spool, why, sizeof why))
		return;
	if (!settings->trial && !settings->spool_any_filesystem)
		die_config(why);
	LOG_ALARM("file-system", kv("why", why), kv("because", "trial or spool-any-filesystem"));
}

static void open_spool(struct stage *stage)
{
	if (!spool_open(&stage->spool, &stage->settings, stage->role->split_of))
		die_environ("spool/");
	stage_check_filesystem(&stage->spool, &stage->settings);

	for (size_t i = 0; i < stage->role->n_states; i++) {
		if (!spool_lock(&stage->spool, stage->role->states[i]))
			die_environ("lock of spool/ (does this stage run twice?)");
	}
	if (stage->role->split_of != NULL) {
		if (!spool_lock_split(&stage->spool))
			die_environ("lock of spool/split/ (does this stage run twice?)");
		if (!split_recover(stage))
			die_environ("recovery of spool/split/");
	}
}

/* From here on nothing that appears is missed: the watch is set before the sweep. */
static void open_events(struct stage *stage)
{
	char path[32];

	stage->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (stage->inotify < 0)
		die_environ("inotify");
	for (size_t i = 0; i < stage->role->n_states; i++) {
		enum spool_state state = stage->role->states[i];

		(void)snprintf(path, sizeof path, "spool/%s", state_name(state));
		stage->watch_descriptor[state] =
		    inotify_add_watch(stage->inotify, path, IN_MOVED_TO | IN_CREATE | IN_ONLYDIR);
		if (stage->watch_descriptor[state] < 0)
			die_environ("inotify watch");
	}
}

/* A stage that nobody can give orders to still moves mail. */
static void open_orders(struct stage *stage)
{
	if (stage->role->n_orders == 0)
		return;
	stage->door = order_door_open(stage->role->program);
	if (stage->door == NULL)
		LOG_ALARM("no-orders", kv("program", stage->role->program), kv_errno(errno));
}

static bool any_waits(const struct stage *stage)
{
	size_t n = 0;

	for (size_t i = 0; i < stage->role->n_states; i++)
		n += stage->due[stage->role->states[i]].n;
	return n > 0;
}

int stage_main(const struct stage_role *role, void *context)
{
	static struct stage stage; /* as large as its tables; one a process */

	ready_keep_fd();
	stage.role = role;
	stage.context = context;
	open_signals(&stage);
	open_configuration(&stage);
	stage.watch.settings = &stage.settings;
	stage.watch.wall = clock_wall();
	stage.watch.boot = clock_boot();
	open_spool(&stage);
	open_events(&stage);
	stage.audit = audit_reach(role->program);
	if (stage.audit == NULL)
		die_environ("the audit");
	audit_settings(stage.audit, &stage.settings);
	open_orders(&stage);
	sweep_all(&stage, true);
	watch_start(&stage.watch, role->program, &stage.settings, any_waits(&stage));
	if (role->start != NULL)
		role->start(&stage);
	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer(role->program, true, "");
	ready_tell();
	LOG("ready", kv("program", role->program));

	while (!stage.draining) {
		if (!turn(&stage))
			rest(&stage);
	}
	if (role->drain != NULL)
		role->drain(&stage);
	LOG("stopped-by", kv("signal", "TERM"));
	return EXIT_FINE;
}
