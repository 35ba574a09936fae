/*
 * Who is logged in, as seki-login keeps it (W2: tokens are random and only their hash is stored; W4: sessions end;
 * S0-12): over restarts, damage, limits and clocks that are set.
 *
 * link: -Wl,--wrap=fsync -Wl,--wrap=utimensat
 */
#include "tests/unit/queue_kit.h"

#include <sys/time.h>

#include "lib/base/hex.h"
#include "lib/login/hasher.h"
#include "lib/login/pins.h"
#include "lib/login/sessions.h"

#define SECOND CLOCK_SECOND
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define BOOT_1 "37c0dbfd-502b-4355-8439-9384f8c3013d"
#define BOOT_2 "11111111-502b-4355-8439-9384f8c3013d"
#define ALICE  "alice@example.co.jp"
#define BOB    "bob@example.co.jp"
#define SOURCE "192.0.2.7"

static const struct sessions_limits usual = {
    .idle = 30 * MINUTE, .longest = 12 * HOUR, .most = 100};

static struct fixture {
	char root[256];
	struct sessions_now now;
	struct sessions *s;
} f;

static bool no_fsync, no_utimensat;

int __wrap_fsync(int fd);

/* No power fails here: it costs nothing. */
int __wrap_fsync(int fd)
{
	(void)fd;
	errno = EIO;
	return no_fsync ? -1 : 0;
}

int __real_utimensat(int fd, const char *path, const struct timespec times[2], int flags);
int __wrap_utimensat(int fd, const char *path, const struct timespec times[2], int flags);

int __wrap_utimensat(int fd, const char *path, const struct timespec times[2], int flags)
{
	if (!no_utimensat)
		return __real_utimensat(fd, path, times, flags);
	errno = EROFS;
	return -1;
}

static int open_dir(const char *path)
{
	int fd;

	assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void start_with(const char *boot, const struct sessions_limits *limits)
{
	f.s = sessions_open(open_dir("lib/sessions"), boot, limits, f.now);
	assert_non_null(f.s);
}

static int set_up(void **state)
{
	(void)state;
	kit_enter(f.root);
	/* The files have times of their own: the clock of the test is not far from the machine's. */
	f.now = (struct sessions_now){.wall = clock_wall(), .boot = 1000 * HOUR};
	start_with(BOOT_1, &usual);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sessions_close(f.s);
	kit_leave(f.root);
	return 0;
}

/* Both clocks go on. */
static void pass(int64_t span)
{
	f.now.wall += span;
	f.now.boot += span;
}

static void restart(void)
{
	sessions_close(f.s);
	start_with(BOOT_1, &usual);
}

static void begin(const char *address, char token[LOGIN_TOKEN_TEXT])
{
	const struct sessions_one *one;

	assert_true(sessions_begin(f.s, address, SOURCE, false, f.now, token, &one));
	assert_string_equal(one->record.address, address);
}

static enum sessions_found look(const char *token)
{
	const struct sessions_one *one;

	return sessions_find(f.s, token, f.now, &one);
}

/* Finds it and uses it. */
static enum sessions_found use(const char *token)
{
	const struct sessions_one *one;
	enum sessions_found found = sessions_find(f.s, token, f.now, &one);

	if (found == SESSIONS_GOOD)
		sessions_use(f.s, one, f.now);
	return found;
}

static size_t files(void)
{
	char name[NAME_MAX + 1];

	return kit_count("lib/sessions", name);
}

static void path_of(const char *token, char path[128])
{
	unsigned char name[RECORD_NAME_LEN];
	char hex[RECORD_NAME_TEXT];

	record_name(token, name);
	hex_encode(name, sizeof name, hex);
	(void)snprintf(path, 128, "lib/sessions/%s", hex);
}

/* ---- tokens ------------------------------------------------------------------------------- */

static void token_is_stored_as_its_hash_alone(void **state)
{
	char one[LOGIN_TOKEN_TEXT], other[LOGIN_TOKEN_TEXT], path[128];
	struct kit_bytes bytes;
	struct stat st;

	(void)state;
	begin(ALICE, one);
	begin(ALICE, other);
	assert_int_equal(strlen(one), LOGIN_TOKEN_LEN); /* 32 bytes */
	assert_string_not_equal(one, other);
	assert_int_equal(files(), 2);
	path_of(one, path);
	bytes = kit_file(path);
	assert_null(memmem(bytes.at, bytes.len, one, 20));
	assert_non_null(memmem(bytes.at, bytes.len, ALICE, strlen(ALICE)));
	kit_free(&bytes);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void only_the_token_finds_it(void **state)
{
	char token[LOGIN_TOKEN_TEXT], changed[LOGIN_TOKEN_TEXT + 1], path[128];

	(void)state;
	begin(ALICE, token);
	assert_int_equal(look(token), SESSIONS_GOOD);
	for (size_t i = 0; i < LOGIN_TOKEN_LEN; i++) {
		memcpy(changed, token, sizeof token);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		assert_int_equal(look(changed), SESSIONS_UNKNOWN);
	}
	assert_int_equal(look(""), SESSIONS_UNKNOWN);
	(void)snprintf(changed, sizeof changed, "%sA", token);
	assert_int_equal(look(changed), SESSIONS_UNKNOWN);
	/* Nor does the name of its file. */
	path_of(token, path);
	assert_int_equal(look(path + strlen("lib/sessions/")), SESSIONS_UNKNOWN);
}

/* ---- time --------------------------------------------------------------------------------- */

static void it_ends_when_it_is_idle(void **state)
{
	char token[LOGIN_TOKEN_TEXT];

	(void)state;
	begin(ALICE, token);
	for (int i = 0; i < 5; i++) {
		pass(30 * MINUTE - 1);
		assert_int_equal(use(token), SESSIONS_GOOD);
	}
	pass(30 * MINUTE);
	assert_int_equal(use(token), SESSIONS_OVER);
	assert_int_equal(use(token), SESSIONS_UNKNOWN);
	assert_int_equal(files(), 0);
}

static void it_ends_at_last(void **state)
{
	char token[LOGIN_TOKEN_TEXT];

	(void)state;
	begin(ALICE, token);
	for (int i = 0; i < 12 * 4 - 1; i++) {
		pass(15 * MINUTE);
		assert_int_equal(use(token), SESSIONS_GOOD);
	}
	pass(15 * MINUTE);
	assert_int_equal(use(token), SESSIONS_OVER);
}

static void what_is_over_is_swept(void **state)
{
	char token[LOGIN_TOKEN_TEXT], other[LOGIN_TOKEN_TEXT];

	(void)state;
	begin(ALICE, token);
	pass(20 * MINUTE);
	begin(BOB, other);
	pass(10 * MINUTE);
	sessions_sweep(f.s, f.now);
	assert_int_equal(sessions_count(f.s), 1);
	assert_int_equal(files(), 1);
	assert_int_equal(look(other), SESSIONS_GOOD);
}

/* ---- restarts ----------------------------------------------------------------------------- */

static void a_restart_keeps_sessions_and_their_ages(void **state)
{
	char token[LOGIN_TOKEN_TEXT];
	const struct sessions_one *one;

	(void)state;
	begin("\"a b\"@example.co.jp", token);
	pass(20 * MINUTE);
	assert_int_equal(use(token), SESSIONS_GOOD);
	restart();
	assert_int_equal(sessions_find(f.s, token, f.now, &one), SESSIONS_GOOD);
	assert_string_equal(one->record.address, "\"a b\"@example.co.jp");
	assert_string_equal(one->record.source, SOURCE);
	assert_int_equal(sessions_left(f.s, one, f.now), 30 * MINUTE);
	/* A restart is no use of it. */
	pass(29 * MINUTE);
	restart();
	assert_int_equal(look(token), SESSIONS_GOOD);
	pass(1 * MINUTE);
	restart();
	assert_int_equal(look(token), SESSIONS_UNKNOWN);
	assert_int_equal(files(), 0);
}

static void use_is_written_once_a_minute(void **state)
{
	char token[LOGIN_TOKEN_TEXT];

	(void)state;
	begin(ALICE, token);
	pass(59 * SECOND);
	assert_int_equal(use(token), SESSIONS_GOOD);
	restart(); /* as if it had not been used */
	pass(29 * MINUTE + 1 * SECOND);
	assert_int_equal(look(token), SESSIONS_OVER);
	begin(ALICE, token);
	pass(60 * SECOND);
	assert_int_equal(use(token), SESSIONS_GOOD);
	restart();
	pass(29 * MINUTE + 1 * SECOND);
	assert_int_equal(look(token), SESSIONS_GOOD);
}

static void ended_sessions_do_not_come_back(void **state)
{
	char one[LOGIN_TOKEN_TEXT], two[LOGIN_TOKEN_TEXT], other[LOGIN_TOKEN_TEXT];
	const struct sessions_one *found;
	size_t ended;

	(void)state;
	begin(ALICE, one);
	begin(ALICE, two);
	begin(BOB, other);
	assert_int_equal(sessions_find(f.s, one, f.now, &found), SESSIONS_GOOD);
	assert_true(sessions_end(f.s, found));
	assert_int_equal(look(one), SESSIONS_UNKNOWN);
	restart();
	assert_int_equal(look(one), SESSIONS_UNKNOWN);
	assert_int_equal(look(two), SESSIONS_GOOD);
	assert_true(sessions_end_all(f.s, ALICE, &ended));
	assert_int_equal(ended, 1);
	restart();
	assert_int_equal(look(two), SESSIONS_UNKNOWN);
	assert_int_equal(look(other), SESSIONS_GOOD);
	assert_true(sessions_end_all(f.s, ALICE, &ended));
	assert_int_equal(ended, 0);
}

static void what_is_not_durable_is_said(void **state)
{
	char token[LOGIN_TOKEN_TEXT], second[LOGIN_TOKEN_TEXT];
	const struct sessions_one *one;
	size_t ended;

	(void)state;
	begin(ALICE, token);
	no_fsync = true;
	assert_false(sessions_begin(f.s, ALICE, SOURCE, true, f.now, second, &one));
	assert_int_equal(errno, EIO);
	assert_string_equal(second, "");
	assert_false(sessions_end_all(f.s, ALICE, &ended));
	no_fsync = false;
	assert_int_equal(look(token), SESSIONS_UNKNOWN);
}

/* A file that would come back as a session at a restart, of a token that nobody has. */
static void what_was_not_begun_leaves_no_file(void **state)
{
	char token[LOGIN_TOKEN_TEXT];
	const struct sessions_one *one;

	(void)state;
	no_utimensat = true;
	assert_false(sessions_begin(f.s, ALICE, SOURCE, true, f.now, token, &one));
	assert_int_equal(errno, EROFS);
	no_utimensat = false;
	assert_int_equal(files(), 0);
	assert_int_equal(sessions_count(f.s), 0);
}

/* ---- clocks ------------------------------------------------------------------------------- */

static void the_wall_clock_moves_nothing_while_we_run(void **state)
{
	char token[LOGIN_TOKEN_TEXT];

	(void)state;
	begin(ALICE, token);
	f.now.wall += 1000 * HOUR;
	assert_int_equal(look(token), SESSIONS_GOOD);
	f.now.wall -= 2000 * HOUR;
	assert_int_equal(look(token), SESSIONS_GOOD);
	f.now.boot += 30 * MINUTE;
	assert_int_equal(look(token), SESSIONS_OVER);
}

static void a_clock_that_was_set_ends_them_at_a_restart(void **state)
{
	static const int64_t steps[] = {-2 * SECOND, -1000 * HOUR, 2 * MINUTE, 1000 * HOUR};
	char token[LOGIN_TOKEN_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		begin(ALICE, token);
		f.now.wall += steps[i];
		restart();
		assert_int_equal(look(token), SESSIONS_UNKNOWN);
		assert_int_equal(files(), 0);
	}
	/* A few seconds forward are what clocks do. */
	begin(ALICE, token);
	f.now.wall += 30 * SECOND;
	restart();
	assert_int_equal(look(token), SESSIONS_GOOD);
}

static void after_the_machine_the_wall_clock_counts(void **state)
{
	char token[LOGIN_TOKEN_TEXT], other[LOGIN_TOKEN_TEXT];
	const struct sessions_one *one;

	(void)state;
	begin(ALICE, token);
	pass(20 * MINUTE);
	assert_int_equal(use(token), SESSIONS_GOOD);
	sessions_close(f.s);
	f.now = (struct sessions_now){.wall = f.now.wall + 5 * MINUTE, .boot = 3 * SECOND};
	start_with(BOOT_2, &usual);
	assert_int_equal(sessions_find(f.s, token, f.now, &one), SESSIONS_GOOD);
	assert_int_equal(sessions_left(f.s, one, f.now), 25 * MINUTE);
	begin(BOB, other);
	/* It comes up with a clock that stands before what was seen: nobody's age is known. */
	sessions_close(f.s);
	f.now = (struct sessions_now){.wall = f.now.wall - 1 * SECOND, .boot = 2 * SECOND};
	start_with(BOOT_1, &usual);
	assert_int_equal(sessions_count(f.s), 0);
	assert_int_equal(files(), 0);
}

/* ---- damage ------------------------------------------------------------------------------- */

static void damaged_files_are_put_aside(void **state)
{
	char token[LOGIN_TOKEN_TEXT], path[128], bad[160], other[LOGIN_TOKEN_TEXT], theirs[128];
	struct kit_bytes whole;

	(void)state;
	begin(ALICE, token);
	path_of(token, path);
	(void)snprintf(bad, sizeof bad, "%s.bad", path);
	whole = kit_file(path);
	for (size_t i = 0; i < whole.len; i++) {
		char was = whole.at[i];

		whole.at[i] ^= 1;
		kit_write(path, whole.at, whole.len);
		restart();
		assert_int_equal(look(token), SESSIONS_UNKNOWN);
		assert_true(kit_stands(bad));
		whole.at[i] = was;
	}
	for (size_t len = 0; len < whole.len; len++) {
		kit_write(path, whole.at, len);
		restart();
		assert_int_equal(look(token), SESSIONS_UNKNOWN);
	}
	/* Of another name it is none, whole as it is. */
	begin(BOB, other);
	path_of(other, theirs);
	kit_write(theirs, whole.at, whole.len);
	restart();
	assert_int_equal(look(other), SESSIONS_UNKNOWN);
	assert_int_equal(sessions_count(f.s), 0);
	/* And what is too long is no session, either. */
	whole.at = realloc(whole.at, 20000);
	assert_non_null(whole.at);
	memset(whole.at + whole.len, '\n', 20000 - whole.len);
	kit_write(path, whole.at, 20000);
	restart();
	assert_int_equal(sessions_count(f.s), 0);
	kit_free(&whole);
}

static void what_a_killed_writer_left_is_taken_away(void **state)
{
	char token[LOGIN_TOKEN_TEXT], path[128], fresh[160];

	(void)state;
	begin(ALICE, token);
	path_of(token, path);
	(void)snprintf(fresh, sizeof fresh, "%s.new", path);
	kit_write(fresh, "half", 4);
	kit_write("lib/sessions/README", "odd", 3);
	restart();
	assert_false(kit_stands(fresh));
	assert_true(kit_stands("lib/sessions/README"));
	assert_int_equal(look(token), SESSIONS_GOOD);
}

/* ---- bounds ------------------------------------------------------------------------------- */

static void one_person_has_twenty(void **state)
{
	char token[SESSIONS_PERSON_MAX + 1][LOGIN_TOKEN_TEXT], other[LOGIN_TOKEN_TEXT];
	const struct sessions_one *list[64];

	(void)state;
	begin(BOB, other);
	for (size_t i = 0; i <= SESSIONS_PERSON_MAX; i++) {
		begin(ALICE, token[i]);
		pass(1 * SECOND);
		assert_int_equal(use(token[0]), SESSIONS_GOOD); /* the first one is in use */
	}
	assert_int_equal(look(token[0]), SESSIONS_GOOD);
	assert_int_equal(look(token[1]), SESSIONS_UNKNOWN);
	assert_int_equal(look(token[2]), SESSIONS_GOOD);
	assert_int_equal(look(other), SESSIONS_GOOD);
	assert_int_equal(sessions_of(f.s, ALICE, list, COUNT_OF(list)), SESSIONS_PERSON_MAX);
	assert_int_equal(files(), SESSIONS_PERSON_MAX + 1);
}

static void all_together_are_bounded(void **state)
{
	struct sessions_limits few = usual;
	char token[8][LOGIN_TOKEN_TEXT], address[64];

	(void)state;
	few.most = 5;
	sessions_limit(f.s, &few, f.now);
	for (size_t i = 0; i < COUNT_OF(token); i++) {
		(void)snprintf(address, sizeof address, "p%zu@example.co.jp", i);
		begin(address, token[i]);
		pass(1 * SECOND);
		assert_int_equal(use(token[0]), SESSIONS_GOOD);
	}
	assert_int_equal(sessions_count(f.s), 5);
	assert_int_equal(files(), 5);
	assert_int_equal(look(token[0]), SESSIONS_GOOD);
	assert_int_equal(look(token[3]), SESSIONS_UNKNOWN);
	assert_int_equal(look(token[4]), SESSIONS_GOOD);
	/* At a start, too. */
	sessions_close(f.s);
	few.most = 2;
	start_with(BOOT_1, &few);
	assert_int_equal(sessions_count(f.s), 2);
	assert_int_equal(files(), 2);
	/* Shorter limits are in force at once. */
	few.idle = 1 * SECOND;
	sessions_limit(f.s, &few, (struct sessions_now){f.now.wall, f.now.boot + 2 * SECOND});
	assert_int_equal(sessions_count(f.s), 0);
}

static void many_are_found(void **state)
{
	struct sessions_limits many = usual;
	static char token[3000][LOGIN_TOKEN_TEXT];
	char address[64];

	(void)state;
	no_fsync = false;
	many.most = COUNT_OF(token);
	sessions_limit(f.s, &many, f.now);
	for (size_t i = 0; i < COUNT_OF(token); i++) {
		(void)snprintf(address, sizeof address, "p%zu@example.co.jp", i);
		begin(address, token[i]);
	}
	for (size_t i = 0; i < COUNT_OF(token); i++)
		assert_int_equal(look(token[i]), SESSIONS_GOOD);
}

/* Many that are to go at once: the ones used longest ago, and none else. */
static void fewer_are_the_youngest(void **state)
{
	static char token[2000][LOGIN_TOKEN_TEXT];
	struct sessions_limits limits = usual;
	char address[64];

	(void)state;
	limits.most = COUNT_OF(token);
	sessions_limit(f.s, &limits, f.now);
	for (size_t i = 0; i < COUNT_OF(token); i++) {
		(void)snprintf(address, sizeof address, "p%zu@example.co.jp", i);
		begin(address, token[i]);
		pass(SECOND / 10);
	}
	limits.most = 15;
	sessions_limit(f.s, &limits, f.now);
	assert_int_equal(sessions_count(f.s), 15);
	assert_int_equal(files(), 15);
	for (size_t i = 0; i < COUNT_OF(token); i++)
		assert_int_equal(
		    look(token[i]), i < COUNT_OF(token) - 15 ? SESSIONS_UNKNOWN : SESSIONS_GOOD);
}

/* ---- PINs --------------------------------------------------------------------------------- */

static const struct gate_key key = {{1, 2, 3}};

static struct hasher_job compute(const char *pin, const char *hash)
{
	struct hasher *hasher = hasher_start();
	struct hasher_job job = {.context = &f}, *done, result;

	assert_non_null(hasher);
	(void)snprintf(job.pin, sizeof job.pin, "%s", pin);
	(void)snprintf(job.hash, sizeof job.hash, "%s", hash);
	assert_true(hasher_add(hasher, &job));
	while ((done = hasher_done(hasher)) == NULL)
		(void)usleep(1000); /* its descriptor is waited for by seki-login */
	assert_ptr_equal(done->context, &f);
	result = *done;
	hasher_job_free(done);
	hasher_stop(hasher);
	return result;
}

static void pins_are_hashed_and_kept(void **state)
{
	struct pins *pins = pins_open(open_dir("lib/pins"));
	struct hasher_job job = compute("123456", "");
	unsigned char who[GATE_WHO_LEN];
	char hash[PASSWD_HASH_MAX + 1], name[NAME_MAX + 1], path[NAME_MAX + 32];
	const char *found;
	struct kit_bytes bytes;

	(void)state;
	assert_non_null(pins);
	assert_int_equal(job.verdict, PASSWD_RIGHT);
	assert_int_equal(strncmp(job.hash, "$y$", 3), 0);
	assert_string_equal(job.pin, "");
	(void)snprintf(hash, sizeof hash, "%s", job.hash);
	assert_null(pins_of(pins, ALICE));
	assert_true(pins_set(pins, ALICE, hash));
	pins_close(pins);
	pins = pins_open(open_dir("lib/pins"));
	assert_non_null(pins);
	assert_string_equal(pins_of(pins, ALICE), hash);
	assert_null(pins_of(pins, BOB));
	assert_true(gate_who(&key, ALICE, who));
	assert_string_equal(pins_whose(pins, &key, who, &found), ALICE);
	assert_string_equal(found, hash);
	assert_true(gate_who(&key, BOB, who));
	assert_null(pins_whose(pins, &key, who, &found));
	assert_int_equal(compute("123456", hash).verdict, PASSWD_RIGHT);
	assert_int_equal(compute("123457", hash).verdict, PASSWD_WRONG);

	assert_int_equal(kit_count("lib/pins", name), 1);
	(void)snprintf(path, sizeof path, "lib/pins/%s", name);
	bytes = kit_file(path);
	assert_null(memmem(bytes.at, bytes.len, "123456", 6));
	bytes.at[bytes.len / 2] ^= 1;
	kit_write(path, bytes.at, bytes.len);
	kit_free(&bytes);
	pins_close(pins);
	pins = pins_open(open_dir("lib/pins"));
	assert_non_null(pins);
	assert_null(pins_of(pins, ALICE));
	assert_false(kit_stands(path));
	assert_true(pins_set(pins, ALICE, hash));
	assert_true(pins_remove(pins, ALICE));
	assert_true(pins_remove(pins, ALICE));
	assert_false(kit_stands(path));
	pins_close(pins);
}

static void five_wrong_pins_in_an_hour(void **state)
{
	struct pins *pins = pins_open(open_dir("lib/pins"));
	const unsigned char who[GATE_WHO_LEN] = "whoever", other[GATE_WHO_LEN] = "others";
	int64_t now = 1000 * HOUR;

	(void)state;
	assert_non_null(pins);
	for (int i = 1; i <= PINS_TRIES; i++) {
		assert_true(pins_may(pins, who, now));
		assert_int_equal(pins_wrong(pins, who, now), i == PINS_TRIES);
	}
	assert_false(pins_may(pins, who, now));
	assert_true(pins_may(pins, other, now));
	assert_false(pins_may(pins, who, now + HOUR - MINUTE));
	assert_true(pins_may(pins, who, now + HOUR + HOUR / 8 + 1));
	pins_close(pins);
}

static struct pins *reopen(struct pins *pins)
{
	if (pins != NULL)
		pins_close(pins);
	pins = pins_open(open_dir("lib/pins"));
	assert_non_null(pins);
	return pins;
}

/* W3: not five an hour for ever: twenty, over however many restarts, and he has to log in first. */
static void twenty_wrong_pins_and_he_logs_in(void **state)
{
	static const char hash[] = "$y$j9T$none$none";
	struct pins *pins = reopen(NULL);
	int64_t wall = f.now.wall;

	(void)state;
	assert_true(pins_set(pins, ALICE, hash));
	assert_true(pins_set(pins, BOB, hash));
	for (int i = 1; i <= PINS_WORN; i++) {
		assert_false(pins_worn(pins, ALICE));
		wall += 6 * 24 * HOUR;
		assert_true(pins_wear(pins, ALICE, wall));
		pins = reopen(pins);
		assert_string_equal(pins_of(pins, ALICE), hash);
	}
	assert_true(pins_worn(pins, ALICE));
	assert_false(pins_worn(pins, BOB));
	/* Time alone does not change that; that he logs in does, durably. */
	assert_true(pins_wear(pins, ALICE, wall + 100 * 24 * HOUR));
	assert_true(pins_worn(pins, ALICE));
	assert_true(pins_forgive(pins, ALICE));
	assert_true(pins_forgive(pins, "nobody@example.co.jp"));
	pins = reopen(pins);
	assert_false(pins_worn(pins, ALICE));
	/* After a week without a wrong one they begin anew. */
	for (int i = 1; i < PINS_WORN; i++)
		assert_true(pins_wear(pins, ALICE, wall));
	assert_true(pins_wear(pins, ALICE, wall + PINS_WEEK));
	assert_false(pins_worn(pins, ALICE));
	pins_close(pins);
}

static void what_is_tried_first_is_no_pin(void **state)
{
	static const char *const weak[] = {
	    "0000", "1111", "999999999999", "1234", "9876", "4321", "7890", "0123456789", "2109"};
	static const char *const fine[] = {
	    "1112", "1243", "2468", "246810", "1357", "482915", "0102"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(weak); i++)
		assert_true(pins_weak(weak[i]));
	for (size_t i = 0; i < COUNT_OF(fine); i++)
		assert_false(pins_weak(fine[i]));
}

static void what_can_be_a_pin(void **state)
{
	static const char *const good[] = {"0000", "1234", "123456789012"};
	static const char *const bad[] = {
	    "", "123", "1234567890123", "12a4", "-123", " 1234", "１２３４"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_true(pins_fits(good[i]));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(pins_fits(bad[i]));
}

#define FIXED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXED(token_is_stored_as_its_hash_alone),
	    FIXED(only_the_token_finds_it),
	    FIXED(it_ends_when_it_is_idle),
	    FIXED(it_ends_at_last),
	    FIXED(what_is_over_is_swept),
	    FIXED(a_restart_keeps_sessions_and_their_ages),
	    FIXED(use_is_written_once_a_minute),
	    FIXED(ended_sessions_do_not_come_back),
	    FIXED(what_is_not_durable_is_said),
	    FIXED(what_was_not_begun_leaves_no_file),
	    FIXED(the_wall_clock_moves_nothing_while_we_run),
	    FIXED(a_clock_that_was_set_ends_them_at_a_restart),
	    FIXED(after_the_machine_the_wall_clock_counts),
	    FIXED(damaged_files_are_put_aside),
	    FIXED(what_a_killed_writer_left_is_taken_away),
	    FIXED(one_person_has_twenty),
	    FIXED(all_together_are_bounded),
	    FIXED(many_are_found),
	    FIXED(fewer_are_the_youngest),
	    FIXED(pins_are_hashed_and_kept),
	    FIXED(five_wrong_pins_in_an_hour),
	    FIXED(twenty_wrong_pins_and_he_logs_in),
	    cmocka_unit_test(what_is_tried_first_is_no_pin),
	    cmocka_unit_test(what_can_be_a_pin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
