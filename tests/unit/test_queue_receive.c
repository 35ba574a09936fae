/* Receiving: a message is whole and durable, or it is not there. */
#include "tests/unit/queue_kit.h"

#include "queue/receive.h"

static char root[256];
static struct settings settings;
static struct spool spool;
static struct receiver receiver;

static int enter(void **state)
{
	(void)state;
	kit_enter(root);
	settings_default(&settings);
	settings.space_percent = 0;
	(void)snprintf(settings.hostname, sizeof settings.hostname, "gw.example.co.jp");
	assert_true(spool_open(&spool, &settings, NULL));
	assert_true(spool_lock(&spool, STATE_TMP));
	assert_true(receiver_init(&receiver, &spool));
	receive_limits_take(&receiver.limits, &settings);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	receiver_free(&receiver);
	spool_close(&spool);
	kit_leave(root);
	return 0;
}

static enum intake_reply begin(const char *envelope)
{
	char text[65536];
	size_t len = strlen(envelope);

	assert_true(len < sizeof text);
	memcpy(text, envelope, len);
	return receive_begin(&receiver, text, len);
}

/* Sends `len` bytes in pieces of `piece`. */
static void data(const char *bytes, size_t len, size_t piece)
{
	for (size_t at = 0; at < len; at += piece)
		receive_data(&receiver, bytes + at, len - at < piece ? len - at : piece);
}

static char *content_of(size_t len)
{
	char *bytes = malloc(len + 1);
	uint64_t seed = len;

	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)kit_random(&seed);
	return bytes;
}

/* new/ID.1 holds one Received line and then exactly these bytes, and proves itself. */
static void assert_received(const char *bytes, size_t len)
{
	char path[128], hex[DIGEST_HEX];
	struct kit_bytes b;
	struct leg leg;
	const char *content;
	size_t trace;

	(void)snprintf(path, sizeof path, "spool/new/%s.1", receiver.id);
	b = kit_file(path);
	assert_int_equal(kit_read(b.at, b.len, &leg), LEG_FINE);
	assert_string_equal(leg.name.id, receiver.id);
	assert_string_equal(leg.name.k, "1");
	assert_int_equal(leg.end, b.len);
	content = b.at + leg.content;
	assert_memory_equal(
	    content, "Received: from pc1 ([192.0.2.10])\r\n\tby gw.example.co.jp ", 56);
	assert_true(leg.size >= len);
	trace = leg.size - len;
	assert_memory_equal(content + trace - 2, "\r\n", 2);
	assert_memory_equal(content + trace, bytes, len);
	digest_of(content, leg.size, hex);
	assert_string_equal(leg.sha256, hex);
	leg_free(&leg);
	kit_free(&b);
	assert_int_equal(unlink(path), 0);
}

static void messages_of_every_size(void **state)
{
	static const size_t sizes[] = {0, 1, 4096, RECEIVE_PENDING - 300, RECEIVE_PENDING - 1,
	    RECEIVE_PENDING, RECEIVE_PENDING + 1, 3 * RECEIVE_PENDING + 7, 5 * 1024 * 1024};
	static const size_t pieces[] = {1, 1000, 65536};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		for (size_t k = 0; k < COUNT_OF(pieces); k++) {
			char *bytes = content_of(sizes[i]);

			if (pieces[k] == 1 && sizes[i] > RECEIVE_PENDING + 1) {
				free(bytes);
				continue;
			}
			assert_int_equal(begin(KIT_ENVELOPE), INTAKE_GO);
			data(bytes, sizes[i], pieces[k]);
			assert_true(receiver.pending.len <= RECEIVE_PENDING);
			assert_int_equal(kit_count("spool/new", NULL), 0);
			assert_int_equal(receive_commit(&receiver), INTAKE_KEPT);
			assert_int_equal(kit_count("spool/tmp", NULL), 1); /* I2 */
			assert_true(receive_enter(&receiver));
			assert_int_equal(kit_count("spool/tmp", NULL), 0);
			assert_received(bytes, sizes[i]);
			free(bytes);
		}
	}
}

static void S9_over_the_limit(void **state)
{
	char *bytes;

	(void)state;
	settings.message_size = 1024 * 1024;
	receive_limits_take(&receiver.limits, &settings);
	bytes = content_of(2 * 1024 * 1024);

	assert_int_equal(begin(KIT_ENVELOPE "size 1048577\n"), INTAKE_TOO_LARGE);
	assert_int_equal(begin(KIT_ENVELOPE "size 99999999999999999999\n"), INTAKE_TOO_LARGE);
	assert_int_equal(begin(KIT_ENVELOPE), INTAKE_GO);
	data(bytes, 2 * 1024 * 1024, 65536);
	assert_int_equal(receive_commit(&receiver), INTAKE_TOO_LARGE);
	assert_int_equal(kit_count("spool/tmp", NULL), 0);

	/* Exactly the limit, and the lie about it. */
	assert_int_equal(begin(KIT_ENVELOPE "size 5\n"), INTAKE_GO);
	data(bytes, 1024 * 1024, 65536);
	assert_int_equal(receive_commit(&receiver), INTAKE_KEPT);
	assert_true(receive_enter(&receiver));
	assert_received(bytes, 1024 * 1024);
	free(bytes);
}

static void given_up(void **state)
{
	static const size_t sizes[] = {0, 10, 5 * 1024 * 1024};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		char *bytes = content_of(sizes[i]);

		assert_int_equal(begin(KIT_ENVELOPE), INTAKE_GO);
		data(bytes, sizes[i], 65536);
		receive_abandon(&receiver);
		receive_data(&receiver, "x", 1);
		assert_int_equal(receive_commit(&receiver), INTAKE_TEMPORARY);
		assert_int_equal(kit_count("spool/tmp", NULL), 0);

		/* Begun anew without an end: the first is given up. */
		assert_int_equal(begin(KIT_ENVELOPE), INTAKE_GO);
		data(bytes, sizes[i], 65536);
		assert_int_equal(begin(KIT_ENVELOPE), INTAKE_GO);
		assert_int_equal(kit_count("spool/tmp", NULL), 0);
		receive_abandon(&receiver);
		free(bytes);
	}
	assert_int_equal(kit_count("spool/new", NULL), 0);
}

static void S10_malformed_envelopes(void **state)
{
	static const char *const bad[] = {"", "\n", "from a@b\nclient -\n",
	    "from a@b\nto c@d\nclient -\nto e@f\n", "from a@b\nto c d\x01\nclient -\n",
	    "from a@b\nto c@d\nclient - helo=x", "size 5\nfrom a@b\nto c@d\nclient -\n"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (begin(bad[i]) != INTAKE_TEMPORARY)
			fail_msg("taken for an envelope: \"%s\"", bad[i]);
	}
	assert_int_equal(kit_count("spool/tmp", NULL), 0);
}

/* What a stranger says of himself cannot break the Received line. */
static void S10_hostile_helo(void **state)
{
	static const struct {
		const char *client, *from;
	} cases[] = {
	    {"client 192.0.2.10 helo=a+0D+0ABcc:+20eve proto=esmtp\n", "from a??Bcc:?eve ("},
	    {"client 192.0.2.10 helo=a+0 proto=esmtp\n", "from unknown ("},
	    {"client 192.0.2.10 proto=esmtp\n", "from unknown ("},
	    {"client 192.0.2.10 helo=<%s>\n", "from ??s? ("},
	    {"client - helo=pc1\n", "from pc1 ([-])"},
	};
	char envelope[512];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		(void)snprintf(envelope, sizeof envelope, "from a@b\nto c@d\n%s", cases[i].client);
		assert_int_equal(begin(envelope), INTAKE_GO);
		assert_true(receiver.pending.len > 0);
		if (memmem(receiver.pending.bytes, receiver.pending.len, cases[i].from,
			strlen(cases[i].from)) == NULL)
			fail_msg("\"%s\" is not in \"%.*s\"", cases[i].from,
			    (int)receiver.pending.len, receiver.pending.bytes);
		for (size_t k = 0; k + 1 < receiver.pending.len; k++) {
			if (receiver.pending.bytes[k] == '\n' && k + 1 < receiver.pending.len)
				assert_int_equal(receiver.pending.bytes[k + 1], '\t');
		}
		receive_abandon(&receiver);
	}
}

/* ---- what the door tells of the client ------------------------------------------------------ */

/* Begins a message and gives its Received line, folds included; the caller frees it. */
static char *received_of(const char *client)
{
	char envelope[2048], *line;

	(void)snprintf(envelope, sizeof envelope, "from a@b\nto c@d\n%s\n", client);
	assert_int_equal(begin(envelope), INTAKE_GO);
	line = strndup(receiver.pending.bytes, receiver.pending.len);
	assert_non_null(line);
	receive_abandon(&receiver);
	return line;
}

/* RFC 3848, RFC 6531: the protocol stands in the trace line, and the login does not. */
static void protocol_words(void **state)
{
	static const struct {
		const char *proto, *with;
	} cases[] = {
	    {"smtp", " with SMTP id "},
	    {"esmtp", " with ESMTP id "},
	    {"esmtps", " with ESMTPS id "},
	    {"esmtpa", " with ESMTPA id "},
	    {"esmtpsa", " with ESMTPSA id "},
	    {"utf8smtp", " with UTF8SMTP id "},
	    {"utf8smtps", " with UTF8SMTPS id "},
	    {"utf8smtpa", " with UTF8SMTPA id "},
	    {"utf8smtpsa", " with UTF8SMTPSA id "},
	    {"lmtp", " with SMTP id "},
	    {"esmtpsax", " with SMTP id "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char client[256], *line;

		(void)snprintf(client, sizeof client,
		    "client 192.0.2.10 helo=pc1 proto=%s port=1 tls=TLSv1.3 "
		    "cipher=TLS_AES_256_GCM_SHA384 auth=secretary relay=3 hold=foreign-sender",
		    cases[i].proto);
		line = received_of(client);
		assert_non_null(strstr(line, cases[i].with));
		assert_null(strstr(line, "secretary"));
		free(line);
	}
}

static void S10_malformed_logins(void **state)
{
	static const char *const bad[] = {"auth=", "auth=a+0", "auth=a=b", "auth=a+00b"};
	char envelope[8192], login[4096];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		(void)snprintf(
		    envelope, sizeof envelope, "from a@b\nto c@d\nclient - %s\n", bad[i]);
		assert_int_equal(begin(envelope), INTAKE_TEMPORARY);
	}
	memset(login, 'x', sizeof login);
	(void)snprintf(
	    envelope, sizeof envelope, "from a@b\nto c@d\nclient - auth=%.1025s\n", login);
	assert_int_equal(begin(envelope), INTAKE_TEMPORARY);
	(void)snprintf(
	    envelope, sizeof envelope, "from a@b\nto c@d\nclient - auth=%.1024s\n", login);
	assert_int_equal(begin(envelope), INTAKE_GO);
	assert_int_equal(strlen(receiver.charge.who), 1024);
}

/* The line carries a mark that belongs to its id, and it is found again. */
static void S12_loop_mark(void **state)
{
	struct loop_key key = {{1, 2, 3}}, other = {{1, 2, 4}};
	char *line, *body;

	(void)state;
	receiver.loop_key = &key;
	line = received_of("client 192.0.2.10 helo=pc1 proto=esmtp");
	receiver.loop_key = NULL;
	body = line + strlen("Received:");
	assert_non_null(strstr(body, "\r\n\t(mark "));
	assert_int_equal(loop_marks_in(&key, body, strlen(body)), 1);
	assert_int_equal(loop_marks_in(&other, body, strlen(body)), 0);
	/* At most 78 characters a line, each continued by a tab. */
	for (char *p = line; (p = strchr(p, '\r')) != NULL; p += 2)
		assert_true(p[1] == '\n' && (p[2] == '\t' || p[2] == '\0'));
	free(line);
}

static void lines_behind_the_envelope(void **state)
{
	static const struct {
		const char *lines;
		enum intake_reply reply;
		bool own;
		int64_t hour, day;
	} cases[] = {
	    {"", INTAKE_GO, false, 0, 0},
	    {"quota 10 20\n", INTAKE_GO, true, 10, 20},
	    {"quota 0 0\n", INTAKE_GO, true, 0, 0},
	    {"size 5\nquota 10 20\n", INTAKE_GO, true, 10, 20},
	    {"quota 10 20\nsize 5\n", INTAKE_GO, true, 10, 20},
	    {"quota 10\n", INTAKE_TEMPORARY, false, 0, 0},
	    {"quota 10 \n", INTAKE_TEMPORARY, false, 0, 0},
	    {"quota 10 20 \n", INTAKE_TEMPORARY, false, 0, 0},
	    {"quota -1 20\n", INTAKE_TEMPORARY, false, 0, 0},
	    {"quota  10 20\n", INTAKE_TEMPORARY, false, 0, 0},
	    {"quota 10 20\nquota 10 20\n", INTAKE_TEMPORARY, false, 0, 0},
	    {"size 5\nsize 5\n", INTAKE_TEMPORARY, false, 0, 0},
	    {"size 5\nquota 10 20", INTAKE_TEMPORARY, false, 0, 0},
	    {"quota 10 20\nsize 999999999999999999999\n", INTAKE_TOO_LARGE, true, 10, 20},
	};
	char envelope[512];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		(void)snprintf(envelope, sizeof envelope, KIT_ENVELOPE "%s", cases[i].lines);
		if (begin(envelope) != cases[i].reply)
			fail_msg("%s", cases[i].lines);
		if (cases[i].reply != INTAKE_GO)
			continue;
		assert_int_equal(receiver.charge.own_limits, cases[i].own);
		assert_int_equal(receiver.charge.limits.hour, cases[i].hour);
		assert_int_equal(receiver.charge.limits.day, cases[i].day);
		assert_int_equal(receiver.charge.rcpts, 2);
	}
	/* Of a login's message the source's limits are nobody's. */
	assert_int_equal(
	    begin("from a@b\nto c@d\nclient 192.0.2.1 auth=alice\nquota 1 1\n"), INTAKE_GO);
	assert_false(receiver.charge.own_limits);
}

/* Over the quota a message is kept, and by then its login is frozen. */
static void I3_frozen_before_the_commit(void **state)
{
	static const char envelope[] = "from a@b\nto c@d\nto e@f\nclient 192.0.2.1 auth=alice\n";
	struct kit_bytes b;

	(void)state;
	assert_int_equal(mkdir("lib/quota", 0750), 0);
	settings.quota_login_hour = 3;
	receiver.quota = quota_keeper_new(&settings);
	assert_non_null(receiver.quota);

	assert_int_equal(begin(envelope), INTAKE_GO);
	data("x", 1, 1);
	assert_int_equal(receive_commit(&receiver), INTAKE_KEPT);
	assert_false(kit_stands("lib/quota/freeze"));

	assert_int_equal(begin(envelope), INTAKE_GO);
	data("x", 1, 1);
	assert_false(kit_stands("lib/quota/freeze"));
	assert_int_equal(receive_commit(&receiver), INTAKE_KEPT);
	b = kit_file("lib/quota/freeze");
	assert_memory_equal(b.at, "login alice since=", 18);
	assert_non_null(strstr(b.at, " by=seki-queue reason=quota-hour\n"));
	kit_free(&b);

	/* What cannot be frozen is not kept, and is not counted. */
	assert_int_equal(unlink("lib/quota/freeze"), 0);
	quota_keeper_tick(receiver.quota); /* thawed: his counts begin at zero */
	assert_int_equal(mkdir("lib/quota/freeze", 0700), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(begin(envelope), INTAKE_GO);
		data("x", 1, 1);
		assert_int_equal(
		    receive_commit(&receiver), i == 0 ? INTAKE_KEPT : INTAKE_TEMPORARY);
	}
	assert_int_equal(kit_count("spool/tmp", NULL), 3);
	quota_keeper_free(receiver.quota);
	receiver.quota = NULL;
}

/* ---- the gateway's own door ----------------------------------------------------------------- */

/* origin= is seki-queue's own word: nobody who sends can say it, by whichever door. */
static void the_origin_is_nobody_elses_to_say(void **state)
{
	static const struct {
		const char *client;
		bool session, own;
	} cases[] = {
	    {"-", true, true},
	    {"- origin=gateway", false, false},
	    {"- origin=", false, false},
	    {"192.0.2.10 helo=x origin=gateway", false, false},
	    {"192.0.2.10 origin=other helo=x", false, false},
	    {"192.0.2.10 helo=origin=gateway", true, false},
	    {"192.0.2.10 xorigin=gateway", true, false},
	    {"192.0.2.10", true, false},
	    {"- helo=x", true, false},
	    {"- hold=foreign-sender", true, false},
	    {"- auth=alice", true, false},
	};
	char envelope[512];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		(void)snprintf(
		    envelope, sizeof envelope, "from <>\nto c@d\nclient %s\n", cases[i].client);
		receiver.own = false;
		if ((begin(envelope) == INTAKE_GO) != cases[i].session)
			fail_msg("by the door of sessions: %s", cases[i].client);
		receiver.own = true;
		if ((begin(envelope) == INTAKE_GO) != cases[i].own)
			fail_msg("by the gateway's own door: %s", cases[i].client);
	}
	assert_int_equal(begin("from <>\nto c@d\nclient -\nquota 1 1\n"), INTAKE_TEMPORARY);
	assert_int_equal(begin("from <>\nto c@d\nclient -\nsize 1\n"), INTAKE_GO);
	assert_string_equal(receiver.peer, "gateway");
	receive_abandon(&receiver);
}

/* It stands in the head, which proves itself; the trace tells of no client; size and room bind. */
static void the_gateways_own_mail(void **state)
{
	static const char envelope[] = "from <> body=7bit\nto c@d notify=never\nclient -\n";
	struct loop_key key = {{1, 2, 3}};
	struct kit_bytes b;
	char path[128], trace[256];
	struct leg leg;

	(void)state;
	receiver.own = true;
	receiver.loop_key = &key;
	assert_int_equal(begin(envelope), INTAKE_GO);
	data("x\r\n", 3, 3);
	assert_int_equal(receive_commit(&receiver), INTAKE_KEPT);
	assert_true(receive_enter(&receiver));
	receiver.loop_key = NULL;

	(void)snprintf(path, sizeof path, "spool/new/%s.1", receiver.id);
	b = kit_file(path);
	assert_int_equal(kit_read(b.at, b.len, &leg), LEG_FINE);
	assert_string_equal(leg.client, "- origin=gateway");
	assert_true(intake_is_own(leg.client));
	assert_string_equal(leg.from, "");
	(void)snprintf(trace, sizeof trace,
	    "Received: by gw.example.co.jp (Sekisho)\r\n\tid %s\r\n\t(mark ", receiver.id);
	assert_memory_equal(b.at + leg.content, trace, strlen(trace));
	assert_int_equal(
	    loop_marks_in(&key, b.at + leg.content + strlen("Received:"), leg.size - 9), 1);
	leg_free(&leg);
	kit_free(&b);

	receiver.limits.message_size = 1000;
	assert_int_equal(begin("from <>\nto c@d\nclient -\nsize 1001\n"), INTAKE_TOO_LARGE);
	receiver.limits.space_files = INT64_MAX;
	assert_int_equal(begin(envelope), INTAKE_FULL);
}

static void Q5_no_room(void **state)
{
	(void)state;
	settings.space_percent = 90;
	settings.space_bytes = INT64_C(1) << 60;
	receive_limits_take(&receiver.limits, &settings);
	if (!receive_room(&spool, &receiver.limits, 0))
		assert_int_equal(begin(KIT_ENVELOPE), INTAKE_FULL);
	settings.space_percent = 0;
	receive_limits_take(&receiver.limits, &settings);
	assert_true(receive_room(&spool, &receiver.limits, 0));
	assert_false(receive_room(&spool, &receiver.limits, UINT64_MAX));
	receiver.limits.space_files = INT64_MAX;
	assert_int_equal(begin(KIT_ENVELOPE), INTAKE_FULL);
	assert_int_equal(kit_count("spool/tmp", NULL), 0);
}

/* ---- recovery ----------------------------------------------------------------------------- */

static void whole_messages_enter(void **state)
{
	struct kit_bytes b = kit_leg((struct kit_leg){.k = NULL});

	(void)state;
	kit_write("spool/tmp/" KIT_ID ".1", b.at, b.len);
	kit_write("spool/tmp/ballast", "\0\0", 2);
	assert_true(receive_recover(&spool, &settings));
	assert_int_equal(kit_count("spool/tmp", NULL), 1);
	assert_true(kit_stands("spool/tmp/ballast"));
	assert_true(kit_stands("spool/new/" KIT_ID ".1"));
	kit_free(&b);
}

/* Cut and zeroed at every byte, I2: only the whole one was ever acknowledged. */
static void parts_are_unlinked(void **state)
{
	struct kit_bytes b = kit_leg((struct kit_leg){.k = NULL});
	char *zeroed = malloc(b.len);

	(void)state;
	assert_non_null(zeroed);
	for (size_t len = 0; len < b.len; len++) {
		memset(zeroed, 0, b.len);
		memcpy(zeroed, b.at, len);
		kit_write("spool/tmp/" KIT_ID ".1", b.at, len);
		kit_write("spool/tmp/" KIT_OTHER_ID ".1", zeroed, b.len);
		assert_true(receive_recover(&spool, &settings));
		assert_int_equal(kit_count("spool/tmp", NULL), 0);
		assert_int_equal(kit_count("spool/new", NULL), 0);
	}
	free(zeroed);
	kit_free(&b);
}

/* A content that is not what the head says was never acknowledged either. */
static void damaged_content_is_unlinked(void **state)
{
	struct kit_bytes b = kit_leg((struct kit_leg){.k = NULL});
	char *at = strstr(b.at, "Hello.");

	(void)state;
	assert_non_null(at);
	*at = 'J';
	kit_write("spool/tmp/" KIT_ID ".1", b.at, b.len);
	assert_true(receive_recover(&spool, &settings));
	assert_int_equal(kit_count("spool/tmp", NULL) + kit_count("spool/new", NULL), 0);
	kit_free(&b);
}

/* Q8: what we did not write is not ours to remove. seki-scan puts it into bad/. */
static void Q8_foreign_files_in_tmp(void **state)
{
	(void)state;
	kit_write("spool/tmp/README", "x", 1);
	assert_int_equal(symlink("/etc/passwd", "spool/tmp/" KIT_ID ".1"), 0);
	assert_int_equal(mkfifo("spool/tmp/" KIT_OTHER_ID ".1", 0600), 0);
	assert_true(receive_recover(&spool, &settings));
	assert_int_equal(kit_count("spool/tmp", NULL), 0);
	assert_int_equal(kit_count("spool/new", NULL), 3);
}

/* The rename was made, and the crash came before the next: the name is taken in new/. */
static void a_second_copy_waits(void **state)
{
	struct kit_bytes b = kit_leg((struct kit_leg){.k = NULL});

	(void)state;
	kit_write("spool/tmp/" KIT_ID ".1", b.at, b.len);
	kit_write("spool/new/" KIT_ID ".1", b.at, b.len);
	assert_true(receive_recover(&spool, &settings));
	assert_true(kit_stands("spool/new/" KIT_ID ".1"));
	assert_true(kit_stands("spool/tmp/" KIT_ID ".1")); /* nothing is lost */
	kit_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(messages_of_every_size, enter, leave),
	    cmocka_unit_test_setup_teardown(S9_over_the_limit, enter, leave),
	    cmocka_unit_test_setup_teardown(given_up, enter, leave),
	    cmocka_unit_test_setup_teardown(S10_malformed_envelopes, enter, leave),
	    cmocka_unit_test_setup_teardown(S10_hostile_helo, enter, leave),
	    cmocka_unit_test_setup_teardown(protocol_words, enter, leave),
	    cmocka_unit_test_setup_teardown(S10_malformed_logins, enter, leave),
	    cmocka_unit_test_setup_teardown(S12_loop_mark, enter, leave),
	    cmocka_unit_test_setup_teardown(lines_behind_the_envelope, enter, leave),
	    cmocka_unit_test_setup_teardown(I3_frozen_before_the_commit, enter, leave),
	    cmocka_unit_test_setup_teardown(the_origin_is_nobody_elses_to_say, enter, leave),
	    cmocka_unit_test_setup_teardown(the_gateways_own_mail, enter, leave),
	    cmocka_unit_test_setup_teardown(Q5_no_room, enter, leave),
	    cmocka_unit_test_setup_teardown(whole_messages_enter, enter, leave),
	    cmocka_unit_test_setup_teardown(parts_are_unlinked, enter, leave),
	    cmocka_unit_test_setup_teardown(damaged_content_is_unlinked, enter, leave),
	    cmocka_unit_test_setup_teardown(Q8_foreign_files_in_tmp, enter, leave),
	    cmocka_unit_test_setup_teardown(a_second_copy_waits, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
