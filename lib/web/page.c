/* What the functions of pages answer with. */
#include "lib/web/page.h"

#include <string.h>

#include "lib/web/say.h"
#include "lib/web/web.h"

void page_show(struct page *page, int status, const char *name)
{
	page->status = status;
	page->template = name;
	buf_clear(&page->place);
}

void page_say(struct page *page, int status, const char *title, const char *sentence)
{
	page_set_text(page, "title", title);
	page_set_text(page, "sentence", sentence);
	page_show(page, status, "said");
}

void page_go(struct page *page, const char *path)
{
	page->template = NULL;
	buf_clear(&page->place);
	buf_add_text(&page->place, path);
}

void page_go_add(struct page *page, const char *name, const char *value)
{
	bool first =
	    page->place.bytes == NULL || memchr(page->place.bytes, '?', page->place.len) == NULL;

	if (value == NULL || value[0] == '\0')
		return;
	buf_addf(&page->place, "%s%s=", first ? "?" : "&", name);
	web_encode(&page->place, value);
}

void page_set(struct page *page, const char *name, json_t *value)
{
	/* Without memory a value is missing, as if it were nothing. */
	(void)json_object_set_new_nocheck(page->values, name, value != NULL ? value : json_null());
}

void page_set_text(struct page *page, const char *name, const char *text)
{
	page_set(page, name, json_string(text));
}

static const char *something(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

const char *page_query(const struct page *page, const char *name)
{
	return something(web_word(&page->request->query, name));
}

const char *page_form(const struct page *page, const char *name)
{
	return page->request->method == WEB_POST ? something(web_word(&page->request->form, name))
						 : page_query(page, name);
}

const char *page_result(const json_t *answer)
{
	const char *result = json_string_value(json_object_get(answer, "result"));

	return result != NULL ? result : "";
}
