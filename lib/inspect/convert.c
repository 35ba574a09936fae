/* A file for seki-convert(8): the employer carries it there and brings the text back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/inspect/facts.h"
#include "lib/inspect/packet.h"

#define PIECE ((size_t)32768)

static const char *where_is(const struct inspection *i, const struct source *file)
{
	return file->fd == i->unpacked ? "unpacked" : file->fd == i->part ? "part" : "message";
}

/* Hands the text on, piece by piece. */
static bool pour(int fd, struct sink out)
{
	char piece[PIECE];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, piece, sizeof piece, at)) > 0) {
		/* Whoever wants no more has his reasons; the conversion was good. */
		if (!sink_put(&out, piece, (size_t)n))
			return true;
		at += n;
	}
	return n == 0;
}

/* Reads the answer: "done" (or "done cut", "done flawed") and a descriptor, or a word of EXTRACT_FAULTS. */
static bool take_answer(
    struct inspection *i, const struct packet *answer, struct sink out, bool *encrypted)
{
	if (answer->type != 'C')
		return false;
	if (strcmp(answer->text, extract_fault_word(EXTRACT_ENCRYPTED)) == 0) {
		*encrypted = true;
		return true;
	}
	if (strncmp(answer->text, "done", 4) == 0 && answer->fds == 1) {
		if (strcmp(answer->text, "done cut") == 0)
			tell_uninspectable(
			    i, i->current, extract_fault_word(EXTRACT_EXPANSION), NULL);
		if (strcmp(answer->text, "done flawed") == 0)
			FACT(i->out, "flawed", kv("part", i->current));
		return pour(answer->fd[0], out);
	}
	for (unsigned f = 0; f < EXTRACT_FAULT_COUNT; f++) {
		/* Told here with its reason; the caller would say "converter". */
		if (strcmp(answer->text, extract_fault_word(f)) == 0) {
			tell_uninspectable(i, i->current, extract_fault_word(f), NULL);
			return true;
		}
	}
	return false;
}

bool convert_for(void *context, enum convert_tool tool, const struct source *file, struct sink out,
    bool *encrypted)
{
	struct inspection *i = context;
	struct packet *answer;
	char order[128];
	bool good = false;
	int n = snprintf(order, sizeof order, "%s %s %llu %llu", convert_tool_word(tool),
	    where_is(i, file), (unsigned long long)file->start, (unsigned long long)file->size);

	facts_flush(i->out);
	*encrypted = false;
	answer = malloc(sizeof *answer);
	if (answer == NULL || !packet_send(i->socket, 'X', order, (size_t)n))
		goto done;
	if (packet_receive(i->socket, answer, -1) == PACKET_OK) {
		good = take_answer(i, answer, out, encrypted);
		packet_close(answer);
	} else {
		i->out->gone = true;
	}
done:
	free(answer);
	return good;
}
