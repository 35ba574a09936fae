/* What the parts of seki-login share. Internal to lib/login; by the main loop alone. */
#ifndef SEKISHO_LOGIN_INSIDE_H
#define SEKISHO_LOGIN_INSIDE_H

#include <jansson.h>

#include "lib/auth/ask.h"
#include "lib/auth/guess.h"
#include "lib/base/settings.h"
#include "lib/gate/gate.h"
#include "lib/login/hasher.h"
#include "lib/login/links.h"
#include "lib/login/pins.h"
#include "lib/login/protocol.h"
#include "lib/login/sessions.h"
#include "lib/org/org.h"
#include "queue/audit.h"

#define LOGIN_PROGRAM "seki-login"
#define LOGIN_TICKET  (60 * CLOCK_SECOND) /* how long tickets and proofs are good */

#define LOGIN_CLIENTS 256 /* at once; of more the one that has been silent for longest is closed */
#define LOGIN_PATIENCE_CLIENT                                                                      \
	(10 * CLOCK_SECOND)    /* one that has then not sent or taken all is closed */
#define LOGIN_CHECKS        64 /* passwords that are asked about at once */
#define LOGIN_CHECKS_SOURCE 8  /* and those of one source (IPv6: a /64): it cannot take up all */

struct login;
struct letters;

/* Something that epoll tells of. */
struct login_watch {
	void (*ready)(struct login *l, void *owner, uint32_t events);
	void *owner;
};

enum login_client_state {
	CLIENT_NONE,
	CLIENT_READING, /* its request is not whole yet */
	CLIENT_ASKING,  /* seki-auth is asked */
	CLIENT_HASHING, /* a PIN is computed */
	CLIENT_WRITING,
};

struct login_client {
	enum login_client_state state;
	int fd;
	int64_t since; /* clock_boot() */
	struct login_watch watch;
	bool is_operator; /* the peer is root, or one of our own user */
	struct buf request, answer;
	size_t written;

	/* CLIENT_ASKING */
	int auth;
	int64_t auth_due;
	struct login_watch auth_watch;
	char login[AUTH_LOGIN_MAX + 1];
	char source[RECORD_SOURCE_MAX];
	unsigned char place[GUESS_PLACE]; /* of the source */

	struct login_work *work; /* CLIENT_HASHING */
};

/* What is to be done with a PIN that is being computed; it goes on if its client has gone. */
struct login_work {
	struct login_work *next;
	struct login_client *client; /* NULL: gone */
	bool proof;                  /* compared; else set for `address` */
	char address[GATE_ADDRESS_MAX];
	char cap[GATE_CAP_TEXT];
	unsigned char who[GATE_WHO_LEN];
	char source[RECORD_SOURCE_MAX];
};

struct login {
	struct settings settings;
	char url[SETTING_TEXT_MAX]; /* where people's pages are; "": nowhere that a link may lead */
	bool plain;                 /* people's pages go over a wire that all can read */
	int epoll;

	struct org *org; /* NULL: nothing is known about anybody */
	char compiled[64];
	int64_t compiled_looked; /* clock_boot(); 0: never */

	struct gate_key key;
	bool keyed;
	int64_t key_looked;

	struct audit *audit;
	struct sessions *sessions;
	struct pins *pins;
	struct links *links;
	struct hasher *hasher;
	struct letters *letters;
	struct login_work *works;
	size_t asking; /* clients that are CLIENT_ASKING */

	int listener; /* -1: we stop */
	uid_t web;    /* (uid_t)-1: there is none */
	struct login_watch listening, hashed;
	struct login_request parsed; /* of one client after another */
	struct login_client client[LOGIN_CLIENTS];
};

struct sessions_now login_now(void);

/* False with errno. `op` is of epoll_ctl(2). */
NODISCARD bool login_watch(
    const struct login *l, int op, int fd, uint32_t events, struct login_watch *watch);

/* ---- view.c: organisation and key, as they stand just now ---- */

void login_look(struct login *l);
void login_view_free(struct login *l);

/* The own address of whoever has this one; itself if it is nobody's, or of several people. */
void login_own_address(
    const struct login *l, const char *address, char own[GATE_ADDRESS_MAX], const char **lang);

/*
 * What was typed as a login or an address, as it may stand in a log: if somebody has it in etc/people, or if it is an
 * address of a domain of our own. Else "(unknown)": a password that was typed into the wrong field, perhaps.
 */
const char *login_known(const struct login *l, const char *typed);

/* ---- told.c: the audit log ---- */

/* Durably. False: it was not said, and what was to be said must not be done. */
NODISCARD bool told_login(struct login *l, const char *address, const char *source, bool by_link);
NODISCARD bool told_pin(struct login *l, const char *address, bool set);
NODISCARD bool told_link(struct login *l, const char *address, const char *source);
/* What only makes somebody safer is done in any case. */
void told_logout(struct login *l, const char *address, size_t sessions, bool everywhere);

/* An operator has ended somebody's sessions. */
void told_ended(struct login *l, const char *address, const char *by, size_t sessions);

/* ---- door.c: clients ---- */

void door_accept(struct login *l, void *owner, uint32_t events);
/* Answers a client with this object, which is taken. */
void door_answer(struct login *l, struct login_client *c, json_t *json);
void door_drop(struct login *l, struct login_client *c);
/* What is due; when something is due again (clock_boot). */
int64_t door_timers(struct login *l, int64_t now);

/* ---- answer.c: requests ---- */

/* Answers, or leaves the client waiting. */
void answer_client(struct login *l, struct login_client *c);
json_t *answer_no(const char *result, const char *code, const char *why);
json_t *answer_session(struct login *l, const char *address, const char *source, bool by_link);

/* ---- password.c: asking seki-auth ---- */

void password_ask(struct login *l, struct login_client *c);
void password_late(struct login *l, struct login_client *c);

/* ---- number.c: PINs ---- */

void number_set(struct login *l, struct login_client *c, const char *address);
void number_prove(struct login *l, struct login_client *c);
void number_hashed(struct login *l, void *owner, uint32_t events);

/* ---- letters.c: mailing links, by seki-notice ---- */

NODISCARD struct letters *letters_new(void);
void letters_free(struct letters *letters);
/* What is due; when something is due again. */
int64_t letters_timers(struct login *l, int64_t now);

#endif
