/* What people have sent. Internal to lib/db. */
#ifndef SEKISHO_DB_SENT_H
#define SEKISHO_DB_SENT_H

#include "lib/db/history.h"

/* A line `sent`, within a transaction. */
enum history_took sent_take(struct history *h, const struct past_line *line, int64_t time);

/* Whether the value of a row is of mail that ended before `before`, seconds. */
bool sent_old(const char *value, size_t len, int64_t before);

#endif
