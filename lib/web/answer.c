/* The answer's header and body. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/web/escape.h"
#include "lib/web/web.h"

#define BODY_MAX ((size_t)8 * 1024 * 1024)
#define PIECE    ((size_t)16384)

#define POLICY_START "default-src 'none'; "
#define POLICY_PAGE                                                                                \
	POLICY_START "style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'; "   \
		     "frame-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors "
/* The HTML of a mail: it shows itself, and reaches nothing and nobody. */
#define POLICY_MAIL                                                                                \
	POLICY_START "img-src data:; style-src 'unsafe-inline'; form-action 'none'; "              \
		     "base-uri 'none'; sandbox; frame-ancestors "

static const char *status_words(int status)
{
	static const struct {
		int status;
		const char *words;
	} table[] = {{200, "OK"}, {303, "See Other"}, {400, "Bad Request"}, {403, "Forbidden"},
	    {404, "Not Found"}, {405, "Method Not Allowed"}, {409, "Conflict"}, {410, "Gone"},
	    {413, "Content Too Large"}, {414, "URI Too Long"}, {422, "Unprocessable Content"},
	    {429, "Too Many Requests"}, {500, "Internal Server Error"},
	    {503, "Service Unavailable"}};

	for (size_t i = 0; i < COUNT_OF(table); i++) {
		if (table[i].status == status)
			return table[i].words;
	}
	return "Answer";
}

/* What every answer says, whatever it is: browsers do with it only what we mean. */
static void add_rules(struct buf *out, const struct page *page)
{
	bool mail = page->file >= 0;

	buf_addf(out, "Content-Security-Policy: %s'%s'\r\n", mail ? POLICY_MAIL : POLICY_PAGE,
	    page->frame ? "self" : "none");
	buf_addf(out, "X-Frame-Options: %s\r\n", page->frame ? "SAMEORIGIN" : "DENY");
	buf_add_text(out,
	    "X-Content-Type-Options: nosniff\r\n"
	    "Referrer-Policy: no-referrer\r\n"
	    "Cache-Control: no-store\r\n"
	    "Permissions-Policy: accelerometer=(), camera=(), display-capture=(), geolocation=(), "
	    "microphone=(), payment=(), usb=()\r\n"
	    "Cross-Origin-Opener-Policy: same-origin\r\n"
	    "Cross-Origin-Resource-Policy: same-origin\r\n");
	if (page->web->https)
		buf_add_text(out, "Strict-Transport-Security: max-age=31536000\r\n");
}

static void begin(struct buf *out, const struct page *page)
{
	buf_init(out, (size_t)64 * 1024);
	buf_addf(out, "Status: %d %s\r\n", page->status, status_words(page->status));
	add_rules(out, page);
	if (page->allow != NULL)
		buf_addf(out, "Allow: %s\r\n", page->allow);
	buf_add(out, page->cookies.bytes, page->cookies.len);
}

static bool write_all(const struct web_outgoing *out, const struct buf *bytes)
{
	return buf_ok(bytes) && out->write(out->context, bytes->bytes, bytes->len);
}

static bool is_head(const struct page *page)
{
	return page->request->method == WEB_HEAD;
}

/* ---- a page -------------------------------------------------------------------------------- */

/* What is left when there is no template for it. */
static void send_bare(const struct page *page, const struct web_outgoing *out)
{
	struct buf all;

	begin(&all, page);
	buf_addf(&all, "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n\r\n%s\n",
	    strlen(status_words(page->status)) + 1, status_words(page->status));
	if (is_head(page) && buf_ok(&all))
		all.len -= strlen(status_words(page->status)) + 1;
	(void)write_all(out, &all);
	buf_free(&all);
}

/* The page as it was meant cannot be made: it is not shown as if it were that. */
static void send_failed(struct page *page, const struct web_outgoing *out, const char *what)
{
	LOG_ALARM("page-failed", kv("page", what), kv_errno(errno));
	if (page->status < 400)
		page->status = 500;
	buf_clear(&page->cookies);
	send_bare(page, out);
}

static void send_template(struct page *page, const struct web_outgoing *out)
{
	struct buf head, body;
	bool filled;

	buf_init(&body, BODY_MAX);
	if (page->visit_new)
		buf_addf(&page->cookies, "Set-Cookie: %s=%s; Path=/; HttpOnly; SameSite=Lax%s\r\n",
		    web_cookie_visit(page->web), page->visit, page->web->https ? "; Secure" : "");
	errno = ENOMEM;
	filled = web_template_fill(page->web->templates, page->template, page->values, &body);
	if (!filled || !buf_ok(&page->cookies)) {
		send_failed(page, out, page->template);
		buf_free(&body);
		return;
	}
	begin(&head, page);
	buf_addf(&head,
	    "Content-Type: text/html; charset=utf-8\r\nContent-Language: %s\r\nContent-Length: "
	    "%zu\r\n\r\n",
	    page->lang, body.len);
	if (write_all(out, &head) && !is_head(page))
		(void)write_all(out, &body);
	buf_free(&head);
	buf_free(&body);
}

static void send_place(struct page *page, const struct web_outgoing *out)
{
	struct buf all;

	page->status = 303;
	begin(&all, page);
	buf_add_text(&all, "Location: ");
	buf_add(&all, page->place.bytes, page->place.len);
	buf_add_text(&all, "\r\nContent-Length: 0\r\n\r\n");
	(void)write_all(out, &all);
	buf_free(&all);
}

/* ---- a file -------------------------------------------------------------------------------- */

/* RFC 6266: for old browsers a name of plain letters, for all others the name as it is. */
static void add_disposition(struct buf *out, const struct buf *name)
{
	buf_add_text(out, "Content-Disposition: attachment; filename=\"");
	for (size_t i = 0; i < name->len && i < 200; i++) {
		char c = name->bytes[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			     (c >= 'a' && c <= 'z') || (i > 0 && (c == '.' || c == '-'));

		buf_add(out, plain ? &c : "_", 1);
	}
	buf_add_text(out, "\"; filename*=UTF-8''");
	escape_part(out, name->bytes, name->len);
	buf_add_text(out, "\r\n");
}

/* From where the descriptor stands to the end; -1 with errno. */
static off_t bytes_left(int fd)
{
	struct stat st;
	off_t at = lseek(fd, 0, SEEK_CUR);

	if (at < 0 || fstat(fd, &st) != 0)
		return -1;
	return st.st_size > at ? st.st_size - at : 0;
}

static void send_bytes(int fd, off_t left, const struct web_outgoing *out)
{
	char piece[PIECE];

	while (left > 0) {
		size_t want = (off_t)sizeof piece < left ? sizeof piece : (size_t)left;
		ssize_t n = read(fd, piece, want);

		/* A body that is too short is seen as that. */
		if (n <= 0 || !out->write(out->context, piece, (size_t)n))
			return;
		left -= n;
	}
}

static void send_file(struct page *page, const struct web_outgoing *out)
{
	off_t left = bytes_left(page->file);
	struct buf head;

	if (left < 0) {
		send_failed(page, out, "file");
		return;
	}
	begin(&head, page);
	buf_addf(&head, "Content-Type: %s\r\nContent-Length: %lld\r\n",
	    page->file_type[0] != '\0' ? page->file_type : "application/octet-stream",
	    (long long)left);
	if (page->file_type[0] == '\0' || page->file_name.len > 0)
		add_disposition(&head, &page->file_name);
	buf_add_text(&head, "\r\n");
	if (write_all(out, &head) && !is_head(page))
		send_bytes(page->file, left, out);
	buf_free(&head);
}

void web_send(struct page *page, const struct web_outgoing *out)
{
	errno = EMSGSIZE;
	if (!buf_ok(&page->place) || !buf_ok(&page->cookies))
		send_failed(page, out, "place");
	else if (page->place.len > 0)
		send_place(page, out);
	else if (page->file >= 0)
		send_file(page, out);
	else if (page->template != NULL)
		send_template(page, out);
	else
		send_bare(page, out);
}
