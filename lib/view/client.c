/*
 * What comes back is what a stranger may have written: the process that opened his message may be his. So the file
 * that it writes is as large as may be from the beginning, and cannot grow; it is sealed before it is looked at; and
 * of what it says nothing is taken but what has the form of an answer.
 */
#include "lib/view/view.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/local.h"
#include "lib/inspect/packet.h"
#include "lib/inspect/sanitise.h"
#include "lib/inspect/view.h"
#include "lib/mime/utf8.h"

#define WINDOW   ((size_t)65536)
#define HTML_MAX ((uint64_t)512 * 1024 * 1024)

/* ---- the file ---- */

/* So large from the beginning, and never larger. -1 with errno. */
static int make_output(uint64_t most)
{
	int fd = memfd_create("view", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)most) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* Nobody changes it any more. False: somebody has it mapped, who still could. */
static bool seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_SEAL) == 0 &&
	       lseek(fd, 0, SEEK_SET) == 0;
}

static bool size_of(int fd, uint64_t *size)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	*size = (uint64_t)st.st_size;
	return true;
}

/* ---- asking ---- */

static bool send_order(
    int socket, const char *order, const struct source *message, int output, int64_t until)
{
	const int fd[2] = {message->fd, output};

	return packet_send_by(socket, 'V', order, strlen(order), fd, 2, until - clock_boot());
}

/* VIEW_FAILED with errno, or what was said. */
static enum view_status hear(int socket, int64_t until)
{
	static const struct {
		const char *word;
		enum view_status status;
	} answers[] = {{"done", VIEW_DONE}, {"cut", VIEW_CUT}, {"none", VIEW_NONE}};
	struct packet *packet = malloc(sizeof *packet);
	enum view_status status = VIEW_FAILED;

	if (packet == NULL)
		return VIEW_FAILED;
	switch (packet_receive(socket, packet, until - clock_boot())) {
	case PACKET_OK:
		packet_close(packet);
		for (size_t k = 0; packet->type == 'E' && k < COUNT_OF(answers); k++) {
			if (strcmp(packet->text, answers[k].word) == 0)
				status = answers[k].status;
		}
		errno = EPROTO;
		break;
	case PACKET_LATE:
		errno = ETIMEDOUT;
		break;
	case PACKET_GONE: /* ended by a limit, or crashed */
	case PACKET_WRONG:
		errno = EPIPE;
		break;
	}
	free(packet);
	return status;
}

/* Has it told into a file of at most `most` bytes, and seals that. -1: `*status`, with errno if VIEW_FAILED. */
static int ask(const char *path, const char *order, const struct source *message, uint64_t most,
    int64_t patience, enum view_status *status)
{
	int64_t until = clock_boot() + patience;
	int socket = local_connect_packets(path), output = make_output(most), error;

	*status = VIEW_FAILED;
	if (socket >= 0 && output >= 0 && send_order(socket, order, message, output, until))
		*status = hear(socket, until);
	if ((*status == VIEW_DONE || *status == VIEW_CUT) && !seal(output))
		*status = VIEW_FAILED;
	error = errno;
	if (socket >= 0)
		(void)close(socket);
	if (*status != VIEW_DONE && *status != VIEW_CUT && output >= 0) {
		(void)close(output);
		output = -1;
	}
	errno = error;
	return output;
}

static void write_order(char order[64], const char *verb, const struct source *message)
{
	(void)snprintf(order, 64, "%s %" PRIu64 " %" PRIu64, verb, message->start, message->size);
}

/* What was told is not what can be: the file is closed. */
static int lied(int fd, enum view_status *status)
{
	(void)close(fd);
	*status = VIEW_FAILED;
	errno = EPROTO;
	return -1;
}

/* ---- the outline ---- */

static bool is_text(const json_t *value, size_t most, bool lines)
{
	return json_is_string(value) && json_string_length(value) <= most &&
	       view_is_shown(json_string_value(value), json_string_length(value), lines);
}

/* Copies a text that has the form of one. False: it has not. */
static bool copy_text(json_t *to, const json_t *from, const char *key, size_t most, bool lines)
{
	json_t *value = json_object_get(from, key);

	return is_text(value, most, lines) && json_object_set(to, key, value) == 0;
}

static bool copy_bool(json_t *to, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);

	return json_is_boolean(value) && json_object_set(to, key, value) == 0;
}

static bool is_path(const json_t *value)
{
	const char *text = json_string_value(value);
	size_t len = text != NULL ? json_string_length(value) : 0;

	return len > 0 && len <= VIEW_PART_MAX &&
	       strspn(text, "0123456789.abcdefghijklmnopqrstuvwxyz") == len;
}

static bool is_warning(const char *word)
{
	static const char *const words[] = {
#define W(name, word) word,
	    VIEW_WARNINGS(W)
#undef W
	};

	for (size_t k = 0; word != NULL && k < COUNT_OF(words); k++) {
		if (strcmp(word, words[k]) == 0)
			return true;
	}
	return false;
}

static bool are_warnings(const json_t *list)
{
	if (!json_is_array(list) || json_array_size(list) > VIEW_WARNING_COUNT)
		return false;
	for (size_t k = 0; k < json_array_size(list); k++) {
		if (!is_warning(json_string_value(json_array_get(list, k))))
			return false;
	}
	return true;
}

static json_t *copy_file(const json_t *from, uint64_t size)
{
	json_t *to = json_object(), *part = json_object_get(from, "part");
	json_t *bytes = json_object_get(from, "size"), *words = json_object_get(from, "warnings");

	/* Nothing that is decoded is larger than what it was. */
	if (to != NULL && is_path(part) && json_object_set(to, "part", part) == 0 &&
	    copy_text(to, from, "name", 2048, false) && copy_text(to, from, "type", 512, false) &&
	    copy_text(to, from, "kind", 512, false) && copy_bool(to, from, "inline") &&
	    json_is_integer(bytes) && json_integer_value(bytes) >= 0 &&
	    (uint64_t)json_integer_value(bytes) <= size &&
	    json_object_set(to, "size", bytes) == 0 && are_warnings(words) &&
	    json_object_set(to, "warnings", words) == 0)
		return to;
	json_decref(to);
	return NULL;
}

static bool copy_files(json_t *to, const json_t *list, uint64_t size)
{
	json_t *files = json_array();
	bool good = files != NULL && json_is_array(list) && json_array_size(list) <= VIEW_FILES_MAX;

	for (size_t k = 0; good && k < json_array_size(list); k++) {
		json_t *one = copy_file(json_array_get(list, k), size);

		good = one != NULL && json_array_append_new(files, one) == 0;
	}
	if (good)
		return json_object_set_new(to, "files", files) == 0;
	json_decref(files);
	return false;
}

/* What is known of an outline, and nothing else. NULL: it is none. */
static json_t *copy_outline(const json_t *from, uint64_t size)
{
	static const char *const fields[] = {"subject", "from", "to", "cc", "date"};
	json_t *to = json_object();
	bool good = to != NULL && json_is_object(from) && copy_bool(to, from, "text-cut") &&
		    copy_bool(to, from, "html") &&
		    copy_text(to, from, "text", VIEW_TEXT_MAX, true) &&
		    copy_files(to, json_object_get(from, "files"), size);

	for (size_t k = 0; good && k < COUNT_OF(fields); k++)
		good = copy_text(to, from, fields[k], VIEW_FIELD_MAX, false);
	if (good)
		return to;
	json_decref(to);
	return NULL;
}

/* Reads the whole file. NULL: it cannot be, or it is no JSON. */
static json_t *read_json(int fd)
{
	uint64_t size = 0;
	char *text =
	    size_of(fd, &size) && size <= VIEW_OUTLINE_MAX ? malloc((size_t)size + 1) : NULL;
	struct source file = {fd, 0, size};
	json_t *object = NULL;

	/* jansson takes neither what is no UTF-8 nor a NUL. */
	if (text != NULL && source_read(&file, 0, text, (size_t)size) == (ssize_t)size)
		object = json_loadb(text, (size_t)size, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	return object;
}

json_t *view_outline(
    const char *socket, const struct source *message, int64_t patience, enum view_status *status)
{
	json_t *said, *outline = NULL;
	char order[64];
	int fd;

	write_order(order, "outline", message);
	fd = ask(socket, order, message, VIEW_OUTLINE_MAX, patience, status);
	if (fd < 0)
		return NULL;
	said = read_json(fd);
	if (said != NULL)
		outline = copy_outline(said, message->size);
	json_decref(said);
	if (outline == NULL)
		(void)lied(fd, status);
	else
		(void)close(fd);
	return outline;
}

/* ---- HTML ---- */

/* Whether these bytes are UTF-8 without a NUL; `*kept` of them are the beginning of a letter. */
static bool is_utf8(const char *bytes, size_t len, bool last, size_t *kept)
{
	size_t at = 0;

	while (at < len) {
		uint32_t c = 0;
		size_t step = utf8_step(bytes + at, len - at, &c);

		if (step == 0 && !last && len - at < 4)
			break;
		if (step == 0 || c == 0)
			return false;
		at += step;
	}
	*kept = len - at;
	return true;
}

/* A document that begins as every one of them does, in UTF-8. */
static bool is_document(int fd)
{
	static const char head[] = SANITISE_HEAD;
	struct source file = {.fd = fd};
	char *window = malloc(WINDOW);
	size_t kept = 0;
	bool good = window != NULL && size_of(fd, &file.size) && file.size >= sizeof head - 1;

	for (uint64_t at = 0; good && at < file.size; at += WINDOW - kept) {
		uint64_t left = file.size - at;
		size_t len = left < WINDOW ? (size_t)left : WINDOW;

		kept = 0;
		good = source_read(&file, at, window, len) == (ssize_t)len &&
		       (at > 0 || memcmp(window, head, sizeof head - 1) == 0) &&
		       is_utf8(window, len, left <= WINDOW, &kept);
	}
	free(window);
	return good;
}

int view_html(
    const char *socket, const struct source *message, int64_t patience, enum view_status *status)
{
	/* A byte becomes three in another charset, and six where it is escaped; images are a third longer. */
	uint64_t most = 24 * message->size + WINDOW;
	char order[64];
	int fd;

	write_order(order, "html", message);
	fd = ask(socket, order, message, most < HTML_MAX ? most : HTML_MAX, patience, status);
	if (fd >= 0 && !is_document(fd))
		return lied(fd, status);
	return fd;
}

/* ---- one part ---- */

int view_file(const char *socket, const struct source *message, const char *part, int64_t patience,
    enum view_status *status)
{
	size_t len = strlen(part);
	char order[64 + VIEW_PART_MAX + 2], first[64];

	if (len == 0 || len > VIEW_PART_MAX ||
	    strspn(part, "0123456789.abcdefghijklmnopqrstuvwxyz") != len) {
		*status = VIEW_NONE;
		return -1;
	}
	write_order(first, "file", message);
	(void)snprintf(order, sizeof order, "%s %s", first, part);
	return ask(socket, order, message, message->size, patience, status);
}
