/* Lines of sekisho-facts(5), read: what is against a message, what is kept, what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/policy/inside.h"

static struct facts *read_facts(const char *lines, bool complete)
{
	struct facts *facts = facts_new();

	assert_non_null(facts);
	facts_lines(facts, lines, strlen(lines));
	facts_end(facts, complete);
	return facts;
}

/* S1-30, M3: the first reason of each kind stays; a reason that could not stand in a plan is none. */
static void the_first_reason_stays(void **state)
{
	static const char lines[] = "uninspectable part=2 reason=encrypted member=a+20b\n"
				    "ambiguous part=1 why=bare-cr\n"
				    "uninspectable part=3 reason=damaged\n"
				    "ambiguous part=3 why=names\n"
				    "virus verdict=clean\n"
				    "virus verdict=found name=Eicar-1\n"
				    "virus verdict=found name=Other\n";
	struct facts *facts = read_facts(lines, true);
	const struct facts_against *a = facts_against(facts);

	(void)state;
	assert_true(a->virus && a->uninspectable && a->ambiguous);
	assert_string_equal(a->virus_name, "Eicar-1");
	assert_string_equal(a->reason, "encrypted");
	assert_string_equal(a->ambiguity, "bare-cr");
	facts_free(facts);

	facts = read_facts("virus verdict=clean\nvirus verdict=unknown\n", true);
	assert_false(facts_against(facts)->virus);
	facts_free(facts);

	facts = read_facts("uninspectable part=2 reason=a\tb\nuninspectable part=2 reason=\n"
			   "uninspectable part=2\nuninspectable part=3 reason=damaged\n",
	    true);
	assert_true(facts_against(facts)->uninspectable);
	assert_string_equal(facts_against(facts)->reason, "damaged");
	facts_free(facts);

	facts = read_facts("uninspectable part=2 reason="
			   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
	    true);
	assert_true(facts_against(facts)->uninspectable);
	assert_string_equal(facts_against(facts)->reason, "");
	facts_free(facts);

	facts = read_facts("subject text=virus+20verdict=found\nvirusverdict=found\n", true);
	assert_false(facts_against(facts)->virus);
	facts_free(facts);
}

static void values_are_decoded(void **state)
{
	struct facts *facts = read_facts(
	    "address field=to address=b@x.example name=+E5+B1+B1+20a group= envelope=yes\n"
	    "address field=resent-to address=c@x.example name=x\n"
	    "address address=d@x.example\n"
	    "address field=cc address=+4 name=+0Ab\n"
	    "pii kind=name places=body,files count=12\npii kind=name places=nowhere count=1\n"
	    "pii kind=nothing places=body count=9\n"
	    "pii kind=card places=body count=99999999999999999999999\n"
	    "hidden address=x\nhidden address=y\n"
	    "field number=2 text=Caf+C3+89\n"
	    "word number=7 place=files count=2 text=x\nword number=3 place=body count=1 text=y\n"
	    "word number=7 place=subject count=4 text=x\n",
	    true);

	(void)state;
	assert_int_equal(facts->addresses.n, 4);
	assert_int_equal(facts->addresses.at[0].field, FIELD_TO);
	assert_string_equal(facts->addresses.at[0].name, "山 a");
	assert_true(facts->addresses.at[0].envelope);
	assert_false(facts->addresses.at[1].envelope);
	assert_int_equal(facts->addresses.at[1].field, FIELD_OTHER);
	assert_int_equal(facts->addresses.at[2].field, FIELD_OTHER);
	assert_string_equal(facts->addresses.at[3].address, "");
	assert_int_equal(facts->pii[DETECT_NAME][1u << PLACE_BODY | 1u << PLACE_FILES], 12);
	assert_true(facts->pii[DETECT_CARD][1u << PLACE_BODY] == UINT64_MAX);
	assert_int_equal(facts->hidden, 2);
	assert_string_equal(facts->texts.at[0].text, "CafÉ");
	assert_string_equal(facts->texts.at[0].folded, "café");
	assert_int_equal(facts->words.n, 2);
	assert_int_equal(facts->words.at[1].number, 7);
	assert_int_equal(facts->words.at[1].count[PLACE_FILES], 2);
	assert_int_equal(facts->words.at[1].count[PLACE_SUBJECT], 4);
	facts_free(facts);
}

/* Lines come in any order, and a part of no whole line is nothing. */
static void in_any_order(void **state)
{
	struct facts *facts = facts_new();
	static const char last[] = "file part=2 role=file counts=yes name=A.pdf size=1\nhidd";

	(void)state;
	assert_non_null(facts);
	facts_lines(
	    facts, "file-name part=2 name=B.exe\nuninspectable part=2.3 reason=damaged\n", 66);
	facts_lines(facts, last, strlen(last));
	facts_lines(facts, "", 0);
	facts_end(facts, true);
	assert_int_equal(facts->files.n, 1);
	assert_true(facts->files.at[0].closed);
	assert_non_null(facts->files.at[0].names);
	assert_non_null(facts->files.at[0].names->next);
	assert_null(facts->files.at[0].names->next->next);
	assert_int_equal(facts->hidden, 0);
	facts_free(facts);
}

/* What a reason leaves unknown. */
static void what_is_not_known(void **state)
{
	static const char parts[] = "part path=1 role=body\npart path=3 role=sealed\n"
				    "part path=4 role=container\n"
				    "file part=2 role=message counts=yes name=a size=1\n";
	static const struct {
		const char *line;
		bool all, subject, body, names, files, list, fields, persons;
	} rows[] = {
	    {"", 0, 0, 0, 0, 0, 0, 0, 0},
	    {"uninspectable part=0 reason=time\n", 1, 1, 1, 1, 1, 1, 1, 1},
	    {"uninspectable part=0 reason=header\n", 1, 1, 1, 1, 1, 1, 1, 1},
	    {"uninspectable part=0 reason=charset\n", 0, 1, 1, 0, 0, 0, 1, 0},
	    {"uninspectable part=0 reason=dictionary\n", 0, 0, 0, 0, 0, 0, 0, 1},
	    {"uninspectable part=0 reason=virus\n", 0, 0, 0, 0, 0, 0, 0, 0},
	    {"uninspectable part=1 reason=html\n", 0, 0, 1, 0, 0, 0, 0, 0},
	    {"uninspectable part=2 reason=encrypted\n", 0, 0, 0, 0, 1, 0, 0, 0},
	    {"uninspectable part=2.1 reason=damaged\n", 0, 0, 0, 1, 1, 0, 0, 0},
	    {"uninspectable part=3 reason=encrypted\n", 1, 1, 1, 1, 1, 1, 1, 1},
	    {"uninspectable part=4 reason=encrypted\n", 0, 0, 1, 0, 1, 0, 0, 0},
	    {"uninspectable part=9 reason=damaged\n", 0, 0, 1, 1, 1, 0, 0, 0},
	    {"uninspectable reason=damaged\n", 1, 1, 1, 1, 1, 1, 1, 1},
	};
	char lines[512];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct facts *facts;
		const struct facts_unknown *u;

		(void)stpcpy(stpcpy(lines, parts), rows[i].line);
		facts = read_facts(lines, true);
		u = &facts->unknown;
		assert_int_equal(u->all != NULL, rows[i].all);
		assert_int_equal(u->place[PLACE_SUBJECT] != NULL, rows[i].subject);
		assert_int_equal(u->place[PLACE_BODY] != NULL, rows[i].body);
		assert_int_equal(u->place[PLACE_NAMES] != NULL, rows[i].names);
		assert_int_equal(u->place[PLACE_FILES] != NULL, rows[i].files);
		assert_int_equal(u->files != NULL, rows[i].list);
		assert_int_equal(u->fields != NULL, rows[i].fields);
		assert_int_equal(u->persons != NULL, rows[i].persons);
		facts_free(facts);
	}
}

/* Who was cut off says why in his last line; and without a word it is unknown all the same. */
static void not_complete(void **state)
{
	struct facts *facts = read_facts("uninspectable part=2 reason=encrypted\n"
					 "uninspectable part=0 reason=names\n"
					 "uninspectable part=0 reason=killed\n",
	    false);

	(void)state;
	assert_string_equal(facts->unknown.all, "killed");
	facts_free(facts);
	facts = read_facts("", false);
	assert_string_equal(facts->unknown.all, "facts");
	facts_free(facts);
}

/* Bounded: beyond, nothing is known, and what speaks against the message is heard. */
static void more_than_is_kept(void **state)
{
	static const char line[] = "address field=to address=aaaaaaaaaaaaaaaaaaaaaa@x.example\n";
	struct facts *facts = facts_new();
	size_t kept;

	(void)state;
	assert_non_null(facts);
	for (size_t sent = 0; sent <= FACTS_BYTES_MAX; sent += strlen(line))
		facts_lines(facts, line, strlen(line));
	kept = facts->addresses.n;
	facts_lines(facts, line, strlen(line));
	facts_lines(facts, "virus verdict=found name=x\n", 27);
	facts_end(facts, true);
	assert_int_equal(facts->addresses.n, kept);
	assert_true(facts_against(facts)->virus);
	assert_string_equal(facts->unknown.all, "facts");
	facts_free(facts);
}

/* `*` and `?` against names, in letters and not in bytes. */
static void globs(void **state)
{
	static const struct {
		const char *glob, *name;
		bool is;
	} rows[] = {
	    {"*", "", true},
	    {"", "", true},
	    {"", "a", false},
	    {"?", "", false},
	    {"?", "山", true},
	    {"??", "山", false},
	    {"*.pdf", ".pdf", true},
	    {"*.pdf", "a.pdf.exe", false},
	    {"*.PDF", "a.pdf", true},
	    {"a*b*c", "axxbxxc", true},
	    {"a*b*c", "axxbxx", false},
	    {"a**c", "ac", true},
	    {"*a*", "bab", true},
	    {"*?b", "b", false},
	    {"*?b", "山b", true},
	    {"山*", "山田", true},
	    {"ｶﾞ*", "ガラス", true},
	    {"*.TAR.gz", "x.tar.gz", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(glob_matches(rows[i].glob, rows[i].name), rows[i].is);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_reason_stays),
	    cmocka_unit_test(values_are_decoded),
	    cmocka_unit_test(in_any_order),
	    cmocka_unit_test(what_is_not_known),
	    cmocka_unit_test(not_complete),
	    cmocka_unit_test(more_than_is_kept),
	    cmocka_unit_test(globs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
