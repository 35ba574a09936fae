/* What the audit log is told of judgements: one line for each leg that a message becomes. */
#ifndef SEKISHO_SCAN_AUDIT_H
#define SEKISHO_SCAN_AUDIT_H

#include "lib/policy/policy.h"
#include "queue/audit.h"
#include "queue/leg.h"

/*
 * Says what was decided about `leg`, before anything is done. Of the gateway's own mail nothing is decided,
 * and nothing is said. A line that would be too long tells fewer decisions, and how many more there
 * are: the leg's own records have them. False, after an alarm: the leg must wait.
 */
NODISCARD bool scan_audit(
    struct audit *audit, const struct leg *leg, const struct policy_judgement *judgement);

#endif
