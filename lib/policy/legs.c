/* The division law: recipients whose mail is to be treated alike are one leg. */
#include <stdlib.h>
#include <string.h>

#include "lib/policy/inside.h"

#define PLAN_MAX    ((size_t)256 * 1024)
#define RECORDS_MAX ((size_t)16 * 1024 * 1024)

struct table {
	size_t *slot; /* group + 1; 0: free */
	size_t slots; /* a power of two */
	const char **key;
};

static uint64_t hash_of(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 32;
}

static struct policy_group *new_group(struct judging *j)
{
	struct policy_group *g = &j->out->group[j->out->groups++];

	*g = (struct policy_group){.rcpts = 0};
	buf_init(&g->plan, PLAN_MAX);
	buf_init(&g->records, RECORDS_MAX);
	return g;
}

/* The group of that key, or a new one. */
static size_t group_of(struct judging *j, struct table *t, const char *key, size_t rcpt)
{
	size_t at = hash_of(key) & (t->slots - 1);

	while (t->slot[at] != 0 && strcmp(t->key[t->slot[at] - 1], key) != 0)
		at = (at + 1) & (t->slots - 1);
	if (t->slot[at] == 0) {
		struct policy_group *g = new_group(j);

		t->slot[at] = j->out->groups;
		t->key[j->out->groups - 1] = key;
		write_plan(j, rcpt, true, &g->plan);
		j->failed = j->failed || !buf_ok(&g->plan);
	}
	return t->slot[at] - 1;
}

/* Fills the indices so that those of a group stand together, ascending. */
static void lay_out(struct judging *j, const size_t *group)
{
	struct policy_judgement *out = j->out;
	size_t n = j->c->leg->rcpts, used = 0;

	for (size_t i = 0; i < n; i++)
		out->group[group[i]].rcpts++;
	for (size_t g = 0; g < out->groups; g++) {
		out->group[g].rcpt = &out->indices[used];
		used += out->group[g].rcpts;
		out->group[g].rcpts = 0;
	}
	for (size_t i = 0; i < n; i++) {
		struct policy_group *g = &out->group[group[i]];

		g->rcpt[g->rcpts++] = i;
	}
}

static bool make_room(struct judging *j)
{
	size_t n = j->c->leg->rcpts;

	j->out->indices = reallocarray(NULL, n, sizeof *j->out->indices);
	j->out->group = reallocarray(NULL, n, sizeof *j->out->group);
	j->failed = j->failed || j->out->indices == NULL || j->out->group == NULL;
	return !j->failed;
}

void make_groups(struct judging *j)
{
	size_t n = j->c->leg->rcpts;
	struct table t = {.slots = 4};
	size_t *group = judge_take(j, n, sizeof *group);
	struct buf plan;

	while (t.slots < 2 * n)
		t.slots *= 2;
	t.slot = judge_take(j, t.slots, sizeof *t.slot);
	t.key = judge_take(j, n, sizeof *t.key);
	if (j->failed || !make_room(j))
		return;

	j->bcc = bcc_of_all(j);
	buf_init(&plan, PLAN_MAX);
	for (size_t i = 0; i < n && !j->failed; i++) {
		const char *key;

		buf_clear(&plan);
		write_plan(j, i, false, &plan);
		key = buf_ok(&plan) ? judge_text(j, plan.bytes, plan.len) : NULL;
		j->failed = j->failed || key == NULL;
		if (!j->failed)
			group[i] = group_of(j, &t, key, i);
	}
	buf_free(&plan);
	if (!j->failed)
		lay_out(j, group);
}

void make_one_group(struct judging *j)
{
	struct policy_group *g;

	if (!make_room(j))
		return;
	g = new_group(j);
	g->rcpt = j->out->indices;
	for (size_t i = 0; i < j->c->leg->rcpts; i++)
		g->rcpt[g->rcpts++] = i;
}
