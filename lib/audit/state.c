#include "lib/audit/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/hex.h"

bool state_write(int64_t boot, const char *reason, const struct chain_end *end)
{
	struct buf text;
	bool fine = false;
	int fd = open(AUDIT_STATE, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return false;
	buf_init(&text, AUDIT_STATE_LEN);
	buf_addf(&text, "%s %lld", reason == NULL ? "fine" : "failed", (long long)boot);
	if (reason != NULL) {
		/* Three bytes for each at most; the end must have room, too. */
		size_t len = strnlen(reason, (AUDIT_STATE_LEN - 256) / 3);

		buf_add_text(&text, " reason=");
		buf_add_xtext(&text, reason, len);
	}
	if (end != NULL)
		buf_addf(&text, " seq=%llu chain=%s", (unsigned long long)end->seq, end->chain);
	while (buf_ok(&text) && text.len < AUDIT_STATE_LEN - 1)
		buf_add(&text, " ", 1);
	buf_add(&text, "\n", 1);
	if (buf_ok(&text))
		fine = pwrite(fd, text.bytes, text.len, 0) == (ssize_t)text.len;
	if (close(fd) != 0)
		fine = false;
	buf_free(&text);
	return fine;
}

struct log_claim state_read(void)
{
	struct log_claim claim = {.known = false};
	unsigned char value[(DIGEST_HEX - 1) / 2];
	char text[AUDIT_STATE_LEN + 1];
	int fd = open(AUDIT_STATE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd >= 0 ? pread(fd, text, AUDIT_STATE_LEN, 0) : -1;
	const char *at;
	unsigned long long seq;

	if (fd >= 0)
		(void)close(fd);
	if (n != (ssize_t)AUDIT_STATE_LEN)
		return claim;
	text[n] = '\0';
	at = strstr(text, " seq=");
	if (at != NULL && sscanf(at, " seq=%19llu chain=%64s", &seq, claim.end.chain) == 2 &&
	    strlen(claim.end.chain) == DIGEST_HEX - 1 &&
	    hex_decode(claim.end.chain, value, sizeof value)) {
		claim.end.seq = seq;
		claim.known = true;
	}
	return claim;
}
