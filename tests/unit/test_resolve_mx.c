/*
 * DNS data in, plan out: which hosts, in which order, with what status (RFC 5321 section 5.1, RFC
 * 7505); and where we ourselves stand in it. Attacks O: MX to loopback or self, null MX, 100 MX.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>

#include "lib/resolve/lookup.h"
#include "lib/resolve/mx.h"

/* ---- kit ---- */

/* Not random: the numbers of a list, again and again. */
struct lots {
	const uint32_t *list;
	size_t n, at;
};

static uint32_t next_lot(void *context)
{
	struct lots *l = context;

	return l->list[l->at++ % l->n];
}

/* A generator that is good enough to see every order. */
static uint32_t next_mixed(void *context)
{
	uint64_t *state = context;

	*state = *state * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*state >> 32);
}

struct record {
	unsigned char bytes[300];
	size_t len;
};

/* "10 mx1.example" as MX data; "." is the root. */
static struct record mx(const char *text)
{
	struct record r = {.len = 2};
	char *name;
	unsigned long preference = strtoul(text, &name, 10);

	r.bytes[0] = (unsigned char)(preference >> 8);
	r.bytes[1] = (unsigned char)preference;
	name += strspn(name, " ");
	while (*name != '\0' && *name != '.') {
		size_t label = strcspn(name, ".");

		r.bytes[r.len++] = (unsigned char)label;
		memcpy(r.bytes + r.len, name, label);
		r.len += label;
		name += label + (name[label] == '.');
	}
	r.bytes[r.len++] = 0;
	return r;
}

#define RECORDS 512

struct set {
	struct record record[RECORDS];
	struct rdata data[RECORDS];
	size_t n;
};

static void set_add(struct set *s, const char *text)
{
	s->record[s->n] = mx(text);
	s->data[s->n] = (struct rdata){s->record[s->n].bytes, s->record[s->n].len};
	s->n++;
}

/* Records separated by commas. */
static void set_fill(struct set *s, const char *texts)
{
	char copy[1024];
	char *rest = NULL;

	s->n = 0;
	assert_true(strlen(texts) < sizeof copy);
	strcpy(copy, texts);
	for (char *t = strtok_r(copy, ",", &rest); t != NULL; t = strtok_r(NULL, ",", &rest))
		set_add(s, t);
}

static struct resolve_answer the_answer;
static struct set the_set;

static struct resolve_answer *fresh(enum resolve_kind kind, const char *name)
{
	memset(&the_answer, 0, sizeof the_answer);
	the_answer.kind = kind;
	strcpy(the_answer.name, name);
	return &the_answer;
}

static const char *order(const struct resolve_answer *a)
{
	static char text[2048];
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < a->n_hosts && at < sizeof text; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%u %s", i > 0 ? "," : "",
		    (unsigned)a->host[i].preference, a->host[i].name);
	return text;
}

static struct rdata ip(const char *text)
{
	static unsigned char bytes[64][16];
	static size_t at;
	unsigned char *b = bytes[at++ % COUNT_OF(bytes)];
	bool v6 = strchr(text, ':') != NULL;

	assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, text, b), 1);
	return (struct rdata){b, v6 ? 16 : 4};
}

static const struct outcome yes = {RESOLVE_OK, RESOLVE_NO_REASON, true};
static const struct outcome plain = {RESOLVE_OK, RESOLVE_NO_REASON, false};
static const struct outcome empty = {RESOLVE_NONE, RESOLVE_NO_ADDRESS, true};
static const struct outcome nobody = {RESOLVE_NONE, RESOLVE_NXDOMAIN, true};
static const struct outcome late = {RESOLVE_LATER, RESOLVE_TIMEOUT, false};
static const struct outcome bogus = {RESOLVE_LATER, RESOLVE_BOGUS, false};

static void give(struct resolve_host *h, const char *address)
{
	const uint32_t zero = 0;
	struct lots lots = {&zero, 1, 0};
	struct chance chance = {next_lot, &lots};
	struct rdata data = ip(address);
	bool v6 = data.len == 16;

	mx_host_add(h, v6, &data, 1, &chance);
	mx_host_settle(h, v6 ? &yes : &empty, v6 ? &empty : &yes);
}

/* ---- MX records ---- */

static void test_plans(void **state)
{
	static const struct {
		const char *records;
		const char *order;
		enum mx_found found;
		size_t malformed;
	} table[] = {
	    {"10 a.example", "10 a.example", MX_HOSTS, 0},
	    {"20 b.example,10 a.example,30 c.example", "10 a.example,20 b.example,30 c.example",
		MX_HOSTS, 0},
	    {"65535 z.example,0 A.Example", "0 a.example,65535 z.example", MX_HOSTS, 0},
	    /* The lots are 3, 2, 1, 0 in turn: equal preferences come in the opposite order. */
	    {"5 a.x,5 b.x,5 c.x,5 d.x", "5 d.x,5 c.x,5 b.x,5 a.x", MX_HOSTS, 0},
	    {"5 a.x,1 b.x,5 c.x,1 d.x", "1 d.x,1 b.x,5 c.x,5 a.x", MX_HOSTS, 0},
	    /* The same host twice is tried once, as early as it may be. */
	    {"20 a.x,10 A.X,30 b.x", "10 a.x,30 b.x", MX_HOSTS, 0},
	    /* RFC 7505: alone, of any preference, it says no; beside others it says nothing. */
	    {"0 .", "", MX_NULL, 0},
	    {"10 .", "", MX_NULL, 0},
	    {"0 .,1 .", "", MX_NULL, 0},
	    {"0 .,10 a.x", "10 a.x", MX_HOSTS, 1},
	    {"0 .,10 a b.x", "", MX_UNUSABLE, 2},
	    {"10 a b.x,20 a_b.x", "20 a_b.x", MX_HOSTS, 1},
	    {"10 mx!.x", "", MX_UNUSABLE, 1},
	    {"10 a\n.x", "", MX_UNUSABLE, 1},
	};
	static const uint32_t falling[] = {3, 2, 1, 0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct lots lots = {falling, COUNT_OF(falling), 0};
		struct chance chance = {next_lot, &lots};
		struct resolve_answer *a = fresh(RESOLVE_MX, "example");

		set_fill(&the_set, table[i].records);
		assert_int_equal(mx_plan(the_set.data, the_set.n, &chance, a), table[i].found);
		assert_string_equal(order(a), table[i].order);
		assert_int_equal(a->malformed, table[i].malformed);
		assert_int_equal(a->more, 0);
	}
}

/* Data that is cut short, longer than its name, compressed, or empty names nobody. */
static void test_broken_data(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} table[] = {{"", 0}, {"\0", 1}, {"\0\12", 2}, {"\0\12\1a", 4}, {"\0\12\5ab\0", 6},
	    {"\0\12\1a\0\0", 6}, {"\0\12\300\14", 4}, {"\0\12\1a\300\14", 6}, {"\0\12\1\0\0", 5},
	    {"\0\12\1.\0", 5}};
	struct lots lots = {(const uint32_t[]){0}, 1, 0};
	struct chance chance = {next_lot, &lots};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct rdata data = {(const unsigned char *)table[i].bytes, table[i].len};
		struct resolve_answer *a = fresh(RESOLVE_MX, "example");

		assert_int_equal(mx_plan(&data, 1, &chance, a), MX_UNUSABLE);
		assert_int_equal(a->malformed, 1);
		assert_int_equal(a->n_hosts, 0);
	}
}

/* Of 300 the hundred most preferred are taken, and the rest is said. */
static void test_a_hundred(void **state)
{
	uint64_t seed = 1;
	struct chance chance = {next_mixed, &seed};
	struct resolve_answer *a = fresh(RESOLVE_MX, "example");
	char text[64];

	(void)state;
	the_set.n = 0;
	for (unsigned i = 0; i < 300; i++) {
		(void)snprintf(text, sizeof text, "%u h%u.x", (i * 7) % 300, (i * 7) % 300);
		set_add(&the_set, text);
	}
	assert_int_equal(mx_plan(the_set.data, the_set.n, &chance, a), MX_HOSTS);
	assert_int_equal(a->n_hosts, RESOLVE_HOSTS_MAX);
	assert_int_equal(a->more, 200);
	for (unsigned i = 0; i < RESOLVE_HOSTS_MAX; i++) {
		(void)snprintf(text, sizeof text, "h%u.x", i);
		assert_int_equal(a->host[i].preference, i);
		assert_string_equal(a->host[i].name, text);
	}
}

/* Equal ones: each comes first about as often, also those beyond the bound. */
static void test_shuffle_is_fair(void **state)
{
	static unsigned first[RECORDS], there[RECORDS];
	uint64_t seed = 42;
	struct chance chance = {next_mixed, &seed};
	char text[64];

	(void)state;
	the_set.n = 0;
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(text, sizeof text, "10 h%u.x", i);
		set_add(&the_set, text);
	}
	for (unsigned round = 0; round < 2000; round++) {
		struct resolve_answer *a = fresh(RESOLVE_MX, "example");

		assert_int_equal(mx_plan(the_set.data, the_set.n, &chance, a), MX_HOSTS);
		first[strtoul(a->host[0].name + 1, NULL, 10)]++;
		for (size_t i = 0; i < a->n_hosts; i++)
			there[strtoul(a->host[i].name + 1, NULL, 10)]++;
	}
	for (unsigned i = 0; i < 200; i++) {
		assert_in_range(first[i], 1, 40);     /* 10 expected */
		assert_in_range(there[i], 850, 1150); /* 1,000 expected */
	}
}

/* ---- addresses ---- */

static void test_addresses(void **state)
{
	uint64_t seed = 7;
	struct chance chance = {next_mixed, &seed};
	struct rdata v4[20], v6[2] = {ip("2001:db8::1"), ip("2001:db8::2")};
	struct resolve_host *h;
	char text[32];

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(v4); i++) {
		(void)snprintf(text, sizeof text, "192.0.2.%u", i);
		v4[i] = ip(text);
	}
	v4[3].len = 5; /* no address */
	mx_plan_only(fresh(RESOLVE_A, "h.x"), false);
	h = &the_answer.host[0];
	mx_host_add(h, false, v4, COUNT_OF(v4), &chance);
	assert_int_equal(h->n_addresses, RESOLVE_FAMILY_MAX);
	mx_host_add(h, true, v6, COUNT_OF(v6), &chance);
	assert_int_equal(h->n_addresses, RESOLVE_FAMILY_MAX + 2);
	for (size_t i = 0; i < h->n_addresses; i++) {
		assert_int_equal(h->address[i].v6, i < 2);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(h->address[i].bytes, h->address[k].bytes, 16);
	}
}

/* Which addresses of many are taken, and in which order, is chance. */
static void test_addresses_are_shuffled(void **state)
{
	unsigned first[16] = {0}, there[16] = {0};
	uint64_t seed = 11;
	struct chance chance = {next_mixed, &seed};
	struct rdata v4[16];
	char text[32];

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(v4); i++) {
		(void)snprintf(text, sizeof text, "192.0.2.%u", i);
		v4[i] = ip(text);
	}
	for (unsigned round = 0; round < 1600; round++) {
		mx_plan_only(fresh(RESOLVE_A, "h.x"), false);
		mx_host_add(&the_answer.host[0], false, v4, COUNT_OF(v4), &chance);
		first[the_answer.host[0].address[0].bytes[3]]++;
		for (size_t i = 0; i < RESOLVE_FAMILY_MAX; i++)
			there[the_answer.host[0].address[i].bytes[3]]++;
	}
	for (unsigned i = 0; i < COUNT_OF(v4); i++) {
		assert_in_range(first[i], 50, 160);  /* 100 expected */
		assert_in_range(there[i], 700, 900); /* 800 expected */
	}
}

/* What two look-ups make of a host: "" no address, "4", "6" or "46". */
static void test_hosts_settle(void **state)
{
	static const struct {
		const char *has;
		const struct outcome *v6, *v4;
		enum resolve_status status;
		enum resolve_reason reason;
		bool secure;
	} table[] = {
	    {"46", &yes, &yes, RESOLVE_OK, RESOLVE_NO_REASON, true},
	    {"46", &yes, &plain, RESOLVE_OK, RESOLVE_NO_REASON, false},
	    {"46", &plain, &yes, RESOLVE_OK, RESOLVE_NO_REASON, false},
	    {"6", &yes, &empty, RESOLVE_OK, RESOLVE_NO_REASON, true},
	    {"4", &empty, &yes, RESOLVE_OK, RESOLVE_NO_REASON, true},
	    /* One family that fails does not keep mail from the other, nor taint it. */
	    {"4", &late, &yes, RESOLVE_OK, RESOLVE_NO_REASON, true},
	    {"4", &bogus, &yes, RESOLVE_OK, RESOLVE_NO_REASON, true},
	    {"6", &plain, &late, RESOLVE_OK, RESOLVE_NO_REASON, false},
	    {"", &empty, &empty, RESOLVE_NONE, RESOLVE_NO_ADDRESS, true},
	    {"", &nobody, &nobody, RESOLVE_NONE, RESOLVE_NXDOMAIN, true},
	    {"", &nobody, &empty, RESOLVE_NONE, RESOLVE_NO_ADDRESS, true},
	    /* As long as one of them may yet have an address, it has not been told that it has none. */
	    {"", &late, &empty, RESOLVE_LATER, RESOLVE_TIMEOUT, false},
	    {"", &empty, &bogus, RESOLVE_LATER, RESOLVE_BOGUS, false},
	    {"", &nobody, &late, RESOLVE_LATER, RESOLVE_TIMEOUT, false},
	    {"", &plain, &empty, RESOLVE_NONE, RESOLVE_NO_ADDRESS, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct resolve_answer *a = fresh(RESOLVE_A, "h.x");
		struct resolve_host *h = &a->host[0];

		mx_plan_only(a, false);
		if (strchr(table[i].has, '6') != NULL)
			give(h, "2001:db8::1");
		if (strchr(table[i].has, '4') != NULL)
			give(h, "192.0.2.1");
		mx_host_settle(h, table[i].v6, table[i].v4);
		assert_int_equal(h->status, table[i].status);
		assert_int_equal(h->reason, table[i].reason);
		assert_int_equal(h->secure, table[i].secure);

		mx_answer_settle(a);
		assert_int_equal(a->status, table[i].status);
		assert_int_equal(a->reason, table[i].reason);
		assert_int_equal(a->secure, table[i].secure);
	}
}

/* What the hosts make of the whole: one that can be reached is enough, one that may be is a reason to wait. */
static void test_answers_settle(void **state)
{
	static const struct {
		const struct outcome *hosts[3]; /* NULL: it has an address */
		enum resolve_status status;
		enum resolve_reason reason;
	} table[] = {
	    {{NULL, NULL, NULL}, RESOLVE_OK, RESOLVE_NO_REASON},
	    {{&nobody, &late, NULL}, RESOLVE_OK, RESOLVE_NO_REASON},
	    {{&nobody, &empty, &nobody}, RESOLVE_NONE, RESOLVE_NO_ADDRESS},
	    {{&nobody, &bogus, &late}, RESOLVE_LATER, RESOLVE_BOGUS},
	    {{&nobody, &empty, &late}, RESOLVE_LATER, RESOLVE_TIMEOUT},
	};
	struct lots lots = {(const uint32_t[]){0}, 1, 0};
	struct chance chance = {next_lot, &lots};

	(void)state;
	set_fill(&the_set, "10 a.x,20 b.x,30 c.x");
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct resolve_answer *a = fresh(RESOLVE_MX, "example");

		assert_int_equal(mx_plan(the_set.data, the_set.n, &chance, a), MX_HOSTS);
		for (size_t k = 0; k < 3; k++) {
			const struct outcome *o = table[i].hosts[k];

			if (o == NULL)
				give(&a->host[k], "192.0.2.1");
			else
				mx_host_settle(&a->host[k], o, o);
		}
		mx_answer_settle(a);
		assert_int_equal(a->status, table[i].status);
		assert_int_equal(a->reason, table[i].reason);
	}
}

/* Bogus is looked at before data and rcode; SERVFAIL and the like are never "no such domain". */
static void test_results_are_judged(void **state)
{
	static const struct {
		bool bogus, secure;
		int rcode;
		bool nxdomain, havedata;
		enum resolve_status status;
		enum resolve_reason reason;
	} table[] = {
	    {false, true, 0, false, true, RESOLVE_OK, RESOLVE_NO_REASON},
	    {false, false, 0, false, false, RESOLVE_NONE, RESOLVE_NO_ADDRESS},
	    {false, true, 3, true, false, RESOLVE_NONE, RESOLVE_NXDOMAIN},
	    {true, false, 0, false, true, RESOLVE_LATER, RESOLVE_BOGUS},
	    {true, false, 3, true, false, RESOLVE_LATER, RESOLVE_BOGUS},
	    {false, false, 2, false, false, RESOLVE_LATER, RESOLVE_SERVFAIL},
	    {false, false, 5, false, false, RESOLVE_LATER, RESOLVE_REFUSED},
	    {false, false, 4, false, false, RESOLVE_LATER, RESOLVE_SERVFAIL},
	    {false, true, 2, true, true, RESOLVE_LATER, RESOLVE_SERVFAIL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct outcome o = lookup_judge(table[i].bogus, table[i].secure, table[i].rcode,
		    table[i].nxdomain, table[i].havedata);

		assert_int_equal(o.status, table[i].status);
		assert_int_equal(o.reason, table[i].reason);
		assert_int_equal(o.secure, table[i].secure && o.status != RESOLVE_LATER);
	}
}

/* ---- ourselves ---- */

static void test_loops(void **state)
{
	static const struct {
		const char *records;
		const char *own_host;    /* this name is ours ... */
		const char *own_address; /* ... or this address; host N has 192.0.2.N, from 1 */
		enum resolve_loop loop;
		const char *left;
	} table[] = {
	    {"10 a.x,20 b.x", NULL, NULL, RESOLVE_NOT_US, "10 a.x,20 b.x"},
	    {"10 a.x,20 b.x", "c.x", "192.0.2.9", RESOLVE_NOT_US, "10 a.x,20 b.x"},
	    {"10 a.x,20 b.x", "a.x", NULL, RESOLVE_TO_US, ""},
	    {"10 a.x,20 b.x", "B.X", NULL, RESOLVE_BEFORE, "10 a.x"},
	    {"10 a.x,20 b.x", NULL, "192.0.2.1", RESOLVE_TO_US, ""},
	    {"10 a.x,20 b.x", NULL, "192.0.2.2", RESOLVE_BEFORE, "10 a.x"},
	    {"10 a.x,20 b.x,30 c.x", "b.x", NULL, RESOLVE_BEFORE, "10 a.x"},
	    /* Of equal preference, wherever the lots put us. */
	    {"10 a.x,20 b.x,20 c.x", "b.x", NULL, RESOLVE_BEFORE, "10 a.x"},
	    {"10 a.x,20 b.x,20 c.x", "c.x", NULL, RESOLVE_BEFORE, "10 a.x"},
	    {"10 a.x,10 b.x", "b.x", NULL, RESOLVE_TO_US, ""},
	    {"10 a.x,10 b.x", "a.x", NULL, RESOLVE_TO_US, ""},
	    /* The best that is ours counts. */
	    {"10 a.x,20 b.x,30 c.x", "c.x", "192.0.2.2", RESOLVE_BEFORE, "10 a.x"},
	};
	static const uint32_t rising[] = {0, 1, 2};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct lots lots = {rising, COUNT_OF(rising), 0};
		struct chance chance = {next_lot, &lots};
		struct resolve_answer *a = fresh(RESOLVE_MX, "example");
		static struct resolve_own own;
		char text[32];

		memset(&own, 0, sizeof own);
		set_fill(&the_set, table[i].records);
		assert_int_equal(mx_plan(the_set.data, the_set.n, &chance, a), MX_HOSTS);
		for (size_t k = 0; k < a->n_hosts; k++) {
			(void)snprintf(text, sizeof text, "192.0.2.%zu", k + 1);
			give(&a->host[k], text);
		}
		mx_answer_settle(a);
		if (table[i].own_host != NULL)
			assert_true(resolve_own_name(&own, table[i].own_host));
		if (table[i].own_address != NULL)
			memcpy(own.address[own.n_addresses++].bytes, ip(table[i].own_address).bytes,
			    4);

		assert_int_equal(resolve_drop_own(a, &own), table[i].loop);
		assert_string_equal(order(a), table[i].left);
		assert_int_equal(
		    a->status, table[i].loop == RESOLVE_TO_US ? RESOLVE_NONE : RESOLVE_OK);
	}
}

/* An alias of ours is us; so is the loopback, in every way to write it, unless a test says no. */
static void test_loops_by_other_names(void **state)
{
	static const struct {
		const char *address;
		bool ours;
	} table[] = {{"127.0.0.1", true}, {"127.9.9.9", true}, {"0.0.0.0", true}, {"::1", true},
	    {"::", true}, {"::ffff:127.0.0.1", true}, {"192.0.2.1", false}, {"::2", false},
	    {"::ffff:192.0.2.1", false}, {"1.127.0.0", false}};
	static struct resolve_own own;
	struct resolve_answer *a = fresh(RESOLVE_MX, "example");

	(void)state;
	memset(&own, 0, sizeof own);
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		mx_plan_only(fresh(RESOLVE_MX, "example"), true);
		give(&a->host[0], table[i].address);
		own.loopback = true;
		assert_int_equal(
		    resolve_drop_own(a, &own), table[i].ours ? RESOLVE_TO_US : RESOLVE_NOT_US);

		mx_plan_only(fresh(RESOLVE_MX, "example"), true);
		give(&a->host[0], table[i].address);
		own.loopback = false;
		assert_true(resolve_own_addresses(&own));
		assert_int_equal(resolve_drop_own(a, &own), RESOLVE_NOT_US);
		own.n_addresses = 0;
	}

	assert_true(resolve_own_name(&own, "gate.example"));
	mx_plan_only(fresh(RESOLVE_MX, "example"), true);
	strcpy(a->host[0].canon, "gate.example");
	give(&a->host[0], "192.0.2.1");
	assert_int_equal(resolve_drop_own(a, &own), RESOLVE_TO_US);
}

static void test_own_is_bounded(void **state)
{
	static struct resolve_own own;
	char name[32];

	(void)state;
	for (unsigned i = 0; i < RESOLVE_OWN_MAX; i++) {
		(void)snprintf(name, sizeof name, "h%u.example", i);
		assert_true(resolve_own_name(&own, name));
	}
	assert_false(resolve_own_name(&own, "one-more.example"));
	assert_int_equal(own.n_names, RESOLVE_OWN_MAX);
	own.n_names = 0;
	assert_false(resolve_own_name(&own, "[192.0.2.1]"));
	assert_int_equal(own.n_names, 0);
	for (int i = 0; i < 100; i++)
		assert_true(resolve_own_addresses(&own));
	assert_in_range(own.n_addresses, 1, RESOLVE_OWN_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plans),
	    cmocka_unit_test(test_broken_data),
	    cmocka_unit_test(test_a_hundred),
	    cmocka_unit_test(test_shuffle_is_fair),
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_addresses_are_shuffled),
	    cmocka_unit_test(test_hosts_settle),
	    cmocka_unit_test(test_answers_settle),
	    cmocka_unit_test(test_results_are_judged),
	    cmocka_unit_test(test_loops),
	    cmocka_unit_test(test_loops_by_other_names),
	    cmocka_unit_test(test_own_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
