#include "lib/login/pins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/auth/guess.h"
#include "lib/base/hex.h"
#include "lib/base/log.h"
#include "lib/login/folder.h"
#include "queue/state_file.h"

#define FILE_MODE 0600
#define WINDOW    (3600 * CLOCK_SECOND)
#define REMEMBER  ((size_t)16384) /* people whose wrong PINs are counted */
#define NOWHERE   "0.0.0.0"       /* guesses are counted by person alone */

struct pin {
	struct pin *next;
	struct record_pin record;
};

struct pins {
	int dir;
	struct pin *first; /* one for each person who has one: a walk is short beside a hash */
	struct guess *guess;
};

static struct pin *find(const struct pins *pins, const char *address)
{
	struct pin *pin = pins->first;

	while (pin != NULL && strcmp(pin->record.address, address) != 0)
		pin = pin->next;
	return pin;
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool read_file(void *context, const char *name, const unsigned char bytes[RECORD_NAME_LEN])
{
	struct pins *pins = context;
	struct pin *pin = calloc(1, sizeof *pin);
	struct buf b;
	bool good = false, there;

	if (pin == NULL)
		return false;
	buf_init(&b, RECORD_MAX + 4096);
	there = state_file_read(pins->dir, name, &b);
	if (there)
		good = b.len > 0 && record_pin_read(b.bytes, b.len, bytes, &pin->record);
	else if (errno != EFBIG && errno != ELOOP)
		goto fail;
	buf_free(&b);
	if (good) {
		pin->next = pins->first;
		pins->first = pin;
		return true;
	}
	free(pin);
	LOG_ALARM("login-damaged", kv("file", name));
	return state_file_put_aside(pins->dir, name);
fail:
	buf_free(&b);
	free(pin);
	return false;
}

static struct guess *new_guess(void)
{
	static const struct guess_limits limits = {
	    .window = WINDOW, .source = INT64_MAX, .login = PINS_TRIES};
	unsigned char secret[MEMO_SECRET];
	struct guess *guess = NULL;

	if (getrandom(secret, sizeof secret, 0) == (ssize_t)sizeof secret)
		guess = guess_new(REMEMBER, secret, &limits);
	explicit_bzero(secret, sizeof secret);
	return guess;
}

struct pins *pins_open(int dir)
{
	struct pins *pins = calloc(1, sizeof *pins);
	int error = ENOMEM;

	if (pins == NULL) {
		(void)close(dir);
		errno = error;
		return NULL;
	}
	pins->dir = dir;
	pins->guess = new_guess();
	if (pins->guess != NULL && hashes_read(dir, read_file, pins))
		return pins;
	error = pins->guess != NULL ? errno : ENOMEM;
	pins_close(pins);
	errno = error;
	return NULL;
}

void pins_close(struct pins *pins)
{
	if (pins == NULL)
		return;
	for (struct pin *pin = pins->first, *next; pin != NULL; pin = next) {
		next = pin->next;
		explicit_bzero(pin, sizeof *pin);
		free(pin);
	}
	guess_free(pins->guess);
	(void)close(pins->dir);
	free(pins);
}

/* ---- looking ------------------------------------------------------------------------------ */

bool pins_fits(const char *pin)
{
	size_t len = strlen(pin);

	return len >= PINS_DIGITS_MIN && len <= PINS_DIGITS_MAX && strspn(pin, "0123456789") == len;
}

bool pins_weak(const char *pin)
{
	for (int step = -1; step <= 1; step++) {
		size_t i = 1;

		while (pin[i] != '\0' && (pin[i] - pin[i - 1] - step) % 10 == 0)
			i++;
		if (pin[i] == '\0')
			return true;
	}
	return false;
}

const char *pins_of(const struct pins *pins, const char *address)
{
	const struct pin *pin = find(pins, address);

	return pin != NULL ? pin->record.hash : NULL;
}

const char *pins_whose(const struct pins *pins, const struct gate_key *key,
    const unsigned char who[GATE_WHO_LEN], const char **hash)
{
	unsigned char his[GATE_WHO_LEN];

	for (const struct pin *pin = pins->first; pin != NULL; pin = pin->next) {
		if (gate_who(key, pin->record.address, his) && memcmp(his, who, sizeof his) == 0) {
			*hash = pin->record.hash;
			return pin->record.address;
		}
	}
	return NULL;
}

/* ---- changing ----------------------------------------------------------------------------- */

/* Durably. False with errno. */
static bool write_one(const struct pins *pins, const struct record_pin *record)
{
	char name[RECORD_NAME_TEXT];
	struct buf b;
	bool done;

	hex_encode(record->name, RECORD_NAME_LEN, name);
	buf_init(&b, RECORD_MAX);
	record_pin_write(record, &b);
	errno = ENOMEM;
	done = buf_ok(&b) && state_file_replace(pins->dir, name, b.bytes, b.len, FILE_MODE);
	buf_free(&b);
	return done;
}

bool pins_set(struct pins *pins, const char *address, const char *hash)
{
	struct pin *old = find(pins, address), *pin = old != NULL ? old : calloc(1, sizeof *pin);
	struct record_pin record = {.hash = ""};
	bool done;

	if (pin == NULL)
		return false;
	record_name(address, record.name);
	(void)snprintf(record.address, sizeof record.address, "%s", address);
	(void)snprintf(record.hash, sizeof record.hash, "%s", hash);
	done = write_one(pins, &record);
	if (done) {
		pin->record = record;
		if (old == NULL) {
			pin->next = pins->first;
			pins->first = pin;
		}
	} else if (old == NULL) {
		free(pin);
	}
	explicit_bzero(&record, sizeof record);
	return done;
}

bool pins_remove(struct pins *pins, const char *address)
{
	struct pin *pin = find(pins, address), **at = &pins->first;
	char name[RECORD_NAME_TEXT];

	if (pin == NULL)
		return true;
	hex_encode(pin->record.name, RECORD_NAME_LEN, name);
	if ((unlinkat(pins->dir, name, 0) != 0 && errno != ENOENT) || fsync(pins->dir) != 0)
		return false;
	while (*at != pin)
		at = &(*at)->next;
	*at = pin->next;
	explicit_bzero(pin, sizeof *pin);
	free(pin);
	return true;
}

/* ---- guesses ------------------------------------------------------------------------------ */

static struct guess_who keys_of(const struct pins *pins, const unsigned char who[GATE_WHO_LEN])
{
	char hex[2 * GATE_WHO_LEN + 1];
	struct guess_who keys = {.login = {0}};

	hex_encode(who, GATE_WHO_LEN, hex);
	(void)!guess_who(pins->guess, NOWHERE, hex, &keys); /* that is an address */
	return keys;
}

bool pins_may(const struct pins *pins, const unsigned char who[GATE_WHO_LEN], int64_t now)
{
	struct guess_who keys = keys_of(pins, who);

	return guess_may(pins->guess, now, &keys) == GUESS_MAY;
}

bool pins_wrong(struct pins *pins, const unsigned char who[GATE_WHO_LEN], int64_t now)
{
	struct guess_who keys = keys_of(pins, who);

	return guess_wrong(pins->guess, now, &keys).login_reached;
}

/* ---- more of them, over days -------------------------------------------------------------- */

bool pins_worn(const struct pins *pins, const char *address)
{
	const struct pin *pin = find(pins, address);

	return pin != NULL && pin->record.wrong >= PINS_WORN;
}

bool pins_wear(struct pins *pins, const char *address, int64_t wall)
{
	struct pin *pin = find(pins, address);

	if (pin == NULL)
		return true; /* it was taken away meanwhile */
	if (pin->record.wrong < PINS_WORN && wall - pin->record.wrong_last >= PINS_WEEK)
		pin->record.wrong = 0;
	if (pin->record.wrong < PINS_WORN)
		pin->record.wrong++;
	pin->record.wrong_last = wall;
	return write_one(pins, &pin->record);
}

bool pins_forgive(struct pins *pins, const char *address)
{
	struct pin *pin = find(pins, address);

	if (pin == NULL || pin->record.wrong == 0)
		return true;
	pin->record.wrong = 0;
	pin->record.wrong_last = 0;
	return write_one(pins, &pin->record);
}
