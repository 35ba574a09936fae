#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/login/inside.h"

#define COMPILED_CURRENT "lib/compiled/current" /* lib/org/compile.h */
#define LOOK_EVERY       (5 * CLOCK_SECOND)

static struct org *open_current(void)
{
	int dir = open(COMPILED_CURRENT, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;
	struct org *org = dir >= 0 ? org_open(dir) : NULL;

	error = errno;
	if (dir >= 0)
		(void)close(dir);
	errno = error;
	return org;
}

/* A new generation is taken when the link leads to it; while there is none that can be read the old one stays. */
static void look_at_compiled(struct login *l)
{
	char name[sizeof l->compiled];
	ssize_t n = readlink(COMPILED_CURRENT, name, sizeof name - 1);
	struct org *org;

	name[n > 0 ? n : 0] = '\0';
	if (l->org != NULL && strcmp(name, l->compiled) == 0)
		return;
	org = open_current();
	if (org == NULL) {
		/* Once for each. */
		if (l->compiled_looked == 0 || strcmp(name, l->compiled) != 0)
			LOG_ALARM("no-organisation", kv("generation", name), kv_errno(errno));
	} else {
		LOG("organisation", kv("generation", name));
		org_close(l->org);
		l->org = org;
	}
	memcpy(l->compiled, name, sizeof name);
}

/* seki-hold makes it, perhaps after we were started, and anew if somebody has taken it away. */
static void look_at_key(struct login *l)
{
	bool was = l->keyed;

	l->keyed = gate_key_read(false, &l->key);
	if (!l->keyed && l->key_looked == 0 && errno == ENOENT)
		LOG("gate-no-key", kv("file", GATE_KEY_FILE), kv_errno(errno)); /* a first start */
	else if (!l->keyed && (was || l->key_looked == 0))
		LOG_ALARM("gate-no-key", kv("file", GATE_KEY_FILE), kv_errno(errno));
	if (l->keyed && !was && l->key_looked != 0)
		LOG("gate-key", kv("file", GATE_KEY_FILE));
}

void login_look(struct login *l)
{
	int64_t now = clock_boot();

	if (l->compiled_looked == 0 || now - l->compiled_looked >= LOOK_EVERY) {
		look_at_compiled(l);
		l->compiled_looked = now;
	}
	/* Without one nobody can do anything: it is looked for more eagerly. */
	if (l->key_looked == 0 ||
	    now - l->key_looked >= (l->keyed ? LOOK_EVERY : CLOCK_SECOND / 4)) {
		look_at_key(l);
		l->key_looked = now;
	}
}

void login_view_free(struct login *l)
{
	org_close(l->org);
	l->org = NULL;
	gate_key_forget(&l->key);
	l->keyed = false;
}

void login_own_address(
    const struct login *l, const char *address, char own[GATE_ADDRESS_MAX], const char **lang)
{
	struct org_person person;

	*lang = NULL;
	(void)snprintf(own, GATE_ADDRESS_MAX, "%s", address);
	if (l->org == NULL || !org_person(l->org, address, &person))
		return;
	*lang = person.english ? "en" : "ja";
	if (person.shared || person.len >= GATE_ADDRESS_MAX)
		return;
	memcpy(own, person.address, person.len);
	own[person.len] = '\0';
}

const char *login_known(const struct login *l, const char *typed)
{
	char normal[ORG_ADDRESS_MAX];

	if (l->org != NULL && (org_login(l->org, typed, normal) ||
				  (strchr(typed, '@') != NULL && org_normal(typed, normal) &&
				      org_class(l->org, normal) == CLASS_INTERNAL)))
		return typed;
	return "(unknown)";
}
