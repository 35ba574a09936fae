/*
 * The employer of seki-inspect(8): keeps connections to it, one for each inspection that runs at
 * once, and asks. Usable from any thread.
 */
#ifndef SEKISHO_SCAN_DESK_H
#define SEKISHO_SCAN_DESK_H

#include "lib/scan/heard.h"
#include "lib/policy/set.h"
#include "queue/stage.h"

/*
 * A process of seki-inspect serves a connection with the lists that it began with, and what a
 * stranger may have done to it stays: so none is kept for long.
 */
#define DESK_AGE      (INT64_C(600) * 1000000) /* microseconds */
#define DESK_MESSAGES 1000U

struct desk;

/* Keeps at most `n` connections that nobody uses. NULL: no memory. */
NODISCARD struct desk *desk_new(size_t n);

/*
 * New settings and rules, for the inspections that begin from now on: connections are made anew for
 * them. False: no memory, and nothing has changed.
 */
NODISCARD bool desk_settings(
    struct desk *desk, const struct settings *settings, const struct policy *policy);

/* Has an opened leg inspected; blocks for as long as the settings allow. Fills `heard`. */
void desk_inspect(struct desk *desk, const struct stage_opened *opened, struct heard *heard);

#endif
