#include "lib/smtp/command.h"

#include <string.h>

#include "lib/smtp/address.h"
#include "lib/smtp/params.h"

#define BAD_FROM   "501 5.1.7 malformed sender address"
#define BAD_TO     "501 5.1.3 malformed recipient address"
#define NEEDS_UTF8 "553 5.6.7 this address needs SMTPUTF8"

enum verb command_verb(const char *line, size_t len, size_t *argument)
{
	static const struct {
		const char *word;
		enum verb verb;
	} words[] = {
	    {"HELO", VERB_HELO},
	    {"EHLO", VERB_EHLO},
	    {"MAIL", VERB_MAIL},
	    {"RCPT", VERB_RCPT},
	    {"DATA", VERB_DATA},
	    {"RSET", VERB_RSET},
	    {"NOOP", VERB_NOOP},
	    {"QUIT", VERB_QUIT},
	    {"VRFY", VERB_VRFY},
	    {"EXPN", VERB_EXPN},
	    {"HELP", VERB_HELP},
	    {"ETRN", VERB_ETRN},
	    {"TURN", VERB_TURN},
	    {"BDAT", VERB_BDAT},
	    {"STARTTLS", VERB_STARTTLS},
	    {"AUTH", VERB_AUTH},
	    {"GET", VERB_HTTP},
	    {"POST", VERB_HTTP},
	    {"HEAD", VERB_HTTP},
	    {"PUT", VERB_HTTP},
	    {"CONNECT", VERB_HTTP},
	    {"OPTIONS", VERB_HTTP},
	    {"DELETE", VERB_HTTP},
	    {"PATCH", VERB_HTTP},
	    {"TRACE", VERB_HTTP},
	    {"PRI", VERB_HTTP},
	};
	size_t word = 0;

	/* A tab is no separator, but the verb before it must be known for what it is. */
	while (word < len && line[word] != ' ' && line[word] != '\t')
		word++;
	*argument = word;
	while (*argument < len && line[*argument] == ' ')
		(*argument)++;

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (word_is(line, word, words[i].word))
			return words[i].verb;
	}
	return VERB_UNKNOWN;
}

bool command_plain(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line[i];

		if (c < 0x20 || c >= 0x7f)
			return false;
	}
	return true;
}

/*
 * Takes "FROM:<path>" or "TO:<path>" off the front. Spaces behind the colon are not in the grammar,
 * but too many office machines write them.
 */
static bool take_path(const char **at, size_t *len, const char *word, struct path *path)
{
	size_t n = strlen(word);
	size_t whole;

	if (*len < n || !word_is(*at, n, word))
		return false;
	while (n < *len && (*at)[n] == ' ')
		n++;

	whole = address_path(*at + n, *len - n);
	if (whole == 0)
		return false;
	path->text = *at + n + 1;
	path->len = whole - 2;
	*at += n + whole;
	*len -= n + whole;
	return true;
}

static const char *judge(struct path *path, bool utf8, const char *malformed)
{
	size_t shorter;

	switch (address_check(path->text, path->len, utf8, &path->domain)) {
	case ADDRESS_OK:
		shorter = path->len - address_plain(path->text, path->len, path->plain);
		path->text = path->plain;
		path->len -= shorter;
		path->domain -= shorter;
		return NULL;
	case ADDRESS_NEEDS_UTF8:
		return NEEDS_UTF8;
	case ADDRESS_MALFORMED:
		return malformed;
	}
	return malformed;
}

/* ---- MAIL ---- */

static const char *mail_size(struct mail *m, const struct param *p)
{
	if (m->size >= 0)
		return BAD_TWICE;
	m->size = p->value != NULL ? param_number(p->value, p->value_len) : -1;
	return m->size < 0 ? BAD_NUMBER : NULL;
}

static const char *mail_body(struct mail *m, const struct param *p)
{
	if (m->body != BODY_UNSAID)
		return BAD_TWICE;
	if (p->value != NULL && word_is(p->value, p->value_len, "7BIT"))
		m->body = BODY_7BIT;
	else if (p->value != NULL && word_is(p->value, p->value_len, "8BITMIME"))
		m->body = BODY_8BITMIME;
	return m->body == BODY_UNSAID ? BAD_VALUE : NULL;
}

static const char *mail_ret(struct mail *m, const struct param *p)
{
	if (m->ret != RET_UNSAID)
		return BAD_TWICE;
	if (p->value != NULL && word_is(p->value, p->value_len, "FULL"))
		m->ret = RET_FULL;
	else if (p->value != NULL && word_is(p->value, p->value_len, "HDRS"))
		m->ret = RET_HDRS;
	return m->ret == RET_UNSAID ? BAD_VALUE : NULL;
}

static const char *mail_envid(struct mail *m, const struct param *p)
{
	if (m->has_envid)
		return BAD_TWICE;
	if (p->value == NULL || p->value_len > ENVID_MAX ||
	    !param_xtext(p->value, p->value_len, false, m->envid, &m->envid_len))
		return BAD_VALUE;
	m->has_envid = true;
	return NULL;
}

static const char *mail_utf8(struct mail *m, const struct param *p)
{
	if (m->utf8)
		return BAD_TWICE;
	m->utf8 = true;
	return p->value != NULL ? BAD_VALUE : NULL;
}

/* RFC 4954 section 5: who wrote it first. Only a trusted server could tell; nobody is believed. */
static const char *mail_auth(struct mail *m, const struct param *p)
{
	char said[AUTH_SAID_MAX];
	size_t len;

	if (m->has_auth)
		return BAD_TWICE;
	m->has_auth = true;
	return p->value == NULL || p->value_len > sizeof said ||
		       !param_xtext(p->value, p->value_len, false, said, &len)
		   ? BAD_VALUE
		   : NULL;
}

static const char *mail_param(struct mail *m, const struct param *p)
{
	static const struct {
		const char *name;
		const char *(*take)(struct mail *, const struct param *);
	} known[] = {{"SIZE", mail_size}, {"BODY", mail_body}, {"SMTPUTF8", mail_utf8},
	    {"RET", mail_ret}, {"ENVID", mail_envid}, {"AUTH", mail_auth}};

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (word_is(p->name, p->name_len, known[i].name))
			return known[i].take(m, p);
	}
	return BAD_UNKNOWN;
}

const char *command_mail(const char *argument, size_t len, struct mail *mail)
{
	const char *refusal = NULL;
	struct param p;
	int more;

	*mail = (struct mail){.size = -1};
	if (!take_path(&argument, &len, "FROM:", &mail->from))
		return SYNTAX_MAIL;

	while ((more = params_next(&argument, &len, &p)) > 0 && refusal == NULL)
		refusal = mail_param(mail, &p);
	if (more < 0)
		return BAD_VALUE;
	if (refusal != NULL)
		return refusal;

	return mail->from.len > 0 ? judge(&mail->from, mail->utf8, BAD_FROM) : NULL;
}

/* ---- RCPT ---- */

static const char *rcpt_notify(struct rcpt *r, const struct param *p)
{
	static const struct {
		const char *word;
		unsigned bit;
	} words[] = {{"NEVER", NOTIFY_NEVER}, {"SUCCESS", NOTIFY_SUCCESS},
	    {"FAILURE", NOTIFY_FAILURE}, {"DELAY", NOTIFY_DELAY}};
	const char *at = p->value;
	size_t left = p->value_len;

	if (r->notify != 0)
		return BAD_TWICE;
	while (at != NULL) {
		const char *comma = memchr(at, ',', left);
		size_t n = comma != NULL ? (size_t)(comma - at) : left;
		unsigned bit = 0;

		for (size_t i = 0; i < COUNT_OF(words); i++) {
			if (word_is(at, n, words[i].word))
				bit = words[i].bit;
		}
		if (bit == 0 || (r->notify & bit) != 0)
			return BAD_VALUE;
		r->notify |= bit;
		left -= comma != NULL ? n + 1 : 0;
		at = comma != NULL ? comma + 1 : NULL;
	}

	if (r->notify == 0)
		return BAD_VALUE;
	return (r->notify & NOTIFY_NEVER) != 0 && r->notify != NOTIFY_NEVER ? BAD_VALUE : NULL;
}

/* "type;xtext" (RFC 3461 section 4.2); the type is an atom. */
static const char *rcpt_orcpt(struct rcpt *r, const struct param *p, bool utf8)
{
	const char *semicolon = p->value != NULL ? memchr(p->value, ';', p->value_len) : NULL;
	size_t type;

	if (r->has_orcpt)
		return BAD_TWICE;
	if (semicolon == NULL || semicolon == p->value || p->value_len > ORCPT_MAX)
		return BAD_VALUE;

	type = (size_t)(semicolon - p->value);
	for (size_t i = 0; i < type; i++) {
		char c = p->value[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    c != '-')
			return BAD_VALUE;
	}
	memcpy(r->orcpt, p->value, type + 1);
	if (!param_xtext(p->value + type + 1, p->value_len - type - 1, utf8, r->orcpt + type + 1,
		&r->orcpt_len))
		return BAD_VALUE;
	r->orcpt_len += type + 1;
	r->has_orcpt = true;
	return NULL;
}

static const char *rcpt_param(struct rcpt *r, const struct param *p, bool utf8)
{
	if (word_is(p->name, p->name_len, "NOTIFY"))
		return rcpt_notify(r, p);
	if (word_is(p->name, p->name_len, "ORCPT"))
		return rcpt_orcpt(r, p, utf8);
	return BAD_UNKNOWN;
}

const char *command_rcpt(const char *argument, size_t len, bool utf8, struct rcpt *rcpt)
{
	const char *refusal = NULL;
	struct param p;
	int more;

	*rcpt = (struct rcpt){0};
	if (!take_path(&argument, &len, "TO:", &rcpt->to))
		return SYNTAX_RCPT;

	while ((more = params_next(&argument, &len, &p)) > 0 && refusal == NULL)
		refusal = rcpt_param(rcpt, &p, utf8);
	if (more < 0)
		return BAD_VALUE;
	if (refusal != NULL)
		return refusal;

	rcpt->postmaster = word_is(rcpt->to.text, rcpt->to.len, "postmaster");
	return rcpt->postmaster ? NULL : judge(&rcpt->to, utf8, BAD_TO);
}
