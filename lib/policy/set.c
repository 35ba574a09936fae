#include "lib/policy/set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/inspect/protocol.h"
#include "lib/org/compile.h"
#include "lib/org/digest.h"
#include "lib/policy/set_inside.h"

#define BYTES_MAX                                                                                  \
	((size_t)64 * 1024 * 1024) /* of the file `rules`, as lib/org/compile.h makes it */
#define READ_STEP ((size_t)64 * 1024)
#define DIGITS    (POLICY_DIGEST - 1)
#define TRIES     5 /* a generation may be taken away between its name and its opening */

/* ---- rules ---- */

struct gathered {
	struct policy *policy;
	const struct rule_names *names;
	bool unknown;             /* the rule that is being read names what is not there */
	const struct rule **rule; /* of one block */
	size_t rules, room;
};

/* What pages let people name must not keep the administrator from taking it away. */
static bool is_known(
    void *context, enum rule_name_kind kind, const char *name, char *near, size_t room)
{
	struct gathered *g = context;

	if (g->names->known(g->names->context, kind, name, near, room))
		return true;
	if (kind != RULE_NAME_TEXT && kind != RULE_NAME_PASSWORD)
		return false;
	g->unknown = true;
	return true;
}

static bool note_unknown(struct gathered *g, const struct rule *rule)
{
	struct policy_unknown *unknown;

	if (!g->unknown)
		return true;
	g->unknown = false;
	unknown = arena_take(g->policy->arena, sizeof *unknown);
	if (unknown == NULL)
		return false;
	*unknown = (struct policy_unknown){rule->file, rule->line, g->policy->unknown};
	g->policy->unknown = unknown;
	return true;
}

static bool see_rule(void *context, const struct rule *rule, struct conf_fault *fault)
{
	struct gathered *g = context;

	if (!allow_fits(g->policy, rule, fault))
		return false;
	if (!note_unknown(g, rule))
		return conf_blame(fault, rule->line, 0, "no memory");
	if (g->policy->rules == RULES_MAX)
		return conf_blame(
		    fault, rule->line, 0, "more than %zu rules in all files", RULES_MAX);
	if (g->rules == g->room) {
		size_t room = g->room == 0 ? 64 : g->room * 2;
		const struct rule **more = reallocarray(g->rule, room, sizeof(const struct rule *));

		if (more == NULL)
			return conf_blame(fault, rule->line, 0, "no memory");
		g->rule = more;
		g->room = room;
	}
	g->rule[g->rules++] = rule;
	g->policy->rules++;
	return true;
}

static bool same_block(const struct bundle_file *a, const struct bundle_file *b)
{
	return a->layer == b->layer &&
	       (a->owner == NULL || b->owner == NULL || strcmp(a->owner, b->owner) == 0);
}

/* The rules that were gathered become a block. */
static bool add_block(struct gathered *g, const struct bundle_file *file, struct conf_fault *fault)
{
	struct policy *policy = g->policy;
	struct policy_block *block = &policy->block[policy->blocks];
	struct rule *rules = arena_take(policy->arena, g->rules * sizeof *rules);

	if (rules == NULL)
		return conf_blame(fault, 0, 0, "no memory");
	for (size_t i = 0; i < g->rules; i++)
		rules[i] = *g->rule[i];
	*block = (struct policy_block){
	    .layer = file->layer, .owner = file->owner, .rule = rules, .rules = g->rules};
	policy->blocks++;
	g->rules = 0;
	return true;
}

static bool read_files(struct policy *policy, const struct bundle *bundle,
    const struct rule_names *names, struct conf_fault *fault)
{
	struct gathered g = {.policy = policy, .names = names};
	const struct rule_names of_users = {is_known, &g};
	bool fine = true;

	policy->block = arena_take(policy->arena, bundle->files * sizeof *policy->block);
	if (policy->block == NULL)
		return conf_blame(fault, 0, 0, "no memory");
	for (size_t i = 0; fine && i < bundle->files; i++) {
		const struct bundle_file *file = &bundle->file[i];

		fine = rules_parse(policy->arena, file->bytes, file->len, file->name, file->layer,
		    file->owner,
		    names != NULL && names->known != NULL && file->layer == LAYER_USER ? &of_users
										       : names,
		    see_rule, &g, fault);
		if (fine && (i + 1 == bundle->files || !same_block(file, file + 1)))
			fine = add_block(&g, file, fault);
	}
	free(g.rule);
	return fine;
}

struct policy *policy_read(const char *bytes, size_t len, const char *file,
    const struct rule_names *names, struct conf_fault *fault)
{
	struct policy *policy = calloc(1, sizeof *policy);
	struct bundle bundle = {.files = 0};
	bool fine = false;

	*fault = (struct conf_fault){.line = 0};
	(void)snprintf(fault->file, sizeof fault->file, "%s", file);
	if (policy != NULL)
		policy->arena = arena_new(SET_ARENA_MAX);
	if (policy == NULL || policy->arena == NULL) {
		(void)conf_blame(fault, 0, 0, "no memory");
		goto end;
	}
	fine =
	    bundle_read(&bundle, policy->arena, bytes, len, fault) &&
	    (bundle.allow == NULL || allow_read(policy, bundle.allow, bundle.allow_len, fault)) &&
	    read_files(policy, &bundle, names, fault) && numbers_give(policy, fault);
end:
	bundle_free(&bundle);
	if (fine)
		return policy;
	policy_close(policy);
	return NULL;
}

/* ---- generations ---- */

static bool read_bytes(int dir, struct buf *bytes, struct conf_fault *fault)
{
	int fd = openat(dir, COMPILED_RULES, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = -1;

	while (fd >= 0) {
		char *room = buf_reserve(bytes, READ_STEP);

		if (room == NULL) {
			errno = ENOMEM;
			n = -1;
			break;
		}
		n = read(fd, room, READ_STEP);
		if (n > 0)
			bytes->len += (size_t)n;
		else if (n == 0 || errno != EINTR)
			break;
	}
	if (n < 0)
		(void)conf_blame(fault, 0, 0, "%s", strerrordesc_np(errno));
	if (fd >= 0)
		(void)close(fd); /* only read: nothing can be lost */
	return n == 0;
}

/* Whether `name`, "RULES-ORG" of 16 digits each, is that of these rules. */
static bool digest_fits(const char *name, const struct buf *bytes)
{
	char hex[DIGEST_HEX];

	if (strlen(name) != 2 * DIGITS + 1 || name[DIGITS] != '-')
		return false;
	digest_of(bytes->bytes, bytes->len, hex);
	return memcmp(hex, name, DIGITS) == 0;
}

static struct policy *read_generation(int dir, const char *name, const char *file,
    const struct rule_names *names, struct conf_fault *fault)
{
	struct policy *policy = NULL;
	struct buf bytes;

	buf_init(&bytes, BYTES_MAX + READ_STEP);
	if (read_bytes(dir, &bytes, fault)) {
		if (bytes.len == 0 || !digest_fits(name, &bytes))
			(void)conf_blame(fault, 0, 0, "is not what its name says: compile again");
		else
			policy = policy_read(bytes.bytes, bytes.len, file, names, fault);
	}
	if (policy != NULL) {
		memcpy(policy->rules_digest, name, DIGITS);
		memcpy(policy->org_digest, name + DIGITS + 1, DIGITS);
	}
	buf_free(&bytes);
	return policy;
}

/* One of another generation, from a restored copy, would judge by people and lists that nobody named. */
static bool org_fits(int dir, const char *digits)
{
	int fd = openat(dir, ORG_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char hex[DIGEST_HEX];
	uint64_t size;
	bool fits;

	if (fd < 0)
		return false;
	fits = digest_file(fd, UINT64_MAX, hex, &size) && memcmp(hex, digits, DIGITS) == 0;
	(void)close(fd);
	return fits;
}

static struct policy *open_set(
    int dir, const char *name, const struct rule_names *names, bool check, struct conf_fault *fault)
{
	struct policy *policy;
	char file[sizeof fault->file];

	*fault = (struct conf_fault){.line = 0};
	(void)snprintf(file, sizeof file, COMPILED "/%.40s/" COMPILED_RULES, name);
	(void)snprintf(fault->file, sizeof fault->file, "%s", file);
	policy = read_generation(dir, name, file, names, fault);
	if (policy == NULL)
		return NULL;
	if (check && !texts_check(policy, fault))
		goto fail;

	policy->org = org_open(dir);
	(void)snprintf(fault->file, sizeof fault->file, COMPILED "/%.40s/" ORG_FILE, name);
	if (policy->org == NULL)
		(void)conf_blame(fault, 0, 0, "%s",
		    errno == EPROTO ? "is damaged: compile again" : strerrordesc_np(errno));
	else if (!org_fits(dir, policy->org_digest))
		(void)conf_blame(fault, 0, 0, "is not what its name says: compile again");
	else
		return policy;
fail:
	policy_close(policy);
	return NULL;
}

struct policy *policy_open(int dir, const char *name, struct conf_fault *fault)
{
	return open_set(dir, name, NULL, true, fault);
}

struct policy *policy_open_checked(
    int dir, const char *name, const struct rule_names *names, struct conf_fault *fault)
{
	return open_set(dir, name, names, true, fault);
}

/* ---- the current one ---- */

static int blame_current(struct conf_fault *fault)
{
	int error = errno;

	*fault = (struct conf_fault){.file = COMPILED_CURRENT};
	(void)conf_blame(fault, 0, 0, "%s", strerrordesc_np(error));
	errno = error;
	return -1;
}

/* The directory that `current` leads to; `name` is its name. -1: blamed. */
static int open_current(char name[COMPILED_NAME], struct conf_fault *fault)
{
	int compiled = open(COMPILED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int dir = -1;

	if (compiled < 0)
		return blame_current(fault);
	for (int i = 0; i < TRIES && dir < 0; i++) {
		ssize_t n = readlinkat(compiled, "current", name, COMPILED_NAME - 1);

		if (n < 0)
			break;
		name[n] = '\0';
		/* It lies beside the link: nothing else is ours. */
		if (strchr(name, '/') != NULL) {
			errno = EPROTO;
			break;
		}
		dir = openat(compiled, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir < 0 && errno != ENOENT)
			break;
	}
	if (dir < 0)
		(void)blame_current(fault);
	(void)close(compiled);
	return dir;
}

struct policy *policy_open_current(struct conf_fault *fault)
{
	char name[COMPILED_NAME];
	int dir = open_current(name, fault);
	struct policy *policy;

	if (dir < 0)
		return NULL;
	/* What was compiled was checked. */
	policy = open_set(dir, name, NULL, false, fault);
	(void)close(dir);
	return policy;
}

bool policy_current_rules(struct buf *bytes, struct conf_fault *fault)
{
	char name[COMPILED_NAME];
	int dir = open_current(name, fault);
	bool good;

	if (dir < 0)
		return false;
	(void)snprintf(fault->file, sizeof fault->file, COMPILED "/%.40s/" COMPILED_RULES, name);
	good = read_bytes(dir, bytes, fault);
	(void)close(dir);
	return good && ((bytes->len > 0 && digest_fits(name, bytes)) ||
			   conf_blame(fault, 0, 0, "is not what its name says: compile again"));
}

void policy_close(struct policy *policy)
{
	if (policy == NULL)
		return;
	org_close(policy->org);
	arena_free(policy->arena);
	free(policy);
}

/* ---- asking ---- */

static void ask_texts(struct buf *ask, const char *word, const char **text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_addf(ask, "%s ", word);
		buf_add_xtext(ask, text[i], strlen(text[i]));
		buf_add_text(ask, "\n");
	}
}

struct own {
	struct buf *ask;
	size_t domains;
};

/* Only names of companies are compared with them. */
static bool ask_own(void *context, const char *text, size_t len)
{
	struct own *own = context;

	buf_addf(own->ask, "own %.*s\n", (int)len, text);
	return ++own->domains < ASK_WORDS_MAX;
}

void policy_ask(const struct policy *policy, struct buf *ask)
{
	struct own own = {.ask = ask};

	static const char *const wants[] = {
#define W(name, word) word,
	    INSPECT_WANTS(W)
#undef W
	};

	for (unsigned i = 0; i < WANT_COUNT; i++) {
		if ((policy->want & (1u << i)) != 0)
			buf_addf(ask, "want %s\n", wants[i]);
	}
	for (unsigned i = 0; i < DETECT_KIND_COUNT; i++) {
		if ((policy->kinds & (1u << i)) != 0)
			buf_addf(ask, "pii %s\n", detect_kind_word(i));
	}
	ask_texts(ask, "list", policy->list, policy->lists);
	ask_texts(ask, "word", policy->word, policy->words);
	ask_texts(ask, "regex", policy->regex, policy->regexes);
	ask_texts(ask, "field", policy->field, policy->fields);
	if (policy->org != NULL && (policy->want & (1u << WANT_COMPANY)) != 0)
		org_own_domains(policy->org, ask_own, &own);
}
