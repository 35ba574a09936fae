/*
 * seki-db(8): answers who asks, and reads the trays in between. One process, one thread; it waits for
 * nobody who asks, and a stretch of the trays is read between two rounds of answers.
 */
#ifndef SEKISHO_DB_SERVER_H
#define SEKISHO_DB_SERVER_H

#include "lib/base/settings.h"
#include "lib/db/trays.h"

#define DB_DIRECTORY "lib/history/db"

/* The site's time zone becomes the process's. */
void db_zone(const struct settings *settings);

/* Serves until SIGTERM. */
void db_serve(int listener, int signals, struct store *store, struct history *history,
    struct trays *trays, const struct settings *settings, void (*ready)(void));

#endif
