/*
 * What seki-remote says of recipients, read by its employer: the frames of lib/remote/protocol.h.
 * That process has spoken with strangers, so nothing it says is taken unread. Internal to
 * lib/deliver.
 */
#ifndef SEKISHO_DELIVER_VERDICT_H
#define SEKISHO_DELIVER_VERDICT_H

#include "lib/base/compat.h"
#include "lib/remote/protocol.h"

#define VERDICT_REPLY_MAX  ((size_t)3072) /* 1,000 bytes, as xtext */
#define VERDICT_STATUS_MAX 12

/* OUTCOME. */
struct verdict {
	enum remote_class class;
	enum remote_phase phase;
	int code; /* 0: there was no reply */
	char status[VERDICT_STATUS_MAX];
	char reply[VERDICT_REPLY_MAX + 1]; /* xtext */
};

/* Reads an OUTCOME wherever it stands in a frame. False: there is none. */
NODISCARD bool verdict_read(const char *text, size_t len, struct verdict *v);

/* Made by ourselves. `reply` is plain text, at most 1,000 bytes of it. */
void verdict_make(struct verdict *v, enum remote_class class, enum remote_phase phase,
    const char *status, const char *reply);

/* A reply as plain text; what cannot be decoded is "". */
void verdict_plain(const char *reply, char plain[VERDICT_REPLY_MAX + 1]);

/* The value of `key` in a frame; NULL if it is not there. */
const char *verdict_value(const char *text, size_t len, const char *key, size_t *value_len);

/*
 * Reads rcpt=1,3-5 of a frame: calls for each number, less one, in order. False if there is no such
 * list, it does not rise, or goes beyond `most`; some may have been called for by then.
 */
typedef void verdict_rcpt(void *context, size_t index);
NODISCARD bool verdict_rcpts(
    const char *text, size_t len, size_t most, verdict_rcpt *each, void *context);

#endif
