/* The weekly report, as people read it. */
#include <errno.h>

#include "lib/past/past.h"

#define SHOWN 200 /* rows of one kind; a person reads no more */

static void put_number(struct buf *out, const char *ja, const char *en, uint64_t number)
{
	buf_addf(out, "  %s (%s): %llu\n", ja, en, (unsigned long long)number);
}

/* Rules may be written in any way, but a report is lines. */
static void put_text(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		char c = (unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text;

		buf_add(out, &c, 1);
	}
}

static void put_row(struct buf *out, const struct past_row *row)
{
	buf_addf(
	    out, "  %llu / %llu  ", (unsigned long long)row->mails, (unsigned long long)row->rcpts);
	put_text(out, row->function);
	buf_add_text(out, " ");
	put_text(out, row->outcome);
	buf_add_text(out, "  <- ");
	put_text(out, row->where);
	buf_add_text(out, " ");
	put_text(out, row->rule);
	buf_add_text(out, "\n");
}

static void put_rows(struct buf *out, const struct past_rows *rows, enum past_kind kind,
    const char *heading, const char *none)
{
	size_t shown = 0, more = 0;

	buf_add_text(out, heading);
	for (size_t i = 0; i < rows->rows; i++) {
		if (rows->row[i].kind != kind)
			continue;
		if (shown == SHOWN) {
			more++;
			continue;
		}
		put_row(out, &rows->row[i]);
		shown++;
	}
	if (shown == 0)
		buf_add_text(out, none);
	if (more > 0)
		buf_addf(out, "  … %zu: seki report\n", more);
	buf_add_text(out, "\n");
}

static bool has(const struct past_rows *rows, enum past_kind kind)
{
	for (size_t i = 0; i < rows->rows; i++) {
		if (rows->row[i].kind == kind)
			return true;
	}
	return false;
}

static void put_report(struct buf *out, const struct past_rows *rows)
{
	buf_addf(out, "%s から %s まで / %s to %s\n\n", rows->from, rows->to, rows->from, rows->to);
	put_number(out, "判定したメール", "mails judged", rows->judged);
	put_number(out, "送信単位", "legs", rows->legs);
	put_number(out, "送信拒否", "refused", rows->refused);
	put_number(out, "保留", "held", rows->held);
	buf_add_text(out,
	    "\n一行は「メール数 / 宛先数  処理  <- ルールの場所と名前」です。\n"
	    "A line is: mails / recipients  what  <- where the rule stands, its name.\n\n");

	put_rows(out, rows, PAST_SHADOW,
	    "■ shadow のルールが有効なら行われた処理\n"
	    "■ What shadow rules would have done\n",
	    "  なし / none\n");
	put_rows(out, rows, PAST_WATCH,
	    "■ watch-only でなければ行われた処理\n"
	    "■ What rules would have done but for watch-only\n",
	    "  なし / none\n");
	if (has(rows, PAST_DID))
		put_rows(out, rows, PAST_DID,
		    "■ ルールにより行われた処理\n"
		    "■ What rules did\n",
		    "");
}

bool past_report(unsigned days, struct buf *text, int64_t patience)
{
	struct past_rows *rows = past_rows(days, false, patience);

	if (rows == NULL)
		return false;
	put_report(text, rows);
	past_rows_free(rows);
	if (buf_ok(text))
		return true;
	errno = ENOMEM;
	return false;
}
