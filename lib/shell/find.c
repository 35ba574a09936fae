#include "lib/shell/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/shell/legs.h"
#include "lib/shell/reader.h"
#include "lib/shell/since.h"

#define FAILURES_MAX 3 /* mails over which the reading child may die before we give up */

struct finding_mail {
	const struct instance *in;
	struct out out;
	struct header_query query;
	unsigned wanted; /* HEADER_BITs */
	int64_t since;   /* microseconds; 0: whenever */
	struct reader reader;
	size_t hits;
	size_t unread; /* legs that could not be looked at */
	unsigned failures;
	int code;
};

/* ---- one leg ------------------------------------------------------------------------------ */

/* Which of the wanted texts stand in the envelope. */
static unsigned match_envelope(const struct finding_mail *m, const struct leg *leg)
{
	const char *from = m->query.text[HEADER_FROM], *to = m->query.text[HEADER_TO];
	unsigned found = 0;

	if (from != NULL && strcasestr(leg->from[0] != '\0' ? leg->from : "<>", from) != NULL)
		found |= HEADER_BIT(HEADER_FROM);
	for (size_t i = 0; to != NULL && i < leg->rcpts; i++) {
		if (strcasestr(leg->rcpt[i].address, to) != NULL)
			found |= HEADER_BIT(HEADER_TO);
	}
	return found;
}

/*
 * A descriptor of the same file that can only be read: what the child gets. -1: the name has gone,
 * or stands for another file now.
 */
static int open_to_read(const struct instance *in, const struct names *names, const struct entry *e,
    const struct found *f)
{
	struct stat st;
	int fd = openat(in->spool.dir[e->state], entry_name(names, e),
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == f->st.st_dev &&
	    st.st_ino == f->st.st_ino)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* Asks the child. Counts and complains if it cannot say. */
static unsigned match_header(
    struct finding_mail *m, int fd, const char *name, const struct leg *leg)
{
	int bits = reader_ask(&m->reader, fd, leg->content, leg->size);

	if (bits < 0) {
		complain_about(name, "the process that reads headers failed over this mail");
		m->code = EXIT_ENVIRON;
		m->failures++;
		return 0;
	}
	if (((unsigned)bits & HEADER_CUT) != 0)
		complain_about(
		    name, "its header is longer than %zu bytes; no more was searched", HEADER_MAX);
	return (unsigned)bits;
}

static enum visit look_into(
    struct finding_mail *m, const struct names *names, const struct entry *e, const struct found *f)
{
	unsigned found;

	if (f->leg.accepted < m->since)
		return VISIT_DONE;
	found = match_envelope(m, &f->leg);
	if ((m->wanted & ~found) != 0) {
		int fd = open_to_read(m->in, names, e, f);

		if (fd < 0)
			return VISIT_GONE;
		found |= match_header(m, fd, entry_name(names, e), &f->leg);
		(void)close(fd);
	}
	if ((m->wanted & ~found) == 0) {
		leg_line(&m->out, names, e, f);
		(void)fflush(m->out.file); /* a hit may stand alone for a long time */
		m->hits++;
	}
	return m->failures >= FAILURES_MAX ? VISIT_STOP : VISIT_DONE;
}

/* Whether the id alone says that the leg is too old, with a day to spare for slow senders. */
static bool too_old(const struct finding_mail *m, const char *leg)
{
	char id[ID_TEXT];

	memcpy(id, leg, ID_LEN);
	id[ID_LEN] = '\0';
	return m->since > 0 && id_time(id) < m->since - 24 * 3600 * CLOCK_SECOND;
}

static enum visit visit_leg(void *context, const struct names *names, const struct entry *e)
{
	struct finding_mail *m = context;
	struct found f;
	enum visit v = VISIT_DONE;

	if (!e->foreign && too_old(m, entry_leg(names, e)))
		return VISIT_DONE;
	switch (found_open(m->in, names, e, &f)) {
	case FOUND_GONE:
		return VISIT_GONE;
	case FOUND_FAILED:
		m->code = EXIT_ENVIRON;
		return VISIT_DONE;
	case FOUND_FOREIGN:
		m->unread++;
		return VISIT_DONE;
	case FOUND:
		break;
	}
	if (f.read)
		v = look_into(m, names, e, &f);
	else
		m->unread++;
	found_close(&f);
	return ferror(m->out.file) ? VISIT_STOP : v;
}

/* ---- what is asked ------------------------------------------------------------------------ */

static const char *const options[] = {
    [HEADER_FROM] = "--from",
    [HEADER_TO] = "--to",
    [HEADER_SUBJECT] = "--subject",
    [HEADER_MESSAGE_ID] = "--message-id",
    "--since",
};

/* Takes "--OPTION", the value being `value`. Returns EXIT_FINE or EXIT_USAGE. */
static int take_option(struct finding_mail *m, const char *word, size_t len, char *value)
{
	size_t i = 0;

	while (i < COUNT_OF(options) &&
	       (strlen(options[i]) != len || memcmp(options[i], word, len) != 0))
		i++;
	if (i == COUNT_OF(options)) {
		complain_about(word,
		    "find knows --from --to --subject --message-id --since, each with a value");
		return EXIT_USAGE;
	}
	if (value == NULL || value[0] == '\0')
		return complain_usage("%s needs a value", options[i]);

	if (i < HEADER_FIELDS) {
		header_fold(value, strlen(value));
		m->query.text[i] = value;
		m->wanted |= HEADER_BIT(i);
		return EXIT_FINE;
	}
	m->since = since_parse(value, clock_wall());
	if (m->since < 0)
		return complain_usage(
		    "--since is like 2h, 3d, 1w, 2026-11-22 or 2026-11-22T09:35:01Z");
	return EXIT_FINE;
}

static int take_options(struct finding_mail *m, int argc, char **argv)
{
	if (argc == 0)
		return complain_usage(
		    "what is to be found? --from --to --subject --message-id --since");
	for (int i = 0; i < argc; i++) {
		size_t len = strcspn(argv[i], "=");
		char *value = argv[i][len] == '=' ? argv[i] + len + 1 : NULL;
		int code;

		if (value == NULL && i + 1 < argc) {
			code = take_option(m, argv[i], len, argv[i + 1]);
			i++;
		} else {
			code = take_option(m, argv[i], len, value);
		}
		if (code != EXIT_FINE)
			return code;
	}
	return EXIT_FINE;
}

static void look_everywhere(struct finding_mail *m)
{
	if (m->wanted != 0 && !reader_open(&m->reader, &m->query)) {
		m->code = EXIT_ENVIRON;
		return;
	}
	if (!names_walk(&m->in->spool, STATES_LISTED, false, visit_leg, m)) {
		complain("the spool cannot be listed: %s", strerrordesc_np(errno));
		m->code = EXIT_ENVIRON;
	}
	reader_close(&m->reader);
	if (m->failures >= FAILURES_MAX)
		complain("given up before every mail was searched");
	if (m->unread > 0)
		complain("%zu files are no legs or damaged, and were not searched", m->unread);
}

int shell_find(const struct shell *sh, int argc, char **argv)
{
	struct instance in;
	struct finding_mail m = {.in = &in, .code = EXIT_FINE};
	int code = take_options(&m, argc, argv);

	if (code == EXIT_FINE)
		code = instance_open(&in);
	if (code != EXIT_FINE)
		return code;

	out_open(&m.out, sh, LEG_LINE_HEADING);
	look_everywhere(&m);
	instance_close(&in);
	if (m.code == EXIT_FINE && m.hits == 0)
		m.code = EXIT_NO;
	return out_close(&m.out, m.code);
}
