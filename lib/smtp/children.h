/* The parent's book of its children: one line for each process that serves sessions. */
#ifndef SEKISHO_SMTP_CHILDREN_H
#define SEKISHO_SMTP_CHILDREN_H

#include "lib/smtp/ip.h"

/* More than smtp-sessions can be, since a child that was told to go is here until it has gone. */
#define CHILDREN_MAX 12288

struct child {
	pid_t pid;   /* 0: this line is free */
	int control; /* our end of its socket pair; -1: it was told to go, or has gone */
	struct ip source;
	bool keep;        /* may serve further connections of its source */
	bool idle;        /* waits for one */
	bool proxied;     /* a proxy will say whom it serves; then false */
	bool proven;      /* it is known whom it serves */
	bool shed;        /* killed, to make room */
	unsigned served;  /* connections that it was given */
	unsigned edition; /* of the configuration that it was forked with */
	int64_t born;     /* clock_boot() */
	int64_t idle_since;
};

struct children {
	struct child *line;
	size_t high;  /* lines from here on were never used */
	size_t alive; /* processes that exist */
	size_t busy;  /* those within a session */
	size_t idle;
};

/* Returns false without memory. */
NODISCARD bool children_init(struct children *c);
void children_free(struct children *c);

/* Whether a session has said meanwhile that it is known whom it serves. */
void children_hear(struct children *c);

/* A free line, to be filled in, or NULL if there is none. */
struct child *children_add(struct children *c);

/* The line with this socket, or this process; NULL if there is none. */
struct child *children_by_control(struct children *c, int control);
struct child *children_by_pid(struct children *c, pid_t pid);

/* How many sessions of this source there are. */
size_t children_busy_of(const struct children *c, const struct ip *source);

/* How many sessions there are of clients that have not proved who they are. */
size_t children_strangers(const struct children *c);

/* The session of the stranger that came first, before `before` (clock_boot); NULL: none did. */
struct child *children_oldest_stranger(const struct children *c, int64_t before);

/* The idle child of this source that became so last, or NULL: its memory is still warm. */
struct child *children_idle_of(const struct children *c, const struct ip *source);

/* The one idle for the longest time, or NULL. */
struct child *children_oldest_idle(const struct children *c);

/* Changes of state; each keeps the sums. */
void children_started(struct children *c, struct child *child);
void children_now_idle(struct children *c, struct child *child, int64_t now);
void children_now_busy(struct children *c, struct child *child);

/* Tells it to go, or notes that it cannot be spoken to any more. It may finish its session. */
void children_dismiss(struct children *c, struct child *child);

/* It has ended. */
void children_gone(struct children *c, struct child *child);

#endif
