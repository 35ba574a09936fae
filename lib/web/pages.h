/*
 * The functions of all pages, by file: lib/web/pages_*.c. The table lib/web/routes.c says where they are.
 */
#ifndef SEKISHO_WEB_PAGES_H
#define SEKISHO_WEB_PAGES_H

#include "lib/web/page.h"

/* pages_mail.c: my mail, and one mail. */
page_function pages_list; /* GET /gate/            state, q, page */
page_function pages_mail; /* GET /gate/m/          ?TOKEN, or ?id=ID */
page_function
    pages_contents; /* GET /gate/m/contents  t or id, leg: text, attachments; in a frame */
page_function
    pages_html; /* GET /gate/m/html      t or id, leg: the sanitised HTML; in a frame of that */
page_function pages_file;    /* GET /gate/m/file      t or id, leg, part: an attachment */
page_function pages_confirm; /* GET /gate/m/confirm   t or id, word, leg, rcpt: asks once more */

/* pages_act.c */
page_function
    pages_act; /* POST /gate/m/act  t or id, word, leg, rcpt, until, reason, checked, shown, pin */

/* pages_approve.c */
page_function pages_approvals;    /* GET /gate/approvals */
page_function pages_absences;     /* GET /gate/absences */
page_function pages_absent;       /* POST /gate/absences */
page_function pages_review;       /* GET /gate/review  t or id: what was sent as urgent */
page_function pages_review_close; /* POST /gate/review */

/* pages_login.c */
page_function pages_login;         /* GET /gate/login   back; or ?TOKEN of a mailed link */
page_function pages_login_by_word; /* POST /gate/login  address, password */
page_function pages_login_ask;     /* POST /gate/login/link  address: mails a link */
page_function pages_login_open;    /* POST /gate/login/open  token, number */
page_function pages_logout;        /* POST /gate/logout  everywhere */
page_function pages_me;            /* GET /gate/me: logins, number (PIN), language */
page_function pages_me_pin;        /* POST /gate/me/pin */
page_function pages_language;      /* POST /gate/language  lang, back */

/* pages_rules.c */
page_function pages_rules; /* GET /gate/rules */
page_function
    pages_rules_try; /* GET /gate/rules/new: shows the text of what a form says, and checks it */
page_function pages_rules_save; /* POST /gate/rules: adds, removes */

#endif
