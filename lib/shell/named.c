#include "lib/shell/legs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"

#define PREFIX_MIN 8
#define FRESH      CLOCK_SECOND /* names younger than this are not read again for a word */
#define TRIES      4            /* to catch a leg that moves on */

/* The legs of the words so far are looked up in one list, read anew only when it has to be. */
struct lookup {
	const struct instance *in;
	struct names names; /* by id */
	bool have;
	legs_visit *visit;
	void *context;
	bool stop;
};

static bool look_again(struct lookup *l)
{
	if (l->have)
		names_free(&l->names);
	l->have = names_read(&l->names, &l->in->spool, STATES_LISTED);
	if (l->have) {
		names_sort_id(&l->names);
		return true;
	}
	complain("the spool cannot be listed: %s", strerrordesc_np(errno));
	names_free(&l->names);
	return false;
}

/* The entry at `i` if it begins with the first `len` bytes of `prefix`, or NULL. */
static const struct entry *entry_at(
    const struct lookup *l, size_t i, const char *prefix, size_t len)
{
	const struct entry *e = i < l->names.n ? &l->names.entry[i] : NULL;

	if (e == NULL || e->foreign || strncmp(entry_leg(&l->names, e), prefix, len) != 0)
		return NULL;
	return e;
}

/* Visits the leg `key` (ID.K) wherever it stands. */
static int visit_leg(struct lookup *l, const char *key, size_t *nth)
{
	size_t len = strlen(key) + 1;

	for (int tries = 0; tries < TRIES; tries++) {
		const struct entry *e;
		bool met = false;

		if (tries > 0 && !look_again(l))
			return EXIT_ENVIRON;
		for (size_t i = names_find(&l->names, key, len);
		     !l->stop && (e = entry_at(l, i, key, len)) != NULL; i++) {
			enum visit v = l->visit(l->context, &l->names, e, *nth);

			l->stop = v == VISIT_STOP;
			if (v != VISIT_GONE) {
				met = true;
				(*nth)++;
			}
		}
		if (met)
			return EXIT_FINE;
	}
	complain_about(key, "has just gone: it is finished, discarded, or being divided");
	return EXIT_NO;
}

/* The first `len` bytes of what the operator wrote are a prefix of ID.K, or all of it. */
static int visit_word(struct lookup *l, const char *word, size_t len)
{
	char key[NAME_TEXT], id[ID_TEXT] = "";
	const struct entry *e;
	size_t nth = 0;
	int code = EXIT_FINE;

	for (size_t i = names_find(&l->names, word, len); (e = entry_at(l, i, word, len)) != NULL;
	     i++) {
		const char *leg = entry_leg(&l->names, e);

		if (id[0] != '\0' && memcmp(id, leg, ID_LEN) != 0) {
			complain_about(word, "is the beginning of several ids: write more of it");
			return EXIT_NO;
		}
		memcpy(id, leg, ID_LEN);
	}
	if (id[0] == '\0') {
		complain_about(word, "there is no such mail");
		return EXIT_NO;
	}

	/* Step by step by name and not by index: a visit may have the list read anew. */
	for (size_t i = names_find(&l->names, word, len);
	     !l->stop && (e = entry_at(l, i, word, len)) != NULL;) {
		(void)snprintf(key, sizeof key, "%s", entry_leg(&l->names, e));
		code = worse(code, visit_leg(l, key, &nth));
		i = l->have ? names_find(&l->names, key, strlen(key) + 1) : SIZE_MAX;
		while (entry_at(l, i, key, strlen(key) + 1) != NULL)
			i++;
	}
	return code;
}

/* What of `word` is to be compared: ID.K whole, an id or its beginning; 0 if it is none. */
static size_t significant(const char *word, char key[NAME_TEXT])
{
	struct leg_name name;
	size_t len = strlen(word);

	if (name_parse(word, &name)) {
		(void)snprintf(key, NAME_TEXT, "%s.%s", name.id, name.k);
		return strlen(key) + 1; /* with its NUL: this leg, not its children */
	}
	if (len < PREFIX_MIN || len > ID_LEN || strspn(word, "0123456789abcdef") != len)
		return 0;
	(void)snprintf(key, NAME_TEXT, "%s", word);
	return len;
}

static int look_up(struct lookup *l, const char *word)
{
	char key[NAME_TEXT];
	size_t len = significant(word, key);

	if (len == 0) {
		complain_about(word, "is no id: ID, ID.K or at least %d hex digits", PREFIX_MIN);
		return EXIT_NO;
	}
	if (!l->have && !look_again(l))
		return EXIT_ENVIRON;
	if (entry_at(l, names_find(&l->names, key, len), key, len) == NULL &&
	    clock_boot() - l->names.read_at > FRESH && !look_again(l))
		return EXIT_ENVIRON;
	return visit_word(l, key, len);
}

static int look_up_lines(struct lookup *l, FILE *in)
{
	char *line = NULL;
	size_t room = 0;
	int code = EXIT_FINE;

	while (!l->stop && getline(&line, &room, in) >= 0) {
		line[strcspn(line, " \t\r\n")] = '\0';
		if (line[0] != '\0')
			code = worse(code, look_up(l, line));
	}
	if (ferror(in)) {
		complain("standard input cannot be read");
		code = EXIT_ENVIRON;
	}
	free(line);
	return code;
}

int legs_named(const struct instance *in, int argc, char **argv, legs_visit *visit, void *context)
{
	struct lookup l = {.in = in, .visit = visit, .context = context};
	int code = EXIT_FINE;

	if (argc == 0)
		return complain_usage("which mail? ID, ID.K, or - for ids on standard input");
	for (int i = 0; i < argc && !l.stop; i++) {
		if (strcmp(argv[i], "-") == 0)
			code = worse(code, look_up_lines(&l, stdin));
		else
			code = worse(code, look_up(&l, argv[i]));
	}
	if (l.have)
		names_free(&l.names);
	return code;
}
