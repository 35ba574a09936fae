/*
 * The XML of documents: each kind of part (text, slides, ODF, shared strings, sheets) fed in pieces of
 * any size. The first byte chooses the format and the size of the pieces; a sheet gets the strings of
 * the part before it. Parts stand between form feeds.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/extract/office.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool text(void *context, const char *utf8, size_t len)
{
	(void)context;
	/* Whole letters, so that whoever converts them may start anywhere. */
	if (len == 0 || !is_utf8(utf8, len))
		abort();
	return true;
}

static void text_ends(void *context)
{
	(void)context;
}

static void fault(void *context, enum extract_fault f, const char *where)
{
	(void)context;
	(void)f;
	(void)where;
}

static void read_part(struct flow *f, const char *bytes, size_t len, size_t step)
{
	struct parse_handler handler;
	struct parse *parse;
	enum parse_state state = PARSE_FINE;

	flow_begin(f);
	handler = flow_handler(f);
	parse = parse_open(&handler);
	if (parse == NULL)
		abort();
	for (size_t at = 0; at < len && state == PARSE_FINE; at += step)
		state = parse_feed(parse, bytes + at, len - at < step ? len - at : step);
	if (state == PARSE_FINE)
		state = parse_end(parse);
	if (f->cell == 't' && f->strings != NULL && strings_done(f->strings) != PARSE_FINE)
		abort();
	parse_free(parse);
	flow_end(f);
}

static void read_parts(struct flow *f, const char *bytes, size_t len, size_t step)
{
	const char *end = bytes + len;

	while (bytes < end) {
		const char *stop = memchr(bytes, '\f', (size_t)(end - bytes));

		stop = stop != NULL ? stop : end;
		read_part(f, bytes, (size_t)(stop - bytes), step);
		bytes = stop + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct extract_setup setup = {
	    .limits = {5, 100, 1 << 20, 50, 1 << 20},
	    .told = {.text = text, .text_ends = text_ends, .fault = fault},
	    .scratch = memfd_create("fuzz", MFD_CLOEXEC),
	};
	struct extract_file found = {.format = FORMAT_OOXML};
	struct inside in = {.name = "", .label = "", .path = "", .deep = true, .found = &found};
	struct flow f = {.in = &in};

	in.x = extract_new(&setup);
	if (in.x == NULL || setup.scratch < 0)
		abort();
	if (size > 0) {
		found.format = (data[0] & 1) != 0 ? FORMAT_ODF : FORMAT_OOXML;
		for (int round = 0; round < 2; round++) {
			f.sheets = round == 1;
			read_parts(&f, (const char *)data + 1, size - 1, 1 + (data[0] >> 1));
		}
	}
	if (f.strings != NULL) {
		flow_begin(&f);
		strings_unused(f.strings, &f.text);
		flow_end(&f);
	}
	strings_free(f.strings);
	extract_free(in.x);
	close(setup.scratch);
	return 0;
}
