#include "lib/org/groups.h"

#include <string.h>

#include "lib/mime/address.h"
#include "lib/people/people.h"

bool org_who_read(const char *word, struct org_who *who)
{
	char domain[ADDRESS_TEXT_MAX];

	who->prefix = "";
	/* "*@example.com" would be an address that nobody has, and a list of nobody. */
	if (strchr(word, '*') != NULL)
		return false;
	if (word[0] != '@')
		return org_normal(word, who->text) && who->text[0] != '\0';

	who->prefix = word[1] == '.' ? "@." : "@";
	word += strlen(who->prefix);
	if (!address_domain(word, strlen(word), domain) || strlen(domain) >= sizeof who->text)
		return false;
	memcpy(who->text, domain, strlen(domain) + 1);
	return true;
}

bool org_who_has(const struct org_who *who, const char *address)
{
	const char *at = strrchr(address, '@');
	size_t len, below;

	if (who->prefix[0] == '\0' || at == NULL)
		return strcmp(who->text, address) == 0;
	if (who->prefix[1] == '\0')
		return strcmp(who->text, at + 1) == 0;
	len = strlen(at + 1);
	below = strlen(who->text);
	return len > below + 1 && at[len - below] == '.' &&
	       strcmp(at + 1 + len - below, who->text) == 0;
}

struct reading {
	group_see *see;
	void *context;
};

static bool take(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	const struct reading *r = context;
	const char *group = line->word[0].text;
	struct org_who who;

	if (!people_group_name(group))
		return conf_blame(fault, line->number, line->word[0].column,
		    "the name of a group is 1 to %d letters, digits, '-', '_' and '.'",
		    PEOPLE_GROUP_NAME_MAX);
	if (!r->see(r->context, group, NULL, line->number, fault))
		return false;
	for (size_t i = 1; i < line->words; i++) {
		if (!org_who_read(line->word[i].text, &who))
			return conf_blame(fault, line->number, line->word[i].column,
			    ORG_WHO_EXPECTED, line->word[i].text);
		if (!r->see(r->context, group, &who, line->number, fault))
			return false;
	}
	return true;
}

bool groups_read(int etc, group_see *see, void *context, struct conf_fault *fault)
{
	struct reading r = {.see = see, .context = context};

	return conf_read(etc, "groups", true, take, &r, fault);
}
