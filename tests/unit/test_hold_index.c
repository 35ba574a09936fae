/* What seki-hold remembers of legs for people's lists (S3-05: a person's own list; C6: copies are one). */
#include "tests/unit/queue_kit.h"

#include <malloc.h>

#include "lib/hold/index.h"

#define LEGS  100000
#define BOUND 400 /* bytes a leg, which seki-hold's 64 MiB for 100,000 legs stand on */

struct seen {
	char text[4096];
	size_t n;
};

static bool see(void *context, enum spool_state state, const struct leg_name *name)
{
	struct seen *seen = context;
	size_t len = strlen(seen->text);

	(void)snprintf(seen->text + len, sizeof seen->text - len, "%s/%s.%s ", state_name(state),
	    name->id + ID_LEN - 2, name->k);
	seen->n++;
	return true;
}

/* A leg as one that was read: only what the index looks at is there. */
struct made {
	struct leg leg;
	struct leg_rcpt rcpt[3];
	char trailer[2048];
};

static struct leg *leg_of(struct made *m, unsigned number, const char *k, const char *subject,
    const char *first, const char *second)
{
	*m = (struct made){.leg = {.rcpts = 2, .name = {.due = 1000}}};
	(void)snprintf(m->leg.name.id, ID_TEXT, "%012x80008000%012x", number / 7, number);
	(void)snprintf(m->leg.name.k, K_MAX, "%s", k);
	(void)snprintf(m->trailer, sizeof m->trailer,
	    "2026-11-22T09:35:01.130001Z about subject=%s size=10 files=0\n", subject);
	m->rcpt[0].address = strdup(first);
	m->rcpt[1].address = strdup(second);
	m->leg.rcpt = m->rcpt;
	m->leg.trailer_bytes = (struct buf){.bytes = m->trailer, .len = strlen(m->trailer)};
	return &m->leg;
}

static void let_go(struct made *m)
{
	free(m->rcpt[0].address);
	free(m->rcpt[1].address);
}

static void put(struct index *index, enum spool_state state, unsigned number, const char *k,
    const char *sender, const char *asked, uint64_t group)
{
	const char *people[] = {sender, asked};
	struct made m;

	assert_true(index_put(index, state,
	    leg_of(&m, number, k, "x", "bob@partner.example", "carol@partner.example"), people, 1,
	    asked != NULL, group, 0));
	let_go(&m);
}

static void assert_person(
    const struct index *index, const char *address, bool asked, const char *expected)
{
	struct seen seen = {.n = 0};

	index_of_person(index, address, asked, see, &seen);
	assert_string_equal(seen.text, expected);
}

static void who_is_concerned(void **state)
{
	struct index *index = index_new();
	struct leg_name name = {.k = "1"};

	(void)state;
	assert_non_null(index);
	put(index, STATE_HOLD, 1, "1", "alice@example.co.jp", NULL, 0);
	put(index, STATE_APPROVE, 20, "1", "alice@example.co.jp", "dave@example.co.jp", 0);
	put(index, STATE_APPROVE, 20, "1.2", "alice@example.co.jp", "dave@example.co.jp", 0);
	put(index, STATE_TRASH, 9, "1", "dave@example.co.jp", NULL, 0);
	assert_int_equal(index_count(index), 4);
	assert_person(
	    index, "alice@example.co.jp", false, "approve/14.1 approve/14.1.2 hold/01.1 ");
	assert_person(index, "alice@example.co.jp", true, "");
	assert_person(
	    index, "dave@example.co.jp", false, "approve/14.1 approve/14.1.2 trash/09.1 ");
	assert_person(index, "dave@example.co.jp", true, "approve/14.1 approve/14.1.2 ");
	assert_person(index, "nobody@example.co.jp", false, "");

	/* It is approved, and another leg asks another. */
	put(index, STATE_HOLD, 20, "1", "alice@example.co.jp", NULL, 0);
	put(index, STATE_APPROVE, 20, "1.2", "alice@example.co.jp", "erin@example.co.jp", 0);
	assert_int_equal(index_count(index), 4);
	assert_person(index, "dave@example.co.jp", true, "");
	assert_person(index, "erin@example.co.jp", true, "approve/14.1.2 ");
	assert_person(index, "alice@example.co.jp", false, "hold/14.1 approve/14.1.2 hold/01.1 ");

	(void)snprintf(name.id, ID_TEXT, "%012x80008000%012x", 20 / 7, 20);
	index_remove(index, &name);
	index_remove(index, &name);
	assert_int_equal(index_count(index), 3);
	assert_person(index, "alice@example.co.jp", false, "approve/14.1.2 hold/01.1 ");
	index_free(index);
}

static void assert_asked(struct index *index, const char *address, size_t expected)
{
	size_t legs;

	assert_true(index_asked(index, address, &legs));
	assert_int_equal(legs, expected);
}

/* S1-11: what waits for somebody's decision in all, though a page has no more than 50 of them. */
static void S1_11_what_waits_for_somebody_is_counted(void **state)
{
	struct index *index = index_new();

	(void)state;
	assert_asked(index, "bob@example.co.jp", 0);
	for (unsigned i = 1; i <= 120; i++)
		put(index, STATE_APPROVE, i, "1", "alice@example.co.jp", "bob@example.co.jp",
		    i > 100 ? 77 : 0);
	put(index, STATE_APPROVE, 200, "1", "bob@example.co.jp", NULL, 0);
	put(index, STATE_HOLD, 201, "1", "bob@example.co.jp", NULL, 0);
	assert_asked(index, "bob@example.co.jp", 120);
	assert_asked(index, "bob@example.co.jp", 120);
	assert_asked(index, "alice@example.co.jp", 0);
	/* He has decided about one of them. */
	put(index, STATE_APPROVE, 7, "1", "alice@example.co.jp", "carol@example.co.jp", 0);
	assert_asked(index, "bob@example.co.jp", 119);
	put(index, STATE_HOLD, 8, "1", "alice@example.co.jp", NULL, 0);
	assert_asked(index, "bob@example.co.jp", 118);
	index_free(index);
}

/* Somebody may be the sender and asked, by a shared mailbox: he has the leg once. */
static void both_at_once(void **state)
{
	struct index *index = index_new();

	(void)state;
	put(index, STATE_APPROVE, 1, "1", "alice@example.co.jp", "alice@example.co.jp", 0);
	assert_person(index, "alice@example.co.jp", false, "approve/01.1 ");
	assert_person(index, "alice@example.co.jp", true, "approve/01.1 ");
	assert_asked(index, "alice@example.co.jp", 1);
	index_free(index);
}

static void assert_message(const struct index *index, unsigned number, const char *expected)
{
	struct seen seen = {.n = 0};
	char id[ID_TEXT];

	(void)snprintf(id, ID_TEXT, "%012x80008000%012x", number / 7, number);
	index_of_message(index, id, see, &seen);
	assert_string_equal(seen.text, expected);
}

static void copies_of_a_message(void **state)
{
	struct index *index = index_new();
	struct seen seen = {.n = 0};

	(void)state;
	put(index, STATE_HOLD, 1, "1", "alice@example.co.jp", NULL, 77);
	put(index, STATE_HOLD, 2, "1", "alice@example.co.jp", NULL, 77);
	put(index, STATE_HOLD, 3, "1", "alice@example.co.jp", NULL, 78);
	put(index, STATE_HOLD, 4, "1", "alice@example.co.jp", NULL, 0);
	assert_message(index, 2, "hold/02.1 hold/01.1 ");
	assert_message(index, 3, "hold/03.1 ");
	assert_message(index, 4, "hold/04.1 ");
	assert_message(index, 5, "");
	index_of_message(index, "../../etc/passwd", see, &seen);
	assert_int_equal(seen.n, 0);
	index_free(index);
}

/* ---- searching ----------------------------------------------------------------------------- */

struct hits {
	size_t found, cut;
};

/* None of those that are not all in the index. */
static enum index_looked look(void *context, enum spool_state state, const struct leg_name *name)
{
	struct hits *hits = context;

	(void)state;
	(void)name;
	hits->cut++;
	return INDEX_NOT_IN;
}

static struct hits search(struct index *index, const char *query)
{
	struct hits hits = {0, 0};
	struct index_line line[1];
	size_t lines;
	bool complete;

	assert_true(index_list(index,
	    &(const struct index_question){.address = "alice@example.co.jp",
		.as = INDEX_SENDER | INDEX_ASKED,
		.states = ~0U,
		.query = query,
		.count = 1,
		.look = look,
		.context = &hits},
	    line, &lines, &hits.found, &complete));
	assert_true(complete);
	return hits;
}

static void search_of_subjects_and_recipients(void **state)
{
	static const char *const people[] = {"alice@example.co.jp"};
	/* 見積書ＡＢＣ, half width ｶﾞ */
	static const char subject[] =
	    "+E8+A6+8B+E7+A9+8D+E6+9B+B8+EF+BC+A1+EF+BC+A2+EF+BC+A3+20+EF+BD+B6+EF+BE+9E";
	struct index *index = index_new();
	struct index_query *query;
	struct made m;
	struct hits hits;
	char address[400];

	(void)state;
	assert_true(index_put(index, STATE_HOLD,
	    leg_of(&m, 1, "1", subject, "Bob@Partner.example", "carol@other.example"), people, 1, 0,
	    0, 0));
	let_go(&m);
	assert_int_equal(search(index, "").found, 1);
	assert_int_equal(search(index, "見積書").found, 1);
	assert_int_equal(search(index, "abc ガ").found, 1);
	assert_int_equal(search(index, "BOB@partner").found, 1);
	assert_int_equal(search(index, "carol").found, 1);
	assert_int_equal(search(index, "examplecarol").found, 0);
	assert_int_equal(search(index, "請求書").found, 0);
	assert_int_equal(search(index, "").cut, 0);

	/* What is not all there says so. */
	memset(address, 'a', sizeof address);
	(void)snprintf(address + 300, sizeof address - 300, "@partner.example");
	assert_true(index_put(index, STATE_HOLD,
	    leg_of(&m, 1, "1", "x", address, "carol@other.example"), people, 1, 0, 0, 0));
	let_go(&m);
	hits = search(index, "carol");
	assert_int_equal(hits.found, 0);
	assert_int_equal(hits.cut, 1);
	index_free(index);
	query = index_query_new("ＣＡＲＯＬ");
	assert_non_null(query);
	assert_true(index_query_in(query, "carol@other.example"));
	assert_true(index_query_in(query, "Dear.CAROL@other.example"));
	assert_false(index_query_in(query, "dave@other.example"));
	index_query_free(query);
}

/* What is not found is forgotten only if it was looked for where it stands now. */
static void what_was_renamed_is_not_forgotten(void **state)
{
	static const char *const people[] = {"alice@x.example"};
	struct index *index = index_new();
	struct made m;
	const struct leg *leg = leg_of(&m, 1, "1", "x", "b@x.example", "c@x.example");
	struct leg_name name = leg->name;
	enum spool_state where = STATE_HOLD;

	(void)state;
	assert_true(index_put(index, STATE_HOLD, leg, people, 1, 0, 0, 0));
	name.due += 60;
	assert_true(index_gone(index, &name, &where));
	assert_true(name.due == leg->name.due);
	where = STATE_TRASH;
	assert_true(index_gone(index, &name, &where));
	assert_int_equal(where, STATE_HOLD);
	assert_int_equal(index_count(index), 1);
	assert_false(index_gone(index, &name, &where));
	assert_int_equal(index_count(index), 0);
	assert_false(index_gone(index, &name, &where));
	let_go(&m);
	index_free(index);
}

/* ---- lists --------------------------------------------------------------------------------- */

struct page {
	struct index_question q;
	char text[4096];
	size_t total;
	bool complete;
};

/* "hold/07.1*2 …": the lines of a page, and of how many legs they are. */
static const char *page_of(struct index *index, struct page *p)
{
	struct index_line line[50];
	size_t lines, len = 0;

	p->q.look = p->q.look != NULL ? p->q.look : look;
	p->q.address = "alice@example.co.jp";
	p->q.as = p->q.as != 0 ? p->q.as : INDEX_SENDER | INDEX_ASKED;
	p->q.states = p->q.states != 0 ? p->q.states : ~0U;
	p->q.query = p->q.query != NULL ? p->q.query : "";
	assert_true(p->q.count <= 50);
	assert_true(index_list(index, &p->q, line, &lines, &p->total, &p->complete));
	p->text[0] = '\0';
	for (size_t i = 0; i < lines; i++)
		len += (size_t)snprintf(p->text + len, sizeof p->text - len, "%s%s/%s.%s*%zu",
		    i > 0 ? " " : "", state_name(line[i].state), line[i].name.id + ID_LEN - 2,
		    line[i].name.k, line[i].copies);
	return p->text;
}

static void put_risky(struct index *index, unsigned number, unsigned risk)
{
	static const char *const people[] = {"alice@example.co.jp"};
	struct made m;

	assert_true(index_put(index, STATE_HOLD,
	    leg_of(&m, number, "1", "x", "bob@partner.example", "carol@partner.example"), people, 1,
	    0, 0, risk));
	let_go(&m);
}

static void remove_leg(struct index *index, unsigned number, const char *k)
{
	struct made m;

	index_remove(index, &leg_of(&m, number, k, "x", "b@x.example", "c@x.example")->name);
	let_go(&m);
}

/* S3-05: the newest first, legs and copies of a message as one; what comes and goes is there at once. */
static void S3_05_pages_of_a_list(void **state)
{
	static const char alice[] = "alice@example.co.jp", bob[] = "bob@example.co.jp";
	struct index *index = index_new();
	struct page p = {.q.count = 3}, mine = {.q = {.count = 9, .as = INDEX_ASKED}};

	(void)state;
	assert_string_equal(page_of(index, &p), "");
	for (unsigned i = 1; i <= 5; i++)
		put(index, STATE_HOLD, i, "1", alice, NULL, 0);
	assert_string_equal(page_of(index, &p), "hold/05.1*1 hold/04.1*1 hold/03.1*1");
	assert_int_equal(p.total, 5);
	p.q.first = 3;
	assert_string_equal(page_of(index, &p), "hold/02.1*1 hold/01.1*1");
	p.q.first = 6;
	assert_string_equal(page_of(index, &p), "");
	p.q.first = 0;

	/* Now that it is in order: another leg of a message, one in between, and one at the end. */
	put(index, STATE_HOLD, 4, "1.1", alice, NULL, 0);
	put(index, STATE_TRASH, 9, "1", alice, NULL, 0);
	assert_string_equal(page_of(index, &p), "trash/09.1*1 hold/05.1*1 hold/04.1*2");
	assert_int_equal(p.total, 6);
	remove_leg(index, 5, "1");
	remove_leg(index, 4, "1");
	assert_string_equal(page_of(index, &p), "trash/09.1*1 hold/04.1.1*1 hold/03.1*1");
	p.q.states = 1U << STATE_HOLD;
	assert_string_equal(page_of(index, &p), "hold/04.1.1*1 hold/03.1*1 hold/02.1*1");

	/* A leg that changes its state, and whom others send; of a set in which she is twice it is one. */
	put(index, STATE_TRASH, 3, "1", alice, NULL, 0);
	put(index, STATE_APPROVE, 10, "1", bob, alice, 0);
	put(index, STATE_APPROVE, 11, "1", alice, alice, 0);
	assert_string_equal(page_of(index, &p), "hold/04.1.1*1 hold/02.1*1 hold/01.1*1");
	assert_string_equal(page_of(index, &mine), "approve/0b.1*1 approve/0a.1*1");

	/* Thrown away: it is so at once, before anybody has looked at it there. */
	index_moved(index,
	    &(struct leg_name){.id = "00000000000080008000000000000002", .k = "1", .due = 1000},
	    STATE_TRASH);
	assert_string_equal(page_of(index, &p), "hold/04.1.1*1 hold/01.1*1");
	put(index, STATE_HOLD, 2, "1", alice, NULL, 0);

	/* Copies of one message, which do not stand side by side. */
	put(index, STATE_HOLD, 12, "1", alice, NULL, 77);
	put(index, STATE_HOLD, 13, "1", alice, NULL, 0);
	put(index, STATE_HOLD, 14, "1", alice, NULL, 77);
	assert_string_equal(page_of(index, &p), "hold/0e.1*2 hold/0d.1*1 hold/04.1.1*1");
	assert_int_equal(p.total, 5);
	remove_leg(index, 14, "1");
	assert_string_equal(page_of(index, &p), "hold/0d.1*1 hold/0c.1*1 hold/04.1.1*1");
	index_free(index);
}

/* Who goes altogether, and comes back, is listed as he is. */
static void the_last_of_somebody(void **state)
{
	struct index *index = index_new();
	struct page p = {.q.count = 3};

	(void)state;
	put(index, STATE_HOLD, 1, "1", "alice@example.co.jp", NULL, 0);
	assert_string_equal(page_of(index, &p), "hold/01.1*1");
	remove_leg(index, 1, "1");
	assert_string_equal(page_of(index, &p), "");
	assert_int_equal(p.total, 0);
	put(index, STATE_HOLD, 2, "1", "alice@example.co.jp", NULL, 0);
	assert_string_equal(page_of(index, &p), "hold/02.1*1");
	index_free(index);
}

static void risky_mail_comes_first(void **state)
{
	struct index *index = index_new();
	struct page p = {.q = {.count = 9, .by_risk = true}}, plain = {.q.count = 9};

	(void)state;
	for (unsigned i = 1; i <= 4; i++)
		put_risky(index, i, i % 2);
	put_risky(index, 5, 3);
	put_risky(index, 6, 0);
	assert_string_equal(page_of(index, &p),
	    "hold/05.1*1 hold/03.1*1 hold/01.1*1 hold/06.1*1 hold/04.1*1 hold/02.1*1");
	assert_string_equal(page_of(index, &plain),
	    "hold/06.1*1 hold/05.1*1 hold/04.1*1 hold/03.1*1 hold/02.1*1 hold/01.1*1");
	put_risky(index, 2, 3);
	p.q.count = 2;
	assert_string_equal(page_of(index, &p), "hold/05.1*1 hold/02.1*1");
	index_free(index);
}

/* What is not all in the index is looked into, and may have gone by then. */
static enum index_looked look_and_remove(
    void *context, enum spool_state state, const struct leg_name *name)
{
	struct index *index = context;

	(void)state;
	if (strcmp(name->id + ID_LEN - 2, "02") == 0) {
		index_remove(index, name);
		return INDEX_IN;
	}
	return strcmp(name->id + ID_LEN - 2, "03") == 0 ? INDEX_UNKNOWN : INDEX_IN;
}

static void what_is_cut_is_looked_into(void **state)
{
	static const char *const people[] = {"alice@example.co.jp"};
	struct index *index = index_new();
	struct page p = {
	    .q = {.count = 9, .query = "carol", .look = look_and_remove, .context = index}};
	char address[400];
	struct made m;

	(void)state;
	memset(address, 'a', sizeof address);
	(void)snprintf(address + 300, sizeof address - 300, "@partner.example");
	for (unsigned i = 1; i <= 4; i++) {
		assert_true(index_put(index, STATE_HOLD,
		    leg_of(&m, i, "1", "x", address, "carol@other.example"), people, 1, 0, 0, 0));
		let_go(&m);
	}
	assert_string_equal(page_of(index, &p), "hold/04.1*1 hold/01.1*1");
	assert_false(p.complete);
	assert_int_equal(index_count(index), 3);
	index_free(index);
}

/* ---- memory -------------------------------------------------------------------------------- */

static size_t in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* 100,000 legs of 3,000 people and their bosses, with long subjects and recipients. */
static void memory_of_many_legs(void **state)
{
	size_t before = in_use(), after;
	struct index *index = index_new();
	char subject[200], sender[64], boss[64], rcpt[100];
	const char *people[] = {sender, boss};
	struct made m;

	(void)state;
	memset(subject, 's', sizeof subject);
	subject[150] = '\0';
	for (unsigned i = 0; i < LEGS; i++) {
		(void)snprintf(
		    sender, sizeof sender, "person.%u@department.example.co.jp", i % 3000);
		(void)snprintf(boss, sizeof boss, "boss.%u@department.example.co.jp", i % 300);
		(void)snprintf(
		    rcpt, sizeof rcpt, "somebody.with.a.long.name.%u@partner.example", i);
		assert_true(index_put(index, STATE_HOLD,
		    leg_of(&m, i, "1", subject, rcpt, "carol@partner.example"), people, 1, 1,
		    i % 4 == 0 ? i + 1 : 0, 0));
		let_go(&m);
	}
	after = in_use();
	print_message("[  MEASURE ] %zu bytes a leg\n", (after - before) / LEGS);
	assert_int_equal(index_count(index), LEGS);
	assert_true((after - before) / LEGS <= BOUND);
	index_free(index);
	assert_true(in_use() < before + LEGS); /* all of it is given back */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_is_concerned),
	    cmocka_unit_test(both_at_once),
	    cmocka_unit_test(S1_11_what_waits_for_somebody_is_counted),
	    cmocka_unit_test(copies_of_a_message),
	    cmocka_unit_test(search_of_subjects_and_recipients),
	    cmocka_unit_test(what_was_renamed_is_not_forgotten),
	    cmocka_unit_test(S3_05_pages_of_a_list),
	    cmocka_unit_test(the_last_of_somebody),
	    cmocka_unit_test(risky_mail_comes_first),
	    cmocka_unit_test(what_is_cut_is_looked_into),
	    cmocka_unit_test(memory_of_many_legs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
