/*
 * Pages as files that an administrator changes, etc/web/pages/NAME.html: HTML with the tags below, a part of
 * what is known as Mustache. What a tag puts into a page is always made harmless for the place where it
 * stands; there is no tag that does not, and a place for which that cannot be done is a fault of the file.
 *
 *     {{name}}            a value, a.b looks into objects; text: & < > " ' are escaped
 *     {{#name}}…{{/name}} for each of a list, for an object, or once if there is something; behind it the
 *                         names of an object hide those outside
 *     {{^name}}…{{/name}} if there is nothing: no such name, null, false, 0, "", an empty list
 *     {{>name}}           the page NAME.html, here; at most 8 deep
 *     {{_ words}}         words in the reader's language (gettext), in which {name} is a value; the msgid is what
 *                         stands there, blanks and newlines in a row as one blank
 *     {{_n name|one thing|{name} things}}   the same by number (ngettext)
 *     {{! words}}         nothing
 *
 * Places: text between tags, and values of attributes within double quotes. In href, src and action a value is
 * percent-encoded, unless it is the whole of the attribute and its name ends in "url": then it must begin with a
 * "/" but not "//", with "https://" or "http://", or else nothing is put there. Faults: a tag in a comment, in
 * script or style, in the name of a tag or an attribute, in an attribute without double quotes, in style=, srcdoc=
 * or on…=.
 */
#ifndef SEKISHO_WEB_TEMPLATE_H
#define SEKISHO_WEB_TEMPLATE_H

#include <jansson.h>

#include "lib/base/buf.h"
#include "lib/base/conf.h"

#define WEB_TEMPLATE_MAX   ((size_t)256 * 1024) /* bytes of a file */
#define WEB_TEMPLATE_PAGES ((size_t)64)
#define WEB_TEMPLATE_DEPTH 8

struct web_templates;

/*
 * Reads every NAME.html of the directory `pages` (a descriptor; the caller's). NULL with `fault` filled: the
 * first fault, with file, line and column. The caller frees it.
 */
NODISCARD struct web_templates *web_templates_read(int pages, struct conf_fault *fault);
void web_templates_free(struct web_templates *t);

/* The same of "web/pages" in the directory `etc`, without keeping them. True also if there is no such directory. */
NODISCARD bool web_templates_check(int etc, struct conf_fault *fault);

/*
 * Adds the page `name` (without ".html"), filled with `values`, to `out`. False: there is no such page, no memory,
 * or no room in `out`.
 */
NODISCARD bool web_template_fill(
    const struct web_templates *t, const char *name, const json_t *values, struct buf *out);

#endif
