/* The second part, for programs: message/delivery-status (RFC 3464 section 2). */
#include <stdio.h>
#include <string.h>

#include "lib/dsn/part.h"
#include "lib/mime/utf8.h"

#define ADDRESS_MAX 800 /* as it is written here */
#define TYPE_MAX    32
#define ENVID_MAX   100 /* RFC 3461 section 4.4 */

bool part_ascii(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text >= 0x80)
			return false;
	}
	return true;
}

/* ---- status ---- */

/* "D.N.N": digits, each number of one to three of them (RFC 3463 section 2). */
static bool well_formed(const char *status)
{
	for (int i = 0; i < 3; i++) {
		size_t digits = strspn(status, "0123456789");

		if (digits == 0 || digits > (i == 0 ? 1 : 3))
			return false;
		status += digits;
		if (*status != (i < 2 ? '.' : '\0'))
			return false;
		status += i < 2;
	}
	return true;
}

void part_status(const struct dsn_rcpt *rcpt, char status[12])
{
	/* A mail that waited too long has failed with a code that says "not now". */
	static const char *const classes[DSN_ACTIONS] = {[DSN_FAILED] = "54",
	    [DSN_DELAYED] = "4",
	    [DSN_DELIVERED] = "2",
	    [DSN_RELAYED] = "2",
	    [DSN_EXPANDED] = "2"};
	const char *fit = classes[rcpt->action];

	if (rcpt->status != NULL && rcpt->status[0] != '\0' && well_formed(rcpt->status) &&
	    strchr(fit, rcpt->status[0]) != NULL)
		(void)snprintf(status, 12, "%s", rcpt->status);
	else
		(void)snprintf(status, 12, "%c.0.0", fit[0]);
}

/* ---- addresses ---- */

/*
 * utf-8-addr-xtext (RFC 6533 section 3): what is not printable ASCII, and + = \, as \x{…}. `raw`: the
 * text has not been written so before, so its own backslashes are escaped, too.
 */
static void out_xtext(struct out *out, const char *text, bool raw)
{
	size_t len = strlen(text), written = 0;

	for (size_t at = 0, step; at < len && written < ADDRESS_MAX; at += step) {
		uint32_t point = 0;
		char c = text[at];
		char escaped[16];

		step = utf8_step(text + at, len - at, &point);
		if (step == 0) {
			step = 1;
			point = '?';
			c = '?';
		}
		if (point > ' ' && point <= '~' && c != '+' && c != '=' && (c != '\\' || !raw)) {
			out_bytes(out, &c, 1);
			written++;
			continue;
		}
		if (point < ' ' || (point >= 0x7f && utf8_unseen(point)))
			point = '?';
		(void)snprintf(escaped, sizeof escaped, point == '?' ? "?" : "\\x{%02X}", point);
		out_text(out, escaped);
		written += strlen(escaped);
	}
}

/* "rfc822;bob@example.com": a type that is none, or nothing behind it, and there is no field. */
static void original(struct out *out, const char *orcpt)
{
	size_t type =
	    strspn(orcpt, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");
	const char *address = orcpt + type + 1;

	if (type == 0 || type > TYPE_MAX || orcpt[type] != ';' || address[0] == '\0')
		return;

	out_text(out, "Original-Recipient: ");
	if (!part_ascii(address)) {
		out_text(out, "utf-8; ");
		out_xtext(out, address, strncasecmp(orcpt, "utf-8;", 6) != 0);
	} else {
		out_bytes(out, orcpt, type);
		out_text(out, "; ");
		out_clean(out, address, ADDRESS_MAX);
	}
	out_text(out, "\r\n");
}

static void final(struct out *out, const char *address)
{
	bool ascii = part_ascii(address);

	out_text(out, ascii ? "Final-Recipient: rfc822; " : "Final-Recipient: utf-8; ");
	if (ascii)
		out_clean(out, address, ADDRESS_MAX);
	else
		out_xtext(out, address, true);
	out_text(out, "\r\n");
}

/* ---- the rest ---- */

static void date(struct out *out, const char *name, int64_t wall)
{
	if (wall <= 0)
		return;
	out_text(out, name);
	out_date(out, wall);
	out_text(out, "\r\n");
}

/* A reply of SMTP begins with its code; everything else is our own finding. */
static void diagnostic(struct out *out, const char *reply)
{
	bool smtp = reply[0] >= '2' && reply[0] <= '5' && strspn(reply, "0123456789") == 3;
	const char *start = smtp ? "Diagnostic-Code: smtp; " : "Diagnostic-Code: x-sekisho; ";

	out_text(out, start);
	out_folded(out, reply, DSN_STATUS_REPLY_MAX, strlen(start));
	out_text(out, "\r\n");
}

static bool visible(const char *text)
{
	return text != NULL && text[strspn(text, " \t\r\n")] != '\0';
}

static void recipient(const struct dsn_rcpt *rcpt, struct out *out)
{
	static const char *const actions[DSN_ACTIONS] = {[DSN_FAILED] = "failed",
	    [DSN_DELAYED] = "delayed",
	    [DSN_DELIVERED] = "delivered",
	    [DSN_RELAYED] = "relayed",
	    [DSN_EXPANDED] = "expanded"};
	char status[12];

	part_status(rcpt, status);
	out_text(out, "\r\n");
	if (rcpt->orcpt != NULL)
		original(out, rcpt->orcpt);
	final(out, visible(rcpt->final) ? rcpt->final : "?");
	outf(out, "Action: %s\r\nStatus: %s\r\n", actions[rcpt->action], status);
	if (visible(rcpt->remote)) {
		out_text(out, "Remote-MTA: dns; ");
		out_clean(out, rcpt->remote, PART_HOST_MAX);
		out_text(out, "\r\n");
	}
	if (visible(rcpt->reply))
		diagnostic(out, rcpt->reply + strspn(rcpt->reply, " \t\r\n"));
	date(out, "Last-Attempt-Date: ", rcpt->tried);
	if (rcpt->action == DSN_DELAYED)
		date(out, "Will-Retry-Until: ", rcpt->until);
}

void part_fields(const struct dsn *dsn, struct out *out)
{
	char host[PART_HOST_MAX + 1];

	part_host(dsn, host);
	outf(out, "Reporting-MTA: dns; %s\r\n", host);
	if (visible(dsn->envid)) {
		out_text(out, "Original-Envelope-Id: ");
		out_clean(out, dsn->envid, ENVID_MAX);
		out_text(out, "\r\n");
	}
	date(out, "Arrival-Date: ", dsn->arrived);
	for (size_t i = 0; i < dsn->rcpts; i++)
		recipient(&dsn->rcpt[i], out);
}
