/* seki-resolve(8): looks up in the DNS where mail goes. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"
#include "lib/resolve/ask.h"
#include "lib/resolve/server.h"

#define LOOKUPS 8192

static bool add(struct words *words, const char *word)
{
	if (words->n >= LOOKUP_WORDS_MAX)
		return false;
	words->word[words->n++] = word;
	return true;
}

/* Only digits, between 1 and `most`. */
static bool number(const char *text, long most, long *value)
{
	size_t len = strlen(text);

	if (len == 0 || len > 6 || strspn(text, "0123456789") != len)
		return false;
	*value = strtol(text, NULL, 10);
	return *value >= 1 && *value <= most;
}

static bool option(
    int letter, const char *word, struct resolver_options *options, struct resolve_bounds *bounds)
{
	long value = 0;
	bool good;

	switch (letter) {
	case 'f':
		return add(&options->forwarders, word);
	case 's':
		return add(&options->stubs, word);
	case 'k':
		return add(&options->anchors, word);
	case 'i':
		return add(&options->insecure, word);
	case 't':
		good = number(word, 600, &value);
		bounds->time = value * CLOCK_SECOND;
		return good;
	case 'c':
		good = number(word, (long)RESOLVE_CLIENTS_MAX, &value);
		bounds->clients = (size_t)value;
		return good;
	case 'q':
		good = number(word, 1024, &value);
		bounds->questions = (size_t)value;
		return good;
	default:
		return false;
	}
}

static bool read_options(
    int argc, char **argv, struct resolver_options *options, struct resolve_bounds *bounds)
{
	int letter;

	opterr = 0;
	while ((letter = getopt(argc, argv, "f:s:k:i:t:c:q:")) != -1) {
		if (!option(letter, optarg, options, bounds))
			return false;
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct resolver_options options = {.lookups = LOOKUPS};
	struct resolve_bounds bounds = {.time = 30 * CLOCK_SECOND, .clients = 64, .questions = 256};
	struct resolver *resolver;
	char fault[512];
	int listener, signals;

	if (!read_options(argc, argv, &options, &bounds)) {
		LOG("usage",
		    kv("text", "seki-resolve [-f ADDRESS[@PORT]] [-s ZONE=ADDRESS[@PORT]] "
			       "[-k FILE] [-i ZONE] [-t SECONDS] [-c CLIENTS] [-q QUESTIONS], in "
			       "the instance's directory"));
		return EXIT_USAGE;
	}

	ready_keep_fd();
	resolve_harden();
	signals = resolve_signals();
	resolver = resolver_open(&options, fault, sizeof fault);
	if (resolver == NULL) {
		reload_answer("seki-resolve", false, fault);
		die_config(fault);
	}
	listener = resolve_listen(RESOLVE_SOCKET);
	if (listener < 0)
		die_environ("making " RESOLVE_SOCKET);

	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer("seki-resolve", true, "");
	resolve_serve(listener, signals, resolver, &bounds, ready_tell);
	return EXIT_FINE;
}
