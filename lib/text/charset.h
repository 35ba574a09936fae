/*
 * From any charset to UTF-8, piece by piece. What cannot be converted becomes U+FFFD and is counted;
 * nothing is dropped. The labels are those of mail and of the web, as mail programs mean them:
 * Shift_JIS and its names are CP932, EUC-JP is EUC-JP-MS, ISO-2022-JP has the letters of NEC and IBM
 * and half-width kana (JIS X 0201), US-ASCII is a guess when a byte beyond ASCII or an escape comes. A text is converted
 * once: what comes out is never read as a charset again.
 */
#ifndef SEKISHO_TEXT_CHARSET_H
#define SEKISHO_TEXT_CHARSET_H

#include "lib/base/buf.h"
#include "lib/base/sink.h"

#define CHARSET_LABEL_MAX 64

struct charset;

/*
 * libc loads the tables of a charset from files when one is first opened. A process that will have
 * no files prepares them all first and keeps them; its children by fork(2) have them as well. NULL:
 * no memory, or libc has no Japanese charsets.
 */
struct charset_tables;
NODISCARD struct charset_tables *charset_prepare(void);
void charset_tables_free(struct charset_tables *tables);

/*
 * Starts a conversion of text labelled `label` (NUL-ended, any case; "" or one that is not known is
 * a guess by the text itself: a mark of byte order, escapes of ISO-2022-JP, then whichever of UTF-8,
 * CP932 and EUC-JP reads the first 64 KB best, or windows-1252 where every byte beyond ASCII stands
 * alone). A mark of byte order is taken away; it outdoes the label, unless the text contradicts it.
 * `out` gets UTF-8, whole letters. NULL: no memory. The caller frees it by charset_free.
 */
NODISCARD struct charset *charset_open(const char *label, struct sink out);

/* More bytes. False: the sink wants no more. */
NODISCARD bool charset_feed(struct charset *c, const char *bytes, size_t len);

/* The text ends here: what was kept back goes out. False: the sink wanted no more. */
NODISCARD bool charset_end(struct charset *c);

/* What it was converted from (for a guess: what was taken), and how often that failed. */
const char *charset_name(const struct charset *c);
uint64_t charset_failures(const struct charset *c);

void charset_free(struct charset *c);

/* Whether the label is one that is known. */
NODISCARD bool charset_known(const char *label);

/*
 * How programs may read a text: by its label, by what its <meta> says in the first 1024 bytes (HTML
 * Living Standard, section 13.2.3.2), by what its bytes are. `label` is to be read first, each of
 * the others as well.
 */
#define CHARSET_OTHERS_MAX 2

struct charset_readings {
	char label[CHARSET_LABEL_MAX + 1];
	const char *others[CHARSET_OTHERS_MAX]; /* names that last */
	size_t count;                           /* of the others */
	bool differ;                            /* programs may show different texts */
};

/* Of the text that begins with `head`; `label` is "" where none was given. */
void charset_readings_of(const char *label, const char *head, size_t len, bool is_html,
    struct charset_readings *readings);

/* All of a short text at once, appended to `out` (bounded by it). False: no memory, or no room. */
NODISCARD bool charset_convert(const char *label, const char *bytes, size_t len, struct buf *out);

#endif
