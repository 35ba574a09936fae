/* What stands in a mail: its text, its HTML, its files. seki-hold gives it, and seki-view looks into it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/view/view.h"
#include "lib/web/pages.h"
#include "lib/web/pages_mail.h"
#include "lib/web/reasons.h"
#include "lib/web/say.h"
#include "lib/web/web.h"

/* In a frame there is no room for a whole page that says what went wrong. */
static void say_inside(struct page *page, int status, const char *title, const char *sentence)
{
	page_set_text(page, "title", title);
	page_set_text(page, "fault", title);
	page_set_text(page, "fault-text", sentence);
	page_show(page, status, "contents");
}

/* A mail that is slow to open holds up nobody but its reader. False: the page says why not. */
static bool may_view(struct page *page, const struct source *source)
{
	if (web_may_wait(page, WEB_WAIT_VIEW))
		return true;
	(void)close(source->fd);
	say_inside(page, 503, say("Not shown"),
	    say("The content cannot be shown just now. Please try again later."));
	return false;
}

/* The mail, as a stretch of the descriptor in source->fd, the caller's. False: the page says why not. */
static bool open_body(struct page *page, const struct mail_way *way, struct source *source)
{
	const char *const words[] = {"id", strcmp(way->by, "id") == 0 ? way->key : NULL, "leg",
	    page_query(page, "leg"), NULL};
	json_t *answer = page_gate(page, "body", words, &source->fd);
	bool done;

	if (answer == NULL)
		return false;
	done = strcmp(page_result(answer), "done") == 0 && source->fd >= 0;
	if (done) {
		source->start = (uint64_t)json_integer_value(json_object_get(answer, "offset"));
		source->size = (uint64_t)json_integer_value(json_object_get(answer, "size"));
	} else {
		if (source->fd >= 0)
			(void)close(source->fd);
		if (strcmp(page_result(answer), "gone") == 0)
			say_inside(page, 410, say("Not here any more"),
			    say("The mail waits no more, so its content cannot be shown here."));
		else if (strcmp(page_result(answer), "no") == 0)
			say_inside(
			    page, 503, say("Not shown"), reasons_say(kit_text(answer, "code")));
		else if (!page_failed(page, answer))
			say_inside(page, 503, say("Not shown"), reasons_say("environment"));
	}
	json_decref(answer);
	return done && may_view(page, source);
}

static int64_t patience(const struct page *page)
{
	return web_patience_view(page->settings);
}

/* False: the page says so. */
static bool viewed(struct page *page, enum view_status status)
{
	switch (status) {
	case VIEW_DONE:
	case VIEW_CUT:
		return true;
	case VIEW_NONE:
		say_inside(page, 404, say("Not found"), say("There is no such part in this mail."));
		return false;
	case VIEW_FAILED:
		break;
	}
	say_inside(page, 503, say("Not shown"),
	    say("The content cannot be shown just now. Please try again later."));
	return false;
}

/* ---- the outline ---------------------------------------------------------------------------- */

static const char *warning_text(const char *word)
{
	static const struct {
		const char *word, *text;
	} warnings[] = {{"type", N_("It is another kind of file than its name says")},
	    {"program", N_("It is a program")}, {"macros", N_("It has macros")},
	    {"encrypted", N_("It is encrypted: nobody could look into it")},
	    {"double", N_("Its name has two endings")},
	    {"name", N_("Its name has characters that turn it round")},
	    {"nested", N_("It is an archive within an archive")}};

	for (size_t i = 0; i < COUNT_OF(warnings); i++) {
		if (strcmp(warnings[i].word, word) == 0)
			return say(warnings[i].text);
	}
	return word;
}

static json_t *file_of(const json_t *file)
{
	const char *name = kit_text(file, "name"), *kind = kit_text(file, "kind");
	json_t *one = json_object(), *warnings = json_array();
	const json_t *word;
	struct buf size;
	size_t i;

	json_array_foreach(json_object_get(file, "warnings"), i, word)
	{
		const char *text = json_string_value(word);

		if (text != NULL)
			(void)json_array_append_new(warnings, json_string(warning_text(text)));
	}
	buf_init(&size, 64);
	page_size(json_integer_value(json_object_get(file, "size")), &size);
	kit_put(one, "part", json_string(kit_text(file, "part")));
	kit_put(one, "name", json_string(name[0] != '\0' ? name : say("(no name)")));
	kit_put(one, "kind", json_string(kind[0] != '\0' ? kind : kit_text(file, "type")));
	kit_put(one, "size", kit_told(&size));
	kit_put(one, "warnings", warnings);
	return one;
}

static void set_outline(struct page *page, const json_t *outline, bool cut)
{
	static const char *const fields[] = {"from", "to", "cc", "date", "text"};
	const char *subject = kit_text(outline, "subject");
	json_t *files = json_array();
	const json_t *file;
	size_t i;

	for (i = 0; i < COUNT_OF(fields); i++)
		page_set_text(page, fields[i], kit_text(outline, fields[i]));
	page_set_text(page, "subject", subject[0] != '\0' ? subject : say("(no subject)"));
	page_set_text(page, "title", say("Content of the mail"));
	page_set(page, "html", json_boolean(json_is_true(json_object_get(outline, "html"))));
	page_set(
	    page, "text-cut", json_boolean(json_is_true(json_object_get(outline, "text-cut"))));
	page_set(page, "cut", json_boolean(cut));
	json_array_foreach(json_object_get(outline, "files"), i, file)(void)
	    json_array_append_new(files, file_of(file));
	page_set(page, "files", json_integer((json_int_t)json_array_size(files)));
	page_set(page, "attached", files);
	page_set_text(page, "leg", page_query(page, "leg") != NULL ? page_query(page, "leg") : "");
}

void pages_contents(struct page *page)
{
	struct source source = {.fd = -1};
	enum view_status status = VIEW_FAILED;
	struct mail_way way;
	json_t *outline;

	page->frame = true;
	if (!mail_way(page, &way) || !open_body(page, &way, &source))
		return;
	outline = view_outline(VIEW_SOCKET, &source, patience(page), &status);
	(void)close(source.fd);
	if (outline == NULL) {
		(void)viewed(page, VIEW_FAILED);
		return;
	}
	set_outline(page, outline, status == VIEW_CUT);
	page_show(page, 200, "contents");
	json_decref(outline);
}

/* ---- the HTML, and files -------------------------------------------------------------------- */

void pages_html(struct page *page)
{
	struct source source = {.fd = -1};
	enum view_status status = VIEW_FAILED;
	struct mail_way way;
	int file;

	page->frame = true;
	if (!mail_way(page, &way) || !open_body(page, &way, &source))
		return;
	file = view_html(VIEW_SOCKET, &source, patience(page), &status);
	(void)close(source.fd);
	if (file < 0 && status == VIEW_NONE) {
		say_inside(page, 404, say("Not shown as it was designed"),
		    say("The design of this mail is too large or too complex to be shown here, or "
			"it "
			"has none. Please read its text, and download its files."));
		return;
	}
	if (file < 0) {
		(void)viewed(page, VIEW_FAILED);
		return;
	}
	page->file = file;
	(void)snprintf(page->file_type, sizeof page->file_type, "text/html; charset=utf-8");
}

/* The name that the mail gives the part; "" if it gives none. False: it has no such part, or nobody can tell. */
static bool name_part(
    struct page *page, const struct source *source, const char *part, enum view_status *status)
{
	json_t *outline = view_outline(VIEW_SOCKET, source, patience(page), status);
	bool found = false;
	const json_t *file;
	size_t i;

	if (outline == NULL)
		return false;
	*status = VIEW_NONE;
	json_array_foreach(json_object_get(outline, "files"), i, file)
	{
		if (strcmp(kit_text(file, "part"), part) != 0)
			continue;
		found = true;
		buf_clear(&page->file_name);
		buf_add_text(&page->file_name,
		    kit_text(file, "name")[0] != '\0' ? kit_text(file, "name") : "file");
	}
	json_decref(outline);
	return found;
}

void pages_file(struct page *page)
{
	const char *part = page_query(page, "part");
	struct source source = {.fd = -1};
	enum view_status status = VIEW_FAILED;
	struct mail_way way;
	int file = -1;

	if (part == NULL) {
		say_inside(page, 404, say("Not found"), say("There is no such part in this mail."));
		return;
	}
	if (!mail_way(page, &way) || !open_body(page, &way, &source))
		return;
	if (name_part(page, &source, part, &status))
		file = view_file(VIEW_SOCKET, &source, part, patience(page), &status);
	(void)close(source.fd);
	if (file < 0) {
		buf_clear(&page->file_name);
		(void)viewed(page, status == VIEW_NONE ? VIEW_NONE : VIEW_FAILED);
		return;
	}
	page->file = file; /* octets, of which a browser makes nothing but a file */
}
