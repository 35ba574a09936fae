/*
 * seki(1): the operator's tool. Options, the instance's directory, and the table of commands; the
 * commands themselves are lib/shell/.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/auth/table.h"
#include "lib/base/die.h"
#include "lib/base/settings.h"
#include "lib/base/zone.h"
#include "lib/inspect/inspect.h"
#include "lib/notice/templates.h"
#include "lib/people/people.h"
#include "lib/shell/out.h"
#include "lib/shell/shell.h"
#include "lib/smtp/relay.h"
#include "lib/smtp/tls.h"
#include "lib/web/template.h"

#define DEFAULT_ROOT "/var/lib/sekisho/instance"

static shell_command help, version;

static const struct command {
	const char *name;
	shell_command *run;
	bool anywhere; /* needs no instance */
	const char *arguments;
	const char *what;
} commands[] = {
    {"list", shell_list, false, "[--ids] [WHICH]... [STATE...]",
	"one line for each leg, in due order"},
    {"show", shell_show, false, "ID...", "everything that is known about a leg"},
    {"cat", shell_cat, false, "ID...", "the mail itself, byte for byte"},
    {"find", shell_find, false, "--from|--to|--subject|--message-id X, --since T",
	"look for mail, sent mail too"},
    {"flush", shell_flush, false, "[DOMAIN...]", "try deferred mail now: all, or a domain's"},
    {"route", shell_route, false, "test ADDRESS...",
	"what would be tried for it, and in which order"},
    {"release", shell_release, false, "ID... | WHICH...", "let mail in hold/ go on"},
    {"discard", shell_discard, false, "ID... | WHICH...",
	"throw mail that waits away: it goes to trash/"},
    {"restore", shell_restore, false, "ID... | WHICH...",
	"bring discarded mail back: it is judged anew, and waits anew"},
    {"approve", shell_approve, false, "ID... | WHICH...",
	"let mail in approve/ go on, in the approvers' place"},
    {"reject", shell_reject, false, "ID... | WHICH...",
	"do not approve it: its sender gets it back as a draft"},
    {"extend", shell_extend, false, "+30m|TIME ID... | WHICH...", "hold mail for longer"},
    {"remove-recipient", shell_remove_recipient, false, "ADDRESS ID... | WHICH...",
	"send it to the others only: out of the envelope and the header"},
    {"link", shell_link, false, "ID [ADDRESS]",
	"the address of its page, for its sender or for who is asked"},
    {"gate", shell_gate, false, "CREDENTIAL|--as ADDRESS VERB [KEY=VALUE...]",
	"ask at the people's door of seki-hold as they do"},
    {"bounce", shell_bounce, false, "ID... | WHICH...", "return mail in deliver/ to its sender"},
    {"freeze", shell_freeze, false, "[all|sender X|recipient X|login X|source X [REASON]]",
	"deliver nothing of it for now; alone: list"},
    {"thaw", shell_thaw, false, "all|sender X|recipient X|login X|source X", "deliver it again"},
    {"stats", shell_stats, false, "", "how much is where, room, clocks"},
    {"check", shell_check, false, "", "read the configuration and say what is wrong"},
    {"reload", shell_reload, false, "", "check, and have every program take the configuration"},
    {"config", shell_config, false, "", "every setting in force, and where it stands"},
    {"clock", shell_clock, false, "[ok]", "what each stage thinks of the clock; ok: it is right"},
    {"facts", shell_facts, true, "[--json] [--to ADDRESS] [--word TEXT] FILE...",
	"what is in a message: addresses, files, texts, personal data"},
    {"test", shell_test, true, "[--from A] [--to A]... [--at TIME] [--policy DIR] FILE...",
	"what the rules would do with a message, and why"},
    {"try", shell_try, true, "[--subject TEXT] [--text TEXT] FROM TO... [FILE...]",
	"the same for a mail that is made up"},
    {"why", shell_why, false, "ID...", "what was decided for each recipient, by which rule"},
    {"replay", shell_replay, true, "[--policy DIR] FILE|DIR|ID...",
	"which messages would fare otherwise under other rules"},
    {"rules", shell_rules, false, "[DIGEST]", "the sets of rules that are kept, or one of them"},
    {"compile", shell_compile, false, "", "check, and compile rules, people, lists and tables"},
    {"people", shell_people, true, "add|remove|list|import ...", "who is in etc/people"},
    {"report", shell_report, false, "[--days N] [--since T]",
	"what rules did, and would have done"},
    {"addresses", shell_addresses, false, "[YYYY-MM] | enrolled | remove ADDRESS",
	"registered addresses: the peak of each month"},
    {"audit", shell_audit, false,
	"verify [--from MONTH] [--head CHAIN] | show [--since T] [--id ID] [--by WHO] [--what "
	"WORD] | "
	"accept --reason TEXT",
	"whether the log of every decision is whole, and what stands in it"},
    {"passwd", shell_passwd, false, "LOGIN | -d LOGIN | -l",
	"set a login's password, delete the login, or list all"},
    {"logout", shell_logout, false, "ADDRESS", "end all sessions of a person on people's pages"},
    {"help", help, true, "", "this"},
    {"version", version, true, "", "the version"},
};

/* etc/relay, read by seki-smtpd's own reader. */
static bool read_relay(int etc, struct conf_fault *fault)
{
	struct relay relay;
	bool good;

	relay_init(&relay);
	good = relay_read(etc, &relay, fault);
	relay_free(&relay);
	return good;
}

/* Rules and people tell the time in the site's zone. */
static void take_zone(void)
{
	struct settings settings;
	struct conf_fault fault;
	int etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (etc < 0)
		return;
	if (settings_read(etc, &settings, &fault) && !zone_set(settings.time_zone))
		complain("no memory");
	(void)close(etc);
}

static bool read_people(int etc, struct conf_fault *fault)
{
	struct people *people = people_read(etc, fault);

	people_free(people);
	return people != NULL;
}

/* etc/tls/, which users' services need. */
static bool read_certificates(int etc, struct conf_fault *fault)
{
	struct settings settings;
	struct relay relay;
	struct tls_config *tls = NULL;
	bool good = true;

	relay_init(&relay);
	if (!settings_read(etc, &settings, fault) || !relay_read(etc, &relay, fault))
		goto out; /* which their own readers tell */
	good = tls_config_read(etc, &settings, &relay, &tls, fault);
	if (good && tls == NULL &&
	    (relay_needs_tls(&relay) || strcmp(settings.submission_listen, "-") != 0 ||
		strcmp(settings.submissions_listen, "-") != 0)) {
		(void)snprintf(fault->file, sizeof fault->file, "etc/tls/default.crt");
		good = conf_blame(fault, 0, 0,
		    "it is missing: users, and relay sources with a certificate or secret, need "
		    "TLS");
	}
out:
	tls_config_free(tls);
	relay_free(&relay);
	return good;
}

/* etc/auth, read by seki-auth's own reader. */
static bool read_auth(int etc, struct conf_fault *fault)
{
	struct table table;
	bool good;

	table_init(&table);
	good = table_read(etc, &table, fault);
	table_free(&table);
	return good;
}

static int help(const struct shell *sh, int argc, char **argv)
{
	(void)sh;
	(void)argc;
	(void)argv;
	(void)puts("usage: seki [--root DIR] [-j] COMMAND [ARGUMENT...]\n");
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		(void)printf(
		    "  %s %s\n\t%s\n", commands[i].name, commands[i].arguments, commands[i].what);
	(void)puts(
	    "\nID: an id (all its legs), ID.K, 8 or more of an id's digits, or - for ids on\n"
	    "standard input. WHICH: --sender X, --to X (an address, @domain), --rule R,\n"
	    "--older 2h, --younger 1d, --due-within 30m, --group G, --state S; with --yes\n"
	    "nobody is asked. Orders take --reason TEXT. The instance: --root DIR, or "
	    "SEKISHO_ROOT. More: man seki");
	return fflush(stdout) == 0 ? EXIT_FINE : EXIT_ENVIRON;
}

static int version(const struct shell *sh, int argc, char **argv)
{
	(void)sh;
	(void)argc;
	(void)argv;
	(void)puts("sekisho " SHELL_VERSION);
	return fflush(stdout) == 0 ? EXIT_FINE : EXIT_ENVIRON;
}

static const struct command *command_called(const char *word)
{
	const char *near;

	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		if (strcmp(commands[i].name, word) == 0)
			return &commands[i];
	}
	near = conf_near(word, commands, COUNT_OF(commands), sizeof commands[0]);
	complain_about(word, "no such command%s%s; \"seki help\" lists them",
	    near != NULL ? "; near: " : "", near != NULL ? near : "");
	return NULL;
}

/* Reads the options before the command; returns the index of the command, or 0 after a complaint. */
static int options(int argc, char **argv, struct shell *sh, const char **root)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-j") == 0) {
			sh->json = true;
		} else if (strncmp(argv[i], "--root=", 7) == 0) {
			*root = argv[i] + 7;
		} else if (strcmp(argv[i], "--root") == 0 && i + 1 < argc) {
			*root = argv[++i];
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "--version") == 0) {
			argv[i] += 2;
			return i;
		} else {
			complain_about(argv[i], "no such option; \"seki help\" lists them");
			return 0;
		}
	}
	if (i < argc)
		return i;
	complain("a command is expected; \"seki help\" lists them");
	return 0;
}

int main(int argc, char **argv)
{
	shell_reader *readers[] = {read_relay, read_auth, read_people, read_certificates,
	    web_templates_check, shell_read_routes, shell_read_route_setting, shell_read_logins,
	    inspect_check, notice_templates_check, NULL};
	struct shell sh = {.terminal = isatty(STDOUT_FILENO) == 1, .reader = readers};
	const char *root = getenv("SEKISHO_ROOT");
	const struct command *command;
	int at;

	if (root == NULL || root[0] == '\0')
		root = DEFAULT_ROOT;
	at = options(argc, argv, &sh, &root);
	sh.root = root;
	command = at > 0 ? command_called(argv[at]) : NULL;
	if (command == NULL)
		return EXIT_USAGE;
	if (command->anywhere)
		return command->run(&sh, argc - at - 1, argv + at + 1);
	if (chdir(root) != 0) {
		complain_about(
		    root, "%s; --root or SEKISHO_ROOT names the instance", strerrordesc_np(errno));
		return EXIT_ENVIRON;
	}
	take_zone();
	return command->run(&sh, argc - at - 1, argv + at + 1);
}
