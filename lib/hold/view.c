/* What jobs go by: settings, organisation and key, in one piece that is replaced and never changed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/hold/inside.h"

#define COMPILED         "lib/compiled" /* lib/org/compile.h */
#define COMPILED_CURRENT COMPILED "/current"
#define LOOK_EVERY       (5 * CLOCK_SECOND)

static bool where_it_leads(char name[sizeof((struct hold *)0)->compiled])
{
	ssize_t n = readlink(COMPILED_CURRENT, name, sizeof((struct hold *)0)->compiled - 1);

	name[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Whether two generations, RULES-ORG, have the same organisation: people change rules of their own all day. */
static bool same_organisation(const char *a, const char *b)
{
	const char *x = strchr(a, '-'), *y = strchr(b, '-');

	return x != NULL && y != NULL ? strcmp(x, y) == 0 : strcmp(a, b) == 0;
}

/* NULL with errno. */
static struct org *open_org(const char *path)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;
	struct org *org = dir >= 0 ? org_open(dir) : NULL;

	error = errno;
	if (dir >= 0)
		(void)close(dir);
	errno = error;
	return org;
}

/* The current generation; if that is none, the one that was in force. */
static struct org *open_any(struct hold *h, const char *name)
{
	struct org *org = open_org(COMPILED_CURRENT);
	char old[sizeof h->compiled + sizeof COMPILED + 1];
	int error = errno;

	if (org != NULL) {
		if (h->lost_org)
			LOG("organisation", kv("generation", name));
		h->lost_org = false;
		return org;
	}
	if (h->compiled[0] != '\0' && strchr(h->compiled, '/') == NULL) {
		(void)snprintf(old, sizeof old, COMPILED "/%s", h->compiled);
		org = open_org(old);
	}
	if (!h->lost_org)
		LOG_ALARM("no-organisation", kv("generation", name), kv_errno(error));
	h->lost_org = true;
	return org;
}

void hold_view_release(struct hold_view *view)
{
	if (view == NULL || --view->refs > 0)
		return;
	org_close(view->org);
	gate_key_forget(&view->key);
	free(view);
}

bool hold_take_view(struct hold *h, const struct settings *settings)
{
	struct hold_view *view = calloc(1, sizeof *view), *old = h->view;
	char name[sizeof h->compiled];

	if (view == NULL)
		return false;
	view->settings = *settings;
	view->refs = 1;
	view->key = h->key;
	view->keyed = h->keyed;
	(void)where_it_leads(name);
	view->org = open_any(h, name);
	if (!h->lost_org)
		memcpy(h->compiled, name, sizeof h->compiled);
	h->compiled_looked = clock_boot();
	h->view = view;
	h->views++;
	h->org = view->org;
	if (old != NULL) {
		h->look_at_all = view->org != NULL;
		hold_view_release(old);
	}
	return true;
}

void hold_look_at_compiled(struct hold *h)
{
	char name[sizeof h->compiled];
	struct org *org;

	if (clock_boot() - h->compiled_looked < LOOK_EVERY)
		return;
	h->compiled_looked = clock_boot();
	if (!where_it_leads(name))
		return;
	if (!h->lost_org && same_organisation(name, h->compiled)) {
		memcpy(h->compiled, name, sizeof h->compiled);
		return;
	}
	if (h->lost_org) { /* said already */
		org = open_org(COMPILED_CURRENT);
		if (org == NULL)
			return;
		org_close(org);
	}
	if (!hold_take_view(h, &h->view->settings))
		LOG_ALARM("no-organisation", kv("generation", name), kv_errno(ENOMEM));
}
