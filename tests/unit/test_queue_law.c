/*
 * Laws 3 to 5, against a second statement of them that knows nothing of the first: the table of
 * every state and every kind of leg, and a great many legs at random.
 */
#include "tests/unit/queue_kit.h"

#include "queue/law.h"

#define NOW INT64_C(1795340400)

/* A leg in few words; what the law looks at and nothing else. */
struct kind {
	const char *what;
	const char *plan;   /* lines; NULL: none */
	const char *closed; /* one letter a step: '+' closed, '-' open */
	const char *fates;  /* one letter a recipient: . d b x */
	enum leg_verdict verdict;
	bool emptied, unknown;
	unsigned removals;
	bool rewritten;
};

struct made {
	struct leg leg;
	struct leg_rcpt rcpt[8];
};

static void make(const struct kind *kind, struct made *m)
{
	static const char letters[] = ".dbx";

	memset(m, 0, sizeof *m);
	for (const char *f = kind->fates; *f != '\0'; f++)
		m->rcpt[m->leg.rcpts++].fate = (enum rcpt_fate)(strchr(letters, *f) - letters);
	m->leg.rcpt = m->rcpt;
	m->leg.verdict = kind->verdict;
	m->leg.emptied = kind->emptied;
	m->leg.unknown = kind->unknown ? "frobnicated" : NULL;
	m->leg.removals = kind->removals;
	m->leg.rewritten = kind->rewritten;
	if (kind->plan == NULL)
		return;
	assert_true(plan_parse(&m->leg.plan, kind->plan, strlen(kind->plan)));
	/* No record closes a word that nobody knows. */
	for (size_t i = 0; i < strlen(kind->closed); i++)
		m->leg.plan.step[i].closed =
		    kind->closed[i] == '+' && m->leg.plan.step[i].word != WORD_UNKNOWN;
}

/* ---- the second statement ----------------------------------------------------------------- */

struct answer {
	enum law_verdict verdict;
	enum spool_state state;
};

static const struct answer ACT = {LAW_ACT, STATE_COUNT}, STOP = {LAW_STOP, STATE_COUNT};

static struct answer go(enum spool_state state, enum spool_state to)
{
	return state == to ? ACT : (struct answer){LAW_MOVE, to};
}

static int place_of(const struct plan_step *step)
{
	static const char *const words[] = {"approve", "hold", "encrypt", "stagger", "deliver"};

	for (int i = 0; i < 5; i++) {
		size_t len = strlen(words[i]);

		if (strncmp(step->text, words[i], len) == 0 &&
		    (step->len == len || step->text[len] == ' '))
			return STATE_APPROVE + i;
	}
	return -1;
}

/* What queue/README.md says, sentence by sentence. */
static struct answer model(const struct leg *leg, enum spool_state state)
{
	bool led_here = false, open_rcpt = false;
	const struct plan_step *first = NULL;

	if (leg->verdict == LEG_DISCARDED)
		return go(state, STATE_TRASH);
	if (leg->verdict == LEG_REFUSED)
		return go(state, STATE_REFUSED);
	if (state == STATE_TRASH || state == STATE_REFUSED)
		return go(state, STATE_NEW);
	if (leg->unknown != NULL)
		return STOP;

	for (size_t i = 0; i < leg->rcpts; i++)
		open_rcpt |= leg->rcpt[i].fate == RCPT_OPEN;
	if (!open_rcpt)
		return go(state, STATE_SENT);
	if (leg->emptied)
		return go(state, STATE_BAD);
	if (state == STATE_SENT || state == STATE_NEW)
		return go(state, STATE_NEW);

	for (size_t i = leg->plan.steps; i > 0; i--) {
		const struct plan_step *step = &leg->plan.step[i - 1];

		led_here |= place_of(step) == (int)state;
		if (!step->closed)
			first = step;
	}
	if (first == NULL)
		return go(state, STATE_NEW);
	/* N12: nobody's address leaves that was taken away. */
	if (leg->removals > 0 && place_of(first) >= STATE_ENCRYPT)
		return go(state, STATE_ENCRYPT);
	if (!led_here && !(leg->rewritten && state == STATE_ENCRYPT))
		return go(state, STATE_NEW);
	/* A way of delivery that nobody here knows stops where it would be gone. */
	if (state == STATE_DELIVER && place_of(first) == STATE_DELIVER &&
	    (first->len != 7 || memcmp(first->text, "deliver", 7) != 0))
		return STOP;
	return place_of(first) < 0 ? STOP : go(state, (enum spool_state)place_of(first));
}

static void compare(const struct kind *kind, enum spool_state state)
{
	struct made m;
	struct answer expected;
	struct law law;

	make(kind, &m);
	expected = model(&m.leg, state);
	law = law_of(&m.leg, state, NOW);
	if (law.verdict != expected.verdict ||
	    (law.verdict == LAW_MOVE && law.state != expected.state))
		fail_msg("%s in %s: verdict %d to %s, expected %d to %s", kind->what,
		    kit_states[state], (int)law.verdict,
		    law.verdict == LAW_MOVE ? kit_states[law.state] : "-", (int)expected.verdict,
		    expected.verdict == LAW_MOVE ? kit_states[expected.state] : "-");
	if (law.verdict == LAW_STOP)
		assert_non_null(law.why);
	if (law.verdict == LAW_MOVE)
		assert_int_not_equal(law.state, state);
}

/* ---- the table ---------------------------------------------------------------------------- */

#define ALL " approve no\n hold no\n encrypt keep\n stagger no\n deliver\n"

static const struct kind kinds[] = {
    {"no plan", NULL, "", "..", LEG_STANDS, false, false, 0, false},
    {"deliver only", " deliver\n", "", "..", LEG_STANDS, false, false, 0, false},
    {"delivered in a way", " deliver tls=verified\n", "-", "..", LEG_STANDS, false, false, 0,
	false},
    {"all open", ALL, "-----", "..", LEG_STANDS, false, false, 0, false},
    {"approved", ALL, "+----", "..", LEG_STANDS, false, false, 0, false},
    {"held", ALL, "++---", "..", LEG_STANDS, false, false, 0, false},
    {"sealed", ALL, "+++--", "..", LEG_STANDS, false, false, 0, false},
    {"staggered", ALL, "++++-", "..", LEG_STANDS, false, false, 0, false},
    {"hole in the proof", ALL, "+-++-", "..", LEG_STANDS, false, false, 0, false},
    {"first step unproven", ALL, "-+++-", "..", LEG_STANDS, false, false, 0, false},
    {"unknown word first", " x\n deliver\n", "--", "..", LEG_STANDS, false, false, 0, false},
    {"unknown word behind", " hold no\n x\n deliver\n", "+--", "..", LEG_STANDS, false, false, 0,
	false},
    {"unknown word later", " hold no\n x\n deliver\n", "---", "..", LEG_STANDS, false, false, 0,
	false},
    {"some delivered", ALL, "++++-", "d.", LEG_STANDS, false, false, 0, false},
    {"all delivered", ALL, "++++-", "dd", LEG_STANDS, false, false, 0, false},
    {"all delivered, no plan", NULL, "", "dd", LEG_STANDS, false, false, 0, false},
    {"all done somehow", ALL, "-----", "dbx", LEG_STANDS, false, false, 0, false},
    {"emptied and done", ALL, "++++-", "dd", LEG_STANDS, true, false, 0, false},
    {"emptied and open", ALL, "++++-", "d.", LEG_STANDS, true, false, 0, false},
    {"discarded", ALL, "++++-", "..", LEG_DISCARDED, false, false, 0, false},
    {"discarded, no plan", NULL, "", "..", LEG_DISCARDED, false, false, 0, false},
    {"discarded after delivery", ALL, "++++-", "dd", LEG_DISCARDED, false, false, 0, false},
    {"discarded, unknown record", ALL, "++++-", "..", LEG_DISCARDED, false, true, 0, false},
    {"refused", ALL, "++++-", "..", LEG_REFUSED, false, false, 0, false},
    {"unknown record", ALL, "++++-", "..", LEG_STANDS, false, true, 0, false},
    {"unknown record, no plan", NULL, "", "..", LEG_STANDS, false, true, 0, false},
    {"unknown record, all done", ALL, "++++-", "dd", LEG_STANDS, false, true, 0, false},
    {"address taken away", " deliver\n", "-", "x.", LEG_STANDS, false, false, 1, false},
    {"address taken away while held", ALL, "+----", "x.", LEG_STANDS, false, false, 2, false},
    {"address taken away after it", ALL, "++++-", "x.", LEG_STANDS, false, false, 1, true},
    {"address out of the header", " deliver\n", "-", "x.", LEG_STANDS, false, false, 0, true},
    {"address taken away, sealed", ALL, "+++--", "x.", LEG_STANDS, false, false, 1, false},
    {"address taken away, no plan", NULL, "", "x.", LEG_STANDS, false, false, 1, false},
    {"address taken away, unknown word", " x\n deliver\n", "--", "x.", LEG_STANDS, false, false, 1,
	false},
    {"address taken away, discarded", ALL, "++---", "x.", LEG_DISCARDED, false, false, 1, false},
};

static void the_whole_table(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		for (int s = STATE_NEW; s <= STATE_REFUSED; s++, n++)
			compare(&kinds[i], (enum spool_state)s);
	}
	print_message("    points: %zu\n", n);
}

/* ---- at random ---------------------------------------------------------------------------- */

static void random_plan(uint64_t *seed, char plan[256], char closed[9])
{
	static const char *const lines[] = {" approve no\n", " hold no\n", " encrypt keep\n",
	    " stagger no\n", " frobnicate\n", " hold until=" KIT_NOW "\n", " holdx no\n"};
	size_t n = kit_random(seed) % 7;

	plan[0] = '\0';
	memset(closed, 0, 9);
	for (size_t i = 0; i < n; i++) {
		(void)strcat(plan, lines[kit_random(seed) % COUNT_OF(lines)]);
		closed[i] = kit_random(seed) % 3 == 0 ? '-' : '+';
	}
	(void)strcat(plan, " deliver\n");
	closed[n] = '-';
}

static void random_kind(uint64_t *seed, struct kind *kind, char text[3][256])
{
	size_t n = 1 + kit_random(seed) % 7;

	random_plan(seed, text[0], text[1]);
	memset(text[2], 0, 256);
	for (size_t i = 0; i < n; i++)
		text[2][i] = ".....dbx"[kit_random(seed) % 8];
	*kind = (struct kind){.what = "a leg at random",
	    .plan = kit_random(seed) % 8 == 0 ? NULL : text[0],
	    .closed = text[1],
	    .fates = text[2],
	    .verdict = kit_random(seed) % 8 == 0 ? (enum leg_verdict)(1 + kit_random(seed) % 2)
						 : LEG_STANDS,
	    .emptied = kit_random(seed) % 16 == 0,
	    .unknown = kit_random(seed) % 16 == 0,
	    .removals = kit_random(seed) % 4 == 0,
	    .rewritten = kit_random(seed) % 4 == 0};
}

/* I3: whatever a leg says, it is acted on in deliver/ only when every step before is closed. */
static void assert_safe(const struct leg *leg, enum spool_state state, const struct law *law)
{
	bool acts = law->verdict == LAW_ACT;

	if (leg->verdict == LEG_DISCARDED)
		assert_true(acts == (state == STATE_TRASH));
	if (leg->verdict == LEG_REFUSED)
		assert_true(acts == (state == STATE_REFUSED));
	if (!acts || state < STATE_APPROVE || state > STATE_DELIVER)
		return;

	if (leg->removals > 0 && state == STATE_ENCRYPT && law->step == NULL)
		return;
	assert_true(leg->removals == 0 || state <= STATE_ENCRYPT);
	assert_non_null(law->step);
	assert_int_equal(plan_word_state(law->step->word), state);
	assert_false(law->step->closed);
	assert_null(leg->unknown);
	assert_false(leg->emptied);
	for (const struct plan_step *step = leg->plan.step; step < law->step; step++)
		assert_true(step->closed && step->word != WORD_UNKNOWN);
	if (state == STATE_DELIVER)
		assert_ptr_equal(law->step, &leg->plan.step[leg->plan.steps - 1]);
}

static void I3_legs_at_random(void **state)
{
	uint64_t seed = 2026;
	char text[3][256];
	struct kind kind;
	struct made m;

	(void)state;
	for (size_t i = 0; i < 100000; i++) {
		enum spool_state s = (enum spool_state)(
		    STATE_NEW + kit_random(&seed) % (STATE_REFUSED - STATE_NEW + 1));
		struct law law;

		random_kind(&seed, &kind, text);
		compare(&kind, s);
		make(&kind, &m);
		law = law_of(&m.leg, s, NOW);
		assert_safe(&m.leg, s, &law);
	}
}

/* Following the verdicts of any leg from any state ends: nothing wanders for ever. */
static void every_way_ends(void **state)
{
	uint64_t seed = 77;
	char text[3][256];
	struct kind kind;
	struct made m;

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		enum spool_state at = (enum spool_state)(STATE_NEW + kit_random(&seed) % 9);
		struct law law;
		size_t moves = 0;

		random_kind(&seed, &kind, text);
		make(&kind, &m);
		law = law_of(&m.leg, at, NOW);
		while (law.verdict == LAW_MOVE && law.state != STATE_BAD) {
			assert_true(++moves < 4);
			at = law.state;
			law = law_of(&m.leg, at, NOW);
		}
	}
}

/* The same leg, asked twice, and at another time: the same answer, and the leg untouched. */
static void a_pure_function(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		for (int s = STATE_NEW; s <= STATE_REFUSED; s++) {
			struct made m, before;
			struct law a, b;

			make(&kinds[i], &m);
			before = m;
			a = law_of(&m.leg, (enum spool_state)s, NOW);
			b = law_of(&m.leg, (enum spool_state)s, NOW + 100000);
			assert_memory_equal(&m, &before, sizeof m);
			assert_int_equal(a.verdict, b.verdict);
			assert_int_equal(a.state, b.state);
			assert_ptr_equal(a.step, b.step);
			assert_ptr_equal(a.why, b.why);
		}
	}
}

/* ---- where a child goes first, and when ---------------------------------------------------- */

static void children_go_to_their_first_step(void **state)
{
	static const struct {
		struct kind kind;
		enum spool_state to;
	} cases[] = {
	    {{"child", " deliver\n", "-", "..", LEG_STANDS, false, false, 0, false}, STATE_DELIVER},
	    {{"child", ALL, "-----", "..", LEG_STANDS, false, false, 0, false}, STATE_APPROVE},
	    {{"child", " stagger no\n deliver\n", "--", ".", LEG_STANDS, false, false, 0, false},
		STATE_STAGGER},
	    {{"child", " x\n deliver\n", "--", ".", LEG_STANDS, false, false, 0, false}, STATE_NEW},
	    {{"child", NULL, "", ".", LEG_STANDS, false, false, 0, false}, STATE_NEW},
	    {{"child", ALL, "-----", "dx", LEG_STANDS, false, false, 0, false}, STATE_SENT},
	    {{"child", ALL, "-----", "..", LEG_DISCARDED, false, false, 0, false}, STATE_TRASH},
	    {{"child", ALL, "-----", "..", LEG_REFUSED, false, false, 0, false}, STATE_REFUSED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct made m;
		struct law law;

		make(&cases[i].kind, &m);
		law = law_first(&m.leg, NOW);
		assert_int_equal(law.verdict, LAW_MOVE);
		assert_int_equal(law.state, cases[i].to);
	}
}

static void until_when(void **state)
{
	static const struct {
		const char *plan;
		int64_t amended, until, due;
	} cases[] = {
	    {" hold no\n deliver\n", 0, 0, NOW},
	    {" hold rule=a no\n deliver\n", 0, 0, NOW},
	    {" hold\n deliver\n", 0, -1, NOW},
	    {" hold until=\n deliver\n", 0, -1, NOW},
	    {" hold until=tomorrow\n deliver\n", 0, -1, NOW},
	    {" hold xuntil=2026-11-22T09:40:01Z\n deliver\n", 0, -1, NOW},
	    {" hold until=2026-11-22T09:40:01Z\n deliver\n", 0, 1795340401000000, 1795340401},
	    {" hold until=2026-11-22T09:40:01.000001Z\n deliver\n", 0, 1795340401000001,
		1795340402},
	    {" hold until=2026-11-22T09:39:59Z\n deliver\n", 0, 1795340399000000, NOW},
	    {" hold until=2026-11-22T09:40:01Z\n deliver\n", 1795340500000000, 1795340500000000,
		1795340500},
	    {" hold until=2026-11-22T09:40:01Z\n deliver\n", 5, 1795340401000000, 1795340401},
	    /* Only a person ends it, whatever time stands there too. */
	    {" hold operator\n deliver\n", 0, -1, DUE_NEVER},
	    {" hold operator why=foreign-sender\n deliver\n", 0, -1, DUE_NEVER},
	    {" hold operator why=x no\n deliver\n", 0, -1, DUE_NEVER},
	    {" hold operator until=2026-11-22T09:39:59Z\n deliver\n", 0, -1, DUE_NEVER},
	    {" hold operator\n deliver\n", 1795340500000000, -1, DUE_NEVER},
	    {" hold operators\n deliver\n", 0, -1, NOW},
	    {" hold why=operator\n deliver\n", 0, -1, NOW},
	    {" stagger operator\n deliver\n", 0, -1, NOW},
	    {" stagger until=2026-11-22T09:40:01Z\n deliver\n", 0, 1795340401000000, 1795340401},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct kind kind = {
		    "timed", cases[i].plan, "", ".", LEG_STANDS, false, false, 0, false};
		struct made m;

		make(&kind, &m);
		m.leg.amended_until = cases[i].amended;
		assert_int_equal(law_until(&m.leg, &m.leg.plan.step[0]), cases[i].until);
		assert_int_equal(law_due(&m.leg, &m.leg.plan.step[0], NOW), cases[i].due);
		assert_int_equal(law_due(&m.leg, &m.leg.plan.step[1], NOW), NOW);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_whole_table),
	    cmocka_unit_test(I3_legs_at_random),
	    cmocka_unit_test(every_way_ends),
	    cmocka_unit_test(a_pure_function),
	    cmocka_unit_test(children_go_to_their_first_step),
	    cmocka_unit_test(until_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
