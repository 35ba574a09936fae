#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/smtp/address.h"
#include "lib/smtp/relay_table.h"

#define CLOUDS_MAX 4096
#define OWNER_MAX  40 /* so that a fault that names it is not cut */
#define TEXT_MAX   ((size_t)1024 * 1024)
#define PREFIX     "cert="

void clouds_init(struct clouds *clouds)
{
	*clouds = (struct clouds){0};
	buf_init(&clouds->text, TEXT_MAX);
}

void clouds_free(struct clouds *clouds)
{
	free(clouds->list);
	buf_free(&clouds->text);
	clouds_init(clouds);
}

/* ---- reading ---- */

static bool read_pattern(struct clouds *clouds, struct cloud *cloud, const struct conf_word *word,
    struct conf_fault *fault)
{
	const char *pattern = word->text + strlen(PREFIX);
	const char *name = strncmp(pattern, "*.", 2) == 0 ? pattern + 2 : pattern;

	if (address_check_domain(name, strlen(name), false) != ADDRESS_OK)
		return conf_blame(fault, cloud->line, word->column + (unsigned)(name - word->text),
		    "a domain name, or *. and a domain name, was expected");
	cloud->certificate = true;
	cloud->pattern = clouds->text.len;
	buf_add(&clouds->text, pattern, strlen(pattern) + 1);
	return true;
}

static bool read_what(struct clouds *clouds, struct cloud *cloud, const struct conf_word *word,
    struct conf_fault *fault)
{
	char why[128];
	size_t at;

	if (strncmp(word->text, PREFIX, strlen(PREFIX)) == 0)
		return read_pattern(clouds, cloud, word, fault);
	if (!network_parse(word->text, &cloud->network, why, sizeof why, &at))
		return conf_blame(fault, cloud->line, word->column + (unsigned)at, "%s%s", why,
		    at == 0 ? ", or cert=NAME" : "");
	return true;
}

static bool take_cloud(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct clouds *clouds = context;
	struct cloud cloud = {.line = line->number};
	struct cloud *grown;

	if (!read_what(clouds, &cloud, &line->word[0], fault))
		return false;
	if (line->words < 2)
		return conf_blame(fault, line->number, line->word[0].column,
		    "whose is it? The name of the service is missing");

	cloud.owner = clouds->text.len;
	for (size_t i = 1; i < line->words; i++)
		buf_addf(&clouds->text, "%s%s", i > 1 ? " " : "", line->word[i].text);
	if (clouds->text.len - cloud.owner > OWNER_MAX)
		return conf_blame(fault, line->number, line->word[1].column,
		    "a name of at most %d bytes was expected", OWNER_MAX);
	buf_add(&clouds->text, "", 1);

	if (clouds->n >= CLOUDS_MAX || !buf_ok(&clouds->text))
		return conf_blame(fault, line->number, 0, "too many lines");
	grown = reallocarray(clouds->list, clouds->n + 1, sizeof cloud);
	if (grown == NULL)
		return conf_blame(fault, line->number, 0, "no memory");
	clouds->list = grown;
	clouds->list[clouds->n++] = cloud;
	return true;
}

bool clouds_read(int etc, struct clouds *clouds, struct conf_fault *fault)
{
	return conf_read(etc, "clouds", true, take_cloud, clouds, fault);
}

/* ---- asking ---- */

const struct cloud *clouds_find_network(const struct clouds *clouds, const struct network *network)
{
	for (size_t i = 0; i < clouds->n; i++) {
		const struct cloud *cloud = &clouds->list[i];

		if (!cloud->certificate && network_overlaps(&cloud->network, network))
			return cloud;
	}
	return NULL;
}

/* "*.outlook.com" is every name below outlook.com, however deep. */
static bool pattern_matches(const char *pattern, const char *name)
{
	size_t suffix = strlen(pattern) - 1;
	size_t len = strlen(name);

	if (pattern[0] != '*')
		return strcasecmp(pattern, name) == 0;
	return len > suffix && strcasecmp(name + len - suffix, pattern + 1) == 0;
}

const struct cloud *clouds_find_name(const struct clouds *clouds, const char *name)
{
	for (size_t i = 0; i < clouds->n; i++) {
		const struct cloud *cloud = &clouds->list[i];

		if (cloud->certificate &&
		    pattern_matches(clouds->text.bytes + cloud->pattern, name))
			return cloud;
	}
	return NULL;
}
