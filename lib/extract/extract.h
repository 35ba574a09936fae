/*
 * What is really in a file: its type by its bytes, whether it is encrypted, the names and the text
 * within, down through archives in archives. A file is a stretch of a descriptor; what is unpacked
 * and must be read at random goes to a scratch file and not to memory. Nothing is ever written under
 * a name that came from a stranger.
 *
 * Runs in the sandbox alone. Every limit that is reached, and everything that cannot be looked into,
 * is told as a fault: nothing is skipped in silence.
 */
#ifndef SEKISHO_EXTRACT_EXTRACT_H
#define SEKISHO_EXTRACT_EXTRACT_H

#include "lib/base/buf.h"
#include "lib/base/sink.h"
#include "lib/base/source.h"

/* F(NAME, word, media type as the magic table of the facts tells it) */
#define FILE_FORMATS(F)                                                                            \
	F(EMPTY, "empty", "application/x-empty")                                                   \
	F(TEXT, "text", "text/plain")                                                              \
	F(HTML, "html", "text/html")                                                               \
	F(RTF, "rtf", "text/rtf")                                                                  \
	F(PDF, "pdf", "application/pdf")                                                           \
	F(ZIP, "zip", "application/zip")                                                           \
	F(OOXML, "ooxml", "application/vnd.openxmlformats-officedocument")                         \
	F(ODF, "odf", "application/vnd.oasis.opendocument")                                        \
	F(OLE, "ole", "application/x-ole-storage")                                                 \
	F(DOC, "doc", "application/msword")                                                        \
	F(XLS, "xls", "application/vnd.ms-excel")                                                  \
	F(PPT, "ppt", "application/vnd.ms-powerpoint")                                             \
	F(MSG, "msg", "application/vnd.ms-outlook")                                                \
	F(SEVENZIP, "7z", "application/x-7z-compressed")                                           \
	F(RAR, "rar", "application/vnd.rar")                                                       \
	F(LZH, "lzh", "application/x-lzh")                                                         \
	F(CAB, "cab", "application/vnd.ms-cab-compressed")                                         \
	F(TAR, "tar", "application/x-tar")                                                         \
	F(GZIP, "gzip", "application/gzip")                                                        \
	F(BZIP, "bzip2", "application/x-bzip2")                                                    \
	F(XZ, "xz", "application/x-xz")                                                            \
	F(ZSTD, "zstd", "application/zstd")                                                        \
	F(ISO, "iso", "application/x-iso9660-image")                                               \
	F(TNEF, "tnef", "application/vnd.ms-tnef")                                                 \
	F(MAIL, "mail", "message/rfc822")                                                          \
	F(IMAGE, "image", "image/*")                                                               \
	F(AUDIO, "audio", "audio/*")                                                               \
	F(VIDEO, "video", "video/*")                                                               \
	F(PROGRAM, "program", "application/x-executable")                                          \
	F(SIGNATURE, "signature", "application/pkcs7-signature")                                   \
	F(OTHER, "other", "application/octet-stream")

enum file_format {
#define F(name, word, type) FORMAT_##name,
	FILE_FORMATS(F)
#undef F
	    FORMAT_COUNT
};

enum file_encrypted {
	ENCRYPTED_NO,
	ENCRYPTED_ALL,     /* a ZIP: every member that is a file; else the file as a whole */
	ENCRYPTED_SOME,    /* some members are, some are not */
	ENCRYPTED_UNKNOWN, /* damaged, or a limit came first */
};

/*
 * Why a file, or a part of it, could not be looked into. U(NAME, word in reason=)
 */
#define EXTRACT_FAULTS(U)                                                                          \
	U(ENCRYPTED, "encrypted") /* there is content, but nobody but its recipient can read it */ \
	U(FORMAT, "format")       /* nothing here reads this format */                             \
	U(DAMAGED, "damaged")     /* it breaks the rules of its format, or ends too soon */        \
	U(AMBIGUOUS, "ambiguous") /* two programs would see two different things in it */          \
	U(DEPTH, "depth")         /* archives within archives, deeper than inspect-depth */        \
	U(MEMBERS, "members")     /* more than inspect-members */                                  \
	U(EXPANSION,                                                                               \
	    "expansion") /* more bytes than inspect-expansion, or than inspect-ratio allows */     \
	U(SIZE, "size")  /* larger than what can be converted */                                   \
	U(CONVERTER, "converter") /* seki-convert failed, or took too long */                      \
	U(MEMORY, "memory")       /* no memory left */                                             \
	U(READ, "read")           /* the file could not be read */

enum extract_fault {
#define U(name, word) EXTRACT_##name,
	EXTRACT_FAULTS(U)
#undef U
	    EXTRACT_FAULT_COUNT
};

/* Tools that run outside, in seki-convert(8). T(NAME, word) */
#define CONVERT_TOOLS(T) T(PDF, "pdf")

enum convert_tool {
#define T(name, word) CONVERT_##name,
	CONVERT_TOOLS(T)
#undef T
	    CONVERT_TOOL_COUNT
};

struct extract_limits {
	unsigned depth;     /* containers within containers */
	uint64_t members;   /* of all containers of the message together */
	uint64_t expansion; /* bytes unpacked, of the message */
	uint64_t ratio;     /* bytes out for each byte in, beyond the first 8 MB of a container */
	uint64_t convert;   /* bytes of a file that is given to a converter */
	uint64_t html;      /* bytes of HTML that is read by its elements */
};

/* A file within a container. */
struct extract_member {
	const char
	    *name;     /* UTF-8 as decoded, NUL-ended; not yet made canonical; "" if it has none */
	uint64_t size; /* unpacked, as far as it is known */
	bool encrypted;
	bool is_folder;
	unsigned level; /* 1: within the file itself */
};

/*
 * What is made once, before the sandbox is entered and before fork(2), because it reads files: the
 * database of magic numbers, a locale, the converter of Japanese names. NULL with errno: the database
 * is missing, or no memory. Not for several threads at once. The caller frees it.
 */
struct extract_tables;
NODISCARD struct extract_tables *extract_prepare(void);
void extract_tables_free(struct extract_tables *tables);

struct extract;

/* Whom it tells. The texts are good during the call. */
struct extract_told {
	void *context;
	/* Text of the file, UTF-8; a text_ends follows each that was begun. False: no more is wanted. */
	bool (*text)(void *context, const char *utf8, size_t len);
	void (*text_ends)(void *context);
	void (*member)(void *context, const struct extract_member *member);
	/* `member`: where, a path of names with '/', "" for the file itself. */
	void (*fault)(void *context, enum extract_fault fault, const char *member);
	/*
	 * Has a stretch of the scratch file or of the message converted; the text goes into `out`.
	 * Fills `encrypted` when the tool says that the file has a password.
	 */
	bool (*convert)(void *context, enum convert_tool tool, const struct source *file,
	    struct sink out, bool *encrypted);
};

/* One message's files, which share the limits. `scratch` is an empty file, the caller's. */
struct extract_setup {
	struct extract_tables *tables; /* NULL: types are known by our own checks alone */
	struct extract_limits limits;
	struct extract_told told;
	int scratch;
};

/* NULL: no memory. The caller frees it. */
NODISCARD struct extract *extract_new(const struct extract_setup *setup);
void extract_free(struct extract *x);

/* What is known of a file without looking for text. */
struct extract_file {
	enum file_format format;
	char type[96]; /* by magic, "application/pdf" */
	enum file_encrypted encrypted;
};

/*
 * Looks at a file. `name` (UTF-8, canonical; "" none) helps where bytes alone do not tell (a CSV).
 * `label` is the charset that was declared, or "". With `deep` false only type and encryption are
 * found out; with true members, texts and faults are told.
 */
void extract_file(struct extract *x, const struct source *file, const char *name, const char *label,
    bool deep, struct extract_file *found);

#define EXTRACT_HEAD ((size_t)65536)

/*
 * What the beginning of something declared to be text is, EXTRACT_HEAD bytes or all of it: the kind
 * of text (TEXT, HTML, RTF, MAIL, PROGRAM: a script, SIGNATURE: an armoured one), EMPTY, OTHER if it
 * is none, or FORMAT_COUNT if it is a file of a known kind. Looks at these bytes and at nothing else.
 */
enum file_format extract_text_kind(const char *head, size_t len);

const char *file_format_word(enum file_format format);
const char *extract_fault_word(enum extract_fault fault);
const char *convert_tool_word(enum convert_tool tool);

#endif
