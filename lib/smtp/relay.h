/*
 * Who may send through this gateway: etc/relay, sekisho-relay(5). One line a source: a network and
 * the sender domains that it may use. The most specific network that holds an address decides.
 */
#ifndef SEKISHO_SMTP_RELAY_H
#define SEKISHO_SMTP_RELAY_H

#include "lib/base/buf.h"
#include "lib/base/conf.h"
#include "lib/smtp/ip.h"

struct relay_source; /* one line; lives as long as its table */

struct relay {
	struct relay_source *sources;
	size_t n;
	struct buf domains; /* the text of all sender domains, each with its NUL */
};

/* An empty table: nobody may send. */
void relay_init(struct relay *relay);
void relay_free(struct relay *relay);

/*
 * Reads the file "relay" in the directory `etc` into an initialised, empty table. Returns false
 * with the fault if it is missing or wrong; the table is then to be freed only.
 */
NODISCARD bool relay_read(int etc, struct relay *relay, struct conf_fault *fault);

/* The line that speaks for this address, or NULL. */
const struct relay_source *relay_find(const struct relay *relay, const struct ip *ip);

/* Whether a source may use this sender domain (ASCII letters of either case are the same). */
NODISCARD bool relay_may_use(
    const struct relay *relay, const struct relay_source *source, const char *domain, size_t len);

#endif
