/*
 * Looks into one file as the inspector does and says what it is told, as lines: tests/formats/README.
 * Converters are the real tools, run here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/extract/extract.h"

struct teller {
	bool open; /* a text is being told */
	bool quiet;
};

static void put(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n')
			fputs("\\n", stdout);
		else if (bytes[i] == '\t')
			fputs("\\t", stdout);
		else if (bytes[i] == '\\')
			fputs("\\\\", stdout);
		else
			putchar(bytes[i]);
	}
}

static bool text(void *context, const char *utf8, size_t len)
{
	struct teller *t = context;

	if (t->quiet)
		return true;
	if (!t->open)
		fputs("text=", stdout);
	t->open = true;
	put(utf8, len);
	return true;
}

static void text_ends(void *context)
{
	struct teller *t = context;

	if (t->open)
		putchar('\n');
	t->open = false;
}

static void member(void *context, const struct extract_member *m)
{
	text_ends(context);
	fputs("member=", stdout);
	put(m->name, strlen(m->name));
	putchar('\n');
}

static void fault(void *context, enum extract_fault f, const char *where)
{
	text_ends(context);
	printf("fault=%s ", extract_fault_word(f));
	put(where, strlen(where));
	putchar('\n');
}

/* The stretch as a file of its own in the folder for temporary files. */
static int as_file(const struct source *file, char *path, size_t room)
{
	const char *folder = getenv("TMPDIR");
	char bytes[65536];
	uint64_t at = 0;
	int fd;

	snprintf(path, room, "%s/driver.XXXXXX", folder != NULL ? folder : "/tmp");
	fd = mkstemp(path);
	while (fd >= 0 && at < file->size) {
		ssize_t n = source_read(file, at, bytes, sizeof bytes);

		if (n <= 0 || write(fd, bytes, (size_t)n) != n)
			break;
		at += (uint64_t)n;
	}
	return fd;
}

static void run_tool(enum convert_tool tool, char *path, int out, int err)
{
	static const char *const argv[][5] = {
	    [CONVERT_PDF] = {"pdftotext", "-enc", "UTF-8", NULL},
	};
	struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
	char *words[8];
	int n = 0;

	/* The memory of the inspector is not that of a converter. */
	(void)setrlimit(RLIMIT_DATA, &none);

	for (; argv[tool][n] != NULL; n++)
		words[n] = strdup(argv[tool][n]);
	words[n++] = path;
	words[n++] = strdup("-");
	words[n] = NULL;
	dup2(out, 1);
	dup2(err, 2);
	execvp(words[0], words);
	_exit(127);
}

static bool convert(void *context, enum convert_tool tool, const struct source *file,
    struct sink out, bool *encrypted)
{
	char path[4096], bytes[4096];
	int fds[2], status = 0, fd = as_file(file, path, sizeof path);
	FILE *said = tmpfile();
	bool going = true;
	pid_t pid;
	ssize_t n;

	text_ends(context);
	printf("convert=%s\n", convert_tool_word(tool));
	fflush(stdout);
	*encrypted = false;
	if (fd < 0 || said == NULL || pipe(fds) != 0)
		exit(111);
	pid = fork();
	if (pid == 0)
		run_tool(tool, path, fds[1], fileno(said));
	close(fds[1]);
	while ((n = read(fds[0], bytes, sizeof bytes)) > 0)
		going = going && sink_put(&out, bytes, (size_t)n);
	close(fds[0]);
	close(fd);
	unlink(path);
	going = waitpid(pid, &status, 0) == pid && status == 0;
	n = pread(fileno(said), bytes, sizeof bytes - 1, 0);
	bytes[n > 0 ? n : 0] = '\0';
	*encrypted = strstr(bytes, "Incorrect password") != NULL;
	fclose(said);
	return going;
}

static bool number(const char *word, const char *name, uint64_t *value)
{
	size_t len = strlen(name);

	if (strncmp(word, name, len) != 0)
		return false;
	*value = strtoull(word + len, NULL, 10);
	return true;
}

static const char *encrypted_word(enum file_encrypted e)
{
	static const char *const words[] = {"no", "all", "some", "unknown"};

	return words[e];
}

int main(int argc, char **argv)
{
	struct teller teller = {0};
	struct extract_setup setup = {
	    .limits = {50, 10000, 536870912, 200, 67108864},
	    .told = {&teller, text, text_ends, member, fault, convert},
	};
	const char *label = "", *name;
	struct extract_file found;
	struct extract *x;
	struct source file;
	struct stat st;
	uint64_t depth = 50;
	bool deep = true;

	for (int i = 2; i < argc; i++) {
		if (strncmp(argv[i], "label=", 6) == 0)
			label = argv[i] + 6;
		else if (strcmp(argv[i], "shallow") == 0)
			deep = false;
		else if (strcmp(argv[i], "quiet") == 0)
			teller.quiet = true;
		else if (!number(argv[i], "depth=", &depth) &&
			 !number(argv[i], "members=", &setup.limits.members) &&
			 !number(argv[i], "expansion=", &setup.limits.expansion) &&
			 !number(argv[i], "ratio=", &setup.limits.ratio))
			return 100;
	}
	file.fd = argc > 1 ? open(argv[1], O_RDONLY) : -1;
	setup.limits.depth = (unsigned)depth;
	setup.tables = extract_prepare();
	setup.scratch = fileno(tmpfile());
	x = extract_new(&setup);
	if (file.fd < 0 || fstat(file.fd, &st) != 0 || setup.tables == NULL || x == NULL)
		return 111;
	file.start = 0;
	file.size = (uint64_t)st.st_size;
	name = strrchr(argv[1], '/');
	extract_file(x, &file, name != NULL ? name + 1 : argv[1], label, deep, &found);
	text_ends(&teller);
	printf("format=%s\ntype=%s\nencrypted=%s\n", file_format_word(found.format), found.type,
	    encrypted_word(found.encrypted));
	extract_free(x);
	extract_tables_free(setup.tables);
	close(setup.scratch);
	close(file.fd);
	return 0;
}
