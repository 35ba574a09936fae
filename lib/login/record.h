/*
 * What seki-login keeps on the disk: a file for each session and for each PIN, as text. Each is named by a SHA-256,
 * says that name itself, and ends in the SHA-256 of all before; one that is not exactly so is believed in nothing.
 * Pure: bytes in, bytes out.
 *
 *     sekisho-session 1              sekisho-pin 1
 *     name HEX64                     name HEX64
 *     address XTEXT                  address XTEXT
 *     begun TIME                     hash XTEXT
 *     boot ID MICROSECONDS           wrong N TIME     (unless N is 0)
 *     source XTEXT                   sum HEX64
 *     via WORD
 *     sum HEX64
 */
#ifndef SEKISHO_LOGIN_RECORD_H
#define SEKISHO_LOGIN_RECORD_H

#include "lib/auth/passwd.h"
#include "lib/base/buf.h"
#include "lib/gate/gate.h"

#define RECORD_NAME_LEN   ((size_t)32) /* bytes of a SHA-256 */
#define RECORD_NAME_TEXT  65           /* 64 hex digits and a NUL */
#define RECORD_BOOT_TEXT  37           /* /proc/sys/kernel/random/boot_id and a NUL */
#define RECORD_SOURCE_MAX 46           /* an address as text, with its NUL */
#define RECORD_WRONG_MAX  1000
#define RECORD_MAX        ((size_t)4096) /* bytes of a file */

struct record_session {
	unsigned char name[RECORD_NAME_LEN]; /* SHA-256 of the token */
	char address[GATE_ADDRESS_MAX];
	int64_t begun;               /* wall clock, microseconds */
	char boot[RECORD_BOOT_TEXT]; /* the boot during which it began */
	int64_t begun_boot;          /* and its clock_boot() then */
	char source[RECORD_SOURCE_MAX];
	bool by_link; /* by a mailed link; else by a password */
};

struct record_pin {
	unsigned char name[RECORD_NAME_LEN]; /* SHA-256 of the address */
	char address[GATE_ADDRESS_MAX];
	char hash[PASSWD_HASH_MAX + 1]; /* yescrypt */
	unsigned wrong;                 /* tries that were, so far; below RECORD_WRONG_MAX */
	int64_t wrong_last; /* wall clock, microseconds: the last one; 0: there is none */
};

/* Adds the file's bytes to `out`, whose bound should be RECORD_MAX; buf_ok tells whether they fit. */
void record_session_write(const struct record_session *session, struct buf *out);
void record_pin_write(const struct record_pin *pin, struct buf *out);

/* False: it is none, not whole, or not the one of that name. */
NODISCARD bool record_session_read(const char *bytes, size_t len,
    const unsigned char name[RECORD_NAME_LEN], struct record_session *session);
NODISCARD bool record_pin_read(const char *bytes, size_t len,
    const unsigned char name[RECORD_NAME_LEN], struct record_pin *pin);

/* SHA-256. */
void record_name(const char *text, unsigned char name[RECORD_NAME_LEN]);

#endif
