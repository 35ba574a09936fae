#include "lib/scan/rules.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/zone.h"

#define AGAIN (60 * CLOCK_SECOND) /* those that could not be read are tried again */

static void take_name(struct scan *scan)
{
	(void)snprintf(scan->generation, sizeof scan->generation, "%s-%s",
	    scan->policy->rules_digest, scan->policy->org_digest);
	scan->refused[0] = '\0';
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

bool rules_take(
    struct scan *scan, const struct settings *settings, bool changed, char *text, size_t room)
{
	struct conf_fault fault;
	struct policy *policy = policy_open_current(&fault);
	bool other;

	if (policy == NULL) {
		conf_fault_show(&fault, text, room);
		return false;
	}
	other = changed || !policy_asks_same(policy, scan->policy);
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
	take_name(scan);
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
	bool told;

	look(name);
	if (strcmp(name, scan->generation) == 0)
		return;
	told = strcmp(name, scan->refused) == 0;
	if (told && clock_boot() - scan->refused_at < AGAIN)
		return;
	if (rules_take(scan, &stage->settings, false, text, sizeof text)) {
		LOG("rules-taken", kv("generation", scan->generation));
		return;
	}
	if (!told)
		LOG_ALARM("rules-unread", kv("generation", name), kv("what", text));
	memcpy(scan->refused, name, sizeof name);
	scan->refused_at = clock_boot();
}
