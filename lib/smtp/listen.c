#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/smtp/ip.h"
#include "lib/smtp/params.h"
#include "lib/smtp/smtp.h"

#define BACKLOG 1024

/* Where one word asks to listen. */
struct place {
	bool any; /* '*': every address of both families */
	bool v6;
	struct ip ip;
	uint16_t port;
};

/* Reads ADDRESS:PORT, [V6]:PORT or *:PORT. */
static bool read_place(const char *word, size_t len, struct place *place)
{
	const char *colon = memrchr(word, ':', len);
	char text[IP_TEXT];
	size_t n = colon != NULL ? (size_t)(colon - word) : 0;
	int64_t port = colon != NULL ? param_number(colon + 1, len - n - 1) : -1;

	if (port < 1 || port > 65535)
		return false;
	*place = (struct place){.port = (uint16_t)port};
	if (n == 1 && word[0] == '*') {
		place->any = true;
		return true;
	}

	place->v6 = n > 2 && word[0] == '[' && word[n - 1] == ']';
	if (place->v6) {
		word++;
		n -= 2;
	}
	if (n == 0 || n >= sizeof text)
		return false;
	memcpy(text, word, n);
	text[n] = '\0';
	return ip_parse(text, &place->ip) && (strchr(text, ':') != NULL) == place->v6;
}

/* A bound, listening socket, or -1 with errno. */
static int open_socket(int family, const struct sockaddr *to, socklen_t len, bool only_v6)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int yes = 1;
	int only = only_v6 ? 1 : 0;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, /* accepted sockets inherit it */
		sizeof yes) != 0)
		goto fail;
	if (family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) != 0)
		goto fail;
	if (bind(fd, to, len) != 0 || listen(fd, BACKLOG) != 0)
		goto fail;
	return fd;
fail:
	close(fd);
	return -1;
}

static int open_v6(const struct place *place)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(place->port)};

	if (!place->any)
		memcpy(&to.sin6_addr, place->ip.bytes, sizeof to.sin6_addr);
	return open_socket(AF_INET6, (const struct sockaddr *)&to, sizeof to, !place->any);
}

static int open_v4(const struct place *place)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(place->port)};

	if (!place->any)
		memcpy(&to.sin_addr, place->ip.bytes + 12, sizeof to.sin_addr);
	return open_socket(AF_INET, (const struct sockaddr *)&to, sizeof to, false);
}

/* For '*' one socket of IPv6 takes both families; where the kernel has no IPv6, one of IPv4. */
static int open_place(const struct place *place)
{
	int fd;

	if (!place->any)
		return place->v6 ? open_v6(place) : open_v4(place);
	fd = open_v6(place);
	if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		fd = open_v4(place);
	return fd;
}

/* Opens what one setting names. False with `fault`; `*system`: the system refused. */
static bool open_words(const char *name, const char *words, enum smtp_service service,
    struct smtp_listeners *listeners, bool *system, char *fault, size_t room)
{
	if (strcmp(words, "-") == 0)
		return true;
	for (const char *at = words; *at != '\0';) {
		size_t len = strcspn(at, " ");
		int shown = (int)(len < 64 ? len : 64);
		struct place place;
		int fd;

		if (listeners->n == SMTP_LISTEN_MAX || !read_place(at, len, &place)) {
			(void)snprintf(fault, room,
			    "etc/settings: %s: \"%.*s\" is not ADDRESS:PORT, [V6]:PORT or *:PORT, "
			    "or "
			    "one too many",
			    name, shown, at);
			return false;
		}
		fd = open_place(&place);
		if (fd < 0) {
			*system = true;
			(void)snprintf(fault, room, "listening on %.*s", shown, at);
			return false;
		}
		listeners->at[listeners->n++] =
		    (struct smtp_listener){.fd = fd, .service = service};
		at += len + strspn(at + len, " ");
	}
	return true;
}

bool smtp_listen(const struct settings *s, struct smtp_listeners *listeners, bool *system,
    char *fault, size_t room)
{
	const struct {
		const char *name, *words;
		enum smtp_service service;
	} all[] = {
	    {"smtp-listen", s->smtp_listen, SMTP_RELAY},
	    {"submission-listen", s->submission_listen, SMTP_SUBMISSION},
	    {"submissions-listen", s->submissions_listen, SMTP_SUBMISSIONS},
	};

	*listeners = (struct smtp_listeners){.n = 0};
	*system = false;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		if (!open_words(
			all[i].name, all[i].words, all[i].service, listeners, system, fault, room))
			return false;
	}
	return true;
}
