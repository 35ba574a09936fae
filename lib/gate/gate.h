/*
 * Proofs that somebody may speak to seki-hold(8): a capability, which stands in the link of a notice and is
 * about one message; and a session, of somebody who has logged in. Both are signed with one key by HMAC-SHA256
 * (RFC 2104), under labels of their own, and carry all that they say: nothing is stored about them.
 *
 * Capability, 45 bytes, base64url (RFC 4648) without padding, 60 characters:
 *   version 1 | rights | generation | 0 | until, minutes since 1970, u32 | id, 16 bytes
 *   | who, 8 bytes of HMAC("who", address) | 13 bytes of HMAC("capability", all before)
 * Session: "s1." base64url(address) "." seconds "." base64url of 16 bytes of HMAC("session", all before)
 *
 * A proof says beside a capability that its person has shown something that stands in no link (his PIN):
 * "p1." seconds "." base64url of 16 bytes of HMAC("proof", all before its dot, a blank and the capability)
 */
#ifndef SEKISHO_GATE_GATE_H
#define SEKISHO_GATE_GATE_H

#include "lib/base/compat.h"
#include "queue/id.h"
#include "queue/name.h"

#define GATE_KEY_FILE     "lib/gate/key"
#define GATE_KEY_LEN      32
#define GATE_CAP_TEXT     61 /* with its NUL */
#define GATE_WHO_LEN      8
#define GATE_SESSION_TEXT 800
#define GATE_PROOF_TEXT   37 /* with its NUL */
#define GATE_ADDRESS_MAX  512

enum gate_right { GATE_READ = 1, GATE_SENDER = 2, GATE_APPROVER = 4 };

struct gate_key {
	unsigned char bytes[GATE_KEY_LEN];
};

struct gate_capability {
	unsigned rights;          /* GATE_… */
	unsigned char generation; /* how often the message had been restored, modulo 256 */
	int64_t until;            /* microseconds, a whole minute */
	char id[ID_TEXT];
	unsigned char who[GATE_WHO_LEN];
};

/*
 * Reads the key; makes it, durably, if it is not there and `make`. False with errno, and the key is of zero
 * bytes: with such a one nothing can be written, and all that is read is GATE_FORGED.
 */
NODISCARD bool gate_key_read(bool make, struct gate_key *key);
void gate_key_forget(struct gate_key *key);

/* The pseudonym of an address in normal form. */
NODISCARD bool gate_who(
    const struct gate_key *key, const char *address, unsigned char who[GATE_WHO_LEN]);

NODISCARD bool gate_capability_write(
    const struct gate_key *key, const struct gate_capability *capability, char text[GATE_CAP_TEXT]);

enum gate_proof { GATE_GOOD, GATE_FORGED, GATE_EXPIRED };

/* In constant time for texts of the right length. Of GATE_EXPIRED the rest is true. */
enum gate_proof gate_capability_read(const struct gate_key *key, const char *text, size_t len,
    int64_t now, struct gate_capability *capability);

NODISCARD bool gate_session_write(
    const struct gate_key *key, const char *address, int64_t until, char text[GATE_SESSION_TEXT]);
enum gate_proof gate_session_read(const struct gate_key *key, const char *text, size_t len,
    int64_t now, char address[GATE_ADDRESS_MAX]);

/* About the capability whose text it is, GATE_CAP_TEXT with its NUL, and about no other. */
NODISCARD bool gate_proof_write(
    const struct gate_key *key, const char *capability, int64_t until, char text[GATE_PROOF_TEXT]);
enum gate_proof gate_proof_read(
    const struct gate_key *key, const char *text, size_t len, int64_t now, const char *capability);

/* Writes base64url without padding (RFC 4648 section 5): 4 * len / 3 letters, rounded up, and a NUL. Returns
 * how many. */
size_t gate_letters(const unsigned char *bytes, size_t len, char *text);

#endif
