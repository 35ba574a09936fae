/* Punching the body out of what was sent. Internal to lib/deliver. */
#ifndef SEKISHO_DELIVER_EMPTY_H
#define SEKISHO_DELIVER_EMPTY_H

#include "queue/stage.h"

/*
 * Gives the space of a finished leg's body back and writes that down; head, the mail's own header
 * and trailer stay. Nothing to do if it has been done. False: not now (logged).
 */
NODISCARD bool empty_sent(struct stage_opened *opened, int64_t now);

#endif
