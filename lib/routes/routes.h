/*
 * Where mail goes, by the domain of its recipient: etc/routes, sekisho-routes(5).
 *
 *   DOMAIN ROUTE [OPTION=VALUE…]
 *
 *   DOMAIN  @example.com (exactly this one), @.example.com (what is below it), * (all others)
 *   ROUTE   mx | host:PLACE[,host:PLACE…] | maildir:PATH | refuse[:WORD]
 *           PLACE is NAME[:PORT] or [ADDRESS][:PORT], the port 25 if it is not given
 *   OPTION  tls=none|may login=NAME sessions=N ipv=4|6|any expire=SPAN retry=SPAN
 *           warn=SPAN
 *
 * The most specific line decides, wherever it stands: the exact domain, then the longest @.domain,
 * then *. A DOMAIN stands there once. ASCII letters of either case are the same.
 *
 * No password is in here: who talks to a smart host reads it with route_login_read, and nobody else
 * needs to be able to.
 */
#ifndef SEKISHO_ROUTES_ROUTES_H
#define SEKISHO_ROUTES_ROUTES_H

#include "lib/base/buf.h"
#include "lib/base/compat.h"
#include "lib/base/conf.h"

#define ROUTES_MAX         200000
#define ROUTE_HOSTS_MAX    16
#define ROUTE_LOGINS_MAX   256 /* different names in login= */
#define ROUTE_SESSIONS_MAX 1000
#define ROUTE_LOGIN_TEXT   256 /* a login or a password, and its NUL */
#define ROUTE_PORT         25

struct routes; /* opaque; read-only once it is there, and then for any thread */

enum route_kind { ROUTE_MX, ROUTE_HOSTS, ROUTE_MAILDIR, ROUTE_REFUSE };

/* What a line does not say is UNSAID, or 0, and the settings decide. */
enum route_tls { ROUTE_TLS_UNSAID, ROUTE_TLS_NONE, ROUTE_TLS_MAY };
enum route_ip { ROUTE_IP_UNSAID, ROUTE_IP_ANY, ROUTE_IP_4, ROUTE_IP_6 };

struct route_host {
	const char *name; /* a name, whose addresses (not MX) are looked up; or an address */
	bool address;     /* without its brackets: for inet_pton */
	uint16_t port;
};

/* One line. What it points to lives as long as the routes. */
struct route {
	const char *domain; /* as written, ASCII letters small: "@example.com", "*" */
	const char *word;   /* a Maildir's path; why it is refused ("" if not said); otherwise "" */
	const struct route_host *host; /* in the order in which they are tried */
	size_t hosts;
	const char *login; /* the name of a file in etc/logins/, or NULL: see route_login_read */
	int64_t expire;    /* microseconds */
	int64_t retry;     /* the first wait, microseconds */
	int64_t warn;      /* until the sender is told that it is late, microseconds */
	unsigned line;
	unsigned sessions; /* to one destination at once */
	enum route_kind kind;
	enum route_tls tls;
	enum route_ip ip;
};

/*
 * Reads the file "routes" in the directory `etc`; one that is missing has no line. Returns NULL with
 * the fault. Free with routes_free. 100,000 lines take less than a second and 16 MB.
 */
NODISCARD struct routes *routes_read(int etc, struct conf_fault *fault);

/* The same for `len` bytes that are said to come from `file`. */
NODISCARD struct routes *routes_parse(
    const char *bytes, size_t len, const char *file, struct conf_fault *fault);

void routes_free(struct routes *routes);

size_t routes_count(const struct routes *routes);

/*
 * The line that decides for a recipient's domain (behind its '@'; a domain literal with its
 * brackets), or NULL: no line speaks for it, and the setting "route" does.
 */
const struct route *routes_find(const struct routes *routes, const char *domain, size_t len);

/*
 * Adds the line as it could stand in the file, without a newline and with every port said. For
 * people: "seki route test" shows it. It holds no secret. `out` says whether it fitted.
 */
void route_show(const struct route *route, struct buf *out);

/* What is said to a smart host. */
struct route_login {
	char login[ROUTE_LOGIN_TEXT];
	char password[ROUTE_LOGIN_TEXT];
};

/*
 * Reads etc/logins/NAME: one line, the login, one blank, the password, which is the rest of the
 * line. False with the fault (which holds nothing of either) if it is missing, open to everybody,
 * or malformed. Wipe `login` with route_login_wipe as soon as it has been said. It must be said
 * within TLS only.
 */
NODISCARD bool route_login_read(
    int etc, const char *name, struct route_login *login, struct conf_fault *fault);
void route_login_wipe(struct route_login *login);

/* Reads every login= once and forgets it again: for "seki check". False with the first fault. */
NODISCARD bool routes_check_logins(const struct routes *routes, int etc, struct conf_fault *fault);

#endif
