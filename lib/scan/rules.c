#include "lib/scan/rules.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/zone.h"

#define AGAIN (60 * CLOCK_SECOND) /* those that could not be read are tried again */

/*
 * What jobs have found out is lost when other rules ask something else. People change rules as they like:
 * nobody may have everybody's mail inspected again and again for that.
 */
#define PAUSE (10 * CLOCK_SECOND)

static void take_name(struct scan *scan)
{
	(void)snprintf(scan->generation, sizeof scan->generation, "%s-%s",
	    scan->policy->rules_digest, scan->policy->org_digest);
	scan->refused[0] = scan->put_off[0] = '\0';
}

void rules_open(struct stage *stage)
{
	struct scan *scan = stage->context;
	struct conf_fault fault;
	char why[sizeof fault.file + sizeof fault.text + 80];

	scan->policy = policy_open_current(&fault);
	if (scan->policy == NULL) {
		conf_fault_show(&fault, why, sizeof why);
		(void)strncat(
		    why, "; \"seki compile\" makes it out of etc/", sizeof why - strlen(why) - 1);
		die_config(why);
	}
	take_name(scan);
	if (!zone_set(stage->settings.time_zone))
		die_environ("memory");
}

/* Makes them those in force, and has them from then on. */
static bool take(struct scan *scan, const struct settings *settings, struct policy *policy,
    bool other, char *text, size_t room)
{
	if (other &&
	    (!zone_set(settings->time_zone) || !desk_settings(scan->desk, settings, policy))) {
		(void)snprintf(text, room, "no memory");
		policy_close(policy);
		return false;
	}
	/* No job reads the rules: they are asked by this thread alone. */
	policy_close(scan->policy);
	scan->policy = policy;
	scan->serial += other;
	if (other)
		scan->asked_at = clock_boot();
	take_name(scan);
	return true;
}

static struct policy *open_current(char *text, size_t room)
{
	struct conf_fault fault;
	struct policy *policy = policy_open_current(&fault);

	if (policy == NULL)
		conf_fault_show(&fault, text, room);
	return policy;
}

bool rules_take(
    struct scan *scan, const struct settings *settings, bool changed, char *text, size_t room)
{
	struct policy *policy = open_current(text, room);

	return policy != NULL &&
	       take(scan, settings, policy, changed || !policy_asks_same(policy, scan->policy),
		   text, room);
}

static bool is_pause(const struct scan *scan)
{
	return scan->asked_at > 0 && clock_boot() - scan->asked_at < PAUSE;
}

/* As rules_take; but those that ask something else come one after another with pauses. */
static bool take_or_wait(struct scan *scan, const struct settings *settings, bool *waits,
    const char *name, char *text, size_t room)
{
	struct policy *policy = open_current(text, room);
	bool other;

	*waits = false;
	if (policy == NULL)
		return false;
	other = !policy_asks_same(policy, scan->policy);
	if (!other || !is_pause(scan))
		return take(scan, settings, policy, other, text, room);
	policy_close(policy);
	(void)snprintf(scan->put_off, sizeof scan->put_off, "%s", name);
	*waits = true;
	return true;
}

/* Where lib/compiled/current leads. */
static void look(char name[COMPILED_NAME])
{
	ssize_t n = readlink(COMPILED_CURRENT, name, COMPILED_NAME - 1);

	if (n > 0)
		name[n] = '\0';
	else
		(void)snprintf(name, COMPILED_NAME, "none");
}

void rules_look(struct stage *stage)
{
	struct scan *scan = stage->context;
	char name[COMPILED_NAME], text[512];
	bool told, waits;

	look(name);
	if (strcmp(name, scan->generation) == 0 ||
	    (strcmp(name, scan->put_off) == 0 && is_pause(scan)))
		return;
	told = strcmp(name, scan->refused) == 0;
	if (told && clock_boot() - scan->refused_at < AGAIN)
		return;
	if (take_or_wait(scan, &stage->settings, &waits, name, text, sizeof text)) {
		if (!waits)
			LOG("rules-taken", kv("generation", scan->generation));
		return;
	}
	if (!told)
		LOG_ALARM("rules-unread", kv("generation", name), kv("what", text));
	memcpy(scan->refused, name, sizeof name);
	scan->refused_at = clock_boot();
}
