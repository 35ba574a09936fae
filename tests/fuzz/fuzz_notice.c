/* Any bytes as a request to seki-notice: what is taken says the same when it is written again. */
#include <stdlib.h>
#include <string.h>

#include "lib/notice/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static bool same_text(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

/* Within the bounds at which a reply and a host name are cut. */
static bool short_enough(const struct notice_rcpt *rcpt)
{
	return (rcpt->host == NULL || strlen(rcpt->host) <= 100) &&
	       (rcpt->reply == NULL || strlen(rcpt->reply) <= 100);
}

static void check_other(const struct notice_request *request)
{
	struct notice_request again;
	struct buf b;

	buf_init(&b, NOTICE_REQUEST_MAX);
	demand(notice_request_write_other(&b, request));
	demand(notice_request_read(b.bytes, b.len, &again) == NOTICE_READ_FINE);
	demand(again.verb == request->verb && again.rcpts == 0 && request->rcpts == 0);
	demand(same_text(again.to, request->to) && same_text(again.subject, request->subject));
	demand(again.text_len == request->text_len);
	demand(again.text_len == 0 || memcmp(again.text, request->text, again.text_len) == 0);
	notice_request_free(&again);
	buf_free(&b);
}

static void check_again(const struct notice_request *request)
{
	struct notice_request again;
	struct buf b;

	buf_init(&b, NOTICE_REQUEST_MAX);
	demand(notice_request_write(&b, request->rcpt, request->rcpts));
	demand(notice_request_read(b.bytes, b.len, &again) == NOTICE_READ_FINE);
	demand(again.rcpts == request->rcpts && again.highest == request->highest);
	for (size_t i = 0; i < again.rcpts; i++) {
		const struct notice_rcpt *x = &request->rcpt[i], *y = &again.rcpt[i];

		demand(x->rcpt == y->rcpt && x->action == y->action && x->tried == y->tried &&
		       x->until == y->until && same_text(x->status, y->status));
		if (short_enough(x))
			demand(same_text(x->host, y->host) && same_text(x->reply, y->reply));
	}
	notice_request_free(&again);
	buf_free(&b);
}

/* Written again it is the same: names, rows and those that are free. */
static void check_gate(const struct notice_request *request)
{
	static const char *const kinds[] = {
	    "hold", "request", "warning", "result", "draft", "digest", "urgent", "review"};
	static struct notice_var var[NOTICE_NAMES_MAX * NOTICE_ROWS_MAX];
	struct notice_gate gate = {.template = kinds[request->kind],
	    .to = request->to,
	    .english = request->english,
	    .var = var,
	    .attach = request->attach};
	struct notice_request again;
	struct buf b;

	for (size_t i = 0; i < request->vars->lists; i++) {
		const struct notice_list *list = &request->vars->list[i];

		for (size_t row = 0; row < list->values; row++)
			var[gate.vars++] = (struct notice_var){list->name, list->value[row]};
	}
	buf_init(&b, NOTICE_REQUEST_MAX);
	demand(notice_request_write_gate(&b, &gate));
	demand(notice_request_read(b.bytes, b.len, &again) == NOTICE_READ_FINE);
	demand(again.kind == request->kind && again.english == request->english &&
	       again.attach == request->attach && same_text(again.to, request->to));
	demand(again.vars->lists == request->vars->lists);
	for (size_t i = 0; i < again.vars->lists; i++) {
		const struct notice_list *x = &request->vars->list[i], *y = &again.vars->list[i];

		demand(strcmp(x->name, y->name) == 0 && x->values == y->values);
		for (size_t row = 0; row < x->values; row++)
			demand(same_text(x->value[row], y->value[row]));
	}
	notice_request_free(&again);
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1); /* as a session has it: with a NUL behind */
	struct notice_request request;

	demand(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (notice_request_read(text, size, &request) != NOTICE_READ_FINE) {
		free(text);
		return 0;
	}
	if (request.verb == NOTICE_GATE) {
		check_gate(&request);
		notice_request_free(&request);
	} else if (request.verb != NOTICE_DSN) {
		check_other(&request);
		notice_request_free(&request);
	} else {
		demand(request.rcpts > 0 && request.highest <= NOTICE_RCPTS_MAX);
		for (size_t i = 0; i < request.rcpts; i++) {
			demand(request.rcpt[i].rcpt < request.highest);
			demand(request.rcpt[i].status != NULL && request.rcpt[i].tried > 0);
		}
		check_again(&request);
		notice_request_free(&request);
	}
	free(text);
	return 0;
}
