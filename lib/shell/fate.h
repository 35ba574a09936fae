/* What a plan comes to, in words for people: when its mail leaves, or whom it waits for. */
#ifndef SEKISHO_SHELL_FATE_H
#define SEKISHO_SHELL_FATE_H

#include "lib/base/buf.h"
#include "queue/plan.h"

#define FATE_TEXT ((size_t)16 * 1024)

/*
 * Adds what the steps that are still open come to: "leaves at once", "leaves 2026-11-22 19:35:01
 * +0900", "waits: approval by boss (b@example.co.jp)", and the hours in which it may not leave. A
 * hold whose end is before `amended`, 0 or the time of an extension, ends then.
 */
void fate_add(struct buf *text, const struct plan *plan, int64_t amended);

/* The same for lines of a plan that no leg bears yet. */
void fate_add_lines(struct buf *text, const char *lines, size_t len);

#endif
