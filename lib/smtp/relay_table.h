/* What the parts of relay.h share among themselves: a line, a secret, the clouds. */
#ifndef SEKISHO_SMTP_RELAY_TABLE_H
#define SEKISHO_SMTP_RELAY_TABLE_H

#include "lib/smtp/network.h"
#include "lib/smtp/relay.h"

#define RELAY_DIGEST_SIZE       32 /* SHA-256 */
#define RELAY_SECRET_NAME_MAX   64
#define RELAY_SECRET_FIELD_MAX  64
#define RELAY_SECRET_VALUE_MIN  16
#define RELAY_SECRET_VALUE_MAX  256
#define RELAY_QUOTA_AS_SETTINGS (-1)

struct relay_secret {
	struct relay_secret *next;
	char name[RELAY_SECRET_NAME_MAX + 1]; /* of the file */
	char field[RELAY_SECRET_FIELD_MAX + 1];
	char value[RELAY_SECRET_VALUE_MAX + 1];
};

struct relay_source {
	enum relay_kind kind;
	unsigned line;
	unsigned column;
	struct network network;                  /* RELAY_V4, RELAY_V6 */
	unsigned char digest[RELAY_DIGEST_SIZE]; /* RELAY_DIGEST */
	size_t name;                             /* RELAY_NAME: offset in relay->text */
	size_t wider;                            /* index of the first source with fewer bits */
	bool any;                                /* every sender domain */
	size_t domain;                           /* offset of the first in relay->text */
	size_t domains;
	const struct relay_secret *secret; /* or NULL */
	int64_t hour;
	int64_t day;
};

/* ---- etc/clouds ---- */

struct cloud {
	unsigned line;
	bool certificate;
	struct network network; /* if it is no certificate */
	size_t pattern;         /* offset in clouds->text: "outlook.com", or "*.outlook.com" */
	size_t owner;           /* offset of "Microsoft 365" */
};

struct clouds {
	struct cloud *list;
	size_t n;
	struct buf text;
};

void clouds_init(struct clouds *clouds);
void clouds_free(struct clouds *clouds);

/* Reads the file "clouds" in `etc`, which may be missing, into an initialised, empty list. */
NODISCARD bool clouds_read(int etc, struct clouds *clouds, struct conf_fault *fault);

/* The cloud that an address of this network, or a certificate of this name, could be; or NULL. */
const struct cloud *clouds_find_network(const struct clouds *clouds, const struct network *network);
const struct cloud *clouds_find_name(const struct clouds *clouds, const char *name);

/* ---- etc/secrets ---- */

/*
 * The secret in the file `name` of etc/secrets/, read at its first use and then kept in `relay`.
 * NULL with the fault, which blames the word at `line` and `column` of etc/relay or the file.
 */
const struct relay_secret *relay_read_secret(struct relay *relay, int etc, const char *name,
    unsigned line, unsigned column, struct conf_fault *fault);

/* Wipes and frees them. */
void relay_free_secrets(struct relay *relay);

#endif
