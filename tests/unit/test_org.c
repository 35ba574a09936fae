/* What the judge asks the organisation: lib/org/org.h (S0-03, S0-05, S1-12, S1-21, S2-29, S2-37). */
#include "tests/unit/org_kit.h"

#include <time.h>

/* ---- the normal form ---- */

static void addresses_have_one_normal_form(void **state)
{
	static const struct {
		const char *address, *normal;
	} good[] = {
	    {"", ""},
	    {"Taro@Example.CO.JP", "taro@example.co.jp"},
	    {"taro@example.co.jp.", "taro@example.co.jp"},
	    {"Taro+Memo@example.jp", "taro+memo@example.jp"},
	    {"taro@日本.example", "taro@xn--wgv71a.example"},
	    {"TARO@XN--WGV71A.example", "taro@xn--wgv71a.example"},
	    {"山田@example.jp", "山田@example.jp"},
	    {"\"taro\"@example.jp", "taro@example.jp"},
	    {"\"Ta\\ro\"@example.jp", "taro@example.jp"},
	    {"\"ta..ro\"@example.jp", "ta..ro@example.jp"},
	    {"ta..ro.@example.jp", "ta..ro.@example.jp"},
	    {"\"a b\"@example.jp", "\"a b\"@example.jp"},
	    {"\"a\\\"b\"@example.jp", "\"a\\\"b\"@example.jp"},
	    {"\"a@b\"@example.jp", "\"a@b\"@example.jp"},
	    {"\"\"@example.jp", "\"\"@example.jp"},
	    {"a@[192.0.2.1]", "a@[192.0.2.1]"},
	    {"a@[IPv6:2001:DB8::1]", "a@[ipv6:2001:db8::1]"},
	};
	char normal[ORG_ADDRESS_MAX], again[ORG_ADDRESS_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		assert_true(org_normal(good[i].address, normal));
		assert_string_equal(normal, good[i].normal);
		assert_true(org_normal(normal, again));
		assert_string_equal(again, normal);
	}
}

static void what_is_no_address_is_itself_in_small_letters(void **state)
{
	static const struct {
		const char *address, *normal;
	} bad[] = {{"Postmaster", "postmaster"}, {"@Example.jp", "@example.jp"},
	    {"a@Exa mple", "a@exa mple"}, {"a@", "a@"}, {"A@b..c", "a@b..c"}};
	char normal[ORG_ADDRESS_MAX], longest[700];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_false(org_normal(bad[i].address, normal));
		assert_string_equal(normal, bad[i].normal);
	}
	memset(longest, 'A', sizeof longest);
	memcpy(longest + sizeof longest - 6, "@b.jp", 6);
	assert_false(org_normal(longest, normal));
	assert_int_equal(strlen(normal), ORG_ADDRESS_MAX - 1);
	assert_int_equal(normal[0], 'a');
}

/* ---- a small organisation ---- */

static const char people[] =
    "taro@example.co.jp alias=t.yamada@example.co.jp shared=info@example.co.jp "
    "boss=hanako@example.co.jp,Chef@Other.example deputy=jiro@example.co.jp group=sales,tokyo\n"
    "hanako@example.co.jp shared=info@example.co.jp,taro@example.co.jp lang=en group=sales\n"
    "山本@日本.example group=tokyo\n";

static void set_up(struct kit *k)
{
	kit_open(k);
	kit_write(k, "people", people);
	kit_write(k, "groups",
	    "sales\ntokyo\nstaff @example.co.jp @.example.co.jp\n"
	    "auditors audit@aud.example taro@example.co.jp\n");
	kit_write(k, "domains",
	    "example.co.jp internal\n.example.co.jp internal\nothers.example.co.jp affiliated\n"
	    "日本.example internal\n.group.example affiliated\n");
	kit_write(k, "holidays", "2026-01-01 元日\n2028-02-29\n");
	kit_write(k, "partners",
	    "alpha.example alpha-group.example | アルファ\nbeta.example | ベータ\n"
	    "日本橋.example | 日本橋\n");
}

struct seen {
	char text[512];
	size_t stop_after; /* 0: never */
	size_t n;
};

static bool see(void *context, const char *text, size_t len)
{
	struct seen *s = context;
	size_t used = strlen(s->text);

	(void)snprintf(
	    s->text + used, sizeof s->text - used, "%s%.*s", used > 0 ? " " : "", (int)len, text);
	s->n++;
	return s->n != s->stop_after;
}

static void assert_groups(const struct org *org, const char *address, const char *groups)
{
	struct seen s = {.n = 0};

	org_groups(org, address, see, &s);
	assert_string_equal(s.text, groups);
}

/* S3-05: whose mail is a person's own. */
static void what_a_person_sends_as(void **state)
{
	char login[ORG_ADDRESS_MAX];
	struct seen s = {.n = 0};
	struct kit k;
	struct org *org;

	(void)state;
	set_up(&k);
	kit_write(&k, "people",
	    "taro@example.co.jp alias=t.yamada@example.co.jp shared=info@example.co.jp login=Taro\n"
	    "hanako@example.co.jp\n");
	kit_write(&k, "groups", "");
	org = kit_org(&k);
	org_sends_as(org, "taro@example.co.jp", see, &s);
	assert_string_equal(s.text, "info@example.co.jp t.yamada@example.co.jp");
	assert_true(org_login_of(org, "taro@example.co.jp", login));
	assert_string_equal(login, "taro");
	s = (struct seen){.n = 0};
	org_sends_as(org, "hanako@example.co.jp", see, &s);
	assert_string_equal(s.text, "");
	assert_false(org_login_of(org, "hanako@example.co.jp", login));
	org_close(org);
	kit_close(&k);
}

static void people_are_found_by_all_their_addresses(void **state)
{
	struct kit k;
	struct org *org;
	struct org_person p;

	(void)state;
	set_up(&k);
	org = kit_org(&k);
	assert_true(org_person(org, "taro@example.co.jp", &p));
	assert_int_equal(p.len, strlen("taro@example.co.jp"));
	assert_memory_equal(p.address, "taro@example.co.jp", p.len);
	assert_false(p.shared);
	assert_false(p.english);
	assert_true(org_person(org, "t.yamada@example.co.jp", &p));
	assert_memory_equal(p.address, "taro@example.co.jp", p.len);

	/* A detail is our own: of other domains nobody knows what '+' is. */
	assert_true(org_person(org, "t.yamada+x@example.co.jp", &p));
	assert_memory_equal(p.address, "taro@example.co.jp", p.len);
	assert_false(org_person(org, "+x@example.co.jp", &p));
	assert_false(org_in_group(org, "auditors", "audit+x@aud.example"));

	/* A mailbox of several is nobody's; one that is somebody's own is theirs. */
	assert_true(org_person(org, "info@example.co.jp", &p));
	assert_true(p.shared);
	assert_memory_equal(p.address, "info@example.co.jp", p.len);
	assert_true(org_person(org, "hanako@example.co.jp", &p));
	assert_true(p.english);
	assert_true(org_person(org, "山本@xn--wgv71a.example", &p));
	assert_false(org_person(org, "nobody@example.co.jp", &p));
	assert_false(org_person(org, "", &p));
	assert_int_equal(org_counts(org).people, 3);
	assert_int_equal(org_counts(org).addresses, 4);
	assert_int_equal(org_counts(org).partners, 3);
	org_close(org);
	kit_close(&k);
}

static void bosses_and_deputies_keep_their_order(void **state)
{
	struct kit k;
	struct org *org;
	struct seen s = {.n = 0};

	(void)state;
	set_up(&k);
	org = kit_org(&k);
	org_bosses(org, "t.yamada+x@example.co.jp", see, &s);
	assert_string_equal(s.text, "hanako@example.co.jp chef@other.example");
	s = (struct seen){.stop_after = 1};
	org_bosses(org, "taro@example.co.jp", see, &s);
	assert_string_equal(s.text, "hanako@example.co.jp");
	s = (struct seen){.n = 0};
	org_deputies(org, "taro@example.co.jp", see, &s);
	assert_string_equal(s.text, "jiro@example.co.jp");
	s = (struct seen){.n = 0};
	org_bosses(org, "info@example.co.jp", see, &s);
	org_bosses(org, "hanako@example.co.jp", see, &s);
	org_bosses(org, "nobody@example.co.jp", see, &s);
	assert_int_equal(s.n, 0);
	org_close(org);
	kit_close(&k);
}

static void groups_come_from_people_and_from_groups(void **state)
{
	struct kit k;
	struct org *org;
	struct seen s = {.stop_after = 2};

	(void)state;
	set_up(&k);
	org = kit_org(&k);
	assert_groups(org, "taro@example.co.jp", "auditors sales staff tokyo");
	assert_groups(org, "t.yamada@example.co.jp", "auditors sales staff tokyo");
	assert_groups(org, "taro+x@example.co.jp", "auditors sales staff tokyo");
	assert_groups(org, "info@example.co.jp", "staff");
	assert_groups(org, "x@a.b.example.co.jp", "staff");
	assert_groups(org, "audit@aud.example", "auditors");
	assert_groups(org, "x@aud.example", "");
	assert_groups(org, "", "");
	org_groups(org, "taro@example.co.jp", see, &s);
	assert_string_equal(s.text, "auditors sales");

	assert_true(org_in_group(org, "sales", "taro@example.co.jp"));
	assert_true(org_in_group(org, "staff", "whoever@example.co.jp"));
	assert_false(org_in_group(org, "sale", "taro@example.co.jp"));
	assert_false(org_in_group(org, "sales", "info@example.co.jp"));
	assert_false(org_in_group(org, "staff", "x@xexample.co.jp"));
	org_close(org);
	kit_close(&k);
}

/* S2-29, S2-37: internal, affiliated and external; several own domains. */
/* ---- members, sharers, logins --------------------------------------------------------------- */

static bool list_one(void *context, const char *text, size_t len)
{
	char *all = context;
	size_t used = strlen(all);

	(void)snprintf(all + used, 512 - used, "%s%.*s", used > 0 ? " " : "", (int)len, text);
	return true;
}

static void members_can_be_named(void **state)
{
	static const struct {
		const char *group, *members;
	} rows[] = {
	    {"staff", "a@x.example b@x.example zoe@elsewhere.example"},
	    {"all", "a@x.example b@x.example c@sub.x.example"},
	    {"below", "c@sub.x.example"},
	    {"empty", ""},
	    {"nobody", ""},
	};
	struct kit k;
	struct org *org;
	char address[ORG_ADDRESS_MAX];

	(void)state;
	kit_open(&k);
	kit_write(&k, "groups",
	    "staff Zoe@elsewhere.example A@x.example\nall @x.example @.x.example a@x.example\n"
	    "below @.x.example\nempty\n");
	kit_write(&k, "people",
	    "A@x.example login=Anna group=staff shared=info@x.example\n"
	    "b@x.example group=staff shared=info@x.example,desk@x.example alias=bb@x.example\n"
	    "c@sub.x.example\n");
	org = kit_org(&k);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char all[512] = "";

		org_members(org, rows[i].group, list_one, all);
		assert_string_equal(all, rows[i].members);
	}
	for (size_t i = 0; i < 3; i++) {
		static const char *const sharers[][2] = {
		    {"info@x.example", "a@x.example b@x.example"},
		    {"desk@x.example", "b@x.example"}, {"a@x.example", ""}};
		char all[512] = "";

		org_sharers(org, sharers[i][0], list_one, all);
		assert_string_equal(all, sharers[i][1]);
	}
	assert_true(org_login(org, "ANNA", address));
	assert_string_equal(address, "a@x.example");
	assert_true(org_login(org, "B@X.example", address));
	assert_string_equal(address, "b@x.example");
	assert_false(org_login(org, "a@x.example", address)); /* her login is another */
	assert_false(org_login(org, "bb@x.example", address));
	assert_false(org_login(org, "", address));
	org_close(org);
	kit_close(&k);
}

static void domains_have_classes(void **state)
{
	struct kit k;
	struct org *org;
	struct seen own = {.n = 0};

	(void)state;
	set_up(&k);
	org = kit_org(&k);
	assert_int_equal(org_class(org, "a@example.co.jp"), CLASS_INTERNAL);
	assert_int_equal(org_class(org, "a@x.y.example.co.jp"), CLASS_INTERNAL);
	assert_int_equal(org_class(org, "a@others.example.co.jp"), CLASS_AFFILIATED);
	assert_int_equal(org_class(org, "a@x.others.example.co.jp"), CLASS_INTERNAL);
	assert_int_equal(org_class(org, "a@xn--wgv71a.example"), CLASS_INTERNAL);
	assert_int_equal(org_class(org, "a@x.xn--wgv71a.example"), CLASS_EXTERNAL);
	assert_int_equal(org_class(org, "a@group.example"), CLASS_EXTERNAL);
	assert_int_equal(org_class(org, "a@x.group.example"), CLASS_AFFILIATED);
	assert_int_equal(org_class(org, "a@co.jp"), CLASS_EXTERNAL);
	assert_int_equal(org_class(org, "a@[192.0.2.1]"), CLASS_EXTERNAL);
	assert_int_equal(org_class(org, "postmaster"), CLASS_INTERNAL);
	org_own_domains(org, see, &own);
	assert_string_equal(own.text, "example.co.jp xn--wgv71a.example");
	org_close(org);
	kit_close(&k);
}

static void lists_have_addresses_and_domains(void **state)
{
	static char longest[65];
	char path[128];
	struct kit k;
	struct org *org;

	(void)state;
	kit_open(&k);
	memset(longest, 'l', 64);
	(void)snprintf(path, sizeof path, "lists/%s", longest);
	kit_write(&k, "lists/vip", "Boss@X.example @vip.example\n@.deep.example\nboss@x.example\n");
	kit_write(&k, path, "a@b.example\n");
	kit_write(&k, "lists/README", "this is no list\n");
	kit_write(&k, "lists/vip~", "nor is this\n");
	kit_write(&k, "lists/.vip.swp", "nor this\n");
	org = kit_org(&k);
	assert_true(org_in_list(org, "vip", "boss@x.example"));
	assert_false(org_in_list(org, "vip", "chef@x.example"));
	assert_true(org_in_list(org, "vip", "any@vip.example"));
	assert_false(org_in_list(org, "vip", "any@x.vip.example"));
	assert_true(org_in_list(org, "vip", "any@a.b.deep.example"));
	assert_false(org_in_list(org, "vip", "any@deep.example"));
	assert_false(org_in_list(org, "vi", "boss@x.example"));
	assert_false(org_in_list(org, "vip", ""));
	assert_true(org_in_list(org, longest, "a@b.example"));
	org_close(org);
	kit_close(&k);
}

/* S1-21: each destination as it is registered; the nearest row counts. */
static void tables_have_a_row_for_a_destination(void **state)
{
	struct kit k;
	struct org *org;
	const char *row;
	size_t len;
	unsigned line;

	(void)state;
	kit_open(&k);
	kit_write(&k, "domains", "own.example internal\n");
	kit_write(&k, "passwords/fixed-a", "fixed\n");
	kit_write(&k, "tables/destinations",
	    "# comment\n@a.example   zip as .zi_; password fixed-a   # why\n"
	    "tanaka@a.example  link for 14d\n@.a.example keep\nx@own.example keep\n");
	org = kit_org(&k);
	row = org_table_row(org, "destinations", "someone@a.example", &len, &line);
	assert_non_null(row);
	assert_int_equal(line, 2);
	assert_int_equal(len, strlen("zip as .zi_; password fixed-a"));
	assert_memory_equal(row, "zip as .zi_; password fixed-a", len);
	row = org_table_row(org, "destinations", "tanaka@a.example", &len, &line);
	assert_int_equal(line, 3);
	assert_memory_equal(row, "link for 14d", len);
	row = org_table_row(org, "destinations", "tanaka@b.a.example", &len, &line);
	assert_int_equal(line, 4);
	assert_non_null(org_table_row(org, "destinations", "x+y@own.example", &len, &line));
	assert_null(org_table_row(org, "destinations", "x@example", &len, &line));
	assert_null(org_table_row(org, "destination", "tanaka@a.example", &len, &line));
	org_close(org);
	kit_close(&k);
}

static void tls_is_known_of_some(void **state)
{
	struct kit k;
	struct org *org;

	(void)state;
	kit_open(&k);
	kit_write(&k, "tables/tls",
	    "a.example starttls\n@b.example dane\n.b.example verified\nold.b.example none\n");
	org = kit_org(&k);
	assert_int_equal(org_tls(org, "x@a.example"), LEVEL_STARTTLS);
	assert_int_equal(org_tls(org, "x@y.a.example"), LEVEL_NONE);
	assert_int_equal(org_tls(org, "x@b.example"), LEVEL_DANE);
	assert_int_equal(org_tls(org, "x@z.b.example"), LEVEL_VERIFIED);
	assert_int_equal(org_tls(org, "x@old.b.example"), LEVEL_NONE);
	assert_int_equal(org_tls(org, "x@c.example"), LEVEL_NONE);
	assert_int_equal(org_tls(org, "postmaster"), LEVEL_NONE);
	org_close(org);
	kit_close(&k);
}

static void assert_company(const struct org *org, const char *domain, const char *expected)
{
	size_t len = 0;
	const char *name = org_partner_name(org, org_partner(org, domain), &len);

	assert_true((name == NULL) == (expected == NULL));
	if (name == NULL)
		return;
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(name, expected, len);
}

/* S1-12b: a domain stands for all below it, but for what lies below a longer one. */
static void partners_are_numbered_by_line(void **state)
{
	struct kit k;
	struct org *org;

	(void)state;
	set_up(&k);
	org = kit_org(&k);
	assert_int_equal(org_partner(org, "alpha.example"), 0);
	assert_int_equal(org_partner(org, "Mail.ALPHA-group.example."), 0);
	assert_int_equal(org_partner(org, "beta.example"), 1);
	assert_int_equal(org_partner(org, "日本橋.example"), 2);
	assert_int_equal(org_partner(org, "xn--wgv71ar2e.example"), 2);
	assert_int_equal(org_partner(org, "example"), ORG_PARTNER_NONE);
	assert_int_equal(org_partner(org, "xalpha.example"), ORG_PARTNER_NONE);
	assert_int_equal(org_partner(org, ""), ORG_PARTNER_NONE);
	assert_company(org, "mail.beta.example", "ベータ");
	assert_company(org, "日本橋.example", "日本橋");
	assert_company(org, "nobody.example", NULL);
	org_close(org);
	kit_close(&k);
}

static void holidays_are_days(void **state)
{
	struct kit k;
	struct org *org;

	(void)state;
	set_up(&k);
	org = kit_org(&k);
	assert_true(org_holiday(org, 2026, 1, 1));
	assert_true(org_holiday(org, 2028, 2, 29));
	assert_false(org_holiday(org, 2026, 1, 2));
	assert_false(org_holiday(org, -1, 99, 400));
	org_close(org);
	kit_close(&k);
}

static void an_empty_etc_knows_nobody(void **state)
{
	struct kit k;
	struct org *org;
	struct org_person p;

	(void)state;
	kit_open(&k);
	org = kit_org(&k);
	assert_int_equal(org_class(org, "a@example.co.jp"), CLASS_EXTERNAL);
	assert_false(org_person(org, "a@example.co.jp", &p));
	assert_int_equal(org_counts(org).people, 0);
	org_close(org);
	kit_close(&k);
}

/* ---- a file that is not whole ---- */

static void assert_broken(struct kit *k)
{
	errno = 0;
	assert_null(org_open(k->out));
	assert_int_equal(errno, EPROTO);
}

/* Every byte of it counts: a bit turned anywhere, or a byte less, and it is not opened. */
static void damage_is_seen(void **state)
{
	static unsigned char bytes[65536];
	struct kit k;
	ssize_t len;
	int fd;

	(void)state;
	set_up(&k);
	org_close(kit_org(&k));
	fd = openat(k.out, ORG_FILE, O_RDWR | O_CLOEXEC);
	len = read(fd, bytes, sizeof bytes);
	assert_in_range(len, 2049, sizeof bytes - 1);
	for (ssize_t at = 0; at < len; at += 61) {
		unsigned char other = bytes[at] ^ 0x10;

		assert_int_equal(pwrite(fd, &other, 1, at), 1);
		assert_broken(&k);
		assert_int_equal(pwrite(fd, &bytes[at], 1, at), 1);
	}
	for (off_t n = len - 1; n >= 0; n -= 97) {
		assert_int_equal(ftruncate(fd, n), 0);
		assert_broken(&k);
	}
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_broken(&k);
	assert_int_equal(unlinkat(k.out, ORG_FILE, 0), 0);
	errno = 0;
	assert_null(org_open(k.out));
	assert_int_equal(errno, ENOENT);
	close(fd);
	kit_close(&k);
}

/* ---- figures ---- */

static double now(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What the process has beside the pages of files, which the page cache has anyway. */
static long private_kb(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	long kb = -1;

	assert_non_null(f);
	while (kb < 0 && fgets(line, sizeof line, f) != NULL) {
		if (strncmp(line, "RssAnon:", 8) == 0)
			kb = strtol(line + 8, NULL, 10);
	}
	fclose(f);
	assert_true(kb > 0);
	return kb;
}

static char *many_partners(size_t *len)
{
	size_t room = 16 * 1024 * 1024;
	char *text = malloc(room);

	assert_non_null(text);
	*len = 0;
	for (int i = 0; i < 100000; i++)
		*len += (size_t)snprintf(text + *len, room - *len,
		    "partner%d.example p%d.example.com | 株式会社取引先%d番商事 | 取引先%d\n", i, i,
		    i, i);
	assert_true(*len < room);
	return text;
}

static char *many_people(size_t *len)
{
	size_t room = 4 * 1024 * 1024;
	char *text = malloc(room);

	assert_non_null(text);
	*len = 0;
	for (int i = 0; i < 10000; i++)
		*len += (size_t)snprintf(text + *len, room - *len,
		    "user%d@example.co.jp login=u%d alias=a%d@example.co.jp "
		    "boss=user%d@example.co.jp "
		    "group=g%d,all\n",
		    i, i, i, i / 10, i % 200);
	assert_true(*len < room);
	return text;
}

/* S1-12a. 100,000 partners and 10,000 people within 2 seconds; looked up without memory of our own. */
static void a_large_organisation(void **state)
{
	struct kit k;
	struct org *org;
	struct conf_fault fault;
	size_t len;
	char *text, groups[4096] = "all\n";
	double begun;
	long before, after;

	(void)state;
	kit_open(&k);
	text = many_partners(&len);
	kit_bytes(&k, "partners", text, len);
	free(text);
	text = many_people(&len);
	kit_bytes(&k, "people", text, len);
	free(text);
	for (int i = 0; i < 200; i++)
		(void)snprintf(groups + strlen(groups), 16, "g%d\n", i);
	kit_write(&k, "groups", groups);
	kit_write(&k, "domains", "example.co.jp internal\n");

	begun = now();
	assert_true(org_compile(k.etc, k.out, NULL, &fault));
#ifndef __SANITIZE_ADDRESS__
	assert_true(now() - begun < 2.0);
#else
	assert_true(now() - begun < 30.0);
#endif
	before = private_kb();
	org = org_open(k.out);
	assert_non_null(org);
	for (int i = 0; i < 100000; i++) {
		char word[64];

		(void)snprintf(word, sizeof word, "mail.p%d.example.com", i);
		assert_int_equal(org_partner(org, word), i);
		(void)snprintf(word, sizeof word, "a%d@example.co.jp", i);
		assert_int_equal(org_in_group(org, "all", word), i < 10000);
	}
	after = private_kb();
	assert_true(after - before < 512);
	org_close(org);
	kit_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_have_one_normal_form),
	    cmocka_unit_test(what_is_no_address_is_itself_in_small_letters),
	    cmocka_unit_test(people_are_found_by_all_their_addresses),
	    cmocka_unit_test(what_a_person_sends_as),
	    cmocka_unit_test(bosses_and_deputies_keep_their_order),
	    cmocka_unit_test(groups_come_from_people_and_from_groups),
	    cmocka_unit_test(members_can_be_named),
	    cmocka_unit_test(domains_have_classes),
	    cmocka_unit_test(lists_have_addresses_and_domains),
	    cmocka_unit_test(tables_have_a_row_for_a_destination),
	    cmocka_unit_test(tls_is_known_of_some),
	    cmocka_unit_test(partners_are_numbered_by_line),
	    cmocka_unit_test(holidays_are_days),
	    cmocka_unit_test(an_empty_etc_knows_nobody),
	    cmocka_unit_test(damage_is_seen),
	    cmocka_unit_test(a_large_organisation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
