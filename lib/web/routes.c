/* Where the pages are. */
#include "lib/web/pages.h"

static const struct page_route routes[] = {
    {"/gate/", false, PAGE_PERSON, pages_list},
    {"/gate/m/", false, PAGE_EITHER, pages_mail},
    {"/gate/m/contents", false, PAGE_EITHER, pages_contents},
    {"/gate/m/html", false, PAGE_EITHER, pages_html},
    {"/gate/m/file", false, PAGE_EITHER, pages_file},
    {"/gate/m/confirm", false, PAGE_EITHER, pages_confirm},
    {"/gate/m/act", true, PAGE_EITHER, pages_act},
    {"/gate/approvals", false, PAGE_PERSON, pages_approvals},
    {"/gate/absences", false, PAGE_PERSON, pages_absences},
    {"/gate/absences", true, PAGE_PERSON, pages_absent},
    {"/gate/review", false, PAGE_EITHER, pages_review},
    {"/gate/review", true, PAGE_EITHER, pages_review_close},
    {"/gate/login", false, PAGE_ANYBODY, pages_login},
    {"/gate/login", true, PAGE_ANYBODY, pages_login_by_word},
    {"/gate/login/link", true, PAGE_ANYBODY, pages_login_ask},
    {"/gate/login/open", true, PAGE_ANYBODY, pages_login_open},
    {"/gate/logout", true, PAGE_PERSON, pages_logout},
    {"/gate/me", false, PAGE_PERSON, pages_me},
    {"/gate/me/pin", true, PAGE_PERSON, pages_me_pin},
    {"/gate/language", true, PAGE_ANYBODY, pages_language},
    {"/gate/rules", false, PAGE_PERSON, pages_rules},
    {"/gate/rules/new", false, PAGE_PERSON, pages_rules_try},
    {"/gate/rules", true, PAGE_PERSON, pages_rules_save},
};

const struct page_route *page_routes(size_t *n)
{
	*n = COUNT_OF(routes);
	return routes;
}
