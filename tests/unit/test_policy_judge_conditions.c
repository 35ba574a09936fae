/* Each kind of condition: at its boundaries, turned round, and not known. */
#include "tests/unit/policy_kit.h"

#define ALICE "alice@example.co.jp"

/* yes, no, unknown, asks for facts: of the first recipient, by a rule with these lines. */
static char holds(struct kit *k, const char *lines)
{
	char rule[4096];
	const char *plans;

	(void)snprintf(rule, sizeof rule, "rule a\n  %s\n  do hold 5m\n", lines);
	kit_rules(k, rule);
	plans = kit_plans(k, false);
	if (strcmp(plans, "needs facts") == 0)
		return 'f';
	if (strstr(plans, "why=facts") != NULL)
		return 'u';
	return strstr(plans, "hold until=") != NULL ? 'y' : 'n';
}

#define assert_holds(k, lines, expected)                                                           \
	do {                                                                                       \
		char is_ = holds(k, lines);                                                        \
                                                                                                   \
		if (is_ != (expected))                                                             \
			fail_msg("%s: %c instead of %c", lines, is_, expected);                    \
	} while (0)

struct asked {
	const char *lines;
	char is;
};

static void check(struct kit *k, const struct asked *row, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_holds(k, row[i].lines, row[i].is);
}

/* ---- who ---------------------------------------------------------------------------------- */

/* Case, plus-addressing at our own domains, quotes, IDN, aliases. */
static void addresses_are_compared_in_normal_form(void **state)
{
	struct kit *k = *state;
	static const struct {
		const char *from, *to, *lines;
		char is;
	} rows[] = {
	    {ALICE, "b@x.example", "from Alice@EXAMPLE.co.jp", 'y'},
	    {"ALICE@example.CO.JP", "b@x.example", "from alice@example.co.jp", 'y'},
	    {"alice+news@example.co.jp", "b@x.example", "from alice@example.co.jp", 'y'},
	    {"a.tanaka+x@example.co.jp", "b@x.example", "from alice@example.co.jp", 'y'},
	    {"a.tanaka@example.co.jp", "b@x.example", "from a.tanaka@example.co.jp", 'y'},
	    {"unknown+x@example.co.jp", "b@x.example", "from unknown@example.co.jp", 'y'},
	    {"\"alice\"@example.co.jp", "b@x.example", "from alice@example.co.jp", 'y'},
	    {"\"al ice\"@example.co.jp", "b@x.example", "from alice@example.co.jp", 'n'},
	    {"alic@example.co.jp", "b@x.example", "from alice@example.co.jp", 'n'},
	    {"alice@example.co.jp.x.example", "b@x.example", "from alice@example.co.jp", 'n'},
	    {ALICE, "b@x.example", "from not bob@example.co.jp, carol@example.co.jp", 'y'},
	    {ALICE, "b@x.example", "from not bob@example.co.jp, alice@example.co.jp", 'n'},
	    {ALICE, "b@x.example", "unless from alice@example.co.jp", 'n'},
	    {"", "b@x.example", "from <>", 'y'},
	    {"", "b@x.example", "from not <>", 'n'},
	    {ALICE, "b@x.example", "from <>", 'n'},
	    {ALICE, "b@x.example", "from any", 'y'},
	    {ALICE, "b@x.example", "from group sales", 'y'},
	    {"a.tanaka+q@example.co.jp", "b@x.example", "from group sales", 'y'},
	    {"ted@example.co.jp", "b@x.example", "from group sales", 'n'},
	    {"", "b@x.example", "from group staff", 'n'},
	    {"x@example.co.jp", "b@x.example", "from group staff", 'y'},
	    {"x@sub.example.co.jp", "b@x.example", "from group staff", 'n'},
	    {ALICE, "b+x@X.Example", "to b@x.example", 'n'},
	    {ALICE, "b+x@X.Example", "to b+x@x.example", 'y'},
	    {ALICE, "b@x.example", "to @x.example", 'y'},
	    {ALICE, "b@x.example", "to @.x.example", 'n'},
	    {ALICE, "b@y.x.example", "to @.x.example", 'y'},
	    {ALICE, "b@yx.example", "to @.x.example", 'n'},
	    {ALICE, "b@y.x.example", "to @x.example", 'n'},
	    {ALICE, "b@xn--r8jz45g.example", "to @例え.example", 'y'},
	    {ALICE, "b@例え.example", "to @xn--r8jz45g.example", 'y'},
	    {ALICE, "b@ＸＮ--R8JZ45G.example", "to @例え.example", 'y'},
	    {ALICE, "\"a@b\"@x.example", "to @x.example", 'y'},
	    {ALICE, "carol@example.co.jp", "to internal", 'y'},
	    {ALICE, "carol@sub.example.co.jp", "to internal", 'n'},
	    {ALICE, "d@GROUP.example", "to affiliated", 'y'},
	    {ALICE, "d@GROUP.example", "to external", 'n'},
	    {ALICE, "d@x.example", "to external", 'y'},
	    {ALICE, "d@x.example", "to not internal, affiliated", 'y'},
	    {ALICE, "VIP@partner.example", "to list vip", 'y'},
	    {ALICE, "any@vip.example", "to list vip", 'y'},
	    {ALICE, "bob@partner.example", "to list vip", 'n'},
	    {ALICE, "bob@partner.example", "to partner", 'y'},
	    {ALICE, "bob@eu.Partner.example", "to partner", 'y'},
	    {ALICE, "bob@x.example", "to not partner", 'y'},
	    {ALICE, "bob@partner.example", "to table destinations", 'y'},
	    {ALICE, "bob@x.example", "to table destinations", 'n'},
	    {ALICE, "bob@partner.example", "to tls >= starttls", 'y'},
	    {ALICE, "bob@partner.example", "to tls > starttls", 'n'},
	    {ALICE, "bob@x.example", "to tls >= starttls", 'n'},
	    {ALICE, "bob@x.example", "to tls < starttls", 'y'},
	    {ALICE, "bob@dane.example", "to tls = dane", 'y'},
	    {ALICE, "ceo@example.co.jp", "to boss", 'y'},
	    {ALICE, "carol@example.co.jp", "to boss", 'n'},
	    {"carol@example.co.jp", "a.tanaka+b@example.co.jp", "to boss", 'y'},
	    {ALICE, "a.tanaka@example.co.jp", "to sender", 'y'},
	    {ALICE, "carol@example.co.jp", "to sender", 'n'},
	    {"", "b@x.example", "to sender", 'n'},
	    {"", "ceo@example.co.jp", "to boss", 'n'},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		kit_mail(k, rows[i].from, rows[i].to);
		assert_holds(k, rows[i].lines, rows[i].is);
	}
}

/* S1-10, S1-15, S1-16: the boss in To, Cc, Bcc; the search stays, the value is turned round. */
static void S1_10_who_stands_in_the_header(void **state)
{
	struct kit *k = *state;
	static const struct {
		const char *facts, *lines;
		char is;
	} rows[] = {
	    {NULL, "header Cc boss", 'f'},
	    {"", "header Cc boss", 'n'},
	    {"address field=cc address=CEO@example.co.jp name=\n", "header Cc boss", 'y'},
	    {"address field=cc address=ceo+2Bx@example.co.jp name=\n", "header Cc boss", 'y'},
	    {"address field=to address=ceo@example.co.jp name=\n", "header Cc boss", 'n'},
	    {"address field=to address=ceo@example.co.jp name=\n", "header To boss", 'y'},
	    {"address field=bcc address=ceo@example.co.jp name=\n", "header Cc boss", 'n'},
	    {"hidden address=ceo@example.co.jp\n", "header Cc boss", 'n'},
	    {"address field=resent-cc address=ceo@example.co.jp name=\n", "header Cc boss", 'n'},
	    {"address field=cc address=carol@example.co.jp name=\n", "unless header Cc boss", 'y'},
	    /* Anybody can be written into Cc: an exception asks who gets the mail. */
	    {"address field=cc address=ceo@example.co.jp name= envelope=no\n",
		"unless header Cc boss", 'y'},
	    {"address field=cc address=ceo@example.co.jp name= envelope=yes\n",
		"unless header Cc boss", 'n'},
	    {"address field=cc address=ceo@example.co.jp name= envelope=no\n", "header Cc boss",
		'y'},
	    {"address field=to address=ceo@example.co.jp name= envelope=no\n",
		"unless header To boss", 'y'},
	    {"address field=to address=ceo@example.co.jp name= envelope=yes\n",
		"unless header To boss", 'n'},
	    {"address field=cc address=ted@example.co.jp name= envelope=no\n"
	     "address field=cc address=ceo@example.co.jp name= envelope=yes\n",
		"unless header Cc not boss", 'y'},
	    {"address field=from address=ceo@example.co.jp name= envelope=no\n",
		"unless header From boss", 'n'},
	    {"address field=cc address=carol@example.co.jp name=\n", "header Cc group employees",
		'y'},
	    {"address field=cc address=ted@example.co.jp name=\n", "header Cc group employees",
		'n'},
	    {"address field=cc address=ted@example.co.jp name=\n", "header Cc any", 'y'},
	    {"address field=cc address= name=undisclosed\n", "header Cc any", 'n'},
	    {"address field=to address=a.tanaka@example.co.jp name=\n", "header To not sender",
		'n'},
	    {"address field=to address=a.tanaka@example.co.jp name=\n"
	     "address field=to address=b@x.example name=\n",
		"header To not sender", 'y'},
	    {"", "header To not sender", 'n'},
	    {"uninspectable part=0 reason=header\n", "header Cc boss", 'u'},
	    {"uninspectable part=0 reason=header\n"
	     "address field=cc address=ceo@example.co.jp name=\n",
		"header Cc boss", 'y'},
	    {"uninspectable part=0 reason=header\n", "unless header Cc boss", 'u'},
	    {"uninspectable part=2 reason=encrypted\n", "header Cc boss", 'n'},
	    {"uninspectable part=0 reason=dictionary\n", "header Cc boss", 'n'},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		kit_mail(k, ALICE, "b@x.example");
		if (rows[i].facts != NULL)
			kit_facts(k, rows[i].facts);
		assert_holds(k, rows[i].lines, rows[i].is);
	}
	/* A detail or an alias is the same person as the recipient. */
	kit_mail(k, "carol@example.co.jp", "b@x.example alice@example.co.jp ted@example.co.jp");
	kit_facts(k, "address field=cc address=Alice+2Bx@example.co.jp name= envelope=no\n");
	assert_holds(k, "unless header Cc boss", 'n');
	kit_facts(k, "address field=cc address=a.tanaka@example.co.jp name= envelope=no\n");
	assert_holds(k, "unless header Cc boss", 'n');
	kit_facts(k, "address field=cc address=ceo@example.co.jp name= envelope=no\n");
	assert_holds(k, "unless header Cc boss", 'y');
}

/* Impersonation: another person's name in From. */
static void from_mismatched(void **state)
{
	struct kit *k = *state;
	static const struct {
		const char *envelope, *from;
		char is;
	} rows[] = {
	    {ALICE, "alice@example.co.jp", 'n'},
	    {ALICE, "A.Tanaka@example.co.jp", 'n'},
	    {"alice+x@example.co.jp", "alice@example.co.jp", 'n'},
	    {ALICE, "carol@example.co.jp", 'y'},
	    {ALICE, "news@example.co.jp", 'y'},
	    {ALICE, "alice@x.example", 'y'},
	    {"bounces@example.co.jp", "news@example.co.jp", 'n'},
	    {"bounces@example.co.jp", "ceo@example.co.jp", 'y'},
	    {"bounces@example.co.jp", "news@x.example", 'y'},
	    {"", "mailer-daemon@example.co.jp", 'n'},
	};
	char fact[256];

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		kit_mail(k, rows[i].envelope, "b@x.example");
		assert_holds(k, "from mismatched", rows[i].envelope[0] != '\0' ? 'f' : 'n');
		(void)snprintf(
		    fact, sizeof fact, "address field=from address=%s name=\n", rows[i].from);
		kit_facts(k, fact);
		assert_holds(k, "from mismatched", rows[i].is);
	}
	/* Of two authors one is enough. */
	kit_mail(k, ALICE, "b@x.example");
	kit_facts(k, "address field=from address=alice@example.co.jp name=\n"
		     "address field=from address=carol@example.co.jp name=\n");
	assert_holds(k, "from mismatched", 'y');
	assert_holds(k, "from unregistered", 'n');
	k->unregistered = true;
	assert_holds(k, "from unregistered", 'y');
}

/* ---- counts ------------------------------------------------------------------------------- */

static const char *const compares[] = {">=", ">", "<=", "<", "="};

static bool compare_is(size_t compare, unsigned n, unsigned bound)
{
	const bool is[] = {n >= bound, n > bound, n <= bound, n < bound, n == bound};

	return is[compare];
}

/* What is to come of it if there are n; with `more` there may be more. */
static char counted(size_t compare, unsigned n, unsigned bound, bool more)
{
	bool all = true, any = false;

	for (unsigned m = n; m <= (more ? n + 4 : n); m++) {
		all = all && compare_is(compare, m, bound);
		any = any || compare_is(compare, m, bound);
	}
	return all ? 'y' : any ? 'u' : 'n';
}

/* At N-1, N, N+1. */
static void check_counts(struct kit *k, const char *what, unsigned n, bool more)
{
	char lines[128];

	for (size_t c = 0; c < COUNT_OF(compares); c++) {
		for (unsigned bound = n - 1; bound <= n + 1; bound++) {
			/* What always holds, or never, is no condition. */
			if (bound == 0 && (c == 0 || c == 3))
				continue;
			(void)snprintf(lines, sizeof lines, "%s %s %u", what, compares[c], bound);
			assert_holds(k, lines, counted(c, n, bound, more));
		}
	}
}

/* S1-06, S0-37: distinct addresses by class. */
static void S1_06_counts_of_addresses(void **state)
{
	struct kit *k = *state;
	static const char facts[] = "address field=to address=a@x.example name=\n"
				    "address field=to address=A@X.example name=again\n"
				    "address field=cc address=b@x.example name=\n"
				    "address field=cc address=c@y.example name=\n"
				    "address field=cc address=carol@example.co.jp name=\n"
				    "address field=bcc address=d@y.example name=\n"
				    "address field=from address=e@y.example name=\n"
				    "hidden address=f@y.example\nhidden address=g@y.example\n";
	char cut[1024];

	kit_mail(k, ALICE,
	    "a@x.example A@x.example b@partner.example c@eu.partner.example d@y.example "
	    "d@other.example d@other.co.jp carol@example.co.jp e@group.example");
	check_counts(k, "recipients", 8, false);
	check_counts(k, "recipients external", 6, false);
	check_counts(k, "recipients internal", 1, false);
	check_counts(k, "companies", 4, false);
	assert_holds(k, "visible >= 1", 'f');
	kit_facts(k, facts);
	check_counts(k, "visible", 4, false);
	check_counts(k, "visible external", 3, false);
	check_counts(k, "visible internal", 1, false);
	check_counts(k, "hidden", 2, false);
	(void)snprintf(cut, sizeof cut, "%suninspectable part=0 reason=time\n", facts);
	kit_facts(k, cut);
	check_counts(k, "visible external", 3, true);
	check_counts(k, "hidden", 2, true);
	check_counts(k, "recipients external", 6, false);
}

/* S1-05, S1-30: numbers and sizes of files; sizes at the byte. */
static void S1_30_counts_of_files(void **state)
{
	struct kit *k = *state;
	static const char facts[] =
	    "file part=2 role=file counts=yes name=a.pdf size=2097151 encrypted=no\n"
	    "file part=3 role=message counts=yes name= size=1 encrypted=no\n"
	    "file part=4 role=inline counts=no name=logo.png size=99 encrypted=no\n";

	kit_mail(k, ALICE, "b@x.example");
	kit_facts(k, facts);
	check_counts(k, "files", 2, false);
	assert_holds(k, "files size >= 2MB", 'y');
	assert_holds(k, "files size > 2MB", 'n');
	assert_holds(k, "file size >= 2MB", 'n');
	assert_holds(k, "file size < 2MB", 'y');
	assert_holds(k, "files size = 2048KB", 'y');
	k->leg.size = 10 * 1024 * 1024;
	assert_holds(k, "message size >= 10MB", 'y');
	assert_holds(k, "message size > 10MB", 'n');
	k->leg.size--;
	assert_holds(k, "message size >= 10MB", 'n');
	assert_holds(k, "message size < 10MB", 'y');
	/* S2-69: as it came, without what the gateway put on top. */
	k->leg.size = 10 * 1024 * 1024 + 200;
	k->added = 201;
	assert_holds(k, "message size >= 10MB", 'n');
	k->added = 200;
	assert_holds(k, "message size >= 10MB", 'y');
	k->added = 0;
}

/* ---- files -------------------------------------------------------------------------------- */

/* S1-13, S1-16, S1-22, S1-31: each word of one line speaks of one file. */
static void S1_13_files(void **state)
{
	struct kit *k = *state;
	static const char facts[] =
	    "file part=2 role=file counts=yes name=Report.TAR.GZ nameless=no size=10 as-named=yes "
	    "encrypted=no\n"
	    "file part=3 role=file counts=yes name=secret.zip nameless=no size=2000 as-named=no "
	    "encrypted=all\n"
	    "file part=4 role=file counts=yes name= nameless=yes size=5 as-named=unknown "
	    "encrypted=some\n"
	    "file-name part=2 name=other.exe\n"
	    "uninspectable part=3 reason=encrypted\n";
	static const struct asked rows[] = {
	    {"file any", 'y'},
	    {"unless file any", 'n'},
	    {"file name *.tar.gz", 'y'},
	    {"file name *.gz", 'y'},
	    {"file name *.tgz, *.ZIP", 'y'},
	    {"file name *.tar", 'n'},
	    {"file name report.*", 'y'},
	    {"file name eport.*", 'n'},
	    {"file name ??????.tar.gz", 'y'},
	    {"file name ?????.tar.gz", 'n'},
	    {"file name *.exe", 'y'},
	    {"file name not *.tar.gz, *.zip", 'y'},
	    {"file nameless", 'y'},
	    {"file not nameless", 'y'},
	    {"file encrypted", 'y'},
	    {"file not encrypted", 'y'},
	    {"unless file not encrypted", 'n'},
	    {"file inspectable", 'y'},
	    {"file not inspectable", 'y'},
	    {"file type not as-named", 'y'},
	    {"file type as-named", 'y'},
	    {"file name *.gz encrypted", 'n'},
	    {"file name *.zip encrypted size >= 1KB", 'y'},
	    {"file name *.zip encrypted size < 1KB", 'n'},
	    {"file not inspectable type not as-named", 'y'},
	    {"file inspectable type not as-named", 'n'},
	};

	kit_mail(k, ALICE, "b@x.example");
	assert_holds(k, "file any", 'f');
	kit_facts(k, facts);
	check(k, rows, COUNT_OF(rows));
	kit_facts(k, "");
	assert_holds(k, "file any", 'n');
	assert_holds(k, "file not encrypted", 'n');
	assert_holds(k, "unless file any", 'y');
	kit_facts(k, "file part=2 role=file counts=yes name=a size=1 encrypted=unknown\n");
	assert_holds(k, "file encrypted", 'u');
	assert_holds(k, "file not encrypted", 'u');
	assert_holds(k, "file encrypted name b", 'n');
	kit_facts(k, "uninspectable part=0 reason=parts\n");
	assert_holds(k, "file any", 'u');
	kit_facts(k, "part path=1 role=sealed\nuninspectable part=1 reason=encrypted\n");
	assert_holds(k, "file any", 'u');
	/* A ZIP of which some members are encrypted: part of it is, and part of it is not. */
	kit_facts(k, "file part=2 role=file counts=yes name=a.zip size=1 encrypted=some\n");
	assert_holds(k, "file encrypted", 'y');
	assert_holds(k, "file not encrypted", 'y');
	assert_holds(k, "unless file encrypted", 'n');
	assert_holds(k, "unless file not encrypted", 'n');
	/* Width and case of either. */
	kit_facts(
	    k, "file part=2 role=file counts=yes name=+E8+A6+8B+E7+A9+8D.+EF+BC+B0DF size=1\n");
	assert_holds(k, "file name *.pdf", 'y');
	assert_holds(k, "file name 見積.pdf", 'y');
	assert_holds(k, "file name ??.pdf", 'y');
	assert_holds(k, "file name 見*.ＰＤＦ", 'y');
}

/* A glob takes no longer for a name that nearly fits. */
static void globs_are_linear(void **state)
{
	struct kit *k = *state;
	char fact[4096], rule[512];
	char *at = stpcpy(fact, "file part=2 role=file counts=yes name=");

	memset(at, 'a', 1900);
	(void)stpcpy(at + 1900, " size=1\n");
	at = stpcpy(rule, "file name ");
	for (int i = 0; i < 100; i++)
		at = stpcpy(at, "*a");
	(void)stpcpy(at, "b");
	kit_mail(k, ALICE, "b@x.example");
	kit_facts(k, fact);
	assert_holds(k, rule, 'n');
}

/* ---- texts -------------------------------------------------------------------------------- */

/* S1-27, S1-11, S1-28, S4-03: what stands where, and where nobody could look. */
static void S1_11_words_and_personal_data(void **state)
{
	struct kit *k = *state;
	static const struct {
		const char *facts, *lines;
		char is;
	} rows[] = {
	    {"word number=1 place=subject count=2 text=x\nword number=1 place=files count=1 "
	     "text=x\n",
		"words \"x\"", 'y'},
	    {"word number=1 place=subject count=2 text=x\n", "words \"x\" in body", 'n'},
	    {"word number=1 place=subject count=2 text=x\nword number=1 place=files count=1 "
	     "text=x\n",
		"words \"x\" >= 3", 'y'},
	    {"word number=1 place=subject count=2 text=x\nword number=1 place=files count=1 "
	     "text=x\n",
		"words \"x\" >= 3 in subject, body", 'n'},
	    {"word number=2 place=body count=1 text=y\n", "words \"x\", \"y\"", 'y'},
	    {"", "words not \"x\"", 'y'},
	    {"word number=1 place=body count=1 text=x\n", "words not \"x\"", 'n'},
	    {"words list=ng place=body count=3 distinct=2\n", "words list ng >= 3", 'y'},
	    {"words list=ng place=body count=3 distinct=2\n", "words list ng > 3", 'n'},
	    {"words list=other place=body count=3 distinct=2\n", "words list ng", 'n'},
	    {"words list=ng place=subject count=3 distinct=2\n", "header Subject list ng", 'y'},
	    {"words list=ng place=body count=3 distinct=2\n", "header Subject list ng", 'n'},
	    {"regex number=1 place=body count=1 distinct=1 limit=no text=x\n", "regex \"x\"", 'y'},
	    {"regex number=1 place=body count=0 distinct=0 limit=yes text=x\n", "regex \"x\"", 'y'},
	    /* Beyond a limit there may be more. */
	    {"regex number=1 place=body count=1 distinct=0 limit=yes text=x\n", "regex \"x\"", 'y'},
	    {"regex number=1 place=body count=1 distinct=0 limit=yes text=x\n",
		"regex \"x\" in subject", 'n'},
	    {"regex number=1 place=body count=1 distinct=0 limit=yes text=x\n",
		"unless regex \"x\"", 'u'},
	    {"regex number=1 place=body count=1 distinct=0 limit=yes text=x\n",
		"unless regex \"x\" in subject", 'y'},
	    {"regex number=1 place=body count=3 distinct=2 limit=yes text=x\n",
		"unless regex \"x\"", 'n'},
	    {"regex number=1 place=body count=1 distinct=0 limit=yes text=x\n", "regex \"x\" >= 2",
		'u'},
	    {"regex number=1 place=body count=1 distinct=0 limit=yes text=x\n", "regex \"x\" >= 1",
		'u'},
	    {"regex number=1 place=body count=3 distinct=2 limit=yes text=x\n", "regex \"x\" >= 3",
		'y'},
	    {"regex number=1 place=body count=3 distinct=2 limit=yes text=x\n", "regex \"x\" >= 4",
		'u'},
	    {"regex number=1 place=body count=3 distinct=2 limit=yes text=x\n", "regex \"x\" = 3",
		'u'},
	    {"regex number=1 place=body count=3 distinct=2 limit=yes text=x\n", "regex \"x\" = 2",
		'n'},
	    {"regex number=1 place=body count=3 distinct=2 limit=yes text=x\n", "regex \"x\" <= 3",
		'u'},
	    {"regex number=1 place=body count=3 distinct=2 limit=yes text=x\n", "regex \"x\" < 3",
		'n'},
	    {"regex number=1 place=body count=1 distinct=0 limit=yes text=x\nregex number=1 "
	     "place=subject count=2 distinct=1 limit=no text=x\n",
		"regex \"x\" >= 2", 'y'},
	    {"regex number=1 place=body count=1 distinct=0 limit=yes text=x\nregex number=1 "
	     "place=subject count=2 distinct=1 limit=no text=x\n",
		"regex \"x\" >= 2 in subject", 'y'},
	    {"regex number=1 place=body count=1 distinct=0 limit=yes text=x\n", "words \"x\"", 'n'},
	    {"regex number=1 place=body count=2 distinct=1 limit=no text=x\n", "regex \"x\" > 2",
		'n'},
	    {"pii kind=phone places=body count=6\npii kind=phone places=files count=3\n"
	     "pii kind=phone places=body,files count=1\n",
		"pii phone >= 10 in body, files", 'y'},
	    {"pii kind=phone places=body count=6\npii kind=phone places=files count=3\n"
	     "pii kind=phone places=body,files count=1\n",
		"pii phone > 10 in body, files", 'n'},
	    {"pii kind=phone places=body count=6\npii kind=phone places=files count=3\n"
	     "pii kind=phone places=body,files count=1\n",
		"pii phone = 4 in files", 'y'},
	    {"pii kind=phone places=subject count=6\n", "pii phone >= 1 in body, files", 'n'},
	    {"pii kind=card places=files count=1\n", "pii phone >= 1, card >= 1", 'y'},
	    {"pii kind=card places=files count=100000\npii-more kind=card\n", "pii card > 100000",
		'u'},
	    {"pii kind=card places=files count=100000\npii-more kind=card\n", "pii card >= 100000",
		'y'},
	    /* Where nobody could look. */
	    {"part path=1 role=body\nfile part=2 counts=yes name=a size=1\n"
	     "uninspectable part=2 reason=encrypted\n",
		"words \"x\" in files", 'u'},
	    {"part path=1 role=body\nfile part=2 counts=yes name=a size=1\n"
	     "uninspectable part=2 reason=encrypted\n",
		"words \"x\" in subject, body, names", 'n'},
	    {"part path=1 role=body\nfile part=2 counts=yes name=a size=1\n"
	     "uninspectable part=2 reason=encrypted\nword number=1 place=files count=1 text=x\n",
		"words \"x\" in files", 'y'},
	    {"part path=1 role=body\nfile part=2 counts=yes name=a size=1\n"
	     "uninspectable part=2 reason=encrypted\n",
		"words not \"x\"", 'u'},
	    {"part path=1 role=body\nfile part=2 counts=yes name=a size=1\n"
	     "uninspectable part=2.1 reason=damaged\n",
		"pii card >= 1 in names", 'u'},
	    {"part path=1 role=body\nuninspectable part=1 reason=html\n", "pii card >= 1 in body",
		'u'},
	    {"part path=1 role=body\nuninspectable part=1b reason=html\n", "pii card >= 1 in body",
		'u'},
	    {"part path=1 role=body\nuninspectable part=1 reason=html\n", "pii card >= 1 in files",
		'n'},
	    {"uninspectable part=0 reason=dictionary\n", "pii card >= 1", 'n'},
	    {"uninspectable part=0 reason=dictionary\n", "pii name >= 1", 'u'},
	    {"uninspectable part=0 reason=names\npii kind=name places=body count=9\n",
		"pii name >= 9", 'y'},
	    {"uninspectable part=0 reason=charset\n", "words \"x\" in subject", 'u'},
	    {"uninspectable part=0 reason=charset\n", "file any", 'n'},
	    {"uninspectable part=0 reason=killed\n", "words \"x\" in subject", 'u'},
	    /* Fields by name. */
	    {"field number=1 text=Alpha+20BETA\n", "header X-Tag \"beta\"", 'y'},
	    {"field number=1 text=Alpha\n", "header X-Tag \"beta\"", 'n'},
	    {"field number=1 text=Alpha\n", "header X-Tag not \"beta\"", 'y'},
	    {"field number=1 text=beta\nfield number=1 text=Alpha\n", "header X-Tag not \"beta\"",
		'y'},
	    {"", "header X-Tag not \"beta\"", 'n'},
	    {"field number=2 text=beta\n", "header X-Tag \"beta\"", 'n'},
	    {"field number=1 text=+EF+BC+A2eta\n", "header X-Tag \"beta\"", 'y'},
	    {"field number=1 text=be+E2+80+8Bt+C2+ADa\n", "header X-Tag \"beta\"", 'y'},
	    {"field number=1 text=be+E2+80+8Bt+C2+ADa\n", "header X-Tag not \"beta\"", 'n'},
	    {"field number=1 text=+E7+A4+BE+E2+80+8B+E5+A4+96+E2+81+A0+E7+A7+98\n",
		"header X-Tag \"社外秘\"", 'y'},
	};

	kit_mail(k, ALICE, "b@x.example");
	assert_holds(k, "words \"x\"", 'f');
	assert_holds(k, "pii card >= 1", 'f');
	assert_holds(k, "header X-Tag \"x\"", 'f');
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		kit_facts(k, rows[i].facts);
		assert_holds(k, rows[i].lines, rows[i].is);
	}
}

/* S1-12: a company that is named, and whose it is. */
static void S1_12_companies(void **state)
{
	struct kit *k = *state;
	static const char facts[] = "company name=P domain=partner.example places=body\n"
				    "company name=O domain=other.co.jp places=subject,names\n";
	static const char sealed[] = "company name=P domain=partner.example places=body\n"
				     "file part=2 counts=yes name=a size=1\n"
				     "uninspectable part=2 reason=encrypted\n";

	kit_mail(k, ALICE, "b@eu.partner.example");
	assert_holds(k, "company other", 'f');
	kit_facts(k, facts);
	assert_holds(k, "company other in body", 'n');
	assert_holds(k, "company other in names", 'y');
	assert_holds(k, "company other", 'y');
	assert_holds(k, "company none in files", 'y');
	assert_holds(k, "company none in subject", 'n');
	kit_facts(k, sealed);
	assert_holds(k, "company other in body, names", 'n');
	assert_holds(k, "company other", 'u');
	assert_holds(k, "company none in files", 'u');

	kit_mail(k, ALICE, "b@other.example");
	kit_facts(k, facts);
	assert_holds(k, "company other in body", 'y');
	assert_holds(k, "company other in names", 'n');
	kit_mail(k, ALICE, "b@x.example");
	kit_facts(k, facts);
	assert_holds(k, "company other in names", 'y');
	kit_facts(k, "company name=X domain=X.example places=body\n");
	assert_holds(k, "company other", 'n');
	/* Whoever names ourselves names no other. */
	kit_facts(k, "company name=We domain=example.co.jp places=body\n");
	assert_holds(k, "company other", 'n');
	assert_holds(k, "company none", 'y');
}

/* ---- the message as a whole --------------------------------------------------------------- */

static void traits(void **state)
{
	struct kit *k = *state;
	static const struct {
		const char *facts, *lines;
		char is;
	} rows[] = {
	    {"", "message uninspectable", 'n'},
	    {"uninspectable part=3 reason=x\n", "message uninspectable", 'y'},
	    {"uninspectable part=3 reason=x\n", "message not uninspectable", 'n'},
	    {"ambiguous part=3 why=x\n", "message ambiguous", 'y'},
	    {"", "message not ambiguous", 'y'},
	    {"uninspectable part=0 reason=crashed\n", "message ambiguous", 'u'},
	    {"uninspectable part=0 reason=crashed\n", "message not ambiguous", 'u'},
	    {"uninspectable part=0 reason=crashed\nambiguous part=1 why=x\n", "message ambiguous",
		'y'},
	    {"uninspectable part=2 reason=encrypted\n", "message ambiguous", 'n'},
	    {"virus verdict=found name=x\n", "message virus", 'y'},
	    {"virus verdict=clean\n", "message virus", 'n'},
	    {"virus verdict=unknown\nuninspectable part=0 reason=virus\n", "message virus", 'u'},
	    {"uninspectable part=0 reason=virus\n", "file any", 'n'},
	    {"message signed=smime encrypted=no automatic=no reply=no promises-file=no\n",
		"message signed", 'y'},
	    {"message signed=no encrypted=pgp automatic=no reply=no promises-file=no\n",
		"message encrypted", 'y'},
	    {"message signed=no encrypted=no automatic=yes reply=no promises-file=no\n",
		"message automatic", 'y'},
	    {"message signed=no encrypted=no automatic=no reply=yes promises-file=no\n",
		"message not reply", 'n'},
	    {"message signed=no encrypted=no automatic=no reply=yes promises-file=no\n",
		"message reply", 'y'},
	    {"", "message reply", 'n'},
	    /* A file is something new. */
	    {"message signed=no encrypted=no automatic=no reply=yes promises-file=no\n"
	     "file part=2 role=file counts=yes name=a.txt size=1\n",
		"message reply", 'n'},
	    {"message signed=no encrypted=no automatic=no reply=yes promises-file=no\n"
	     "file part=2 role=file counts=yes name=a.txt size=1\n",
		"message not reply", 'y'},
	    {"message signed=no encrypted=no automatic=no reply=yes promises-file=no\n"
	     "uninspectable part=0 reason=time\n",
		"message reply", 'u'},
	    {"message signed=no encrypted=no automatic=no reply=no promises-file=yes\n",
		"message promises-file", 'y'},
	    {"", "message promises-file", 'n'},
	    {"part path=1 role=body\nuninspectable part=1 reason=html\n", "message promises-file",
		'u'},
	    {"uninspectable part=0 reason=time\n", "message reply", 'u'},
	};

	kit_mail(k, ALICE, "b@x.example");
	assert_holds(k, "message reply", 'f');
	assert_holds(k, "message automatic", 'f');
	k->has_past = true;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		kit_facts(k, rows[i].facts);
		assert_holds(k, rows[i].lines, rows[i].is);
	}
	/* Where clamd is asked, only its word makes it no. */
	kit_facts(k, "uninspectable part=0 reason=crashed\n");
	assert_holds(k, "message virus", 'n');
	(void)strcpy(k->settings.clamd, "/run/clamav/clamd.ctl");
	assert_holds(k, "message virus", 'u');
	assert_holds(k, "unless message virus", 'u');
	kit_facts(k, "");
	assert_holds(k, "message not virus", 'u');
	kit_facts(k, "uninspectable part=0 reason=crashed\nvirus verdict=clean name=\n");
	assert_holds(k, "message virus", 'n');
	kit_facts(k, "virus verdict=found name=x\n");
	assert_holds(k, "message virus", 'y');
	(void)strcpy(k->settings.clamd, "-");
	/* An empty reverse-path is enough; and so is being known, without an inspection. */
	kit_mail(k, "", "b@x.example");
	assert_holds(k, "message automatic", 'y');
	assert_holds(k, "always", 'y');
}

/* Beyond what is kept nothing is known, but what speaks against a message is heard. */
static void more_facts_than_are_kept(void **state)
{
	struct kit *k = *state;
	static const char line[] =
	    "hidden address=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@x.example\n";

	kit_mail(k, ALICE, "b@x.example");
	kit_facts(k, "");
	for (size_t sent = 0; sent <= FACTS_BYTES_MAX; sent += strlen(line))
		facts_lines(k->facts, line, strlen(line));
	facts_lines(k->facts, "virus verdict=found name=x\n", 27);
	facts_end(k->facts, true);
	assert_holds(k, "hidden < 1000000", 'u');
	assert_holds(k, "file any", 'u');
	assert_holds(k, "words \"x\"", 'u');
	assert_holds(k, "message virus", 'y');
	kit_expect(k, "1: hold until=2026-11-25T03:05:00.000000Z | deliver");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_are_compared_in_normal_form),
	    cmocka_unit_test(S1_10_who_stands_in_the_header),
	    cmocka_unit_test(from_mismatched),
	    cmocka_unit_test(S1_06_counts_of_addresses),
	    cmocka_unit_test(S1_30_counts_of_files),
	    cmocka_unit_test(S1_13_files),
	    cmocka_unit_test(globs_are_linear),
	    cmocka_unit_test(S1_11_words_and_personal_data),
	    cmocka_unit_test(S1_12_companies),
	    cmocka_unit_test(traits),
	    cmocka_unit_test(more_facts_than_are_kept),
	};

	return cmocka_run_group_tests(tests, kit_organisation, kit_end);
}
