/*
 * HTML of any kind made harmless: what is written has no element and no attribute but those that are allowed, when it
 * is parsed again (tests/unit/view_oracle.h). The first byte chooses how much may be written.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/text/charset.h"
#include "lib/text/html.h"
#include "tests/unit/view_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool take(void *context, const char *bytes, size_t len)
{
	buf_add(context, bytes, len);
	return true;
}

static bool find_image(void *context, const char *id, struct sanitise_image *image)
{
	(void)context;
	*image = (struct sanitise_image){"image/png", "\x89PNG\r\n\x1a\n", 8};
	return strcmp(id, "a") == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sanitise_setup setup = {
	    .images = 1000, .memory = HTML_MEMORY, .cpu_ms = 1000, .image = find_image};
	struct sanitise *s = malloc(sizeof *s);
	struct oracle oracle;
	struct buf html, out;

	if (s == NULL)
		abort();
	if (size < 1) {
		free(s);
		return 0;
	}
	setup.most = data[0] < 128 ? (size_t)1 << 24 : (size_t)data[0] * 64;
	buf_init(&html, size * 3);
	buf_init(&out, (size_t)1 << 26);
	setup.out = (struct sink){take, &out};
	if (!charset_convert("utf-8", (const char *)data + 1, size - 1, &html))
		abort();
	sanitise_open(s, &setup);
	/* Cut in two, as by two parts of a message. */
	(void)!sanitise_add(s, html.len > 0 ? html.bytes : "", html.len);
	if (data[0] % 2 == 1)
		(void)!sanitise_add(s, html.len > 0 ? html.bytes : "", html.len / 2);
	if (!sanitise_close(s) || !buf_ok(&out))
		abort();
	if (out.len > sizeof SANITISE_HEAD + setup.most + 4000)
		abort();
	if (oracle_judge(&oracle, out.bytes, out.len) != NULL) {
		(void)fprintf(stderr, "%s\n%.*s\n", oracle.what, (int)out.len, out.bytes);
		abort();
	}
	buf_free(&html);
	buf_free(&out);
	free(s);
	return 0;
}
