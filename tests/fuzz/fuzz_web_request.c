/*
 * Any bytes as a request: FastCGI's parameters, one a line, then an empty line and the body. What is taken for a
 * request is decoded, whole, and names no path that leads elsewhere.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/web/escape.h"
#include "lib/web/request.h"

#define LINES_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct body {
	const char *bytes;
	size_t len, at;
};

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static size_t read_body(void *context, char *bytes, size_t room)
{
	struct body *b = context;
	size_t n = b->len - b->at;

	n = n < room ? n : room;
	n = n > 7 ? 7 : n;
	memcpy(bytes, b->bytes + b->at, n);
	b->at += n;
	return n;
}

static void check_words(const struct web_words *words)
{
	demand(words->n <= WEB_WORDS_MAX);
	for (size_t i = 0; i < words->n; i++) {
		demand(escape_is_text(words->word[i].name, strlen(words->word[i].name)));
		demand(escape_is_text(words->word[i].value, strlen(words->word[i].value)));
		demand(web_word(words, words->word[i].name) != NULL);
	}
}

static void check(const struct web_request *r)
{
	demand(r->method != WEB_OTHER && r->path[0] == '/');
	demand(strstr(r->path, "//") == NULL && strstr(r->path, "/../") == NULL &&
	       strstr(r->path, "/./") == NULL && strchr(r->path, '\\') == NULL);
	for (const char *c = r->path; *c != '\0'; c++)
		demand((unsigned char)*c >= ' ' && *c != 0x7f);
	demand(r->method == WEB_POST || r->form.n == 0);
	check_words(&r->query);
	check_words(&r->form);
	check_words(&r->cookies);
	demand(escape_is_text(r->bare, strlen(r->bare)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *params[LINES_MAX + 1], *at = text, *end;
	struct body body = {"", 0, 0};
	struct web_incoming in = {
	    .params = params, .read = read_body, .context = &body, .most = 4096};
	struct web_request r;
	size_t n = 0;
	int status;

	demand(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	while (n < LINES_MAX && (end = memchr(at, '\n', size - (size_t)(at - text))) != NULL) {
		*end = '\0';
		if (end == at) {
			body.bytes = end + 1;
			body.len = size - (size_t)(end + 1 - text);
			break;
		}
		params[n++] = at;
		at = end + 1;
	}
	params[n] = NULL;
	status = web_request_read(&in, &r);
	demand(status == 0 || status == 400 || status == 405 || status == 413 || status == 414);
	if (status == 0)
		check(&r);
	(void)web_language(r.language, "ja");
	web_request_free(&r);
	free(text);
	return 0;
}
