/* One session that asks seki-auth, from its connection to its answer; and the line of them. */
#ifndef SEKISHO_AUTH_CLIENT_H
#define SEKISHO_AUTH_CLIENT_H

#include "lib/auth/cache.h"
#include "lib/auth/guess.h"
#include "lib/auth/question.h"

enum client_state {
	CLIENT_READING,  /* its question is not whole yet */
	CLIENT_WAITING,  /* for a free place among the running checks */
	CLIENT_CHECKING, /* a back end runs */
	CLIENT_WITHHELD, /* the answer is known, and not said yet */
	CLIENT_GONE,     /* answered, or it has given up; freed at the end of the round */
};

struct client {
	struct client *next;
	int fd;    /* -1: it has given up */
	int epoll; /* that watches it; -1: none does */
	enum client_state state;
	uint64_t turn; /* CLIENT_WAITING: the smallest is next */
	int64_t due;   /* when the state ends by itself, clock_boot() */
	int64_t since; /* when its check began, or was refused */
	char answer;   /* CLIENT_WITHHELD: the letter */
	pid_t pid;     /* CLIENT_CHECKING */
	struct guess_who who;
	unsigned char mac[CACHE_MAC];  /* of login, password and back end as the check began */
	struct auth_question question; /* points into bytes; the password is wiped early */
	size_t have;
	char bytes[QUESTION_PREFIX + AUTH_QUESTION_MAX];
};

enum client_read {
	CLIENT_MORE,   /* the question is not whole yet */
	CLIENT_ASKED,  /* it is, in c->question */
	CLIENT_CLOSED, /* the session has given up, or its connection failed */
	CLIENT_BROKEN, /* what it sends is no question */
};

/* A new client for a connected, non-blocking socket; NULL without memory. Owns the socket. */
NODISCARD struct client *client_new(int fd);

/* Closes what is open and wipes everything. */
void client_free(struct client *c);

/* Reads what is there, never beyond the question. */
NODISCARD enum client_read client_read(struct client *c);

/* Says the answer, if somebody still listens, and ends the client. */
void client_answer(struct client *c, char letter);

/* The session has given up: its socket is closed. */
void client_hang_up(struct client *c);

/* Takes the password out of memory. */
void client_wipe(struct client *c);

#endif
