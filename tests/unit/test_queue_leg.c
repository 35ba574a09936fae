/* Reading a leg: whole, or not at all. */
#include "tests/unit/queue_kit.h"

#include "lib/base/xtext.h"

static void a_whole_leg(void **state)
{
	struct kit_bytes b = kit_leg((struct kit_leg){.k = "1.2"});
	struct leg leg;

	(void)state;
	assert_int_equal(kit_read(b.at, b.len, &leg), LEG_FINE);
	assert_string_equal(leg.name.id, KIT_ID);
	assert_string_equal(leg.name.k, "1.2");
	assert_int_equal(leg.name.due, DUE_NONE);
	assert_string_equal(leg.from, "alice@example.co.jp");
	assert_string_equal(leg.from_params, "body=8bitmime");
	assert_int_equal(leg.rcpts, 2);
	assert_string_equal(leg.rcpt[0].address, "bob@partner.example");
	assert_string_equal(leg.rcpt[0].params, "notify=failure");
	assert_string_equal(leg.rcpt[1].address, "carol@partner.example");
	assert_string_equal(leg.rcpt[1].params, "");
	assert_string_equal(leg.client, "192.0.2.10 helo=pc1 proto=esmtp port=50412");
	assert_int_equal(leg.accepted, kit_time(KIT_ACCEPTED));
	assert_int_equal(leg.size, strlen(KIT_CONTENT));
	assert_memory_equal(b.at + leg.content, KIT_CONTENT, strlen(KIT_CONTENT));
	assert_int_equal(leg.trailer, b.len);
	assert_int_equal(leg.end, b.len);
	assert_int_equal(leg.file_end, b.len);
	assert_int_equal(leg_open_rcpts(&leg), 2);
	assert_int_equal(leg.plan.steps, 0);
	assert_null(leg.unknown);
	leg_free(&leg);
	kit_free(&b);
}

/* What the project writes is byte for byte what queue/README.md shows. */
static void written_as_documented(void **state)
{
	struct kit_bytes expected = kit_leg((struct kit_leg){.k = NULL});
	char hex[DIGEST_HEX];
	struct leg_head head = {.id = KIT_ID,
	    .k = "1",
	    .envelope = KIT_ENVELOPE,
	    .envelope_len = strlen(KIT_ENVELOPE),
	    .accepted = kit_time(KIT_ACCEPTED),
	    .size = strlen(KIT_CONTENT)};
	size_t blank_len;
	struct buf b;

	(void)state;
	buf_init(&b, LEG_HEAD_MAX);
	leg_write_head(&b, &head); /* a blank one keeps the room of the final one */
	blank_len = b.len;
	buf_clear(&b);
	digest_of(KIT_CONTENT, strlen(KIT_CONTENT), hex);
	head.sha256 = hex;
	leg_write_head(&b, &head);
	assert_int_equal(b.len, blank_len);
	buf_add_text(&b, KIT_CONTENT);
	leg_write_separator(&b, KIT_ID);
	assert_true(buf_ok(&b));
	assert_int_equal(b.len, expected.len);
	assert_memory_equal(b.bytes, expected.at, b.len);
	buf_free(&b);
	kit_free(&expected);
}

static void a_blank_head_is_no_leg(void **state)
{
	struct leg_head head = {.id = KIT_ID,
	    .k = "1",
	    .envelope = KIT_ENVELOPE,
	    .envelope_len = strlen(KIT_ENVELOPE),
	    .size = 3};
	struct leg leg;
	struct buf b;

	(void)state;
	buf_init(&b, LEG_HEAD_MAX);
	leg_write_head(&b, &head);
	buf_add_text(&b, "abc");
	leg_write_separator(&b, KIT_ID);
	assert_int_equal(kit_read(b.bytes, b.len, &leg), LEG_UNREADABLE);
	buf_free(&b);
}

/* Whether a leg that was read says exactly what the whole one said. */
static void assert_same_head(const struct leg *a, const struct leg *b)
{
	assert_string_equal(a->name.id, b->name.id);
	assert_string_equal(a->name.k, b->name.k);
	assert_string_equal(a->from, b->from);
	assert_int_equal(a->rcpts, b->rcpts);
	for (size_t i = 0; i < a->rcpts; i++)
		assert_string_equal(a->rcpt[i].address, b->rcpt[i].address);
	assert_string_equal(a->client, b->client);
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->content, b->content);
	assert_string_equal(a->sha256, b->sha256);
}

/* Cut at every byte, I2: fine only when nothing but records is missing. */
static void cut_at_every_byte(void **state)
{
	struct kit_bytes b =
	    kit_leg((struct kit_leg){.trailer = KIT_NOW " note a\n" KIT_NOW " note b\n"});
	size_t whole = b.len - 2 * (strlen(KIT_NOW) + 8);
	struct leg leg;

	(void)state;
	for (size_t len = 0; len < b.len; len++) {
		enum leg_fault fault = kit_read(b.at, len, &leg);

		assert_int_equal(fault, len < whole ? LEG_UNREADABLE : LEG_FINE);
		if (fault != LEG_FINE)
			continue;
		assert_true(leg.end <= leg.file_end);
		leg_free(&leg);
	}
	kit_free(&b);
}

/* Each byte of head and separator in turn made another, zero, or taken out: no leg. */
static void mutilated_at_every_byte(void **state)
{
	struct kit_bytes b = kit_leg((struct kit_leg){.k = NULL});
	size_t content = b.len - strlen(KIT_CONTENT) - strlen("\n-- " KIT_ID "\n");
	struct leg leg, good;

	(void)state;
	assert_int_equal(kit_read(b.at, b.len, &good), LEG_FINE);
	for (size_t at = 0; at < b.len; at++) {
		bool in_content = at >= content && at < content + strlen(KIT_CONTENT);
		static const char others[] = {1, 32, (char)128, 0};
		struct kit_bytes c = {NULL, 0};

		for (size_t i = 0; i < COUNT_OF(others); i++) {
			char kept = b.at[at];
			enum leg_fault fault;

			b.at[at] = others[i] == 0 ? 0 : (char)(b.at[at] ^ others[i]);
			fault = kit_read(b.at, b.len, &leg);
			b.at[at] = kept;
			/* The content is proved when it is sent, not here. */
			assert_int_equal(fault, in_content ? LEG_FINE : LEG_UNREADABLE);
			if (fault == LEG_FINE) {
				assert_same_head(&leg, &good);
				leg_free(&leg);
			}
		}
		kit_add(&c, b.at, at);
		kit_add(&c, b.at + at + 1, b.len - at - 1);
		assert_int_equal(kit_read(c.at, c.len, &leg), LEG_UNREADABLE);
		kit_free(&c);
	}
	leg_free(&good);
	kit_free(&b);
}

/* A head that proves itself, and yet says what no head may say. */
static void proven_and_wrong(void **state)
{
	static const struct {
		const char *line, *instead;
	} cases[] = {
	    {"sekisho-leg 1\n", "sekisho-leg 2\n"},
	    {"sekisho-leg 1\n", "sekisho-leg 1 \n"},
	    {"sekisho-leg 1\n", ""},
	    {"id " KIT_ID "\n", "id " KIT_ID "0\n"},
	    {"id " KIT_ID "\n", "id 0196C0FFEE4F2C1D8A31B7E09C55D210\n"},
	    {"id " KIT_ID "\n", ""},
	    {"leg 1\n", "leg 0\n"},
	    {"leg 1\n", "leg 1..1\n"},
	    {"leg 1\n", "leg\n"},
	    {"from alice@example.co.jp body=8bitmime\n", ""},
	    {"from alice@example.co.jp body=8bitmime\n", "from  body=8bitmime\n"},
	    {"from alice@example.co.jp body=8bitmime\n", "from a+2\n"},
	    {"from alice@example.co.jp body=8bitmime\n", "from a b\tc\n"},
	    {"from alice@example.co.jp body=8bitmime\n", "from a b\xc3\xa9\n"},
	    {"to bob@partner.example notify=failure\n", "to <>\nto  x\n"},
	    {"to bob@partner.example notify=failure\n", "to b=b\n"},
	    {"to bob@partner.example notify=failure\n", "to a+00b\n"},
	    {"to bob@partner.example notify=failure\n", "too bob\n"},
	    {"client 192", "clients 192"},
	    {"client 192", "x y\nclient 192"},
	    {"accepted " KIT_ACCEPTED, "accepted 2026-11-22"},
	    {"accepted " KIT_ACCEPTED, "accepted 2026-02-30T09:35:01.123456Z"},
	    {"size 0000000000", "size 000000000"},
	    {"size 0000000000", "size 00000000000"},
	    {"size 0000000000", "size  000000000"},
	    {"size 0000000000", "size -000000000"},
	    {"sha256 ", "sha256 A"},
	    {"sha256 ", "SHA256 "},
	    {"sha256 ", "extra x\nsha256 "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct kit_leg parts = {
		    .id = KIT_ID, .k = "1", .envelope = KIT_ENVELOPE, .content = KIT_CONTENT};
		struct kit_bytes head = {NULL, 0}, b = {NULL, 0};
		struct leg leg;
		const char *at;

		kit_head(&head, &parts, strlen(KIT_CONTENT));
		at = strstr(head.at, cases[i].line);
		assert_non_null(at);
		kit_add(&b, head.at, (size_t)(at - head.at));
		kit_text(&b, cases[i].instead);
		kit_text(&b, at + strlen(cases[i].line));
		kit_head_end(&b);
		kit_text(&b, KIT_CONTENT "\n-- " KIT_ID "\n");
		if (kit_read(b.at, b.len, &leg) != LEG_UNREADABLE)
			fail_msg(
			    "taken for a head: \"%s\" for \"%s\"", cases[i].instead, cases[i].line);
		kit_free(&head);
		kit_free(&b);
	}
}

static void hostile_addresses(void **state)
{
	static const char *const addresses[] = {
	    "a b@x.example",
	    "a\nto eve@evil.example",
	    "a=b@x.example",
	    "\"quo\\\"ted\"@x.example",
	    "+41@x.example",
	    "|/bin/sh@x.example",
	    "../../etc/passwd",
	    "\xe6\x97\xa5\xe6\x9c\xac@x.example",
	    "tab\there",
	    "\x7f\x01\xff",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		struct kit_bytes envelope = {NULL, 0}, b;
		char text[256];
		size_t n =
		    xtext_encode_cut(addresses[i], strlen(addresses[i]), text, sizeof text - 1);
		struct leg leg;

		text[n] = '\0';
		kit_addf(
		    &envelope, "from %s\nto %s x=%s\nclient - helo=%s\n", text, text, text, text);
		b = kit_leg((struct kit_leg){.envelope = envelope.at});
		assert_int_equal(kit_read(b.at, b.len, &leg), LEG_FINE);
		assert_int_equal(leg.rcpts, 1);
		assert_string_equal(leg.from, addresses[i]);
		assert_string_equal(leg.rcpt[0].address, addresses[i]);
		leg_free(&leg);
		kit_free(&b);
		kit_free(&envelope);
	}
}

static void the_null_sender(void **state)
{
	struct kit_bytes b =
	    kit_leg((struct kit_leg){.envelope = "from <> body=7bit\nto a@b\nclient -\n"});
	struct leg leg;

	(void)state;
	assert_int_equal(kit_read(b.at, b.len, &leg), LEG_FINE);
	assert_string_equal(leg.from, "");
	assert_string_equal(leg.from_params, "body=7bit");
	leg_free(&leg);
	kit_free(&b);
}

static struct kit_bytes many_recipients(size_t n, size_t padding)
{
	struct kit_bytes b = {NULL, 0};
	char *pad = malloc(padding + 1);

	assert_non_null(pad);
	memset(pad, 'x', padding);
	pad[padding] = '\0';
	kit_text(&b, "from alice@example.co.jp\n");
	for (size_t i = 0; i < n; i++)
		kit_addf(&b, "to r%zu@partner.example x=%s\n", i, pad);
	kit_text(&b, "client -\n");
	free(pad);
	return b;
}

static void numbers_of_recipients(void **state)
{
	static const struct {
		size_t n;
		enum leg_fault fault;
	} cases[] = {{0, LEG_UNREADABLE}, {1, LEG_FINE}, {1000, LEG_FINE},
	    {LEG_RCPTS_MAX, LEG_FINE}, {LEG_RCPTS_MAX + 1, LEG_UNREADABLE}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct kit_bytes envelope = many_recipients(cases[i].n, 1), b;
		struct leg leg;

		b = kit_leg((struct kit_leg){.envelope = envelope.at});
		assert_int_equal(kit_read(b.at, b.len, &leg), cases[i].fault);
		if (cases[i].fault == LEG_FINE) {
			assert_int_equal(leg.rcpts, cases[i].n);
			leg_free(&leg);
		}
		kit_free(&b);
		kit_free(&envelope);
	}
}

/* The head may be 2 MiB and no more: what seki-queue takes, every stage must be able to read. */
static void size_of_a_head(void **state)
{
	static const struct {
		size_t bytes; /* of the padding, about the head's size */
		enum leg_fault fault;
	} cases[] = {{4000, LEG_FINE}, {4096, LEG_FINE}, {8192, LEG_FINE}, {600 * 1000, LEG_FINE},
	    {1024 * 1024 - 400, LEG_FINE}, {1024 * 1024, LEG_FINE}, {1500 * 1000, LEG_FINE},
	    {2097152 - 1024, LEG_FINE}, {2097152 + 1024, LEG_UNREADABLE},
	    {5 * 1024 * 1024, LEG_UNREADABLE}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct kit_bytes envelope = many_recipients(1, cases[i].bytes), b;
		enum leg_fault fault;
		struct leg leg;

		b = kit_leg((struct kit_leg){.envelope = envelope.at});
		fault = kit_read(b.at, b.len, &leg);
		if (fault != cases[i].fault)
			fail_msg("head of about %zu bytes: %d, not %d", cases[i].bytes, (int)fault,
			    (int)cases[i].fault);
		if (fault == LEG_FINE)
			leg_free(&leg);
		kit_free(&b);
		kit_free(&envelope);
	}
}

/* The content is none of the reader's business: whatever it is, the numbers lead around it. */
static void content_that_looks_like_more(void **state)
{
	static const char tricky[] = "\n\n-- " KIT_ID "\nplan 1 sha256=0000000000000000\n deliver\n"
				     "\0\0" KIT_NOW " discarded by=eve\n\n-- " KIT_ID "\n";
	struct kit_bytes b = kit_leg((struct kit_leg){
	    .content = tricky, .content_len = sizeof tricky - 1, .trailer = KIT_NOW " note\n"});
	struct leg leg;

	(void)state;
	assert_int_equal(kit_read(b.at, b.len, &leg), LEG_FINE);
	assert_int_equal(leg.size, sizeof tricky - 1);
	assert_int_equal(leg.verdict, LEG_STANDS);
	assert_int_equal(leg.plan.steps, 0);
	assert_int_equal(leg.end, b.len);
	leg_free(&leg);
	kit_free(&b);
}

static void sizes_that_lie(void **state)
{
	static const char *const sizes[] = {
	    "000000000000", "000000000023", "000000000025", "999999999999"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct kit_leg parts = {
		    .id = KIT_ID, .k = "1", .envelope = KIT_ENVELOPE, .content = KIT_CONTENT};
		struct kit_bytes b = {NULL, 0};
		struct leg leg;

		kit_head(&b, &parts, strlen(KIT_CONTENT));
		memcpy(strstr(b.at, "size ") + 5, sizes[i], 12);
		kit_head_end(&b);
		kit_text(&b, KIT_CONTENT "\n-- " KIT_ID "\n");
		if (strtoul(sizes[i], NULL, 10) == strlen(KIT_CONTENT))
			fail_msg("no lie");
		assert_int_equal(kit_read(b.at, b.len, &leg), LEG_UNREADABLE);
		kit_free(&b);
	}
}

static void a_trailer_over_its_bound(void **state)
{
	struct kit_bytes b = kit_leg((struct kit_leg){.trailer = KIT_NOW " note\n"});
	int fd = kit_memfd(b.at, b.len);
	const char *why;
	struct leg leg;

	(void)state;
	assert_int_equal(leg_read(fd, strlen(KIT_NOW) + 6, &leg, &why), LEG_FINE);
	leg_free(&leg);
	assert_int_equal(leg_read(fd, strlen(KIT_NOW) + 5, &leg, &why), LEG_TOO_LONG);
	(void)close(fd);
	kit_free(&b);
}

static void a_read_error_is_no_verdict(void **state)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *why;
	struct leg leg;

	(void)state;
	assert_int_equal(leg_read(fd, KIT_MAX, &leg, &why), LEG_ENVIRON);
	assert_int_equal(errno, EISDIR);
	(void)close(fd);
}

static void envelopes_at_the_door(void **state)
{
	static const char *const bad[] = {
	    "",
	    "\n",
	    "from a@b\n",
	    "from a@b\nclient -\n",
	    "to a@b\nfrom c@d\nclient -\n",
	    "from a@b\nto c@d\n",
	    "from a@b\nto c@d\nclient -",
	    "from a@b\nto c@d\nclient -\nx\n",
	    "from a@b\nto c@d\nclient -\n\n",
	    "from a@b\nfrom a@b\nto c@d\nclient -\n",
	    "from a@b\nto c d\te\nclient -\n",
	    "from a@b\nto c@d\nclient a\x01\n",
	    "from a@b\r\nto c@d\r\nclient -\r\n",
	    "FROM a@b\nto c@d\nclient -\n",
	};
	char text[256];
	struct leg leg;
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		len = strlen(bad[i]);
		memcpy(text, bad[i], len + 1);
		if (leg_read_envelope(text, len, &leg))
			fail_msg("taken for an envelope: \"%s\"", bad[i]);
	}

	memcpy(text, "from a@b\nto c\0d\nclient -\n", 26);
	assert_false(leg_read_envelope(text, 26, &leg));

	len = strlen(KIT_ENVELOPE);
	memcpy(text, KIT_ENVELOPE, len);
	assert_true(leg_read_envelope(text, len, &leg));
	assert_int_equal(leg.rcpts, 2);
	leg_free(&leg);
}

/* S2-69: our own line, however it is folded, and nothing of the mail's. */
static void the_line_on_top(void **state)
{
	static const struct {
		const char *content;
		uint64_t len;
	} tops[] = {{"Received: a\r\nX: y\r\n\r\n", 13},
	    {"Received: a\r\n\tb\r\n c\r\nX: y\r\n\r\n", 21}, {"X: y\r\nReceived: a\r\n\r\n", 0},
	    {"Received: a\r\n b", 0}, {"Received: a\r\n\r\nb", 13}, {"Received:", 0}};
	char root[256];

	(void)state;
	kit_enter(root);
	for (size_t i = 0; i < COUNT_OF(tops); i++) {
		struct kit_bytes b =
		    kit_leg((struct kit_leg){.k = "1", .content = tops[i].content});
		struct leg leg;
		int fd;

		assert_int_equal(kit_read(b.at, b.len, &leg), LEG_FINE);
		fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, b.at, b.len), b.len);
		assert_int_equal(leg_received(fd, &leg), tops[i].len);
		(void)close(fd);
		leg_free(&leg);
		kit_free(&b);
	}
	kit_leave(root);
}

static void parameters(void **state)
{
	static const char params[] = "body=8bitmime ret=hdrs envid=QQ empty= last=x";
	size_t len;

	(void)state;
	assert_memory_equal(leg_param(params, "body", &len), "8bitmime", 8);
	assert_int_equal(len, 8);
	assert_memory_equal(leg_param(params, "last", &len), "x", 1);
	assert_int_equal(len, 1);
	assert_non_null(leg_param(params, "empty", &len));
	assert_int_equal(len, 0);
	assert_null(leg_param(params, "env", &len));
	assert_null(leg_param(params, "id", &len));
	assert_null(leg_param("", "body", &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_whole_leg),
	    cmocka_unit_test(written_as_documented),
	    cmocka_unit_test(a_blank_head_is_no_leg),
	    cmocka_unit_test(cut_at_every_byte),
	    cmocka_unit_test(mutilated_at_every_byte),
	    cmocka_unit_test(proven_and_wrong),
	    cmocka_unit_test(hostile_addresses),
	    cmocka_unit_test(the_null_sender),
	    cmocka_unit_test(numbers_of_recipients),
	    cmocka_unit_test(size_of_a_head),
	    cmocka_unit_test(content_that_looks_like_more),
	    cmocka_unit_test(sizes_that_lie),
	    cmocka_unit_test(a_trailer_over_its_bound),
	    cmocka_unit_test(a_read_error_is_no_verdict),
	    cmocka_unit_test(envelopes_at_the_door),
	    cmocka_unit_test(the_line_on_top),
	    cmocka_unit_test(parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
