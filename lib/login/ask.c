#include "lib/login/ask.h"

#include <unistd.h>

#include "lib/gate/client.h"

void login_request_begin(struct buf *out, const char *verb)
{
	buf_add_text(out, verb);
}

bool login_ask(const char *path, const struct buf *request, int64_t patience, struct buf *answer)
{
	int descriptor = -1;
	bool heard = gate_ask(path, request, patience, answer, &descriptor);

	/* seki-login sends none. */
	if (descriptor >= 0)
		(void)close(descriptor);
	return heard;
}
