/* What seki-db(8) is told of judgements, by a tray: for the weekly report, and for look-alikes. */
#ifndef SEKISHO_SCAN_TELL_H
#define SEKISHO_SCAN_TELL_H

#include "lib/scan/scan.h"

/* It is judged and on its way. What cannot be told is told to nobody: it decides nothing. */
void tell_judged(
    struct scan *scan, const struct policy_case *c, const struct policy_judgement *judgement);

#endif
