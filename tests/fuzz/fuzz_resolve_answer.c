/*
 * An answer of seki-resolve(8): whatever is taken for one is written as the same bytes, each of its
 * beginnings asks for more, and nothing is read behind what is there. The bytes are also read as a
 * question, as a name from the DNS, and as MX data.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/resolve/answer.h"
#include "lib/resolve/mx.h"
#include "lib/resolve/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct resolve_answer answer;

/* In memory that ends with the last byte. */
static char *copy_exactly(const uint8_t *data, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

static void check_answer(const uint8_t *data, size_t size)
{
	char *copy = copy_exactly(data, size);
	enum resolve_read verdict;
	struct buf out;
	size_t used, less;

	verdict = resolve_answer_read(copy, size, &used, &answer);
	if (verdict == RESOLVE_READ_WHOLE) {
		buf_init(&out, RESOLVE_ANSWER_MAX);
		answer_write(&answer, &out);
		if (!buf_ok(&out) || used > size || out.len != used ||
		    memcmp(out.bytes, copy, used) != 0)
			abort();
		buf_free(&out);
		if (resolve_answer_read(copy, used - 1, &less, &answer) != RESOLVE_READ_MORE)
			abort();
	} else if (used != 0) {
		abort();
	}
	free(copy);
}

static void check_question(const uint8_t *data, size_t size)
{
	char *copy = copy_exactly(data, size);
	char name[RESOLVE_NAME_MAX + 1], bytes[RESOLVE_QUESTION_MAX];
	enum resolve_kind kind;

	if (question_line(copy, size, &kind, name) &&
	    (resolve_question_write(kind, name, bytes) != size + 1 ||
		memcmp(bytes, copy, size) != 0))
		abort();
	free(copy);
}

static uint32_t no_chance(void *context)
{
	(void)context;
	return 0;
}

static void check_names(const uint8_t *data, size_t size)
{
	const struct chance chance = {no_chance, NULL};
	char *copy = copy_exactly(data, size);
	char *text = malloc(size + 1);
	char name[RESOLVE_NAME_MAX + 1];
	struct rdata record = {(const unsigned char *)copy, size};

	if (text == NULL)
		abort();
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (name_from_wire((const unsigned char *)copy, size, name) == NAME_WIRE_GOOD &&
	    !name_good(name))
		abort();
	if (mx_plan(&record, 1, &chance, &answer) == MX_HOSTS && answer.n_hosts != 1)
		abort();
	if (resolve_name(text, name) != name_good(name))
		abort();
	free(text);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_answer(data, size);
	check_question(data, size);
	check_names(data, size);
	return 0;
}
