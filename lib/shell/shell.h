/*
 * The operator's tool, seki(1): one function for each command. Each works in the instance's
 * directory, which is the current one, prints to standard output, complains on standard error, and
 * returns an exit code of lib/base/die.h.
 */
#ifndef SEKISHO_SHELL_SHELL_H
#define SEKISHO_SHELL_SHELL_H

#include "lib/base/compat.h"
#include "lib/base/conf.h"

#define SHELL_VERSION "0.1"

/* Reads one file of etc/ as its daemon does. False with the first fault. */
typedef bool shell_reader(int etc, struct conf_fault *fault);

/* What main knows. */
struct shell {
	bool json;             /* -j: a JSON object a line */
	bool terminal;         /* standard output is one: headings, and nothing raw */
	const char *root;      /* the instance's directory, for commands that need none */
	shell_reader **reader; /* of every file of etc/ but settings; ends in NULL */
};

/* `argv` begins behind the command's word. */
typedef int shell_command(const struct shell *sh, int argc, char **argv);

shell_command shell_list;    /* list [OPTION…] [STATE…] */
shell_command shell_show;    /* show ID… */
shell_command shell_cat;     /* cat ID… */
shell_command shell_find;    /* find [--from X] … */
shell_command shell_flush;   /* flush [DOMAIN…] */
shell_command shell_route;   /* route test ADDRESS… */
shell_command shell_release; /* release ID… */
shell_command shell_discard; /* discard ID… */
shell_command shell_link;    /* link ID [ADDRESS] */
shell_command shell_gate;    /* gate CREDENTIAL VERB [KEY=VALUE…] */
shell_command shell_bounce;  /* bounce ID… */
shell_command shell_freeze;  /* freeze [all|sender X|recipient X|login X|source X [REASON…]] */
shell_command shell_thaw;    /* thaw all|sender X|recipient X|login X|source X */
shell_command shell_stats;   /* stats */
shell_command shell_check;   /* check */
shell_command shell_config;  /* config */
shell_command shell_reload;  /* reload */
shell_command shell_clock;   /* clock [ok] */
shell_command shell_facts;   /* facts [OPTION…] FILE… */
shell_command shell_passwd;  /* passwd [-d] LOGIN | -l */
shell_command shell_logout;  /* logout ADDRESS */

shell_command shell_restore;          /* restore ID… */
shell_command shell_approve;          /* approve ID… */
shell_command shell_reject;           /* reject ID… */
shell_command shell_extend;           /* extend +SPAN|TIME ID… */
shell_command shell_remove_recipient; /* remove-recipient ADDRESS ID… */

shell_command shell_test;      /* test [OPTION…] FILE.eml… */
shell_command shell_try;       /* try [OPTION…] FROM TO… [FILE…] */
shell_command shell_why;       /* why ID… */
shell_command shell_replay;    /* replay [--policy DIR] FILE… */
shell_command shell_rules;     /* rules [DIGEST] */
shell_command shell_compile;   /* compile */
shell_command shell_people;    /* people add|list|import … */
shell_command shell_report;    /* report … */
shell_command shell_addresses; /* addresses … */
shell_command shell_audit;     /* audit verify|show|accept … */

/* Readers of etc/routes, of the setting "route", and of the files that login= names. */
shell_reader shell_read_routes, shell_read_route_setting, shell_read_logins;

#endif
