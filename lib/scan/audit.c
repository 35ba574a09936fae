#include "lib/scan/audit.h"

#include <errno.h>
#include <string.h>

#include "lib/base/log.h"
#include "queue/intake.h"
#include "queue/plan.h"

#define RCPTS_TOLD ((size_t)10)
#define PARTS_MAX  ((size_t)12000) /* bytes of a line that decisions may fill */
#define RECORD_TOLD                                                                                \
	((size_t)2000) /* of one decision; evidence is bounded, texts of rules are too */
#define ADDRESS_TOLD ((size_t)320)
#define TEXT_TOLD    ((size_t)500)

/* " key=" and what stands behind it in a record, which is xtext; nothing, if it is not there. */
static void copy_pair(struct buf *line, const char *record, size_t len, const char *key)
{
	const char *p = record, *end = record + len;
	size_t n = strlen(key);

	while (p < end) {
		const char *blank = memchr(p, ' ', (size_t)(end - p));
		const char *stop = blank != NULL ? blank : end;

		if ((size_t)(stop - p) > n && memcmp(p, key, n) == 0 && p[n] == '=') {
			audit_put_xtext(line, key, p + n + 1, (size_t)(stop - p) - n - 1);
			return;
		}
		p = blank != NULL ? blank + 1 : end;
	}
}

/* The group's records: "judged …" and "decided …", a line each. */
static void put_records(struct buf *line, const struct policy_group *g)
{
	const char *p = g->records.bytes, *end = p + g->records.len;
	size_t begin = line->len;
	int64_t more = 0;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((newline != NULL ? newline : end) - p);

		if (len > 7 && memcmp(p, "judged ", 7) == 0) {
			copy_pair(line, p + 7, len - 7, "rules");
			copy_pair(line, p + 7, len - 7, "org");
			copy_pair(line, p + 7, len - 7, "watch");
		} else if (len > 8 && memcmp(p, "decided ", 8) == 0) {
			if (len - 8 > RECORD_TOLD || line->len - begin > PARTS_MAX - 3 * (len - 8))
				more++;
			else
				audit_put_bytes(line, "decided", p + 8, len - 8);
		}
		p += len + 1;
	}
	if (more > 0)
		audit_put_number(line, "more", more);
}

/* The words of the plan: what is still to come. */
static void put_steps(struct buf *line, const struct policy_group *g)
{
	const char *p = g->plan.bytes, *end = p + g->plan.len;
	bool first = true;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p)), *word = p;
		size_t len;

		if (newline == NULL)
			newline = end;
		while (word < newline && *word == ' ')
			word++;
		len = strcspn(word, " \n");
		if (len > 0 && word + len <= newline) {
			buf_add_text(line, first ? " steps=" : ",");
			buf_add_xtext(line, word, len);
			first = false;
		}
		p = newline + 1;
	}
}

static void put_cut(struct buf *line, const char *key, const char *text, size_t most)
{
	audit_put_bytes(line, key, text, strnlen(text, most));
}

static void put_refusal(struct buf *line, const struct policy_refusal *r)
{
	put_cut(line, "rule", r->where, TEXT_TOLD);
	put_cut(line, "name", r->rule, TEXT_TOLD);
	put_cut(line, "why", r->why, TEXT_TOLD);
	audit_put(line, "tell", r->tell_sender ? "sender" : "nobody");
	for (size_t i = 0; i < r->forwards && i < RCPTS_TOLD; i++)
		put_cut(line, "forward", r->forward[i], ADDRESS_TOLD);
}

/* `k`: of the leg that it becomes. */
static bool say(struct audit *audit, struct buf *line, const struct leg *leg, const char *k,
    const struct policy_group *g, const struct policy_refusal *refusal)
{
	char digest[PLAN_DIGEST_LEN + 1];

	audit_begin(line, refusal != NULL ? "refused" : "judged");
	buf_addf(line, " id=%s.%s", leg->name.id, k);
	put_cut(line, "from", leg->from[0] != '\0' ? leg->from : "<>", ADDRESS_TOLD);
	for (size_t i = 0; i < g->rcpts && i < RCPTS_TOLD; i++)
		put_cut(line, "to", leg->rcpt[g->rcpt[i]].address, ADDRESS_TOLD);
	audit_put_number(line, "rcpts", (int64_t)g->rcpts);
	if (refusal != NULL) {
		put_refusal(line, refusal);
	} else {
		plan_digest(leg->name.id, k, g->plan.bytes, g->plan.len, digest);
		audit_put(line, "plan", digest);
		put_steps(line, g);
	}
	put_records(line, g);
	return audit_say_line(audit, false, line);
}

static bool say_all(
    struct audit *audit, struct buf *line, const struct leg *leg, const struct policy_judgement *j)
{
	char k[K_MAX];

	if (j->refusal.refused)
		return say(audit, line, leg, leg->name.k, &j->group[0], &j->refusal);
	if (j->groups == 1)
		return say(audit, line, leg, leg->name.k, &j->group[0], NULL);
	for (size_t i = 0; i < j->groups; i++) {
		/* A k that is too long is no child: the division says so. */
		if (k_child(leg->name.k, i + 1, k) && !say(audit, line, leg, k, &j->group[i], NULL))
			return false;
	}
	return true;
}

bool scan_audit(
    struct audit *audit, const struct leg *leg, const struct policy_judgement *judgement)
{
	struct buf line;
	bool said;

	if (intake_is_own(leg->client))
		return true;
	buf_init(&line, AUDIT_LINE_MAX);
	said = say_all(audit, &line, leg, judgement);
	if (!said)
		LOG_ALARM("audit-unsaid", kv("id", leg->name.id), kv_errno(errno));
	buf_free(&line);
	return said;
}
