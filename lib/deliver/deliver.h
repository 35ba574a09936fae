/*
 * The delivery engine: the last gate. It owns deliver/ and sent/. Deliveries are jobs of a few
 * threads; the main loop only keeps the timetable.
 */
#ifndef SEKISHO_DELIVER_H
#define SEKISHO_DELIVER_H

/* Runs seki-deliver in the current directory until SIGTERM. Returns an exit code. */
int deliver_main(void);

#endif
