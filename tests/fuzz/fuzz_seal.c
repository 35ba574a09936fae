/*
 * A message is changed as an order says: no address that was taken out is left in any reading of a field
 * of recipients, and what was not asked for stays. The bytes up to the first NUL are the order.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/mime/address.h"
#include "lib/mime/field.h"
#include "lib/seal/client.h"
#include "lib/seal/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct seal_limits limits = {.depth = 20, .parts = 200, .header = 65536};

static bool see(void *context, const struct address *address)
{
	const struct seal_order *order = context;

	for (size_t i = 0; i < order->removes; i++) {
		if (address->text[0] != '\0' && address_same(address->text, order->remove[i]))
			abort();
	}
	return true;
}

static void check_header(const char *text, size_t len, struct seal_order *order)
{
	struct field field;
	size_t at = 0;
	unsigned flags;

	while (field_next(text, len, &at, &field)) {
		if (field_is(&field, "To") || field_is(&field, "Cc") || field_is(&field, "Bcc"))
			(void)addresses_read(field.body, field.body_len, see, order, &flags);
	}
}

static int file_of(const void *bytes, size_t len)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || (len > 0 && write(fd, bytes, len) != (ssize_t)len))
		abort();
	return fd;
}

static char *read_back(int fd, size_t len)
{
	char *text = malloc(len + 1);

	if (text == NULL || pread(fd, text, len, 0) != (ssize_t)len)
		abort();
	return text;
}

static void seal(struct seal_order *order, const uint8_t *mail, size_t len)
{
	static const struct seal_tables *tables;
	int in = file_of(mail, len), out = file_of("", 0);
	struct source source = {.fd = in, .size = len};
	struct seal_result result;

	if (tables == NULL)
		tables = seal_prepare();
	if (tables == NULL)
		abort();
	seal_content(&source, out, order, &limits, tables, &result);
	if (result.end == SEAL_DONE) {
		char *text = read_back(out, (size_t)result.size);

		if (lseek(out, 0, SEEK_END) != (off_t)result.size)
			abort();
		check_header(text, (size_t)result.size, order);
		if (order->removes == 0 && order->top.len == 0 && order->end.len == 0 &&
		    (result.size != len || memcmp(text, mail, len) != 0))
			abort();
		if (result.inserted == SEAL_INSERTED_NO &&
		    (order->top.len > 0 || order->end.len > 0))
			abort();
		free(text);
	} else if (result.why[0] == '\0') {
		abort();
	}
	(void)close(in);
	(void)close(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seal_order order;
	const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
	struct seal_result result;

	if (end == NULL)
		return 0;
	seal_order_init(&order);
	if (seal_order_read(&order, (const char *)data, (size_t)(end - data)))
		seal(&order, end + 1, size - (size_t)(end - data) - 1);
	else
		(void)seal_answer_read((const char *)data, &result);
	seal_order_free(&order);
	return 0;
}
