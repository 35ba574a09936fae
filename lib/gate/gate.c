#include "lib/gate/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/base/clock.h"
#include "lib/base/hex.h"
#include "queue/state_file.h"

#define KEY_FOLDER "lib/gate"
#define KEY_NAME   "key"
#define KEY_MODE   0640
#define KEY_TEXT   ((size_t)2 * GATE_KEY_LEN + 1) /* hex digits and a newline */

#define VERSION    1
#define MINUTE     (60 * CLOCK_SECOND)
#define SIGNED_LEN ((size_t)32) /* of a capability, before its mac */
#define MAC_LEN    ((size_t)13)
#define CAP_LEN    (SIGNED_LEN + MAC_LEN)
#define ID_BYTES   ((size_t)16)

#define SESSION_START   "s1."
#define SESSION_MAC     ((size_t)16)
#define SESSION_MAC_LEN ((size_t)22) /* in base64url */
#define SECONDS_LEN     ((size_t)10) /* of a time before 2286; it has one spelling */

#define PROOF_START   "p1."
#define PROOF_LEN     ((size_t)GATE_PROOF_TEXT - 1)
#define PROOF_SIGNED  (sizeof PROOF_START - 1 + SECONDS_LEN) /* what its mac is about */
#define PROOF_MESSAGE (PROOF_SIGNED + 1 + GATE_CAP_TEXT - 1)

enum { AT_RIGHTS = 1, AT_GENERATION = 2, AT_ZERO = 3, AT_UNTIL = 4, AT_ID = 8, AT_WHO = 24 };

/* ---- the key ------------------------------------------------------------------------------ */

/* One of zero bytes is what is left where none could be read: everybody knows it. */
static bool is_none(const struct gate_key *key)
{
	unsigned char any = 0;

	for (size_t i = 0; i < GATE_KEY_LEN; i++)
		any |= key->bytes[i];
	return any == 0;
}

static bool read_key(int dir, struct gate_key *key)
{
	char text[KEY_TEXT + 1]; /* one more than there may be */
	int fd = openat(dir, KEY_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), error;
	ssize_t n;
	bool good;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof text);
	error = errno;
	(void)close(fd);
	good = n == (ssize_t)KEY_TEXT && text[KEY_TEXT - 1] == '\n' &&
	       hex_decode(text, key->bytes, GATE_KEY_LEN) && !is_none(key);
	OPENSSL_cleanse(text, sizeof text);
	if (!good) {
		gate_key_forget(key);
		errno = n < 0 ? error : EBADMSG;
	}
	return good;
}

static bool make_key(int dir)
{
	unsigned char bytes[GATE_KEY_LEN];
	char text[KEY_TEXT + 1];
	bool made = false;
	int error;

	if (getrandom(bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes) {
		hex_encode(bytes, sizeof bytes, text);
		text[KEY_TEXT - 1] = '\n';
		made = state_file_make(dir, KEY_NAME, text, KEY_TEXT, KEY_MODE);
	}
	error = errno;
	OPENSSL_cleanse(bytes, sizeof bytes);
	OPENSSL_cleanse(text, sizeof text);
	errno = error;
	return made;
}

bool gate_key_read(bool make, struct gate_key *key)
{
	int dir = open(KEY_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;
	bool read;

	gate_key_forget(key);
	if (dir < 0)
		return false;
	read = read_key(dir, key);
	if (!read && errno == ENOENT && make)
		read = make_key(dir) && read_key(dir, key);
	error = errno;
	(void)close(dir);
	errno = error;
	return read;
}

void gate_key_forget(struct gate_key *key)
{
	OPENSSL_cleanse(key, sizeof *key);
}

/* ---- digests ------------------------------------------------------------------------------ */

/*
 * The first `want` bytes of HMAC-SHA256 over the label, a NUL and the bytes. False: OpenSSL failed, or there is
 * no key, so that nothing is signed, and whatever is shown is forged.
 */
static bool mac_of(const struct gate_key *key, const char *label, const void *bytes, size_t len,
    unsigned char *mac, size_t want)
{
	unsigned char input[GATE_SESSION_TEXT + 16], digest[EVP_MAX_MD_SIZE];
	size_t label_len = strlen(label) + 1;
	unsigned digest_len = 0;
	bool made;

	if (label_len + len > sizeof input || is_none(key))
		return false;
	memcpy(input, label, label_len);
	memcpy(input + label_len, bytes, len);
	made = HMAC(EVP_sha256(), key->bytes, GATE_KEY_LEN, input, label_len + len, digest,
		   &digest_len) != NULL &&
	       digest_len >= want;
	if (made)
		memcpy(mac, digest, want);
	OPENSSL_cleanse(digest, sizeof digest);
	OPENSSL_cleanse(input, sizeof input);
	return made;
}

bool gate_who(const struct gate_key *key, const char *address, unsigned char who[GATE_WHO_LEN])
{
	size_t len = strlen(address);

	return len < GATE_ADDRESS_MAX && mac_of(key, "who", address, len, who, GATE_WHO_LEN);
}

/* ---- base64url without padding (RFC 4648 section 5) --------------------------------------- */

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t gate_letters(const unsigned char *in, size_t len, char *out)
{
	unsigned bits = 0, held = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		held = (held << 8 | in[i]) & 0xffff;
		bits += 8;
		while (bits >= 6) {
			bits -= 6;
			out[n++] = letters[held >> bits & 63];
		}
	}
	if (bits > 0)
		out[n++] = letters[held << (6 - bits) & 63];
	out[n] = '\0';
	return n;
}

/* Each text has one meaning, and each meaning one text: bits that are left over must be 0. */
static bool decode(const char *in, size_t len, unsigned char *out, size_t room, size_t *out_len)
{
	unsigned bits = 0, held = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const char *letter = in[i] != '\0' ? strchr(letters, in[i]) : NULL;

		if (letter == NULL)
			return false;
		held = (held << 6 | (unsigned)(letter - letters)) & 0xffff;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (n >= room)
			return false;
		out[n++] = (unsigned char)(held >> bits);
	}
	*out_len = n;
	return bits < 6 && (held & ((1U << bits) - 1)) == 0;
}

/* ---- capabilities ------------------------------------------------------------------------- */

bool gate_capability_write(
    const struct gate_key *key, const struct gate_capability *capability, char text[GATE_CAP_TEXT])
{
	int64_t minutes = capability->until / MINUTE;
	unsigned char bytes[CAP_LEN] = {VERSION};

	text[0] = '\0';
	if (capability->until < 0 || minutes > UINT32_MAX || capability->rights > UINT8_MAX ||
	    strlen(capability->id) != ID_LEN ||
	    !hex_decode(capability->id, bytes + AT_ID, ID_BYTES))
		return false;
	bytes[AT_RIGHTS] = (unsigned char)capability->rights;
	bytes[AT_GENERATION] = capability->generation;
	for (size_t i = 0; i < 4; i++)
		bytes[AT_UNTIL + i] = (unsigned char)(minutes >> (24 - 8 * i));
	memcpy(bytes + AT_WHO, capability->who, GATE_WHO_LEN);
	if (!mac_of(key, "capability", bytes, SIGNED_LEN, bytes + SIGNED_LEN, MAC_LEN))
		return false;
	(void)gate_letters(bytes, sizeof bytes, text);
	return true;
}

enum gate_proof gate_capability_read(const struct gate_key *key, const char *text, size_t len,
    int64_t now, struct gate_capability *capability)
{
	unsigned char bytes[CAP_LEN], mac[MAC_LEN];
	uint32_t minutes = 0;
	size_t n;

	*capability = (struct gate_capability){.rights = 0};
	if (len != GATE_CAP_TEXT - 1 || !decode(text, len, bytes, sizeof bytes, &n) ||
	    n != sizeof bytes || !mac_of(key, "capability", bytes, SIGNED_LEN, mac, MAC_LEN) ||
	    CRYPTO_memcmp(mac, bytes + SIGNED_LEN, MAC_LEN) != 0)
		return GATE_FORGED;
	/* Signed by us, but by a version that means something else. */
	if (bytes[0] != VERSION || bytes[AT_ZERO] != 0)
		return GATE_FORGED;

	for (size_t i = 0; i < 4; i++)
		minutes = minutes << 8 | bytes[AT_UNTIL + i];
	capability->rights = bytes[AT_RIGHTS];
	capability->generation = bytes[AT_GENERATION];
	capability->until = (int64_t)minutes * MINUTE;
	hex_encode(bytes + AT_ID, ID_BYTES, capability->id);
	memcpy(capability->who, bytes + AT_WHO, GATE_WHO_LEN);
	return now < capability->until ? GATE_GOOD : GATE_EXPIRED;
}

/* ---- sessions ----------------------------------------------------------------------------- */

bool gate_session_write(
    const struct gate_key *key, const char *address, int64_t until, char text[GATE_SESSION_TEXT])
{
	unsigned char mac[SESSION_MAC];
	size_t len = strlen(address), at;
	int n;

	text[0] = '\0';
	if (len == 0 || len >= GATE_ADDRESS_MAX || until < 0)
		return false;
	memcpy(text, SESSION_START, sizeof SESSION_START - 1);
	at = sizeof SESSION_START - 1;
	at += gate_letters((const unsigned char *)address, len, text + at);
	n = snprintf(
	    text + at, GATE_SESSION_TEXT - at, ".%010lld", (long long)(until / CLOCK_SECOND));
	if (n != (int)SECONDS_LEN + 1)
		return false;
	at += (size_t)n;
	if (at + 1 + SESSION_MAC_LEN + 1 > GATE_SESSION_TEXT ||
	    !mac_of(key, "session", text, at, mac, SESSION_MAC))
		return false;
	text[at++] = '.';
	(void)gate_letters(mac, SESSION_MAC, text + at);
	return true;
}

/* SECONDS_LEN digits. */
static bool read_seconds(const char *text, int64_t *seconds)
{
	*seconds = 0;
	for (size_t i = 0; i < SECONDS_LEN; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*seconds = *seconds * 10 + (text[i] - '0');
	}
	return true;
}

/* The text ends in ".SECONDS.MAC", both of one length; in front of it stands the address. */
enum gate_proof gate_session_read(const struct gate_key *key, const char *text, size_t len,
    int64_t now, char address[GATE_ADDRESS_MAX])
{
	static const size_t start = sizeof SESSION_START - 1;
	static const size_t end = 1 + SECONDS_LEN + 1 + SESSION_MAC_LEN;
	unsigned char right[SESSION_MAC], said[SESSION_MAC];
	const char *seconds, *mac;
	int64_t until = 0;
	size_t n;

	address[0] = '\0';
	if (len >= GATE_SESSION_TEXT || len <= start + end ||
	    memcmp(text, SESSION_START, start) != 0)
		return GATE_FORGED;
	seconds = text + len - SESSION_MAC_LEN - 1 - SECONDS_LEN;
	mac = text + len - SESSION_MAC_LEN;
	if (mac[-1] != '.' || seconds[-1] != '.' ||
	    !decode(mac, SESSION_MAC_LEN, said, sizeof said, &n) || n != sizeof said ||
	    !mac_of(key, "session", text, (size_t)(mac - 1 - text), right, sizeof right) ||
	    CRYPTO_memcmp(right, said, sizeof right) != 0)
		return GATE_FORGED;

	if (!read_seconds(seconds, &until) ||
	    !decode(text + start, (size_t)(seconds - 1 - text) - start, (unsigned char *)address,
		GATE_ADDRESS_MAX - 1, &n) ||
	    n == 0 || memchr(address, '\0', n) != NULL) {
		address[0] = '\0';
		return GATE_FORGED;
	}
	address[n] = '\0';
	return now < until * CLOCK_SECOND ? GATE_GOOD : GATE_EXPIRED;
}

/* ---- proofs ------------------------------------------------------------------------------- */

/* The mac of a proof whose first PROOF_SIGNED characters are `text`. */
static bool proof_mac(const struct gate_key *key, const char *text, const char *capability,
    unsigned char mac[SESSION_MAC])
{
	char message[PROOF_MESSAGE];

	if (strlen(capability) != GATE_CAP_TEXT - 1)
		return false;
	memcpy(message, text, PROOF_SIGNED);
	message[PROOF_SIGNED] = ' ';
	memcpy(message + PROOF_SIGNED + 1, capability, GATE_CAP_TEXT - 1);
	return mac_of(key, "proof", message, sizeof message, mac, SESSION_MAC);
}

bool gate_proof_write(
    const struct gate_key *key, const char *capability, int64_t until, char text[GATE_PROOF_TEXT])
{
	unsigned char mac[SESSION_MAC];
	int n;

	n = until >= 0 ? snprintf(text, GATE_PROOF_TEXT, PROOF_START "%010lld",
			     (long long)(until / CLOCK_SECOND))
		       : -1;
	if (n != (int)PROOF_SIGNED || !proof_mac(key, text, capability, mac)) {
		text[0] = '\0';
		return false;
	}
	text[PROOF_SIGNED] = '.';
	(void)gate_letters(mac, sizeof mac, text + PROOF_SIGNED + 1);
	return true;
}

enum gate_proof gate_proof_read(
    const struct gate_key *key, const char *text, size_t len, int64_t now, const char *capability)
{
	unsigned char right[SESSION_MAC], said[SESSION_MAC];
	int64_t until;
	size_t n;

	if (len != PROOF_LEN || memcmp(text, PROOF_START, sizeof PROOF_START - 1) != 0 ||
	    text[PROOF_SIGNED] != '.' ||
	    !decode(text + PROOF_SIGNED + 1, SESSION_MAC_LEN, said, sizeof said, &n) ||
	    n != sizeof said || !proof_mac(key, text, capability, right) ||
	    CRYPTO_memcmp(right, said, sizeof right) != 0 ||
	    !read_seconds(text + sizeof PROOF_START - 1, &until))
		return GATE_FORGED;
	return now < until * CLOCK_SECOND ? GATE_GOOD : GATE_EXPIRED;
}
