/*
 * Who is logged in: in memory, and a file for each (lib/login/record.h) in lib/login/sessions/, named by the
 * SHA-256 of the session's token, which stands nowhere. When a session was used last is its file's time of
 * modification.
 *
 * How old a session is tells the boot clock, which nobody sets: it is only after the machine was started anew that
 * the wall clock is asked. A session of which that says something impossible, and every session if the clock stands
 * before a time that was seen, is over: its person logs in again.
 *
 * Nothing here is called by two threads.
 */
#ifndef SEKISHO_LOGIN_SESSIONS_H
#define SEKISHO_LOGIN_SESSIONS_H

#include "lib/login/ask.h"
#include "lib/login/record.h"

#define SESSIONS_PERSON_MAX ((size_t)20) /* of one person; the one used longest ago makes room */

/* Both clocks of a moment. */
struct sessions_now {
	int64_t wall, boot;
};

struct sessions_limits {
	int64_t idle, longest; /* microseconds */
	size_t most;
};

/* To be read only. */
struct sessions_one {
	struct sessions_one *next; /* in its bucket */
	struct record_session record;
	int64_t begun; /* clock_boot(); before 0 if it began before the machine did */
	int64_t seen;  /* clock_boot() when it was used last */
	int64_t seen_wall;
	int64_t marked; /* clock_boot() when the file was told of its use */
};

struct sessions;

/*
 * Reads what is in the directory `dir` (its descriptor, owned from now on). What is no session any more is taken
 * away; what is damaged is put aside as NAME.bad, with an alarm. `boot` names this boot of the machine. NULL with
 * errno.
 */
NODISCARD struct sessions *sessions_open(int dir, const char boot[RECORD_BOOT_TEXT],
    const struct sessions_limits *limits, struct sessions_now now);
void sessions_close(struct sessions *sessions);

/* Other limits from now on. */
void sessions_limit(
    struct sessions *sessions, const struct sessions_limits *limits, struct sessions_now now);

enum sessions_found {
	SESSIONS_GOOD,
	SESSIONS_UNKNOWN,
	SESSIONS_OVER, /* its time is over; it is forgotten now */
};

/* Looks for the session of a token: any text. `*one` is good until the next call that ends sessions. */
enum sessions_found sessions_find(struct sessions *sessions, const char *token,
    struct sessions_now now, const struct sessions_one **one);

/*
 * A new session, on the disk when this returns true; its token is made here, and is the caller's to wipe. Sessions
 * that are used least make room for it. False with errno: there is none.
 */
NODISCARD bool sessions_begin(struct sessions *sessions, const char *address, const char *source,
    bool by_link, struct sessions_now now, char token[LOGIN_TOKEN_TEXT],
    const struct sessions_one **one);

/* It is being used. On the disk at most once in a minute. */
void sessions_use(
    struct sessions *sessions, const struct sessions_one *one, struct sessions_now now);

/* Ends it; all of a person, and says how many. False with errno: it is over, but a power cut may bring it back. */
NODISCARD bool sessions_end(struct sessions *sessions, const struct sessions_one *one);
NODISCARD bool sessions_end_all(struct sessions *sessions, const char *address, size_t *ended);

/* Those of a person, in no order; at most `room`. Returns how many. */
size_t sessions_of(const struct sessions *sessions, const char *address,
    const struct sessions_one **list, size_t room);

/* How long it lasts from now on if nobody uses it any more, microseconds; 0 or less: it is over. */
int64_t sessions_left(
    const struct sessions *sessions, const struct sessions_one *one, struct sessions_now now);

/* Forgets those whose time is over. */
void sessions_sweep(struct sessions *sessions, struct sessions_now now);

size_t sessions_count(const struct sessions *sessions);

#endif
