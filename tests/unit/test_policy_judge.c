/* Judging: layers, floors, scales, legs, refusals, what is unknown. */
#include "tests/unit/policy_kit.h"

/* One file of rules, one mail, its legs. */
struct row {
	const char *rules, *from, *to;
	const char *facts; /* NULL: not inspected */
	const char *plans;
};

static void check_rows(struct kit *k, const struct row *row, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		kit_rules(k, row[i].rules);
		kit_mail(k, row[i].from, row[i].to);
		if (row[i].facts != NULL)
			kit_facts(k, row[i].facts);
		kit_expect(k, row[i].plans);
	}
}

#define ALICE "alice@example.co.jp"

/* S1-03, S1-08, S1-09, S1-10, S0-37: one plan a recipient, one leg for those that are alike. */
static void S1_legs_by_outcome(void **state)
{
	static const char wait[] = "rule outsiders-wait\n  to external\n  do hold 60m\n"
				   "rule ours\n  to internal, affiliated\n  do hold no\n";
	static const struct row rows[] = {
	    {wait, ALICE, "bob@x.example", NULL,
		"1: hold until=2026-11-25T04:00:00.000000Z | deliver"},
	    {wait, ALICE, "bob@x.example carol@example.co.jp d@group.example e@y.example", NULL,
		"1,4: hold until=2026-11-25T04:00:00.000000Z | deliver; 2,3: deliver"},
	    {"rule a\n  to list vip\n  do stagger 60m\n  do hold 10m\n", ALICE,
		"x@vip.example carol@example.co.jp vip@partner.example bob@partner.example", NULL,
		"1,3: hold until=2026-11-25T03:10:00.000000Z | stagger wait=3600 | deliver; "
		"2,4: deliver"},
	    {"rule a\n  from group sales\n  to external\n  file any\n  do approve by boss\n", ALICE,
		"bob@x.example",
		"file part=2 role=file counts=yes name=a.pdf size=3 encrypted=no\n",
		"1: approve by=boss:ceo@example.co.jp | deliver"},
	    {"rule a\n  to external\n  do approve by 2 of group checkers then boss\n", ALICE,
		"bob@x.example", NULL,
		"1: approve by=2:checkers then=boss:ceo@example.co.jp | deliver"},
	    {"rule a\n  always\n  do approve by any of group staff\n", ALICE, "bob@x.example", NULL,
		"1: approve by=any:staff | deliver"},
	    {"rule a\n  always\n  do approve by boss\n", "carol@example.co.jp", "bob@x.example",
		NULL, "1: approve by=boss:alice@example.co.jp,ceo@example.co.jp | deliver"},
	    {"rule a\n  always\n  do hold for operator\n", ALICE, "bob@x.example", NULL,
		"1: hold operator why=rule | deliver"},
	    {"rule a\n  always\n  do hold until confirmed else discard\n", ALICE, "bob@x.example",
		NULL, "1: hold discard=confirmed | deliver"},
	    {"rule a\n  always\n  do hold 5m else discard\n", ALICE, "bob@x.example", NULL,
		"1: hold discard=2026-11-25T03:05:00.000000Z | deliver"},
	    {"rule a\n  always\n  do hold until checked\n", ALICE, "bob@x.example", NULL,
		"1: hold checked | deliver"},
	    {"rule a\n  always\n  do notice never\n  do hold no\n  do approve no\n  do keep\n",
		ALICE, "bob@x.example", NULL, "1: deliver"},
	    {"rule a\n  always\n  do zip aes twice as .zi_\n  do password random\n", ALICE,
		"bob@x.example", NULL,
		"1: encrypt zip method=aes twice=yes as=.zi_ password=random | deliver"},
	    {"rule a\n  always\n  do link for 7d times 5\n  do insert top greeting\n  do insert "
	     "end footer\n  do insert end history\n",
		ALICE, "bob@x.example", NULL,
		"1: encrypt link for=604800 times=5 | encrypt insert=top text=greeting | encrypt "
		"insert=end text=footer | encrypt insert=history | deliver"},
	    {"rule a\n  always\n  do tls verified else link\n  do sign example.co.jp\n  do route "
	     "hub\n",
		ALICE, "bob@x.example", NULL,
		"1: deliver tls=verified else=link sign=example.co.jp route=hub"},
	    {"rule a\n  always\n  do tls starttls\n", ALICE, "bob@x.example", NULL,
		"1: deliver tls=starttls else=hold"},
	    {"rule a\n  always\n  do archive\n  do copy audit@example.co.jp\n", ALICE,
		"bob@x.example", NULL,
		"1: encrypt copy=audit@example.co.jp | encrypt archive | deliver"},
	};

	check_rows(*state, rows, COUNT_OF(rows));
}

/* S1-06: to the message as a whole, although only one recipient's rule says it. */
static void S1_bcc_is_everybodys(void **state)
{
	static const struct row rows[] = {
	    {"rule a\n  to @x.example\n  do bcc external\nrule b\n  to @y.example\n  do bcc all\n",
		ALICE, "a@x.example carol@example.co.jp c@y.example", NULL,
		"1,2,3: encrypt bcc=all | deliver"},
	    {"rule a\n  to @x.example\n  do bcc no\n", ALICE, "a@x.example b@y.example", NULL,
		"1,2: deliver"},
	};

	check_rows(*state, rows, COUNT_OF(rows));
}

/* S4-06: `add bcc` is nothing for whoever gets it already; with no boss a person looks. */
static void S4_06_add_bcc(void **state)
{
	static const char rule[] = "rule a\n  always\n  do add bcc boss\n";
	static const struct row rows[] = {
	    {rule, ALICE, "b@x.example", NULL, "1: encrypt add-bcc=ceo@example.co.jp | deliver"},
	    {rule, ALICE, "b@x.example CEO@Example.CO.JP", NULL, "1,2: deliver"},
	    {rule, ALICE, "b@x.example ceo+x@example.co.jp", NULL, "1,2: deliver"},
	    {rule, "ceo@example.co.jp", "b@x.example", NULL,
		"1: hold operator why=no-boss | deliver"},
	    {"rule a\n  always\n  do add bcc log@x.example\nrule b\n  always\n  do add bcc "
	     "log@x.example\n",
		ALICE, "b@x.example", NULL, "1: encrypt add-bcc=log@x.example | deliver"},
	};

	check_rows(*state, rows, COUNT_OF(rows));
}

/* S1-09: nobody approves his own mail, and nobody's mail goes unapproved for want of a boss. */
static void S1_09_no_boss(void **state)
{
	static const char boss[] = "rule a\n  to external\n  do approve by boss\n";
	static const struct row rows[] = {
	    {boss, "ceo@example.co.jp", "b@x.example carol@example.co.jp", NULL,
		"1: hold operator why=no-boss | deliver; 2: deliver"},
	    {boss, "nobody@example.co.jp", "b@x.example", NULL,
		"1: hold operator why=no-boss | deliver"},
	    {boss, "", "b@x.example", NULL, "1: hold operator why=no-boss | deliver"},
	    {"rule a\n  always\n  do approve by alice@example.co.jp\n", "A.Tanaka@example.co.jp",
		"b@x.example", NULL, "1: hold operator why=no-approver | deliver"},
	    {"rule a\n  always\n  do approve by alice@example.co.jp\n", "ted@example.co.jp",
		"b@x.example", NULL, "1: approve by=address:alice@example.co.jp | deliver"},
	    {"rule a\n  always\n  do approve by boss then alice@example.co.jp\n",
		"ceo@example.co.jp", "b@x.example", NULL,
		"1: hold operator why=no-boss | approve by=address:alice@example.co.jp | deliver"},
	};

	check_rows(*state, rows, COUNT_OF(rows));
}

/* S1-21: the row of the destination, in place of the rule's words. */
static void S1_21_table(void **state)
{
	static const char rule[] = "rule a\n  to table destinations\n  do as table destinations\n"
				   "rule b\n  always\n  do keep\n";
	static const struct row rows[] = {
	    {rule, ALICE,
		"a@partner.example tanaka@partner.example b@other.example c@x.example "
		"d@partner.example",
		NULL,
		"1,5: encrypt zip as=.zi_ password=fixed | deliver; 2: encrypt zip "
		"method=zipcrypto password=tanaka | deliver; 3: encrypt link for=1209600 "
		"password=random | deliver; 4: deliver"},
	    {"rule a\n  always\n  do as table destinations\n", ALICE, "c@x.example", NULL,
		"1: deliver"},
	};

	check_rows(*state, rows, COUNT_OF(rows));
}

/* ---- layers ------------------------------------------------------------------------------- */

static const char allow[] = "group hold approve files password tls bcc stagger refuse\n"
			    "user hold approve files password tls bcc stagger\n";

struct layers {
	const char *must, *group, *user, *rest; /* actions, "do hold 5m" */
	const char *plans;
};

static void check_layers(struct kit *k, const struct layers *row)
{
	static const char *const names[] = {
	    "must/10-a", "group/sales/10-a", "user/alice@example.co.jp/10-a", "default/10-a"};
	const char *const texts[] = {row->must, row->group, row->user, row->rest};
	struct kit_rule_file file[5] = {{"allow", allow}};
	char text[4][256];
	size_t n = 1;

	for (size_t i = 0; i < 4; i++) {
		if (texts[i] == NULL)
			continue;
		(void)snprintf(text[i], sizeof text[i], "rule r%zu\n  always\n  %s\n", i, texts[i]);
		file[n++] = (struct kit_rule_file){names[i], text[i]};
	}
	kit_rule_files(k, file, n);
	kit_mail(k, ALICE, "b@x.example");
	kit_expect(k, row->plans);
}

/* What `must` decides is a floor; the strictest of what stands above it wins; default fills in. */
static void S1_24_layers_only_raise(void **state)
{
#define HOLD(minutes) "1: hold until=2026-11-25T03:" minutes ":00.000000Z | deliver"
	static const struct layers rows[] = {
	    {"do hold 5m", NULL, NULL, "do hold 60m", HOLD("05")},
	    {"do hold 5m", NULL, "do hold 30m", NULL, HOLD("30")},
	    {"do hold 5m", "do hold 1m", "do hold no", NULL, HOLD("05")},
	    {"do hold 5m", "do hold 20m", "do hold 10m", NULL, HOLD("20")},
	    {NULL, "do hold 20m", "do hold 30m", NULL, HOLD("30")},
	    {NULL, NULL, NULL, "do hold 30m", HOLD("30")},
	    {"do hold no", NULL, NULL, "do hold 30m", "1: deliver"},
	    {"do hold no", NULL, "do hold 30m", NULL, HOLD("30")},
	    {"do hold until confirmed", "do hold until checked", "do hold 60m", NULL,
		"1: hold checked | deliver"},
	    {"do hold for operator", "do hold until checked", NULL, NULL,
		"1: hold operator why=rule | deliver"},
	    /* Of spans and times of day the one that ends later. */
	    {"do hold 300d", "do hold until 23:00", NULL, NULL,
		"1: hold until=2027-09-21T03:00:00.000000Z | deliver"},
	    {"do hold 5m", "do hold until 23:00", NULL, NULL,
		"1: hold until=2026-11-25T14:00:00.000000Z | deliver"},
	    {"do approve no", NULL, "do approve by boss", NULL,
		"1: approve by=boss:ceo@example.co.jp | deliver"},
	    {"do approve by boss", "do approve no", NULL, NULL,
		"1: approve by=boss:ceo@example.co.jp | deliver"},
	    {"do approve by boss", "do approve by any of group staff", NULL, NULL,
		"1: approve by=boss:ceo@example.co.jp | deliver"},
	    {"do refuse no", "do refuse \"ours\"", NULL, NULL, "refused ours"},
	    {"do refuse \"must\"", "do refuse no", NULL, NULL, "refused must"},
	    {"do keep", "do zip", NULL, NULL, "1: encrypt zip | deliver"},
	    {"do zip", "do keep", "do link", NULL, "1: encrypt zip | deliver"},
	    {"do link", "do zip", NULL, NULL, "1: encrypt link | deliver"},
	    {"do bcc all", "do bcc each", NULL, NULL, "1: encrypt bcc=each | deliver"},
	    {"do bcc all", "do bcc external", NULL, NULL, "1: encrypt bcc=all | deliver"},
	    {"do stagger 10m", "do stagger 5m", "do stagger 60m", NULL,
		"1: stagger wait=3600 | deliver"},
	    {"do tls verified", "do tls starttls", "do tls dane", NULL,
		"1: deliver tls=dane else=hold"},
	};
#undef HOLD

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check_layers(*state, &rows[i]);
}

/* The layer of a group is its members' alone, and the first of their groups by name decides. */
static void layers_of_others(void **state)
{
	struct kit *k = *state;
	static const struct kit_rule_file files[] = {{"allow", "group hold\nuser hold\n"},
	    {"group/employees/10-a", "rule e\n  always\n  do hold 1m\n"},
	    {"group/sales/10-a", "rule s\n  always\n  do hold 20m\n"},
	    {"group/temps/10-a", "rule t\n  always\n  do hold 40m\n"},
	    {"user/carol@example.co.jp/10-a", "rule u\n  always\n  do hold 2m\n"}};
	static const char *const rows[][2] = {
	    {ALICE, "1: hold until=2026-11-25T03:01:00.000000Z | deliver"},
	    {"a.tanaka+x@example.co.jp", "1: hold until=2026-11-25T03:01:00.000000Z | deliver"},
	    {"ted@example.co.jp", "1: hold until=2026-11-25T03:40:00.000000Z | deliver"},
	    {"Carol@EXAMPLE.co.jp", "1: hold until=2026-11-25T03:02:00.000000Z | deliver"},
	    {"x@example.co.jp", "1: deliver"},
	    {"", "1: deliver"},
	};

	kit_rule_files(k, files, COUNT_OF(files));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		kit_mail(k, rows[i][0], "b@x.example");
		kit_expect(k, rows[i][1]);
	}
}

/* The first rule that matches decides, of a function each; what adds up is all of them. */
static void first_match_of_each_function(void **state)
{
	static const char rules[] = "rule a\n  to @x.example\n  do hold 1m\n"
				    "rule b\n  to external\n  do hold 2m\n  do stagger 1m\n"
				    "  do add bcc one@log.example\n"
				    "rule c\n  always\n  do hold 3m\n  do stagger 5m\n"
				    "  do add bcc two@log.example\n";
	static const struct row rows[] = {
	    {rules, ALICE, "b@x.example", NULL,
		"1: hold until=2026-11-25T03:01:00.000000Z | encrypt add-bcc=one@log.example | "
		"encrypt add-bcc=two@log.example | stagger wait=60 | deliver"},
	    {rules, ALICE, "carol@example.co.jp", NULL,
		"1: hold until=2026-11-25T03:03:00.000000Z | encrypt add-bcc=two@log.example | "
		"stagger wait=300 | deliver"},
	};

	check_rows(*state, rows, COUNT_OF(rows));
}

/* ---- refusals ----------------------------------------------------------------------------- */

/* S1-32, S0-35: a refusal is everybody's; who hears of it is said apart. */
static void S1_32_refusals(void **state)
{
	struct kit *k = *state;
	static const char quiet[] =
	    "rule r\n  to @bad.example\n  do refuse \"no\"\n"
	    "rule q\n  always\n  do bounce nobody\n  do forward refused audit@example.co.jp\n"
	    "  do hold 5m\n"
	    "rule b\n  to external\n  do forward refused ceo@example.co.jp\n";

	kit_rules(k, quiet);
	kit_mail(k, ALICE, "b@x.example c@bad.example");
	kit_expect(k, "refused no");
	assert_string_equal(k->j.refusal.where, "must/10-test:1");
	assert_false(k->j.refusal.tell_sender);
	assert_int_equal(k->j.refusal.forwards, 2);
	assert_string_equal(k->j.refusal.forward[0], "audit@example.co.jp");
	assert_string_equal(k->j.refusal.forward[1], "ceo@example.co.jp");
	assert_int_equal(k->j.groups, 1);
	assert_int_equal(k->j.group[0].rcpts, 2);
	assert_int_equal(k->j.group[0].plan.len, 0);
	assert_null(kit_decision(k, FUNCTION_HOLD, 0));
	assert_non_null(kit_decision(k, FUNCTION_BOUNCE, 0));
	assert_null(kit_decision(k, FUNCTION_REFUSE, 0));

	/* Without a refusal nobody is told anything. */
	kit_mail(k, ALICE, "b@x.example");
	kit_expect(k, "1: hold until=2026-11-25T03:05:00.000000Z | deliver");
	assert_null(kit_decision(k, FUNCTION_BOUNCE, 0));
	assert_null(kit_decision(k, FUNCTION_FORWARD, 0));

	kit_rules(k, "rule r\n  always\n  do refuse \"a\"\n");
	kit_expect(k, "refused a");
	assert_true(k->j.refusal.tell_sender);
	kit_rules(k, "rule r\n  always\n  do refuse \"a\"\n  do bounce sender\n");
	kit_expect(k, "refused a");
	assert_true(k->j.refusal.tell_sender);
}

/* ---- shadow, watch-only ------------------------------------------------------------------- */

/* S2-38: a shadow rule decides nothing and is recorded. */
static void S2_38_shadow(void **state)
{
	struct kit *k = *state;
	const struct policy_decision *d;

	kit_rules(k, "rule s shadow\n  to external\n  do refuse \"x\"\n  do hold 60m\n"
		     "rule a\n  always\n  do hold 5m\n"
		     "rule late shadow\n  always\n  do hold 9m\n  do add bcc z@log.example\n");
	kit_mail(k, ALICE, "b@x.example carol@example.co.jp");
	kit_expect(k, "1,2: hold until=2026-11-25T03:05:00.000000Z | deliver");
	d = kit_decision(k, FUNCTION_REFUSE, 0);
	assert_non_null(d);
	assert_true(d->shadow);
	assert_string_equal(d->outcome, "x");
	/* Not what stands behind the rule that decides, but what adds up. */
	assert_memory_equal(k->j.group[0].records.bytes, "judged rules=", 13);
	assert_non_null(strstr(
	    kit_records(k, 0), "decided function=hold outcome=5m rule=must/10-test:5 name=a\n"));
	assert_non_null(strstr(kit_records(k, 0),
	    "decided function=hold outcome=60m rule=must/10-test:1 name=s rcpt=1 shadow=yes\n"));
	assert_non_null(strstr(kit_records(k, 0),
	    "decided function=add-bcc outcome=z@log.example rule=must/10-test:8 name=late "
	    "shadow=yes\n"));
	assert_null(strstr(kit_records(k, 0), "outcome=9m"));

	/* What it would have done is to be known, but mail never waits for it. */
	kit_rules(k, "rule s shadow\n  pii card >= 1\n  do refuse \"x\"\n");
	kit_mail(k, ALICE, "b@x.example");
	kit_expect(k, "needs facts");
	kit_facts(k, "uninspectable part=0 reason=time\n");
	kit_expect(k, "1: deliver");
	assert_int_equal(k->j.decisions, 0);
}

/* S2-38: nothing is done, everything is recorded. */
static void S2_38_watch_only(void **state)
{
	struct kit *k = *state;
	const struct policy_decision *d;

	kit_rules(k, "rule r\n  to @bad.example\n  do refuse \"x\"\n  do bounce nobody\n"
		     "rule a\n  always\n  do hold 5m\n"
		     "rule s shadow\n  always\n  do stagger 9m\n");
	kit_mail(k, ALICE, "b@x.example c@bad.example");
	k->settings.watch_only = WATCH_ONLY_YES;
	kit_expect(k, "1,2: deliver");
	assert_false(k->j.refusal.refused);
	d = kit_decision(k, FUNCTION_REFUSE, 1);
	assert_non_null(d);
	assert_true(d->watched && !d->shadow);
	assert_non_null(strstr(kit_records(k, 0), " watch=yes\ndecided "));
	assert_non_null(strstr(kit_records(k, 0),
	    "decided function=bounce outcome=nobody rule=must/10-test:1 name=r rcpt=2 "
	    "watch=yes\n"));
	assert_non_null(strstr(kit_records(k, 0),
	    "decided function=stagger outcome=9m rule=must/10-test:8 name=s shadow=yes\n"));

	/* The door is no rule; and what cannot be known stops nothing. */
	kit_rules(k, "rule r\n  pii card >= 1\n  do refuse \"x\"\n");
	kit_facts(k, "uninspectable part=0 reason=time\n");
	k->leg.client = "192.0.2.1 hold=foreign-sender";
	kit_expect(k, "1,2: hold operator why=foreign-sender | deliver");
}

/* ---- what is not known -------------------------------------------------------------------- */

/* Mail that no rule about content concerns is never inspected. */
static void only_what_matters_is_inspected(void **state)
{
	static const char card[] = "rule a\n  to external\n  pii card >= 1\n  do refuse \"card\"\n";
	static const struct row rows[] = {
	    {card, ALICE, "b@x.example", NULL, "needs facts"},
	    {card, ALICE, "carol@example.co.jp", NULL, "1: deliver"},
	    {card, ALICE, "carol@example.co.jp b@x.example", NULL, "needs facts"},
	    /* A rule before it has decided. */
	    {"rule z\n  from group sales\n  do refuse no\n"
	     "rule a\n  pii card >= 1\n  do refuse \"card\"\n",
		ALICE, "b@x.example", NULL, "1: deliver"},
	    {"rule z\n  from group temps\n  do refuse no\n"
	     "rule a\n  pii card >= 1\n  do refuse \"card\"\n",
		ALICE, "b@x.example", NULL, "needs facts"},
	    /* Refused in any case; but who hears of it must be known. */
	    {"rule a\n  always\n  do refuse \"a\"\nrule b\n  file any\n  do link\n", ALICE,
		"b@x.example", NULL, "refused a"},
	    {"rule a\n  always\n  do refuse \"a\"\nrule b\n  file any\n  do bounce nobody\n", ALICE,
		"b@x.example", NULL, "needs facts"},
	    {"rule b\n  file any\n  do bounce nobody\n", ALICE, "b@x.example", NULL, "1: deliver"},
	    /* unless, and what is certain beside it */
	    {"rule a\n  to external\n  unless header Cc boss\n  do approve by boss\n", ALICE,
		"carol@example.co.jp", NULL, "1: deliver"},
	    {"rule a\n  to external\n  unless header Cc boss\n  do approve by boss\n", ALICE,
		"b@x.example", NULL, "needs facts"},
	    {"rule a\n  file any\n  unless from group sales\n  do zip\n", ALICE, "b@x.example",
		NULL, "1: deliver"},
	    /* The mail of the gateway itself is nobody's to judge. */
	};
	static const struct layers layers[] = {
	    {"do hold 60m", "do hold 5m", NULL, NULL,
		"1: hold until=2026-11-25T04:00:00.000000Z | deliver"},
	};
	struct kit *k = *state;

	check_rows(k, rows, COUNT_OF(rows));
	check_layers(k, layers);
	kit_rules(k, card);
	kit_mail(k, "", "b@x.example");
	k->leg.client = "- origin=gateway";
	kit_expect(k, "1: deliver");
}

/* A later layer that could not raise what stands is not asked. */
static void what_cannot_raise_is_not_asked(void **state)
{
	struct kit *k = *state;
	static const struct kit_rule_file weaker[] = {{"allow", allow},
	    {"must/10-a", "rule m\n  always\n  do hold 60m\n"},
	    {"group/sales/10-a", "rule g\n  file any\n  do hold 5m\n"},
	    {"default/10-a", "rule d\n  file any\n  do hold for operator\n"}};
	static const struct kit_rule_file stricter[] = {{"allow", allow},
	    {"must/10-a", "rule m\n  always\n  do hold 60m\n"},
	    {"group/sales/10-a",
		"rule g\n  file any\n  do hold 5m\nrule h\n  always\n  do hold 90m\n"}};
	static const char file[] =
	    "file part=2 role=file counts=yes name=a.pdf size=3 encrypted=no\n";

	kit_rule_files(k, weaker, COUNT_OF(weaker));
	kit_mail(k, ALICE, "b@x.example");
	kit_expect(k, "1: hold until=2026-11-25T04:00:00.000000Z | deliver");
	/* The weaker rule, if it matches, keeps the stricter one behind it from deciding. */
	kit_rule_files(k, stricter, COUNT_OF(stricter));
	kit_expect(k, "needs facts");
	kit_facts(k, file);
	kit_expect(k, "1: hold until=2026-11-25T04:00:00.000000Z | deliver");
	kit_facts(k, "");
	kit_expect(k, "1: hold until=2026-11-25T04:30:00.000000Z | deliver");
}

/* A rule that asks for a fact and gets none always holds; a refusal that is certain goes first. */
static void unknown_facts_hold(void **state)
{
	static const char sealed[] =
	    "part path=1 role=body\n"
	    "file part=2 role=file counts=yes name=a.zip size=3 encrypted=all\n"
	    "uninspectable part=2 reason=encrypted\n";
	static const char card[] = "rule a\n  to external\n  pii card >= 1 in files\n"
				   "  do refuse \"card\"\nrule b\n  always\n  do hold 5m\n";
	static const struct row rows[] = {
	    {card, ALICE, "b@x.example carol@example.co.jp", sealed,
		"1,2: hold operator why=facts reason=encrypted | hold "
		"until=2026-11-25T03:05:00.000000Z | deliver"},
	    /* A refusal is the message's, a hold the recipient's. */
	    {"rule a\n  to external\n  pii card >= 1 in files\n  do hold 60m\n", ALICE,
		"b@x.example carol@example.co.jp", sealed,
		"1: hold operator why=facts reason=encrypted | deliver; 2: deliver"},
	    {"rule a\n  to external\n  pii card >= 1 in files\n  do bcc all\n", ALICE,
		"b@x.example carol@example.co.jp", sealed,
		"1,2: hold operator why=facts reason=encrypted | deliver"},
	    {"rule a\n  pii card >= 1 in body\n  do refuse \"x\"\n", ALICE, "b@x.example", sealed,
		"1: deliver"},
	    {"rule a\n  pii card >= 1 in files\n  do refuse \"x\"\n"
	     "rule b\n  file encrypted\n  do refuse \"y\"\n",
		ALICE, "b@x.example", sealed, "refused y"},
	    {"rule a\n  pii card >= 1 in files\n  do refuse no\n"
	     "rule b\n  file encrypted\n  do refuse \"y\"\n",
		ALICE, "b@x.example", sealed,
		"1: hold operator why=facts reason=encrypted | deliver"},
	    {"rule a\n  file not inspectable\n  do hold for operator\n", ALICE, "b@x.example",
		sealed, "1: hold operator why=rule | deliver"},
	    {"rule a\n  message uninspectable\n  do hold for operator\n", ALICE, "b@x.example",
		sealed, "1: hold operator why=rule | deliver"},
	    {"rule a\n  files >= 2\n  do refuse \"x\"\n", ALICE, "b@x.example", sealed,
		"1: deliver"},
	    {"rule a\n  files >= 2\n  do refuse \"x\"\n", ALICE, "b@x.example",
		"uninspectable part=0 reason=time\n",
		"1: hold operator why=facts reason=time | deliver"},
	    {"rule a\n  words \"x\" in body\n  do refuse \"x\"\n", ALICE, "b@x.example",
		"part path=1 role=body\nuninspectable part=1 reason=charset\n",
		"1: hold operator why=facts reason=charset | deliver"},
	};

	check_rows(*state, rows, COUNT_OF(rows));
}

/* What default refuses is no refusal as long as a higher layer may have spoken. */
static void unknown_above_default(void **state)
{
	struct kit *k = *state;
	static const struct kit_rule_file above[] = {
	    {"must/10-a", "rule a\n  words \"x\" in files\n  do refuse no\n"},
	    {"default/10-b", "rule b\n  always\n  do refuse \"y\"\n"},
	};
	static const struct kit_rule_file apart[] = {
	    {"must/10-a", "rule a\n  words \"x\" in files\n  do bcc all\n"},
	    {"default/10-b", "rule b\n  always\n  do refuse \"y\"\n"},
	};
	static const char sealed[] = "file part=2 role=file counts=yes name=a.zip size=3\n"
				     "uninspectable part=2 reason=encrypted\n";

	kit_rule_files(k, above, COUNT_OF(above));
	kit_mail(k, ALICE, "b@x.example");
	kit_expect(k, "needs facts");
	kit_facts(k, sealed);
	kit_expect(k, "1: hold operator why=facts reason=encrypted | deliver");
	kit_facts(k, "");
	kit_expect(k, "refused y");
	kit_facts(k, "word number=1 place=files count=1 text=x\n");
	kit_expect(k, "1: deliver");
	/* Another function of a higher layer does not matter. */
	kit_rule_files(k, apart, COUNT_OF(apart));
	kit_facts(k, sealed);
	kit_expect(k, "refused y");
}

/* The rule stands in the step; the door's wish beside it is one step with it. */
static void one_operator_step(void **state)
{
	struct kit *k = *state;

	kit_rules(k, "rule a\n  to external\n  pii card >= 1\n  do refuse \"x\"\n"
		     "rule b\n  always\n  do hold for operator\n");
	kit_mail(k, ALICE, "b@x.example");
	k->leg.client = "192.0.2.1 hold=foreign-sender";
	kit_facts(k, "");
	assert_string_equal(kit_plans(k, true),
	    "1: hold operator why=rule door=foreign-sender rule=must/10-test:5 | deliver");
	kit_facts(k, "uninspectable part=0 reason=cpu\n");
	assert_string_equal(kit_plans(k, true),
	    "1: hold operator why=facts reason=cpu door=foreign-sender rule=must/10-test:1 | "
	    "deliver");
	k->settings.plan_facts = PLAN_FACTS_YES;
	assert_string_equal(kit_plans(k, true),
	    "1: hold operator why=uninspectable reason=cpu door=foreign-sender "
	    "rule=must/10-test:1 | deliver");
}

/* More steps than a plan can have: a person looks, and nothing is sent without the rest. */
static void more_steps_than_a_plan_has(void **state)
{
	struct kit *k = *state;
	struct buf rules;
	struct plan plan;

	for (size_t n = 62; n <= 65; n++) {
		buf_init(&rules, SIZE_MAX);
		for (size_t i = 0; i < n; i++)
			buf_addf(
			    &rules, "rule r%zu\n  always\n  do add bcc a%zu@log.example\n", i, i);
		buf_add(&rules, "", 1);
		kit_rules(k, rules.bytes);
		buf_free(&rules);
		kit_mail(k, ALICE, "b@x.example");
		assert_int_equal(kit_verdict(k), POLICY_JUDGED);
		assert_true(plan_parse(&plan, k->j.group[0].plan.bytes, k->j.group[0].plan.len));
		assert_int_equal(plan.steps, n < 64 ? n + 1 : 64);
		assert_int_equal(
		    plan_step_is(&plan.step[0], "hold operator why=plan reason=steps"), n >= 64);
		if (n >= 64)
			assert_int_equal(strncmp(plan.step[62].text, "encrypt unplanned=", 18), 0);
	}
}

/* ---- records ------------------------------------------------------------------------------ */

static void records_and_evidence(void **state)
{
	struct kit *k = *state;
	const struct policy_decision *d;
	char expected[1024];

	kit_rules(k, "rule lists\n  to external\n  pii name >= 10, card >= 1 in files\n"
		     "  do link for 7d\n  do password random\n"
		     "rule open\n  visible external >= 2\n  do bcc all\n");
	kit_mail(k, ALICE, "b@x.example carol@example.co.jp c@x.example d@x.example e@y.example");
	kit_facts(k,
	    "address field=to address=b@x.example name= group= envelope=yes\n"
	    "address field=cc address=c@x.example name= group= envelope=yes\n"
	    "file part=2 role=file counts=yes name=+E5+90+8D+E7+B0+BF.xlsx size=3 encrypted=no\n"
	    "pii kind=name places=files count=10\npii kind=name places=body,files count=4\n"
	    "pii kind=name places=body count=7\n"
	    "pii-value kind=name places=files value=+E5+B1+B1*+E5+A4+AA+E9+83+8E\n"
	    "pii-value kind=name places=body value=x\n"
	    "pii-value kind=name places=body,files value=y\n");
	kit_expect(k, "1,3,4,5: encrypt link for=604800 password=random | encrypt bcc=all | "
		      "deliver; 2: encrypt bcc=all | deliver");
	d = kit_decision(k, FUNCTION_FILES, 0);
	assert_non_null(d);
	assert_string_equal(d->outcome, "link for 7d");
	assert_string_equal(d->where, "must/10-test:1");
	assert_string_equal(d->rule, "lists");
	assert_string_equal(d->evidence, "name 14 (山*太郎, y) in 名簿.xlsx");
	assert_int_equal(d->rcpts, 4);
	d = kit_decision(k, FUNCTION_BCC, 1);
	assert_string_equal(d->evidence, "visible external 2");

	(void)snprintf(expected, sizeof expected,
	    "judged rules=%s org=%s\n"
	    "decided function=files outcome=link+20for+207d rule=must/10-test:1 name=lists "
	    "evidence=name+2014+20(+E5+B1+B1*+E5+A4+AA+E9+83+8E,+20y)+20in+20+E5+90+8D+E7+B0+BF."
	    "xlsx\n"
	    "decided function=password outcome=random rule=must/10-test:1 name=lists "
	    "evidence=name+2014+20(+E5+B1+B1*+E5+A4+AA+E9+83+8E,+20y)+20in+20+E5+90+8D+E7+B0+BF."
	    "xlsx\n"
	    "decided function=bcc outcome=all rule=must/10-test:6 name=open "
	    "evidence=visible+20external+202\n"
	    "about size=4096\n",
	    k->policy->rules_digest, k->policy->org_digest);
	assert_int_equal(k->j.group[0].records.len, strlen(expected));
	assert_memory_equal(k->j.group[0].records.bytes, expected, strlen(expected));
}

/* Deciding rules may differ within a leg: then the recipients are numbered, in the leg. */
static void records_number_recipients(void **state)
{
	struct kit *k = *state;

	kit_rules(
	    k, "rule a\n  to @x.example\n  do hold 5m\nrule b\n  to external\n  do hold 5m\n");
	kit_mail(k, ALICE,
	    "a@y.example carol@example.co.jp b@x.example c@x.example d@y.example e@x.example");
	kit_expect(k, "1,3,4,5,6: hold until=2026-11-25T03:05:00.000000Z | deliver; 2: deliver");
	assert_non_null(strstr(kit_records(k, 0), "name=b rcpt=1,4\n"));
	assert_non_null(strstr(kit_records(k, 0), "name=a rcpt=2-3,5\n"));
	assert_null(strstr(kit_records(k, 1), "decided"));
}

/* Evidence is bounded, one line, and UTF-8, whatever a message says. */
static void evidence_is_short_and_clean(void **state)
{
	struct kit *k = *state;
	const struct policy_decision *d;
	char fact[4096], *at;

	kit_rules(k, "rule a\n  file any\n  do hold 5m\n");
	kit_mail(k, ALICE, "b@x.example");
	at = stpcpy(fact, "file part=2 role=file counts=yes name=");
	for (int i = 0; i < 200; i++)
		at = stpcpy(at, "+E5+B1+B1");
	at = stpcpy(at, " size=3 encrypted=no\n");
	kit_facts(k, fact);
	assert_int_equal(kit_verdict(k), POLICY_JUDGED);
	d = kit_decision(k, FUNCTION_HOLD, 0);
	assert_in_range(strlen(d->evidence), 290, 300);
	assert_string_equal(d->evidence + strlen(d->evidence) - 3, "…");
	kit_facts(k, "file part=2 role=file counts=yes name=a+0Ab+FF+E2+80+AEc size=3\n");
	assert_int_equal(kit_verdict(k), POLICY_JUDGED);
	assert_string_equal(kit_decision(k, FUNCTION_HOLD, 0)->evidence, "a b  c");
}

/* ---- the past ----------------------------------------------------------------------------- */

/* S1-20: asked only if it matters, and before the message is opened. */
static void S1_20_first_time(void **state)
{
	struct kit *k = *state;
	static const char *const scopes[] = {"", " for group", " for site"};

	for (size_t i = 0; i < COUNT_OF(scopes); i++) {
		char rule[128];

		(void)snprintf(
		    rule, sizeof rule, "rule a\n  to first-time%s\n  do hold 60m\n", scopes[i]);
		kit_rules(k, rule);
		kit_mail(k, ALICE, "b@x.example c@x.example");
		kit_expect(k, "needs past");
		k->has_past = true;
		kit_expect(k, "1,2: deliver");
		k->past_rcpt[1] =
		    (struct past_rcpt){.by_sender = i != 0, .by_group = i != 1, .by_site = i != 2};
		kit_expect(k, "1: deliver; 2: hold until=2026-11-25T04:00:00.000000Z | deliver");
		assert_string_equal(
		    kit_decision(k, FUNCTION_HOLD, 1)->evidence, "first mail to him");
	}

	kit_rules(k, "rule a\n  to first-time\n  file any\n  do hold 60m\n");
	kit_mail(k, ALICE, "b@x.example");
	kit_expect(k, "needs past");
	k->has_past = true;
	kit_expect(k, "1: deliver"); /* known: not opened */
	k->past_rcpt[0] = (struct past_rcpt){.by_sender = 0};
	kit_expect(k, "needs facts");
	/* An answer about other recipients is none. */
	k->past.rcpts = 0;
	kit_facts(k, "file part=2 role=file counts=yes name=a size=3\n");
	kit_expect(k, "1: hold operator why=facts reason=past | deliver");
}

/* S2-04: the display names are told to whoever is asked. */
static void S2_04_lookalike(void **state)
{
	struct kit *k = *state;
	struct past_question q;
	struct policy_case c;

	kit_rules(k, "rule a\n  to lookalike\n  do hold until confirmed\n");
	kit_mail(k, ALICE, "Bob@X.example c@x.example");
	kit_expect(k, "needs facts");
	kit_facts(k, "address field=to address=bob@x.example name=Bob+20B envelope=yes\n"
		     "address field=from address=c@x.example name=wrong envelope=no\n");
	kit_expect(k, "needs past");
	c = kit_case(k);
	assert_true(policy_past_question(&c, &q));
	assert_true(q.lookalike);
	assert_string_equal(q.sender, ALICE);
	assert_int_equal(q.rcpts, 2);
	assert_string_equal(q.rcpt[0].address, "bob@x.example");
	assert_string_equal(q.rcpt[0].name, "Bob B");
	assert_string_equal(q.rcpt[1].name, "");
	assert_int_equal(q.groups, 3);
	past_question_free(&q);

	k->has_past = true;
	k->past_rcpt[0].look = LOOK_EDIT;
	(void)stpcpy(k->past_rcpt[0].like, "rob@x.example");
	kit_expect(k, "1: hold confirmed | deliver; 2: deliver");
	assert_string_equal(
	    kit_decision(k, FUNCTION_HOLD, 0)->evidence, "looks like rob@x.example (edit)");
}

/* What this version carries out. */
static void policy_can_rows(void **state)
{
	struct kit *k = *state;
	static const struct {
		const char *action;
		bool can;
	} rows[] = {{"refuse \"x\"", true}, {"refuse no", true}, {"bounce nobody", true},
	    {"forward refused a@b.example", true}, {"hold no", true}, {"hold 5m", true},
	    {"hold until 09:00 workday", true}, {"hold for operator", true},
	    {"hold 5m else discard", true}, {"hold until confirmed", true},
	    {"hold until checked else discard", true}, {"approve no", true},
	    {"approve by boss then 2 of group sales", true}, {"keep", true}, {"zip", false},
	    {"link", false}, {"stagger no", true}, {"stagger 5m", false}, {"bcc no", true},
	    {"bcc all", false}, {"notice never", true}, {"notice always", true},
	    {"tls starttls", false}, {"password random", false}, {"sign example.co.jp", false},
	    {"route hub", false}, {"add bcc boss", false}, {"insert end history", true},
	    {"insert top greeting", true}, {"copy a@b.example", false}, {"archive", false}};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char rule[128];

		(void)snprintf(rule, sizeof rule, "rule a\n  always\n  do %s\n", rows[i].action);
		kit_rules(k, rule);
		assert_int_equal(policy_can(&k->policy->block[0].rule[0].action[0]), rows[i].can);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(S1_legs_by_outcome),
	    cmocka_unit_test(S1_bcc_is_everybodys),
	    cmocka_unit_test(S4_06_add_bcc),
	    cmocka_unit_test(S1_09_no_boss),
	    cmocka_unit_test(S1_21_table),
	    cmocka_unit_test(S1_24_layers_only_raise),
	    cmocka_unit_test(layers_of_others),
	    cmocka_unit_test(first_match_of_each_function),
	    cmocka_unit_test(S1_32_refusals),
	    cmocka_unit_test(S2_38_shadow),
	    cmocka_unit_test(S2_38_watch_only),
	    cmocka_unit_test(only_what_matters_is_inspected),
	    cmocka_unit_test(what_cannot_raise_is_not_asked),
	    cmocka_unit_test(unknown_facts_hold),
	    cmocka_unit_test(unknown_above_default),
	    cmocka_unit_test(one_operator_step),
	    cmocka_unit_test(more_steps_than_a_plan_has),
	    cmocka_unit_test(records_and_evidence),
	    cmocka_unit_test(records_number_recipients),
	    cmocka_unit_test(evidence_is_short_and_clean),
	    cmocka_unit_test(S1_20_first_time),
	    cmocka_unit_test(S2_04_lookalike),
	    cmocka_unit_test(policy_can_rows),
	};

	return cmocka_run_group_tests(tests, kit_organisation, kit_end);
}
