/*
 * A mail server that says anything: the dialog ends, and the password is right only if a line says
 * so. The first byte chooses the protocol, and whether STARTTLS is asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/auth/dialog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct server {
	struct wire wire;
	const uint8_t *says;
	size_t left;
	unsigned step; /* bytes at once */
};

static size_t get(struct wire *w, char *bytes, size_t room)
{
	struct server *s = (struct server *)(void *)w;
	size_t n = s->left < s->step ? s->left : s->step;

	n = n < room ? n : room;
	memcpy(bytes, s->says, n);
	s->says += n;
	s->left -= n;
	return n;
}

/* What is said is lines: nothing of the login or the server makes others of them. */
static bool put(struct wire *w, const char *bytes, size_t len)
{
	(void)w;
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n' && (i + 1 != len || i == 0 || bytes[i - 1] != '\r'))
			abort();
	}
	return true;
}

static bool start_tls(struct wire *w)
{
	(void)w;
	return true;
}

static bool says(const uint8_t *data, size_t size, const char *word)
{
	return memmem(data, size, word, strlen(word)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct server s = {.wire = {.get = get, .put = put, .start_tls = start_tls}};
	enum check_code code;
	uint8_t how;

	if (size == 0)
		return 0;
	how = *data++;
	s.says = data;
	s.left = --size;
	s.step = 1 + how / 4u;
	if ((how & 1) != 0)
		code = dialog_imap(&s.wire, (how & 2) != 0, "alice", "secret");
	else
		code = dialog_smtp(&s.wire, (how & 2) != 0, "gw.example", "alice", "secret");

	if (code == CHECK_LATER && s.wire.why == NULL)
		abort();
	if (code == CHECK_RIGHT && !says(data, size, (how & 1) != 0 ? "c " : "235"))
		abort();
	if (code == CHECK_WRONG && !says(data, size, (how & 1) != 0 ? "c " : "535"))
		abort();
	return 0;
}
