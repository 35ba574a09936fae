/*
 * What an enhanced status code means (RFC 3463, RFC 5248 and its registry), in plain words: what
 * happened, and what the sender can do about it. The class is told by the words around it.
 */
#include <string.h>

#include "lib/dsn/part.h"

/* clang-format off */
static const struct reason table[] = {
{"1.0", "宛先のアドレスに問題があります。",
	"アドレスを確かめて、送り直してください。",
	"There is something wrong with this address.",
	"Please check the address and send the mail again."},
{"1.1", "このアドレスの人は、相手のサーバーにいません。",
	"@ の前のつづりを確かめてください。異動や退職で使われなくなったアドレスかもしれません。",
	"The other server knows nobody with this address.",
	"Please check the spelling before the @. The person may have left or got another address."},
{"1.2", "@ の後ろのドメインが存在しないか、メールを受け取れません。",
	"@ の後ろのつづりを確かめてください。",
	"The domain behind the @ does not exist, or takes no mail.",
	"Please check the spelling behind the @."},
{"1.3", "アドレスの書き方が正しくありません。",
	"余分な記号や空白がないか確かめてください。",
	"The address is not written correctly.",
	"Please look for a stray sign or blank in it."},
{"1.6", "宛先の人は別のアドレスに移りました。",
	"相手に新しいアドレスを尋ねてください。",
	"The recipient has moved to another address.",
	"Please ask for the new address."},
{"1.7", "差出人のアドレスが、相手のサーバーに受け入れられませんでした。",
	"差出人のアドレスを確かめ、正しければ管理者に知らせてください。",
	"The other server does not accept the sender's address.",
	"Please check your own address; if it is right, tell your administrator."},
{"1.8", "差出人のドメインが、相手のサーバーに受け入れられませんでした。",
	"管理者に知らせてください。",
	"The other server does not accept the sender's domain.",
	"Please tell your administrator."},
{"1.10", "このドメインは、メールを受け取らないと公表しています。",
	"@ の後ろのつづりを確かめてください。",
	"This domain declares that it takes no mail at all.",
	"Please check the spelling behind the @."},
{"1", "宛先のアドレスに問題があります。",
	"アドレスを確かめて、送り直してください。",
	"There is something wrong with this address.",
	"Please check the address and send the mail again."},
{"2.1", "宛先のメールボックスは、いま使えません。",
	"相手に別の方法で連絡してください。",
	"The recipient's mailbox is disabled.",
	"Please reach the recipient in another way."},
{"2.2", "宛先のメールボックスがいっぱいです。",
	"相手に知らせ、空きができてから送り直してください。",
	"The recipient's mailbox is full.",
	"Please tell the recipient, and send the mail again when there is room."},
{"2.3", "メールが、宛先のメールボックスには大きすぎます。",
	"添付ファイルを小さくするか、別の方法で渡してください。",
	"The mail is too large for the recipient's mailbox.",
	"Please make its attachments smaller, or hand them over in another way."},
{"2.4", "宛先のメーリングリストで問題が起きています。",
	"メーリングリストの管理者に知らせてください。",
	"There is a problem with this mailing list.",
	"Please tell the owner of the list."},
{"2", "宛先のメールボックスに問題があります。",
	"相手に別の方法で知らせてください。",
	"There is a problem with the recipient's mailbox.",
	"Please tell the recipient in another way."},
{"3.4", "メールが大きすぎて、相手のサーバーが受け取りません。",
	"添付ファイルを小さくするか、別の方法で渡してください。",
	"The mail is larger than the other server accepts.",
	"Please make its attachments smaller, or hand them over in another way."},
{"3", "相手のサーバーに問題があるか、いまメールを受け取っていません。",
	"しばらくしてから送り直してください。",
	"The other server has a problem, or takes no mail at present.",
	"Please send the mail again later."},
{"4.1", "相手のサーバーが応答しません。",
	"@ の後ろのつづりを確かめ、しばらくしてから送り直してください。",
	"The other server does not answer.",
	"Please check the spelling behind the @, and send the mail again later."},
{"4.4", "相手のサーバーへの経路がわかりません。",
	"@ の後ろのつづりを確かめてください。正しければ管理者に知らせてください。",
	"No way to the recipient's server could be found.",
	"Please check the spelling behind the @; if it is right, tell your administrator."},
{"4.6", "メールがサーバーの間を回り続けています。",
	"管理者に知らせてください。",
	"The mail goes round in circles between servers.",
	"Please tell your administrator."},
{"4.7", "期限まで繰り返し試みましたが、相手のサーバーに渡せませんでした。",
	"相手に別の方法で連絡し、必要なら送り直してください。",
	"It was tried again and again, and the time allowed for it is over.",
	"Please reach the recipient in another way, and send the mail again if it is still needed."},
{"4", "相手のサーバーとの通信に問題があります。",
	"しばらくしてから送り直してください。",
	"There is a problem on the way to the other server.",
	"Please send the mail again later."},
{"5.3", "一度に送る宛先が多すぎます。",
	"宛先を分けて送り直してください。",
	"The mail has too many recipients at once.",
	"Please send it again to fewer of them at a time."},
{"5", "相手のサーバーとのやりとりがうまくいきませんでした。",
	"管理者に知らせてください。",
	"The two servers did not understand each other.",
	"Please tell your administrator."},
{"6.7", "このアドレスには英数字以外の文字があり、相手のサーバーはそれを扱えません。",
	"相手に英数字だけのアドレスを尋ねてください。",
	"An address has letters beyond ASCII, which the other server cannot handle.",
	"Please ask the recipient for an address of plain letters."},
{"6", "メールの形式を、相手のサーバーが扱えません。",
	"形式を変えて送り直すか、別の方法で渡してください。",
	"The other server cannot handle the format of this mail.",
	"Please send it in another format, or hand it over in another way."},
{"7.10", "暗号化された接続が必要ですが、相手のサーバーとの間でできません。",
	"管理者に知らせてください。",
	"An encrypted connection is demanded, and is not possible with the other server.",
	"Please tell your administrator."},
{"7.20", "差出人を証明する署名（DKIM）が、相手のサーバーに認められませんでした。",
	"管理者に知らせてください。",
	"The other server did not find a good signature (DKIM) that proves the sender.",
	"Please tell your administrator."},
{"7.23", "差出人の証明（SPF）が、相手のサーバーに認められませんでした。",
	"管理者に知らせてください。",
	"The other server does not believe that the mail comes from this sender (SPF).",
	"Please tell your administrator."},
{"7.25", "送り出すサーバーの名前（DNS）が、相手のサーバーに認められませんでした。",
	"管理者に知らせてください。",
	"The other server does not accept our server's name in DNS.",
	"Please tell your administrator."},
{"7.26", "差出人の証明（SPF や DKIM）が、相手のサーバーに認められませんでした。",
	"管理者に知らせてください。",
	"The other server does not believe that the mail comes from this sender (SPF, DKIM).",
	"Please tell your administrator."},
{"7", "相手のサーバーが、その方針によりこのメールを断りました。",
	"相手のサーバーの返答をご覧ください。わからなければ、このメールを添えて管理者に知らせてください。",
	"The other server refuses this mail by its own rules.",
	"Please see what it said. If that does not help, show this mail to your administrator."},
{"", "相手のサーバーは理由を示していません。",
	"相手のサーバーの返答をご覧ください。わからなければ、このメールを添えて管理者に知らせてください。",
	"The other server gave no reason that we know.",
	"Please see what it said. If that does not help, show this mail to your administrator."},
};

/* Where no other server was asked: routes that refuse, and rules. */
static const struct reason our_rules = {"7",
	"このゲートウェイは、この宛先にメールを送らないように設定されています。",
	"送る必要があるときは、このメールを添えて管理者に相談してください。",
	"This gateway is told not to send mail to this recipient.",
	"If it has to be sent, please show this mail to your administrator."};
static const struct reason unknown_to_us = {"",
	"メールを届けられない理由は、下の記録をご覧ください。",
	"わからなければ、このメールを添えて管理者に知らせてください。",
	"What stood in the way is written below.",
	"If that does not help, show this mail to your administrator."};
/* clang-format on */

const struct reason *reason_table(size_t *n)
{
	*n = COUNT_OF(table);
	return table;
}

/* Rows stand from the particular to the general: the first that fits. */
const struct reason *reason_find(const char *status, bool ours)
{
	const char *code = strchr(status, '.');
	size_t i = 0;

	code = code != NULL ? code + 1 : "";
	for (; i + 1 < COUNT_OF(table); i++) {
		size_t len = strlen(table[i].code);
		bool whole = strchr(table[i].code, '.') != NULL;

		if (strncmp(code, table[i].code, len) == 0 && code[len] == (whole ? '\0' : '.'))
			break;
	}
	if (ours && table[i].code[0] == '7')
		return &our_rules;
	return ours && table[i].code[0] == '\0' ? &unknown_to_us : &table[i];
}
