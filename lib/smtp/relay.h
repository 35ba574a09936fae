/*
 * Who may send through this gateway without a login: etc/relay, sekisho-relay(5). One line a
 * source: who it is, the sender domains that it may use, and what else is asked of it.
 *
 *   NETWORK | cert=NAME | cert-sha256=HEX   WHO…  [cloud] [secret=NAME] [quota=HOUR/DAY | quota=none]
 *
 * A line for a certificate goes before one for a network; of networks the most specific one that
 * holds the address decides. `secret` names a file in etc/secrets/ that holds one header field,
 * "Name: value", which the source adds to each message as its second proof.
 *
 * A source that strangers share, one marked `cloud` or found in etc/clouds, must have a secret.
 */
#ifndef SEKISHO_SMTP_RELAY_H
#define SEKISHO_SMTP_RELAY_H

#include "lib/base/buf.h"
#include "lib/base/conf.h"
#include "lib/smtp/ip.h"

struct relay_source; /* one line; lives as long as its table */
struct relay_secret; /* one file of etc/secrets/ */

/* What a line can be for; the order in which the table keeps them. */
enum relay_kind { RELAY_DIGEST, RELAY_NAME, RELAY_V4, RELAY_V6, RELAY_KINDS };

struct relay {
	struct relay_source *sources;
	size_t n;
	size_t first[RELAY_KINDS + 1]; /* index of each kind's first source; the last is n */
	struct relay_secret *secrets;  /* each stands where it was read, so that it can be wiped */
	struct buf text;               /* domains and names, each with its NUL */
};

/* An empty table: nobody may send. */
void relay_init(struct relay *relay);
void relay_free(struct relay *relay); /* wipes the secrets */

/*
 * Reads the files "relay", "clouds" (which may be missing) and secrets/NAME in the directory `etc`
 * into an initialised, empty table. Returns false with the fault if something is missing or wrong:
 * a cloud without its secret, a secret that others can read, is too short, or is no header field;
 * the table is then to be freed only. No fault says anything of what is in a secret. At most 65,536
 * lines, 1,024 of them for names of certificates, and 256 secrets.
 */
NODISCARD bool relay_read(int etc, struct relay *relay, struct conf_fault *fault);

/* The line that speaks for this address, or NULL. Takes a search for each length of prefix in the
 * table, 161 at most, however many lines there are. */
const struct relay_source *relay_find(const struct relay *relay, const struct ip *ip);

/* Whether any line is for a certificate; and whether any of those goes by name, so that the
 * certificate must be one that an authority signed. */
NODISCARD bool relay_has_certificates(const struct relay *relay);
NODISCARD bool relay_has_certificate_names(const struct relay *relay);

/* Whether a line can be used under TLS alone: it is for a certificate, or has a secret. */
NODISCARD bool relay_needs_tls(const struct relay *relay);

/*
 * The first line for this certificate, or NULL. `sha256` is that of its DER form, 32 bytes.
 * `named` says whether a verified certificate bears a name; it is not asked about one that is not
 * verified: pass NULL then.
 */
typedef bool relay_named(void *context, const char *name);
const struct relay_source *relay_find_certificate(
    const struct relay *relay, const unsigned char sha256[32], relay_named *named, void *context);

/* Whether a source may use this sender domain (ASCII letters of either case are the same). */
NODISCARD bool relay_may_use(
    const struct relay *relay, const struct relay_source *source, const char *domain, size_t len);

/*
 * The header field that proves whose mail of a shared source it is: its name and value, both
 * NUL-ended, or NULL if the source has none. Compare the value in constant time.
 */
const char *relay_secret(
    const struct relay *relay, const struct relay_source *source, const char **value);

/* Recipients an hour and a day; -1: as the settings say; 0: any number. */
void relay_quota(const struct relay_source *source, int64_t *hour, int64_t *day);

/* The number of the source's line, for the log. */
unsigned relay_line(const struct relay_source *source);

#endif
