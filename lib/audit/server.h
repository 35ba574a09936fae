/* The loop of seki-audit(8). */
#ifndef SEKISHO_AUDIT_SERVER_H
#define SEKISHO_AUDIT_SERVER_H

/* Serves in the current directory until SIGTERM. `signals` is of local_signals; `ready` is called once. */
void audit_serve(int signals, void (*ready)(void));

#endif
