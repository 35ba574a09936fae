/*
 * The lines of trays, which programs of other users write, and of the audit log, as they may be after a
 * disk has failed. Whatever they are: a line that may be said becomes one of the chain that stands, and
 * a line of the chain that was changed does not.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/audit/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_said(const char *said, size_t len, struct check *check)
{
	struct chain_end end = check->end;
	struct chain_line line;
	struct buf out;

	buf_init(&out, CHAIN_LINE_MAX + 1);
	chain_add(&out, &end, check->digest, "seki-scan", said, len, "0123456789abcdef", len);
	if (!buf_ok(&out))
		abort();
	/* It is the first of its file, and no mark: that is its only fault. */
	check_file(check, "2026-11", true);
	if (check_line(check, out.bytes, out.len - 1, &line) != NULL || line.seq != 1 ||
	    !chain_is(line.program, line.program_len, "seki-scan"))
		abort();
	check->end = chain_empty;
	check->shaken = false;
	out.bytes[len / 2] = (char)(out.bytes[len / 2] ^ 1);
	if (check_line(check, out.bytes, out.len - 1, &line) == NULL)
		abort();
	check->end = chain_empty;
	check->shaken = false;
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chain_positions positions = {.n = 0};
	struct check check;
	struct chain_line line;
	char *text = malloc(size + 1);
	char random[TRAY_RANDOM];

	if (text == NULL || !check_init(&check))
		abort();
	memcpy(text, data, size);
	if (tray_head(text, size, random) > size)
		abort();
	if (audit_line_valid(text, size))
		check_said(text, size, &check);
	check_file(&check, "2026-11", false);
	for (size_t at = 0; at < size;) {
		const char *newline = memchr(text + at, '\n', size - at);
		size_t len = newline != NULL ? (size_t)(newline - text) - at : size - at;

		(void)check_line(&check, text + at, len, &line);
		if (chain_cut(text + at, len, &line) == NULL)
			chain_take_position(&positions, &line);
		at += len + 1;
	}
	if (positions.n > CHAIN_TRAYS_MAX)
		abort();
	check_free(&check);
	free(text);
	return 0;
}
