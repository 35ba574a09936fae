/*
 * What nginx says by itself: a request that it does not pass on, and seki-web that is not there. In both languages at
 * once, as nothing is known about the reader; and without a value of any kind.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/front/front.h"

struct said {
	const char *name, *japanese, *japanese_more, *english, *english_more;
};

static const struct said pages[] = {
    {"400.html", "このリクエストは処理できません", "メールのリンクをもう一度開いてください。",
	"This request cannot be read", "Please open the link again, as it stands in the mail."},
    {"404.html", "ページが見つかりません", "リンクをもう一度確かめてください。",
	"There is nothing here", "Please look at the link again."},
    {"405.html", "この操作はできません", "何も変更されていません。", "That is not possible here",
	"Nothing was changed."},
    {"413.html", "送信する文字が多すぎます", "前のページに戻って短くしてください。",
	"That is too much text", "Please go back and make it shorter."},
    {"414.html", "アドレスが長すぎます", "メールのリンクをもう一度開いてください。",
	"This address is too long", "Please open the link again, as it stands in the mail."},
    {"431.html", "このリクエストは処理できません", "Cookieを削除してから、もう一度開いてください。",
	"This request cannot be read", "Please remove cookies of this site, and open it again."},
    {"503.html", "しばらくしてからもう一度お試しください",
	"ただいま混み合っているか、停止しています。メールは失われていません。",
	"Please try again in a moment",
	"The pages are busy, or are just being started. No mail was lost."},
};

static void fill(const struct said *said, struct buf *out)
{
	buf_addf(out,
	    "<!DOCTYPE html>\n<html lang=\"ja\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<meta name=\"robots\" content=\"noindex\">\n<title>%s</title>\n"
	    "<link rel=\"stylesheet\" href=\"/gate/static/style.css\">\n</head>\n<body>\n"
	    "<main class=\"page narrow\">\n<div class=\"card main\">\n<h1>%s</h1>\n<p>%s</p>\n"
	    "<div "
	    "lang=\"en\">\n<h2>%s</h2>\n<p>%s</p>\n</div>\n</div>\n</main>\n</body>\n</html>\n",
	    said->japanese, said->japanese, said->japanese_more, said->english, said->english_more);
}

bool front_write_pages(char *fault, size_t room)
{
	for (size_t i = 0; i < COUNT_OF(pages); i++) {
		char path[64];
		struct buf html;
		bool good;

		(void)snprintf(path, sizeof path, "run/front/pages/%s", pages[i].name);
		buf_init(&html, 8192);
		fill(&pages[i], &html);
		good = front_write_file(path, &html);
		if (!good)
			(void)snprintf(fault, room, "%s: %s", path, strerrordesc_np(errno));
		buf_free(&html);
		if (!good)
			return false;
	}
	return true;
}
