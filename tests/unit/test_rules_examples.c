/*
 * Every example of the language: S1-01 to S1-32, S0-37, S2-67, S2-69, S2-24, S4-06, S4-08, and what
 * administrators ask for; and the files of etc/examples, as they are shipped.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/rules/parse.h"
#include "lib/rules/show.h"

#define ARENA    ((size_t)16 * 1024 * 1024)
#define EXAMPLES "etc/examples"

/* clang-format off */
static const char examples[] =
    /* S1-01  TLS carries the file; lists of personal data stay behind a link */
    "rule personal-data-by-link\n"
    "    to      external\n"
    "    pii     card >= 1, mynumber >= 1, name >= 10, address >= 10   in files\n"
    "    do      link for 7d\n"
    "\n"
    "rule tls-carries-the-file\n"
    "    to      external\n"
    "    to      tls >= starttls\n"
    "    do      keep\n"
    "    do      tls starttls else link\n"
    "\n"
    /* S1-02  no TLS at the receiver: by link (add this under the rule above) */
    "rule no-tls-by-link\n"
    "    to      external\n"
    "    file    any\n"
    "    do      link\n"
    "\n"
    /* S1-03  everybody: outsiders wait 60 minutes, the group does not */
    "rule outsiders-wait\n"
    "    to      external\n"
    "    do      hold 60m\n"
    "\n"
    "rule our-own-do-not-wait\n"
    "    to      internal, affiliated\n"
    "    do      hold no\n"
    "\n"
    /* S1-04  sales only: ZIP, generated password of 10 or more */
    "rule sales-zip\n"
    "    from    group sales\n"
    "    to      external\n"
    "    file    any\n"
    "    do      zip\n"
    "    do      password random-10\n"
    "\n"
    /* S1-05  2 MB and more: by link */
    "rule big-by-link\n"
    "    to      external\n"
    "    files   size >= 2MB\n"
    "    do      link\n"
    "\n"
    /* S1-06  five outsiders in To and Cc: everybody into Bcc */
    "rule five-outsiders\n"
    "    visible external >= 5\n"
    "    do      bcc all\n"
    "\n"
    /* S1-07  temporary staff may not send files, unless an employee reads along */
    "rule temps-no-files\n"
    "    from    group temps, group part-time\n"
    "    to      external\n"
    "    file    any\n"
    "    unless  header Cc group employees\n"
    "    do      refuse \"派遣社員・アルバイトは社外へファイルを送れません。Ccに社員を入れてください。\"\n"
    "\n"
    /* S1-08  important customers: colleagues first, they 60 minutes later */
    "rule important-later\n"
    "    to      list important-customers\n"
    "    do      stagger 60m\n"
    "\n"
    /* S1-09  sales, files, outside: the boss looks */
    "rule sales-files-approved\n"
    "    from    group sales\n"
    "    to      external\n"
    "    file    any\n"
    "    do      approve by boss\n"
    "\n"
    /* S1-10  the boss approves, or stands in Cc */
    "rule boss-approves-or-reads\n"
    "    to      external\n"
    "    unless  header Cc boss\n"
    "    do      approve by boss\n"
    "\n"
    /* S1-11  ten phone numbers or ten addresses */
    "rule too-much-personal-data\n"
    "    pii     phone >= 10, address >= 10   in body, files\n"
    "    do      refuse \"電話番号または住所が10件以上含まれています。\"\n"
    "\n"
    /* S1-12  known partners only, and the right company named */
    "rule partner-domain\n"
    "    to      external\n"
    "    to      not partner\n"
    "    do      refuse \"取引先として登録されていないドメインです。\"\n"
    "\n"
    "rule partner-name\n"
    "    to      external\n"
    "    company other   in body, names\n"
    "    do      refuse \"本文またはファイル名に、宛先と異なる会社名があります。\"\n"
    "\n"
    /* S1-13  extensions that never leave */
    "rule forbidden-extensions\n"
    "    file    name *.doc, *.xls, *.docx, *.xlsx, *.pptx, *.odt, *.ods, *.sxw, *.sxi, *.itd, *.htm, *.sgml, *.xml, *.zip, *.tar, *.tar.gz, *.gz, *.lzh, *.tar.bz2, *.tgz, *.eml, *.bmp, *.cab, *.gif, *.jpg, *.mdb, *.mov, *.mpg, *.msg, *.rtf, *.tif, *.png\n"
    "    do      refuse \"この種類のファイルは送れません。\"\n"
    "\n"
    /* S1-14  by link, but ZIP and a set text for some */
    "rule zip-for-these\n"
    "    to      list zip-wanted\n"
    "    file    any\n"
    "    do      zip\n"
    "    do      insert top teikeibun-a\n"
    "\n"
    "rule others-by-link\n"
    "    file    any\n"
    "    do      link\n"
    "\n"
    /* S1-15  four house rules */
    "rule boss-approves\n"
    "    to      external\n"
    "    do      approve by boss\n"
    "\n"
    "rule boss-in-cc\n"
    "    to      external\n"
    "    unless  header Cc boss\n"
    "    do      refuse \"上長をCcに入れてください。\"\n"
    "\n"
    "rule files-boss-in-cc\n"
    "    to      external\n"
    "    file    any\n"
    "    unless  header Cc boss\n"
    "    do      refuse \"添付ファイルがあるときは、上長をCcに入れてください。\"\n"
    "\n"
    "rule accounts-without-files\n"
    "    from    list no-files\n"
    "    to      external\n"
    "    file    any\n"
    "    do      refuse \"このアカウントからは添付ファイルを送れません。\"\n"
    "\n"
    /* S1-16  To is myself, the rest is Bcc */
    "rule to-myself-only\n"
    "    header  To not sender\n"
    "    do      refuse \"宛先(To)には自分だけを入れ、ほかの方はBccにしてください。\"\n"
    "\n"
    "rule no-cc\n"
    "    header  Cc any\n"
    "    do      refuse \"Ccは使えません。\"\n"
    "\n"
    "rule ten-megabytes\n"
    "    files   size >= 10MB\n"
    "    do      refuse \"添付ファイルは10MB未満にしてください。\"\n"
    "\n"
    "rule allowed-extensions\n"
    "    file    name not *.txt, *.csv, *.pdf, *.dat, *.exe, *.log\n"
    "    do      refuse \"この種類のファイルは送れません。\"\n"
    "\n"
    "rule zip-the-rest\n"
    "    file    any\n"
    "    do      zip\n"
    "    do      password random-to-recipient-3m\n"
    "\n"
    /* S1-17  any colleague approves */
    "rule any-colleague\n"
    "    to      external\n"
    "    do      approve by any of group staff\n"
    "\n"
    /* S1-18, S1-19  no mobile phones, no free mail */
    "rule no-mobile-phones\n"
    "    to      @docomo.ne.jp, @ezweb.ne.jp, @softbank.ne.jp\n"
    "    do      refuse \"携帯メールへは送れません。\"\n"
    "\n"
    "rule no-free-mail\n"
    "    to      @yahoo.co.jp, @hotmail.co.jp, @gmail.com\n"
    "    do      refuse \"フリーメールへは送れません。\"\n"
    "\n"
    /* S1-20  never written to before */
    "rule first-time\n"
    "    to      first-time\n"
    "    do      hold 60m\n"
    "\n"
    /* S1-21  each destination as it is registered */
    "rule as-registered\n"
    "    to      table destinations\n"
    "    file    any\n"
    "    do      as table destinations\n"
    "\n"
    /* S1-22  what is not yet encrypted is encrypted */
    "rule encrypt-the-rest\n"
    "    file    not encrypted\n"
    "    do      zip\n"
    "\n"
    /* S1-23  not at night */
    "rule not-at-night\n"
    "    to      external\n"
    "    when    19:00-09:30\n"
    "    do      refuse \"社外への送信は9:30から19:00までです。\"\n"
    "\n"
    /* S1-24  by link, hint only; the administrator's hold (this file, must/) and the user's own combine */
    "rule files-by-link\n"
    "    file    any\n"
    "    do      link\n"
    "    do      password hint-only\n"
    "\n"
    "rule company-hold\n"
    "    to      external\n"
    "    do      hold 5m\n"
    "\n"
    /* S1-25 */
    "rule outside-files-by-link\n"
    "    to      external\n"
    "    file    any\n"
    "    do      link\n"
    "    do      password hint-only\n"
    "\n"
    /* S1-26  checked for the customer, and the customer sees by whom */
    "rule checked-for-customer\n"
    "    to      list important-customers\n"
    "    do      approve by any of group checkers\n"
    "    do      insert end history\n"
    "\n"
    /* S1-27 */
    "rule quotations\n"
    "    words   \"見積書\"   in subject, body, names, files\n"
    "    do      approve by any of group quotation-approvers\n"
    "\n"
    /* S1-28 */
    "rule card-numbers\n"
    "    pii     card >= 1   in files\n"
    "    do      refuse \"添付ファイルにクレジットカード番号が含まれています。\"\n"
    "\n"
    /* S1-29  learning to write */
    "rule newcomers-are-read\n"
    "    from    group newcomers, group temps\n"
    "    do      approve by any of group mentors\n"
    "\n"
    /* S1-30 */
    "rule three-files\n"
    "    files   >= 3\n"
    "    do      refuse \"添付ファイルは2個までです。\"\n"
    "\n"
    /* S1-31 */
    "rule nameless-file\n"
    "    file    nameless\n"
    "    do      hold until confirmed\n"
    "\n"
    /* S1-32  every refusal goes to internal audit; the sender hears nothing */
    "rule refusals-to-audit\n"
    "    always\n"
    "    do      bounce nobody\n"
    "    do      forward refused internal-audit@example.co.jp\n"
    "\n"
    /* S0-37 ①  hold and stagger together */
    "rule case-1\n"
    "    to      external\n"
    "    do      hold 10m\n"
    "    do      stagger 60m\n"
    "\n"
    /* S0-37 ② */
    "rule case-2\n"
    "    to      external\n"
    "    file    any\n"
    "    do      zip twice\n"
    "    do      password random-10\n"
    "\n"
    /* S0-37 ③ */
    "rule case-3\n"
    "    to      external\n"
    "    files   size >= 2MB\n"
    "    do      link\n"
    "\n"
    /* S0-37 ④ */
    "rule case-4\n"
    "    visible external >= 10\n"
    "    do      bcc all\n"
    "\n"
    /* S2-67, S2-69, S2-24, S4-06, S4-08, shipped fail-closed rule, and things admins ask for */
    "rule not-at-night-2\n"
    "    to      external\n"
    "    when    19:00-09:00\n"
    "    do      refuse \"営業時間外です。\"\n"
    "\n"
    "rule ten-megabyte-mail\n"
    "    message size >= 10MB\n"
    "    do      refuse \"10MB以上のメールは送れません。\"\n"
    "\n"
    "rule always-bcc\n"
    "    to      external\n"
    "    do      bcc all\n"
    "    do      add bcc boss\n"
    "\n"
    "rule self-check\n"
    "    to      external\n"
    "    do      hold until checked\n"
    "\n"
    "rule machines-do-not-wait\n"
    "    from    list machines, <>\n"
    "    do      hold no\n"
    "    do      approve no\n"
    "    do      notice never\n"
    "\n"
    "rule cannot-look-inside\n"
    "    message uninspectable\n"
    "    do      hold for operator\n"
    "\n"
    "rule late-mail-leaves-in-the-morning\n"
    "    to      external\n"
    "    when    22:00-07:00, Sat-Sun, holiday\n"
    "    do      hold until 09:00 workday\n"
    "\n"
    "rule look-alike shadow\n"
    "    to      lookalike\n"
    "    do      hold until confirmed\n"
    "\n"
    "rule forgot-the-file\n"
    "    to      external\n"
    "    message promises-file\n"
    "    do      hold until confirmed\n"
    "\n"
    "rule somebody-elses-name\n"
    "    from    mismatched\n"
    "    do      hold for operator\n";
/* clang-format on */

#define EXAMPLE_RULES 58

/* Each rule written again in one way. */
static bool write_again(void *context, const struct rule *rule, struct conf_fault *fault)
{
	struct buf *out = context;

	(void)fault;
	buf_addf(out, "rule %s%s\n", rule->name, rule->shadow ? " shadow" : "");
	for (size_t i = 0; i < rule->conditions; i++) {
		buf_add_text(out, " ");
		rule_condition_show(&rule->condition[i], false, out);
		buf_add_text(out, "\n");
	}
	for (size_t i = 0; i < rule->actions; i++)
		buf_addf(out, " do %s\n", rule->action[i].written);
	return true;
}

static void parse(const char *bytes, size_t len, const char *file, struct buf *out)
{
	struct arena *arena = arena_new(ARENA);
	struct conf_fault fault;
	char said[512] = "";
	enum policy_layer layer = strstr(file, "-user-") != NULL ? LAYER_USER : LAYER_MUST;

	assert_non_null(arena);
	buf_init(out, 1024 * 1024);
	if (!rules_parse(arena, bytes, len, file, layer, NULL, NULL, write_again, out, &fault))
		conf_fault_show(&fault, said, sizeof said);
	assert_string_equal(said, "");
	assert_true(buf_ok(out));
	arena_free(arena);
}

/* What was written again is read, and written the same. */
static size_t round_trip(const char *bytes, size_t len, const char *file)
{
	struct buf once, twice;
	size_t rules = 0;

	parse(bytes, len, file, &once);
	parse(once.bytes, once.len, file, &twice);
	assert_int_equal(once.len, twice.len);
	assert_memory_equal(once.bytes, twice.bytes, once.len);
	for (size_t i = 0; i < once.len; i++)
		rules += (i == 0 || once.bytes[i - 1] == '\n') && once.bytes[i] == 'r';
	buf_free(&once);
	buf_free(&twice);
	return rules;
}

static void every_example_is_read(void **state)
{
	(void)state;
	assert_int_equal(
	    round_trip(examples, sizeof examples - 1, "must/50-examples"), EXAMPLE_RULES);
}

static void read_example(const char *name)
{
	char path[512], bytes[65536];
	FILE *file;
	size_t len;

	(void)snprintf(path, sizeof path, EXAMPLES "/%s", name);
	file = fopen(path, "re");
	assert_non_null(file);
	len = fread(bytes, 1, sizeof bytes, file);
	(void)fclose(file);
	assert_true(len < sizeof bytes);
	assert_true(round_trip(bytes, len, name) > 0);
}

/* S1-01 to S1-32, S0-37, S2-62 to S2-69 as files. */
static void every_shipped_example_is_read(void **state)
{
	DIR *folder = opendir(EXAMPLES);
	const struct dirent *entry;
	size_t n = 0;

	(void)state;
	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] != 'S')
			continue;
		read_example(entry->d_name);
		n++;
	}
	(void)closedir(folder);
	assert_true(n >= 32 + 4 + 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_example_is_read),
	    cmocka_unit_test(every_shipped_example_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
