/* Command lines: whatever is taken stays within its bounds, and nothing of it breaks a line. */
#include <stdlib.h>
#include <string.h>

#include "lib/smtp/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void no_controls(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f)
			abort();
	}
}

static void a_refusal(const char *reply)
{
	if (strlen(reply) < 10 || reply[0] != '5')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data;
	size_t argument = 0;
	enum verb verb = command_verb(line, size, &argument);
	const char *reply;
	struct mail mail;
	struct rcpt rcpt;

	if ((unsigned)verb >= VERBS || argument > size)
		abort();
	line += argument;
	size -= argument;

	reply = command_mail(line, size, &mail);
	if (reply != NULL) {
		a_refusal(reply);
	} else {
		no_controls(mail.from.text, mail.from.len);
		no_controls(mail.envid, mail.envid_len);
		if (mail.size < -1 || mail.envid_len > ENVID_MAX)
			abort();
	}

	for (int utf8 = 0; utf8 < 2; utf8++) {
		reply = command_rcpt(line, size, utf8 != 0, &rcpt);
		if (reply != NULL) {
			a_refusal(reply);
			continue;
		}
		no_controls(rcpt.to.text, rcpt.to.len);
		no_controls(rcpt.orcpt, rcpt.orcpt_len);
		if (rcpt.orcpt_len > ORCPT_MAX || rcpt.to.len == 0)
			abort();
	}
	return 0;
}
