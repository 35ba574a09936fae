/*
 * What seki-hold(8) does beyond what every stage does: which words of a plan it carries out, what people
 * may do to mail that waits, whom it has told of it, and the weekly report.
 *
 * A refused leg stands in refused/ with the record of its refusal (lib/notice/refusal.h). What that
 * record says is owed, and no later record says was done, is done by a job: the leg is synced, then
 * seki-notice is asked, then the record is appended. A leg is owed something until it says itself that
 * it was done, also after a restart; somebody is told twice only if the program dies between
 * seki-notice's answer and the record of it.
 */
#ifndef SEKISHO_HOLD_HOLD_H
#define SEKISHO_HOLD_HOLD_H

#include "queue/stage.h"

/* Runs it in the current directory until SIGTERM. Returns an exit code. */
int hold_main(void);

#endif
