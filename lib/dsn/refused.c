/* The words about a mail that our own rules refused: to its sender, and to an auditor. */
#include <string.h>

#include "lib/dsn/letter.h"
#include "lib/dsn/part.h"

#define SHOWN_ADDRESS_MAX 330
#define SHOWN_NAME_MAX    300
#define WHY_LINES_MAX     40

enum { JA, EN, LANGUAGES };

static const struct phrases {
	const char *hello[2]; /* around our name */
	const char *intro;
	const char *arrived;
	const char *why;
	const char *to;
	const char *more[2]; /* around a number */
	const char *next;
	const char *id;
	const char *full;
	const char *header;
	const char *cut;
} phrases[LANGUAGES] = {
    [JA] = {.hello = {"（English follows.）\r\n\r\nこれは、メールゲートウェイ ",
		" からの自動のお知らせです。\r\n"},
	.intro = "お送りになったメールは、組織のルールにより送信されませんでした。\r\n"
		 "次のどの宛先にも、何も送られていません。",
	.arrived = "メールの受付",
	.why = "理由",
	.to = "宛先",
	.more = {"ほかに ", " 件の宛先があります。二つ目の添付（配送状況）に載っています。\r\n"},
	.next = "  次にすること: 理由に合わせてメールを直し、送り直してください。わからないときは、"
		"次の番号を添えて管理者にお尋ねください。\r\n",
	.id = "番号",
	.full = "お送りになったメールを添付しています。\r\n",
	.header = "お送りになったメールのヘッダーを添付しています。\r\n",
	.cut = "お送りになったメールは、大きさか形式のために全文を添付できません。ヘッダーだけを"
	       "添付しています。\r\n"},
    [EN] = {.hello = {"This is an automatic notice from the mail gateway ", ".\r\n"},
	.intro = "Your mail was refused by the rules of your organisation.\r\n"
		 "Nothing was sent to anybody: none of the following recipients got it.",
	.arrived = "Your mail arrived here",
	.why = "Why",
	.to = "To",
	.more = {"There are ", " more recipients: see the second part, the delivery status.\r\n"},
	.next = "  What to do: please change the mail so that the reason is gone, and send it "
		"again. If that does not help, show this number to your administrator.\r\n",
	.id = "Number",
	.full = "Your mail is attached.\r\n",
	.header = "The header of your mail is attached.\r\n",
	.cut = "Your mail cannot be attached as a whole, for its size or its format. Its header "
	       "is.\r\n"},
};

static bool visible(const char *text)
{
	return text != NULL && text[strspn(text, " \t\r\n")] != '\0';
}

/* "  LABEL: TEXT", if there is any. */
static void add_line(struct buf *text, const char *label, const char *value, size_t most)
{
	if (!visible(value))
		return;
	buf_addf(text, "  %s: ", label);
	part_seen(text, value, most);
	buf_add_text(text, "\r\n");
}

static void add_why(struct buf *text, const char *label, const char *why)
{
	if (!visible(why))
		return;
	buf_addf(text, "  %s:\r\n", label);
	part_quoted(text, why, DSN_WHY_MAX, WHY_LINES_MAX);
}

/* ---- to the sender ------------------------------------------------------------------------ */

static void add_language(
    struct buf *text, int language, const struct dsn *dsn, const struct dsn_form *form)
{
	const struct phrases *p = &phrases[language];
	size_t shown = dsn->rcpts < DSN_SHOWN_MAX ? dsn->rcpts : DSN_SHOWN_MAX;
	char host[PART_HOST_MAX + 1];

	part_host(dsn, host);
	buf_addf(text, "%s%s%s", p->hello[0], host, p->hello[1]);
	part_time(text, p->arrived, dsn->arrived);
	buf_addf(text, "\r\n%s\r\n\r\n", p->intro);
	add_why(text, p->why, dsn->refusal->why);
	for (size_t i = 0; i < shown; i++)
		add_line(text, p->to, dsn->rcpt[i].final, SHOWN_ADDRESS_MAX);
	if (shown < dsn->rcpts)
		buf_addf(text, "%s%zu%s", p->more[0], dsn->rcpts - shown, p->more[1]);
	buf_add_text(text, p->next);
	add_line(text, p->id, dsn->refusal->id, SHOWN_NAME_MAX);
	buf_addf(text, "\r\n%s", form->full ? p->full : form->cut ? p->cut : p->header);
}

void part_refused(const struct dsn *dsn, const struct dsn_form *form, struct buf *text)
{
	add_language(text, JA, dsn, form);
	buf_add_text(text, "\r\n----------------------------------------\r\n\r\n");
	add_language(text, EN, dsn, form);
}

/* ---- to an auditor ------------------------------------------------------------------------ */

/* Once for both languages: there may be many recipients. */
static void add_facts(struct buf *text, const struct letter_refused *r)
{
	size_t shown = r->rcpts < LETTER_RCPTS_SHOWN ? r->rcpts : LETTER_RCPTS_SHOWN;

	add_line(text, "差出人 / From", visible(r->from) ? r->from : "<>", SHOWN_ADDRESS_MAX);
	for (size_t i = 0; i < shown; i++)
		add_line(text, "宛先 / To", r->rcpt[i], SHOWN_ADDRESS_MAX);
	if (shown < r->rcpts)
		buf_addf(
		    text, "  ほかに %zu 件 / and %zu more\r\n", r->rcpts - shown, r->rcpts - shown);
	add_why(text, "理由 / Why", r->why);
	add_line(text, "ルール / Rule", r->name, SHOWN_NAME_MAX);
	add_line(text, "ルールの場所 / Where", r->where, SHOWN_NAME_MAX);
	part_time(text, "  受付 / Arrived", r->accepted);
	part_time(text, "  拒否 / Refused", r->refused);
	add_line(text, "番号 / Id", r->id, SHOWN_NAME_MAX);
	add_line(text, "接続元 / Client", r->client, 2 * SHOWN_NAME_MAX);
}

static const char *const attached[][LANGUAGES] = {
    [LETTER_PLAIN] = {"", ""},
    [LETTER_MAIL] = {"そのメールを添付しています。", "It is attached."},
    [LETTER_FILE] = {"そのメールはメールの形式に合わないため、ファイルとして添付しています。",
	"It is attached as a file, since it breaks the rules of the mail format."},
    [LETTER_HEADER] = {"そのメールは大きすぎるため、ヘッダーだけを添付しています。全文は、"
		       "管理者が番号から取り出せます。",
	"It is too large to be attached; its header is. An administrator can get all of it by its "
	"id."},
};

void letter_refused_words(const struct letter_refused *r, enum letter_kind kind, struct buf *text)
{
	const struct dsn ours = {.mta = r->mta};
	char host[PART_HOST_MAX + 1];

	part_host(&ours, host);
	buf_addf(text,
	    "（English follows.）\r\n\r\n"
	    "これは、メールゲートウェイ %s からの自動のお知らせです。\r\n"
	    "次のメールは、組織のルールにより拒否され、どの宛先にも送られていません。%s\r\n\r\n",
	    host, attached[kind][JA]);
	add_facts(text, r);
	buf_addf(text,
	    "\r\n----------------------------------------\r\n\r\n"
	    "This is an automatic notice from the mail gateway %s.\r\n"
	    "The mail that is described above was refused by the rules of your organisation. "
	    "Nothing was sent to anybody. %s\r\n",
	    host, attached[kind][EN]);
}
