/*
 * Why a rule matched, in the reader's words. What seki-scan wrote is a list of fragments with ", " between them, each
 * of a form of its own: "card 14 (4111… …) in body, files". What is not known here is said as it is.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/web/pages_mail.h"
#include "lib/web/say.h"

#define FRAGMENT_MAX ((size_t)512) /* the whole is 300 bytes long at most */

struct known {
	const char *word, *said;
};

/* ---- whole fragments ------------------------------------------------------------------------ */

static const struct known wholes[] = {
    {"promises-file", N_("the text speaks of a file, and none is attached")},
    {"reply", N_("it is an answer to another mail")},
    {"automatic", N_("a program has written it")},
    {"encrypted", N_("it is encrypted")},
    {"signed", N_("it is signed")},
    {"first mail to him", N_("the first mail to this address")},
    {"the sender is not registered", N_("its sender is not registered")},
    {"a file without a name", N_("a file without a name")},
    {"company", N_("another company is named")},
};

/* ---- what begins with a word ---------------------------------------------------------------- */

static const struct known begun[] = {
    {"visible external", N_("{n} addresses outside in To and Cc")},
    {"visible affiliated", N_("{n} addresses of affiliated companies in To and Cc")},
    {"visible internal", N_("{n} addresses inside in To and Cc")},
    {"visible", N_("{n} addresses in To and Cc")},
    {"recipients external", N_("{n} recipients outside")},
    {"recipients affiliated", N_("{n} recipients in affiliated companies")},
    {"recipients internal", N_("{n} recipients inside")},
    {"recipients", N_("{n} recipients")},
    {"companies", N_("{n} companies")},
    {"files", N_("attachments: {n}")},
    {"message", N_("size of the mail: {n}")},
    {"hidden", N_("{n} recipients who stand in no header")},
    {"card", N_("credit card numbers: {n}")},
    {"mynumber", N_("My Numbers: {n}")},
    {"corporate", N_("corporate numbers: {n}")},
    {"phone", N_("telephone numbers: {n}")},
    {"address", N_("postal addresses: {n}")},
    {"mail", N_("mail addresses: {n}")},
    {"name", N_("names of persons: {n}")},
    {"regex", N_("a pattern that was found: {n}")},
};

static const struct known prefixes[] = {
    {"looks like ", N_("it looks like {what}")},
    {"company (", N_("another company is named ({what}")},
    {"uninspectable ", N_("it cannot be looked into ({what})")},
    {"virus ", N_("a virus: {what}")},
    {"ambiguous ", N_("programs may read it in different ways ({what})")},
    {"from ", N_("From: {what}")},
    {"sender ", N_("Sender: {what}")},
    {"reply-to ", N_("Reply-To: {what}")},
    {"to ", N_("To: {what}")},
    {"cc ", N_("Cc: {what}")},
};

/* How an address looks like another one: stands in brackets at the end. */
static const struct known looks[] = {
    {" (edit)", N_(" (a letter differs)")},
    {" (tld)", N_(" (the ending of the domain differs)")},
    {" (name)", N_(" (the same name elsewhere)")},
    {" (dormant)", N_(" (not written to for a long time)")},
};

static const struct known places[] = {
    {"subject", N_("the subject")},
    {"body", N_("the text")},
    {"names", N_("the names of files")},
    {"files", N_("the files")},
};

static const struct known days[] = {
    {"Mon ", N_("on Monday at {what}")},
    {"Tue ", N_("on Tuesday at {what}")},
    {"Wed ", N_("on Wednesday at {what}")},
    {"Thu ", N_("on Thursday at {what}")},
    {"Fri ", N_("on Friday at {what}")},
    {"Sat ", N_("on Saturday at {what}")},
    {"Sun ", N_("on Sunday at {what}")},
};

static const struct known *find(const struct known *table, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(table[i].word, word) == 0)
			return &table[i];
	}
	return NULL;
}

static const struct known *find_begin(const struct known *table, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++) {
		if (strncmp(table[i].word, text, strlen(table[i].word)) == 0)
			return &table[i];
	}
	return NULL;
}

/* ---- one fragment --------------------------------------------------------------------------- */

/* "{what} (edit)", with the brackets in the reader's words. */
static void say_look(struct buf *out, const struct known *prefix, char *what)
{
	for (size_t i = 0; i < COUNT_OF(looks); i++) {
		size_t len = strlen(what), end = strlen(looks[i].word);

		if (len > end && strcmp(what + len - end, looks[i].word) == 0) {
			what[len - end] = '\0';
			kit_phrase(out, say(prefix->said), "what", what, NULL);
			buf_add_text(out, say(looks[i].said));
			return;
		}
	}
	kit_phrase(out, say(prefix->said), "what", what, NULL);
}

/* " in PLACE": a place that is known, or the name of a file. */
static void say_place(struct buf *out, const char *place)
{
	const struct known *known = find(places, COUNT_OF(places), place);

	kit_phrase(
	    out, say(" (in {place})"), "place", known != NULL ? say(known->said) : place, NULL);
}

/* How long the number at `text` is, with its unit; 0: there is none. */
static size_t number_len(const char *text)
{
	static const char *const units[] = {" bytes", " KB", " MB"};
	size_t len = strspn(text, "0123456789.");

	for (size_t i = 0; len > 0 && i < COUNT_OF(units); i++) {
		if (strncmp(text + len, units[i], strlen(units[i])) == 0)
			return len + strlen(units[i]);
	}
	return len;
}

/* "card 14 (…) in body": a word that is known, a number, and then what was found and where. */
static bool say_counted(struct buf *out, const char *text)
{
	for (size_t i = 0; i < COUNT_OF(begun); i++) {
		size_t word = strlen(begun[i].word), len;
		char number[32];
		const char *rest, *in;

		if (strncmp(text, begun[i].word, word) != 0 || text[word] != ' ')
			continue;
		len = number_len(text + word + 1);
		rest = text + word + 1 + len;
		if (len == 0 || len >= sizeof number || (*rest != '\0' && *rest != ' '))
			continue;
		memcpy(number, text + word + 1, len);
		number[len] = '\0';
		kit_phrase(out, say(begun[i].said), "n", number, NULL);
		in = strstr(rest, " in ");
		buf_add(out, rest, in != NULL ? (size_t)(in - rest) : strlen(rest));
		if (in != NULL)
			say_place(out, in + strlen(" in "));
		return true;
	}
	return false;
}

static void say_fragment(struct buf *out, char *text)
{
	const struct known *known = find(wholes, COUNT_OF(wholes), text);
	const struct known *prefix = find_begin(prefixes, COUNT_OF(prefixes), text);
	const struct known *day = find_begin(days, COUNT_OF(days), text);

	if (known != NULL)
		buf_add_text(out, say(known->said));
	else if (say_counted(out, text))
		return;
	else if (prefix != NULL)
		say_look(out, prefix, text + strlen(prefix->word));
	else if (day != NULL && strlen(text) == strlen("Mon 09:12"))
		kit_phrase(out, say(day->said), "what", text + strlen(day->word), NULL);
	else
		buf_add_text(out, text);
}

/* ---- all of it ------------------------------------------------------------------------------ */

/* Where the fragment at `text` ends: at ", " outside brackets. */
static size_t fragment_len(const char *text)
{
	size_t depth = 0, i;

	for (i = 0; text[i] != '\0'; i++) {
		depth += text[i] == '(';
		depth -= text[i] == ')' && depth > 0;
		if (depth == 0 && text[i] == ',' && text[i + 1] == ' ')
			break;
	}
	return i;
}

void mail_evidence(struct buf *out, const char *evidence)
{
	bool placed = false; /* a place was said: a bare place behind it is one more */

	for (const char *at = evidence; *at != '\0';) {
		size_t len = fragment_len(at);
		char text[FRAGMENT_MAX];

		if (len >= sizeof text) {
			buf_add_text(out, at);
			return;
		}
		memcpy(text, at, len);
		text[len] = '\0';
		if (placed && find(places, COUNT_OF(places), text) != NULL) {
			say_place(out, text);
		} else {
			buf_add_text(out, at == evidence ? "" : say(", "));
			say_fragment(out, text);
			placed = strstr(text, " in ") != NULL;
		}
		at += len;
		at += strncmp(at, ", ", 2) == 0 ? 2 : 0;
	}
	buf_add_text(out, "");
}
