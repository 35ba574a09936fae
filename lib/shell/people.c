/* people: the people of the organisation, without an editor. */
#include "lib/shell/people.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/org/groups.h"
#include "lib/shell/check.h"
#include "lib/shell/etc_file.h"

#define BYTES_MAX  (2 * CONF_FILE_MAX)
#define VALUES_MAX ((size_t)256) /* of one command line */

#define USAGE_ADD                                                                                  \
	"usage: seki people add ADDRESS [--group GROUP]... [--boss ADDRESS]... [--deputy "         \
	"ADDRESS]... [--name NAME]... [--alias ADDRESS]... [--lang ja|en]"
#define USAGE                                                                                      \
	"usage: seki people add ADDRESS ..., seki people remove ADDRESS, seki people list "        \
	"[--group GROUP], or seki people import [--dry-run] [--remove-missing] FILE.csv"

/* ---- the desk ---- */

static bool see_group(void *context, const char *group, const struct org_who *who, unsigned line,
    struct conf_fault *fault)
{
	struct people_desk *d = context;

	return who != NULL || org_names_add(d->groups, RULE_NAME_GROUP, group, line) ||
	       conf_blame(fault, line, 0, "no memory");
}

static bool read_both(struct people_desk *d)
{
	struct conf_fault fault;
	struct people *people;

	if (!groups_read(d->etc, see_group, d, &fault)) {
		complain_fault(&fault);
		return false;
	}
	if (!etc_read(d->etc, "people", &d->old))
		return false;
	people = people_parse(d->old.bytes, d->old.len, NULL, NULL, &fault);
	if (people == NULL)
		complain_fault(&fault);
	people_free(people);
	return people != NULL;
}

bool people_desk_open(struct people_desk *d, const struct shell *sh, const char *heading)
{
	*d = (struct people_desk){.etc = etc_lock(), .code = EXIT_ENVIRON};
	out_open(&d->out, sh, heading);
	buf_init(&d->old, BYTES_MAX);
	buf_init(&d->declared, BYTES_MAX);
	if (d->etc < 0)
		return false;
	d->groups = org_names_new();
	if (d->groups == NULL) {
		complain("no memory");
		return false;
	}
	if (!read_both(d)) {
		d->code = EXIT_CONFIG;
		return false;
	}
	d->file = people_file_new(d->old.bytes, d->old.len);
	if (d->file == NULL) {
		complain("no memory");
		return false;
	}
	d->code = EXIT_FINE;
	return true;
}

void people_desk_groups(struct people_desk *d, const struct people_wish *groups)
{
	char near[160];

	for (size_t i = 0; i < groups->n; i++) {
		const char *group = groups->text[i];

		if (!people_group_name(group) ||
		    org_name_known(d->groups, RULE_NAME_GROUP, group, near, sizeof near))
			continue; /* what cannot be one is told when it is read */
		out_text(&d->out, "name", group);
		out_text(&d->out, "what", "new group");
		out_end(&d->out);
		if (near[0] != '\0')
			complain_about(group, "a new group; near: %s", near);
		buf_addf(&d->declared, "%s\n", group);
		if (!org_names_add(d->groups, RULE_NAME_GROUP, group, 0)) {
			complain("no memory");
			d->code = EXIT_ENVIRON;
		}
	}
}

static bool write_groups(struct people_desk *d)
{
	struct buf groups;
	bool good;

	if (d->declared.len == 0)
		return true;
	buf_init(&groups, BYTES_MAX);
	good = etc_read(d->etc, "groups", &groups);
	if (good && groups.len > 0 && groups.bytes[groups.len - 1] != '\n')
		buf_add(&groups, "\n", 1);
	buf_add(&groups, d->declared.bytes, d->declared.len);
	if (good && !buf_ok(&groups))
		complain("no memory");
	/* First the groups: a person in a group that nobody has declared would be a fault. */
	good = good && buf_ok(&groups) && etc_replace(d->etc, "groups", &groups);
	buf_free(&groups);
	return good;
}

static bool see_person(void *context, const struct people_line *line, struct conf_fault *fault)
{
	struct people_desk *d = context;

	for (size_t i = 0; i < line->values; i++) {
		const struct people_value *v = &line->value[i];

		if (v->key == PEOPLE_GROUP &&
		    !org_name_known(d->groups, RULE_NAME_GROUP, v->text, NULL, 0))
			return org_names_blame(
			    d->groups, RULE_NAME_GROUP, v->text, line->number, v->column, fault);
	}
	return true;
}

static bool is_same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

void people_desk_save(struct people_desk *d, bool dry)
{
	struct conf_fault fault;
	struct people *people = NULL;
	struct buf new;
	bool written;

	if (d->code != EXIT_FINE)
		return;
	buf_init(&new, BYTES_MAX);
	written = people_file_write(d->file, &new) && buf_ok(&d->declared);
	if (!written) {
		complain("etc/people would become too large");
		d->code = EXIT_NO;
		goto done;
	}
	people = people_parse(new.bytes, new.len, see_person, d, &fault);
	if (people == NULL) {
		complain_fault(&fault);
		complain("nothing is changed");
		d->code = EXIT_NO;
		goto done;
	}
	d->changed = !is_same(&new, &d->old) || d->declared.len > 0;
	if (dry || !d->changed)
		goto done;
	if (!write_groups(d) || (!is_same(&new, &d->old) && !etc_replace(d->etc, "people", &new)))
		d->code = EXIT_ENVIRON;
	else
		complain("etc/ is changed; \"seki reload\" puts it in force");

done:
	people_free(people);
	buf_free(&new);
}

int people_desk_close(struct people_desk *d)
{
	people_file_free(d->file);
	org_names_free(d->groups);
	buf_free(&d->old);
	buf_free(&d->declared);
	if (d->etc >= 0)
		(void)close(d->etc); /* which gives the lock back */
	return out_close(&d->out, d->code);
}

static void tell(struct people_desk *d, const char *address, const char *what)
{
	out_text(&d->out, "name", address);
	out_text(&d->out, "what", what);
	out_end(&d->out);
}

/* ---- add ---- */

struct adding {
	struct people_change change;
	const char *text[PEOPLE_KEY_COUNT][VALUES_MAX];
};

/* "--group sales". False after a complaint. */
static bool take_option(struct adding *a, const char *option, const char *value)
{
	static const enum people_key keys[] = {
	    PEOPLE_GROUP, PEOPLE_BOSS, PEOPLE_DEPUTY, PEOPLE_NAME, PEOPLE_ALIAS, PEOPLE_LANG};

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		struct people_wish *wish = &a->change.key[keys[i]];

		if (strncmp(option, "--", 2) != 0 ||
		    strcmp(option + 2, people_key_word(keys[i])) != 0)
			continue;
		if (!people_value_good(keys[i], value) || wish->n == VALUES_MAX) {
			complain_about(value, "cannot be a %s", people_key_word(keys[i]));
			return false;
		}
		wish->given = true;
		wish->whole = keys[i] == PEOPLE_LANG; /* a person has one */
		wish->n = wish->whole ? 0 : wish->n;
		wish->text = a->text[keys[i]];
		a->text[keys[i]][wish->n++] = value;
		return true;
	}
	complain_about(option, "no such option; " USAGE_ADD);
	return false;
}

static bool take_arguments(struct adding *a, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (argv[i][0] == '-' && i + 1 < argc) {
			if (!take_option(a, argv[i], argv[i + 1]))
				return false;
			i++;
		} else if (argv[i][0] == '-' || a->change.address != NULL) {
			complain(USAGE_ADD);
			return false;
		} else {
			a->change.address = argv[i];
		}
	}
	if (a->change.address == NULL) {
		complain(USAGE_ADD);
		return false;
	}
	if (people_value_good(PEOPLE_ALIAS, a->change.address) &&
	    strchr(a->change.address, '@') != NULL)
		return true;
	complain_about(a->change.address, "an address is expected");
	return false;
}

static int add(const struct shell *sh, int argc, char **argv)
{
	static const char *const words[] = {
	    [PEOPLE_ADDED] = "added", [PEOPLE_CHANGED] = "changed", [PEOPLE_SAME] = "unchanged"};
	struct adding *a = calloc(1, sizeof *a);
	struct people_desk d;
	enum people_done done;

	if (a == NULL || !take_arguments(a, argc, argv)) {
		if (a == NULL)
			complain("no memory");
		free(a);
		return a == NULL ? EXIT_ENVIRON : EXIT_USAGE;
	}
	if (people_desk_open(&d, sh, "NAME\tWHAT")) {
		people_desk_groups(&d, &a->change.key[PEOPLE_GROUP]);
		done = people_file_change(d.file, &a->change, 1);
		if (done == PEOPLE_FAILED) {
			complain("no memory");
			d.code = EXIT_ENVIRON;
		}
		people_desk_save(&d, false);
		if (d.code == EXIT_FINE)
			tell(&d, a->change.address, words[done]);
	}
	free(a);
	return people_desk_close(&d);
}

/* ---- remove ---- */

struct removed {
	const char *address;
	struct people_desk *desk;
};

/* Who would now be approved by somebody who is gone. */
static bool see_left(void *context, const struct people_line *line, struct conf_fault *fault)
{
	const struct removed *r = context;

	(void)fault;
	for (size_t i = 0; i < line->values; i++) {
		const struct people_value *v = &line->value[i];

		if ((v->key == PEOPLE_BOSS || v->key == PEOPLE_DEPUTY) &&
		    strcasecmp(v->text, r->address) == 0 &&
		    strcasecmp(line->address, r->address) != 0)
			complain_about(line->address, "etc/people:%u still has this %s",
			    line->number, people_key_word(v->key));
	}
	return true;
}

static int remove_person(const struct shell *sh, int argc, char **argv)
{
	struct people_desk d;
	struct removed removed = {.desk = &d};
	struct conf_fault fault;

	if (argc != 1 || argv[0][0] == '-')
		return complain_usage("usage: seki people remove ADDRESS");
	removed.address = argv[0];
	if (people_desk_open(&d, sh, "NAME\tWHAT")) {
		if (!people_file_remove(d.file, argv[0])) {
			complain_about(argv[0], "no line of etc/people begins with this address");
			d.code = EXIT_NO;
		}
		people_desk_save(&d, false);
		if (d.code == EXIT_FINE) {
			tell(&d, argv[0], "removed");
			people_free(
			    people_parse(d.old.bytes, d.old.len, see_left, &removed, &fault));
		}
	}
	return people_desk_close(&d);
}

/* ---- list ---- */

struct listing {
	struct out out;
	const char *group; /* NULL: everybody */
	struct org_names *groups;
	struct org_who *who; /* what etc/groups says of it */
	size_t n, room;
};

static bool see_member(void *context, const char *group, const struct org_who *who, unsigned line,
    struct conf_fault *fault)
{
	struct listing *l = context;
	struct org_who *bigger;

	if (who == NULL)
		return org_names_add(l->groups, RULE_NAME_GROUP, group, line) ||
		       conf_blame(fault, line, 0, "no memory");
	if (l->group == NULL || strcmp(group, l->group) != 0)
		return true;
	if (l->n == l->room) {
		l->room = l->room > 0 ? 2 * l->room : 16;
		bigger = reallocarray(l->who, l->room, sizeof *bigger);
		if (bigger == NULL)
			return conf_blame(fault, line, 0, "no memory");
		l->who = bigger;
	}
	l->who[l->n++] = *who;
	return true;
}

static bool stands_in_groups(const struct listing *l, const char *address)
{
	char normal[ORG_ADDRESS_MAX];

	if (!org_normal(address, normal))
		return false;
	for (size_t i = 0; i < l->n; i++) {
		if (org_who_has(&l->who[i], normal))
			return true;
	}
	return false;
}

static bool is_member(const struct listing *l, const struct people_line *line)
{
	if (stands_in_groups(l, line->address))
		return true;
	for (size_t i = 0; i < line->values; i++) {
		const struct people_value *v = &line->value[i];

		if (v->key == PEOPLE_GROUP && strcmp(v->text, l->group) == 0)
			return true;
		if (v->key == PEOPLE_ALIAS && stands_in_groups(l, v->text))
			return true;
	}
	return false;
}

static void put_key(struct listing *l, const struct people_line *line, enum people_key key)
{
	struct buf b;

	buf_init(&b, 2 * CONF_LINE_MAX);
	for (size_t i = 0; i < line->values; i++) {
		if (line->value[i].key != key)
			continue;
		if (b.len > 0)
			buf_add_text(&b, ",");
		buf_add_text(&b, line->value[i].text);
	}
	if (b.len > 0)
		out_bytes(&l->out, people_key_word(key), b.bytes, b.len);
	else
		out_none(&l->out, people_key_word(key));
	buf_free(&b);
}

static bool see_listed(void *context, const struct people_line *line, struct conf_fault *fault)
{
	static const enum people_key keys[] = {PEOPLE_NAME, PEOPLE_GROUP, PEOPLE_BOSS,
	    PEOPLE_DEPUTY, PEOPLE_LANG, PEOPLE_ALIAS, PEOPLE_SHARED, PEOPLE_LOGIN};
	struct listing *l = context;

	(void)fault;
	if (l->group != NULL && !is_member(l, line))
		return true;
	out_text(&l->out, "address", line->address);
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		put_key(l, line, keys[i]);
	out_end(&l->out);
	return true;
}

/* Reads the groups and then shows the people; what goes wrong is complained about. */
static int show_people(struct listing *l)
{
	struct conf_fault fault;
	char near[160];
	struct people *people;
	int etc = etc_lock();
	int code = EXIT_CONFIG;

	if (etc < 0)
		return EXIT_ENVIRON;
	if (!groups_read(etc, see_member, l, &fault)) {
		complain_fault(&fault);
		goto done;
	}
	if (l->group != NULL &&
	    !org_name_known(l->groups, RULE_NAME_GROUP, l->group, near, sizeof near)) {
		complain_about(l->group, "no such group in etc/groups%s%s",
		    near[0] != '\0' ? "; near: " : "", near);
		code = EXIT_NO;
		goto done;
	}
	people = people_read_each(etc, see_listed, l, &fault);
	if (people == NULL)
		complain_fault(&fault);
	else
		code = EXIT_FINE;
	people_free(people);

done:
	(void)close(etc);
	return code;
}

static int list(const struct shell *sh, int argc, char **argv)
{
	struct listing l = {.groups = org_names_new()};
	int code = EXIT_ENVIRON;

	if (argc == 2 && strcmp(argv[0], "--group") == 0)
		l.group = argv[1];
	out_open(&l.out, sh, "ADDRESS\tNAME\tGROUP\tBOSS\tDEPUTY\tLANG\tALIAS\tSHARED\tLOGIN");
	if (argc > 0 && l.group == NULL)
		code = complain_usage("usage: seki people list [--group GROUP]");
	else if (l.groups == NULL)
		complain("no memory");
	else
		code = show_people(&l);
	free(l.who);
	org_names_free(l.groups);
	return out_close(&l.out, code);
}

/* ---- the command ---- */

int shell_people(const struct shell *sh, int argc, char **argv)
{
	if (argc > 0 && strcmp(argv[0], "import") == 0)
		return people_import(sh, argc - 1, argv + 1);
	/* What stands in a file of the caller's is read first, from where they are. */
	if (chdir(sh->root) != 0) {
		complain_about(sh->root, "%s; --root or SEKISHO_ROOT names the instance",
		    strerrordesc_np(errno));
		return EXIT_ENVIRON;
	}
	if (argc > 0 && strcmp(argv[0], "add") == 0)
		return add(sh, argc - 1, argv + 1);
	if (argc > 0 && strcmp(argv[0], "remove") == 0)
		return remove_person(sh, argc - 1, argv + 1);
	if (argc > 0 && strcmp(argv[0], "list") == 0)
		return list(sh, argc - 1, argv + 1);
	return complain_usage(USAGE);
}
