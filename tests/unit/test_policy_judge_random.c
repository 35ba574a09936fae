/*
 * Judging, for random sets of rules and messages: one plan in which every recipient stands in exactly
 * one leg, or a refusal; whatever is unknown, in whichever order recipients stand.
 */
#include "tests/unit/policy_kit.h"

#define ALICE  "alice@example.co.jp"
#define RCPTS  6
#define ROUNDS 3000

static uint64_t seed = 20261123;

static unsigned pick(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static const char *const addresses[] = {"bob@x.example", "carol@example.co.jp",
    "dave@group.example", "tanaka@partner.example", "x@vip.example", "ceo@example.co.jp",
    "erin@y.x.example", "frank@other.example", "Bob@X.example", "grace@dane.example"};

static const char *const conditions[] = {"to external", "to internal",
    "to not internal, affiliated", "to @x.example", "to @.x.example", "to list vip",
    "to not partner", "to tls >= starttls", "to boss", "to first-time", "to first-time for site",
    "to table destinations", "to lookalike", "from group sales", "from group temps", "from <>",
    "from not alice@example.co.jp", "header Cc boss", "unless header Cc boss",
    "header To not sender", "visible external >= 3", "recipients external >= 3", "companies >= 2",
    "hidden >= 1", "file any", "unless file any", "file name *.zip", "file not encrypted",
    "files >= 2", "files size >= 1KB", "pii card >= 2 in files", "pii card < 2 in files",
    "unless pii name >= 3", "pii card >= 1", "words \"quote\"", "words not \"quote\" in files",
    "regex \"[0-9]+\" >= 2 in body, files", "company other in body, files", "company none in files",
    "message size >= 4KB", "message automatic", "message not reply", "when 09:00-18:00",
    "when workday", "always"};

static const char *const actions[] = {"refuse \"no\"", "refuse no", "bounce nobody",
    "approve by boss", "approve no", "approve by any of group staff", "hold no", "hold 5m",
    "hold 5m else discard", "hold until 09:00 workday else discard", "hold 60m",
    "hold until 09:00 workday", "hold until confirmed", "hold until checked", "hold for operator",
    "keep", "zip", "link for 7d", "as table destinations", "bcc no", "bcc all", "bcc each",
    "stagger no", "stagger 60m", "tls starttls", "tls dane else link", "password random",
    "notice never", "add bcc boss", "insert end footer", "forward refused audit@example.co.jp",
    "copy log@log.example", "archive"};

/* "hold 5m" of "hold": what an action decides. */
static size_t function_len(const char *action)
{
	return strcspn(action, " ");
}

static bool is_files(const char *action)
{
	return strcmp(action, "keep") == 0 || strcmp(action, "zip") == 0 ||
	       strncmp(action, "link", 4) == 0 || strncmp(action, "as ", 3) == 0;
}

static bool same_function(const char *a, const char *b)
{
	return (is_files(a) && is_files(b)) ||
	       (function_len(a) == function_len(b) && strncmp(a, b, function_len(a)) == 0);
}

static void add_rule(struct buf *text, unsigned number, bool shadow, bool user)
{
	const char *done[3];
	size_t n = 0, wanted = 1 + pick(3);

	buf_addf(text, "rule r%u%s\n", number, shadow ? " shadow" : "");
	for (unsigned i = 0, lines = 1 + pick(3); i < lines; i++)
		buf_addf(text, "  %s\n", conditions[pick(COUNT_OF(conditions))]);
	while (n < wanted) {
		const char *action = actions[pick(COUNT_OF(actions))];
		bool twice = false;

		/* What no user may. */
		if (user && strncmp(action, "hold", 4) != 0 && !is_files(action) &&
		    strncmp(action, "stagger", 7) != 0)
			continue;
		for (size_t i = 0; i < n; i++)
			twice = twice || same_function(action, done[i]);
		if (twice)
			break;
		buf_addf(text, "  do %s\n", action);
		done[n++] = action;
	}
}

/* ---- a random set ------------------------------------------------------------------------- */

#define FILES 5

static const char *const names[FILES] = {"must/10-a", "group/employees/10-a", "group/sales/10-a",
    "user/alice@example.co.jp/10-a", "default/10-a"};

static const char allow[] =
    "group refuse bounce approve hold files password bcc stagger tls notice "
    "add-bcc insert forward copy archive\n"
    "user hold files stagger\n";

struct set {
	struct buf text[FILES];
};

static void make_set(struct set *set)
{
	unsigned number = 0;

	for (size_t i = 0; i < FILES; i++) {
		buf_init(&set->text[i], SIZE_MAX);
		for (unsigned n = pick(i == 0 ? 6 : 4); n > 0; n--)
			add_rule(&set->text[i], number++, pick(8) == 0, i == 3);
	}
}

static void free_set(struct set *set)
{
	for (size_t i = 0; i < FILES; i++)
		buf_free(&set->text[i]);
}

/* The first `files` of it, and a shadow rule in the file `shadow`. */
static void load(struct kit *k, const struct set *set, size_t files, size_t shadow)
{
	struct kit_rule_file file[FILES + 1] = {{"allow", allow}};
	static char text[FILES][65536];
	size_t n = 1;

	for (size_t i = 0; i < files; i++) {
		struct buf all;

		buf_init(&all, SIZE_MAX);
		if (i == shadow)
			add_rule(&all, 999, true, i == 3);
		buf_add(&all, set->text[i].bytes, set->text[i].len);
		assert_true(buf_ok(&all) && all.len < sizeof text[i]);
		memcpy(text[i], all.len > 0 ? all.bytes : "", all.len);
		text[i][all.len] = '\0';
		if (all.len > 0)
			file[n++] = (struct kit_rule_file){names[i], text[i]};
		buf_free(&all);
	}
	kit_rule_files(k, file, n);
}

/* ---- a random message --------------------------------------------------------------------- */

struct mail {
	const char *from;
	const char *to[RCPTS];
	size_t n;
	bool automatic, reply;
	unsigned cards, names, words, numbers;
	bool company, file, zip, boss;
	unsigned looks, firsts; /* bits, by address */
};

static struct mail random_mail(void)
{
	struct mail m = {.from = pick(10) == 0  ? ""
				 : pick(6) == 0 ? "ted@example.co.jp"
						: ALICE,
	    .n = 1 + pick(RCPTS),
	    .automatic = pick(4) == 0,
	    .reply = pick(2) == 0,
	    .cards = pick(4),
	    .names = pick(6),
	    .words = pick(3),
	    .numbers = pick(4),
	    .company = pick(2) == 0,
	    .file = pick(3) != 0,
	    .zip = pick(2) == 0,
	    .boss = pick(2) == 0,
	    .looks = pick(1u << COUNT_OF(addresses)),
	    .firsts = pick(1u << COUNT_OF(addresses))};

	for (size_t i = 0; i < m.n; i++)
		m.to[i] = addresses[pick(COUNT_OF(addresses))];
	return m;
}

static void put_mail(struct kit *k, const struct mail *m)
{
	kit_mail_to(k, m->from, m->to, m->n);
	for (size_t i = 0; i < m->n; i++) {
		unsigned a = 0;

		while (strcmp(addresses[a], m->to[i]) != 0)
			a++;
		k->past_rcpt[i] = (struct past_rcpt){.by_sender = (m->firsts >> a) & 1,
		    .by_group = 1,
		    .by_site = (m->firsts >> a) & 1};
		if ((m->looks >> a) & 1)
			k->past_rcpt[i].look = LOOK_TLD;
	}
}

static const char *yes(bool is)
{
	return is ? "yes" : "no";
}

/* With `closed` the file was not opened: what is in it was not found. */
static void put_facts(struct kit *k, const struct mail *m, bool closed)
{
	char text[4096], *at = text;

	at += sprintf(at,
	    "message size=4096 signed=no encrypted=no automatic=%s reply=%s promises-file=no\n"
	    "part path=1 role=body\naddress field=from address=%s name=\n"
	    "hidden address=z@x.example\n",
	    yes(m->automatic || *m->from == '\0'), yes(m->reply), ALICE);
	for (size_t i = 0; i < m->n; i++)
		at += sprintf(at, "address field=to address=%s name=\n", m->to[i]);
	if (m->boss)
		at = stpcpy(at, "address field=cc address=ceo@example.co.jp name= envelope=yes\n");
	if (m->file)
		at += sprintf(at,
		    "file part=2 role=file counts=yes name=a.%s size=2000 as-named=yes "
		    "encrypted=%s\n",
		    m->zip ? "zip" : "pdf", m->zip ? "all" : "no");
	at += sprintf(at, "pii kind=name places=body count=%u\n", m->names);
	if (closed)
		at = stpcpy(at, "uninspectable part=2 reason=encrypted\n");
	else if (m->file)
		at += sprintf(at, "pii kind=card places=files count=%u\n%s%s%s", m->cards,
		    m->words > 0 ? "word number=1 place=files count=1 text=quote\n" : "",
		    m->numbers > 0 ? "regex number=1 place=files count=3 limit=no\n" : "",
		    m->company ? "company name=O domain=other.example places=files\n" : "");
	kit_facts(k, text);
}

/* ---- what is always so -------------------------------------------------------------------- */

/* Every recipient in one leg, once; every plan one that stages can read; records whole lines. */
static void check_sound(const struct kit *k)
{
	bool there[RCPTS] = {false};
	size_t seen = 0;
	struct plan plan;

	assert_in_range(k->j.groups, 1, k->leg.rcpts);
	for (size_t g = 0; g < k->j.groups; g++) {
		const struct policy_group *group = &k->j.group[g];

		assert_true(group->rcpts > 0);
		assert_true(g == 0 || group->rcpt[0] > k->j.group[g - 1].rcpt[0]);
		for (size_t i = 0; i < group->rcpts; i++, seen++) {
			assert_true(group->rcpt[i] < k->leg.rcpts && !there[group->rcpt[i]]);
			assert_true(i == 0 || group->rcpt[i] > group->rcpt[i - 1]);
			there[group->rcpt[i]] = true;
		}
		assert_int_equal(group->records.len > 0, k->policy->rules > 0);
		if (group->records.len > 0) {
			assert_memory_equal(group->records.bytes, "judged rules=", 13);
			assert_int_equal(group->records.bytes[group->records.len - 1], '\n');
		}
		if (k->j.refusal.refused) {
			assert_int_equal(group->plan.len, 0);
			continue;
		}
		assert_true(plan_parse(&plan, group->plan.bytes, group->plan.len));
		for (size_t i = 0; i < plan.steps; i++)
			assert_int_not_equal(plan.step[i].word, WORD_UNKNOWN);
	}
	assert_int_equal(seen, k->leg.rcpts);
}

/* The plan of each address, in order of address: what is the same in any order of recipients. */
static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *plans_by_address(struct kit *k)
{
	char *line[RCPTS] = {NULL}, *all = NULL, *at;
	size_t size = 1;

	if (k->j.refusal.refused)
		return strdup("refused");
	for (size_t g = 0; g < k->j.groups; g++) {
		const struct policy_group *group = &k->j.group[g];

		for (size_t i = 0; i < group->rcpts; i++) {
			char *plan = strndup(group->plan.bytes, group->plan.len), *rule;

			/* Which of two rules that say the same is named is the first one's. */
			while ((rule = strstr(plan, " rule=")) != NULL)
				memmove(rule, strchr(rule, '\n'), strlen(strchr(rule, '\n')) + 1);
			assert_true(asprintf(&line[group->rcpt[i]], "%s\n%s",
					k->rcpt[group->rcpt[i]].address, plan) > 0);
			size += strlen(line[group->rcpt[i]]);
			free(plan);
		}
	}
	qsort(line, k->leg.rcpts, sizeof line[0], by_text);
	at = all = malloc(size);
	assert_non_null(all);
	*at = '\0';
	for (size_t i = 0; i < k->leg.rcpts; i++) {
		at = stpcpy(at, line[i]);
		free(line[i]);
	}
	return all;
}

static char *judged(struct kit *k)
{
	assert_int_equal(kit_verdict(k), POLICY_JUDGED);
	check_sound(k);
	return plans_by_address(k);
}

static void assert_same(const char *a, const char *b, unsigned round, const char *what)
{
	if (strcmp(a, b) != 0)
		fail_msg("round %u, %s:\n%s\ninstead of\n%s", round, what, b, a);
}

static void turn_round(struct mail *m)
{
	for (size_t i = 0; i < m->n / 2; i++) {
		const char *to = m->to[i];

		m->to[i] = m->to[m->n - 1 - i];
		m->to[m->n - 1 - i] = to;
	}
}

/* ---- ranks -------------------------------------------------------------------------------- */

/* What outweighs what, from the words of the outcome. */
static int64_t rank_of(enum policy_function function, const char *outcome)
{
	static const char *const holds[] = {"no", "5m", "60m", "until 09:00 workday",
	    "5m else discard", "until 09:00 workday else discard", "until confirmed",
	    "until checked", "for operator"};
	static const char *const bccs[] = {"no", "external", "all", "each"};

	if (function == FUNCTION_HOLD) {
		for (size_t i = 0; i < COUNT_OF(holds); i++) {
			if (strcmp(holds[i], outcome) == 0)
				return (int64_t)i;
		}
		fail_msg("%s", outcome);
	}
	for (size_t i = 0; function == FUNCTION_BCC && i < COUNT_OF(bccs); i++) {
		if (strcmp(bccs[i], outcome) == 0)
			return (int64_t)i;
	}
	if (function == FUNCTION_TLS)
		return strncmp(outcome, "dane", 4) == 0 ? 2 : 1;
	if (function == FUNCTION_FILES)
		return strcmp(outcome, "keep") != 0;
	return strcmp(outcome, "no") != 0;
}

/* What `must` alone decided, by function and recipient. */
static void take_ranks(const struct kit *k, int64_t rank[FUNCTION_COUNT][RCPTS])
{
	static const enum policy_function scales[] = {FUNCTION_REFUSE, FUNCTION_APPROVE,
	    FUNCTION_HOLD, FUNCTION_FILES, FUNCTION_BCC, FUNCTION_STAGGER, FUNCTION_TLS};

	for (size_t f = 0; f < COUNT_OF(scales); f++) {
		for (size_t i = 0; i < k->leg.rcpts; i++) {
			const struct policy_decision *d = NULL;

			for (size_t n = 0; n < k->j.decisions && d == NULL; n++) {
				const struct policy_decision *one = &k->j.decision[n];

				for (size_t r = 0; r < one->rcpts && !one->shadow; r++) {
					if (one->function == scales[f] && one->rcpt[r] == i)
						d = one;
				}
			}
			rank[scales[f]][i] = d != NULL ? rank_of(scales[f], d->outcome) : -1;
		}
	}
}

/* ---- the rounds --------------------------------------------------------------------------- */

static void one_round(struct kit *k, unsigned round)
{
	int64_t floor[FUNCTION_COUNT][RCPTS] = {{0}}, whole[FUNCTION_COUNT][RCPTS] = {{0}};
	struct mail m = random_mail();
	char *early = NULL, *full, *other;
	bool refused;
	struct set set;

	make_set(&set);
	load(k, &set, FILES, FILES);

	/* What is judged without facts and past is what facts and past would have it. */
	put_mail(k, &m);
	if (kit_verdict(k) == POLICY_JUDGED)
		early = judged(k);
	k->has_past = true;
	put_facts(k, &m, false);
	full = judged(k);
	take_ranks(k, whole);
	refused = k->j.refusal.refused;
	if (early != NULL)
		assert_same(full, early, round, "judged without facts");

	/* A closed file: who does not wait for it is treated as if it were open. */
	put_facts(k, &m, true);
	other = judged(k);
	if (m.file && strstr(other, "why=facts") == NULL)
		assert_same(full, other, round, "judged with a closed file");
	free(other);

	/* In another order. */
	turn_round(&m);
	put_mail(k, &m);
	k->has_past = true;
	put_facts(k, &m, false);
	other = judged(k);
	assert_same(full, other, round, "another order of recipients");
	free(other);
	turn_round(&m);

	/* A shadow rule changes nothing. */
	load(k, &set, FILES, pick(FILES));
	put_mail(k, &m);
	k->has_past = true;
	put_facts(k, &m, false);
	other = judged(k);
	assert_same(full, other, round, "a shadow rule");
	free(other);

	/* Watch-only does nothing, and finds the same. */
	k->settings.watch_only = WATCH_ONLY_YES;
	other = judged(k);
	assert_null(strstr(other, "refused"));
	assert_null(strstr(other, " hold "));
	free(other);

	/* No later layer weakens `must`. */
	load(k, &set, 1, FILES);
	put_mail(k, &m);
	k->has_past = true;
	put_facts(k, &m, false);
	if (k->policy->rules > 0) {
		free(judged(k));
		take_ranks(k, floor);
		assert_true(refused || !k->j.refusal.refused);
		for (size_t f = 0; f < FUNCTION_COUNT && !refused; f++) {
			for (size_t i = 0; i < m.n; i++)
				assert_true(whole[f][i] >= floor[f][i]);
		}
	}
	free(early);
	free(full);
	free_set(&set);
}

static void any_rules_and_message(void **state)
{
	for (unsigned i = 0; i < ROUNDS; i++)
		one_round(*state, i);
}

/* ---- the same again, by other means ------------------------------------------------------- */

#define RULES 12

/* Rules that say whom they mean: who decides can be told without any of the code above. */
struct plain_rule {
	unsigned to; /* bits of recipients */
	unsigned layer;
	unsigned minutes; /* hold */
};

static int expected_minutes(const struct plain_rule *rule, size_t n, unsigned rcpt)
{
	int stands = -1;

	/* must; employees then sales, the first that decides; the user; default where nobody did. */
	for (unsigned layer = 0; layer < FILES; layer++) {
		static bool group_decided;
		int said = -1;

		for (size_t i = 0; i < n && said < 0; i++) {
			if (rule[i].layer == layer && (rule[i].to >> rcpt & 1) != 0)
				said = (int)rule[i].minutes;
		}
		if (layer == 1)
			group_decided = said >= 0;
		if (said < 0 || (layer == 2 && group_decided) || (layer == 4 && stands >= 0))
			continue;
		stands = said > stands ? said : stands;
	}
	return stands;
}

static void the_layers_by_other_means(void **state)
{
	struct kit *k = *state;
	static const char *const to[] = {"r0@x.example", "r1@x.example", "r2@x.example"};

	for (unsigned round = 0; round < 500; round++) {
		struct plain_rule rule[RULES];
		struct set set;
		size_t n = 1 + pick(RULES);

		for (size_t i = 0; i < FILES; i++)
			buf_init(&set.text[i], SIZE_MAX);
		for (size_t i = 0; i < n; i++) {
			const char *between = "\n  to ";
			struct buf *text;

			rule[i] = (struct plain_rule){1 + pick(7), pick(FILES), pick(4)};
			text = &set.text[rule[i].layer];
			buf_addf(text, "rule p%zu", i);
			for (unsigned r = 0; r < 3; r++) {
				if ((rule[i].to >> r & 1) == 0)
					continue;
				buf_addf(text, "%s%s", between, to[r]);
				between = ", ";
			}
			if (rule[i].minutes > 0)
				buf_addf(text, "\n  do hold %um\n", rule[i].minutes);
			else
				buf_add_text(text, "\n  do hold no\n");
		}
		load(k, &set, FILES, FILES);
		kit_mail_to(k, ALICE, to, 3);
		assert_int_equal(kit_verdict(k), POLICY_JUDGED);
		for (unsigned r = 0; r < 3; r++) {
			const struct policy_decision *d = kit_decision(k, FUNCTION_HOLD, r);
			int minutes = expected_minutes(rule, n, r);
			char said[16] = "no";

			if (minutes > 0)
				(void)snprintf(said, sizeof said, "%dm", minutes);
			assert_int_equal(d == NULL, minutes < 0);
			if (d != NULL)
				assert_string_equal(d->outcome, said);
		}
		free_set(&set);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_rules_and_message),
	    cmocka_unit_test(the_layers_by_other_means),
	};

	return cmocka_run_group_tests(tests, kit_organisation, kit_end);
}
