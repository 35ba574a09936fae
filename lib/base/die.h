/*
 * How a program ends. The exit codes are an interface: the services' finish scripts and the man
 * pages name them.
 */
#ifndef SEKISHO_BASE_DIE_H
#define SEKISHO_BASE_DIE_H

#include "lib/base/compat.h"

enum exit_code {
	EXIT_FINE = 0,      /* did what was asked */
	EXIT_NO = 1,        /* worked, and the answer is no: not found, refused, not ready */
	EXIT_USAGE = 100,   /* called with the wrong words; calling again will not help */
	EXIT_BUG = 101,     /* we have a bug: an impossible state; please report it */
	EXIT_CONFIG = 102,  /* the configuration is wrong; not restarted until it is mended */
	EXIT_ENVIRON = 111, /* disk, memory, peer or system failed; restart me */
};

/* The environment failed. Logs event=died with `what` and errno's text; exits EXIT_ENVIRON. */
NORETURN void die_environ(const char *what);

/* The configuration is wrong. Logs the reason; exits EXIT_CONFIG. */
NORETURN void die_config(const char *why);

/* We have a bug. Logs the place; aborts the program with EXIT_BUG. */
NORETURN void die_bug(const char *where);

#endif
