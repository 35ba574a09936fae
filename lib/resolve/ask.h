/*
 * Asking seki-resolve(8) where mail for a domain goes, over the Unix stream socket
 * run/resolve/socket. Who may connect is decided by the mode of run/resolve/.
 *
 * A question is a line, and a connection may carry any number of them, also before the first answer
 * has come. Answers come as they are ready, in any order; each repeats its question.
 *
 *   mx DOMAIN       the mail servers of a domain (RFC 5321 section 5.1)
 *   a NAME          the addresses of one host
 *
 *   KIND NAME STATUS REASON secure=YESNO implicit=YESNO hosts=N more=N malformed=N
 *   host PREFERENCE NAME CANON STATUS REASON secure=YESNO addresses=N       hosts= times, each with
 *   at ADDRESS                                                              addresses= such lines
 *
 * Words are separated by one space, a line ends in LF, a word that is missing is "-".
 */
#ifndef SEKISHO_RESOLVE_ASK_H
#define SEKISHO_RESOLVE_ASK_H

#include "lib/base/compat.h"

#define RESOLVE_SOCKET        "run/resolve/socket"
#define RESOLVE_NAME_MAX      ((size_t)253)       /* bytes of a name, without the NUL */
#define RESOLVE_HOSTS_MAX     ((size_t)100)       /* mail servers of a domain that are taken */
#define RESOLVE_FAMILY_MAX    ((size_t)8)         /* addresses of one family and host */
#define RESOLVE_ADDRESSES_MAX ((size_t)16)        /* of both */
#define RESOLVE_QUESTION_MAX  ((size_t)257)       /* bytes of a question, with its LF */
#define RESOLVE_ANSWER_MAX    ((size_t)256 << 10) /* bytes of an answer */
#define RESOLVE_OWN_MAX       ((size_t)64)

enum resolve_kind {
	RESOLVE_MX,
	RESOLVE_A,
};

enum resolve_status {
	RESOLVE_OK,    /* at least one host has an address */
	RESOLVE_NONE,  /* for good: no such domain, or nothing there that takes mail */
	RESOLVE_NULL,  /* for good: the domain says that it takes no mail (RFC 7505): 5.1.10 */
	RESOLVE_LATER, /* cannot be told now: the mail waits */
};

enum resolve_reason {
	RESOLVE_NO_REASON,    /* with RESOLVE_OK and RESOLVE_NULL */
	RESOLVE_NXDOMAIN,     /* none: there is no such name */
	RESOLVE_NO_ADDRESS,   /* none: the name is there, an address of a host is not */
	RESOLVE_NO_NAME,      /* none: what was asked, or every MX, is no name of a host */
	RESOLVE_SERVFAIL,     /* later: no server answers as it should */
	RESOLVE_REFUSED,      /* later: the servers refuse to answer */
	RESOLVE_BOGUS,        /* later: the answer's signatures are wrong or missing */
	RESOLVE_TIMEOUT,      /* later: no answer in the question's time */
	RESOLVE_STOPPING,     /* later: seki-resolve ends */
	RESOLVE_NO_RESOURCES, /* later: seki-resolve or the caller lacks memory or descriptors */
	RESOLVE_GONE, /* later: seki-resolve is not there, or went away; never on the wire */
	RESOLVE_UNINTELLIGIBLE /* later: what came was no answer; never on the wire */
};

struct resolve_address {
	bool v6;
	unsigned char bytes[16]; /* network order; IPv4 uses the first four and has zeros behind */
};

struct resolve_host {
	uint16_t preference; /* 0 for an implicit MX and for RESOLVE_A */
	enum resolve_status status;
	enum resolve_reason reason;
	bool secure; /* each address is validated; without addresses: that there are none is */
	char name[RESOLVE_NAME_MAX + 1];  /* lower case, A-labels, no dot at the end */
	char canon[RESOLVE_NAME_MAX + 1]; /* where CNAMEs lead; "" if it is the name itself */
	size_t n_addresses;
	struct resolve_address
	    address[RESOLVE_ADDRESSES_MAX]; /* IPv6 first, each family shuffled */
};

/* Some 90 KiB: one to be kept, not one for each call. */
struct resolve_answer {
	enum resolve_kind kind;
	char name[RESOLVE_NAME_MAX + 1]; /* as asked: A-labels */
	enum resolve_status status;
	enum resolve_reason reason;
	bool
	    secure; /* the MX records, or that there are none, are validated (RESOLVE_A: the host) */
	bool implicit;    /* there is no MX: the host is the domain itself */
	size_t more;      /* MX records that were left out, since there are too many */
	size_t malformed; /* MX records that were left out, since their host is no name */
	size_t n_hosts;
	struct resolve_host host[RESOLVE_HOSTS_MAX]; /* in the order in which to try them */
};

/*
 * A domain as it stands in a mail address (UTF-8) as A-labels (RFC 5891), lower case. False if it is
 * none: empty or too long labels, anything but letters, digits and inner hyphens (RFC 5321 section
 * 4.1.2), a dot at the end, an address literal. Nothing is taken out or repaired.
 */
NODISCARD bool resolve_name(const char *domain, char name[RESOLVE_NAME_MAX + 1]);

/*
 * Asks about `domain`, UTF-8 as it stands in a mail address, waiting at most `timeout_ms` for all of
 * it. Fills `answer`, up to its last host, and returns its status. A domain that is none is RESOLVE_NONE with
 * RESOLVE_NO_NAME without being sent. A resolver that is not there, dies, or talks nonsense is
 * RESOLVE_LATER.
 */
NODISCARD enum resolve_status resolve_ask(const char *path, enum resolve_kind kind,
    const char *domain, int timeout_ms, struct resolve_answer *answer);

/* What of a plan is ourselves. */
struct resolve_own {
	size_t n_names;
	size_t n_addresses;
	bool
	    loopback; /* loopback and unspecified addresses are ours, too; no for a test's servers */
	char name[RESOLVE_OWN_MAX][RESOLVE_NAME_MAX + 1]; /* as resolve_name writes them */
	struct resolve_address address[RESOLVE_OWN_MAX];
};

/*
 * Adds a name; what is none, or one beyond the bound, is left out and false is returned.
 */
NODISCARD bool resolve_own_name(struct resolve_own *own, const char *domain);

/* Adds what the machine's interfaces have now. False with errno; true though some did not fit. */
NODISCARD bool resolve_own_addresses(struct resolve_own *own);

/* Whether to connect there is to connect to ourselves. */
bool resolve_is_own(const struct resolve_own *own, const struct resolve_address *address);

enum resolve_loop {
	RESOLVE_NOT_US, /* we are not among the hosts */
	RESOLVE_BEFORE, /* we are; hosts that come before us are left */
	RESOLVE_TO_US,  /* we come first: nothing is left, the mail would loop (5.4.6) */
};

/*
 * RFC 5321 section 5.1: takes us, and every host of equal or higher preference, out of the answer.
 * The answer's status is told anew for what is left; with RESOLVE_TO_US it is RESOLVE_NONE.
 */
NODISCARD enum resolve_loop resolve_drop_own(
    struct resolve_answer *answer, const struct resolve_own *own);

/* The word that stands for it on the wire and in logs. */
const char *resolve_kind_word(enum resolve_kind kind);
const char *resolve_status_word(enum resolve_status status);
const char *resolve_reason_word(enum resolve_reason reason);

/* ---- for whoever has a loop of his own ---- */

/* Writes a question about a `name` that resolve_name wrote; returns its bytes. */
NODISCARD size_t resolve_question_write(
    enum resolve_kind kind, const char *name, char bytes[RESOLVE_QUESTION_MAX]);

enum resolve_read {
	RESOLVE_READ_MORE, /* so far it is an answer; at most RESOLVE_ANSWER_MAX bytes become one */
	RESOLVE_READ_WHOLE,  /* `answer` is filled, `*used` bytes were taken */
	RESOLVE_READ_BROKEN, /* no answer: close the connection */
};

/*
 * Reads one answer from the beginning of `bytes`. There is exactly one way to write each; `answer`
 * means something only when it is whole.
 */
NODISCARD enum resolve_read resolve_answer_read(
    const char *bytes, size_t len, size_t *used, struct resolve_answer *answer);

#endif
