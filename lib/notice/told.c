#include "lib/notice/told.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/clock.h"
#include "lib/mime/address.h"
#include "lib/mime/field.h"
#include "lib/mime/utf8.h"
#include "lib/mime/word.h"

#define DECODED_MAX ((size_t)64 * 1024) /* of a field; of what is longer the beginning counts */

struct told_text {
	struct told_text *next;
	char bytes[];
};

/* ---- what can be seen --------------------------------------------------------------------- */

/* Drawn as nothing, or turning round what follows it. */
static bool hidden(uint32_t point)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {{0xad, 0xad}, {0x34f, 0x34f}, {0x61c, 0x61c}, {0x115f, 0x1160},
	    {0x17b4, 0x17b5}, {0x180b, 0x180e}, {0x200b, 0x200f}, {0x202a, 0x202e},
	    {0x2060, 0x206f}, {0x3164, 0x3164}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
	    {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0x1d173, 0x1d17a}, {0xe0000, 0xe007f}};

	for (size_t i = 0; i < COUNT_OF(ranges); i++) {
		if (point >= ranges[i].first && point <= ranges[i].last)
			return true;
	}
	return false;
}

/* Controls, ends of lines, and every blank but that of Japanese. */
static bool blank(uint32_t point)
{
	return point <= ' ' || (point >= 0x7f && point <= 0xa0) ||
	       (point != 0x3000 && !hidden(point) && utf8_unseen(point));
}

/* In place: it never grows. Nothing is left of a text of blanks. */
static void make_seen(char *text)
{
	size_t len = strlen(text), written = 0;

	for (size_t at = 0, step; at < len; at += step) {
		uint32_t point = 0;

		step = utf8_step(text + at, len - at, &point);
		if (step == 0) {
			text[written++] = '?';
			step = 1;
		} else if (blank(point)) {
			if (written > 0)
				text[written++] = ' ';
		} else if (!hidden(point)) {
			memmove(text + written, text + at, step);
			written += step;
		}
	}
	while (written > 0 && text[written - 1] == ' ')
		written--;
	text[written] = '\0';
}

/* A time of records, as people tell it. */
static bool make_time(const char *text, char shown[LETTER_TIME])
{
	size_t len = strlen(text);
	int64_t time = len == CLOCK_TEXT - 1 ? clock_parse(text, len) : -1;

	return time > 0 && letter_time(time, shown);
}

/* ---- variables ---------------------------------------------------------------------------- */

/* Adds a value, cut to its bound and made visible. False with errno. */
static bool add(struct told *told, const char *name, const char *value)
{
	char shown[LETTER_TIME];
	struct told_text *text;
	size_t len;

	if (value == NULL)
		value = "";
	else if (make_time(value, shown))
		value = shown;
	len = notice_value_length(value);
	text = malloc(sizeof *text + len + 1);
	if (text == NULL)
		return false;
	memcpy(text->bytes, value, len);
	text->bytes[len] = '\0';
	make_seen(text->bytes);
	text->next = told->texts;
	told->texts = text;
	/* With too many names something is not shown. */
	if (!notice_vars_add(told->vars, name, text->bytes))
		text->bytes[0] = '\0';
	return true;
}

bool told_begin(
    struct told *told, const struct notice_config *config, const struct notice_request *request)
{
	*told = (struct told){.config = config, .request = request};
	buf_init(&told->subject, SIZE_MAX); /* a letter cuts it */
	buf_init(&told->text, LETTER_TEXT_MAX);
	told->vars = calloc(1, sizeof *told->vars);
	if (told->vars == NULL)
		return false;
	for (size_t i = 0; i < request->vars->lists; i++) {
		const struct notice_list *list = &request->vars->list[i];

		for (size_t row = 0; row < list->values; row++) {
			if (!add(told, list->name, list->value[row]))
				return false;
		}
	}
	return true;
}

void told_free(struct told *told)
{
	while (told->texts != NULL) {
		struct told_text *next = told->texts->next;

		free(told->texts);
		told->texts = next;
	}
	free(told->vars);
	buf_free(&told->subject);
	buf_free(&told->text);
}

static bool given(const struct told *told, const char *name)
{
	return notice_vars_find(told->vars, name, strlen(name)) != NULL;
}

/* ---- the mail's own ----------------------------------------------------------------------- */

/* A field that holds text; the first of its name counts. */
static bool add_field(struct told *told, const char *name, const struct field *field)
{
	struct buf text;
	char *value = NULL;
	bool fine;

	buf_init(&text, DECODED_MAX);
	/* Without room for all of it the beginning is there, which is all that is shown. */
	if (!word_decode(field->body, field->body_len, &text, NULL) && text.len == 0) {
		buf_free(&text);
		return false;
	}
	value = strndup(text.len > 0 ? text.bytes : "", text.len);
	fine = value != NULL && add(told, name, value);
	free(value);
	buf_free(&text);
	return fine;
}

struct people {
	struct told *told;
	const char *name;
	bool failed;
};

static bool add_person(void *context, const struct address *address)
{
	struct people *people = context;
	struct buf text;

	if (address->text[0] == '\0' && address->name[0] == '\0')
		return true;
	buf_init(&text, ADDRESS_TEXT_MAX + ADDRESS_NAME_MAX + 16);
	if (address->text[0] == '\0' || address->name[0] == '\0')
		buf_addf(&text, "%s%s", address->name, address->text);
	else
		buf_addf(&text, "%s <%s>", address->name, address->text);
	buf_add(&text, "", 1);
	people->failed = !buf_ok(&text) || !add(people->told, people->name, text.bytes);
	buf_free(&text);
	return !people->failed;
}

static bool add_people(struct told *told, const char *name, const struct field *field)
{
	struct people people = {.told = told, .name = name};
	unsigned flags;

	return addresses_read(field->body, field->body_len, add_person, &people, &flags) &&
	       !people.failed;
}

static const struct own {
	const char *field, *name;
	bool people;
} owns[] = {{"Subject", "subject", false}, {"Date", "date", false}, {"From", "from", true},
    {"To", "to", true}, {"Cc", "cc", true}};

static bool add_fields(struct told *told, const struct buf *header)
{
	bool skip[COUNT_OF(owns)];
	struct field field;
	size_t at = 0;

	for (size_t i = 0; i < COUNT_OF(owns); i++)
		skip[i] = given(told, owns[i].name);
	while (field_next(header->bytes, header->len, &at, &field)) {
		for (size_t i = 0; i < COUNT_OF(owns); i++) {
			if (skip[i] || !field_is(&field, owns[i].field))
				continue;
			if (owns[i].people ? !add_people(told, owns[i].name, &field)
					   : !add_field(told, owns[i].name, &field))
				return false;
			skip[i] = !owns[i].people;
		}
	}
	return true;
}

static bool add_header(struct told *told, const struct leg *leg, int fd)
{
	struct buf header;
	bool fine;

	buf_init(&header, SIZE_MAX);
	fine =
	    letter_read_header(fd, leg->content, leg->size, &header) && add_fields(told, &header);
	buf_free(&header);
	return fine;
}

static bool add_rcpts(struct told *told, const struct leg *leg)
{
	for (size_t i = 0; i < leg->rcpts; i++) {
		if (leg->rcpt[i].fate != RCPT_DROPPED && !add(told, "rcpt", leg->rcpt[i].address))
			return false;
	}
	return true;
}

bool told_leg(struct told *told, const struct leg *leg, int fd, bool header)
{
	char accepted[CLOCK_TEXT];

	clock_format(leg->accepted, accepted);
	if (!given(told, "accepted") && !add(told, "accepted", accepted))
		return false;
	if (!given(told, "sender") && !add(told, "sender", leg->from))
		return false;
	if (!given(told, "rcpt") && !add_rcpts(told, leg))
		return false;
	return !header || add_header(told, leg, fd);
}

/* ---- the words ---------------------------------------------------------------------------- */

/* How much at `text` answers or passes on: "Re: ", "Fwd:", "返信："; 0: nothing. */
static size_t reply_word(const char *text)
{
	static const char *const words[] = {"re", "fw", "fwd", "返信", "転送"};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		size_t len = strlen(words[i]);

		if (strncasecmp(text, words[i], len) != 0)
			continue;
		if (text[len] == ':')
			len++;
		else if (strncmp(text + len, "：", strlen("：")) == 0)
			len += strlen("：");
		else
			continue;
		return len + strspn(text + len, " ");
	}
	return 0;
}

/* How much at `text` one of the two languages puts before a subject; 0: nothing. */
static size_t own_prefix(const struct told *told, const char *text)
{
	for (size_t i = 0; i < NOTICE_LANGUAGES; i++) {
		const char *prefix = "";
		size_t len =
		    template_prefix(&told->config->templates.of[i][told->request->kind], &prefix);

		while (len > 0 && prefix[len - 1] == ' ')
			len--;
		if (len > 0 && strncmp(text, prefix, len) == 0)
			return len + strspn(text + len, " ");
	}
	return 0;
}

/* The mail's subject without what we have put before it already, be it behind a "Re:". */
static void add_once(const struct told *told, const char *subject, struct buf *out)
{
	for (size_t len; *subject != '\0'; subject += len) {
		len = reply_word(subject);
		buf_add(out, subject, len);
		if (len == 0)
			len = own_prefix(told, subject);
		if (len == 0)
			break;
	}
	buf_add_text(out, subject);
	buf_add(out, "", 1);
}

static bool write_subject(struct told *told, const struct notice_template *t)
{
	const char *subject = notice_vars_value(told->vars, "subject", strlen("subject"), 0);
	struct buf once;
	bool fine;

	buf_init(&once, NOTICE_VALUE_MAX + 1);
	add_once(told, subject != NULL ? subject : "", &once);
	fine = buf_ok(&once) && template_subject(t, told->vars, once.bytes, &told->subject);
	buf_add(&told->subject, "", 1);
	buf_free(&once);
	return fine && buf_ok(&told->subject);
}

bool told_write(struct told *told, enum letter_kind attached)
{
	const struct notice_request *request = told->request;
	size_t language = request->english ? NOTICE_EN : NOTICE_JA;
	const struct notice_template *t = &told->config->templates.of[language][request->kind];
	const char *how = attached == LETTER_HEADER ? "header-only" : "attached";

	buf_clear(&told->subject);
	buf_clear(&told->text);
	errno = ENOMEM;
	if (attached != LETTER_PLAIN && !given(told, how) && !add(told, how, "yes"))
		return false;
	if (!given(told, "gateway") && !add(told, "gateway", told->config->mta))
		return false;
	return write_subject(told, t) && template_text(t, told->vars, LETTER_TEXT_MAX, &told->text);
}
