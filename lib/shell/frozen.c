#include "lib/shell/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/shell/out.h"
#include "lib/shell/who.h"
#include "queue/freeze.h"
#include "queue/origin.h"

#define REASON_ROOM (FREEZE_TEXT_MAX + 1)

/* The operator's own file first. */
static const char *const files[] = {FREEZE_FILE, FREEZE_QUOTA_FILE};

static const char *const needs[] = {
    [FREEZE_ALL] = "",
    [FREEZE_SENDER] = "an address, or @domain",
    [FREEZE_RECIPIENT] = "an address, or @domain",
    [FREEZE_LOGIN] = "a login",
    [FREEZE_SOURCE] = "an IP address",
};

static int open_lib(void)
{
	int lib = open("lib", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (lib < 0)
		complain("lib/ cannot be opened: %s", strerrordesc_np(errno));
	return lib;
}

static void complain_fault(const struct conf_fault *fault)
{
	char text[512];

	conf_fault_show(fault, text, sizeof text);
	complain_about(text, "so long as the file is wrong, everything is frozen");
}

/* ---- what is frozen ----------------------------------------------------------------------- */

static void show_entry(void *context, const struct freeze_entry *e)
{
	struct out *o = context;

	out_text(o, "kind", freeze_kind_name(e->kind));
	if (e->kind == FREEZE_ALL)
		out_none(o, "address");
	else
		out_text(o, "address", e->address);
	out_text(o, "since", e->since);
	out_text(o, "by", e->by);
	if (e->reason[0] == '\0')
		out_none(o, "reason");
	else
		out_text(o, "reason", e->reason);
	out_end(o);
}

static int list_frozen(const struct shell *sh)
{
	struct conf_fault fault;
	struct out o;
	int lib = open_lib();
	bool fine = true;

	if (lib < 0)
		return EXIT_ENVIRON;
	out_open(&o, sh, "KIND\tADDRESS\tSINCE\tBY\tREASON");
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		if (freeze_list(lib, files[i], show_entry, &o, &fault))
			continue;
		complain_fault(&fault);
		fine = false;
	}
	(void)close(lib);
	return out_close(&o, fine ? EXIT_FINE : EXIT_CONFIG);
}

/* ---- changing it -------------------------------------------------------------------------- */

/* What was named, in the form in which it is written down. */
struct what {
	enum freeze_kind kind;
	const char *address;
	char source[ORIGIN_SOURCE_ROOM];
};

/* Reads "all", "sender ADDRESS" and so on; returns how many words, 0 after a complaint. */
static int take_what(int argc, char **argv, struct what *what)
{
	what->address = "";
	if (argc < 1 || !freeze_kind_by_name(argv[0], &what->kind)) {
		complain("all, or sender, recipient, login or source and whose is expected");
		return 0;
	}
	if (what->kind == FREEZE_ALL)
		return 1;
	if (argc < 2 || argv[1][0] == '\0') {
		complain("%s needs %s", argv[0], needs[what->kind]);
		return 0;
	}
	what->address = argv[1];
	if (what->kind != FREEZE_SOURCE)
		return 2;
	if (!origin_source_of(argv[1], what->source)) {
		complain_about(argv[1], "is no IP address");
		return 0;
	}
	what->address = what->source;
	return 2;
}

/* The remaining words, joined by single spaces. */
static bool join(int argc, char **argv, char reason[REASON_ROOM])
{
	size_t used = 0;

	reason[0] = '\0';
	for (int i = 0; i < argc; i++) {
		int n =
		    snprintf(reason + used, REASON_ROOM - used, "%s%s", i > 0 ? " " : "", argv[i]);

		if (n < 0 || (size_t)n >= REASON_ROOM - used)
			return false;
		used += (size_t)n;
	}
	return true;
}

static int say(enum freeze_done done, const struct conf_fault *fault, const char *already)
{
	switch (done) {
	case FREEZE_DONE:
		return EXIT_FINE;
	case FREEZE_NOTHING:
		complain("%s", already);
		return EXIT_NO;
	case FREEZE_BAD:
		complain_fault(fault);
		return EXIT_CONFIG;
	case FREEZE_FAILED:
		break;
	}
	complain("what is frozen cannot be written down: %s; \"seki freeze\" lists what holds",
	    strerrordesc_np(errno));
	return EXIT_ENVIRON;
}

int shell_freeze(const struct shell *sh, int argc, char **argv)
{
	char since[CLOCK_TEXT], by[WHO_ROOM], reason[REASON_ROOM];
	struct freeze_entry e = {.since = since, .by = by, .reason = reason};
	struct conf_fault fault;
	enum freeze_done done;
	struct what what;
	int words, lib;

	if (argc == 0)
		return list_frozen(sh);
	words = take_what(argc, argv, &what);
	if (words == 0)
		return EXIT_USAGE;
	e.kind = what.kind;
	e.address = what.address;
	if (strlen(e.address) > FREEZE_TEXT_MAX || !join(argc - words, argv + words, reason))
		return complain_usage("the address or the reason is too long");

	lib = open_lib();
	if (lib < 0)
		return EXIT_ENVIRON;
	clock_format(clock_wall(), since);
	who(by);
	done = freeze_add(lib, FREEZE_FILE, &e, &fault);
	(void)close(lib);
	return say(done, &fault, "that is frozen already");
}

/* Takes it out of whichever file has it, or of both. */
static int thaw(int lib, const struct what *what)
{
	struct conf_fault fault;
	int code = EXIT_NO, one;

	for (size_t i = 0; i < COUNT_OF(files); i++) {
		enum freeze_done done =
		    freeze_remove(lib, files[i], what->kind, what->address, &fault);

		if (done == FREEZE_NOTHING)
			continue;
		one = say(done, &fault, "");
		code = code == EXIT_NO ? one : worse(code, one);
	}
	if (code == EXIT_NO)
		complain("that is not frozen; \"seki freeze\" lists what is");
	return code;
}

int shell_thaw(const struct shell *sh, int argc, char **argv)
{
	struct what what;
	int words = take_what(argc, argv, &what), lib, code;

	(void)sh;
	if (words == 0)
		return EXIT_USAGE;
	if (words < argc)
		return complain_usage("thaw takes no reason");
	lib = open_lib();
	if (lib < 0)
		return EXIT_ENVIRON;
	code = thaw(lib, &what);
	(void)close(lib);
	return code;
}
