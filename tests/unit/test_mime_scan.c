/* The scanner: parts as byte ranges (M1: two readings, M2: limits and time, M9: partial, external). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/mime/scan.h"

static const struct mime_limits LIMITS = {.depth = 50, .parts = 2000, .header = 262144};

static struct source source_of(const char *bytes, size_t len)
{
	int fd = memfd_create("message", MFD_CLOEXEC);

	assert_true(fd >= 0);
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, bytes + done, len - done);

		assert_true(n > 0);
		done += (size_t)n;
	}
	return (struct source){.fd = fd, .size = len};
}

/* What holds of every tree. */
static void assert_sound(const struct mime_tree *t, uint64_t size)
{
	char path[MIME_PATH_MAX];

	for (size_t i = 0; i < t->count; i++) {
		const struct mime_part *p = t->parts + i;

		assert_true(p->line <= p->start && p->start <= p->body && p->body <= p->end);
		assert_true(p->end <= p->next && p->next <= size);
		assert_true(p->body <= p->preamble && p->preamble <= p->end);
		assert_true(p->body <= p->epilogue && p->epilogue <= p->end);
		assert_true(p->parent == MIME_NONE || p->parent < i);
		if (p->parent != MIME_NONE) {
			assert_true(p->line >= t->parts[p->parent].body);
			assert_true(p->end <= t->parts[p->parent].end || p->body == p->end);
			assert_int_equal(p->depth, t->parts[p->parent].depth + 1);
		}
		assert_true(mime_path(t, i, path, sizeof path));
		if (t->count < 100)
			assert_int_equal(mime_find(t, path), i);
	}
}

static void add(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	assert_true((size_t)vsnprintf(text + used, size - used, format, args) < size - used);
	va_end(args);
}

/* The ambiguities of all parts, by their words, and the limits. */
static void add_flags(const struct mime_tree *t, char *text, size_t size)
{
	for (int f = 0; f < MIME_FLAG_COUNT; f++) {
		if ((t->flags >> f & 1) != 0 && mime_flag_ambiguous((enum mime_flag_number)f))
			add(text, size, " %s", mime_flag_word((enum mime_flag_number)f));
	}
	if (t->limits != 0)
		add(text, size, " limits=%u", t->limits);
}

/* "PATH type/subtype{body}|…", leaves with their bodies, and what was ambiguous. */
static const char *shown(const char *bytes, size_t len)
{
	static char text[65536];
	struct source source = source_of(bytes, len);
	struct mime_tree t;

	text[0] = '\0';
	assert_true(mime_scan(&source, &LIMITS, &t));
	assert_sound(&t, len);
	for (size_t i = 0; i < t.count; i++) {
		const struct mime_part *p = t.parts + i;
		char path[MIME_PATH_MAX];

		assert_true(mime_path(&t, i, path, sizeof path));
		add(text, sizeof text, "%s%s %s/%s", i > 0 ? "|" : "", path, p->type, p->subtype);
		if (mime_is_leaf(p))
			add(text, sizeof text, "{%.*s}", (int)(p->end - p->body), bytes + p->body);
	}
	add_flags(&t, text, sizeof text);
	mime_tree_free(&t);
	close(source.fd);
	for (char *c = text; *c != '\0'; c++)
		*c = *c == '\r' ? '~' : *c == '\n' ? '$' : *c;
	return text;
}

#define SHOWS(message, expected)                                                                   \
	assert_string_equal(shown((message), sizeof(message) - 1), (expected))
#define MIXED(boundary) "Content-Type: multipart/mixed; boundary=" boundary "\r\n\r\n"

/* ---- what is well made ---- */

static void plain(void **state)
{
	(void)state;
	SHOWS("", "1 text/plain{} header-open");
	SHOWS("\r\n", "1 text/plain{}");
	SHOWS("\r\nHello\r\n", "1 text/plain{Hello~$}");
	SHOWS("Subject: x\r\n\r\nHello\r\n", "1 text/plain{Hello~$}");
	SHOWS("Content-Type: TEXT/HTML; charset=x\r\n\r\n<p>", "1 text/html{<p>}");
	SHOWS("Content-Type:\r\n text/html\r\n\r\n", "1 text/html{}");
	SHOWS("Content-Type: (a) text (b) / (c) html (d)\r\n\r\n", "1 text/html{} comment");
	SHOWS("From x@y Mon\r\nSubject: x\r\n\r\nHello", "1 text/plain{Hello}");
}

static void parts(void **state)
{
	(void)state;
	SHOWS(MIXED("b") "pre\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: "
			 "text/html\r\n\r\ntwo\r\n\r\n--b--\r\n",
	    "0 multipart/mixed|1 text/plain{one}|2 text/html{two~$}");
	SHOWS(MIXED("\"a b?\"") "--a b?\r\n\r\none\r\n--a b?--",
	    "0 multipart/mixed|1 text/plain{one}");
	SHOWS(MIXED("b") "--b\r\n\r\n--b\r\n\r\n\r\n--b--\r\n",
	    "0 multipart/mixed|1 text/plain{}|2 text/plain{}");
	/* Not at the start of a line. */
	SHOWS(MIXED("b") "--b\r\n\r\nx --b\r\n -- b\r\n--\r\n--a\r\n--b--\r\n",
	    "0 multipart/mixed|1 text/plain{x --b~$ -- b~$--~$--a}");
}

static void nested(void **state)
{
	(void)state;
	SHOWS(MIXED("a") "--a\r\n" MIXED(
		  "c") "--c\r\n\r\n1\r\n--c\r\n\r\n2\r\n--c--\r\n\r\n--a\r\n\r\n3\r\n--a--\r\n",
	    "0 multipart/mixed|1 multipart/mixed|1.1 text/plain{1}|1.2 text/plain{2}|"
	    "2 text/plain{3}");
}

static void messages_within(void **state)
{
	(void)state;
	SHOWS("Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nHello",
	    "1 message/rfc822|1.1 text/plain{Hello}");
	SHOWS(
	    MIXED("a") "--a\r\n\r\n1\r\n--a\r\nContent-Type: message/rfc822\r\n\r\nX: y\r\n" MIXED(
		"c") "--c\r\n\r\n2\r\n--c\r\n\r\n3\r\n--c--\r\n--a--\r\n",
	    "0 multipart/mixed|1 text/plain{1}|2 message/rfc822|2.0 multipart/mixed|"
	    "2.1 text/plain{2}|2.2 text/plain{3}");
	SHOWS("Content-Type: multipart/digest; boundary=a\r\n\r\n--a\r\n\r\nSubject: "
	      "x\r\n\r\nHello\r\n--a\r\n"
	      "Content-Type: text/plain\r\n\r\nplain\r\n--a--\r\n",
	    "0 multipart/digest|1 message/rfc822|1.1 text/plain{Hello}|2 text/plain{plain}");
}

/* A message in base64 cannot be descended into by offsets; one that only says so is. */
static void encoded_messages(void **state)
{
	(void)state;
#define ENCODED "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	SHOWS(ENCODED "U3ViamVjdDogeA0KDQpI\r\n", "1 message/rfc822{U3ViamVjdDogeA0KDQpI~$}");
	SHOWS(ENCODED "Subject: x\r\n\r\nHello",
	    "1 message/rfc822{Subject: x~$~$Hello}|1.1 text/plain{Hello}");
}

/* ---- offsets ---- */

static void ranges(void **state)
{
	static const char MESSAGE[] =
	    MIXED("b") "pre\r\n--b\r\nX: y\r\n\r\none\r\n--b \t\r\n\r\ntwo\r\n--b--\r\nepi\r\n";
	struct source source = source_of(MESSAGE, sizeof MESSAGE - 1);
	const char *first = strstr(MESSAGE, "--b"), *second = strstr(first + 1, "--b");
	struct mime_tree t;

	(void)state;
	assert_true(mime_scan(&source, &LIMITS, &t));
	assert_int_equal(t.count, 3);
	assert_int_equal(t.parts[0].preamble, strstr(MESSAGE, "pre") + 3 - MESSAGE);
	assert_int_equal(t.parts[0].epilogue, strstr(MESSAGE, "epi") - MESSAGE);
	assert_int_equal(t.parts[0].end, sizeof MESSAGE - 1);
	assert_true(MIME_HAS(t.parts[0].flags, EPILOGUE));
	assert_true(MIME_HAS(t.parts[0].flags, BOUNDARY_BLANK));
	assert_int_equal(t.parts[1].line, first - MESSAGE);
	assert_int_equal(t.parts[1].start, strstr(MESSAGE, "X: y") - MESSAGE);
	assert_int_equal(t.parts[1].body, strstr(MESSAGE, "one") - MESSAGE);
	assert_int_equal(t.parts[1].end, strstr(MESSAGE, "one") + 3 - MESSAGE);
	assert_int_equal(t.parts[1].next, second - MESSAGE);
	assert_int_equal(t.parts[2].line, t.parts[1].next);
	mime_tree_free(&t);
	close(source.fd);
}

/* Dropping [line, next) leaves a message without that part, and every other byte. */
static void splice(void **state)
{
	static const char MESSAGE[] =
	    MIXED("b") "--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b\r\n\r\nthree\r\n--b--\r\n";
	struct source source = source_of(MESSAGE, sizeof MESSAGE - 1);
	char without[sizeof MESSAGE] = "";
	struct mime_tree t;

	(void)state;
	assert_true(mime_scan(&source, &LIMITS, &t));
	assert_int_equal(t.count, 4);
	memcpy(without, MESSAGE, t.parts[2].line);
	strcat(without, MESSAGE + t.parts[2].next);
	assert_string_equal(shown(without, strlen(without)),
	    "0 multipart/mixed|1 text/plain{one}|2 text/plain{three}");
	mime_tree_free(&t);
	close(source.fd);
}

/* ---- what a part says of itself ---- */

static void fields(void **state)
{
	static const char MESSAGE[] =
	    "content-type: Multipart/Signed; "
	    "micalg=sha-256;\r\n\tprotocol=\"application/pkcs7-signature\";"
	    " boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=ISO-2022-JP; "
	    "name=x.txt\r\n"
	    "Content-Transfer-Encoding: Quoted-Printable\r\nContent-ID: <a@b>\r\n"
	    "Content-Description: =?utf-8?B?44GCYQ==?= =?utf-8?B?44GEYg==?=\r\n"
	    "Content-Disposition: ATTACHMENT; filename*=utf-8''%E3%81%82.txt\r\n\r\n--b--\r\n";
	struct source source = source_of(MESSAGE, sizeof MESSAGE - 1);
	struct param_readings names;
	struct mime_tree t;

	(void)state;
	assert_true(mime_scan(&source, &LIMITS, &t));
	assert_int_equal(t.count, 2);
	assert_string_equal(mime_param(&t.parts[0], "protocol"), "application/pkcs7-signature");
	assert_string_equal(mime_param(&t.parts[0], "micalg"), "sha-256");
	assert_string_equal(mime_param(&t.parts[0], "nothing"), "");
	assert_string_equal(t.parts[1].charset, "ISO-2022-JP");
	assert_string_equal(t.parts[1].name, "あ.txt");
	assert_string_equal(t.parts[1].disposition, "attachment");
	assert_string_equal(t.parts[1].id, "a@b");
	assert_string_equal(t.parts[1].description, "あaいb");
	assert_int_equal(t.parts[1].encoding, TRANSFER_QUOTED);
	assert_false(MIME_HAS(t.parts[1].flags, NAMES)); /* of the same kind, for old programs */

	param_readings_init(&names);
	assert_true(mime_names(&source, &t.parts[1], 65536, &names));
	assert_int_equal(names.count, 2);
	assert_string_equal(param_reading(&names, 1), "x.txt");
	param_readings_free(&names);
	mime_tree_free(&t);
	close(source.fd);
}

static void partial_and_external(void **state)
{
	static const char PARTIAL[] =
	    "Content-Type: message/partial; id=x; number=1; total=2\r\n\r\nSubject: y\r\n";
	static const char EXTERNAL[] =
	    "Content-Type: message/external-body; access-type=URL; URL=\"http://x\"\r\n\r\n";
	struct source one = source_of(PARTIAL, sizeof PARTIAL - 1);
	struct source two = source_of(EXTERNAL, sizeof EXTERNAL - 1);
	struct mime_tree t;

	(void)state;
	assert_true(mime_scan(&one, &LIMITS, &t));
	assert_true(t.count == 1 && MIME_HAS(t.flags, PARTIAL));
	mime_tree_free(&t);
	assert_true(mime_scan(&two, &LIMITS, &t));
	assert_true(t.count == 1 && MIME_HAS(t.flags, EXTERNAL));
	assert_string_equal(mime_param(t.parts, "access-type"), "URL");
	mime_tree_free(&t);
	close(one.fd);
	close(two.fd);
}

/* ---- M1: two readings ---- */

static void m1_fields_twice(void **state)
{
	(void)state;
	/* Whichever of the two types a program takes, its parts are there. */
	SHOWS("Content-Type: text/plain\r\n" MIXED("b") "--b\r\n\r\none\r\n--b--",
	    "0 text/plain{--b~$~$one~$--b--}|1 text/plain{one} two-types");
	SHOWS("Content-Type: multipart/mixed; boundary=a\r\n" MIXED(
		  "b") "--a\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--a\r\n\r\nthree\r\n--b--\r\n--a--",
	    "0 multipart/mixed|1 text/plain{one~$--b~$~$two}|2 text/plain{two~$--a~$~$three}|"
	    "3 text/plain{three~$--b--} two-types boundaries epilogue");
	SHOWS("Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n\r\n",
	    "1 text/plain{} two-encodings");
	SHOWS("Content-Disposition: inline\r\nContent-Disposition: attachment\r\n\r\n",
	    "1 text/plain{} two-dispositions");
	SHOWS("Content-Type: text/plain; charset=a; charset=b\r\n\r\n",
	    "1 text/plain{} two-parameters");
}

#define LONG "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghh"

static void m1_boundaries(void **state)
{
	(void)state;
	SHOWS("Content-Type: multipart/mixed; boundary*0=a; "
	      "boundary*1=b\r\n\r\n--ab\r\n\r\none\r\n--ab--",
	    "0 multipart/mixed|1 text/plain{one} boundary-pieces");
	SHOWS(
	    "Content-Type: multipart/mixed; boundary=x; boundary=y\r\n\r\n--y\r\n\r\none\r\n--y--",
	    "0 multipart/mixed|1 text/plain{one} two-parameters boundaries");
	SHOWS(MIXED("ab(c)d") "--ab\r\n\r\none\r\n--ab--",
	    "0 multipart/mixed|1 text/plain{one} comment parameters boundaries");
	SHOWS(MIXED("ab(c)d") "--ab(c)d\r\n\r\none\r\n--ab(c)d--",
	    "0 multipart/mixed|1 text/plain{one} comment parameters boundaries");
	SHOWS(MIXED("\"=?utf-8?Q?ab?=\"") "--ab\r\n\r\none\r\n--ab--",
	    "0 multipart/mixed|1 text/plain{one} boundaries boundary-word");
	SHOWS(MIXED("\"ab  \"") "--ab\r\n\r\none\r\n--ab--",
	    "0 multipart/mixed|1 text/plain{one} boundary-blank");
	SHOWS(MIXED("ab") "--ab \t \r\n\r\none\r\n--ab--  \r\n",
	    "0 multipart/mixed|1 text/plain{one} boundary-blank");
	SHOWS("Content-Type: multipart/mixed; (; boundary=a ;) "
	      "boundary=b\r\n\r\n--a\r\n\r\none\r\n--a--",
	    "0 multipart/mixed|1 text/plain{one} two-parameters comment boundaries");
	SHOWS(MIXED("\"" LONG "\"") "--" LONG "\r\n\r\none\r\n--" LONG "--",
	    "0 multipart/mixed|1 text/plain{one} boundary-long");
}

static void m1_missing_boundary(void **state)
{
	(void)state;
	SHOWS("Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\none\r\n--b--",
	    "0 multipart/mixed{--b~$~$one~$--b--} boundary-missing");
	SHOWS(MIXED("\"\"") "--\r\n\r\none\r\n----",
	    "0 multipart/mixed{--~$~$one~$----}|1 text/plain{one} boundary-missing");
	SHOWS("Content-Type: multipart; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--",
	    "0 multipart/mixed|1 text/plain{one} type");
}

/* A boundary that begins with another one, or is the same as one around it. */
static void m1_prefix_and_same(void **state)
{
	(void)state;
	SHOWS(MIXED("b") "--b\r\n" MIXED(
		  "b2") "--b2\r\n\r\none\r\n--b2--\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
	    "0 multipart/mixed|1 multipart/mixed|1.1 text/plain{one}|2 text/plain{two} "
	    "boundary-prefix");
	SHOWS(MIXED("b") "--b\r\n" MIXED(
		  "b") "--b\r\n\r\none\r\n--b--\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
	    "0 multipart/mixed|1 multipart/mixed|1.1 text/plain{one}|2 text/plain{two} "
	    "boundary-same");
}

/* Some programs take a line for a delimiter that only begins with one: part 2 is there for them. */
static void m1_more_behind_the_boundary(void **state)
{
	(void)state;
	SHOWS(
	    MIXED("b") "--b\r\n\r\none\r\n--bx\r\nContent-Type: text/html\r\n\r\ntwo\r\n--b--\r\n",
	    "0 multipart/mixed|1 text/plain{one~$--bx~$Content-Type: text/html~$~$two}|"
	    "2 text/html{two} boundary-text");
}

static void m1_close_delimiter(void **state)
{
	(void)state;
	SHOWS(
	    MIXED("b") "--b\r\n\r\none\r\n", "0 multipart/mixed|1 text/plain{one~$} close-missing");
	SHOWS(MIXED("b") "--b\r\n\r\none\r\n--b--\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
	    "0 multipart/mixed|1 text/plain{one}|2 text/plain{two} close-behind epilogue");
	SHOWS(MIXED("b") "--b\r\n\r\none\r\n--b--\r\nmore\r\n",
	    "0 multipart/mixed|1 text/plain{one} epilogue");
	SHOWS(MIXED("a") "--a\r\n" MIXED("b") "--b\r\n\r\none\r\n--a\r\n\r\ntwo\r\n--a--\r\n",
	    "0 multipart/mixed|1 multipart/mixed|1.1 text/plain{one}|2 text/plain{two} "
	    "close-missing");
	/* Without any delimiter it is a text, for some. */
	SHOWS(MIXED("b") "hello\r\n", "0 multipart/mixed{hello~$} close-missing");
}

static void m1_line_ends(void **state)
{
	(void)state;
	SHOWS("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n",
	    "0 multipart/mixed|1 text/plain{one}");
	SHOWS("Content-Type: multipart/mixed; boundary=b\r\rpre\r--b\r\rone\r--b--\r",
	    "0 multipart/mixed|1 text/plain{one} bare-cr");
	SHOWS("Subject: x\nContent-Type: text/html\r\n\r\n", "1 text/html{} mixed-ends");
	/* CR is a line's end for some: the part is there, and the other goes on. */
	SHOWS(MIXED("b") "--b\r\n\r\none\r--b\r\n\r\ntwo\r\n--b--",
	    "0 multipart/mixed|1 text/plain{one~--b~$~$two}|2 text/plain{two} bare-cr");
	SHOWS("X: y\rContent-Type: text/html\r\n\r\nz", "1 text/html{z} bare-cr");
	SHOWS("X: y\r\rContent-Type: text/html\r\n\r\nz",
	    "1 text/html{z}|0a text/plain{Content-Type: text/html~$~$z} bare-cr");
}

static void m1_headers(void **state)
{
	(void)state;
	SHOWS("Subject: x\r\n", "1 text/plain{} header-open");
	/* It ends at a line that is no field, or that is skipped. */
	SHOWS("Subject: x\r\nHello\r\nContent-Type: text/html\r\n\r\nz",
	    "1 text/html{z}|0a text/plain{Hello~$Content-Type: text/html~$~$z} header-line");
	SHOWS("Hello world\r\n",
	    "1 text/plain{}|0a text/plain{Hello world~$} header-open header-line");
	SHOWS("Subject: x\r\n \r\nContent-Type: text/html\r\n\r\nz",
	    "1 text/html{z}|0a text/plain{Content-Type: text/html~$~$z} header-blank");
	SHOWS("Content-Type : text/html\r\n\r\n", "1 text/html{} header-blank");
	SHOWS("Content-Type: text/ht\0ml\r\n\r\n", "1 text/plain{} type nul");
	SHOWS(MIXED("b") "--b\r\nHello\r\n--b--",
	    "0 multipart/mixed|1 text/plain{}|1a text/plain{Hello} "
	    "header-open header-line");
	/* A boundary on a line that is no continuation is one for some. */
	SHOWS("Content-Type: multipart/mixed;\r\nboundary=b\r\n\r\n--b\r\n\r\none\r\n--b--",
	    "0 multipart/mixed|0a multipart/mixed{boundary=b~$~$--b~$~$one~$--b--}|1 "
	    "text/plain{one} "
	    "boundary-missing header-line");
}

static void m1_encodings(void **state)
{
	(void)state;
	SHOWS("Content-Transfer-Encoding: base64\r\n" MIXED("b") "--b\r\n\r\none\r\n--b--",
	    "0 multipart/mixed{--b~$~$one~$--b--}|1 text/plain{one} encoded-multipart");
	SHOWS("Content-Transfer-Encoding: x-foo\r\n\r\n", "1 text/plain{} encoding");
	SHOWS("Content-Transfer-Encoding: \"base64\"\r\n\r\n", "1 text/plain{} encoding");
	SHOWS("Content-Transfer-Encoding: base64 \r\n\r\n", "1 text/plain{}");
	SHOWS("Content-Transfer-Encoding: base64 (x)\r\n\r\n", "1 text/plain{} comment");
	SHOWS("Content-Transfer-Encoding: (x)base64\r\n\r\n", "1 text/plain{} comment");
	SHOWS("Content-Transfer-Encoding: base64;\r\n\r\n", "1 text/plain{} parameters");
	SHOWS("Content-Transfer-Encoding: base64; x=y\r\n\r\n", "1 text/plain{} parameters");
}

/* However many doubtful lines there are, parts that overlap each other are bounded. */
static void m1_overlaps_are_bounded(void **state)
{
	static char message[1 << 20];
	struct source source;
	struct mime_tree t;
	uint64_t covered = 0;

	(void)state;
	strcpy(message, "Content-Type: multipart/mixed; boundary=a; boundary=b; boundary=c;"
			" boundary=d; boundary=e\r\n\r\n");
	for (size_t at = strlen(message), i = 0; i < 1000; i++)
		at += (size_t)sprintf(
		    message + at, "--%c%s\r\n\r\ntext\r\n", "abcd"[i % 4], i % 3 == 0 ? "x" : "");
	source = source_of(message, strlen(message));
	assert_true(mime_scan(&source, &LIMITS, &t));
	assert_sound(&t, source.size);
	assert_true((t.limits & MIME_TOO_AMBIGUOUS) != 0);
	for (size_t i = 1; i < t.count; i++)
		covered += t.parts[i].end - t.parts[i].body;
	assert_true(covered < (MIME_OVERLAPS + 2) * source.size);
	mime_tree_free(&t);
	close(source.fd);
}

/* ---- M2: limits, and time ---- */

struct text {
	char *bytes;
	size_t len;
	size_t room;
};

static void put(struct text *t, const char *format, ...)
{
	va_list args;

	if (t->room - t->len < 4096) {
		t->room = 2 * t->room + 65536;
		t->bytes = realloc(t->bytes, t->room);
		assert_non_null(t->bytes);
	}
	va_start(args, format);
	t->len += (size_t)vsnprintf(t->bytes + t->len, 4096, format, args);
	va_end(args);
}

static double cpu_seconds(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Scans and frees `text`, in under a second of processor time. */
static struct mime_tree timed(struct text *text, const struct mime_limits *limits)
{
	struct source source = source_of(text->bytes, text->len);
	double before = cpu_seconds();
	struct mime_tree t;

	assert_true(mime_scan(&source, limits, &t));
#if !defined(__SANITIZE_ADDRESS__)
	assert_true(cpu_seconds() - before < 1.0);
#else
	(void)before;
#endif
	assert_sound(&t, source.size);
	close(source.fd);
	free(text->bytes);
	*text = (struct text){.len = 0};
	return t;
}

static void m2_depth(void **state)
{
	const struct mime_limits deep = {.depth = 100, .parts = 2000, .header = 65536};
	struct text text = {.len = 0};
	struct mime_tree t;

	(void)state;
	for (int i = 0; i <= 101; i++)
		put(&text, MIXED("b%dx"), i), put(&text, "--b%dx\r\n", i);
	put(&text, "\r\ntext\r\n");
	t = timed(&text, &deep);
	assert_int_equal(t.limits, MIME_TOO_DEEP);
	assert_int_equal(t.count, 101);
	assert_true(mime_is_leaf(t.parts + 100));
	assert_int_equal(t.parts[100].depth, 100);
	mime_tree_free(&t);
}

static void m2_messages_in_messages(void **state)
{
	struct text text = {.len = 0};
	struct mime_tree t;

	(void)state;
	for (int i = 0; i < 100000; i++)
		put(&text, "Content-Type: message/rfc822\r\n\r\n");
	t = timed(&text, &LIMITS);
	assert_int_equal(t.limits, MIME_TOO_DEEP);
	assert_int_equal(t.count, LIMITS.depth + 1);
	mime_tree_free(&t);
}

static void m2_parts(void **state)
{
	const struct mime_limits many = {.depth = 50, .parts = 100001, .header = 65536};
	struct text text = {.len = 0};
	struct mime_tree t;

	(void)state;
	for (int round = 0; round < 2; round++) {
		put(&text, MIXED("b"));
		for (int i = 0; i < 100000; i++)
			put(&text,
			    "--b\r\nContent-Type: text/plain; charset=iso-2022-jp; "
			    "name=x%d\r\n\r\n\r\n",
			    i);
		put(&text, "--b--\r\n");
		t = timed(&text, round == 0 ? &many : &LIMITS);
		assert_int_equal(t.limits, round == 0 ? 0 : MIME_TOO_MANY);
		assert_int_equal(t.count, round == 0 ? 100001 : LIMITS.parts);
		mime_tree_free(&t);
	}
}

static void m2_header_fields(void **state)
{
	static const char *const FIELDS[] = {"X: y\r\n", "Content-Type: text/plain; name=x\r\n",
	    "Content-Disposition: attachment; filename=a\r\n", "X\r", "Content-ID:\n", " \r\n",
	    "::\r\n"};
	const struct mime_limits large = {.depth = 50, .parts = 2000, .header = 64 << 20};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(FIELDS); i++) {
		struct text text = {.len = 0};
		struct mime_tree t;

		for (int n = 0; n < 500000; n++)
			put(&text, "%s", FIELDS[i]);
		put(&text, "\r\nbody");
		t = timed(&text, i % 2 == 0 ? &large : &LIMITS);
		if (i == 1)
			assert_int_equal(t.limits & MIME_HEADER_LONG, MIME_HEADER_LONG);
		mime_tree_free(&t);
	}
}

static void m2_parameters(void **state)
{
	static const char *const PARAMS[] = {"; p%d=x", "; name=x%d", "; boundary=x%d",
	    "; name*%d=x", " a=%d", "; boundary*%d*=x", "(%d", "\"%d", "\033$%d",
	    "; x%d*=utf-8''x"};
	const struct mime_limits large = {.depth = 50, .parts = 2000, .header = 64 << 20};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(PARAMS); i++) {
		struct text text = {.len = 0};
		struct mime_tree t;

		put(&text, "Content-Type: multipart/mixed; boundary=b; name=y");
		for (int n = 0; n < 100000; n++) {
			put(&text, "%.*s%d%s", (int)(strchr(PARAMS[i], '%') - PARAMS[i]), PARAMS[i],
			    n, strchr(PARAMS[i], '%') + 2);
		}
		put(&text, "\r\n\r\nbody");
		t = timed(&text, &large);
		mime_tree_free(&t);
	}
}

static void m2_words(void **state)
{
	static const char *const WORDS[] = {
	    "=?", "=?=?", "=?a?Q?", "=?utf-8?B?", "=?utf-8?Q?a?= ", "=?a?Q?="};
	const struct mime_limits large = {.depth = 50, .parts = 2000, .header = 64 << 20};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
		struct text text = {.len = 0};
		struct mime_tree t;

		put(&text, "Content-Type: text/plain; name=\"");
		for (int n = 0; n < 1000000; n++)
			put(&text, "%s", WORDS[i]);
		put(&text, "\"\r\n\r\nbody");
		t = timed(&text, &large);
		mime_tree_free(&t);
	}
}

/* Lines that look like delimiters, at a depth where many boundaries are compared. */
static void m2_delimiters(void **state)
{
	struct text text = {.len = 0};
	struct mime_tree t;

	(void)state;
	for (int i = 0; i < 45; i++) {
		put(&text, MIXED("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%02d"),
		    i);
		put(&text, "--aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%02d\r\n",
		    i);
	}
	put(&text, "\r\n");
	for (int i = 0; i < 300000; i++)
		put(&text, "--aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa77\r\n");
	t = timed(&text, &LIMITS);
	assert_int_equal(t.count, 46);
	mime_tree_free(&t);
}

/* One line of many windows, and what comes behind it. */
static void long_lines(void **state)
{
	struct text text = {.len = 0};
	struct mime_tree t;

	(void)state;
	for (int around = 0; around < 8; around++) {
		put(&text, MIXED("b") "--b\r\n\r\n");
		while (text.len < 65536 + 65534 - (size_t)around)
			put(&text, "-");
		put(&text, "\r\n--b\r\nX: ");
		while (text.len < 300000)
			put(&text, "y");
		put(&text, "\r\nContent-Type: text/html\r\n\r\nz\r\n--b--");
		while (text.len < 301500)
			put(&text, " ");
		t = timed(&text, &LIMITS);
		assert_int_equal(t.count, 3);
		assert_int_equal(
		    t.parts[1].end - t.parts[1].body, 65536 + 65534 - around - t.parts[1].body);
		assert_int_equal(t.parts[2].end - t.parts[2].body, 1);
		assert_string_equal(t.parts[2].subtype, "html");
		mime_tree_free(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain),
	    cmocka_unit_test(parts),
	    cmocka_unit_test(nested),
	    cmocka_unit_test(messages_within),
	    cmocka_unit_test(encoded_messages),
	    cmocka_unit_test(ranges),
	    cmocka_unit_test(splice),
	    cmocka_unit_test(fields),
	    cmocka_unit_test(partial_and_external),
	    cmocka_unit_test(m1_fields_twice),
	    cmocka_unit_test(m1_boundaries),
	    cmocka_unit_test(m1_missing_boundary),
	    cmocka_unit_test(m1_prefix_and_same),
	    cmocka_unit_test(m1_more_behind_the_boundary),
	    cmocka_unit_test(m1_close_delimiter),
	    cmocka_unit_test(m1_line_ends),
	    cmocka_unit_test(m1_headers),
	    cmocka_unit_test(m1_encodings),
	    cmocka_unit_test(m1_overlaps_are_bounded),
	    cmocka_unit_test(m2_depth),
	    cmocka_unit_test(m2_messages_in_messages),
	    cmocka_unit_test(m2_parts),
	    cmocka_unit_test(m2_header_fields),
	    cmocka_unit_test(m2_parameters),
	    cmocka_unit_test(m2_words),
	    cmocka_unit_test(m2_delimiters),
	    cmocka_unit_test(long_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
