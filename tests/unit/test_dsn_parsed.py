"""lib/dsn's notifications as Python's email package reads them, strictly: structure, fields, charsets,
7-bit cleanliness, and that nothing of a stranger becomes a field (S2, M11, features 3.6)."""

import email
import email.policy
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Arguments: the file with the mail, and KEY=VALUE; "rcpt=" begins another recipient. Writes whether the
# notification needs SMTPUTF8 and 8BITMIME to standard error, and itself to standard output.
WRITER = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/dsn/dsn.h"

static bool put(void *context, const char *bytes, size_t len)
{
	(void)context;
	return fwrite(bytes, 1, len, stdout) == len;
}

int main(int argc, char **argv)
{
	static struct dsn_rcpt rcpt[100];
	static struct dsn_refusal refusal;
	struct dsn dsn = {.rcpt = rcpt, .full_max = 1000000, .now = 1795396923000000};
	struct dsn_form form;
	struct stat st;

	dsn.fd = open(argv[1], O_RDONLY);
	if (fstat(dsn.fd, &st) != 0)
		return 2;
	dsn.size = (uint64_t)st.st_size;
	for (int i = 2; i < argc; i++) {
		struct dsn_rcpt *r = dsn.rcpts > 0 ? &rcpt[dsn.rcpts - 1] : NULL;
		char *value = strchr(argv[i], '=') + 1;
#define IS(key) (strncmp(argv[i], key "=", sizeof key) == 0)
		if (IS("rcpt")) rcpt[dsn.rcpts++].final = value;
		else if (IS("id")) dsn.id = value;
		else if (IS("mta")) dsn.mta = value;
		else if (IS("from")) dsn.from = value;
		else if (IS("to")) dsn.to = value;
		else if (IS("envid")) dsn.envid = value;
		else if (IS("arrived")) dsn.arrived = atoll(value);
		else if (IS("full")) dsn.ret = DSN_RETURN_FULL;
		else if (IS("max")) dsn.full_max = (uint64_t)atoll(value);
		else if (IS("orcpt")) r->orcpt = value;
		else if (IS("action")) r->action = (enum dsn_action)atoi(value);
		else if (IS("status")) r->status = value;
		else if (IS("remote")) r->remote = value;
		else if (IS("reply")) r->reply = value;
		else if (IS("tried")) r->tried = atoll(value);
		else if (IS("until")) r->until = atoll(value);
		else if (IS("why")) refusal.why = value, dsn.refusal = &refusal;
		else if (IS("number")) refusal.id = value, dsn.refusal = &refusal;
		else return 3;
	}
	if (!dsn_prepare(&dsn, &form) || !dsn_write(&dsn, &form, put, NULL) || fflush(stdout) != 0)
		return 1;
	fprintf(stderr, "%d %d", form.utf8, form.eight_bit);
	return 0;
}
"""

MAIL = (b"Received: by gw.example.co.jp; Mon, 23 Nov 2026 01:02:03 +0000\r\n"
        b"From: alice@example.co.jp\r\nMessage-ID: <77@example.co.jp>\r\nSubject: Figures\r\n"
        b"\r\nHello\r\n--\r\nAlice\r\n")
HEADER = MAIL[:MAIL.index(b"\r\n\r\n") + 2]

FAILED = ["rcpt=bob@partner.example", "orcpt=rfc822;Bob@partner.example", "action=0", "status=5.1.1",
          "remote=mx.partner.example", "reply=550-5.1.1 <bob@partner.example>\r\n550 5.1.1 no such user",
          "tried=1795396920000000"]
BASE = ["id=0196c0ff.1", "mta=gw.example.co.jp", "to=alice@example.co.jp", "envid=QQ314159",
        "arrived=1795390000000000"]


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    directory = tmp_path_factory.mktemp("dsn")
    source = directory / "writer.c"
    source.write_text(WRITER)
    sources = [p for part in ("dsn", "base") for p in sorted((ROOT / "lib" / part).glob("*.c"))]
    sources += [ROOT / "lib/mime" / name for name in ("field.c", "mailboxes.c", "utf8.c")]
    subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", f"-I{ROOT}", "-O1", "-pthread", "-o",
                    directory / "writer", source, *sources, "-lcrypto"], check=True)
    return directory / "writer"


class Notice:
    def __init__(self, raw: bytes, utf8: bool, eight_bit: bool) -> None:
        self.raw, self.utf8, self.eight_bit = raw, utf8, eight_bit
        self.message = email.message_from_bytes(raw, policy=email.policy.SMTP)
        self.words, self.status, self.returned = self.message.get_payload()
        # What is returned may be as broken as it came; what is ours has no defect.
        for part in (self.message, self.words, self.status, *self.status.get_payload()):
            assert part.defects == []
            # (Python counts a sender that is UTF-8 as one.)
            assert [d for name, value in part.items() if name != "To" or not utf8 for d in value.defects] == []

    @property
    def text(self) -> str:
        return self.words.get_payload(decode=True).decode("utf-8")

    @property
    def blocks(self) -> list:
        return self.status.get_payload()

    @property
    def returned_raw(self) -> bytes:
        """The third part's body as it stands, by its own boundary."""
        boundary = self.message.get_boundary().encode()
        part = self.raw.split(b"\r\n--" + boundary)[3]
        return part[part.index(b"\r\n\r\n") + 4:]


@pytest.fixture(name="make")
def make_fixture(writer: pathlib.Path, tmp_path: pathlib.Path):
    def make(mail: bytes, *words: str | bytes) -> Notice:
        path = tmp_path / "mail"
        path.write_bytes(mail)
        done = subprocess.run([writer, path, *words], capture_output=True, check=True, timeout=20,
                              env=dict(os.environ, TZ="Asia/Tokyo"))
        utf8, eight_bit = (word == b"1" for word in done.stderr.split())
        check_bytes(done.stdout, utf8, eight_bit)
        return Notice(done.stdout, utf8, eight_bit)
    return make


def check_bytes(raw: bytes, utf8: bool, eight_bit: bool) -> None:
    """What holds for every notification, whatever is in it."""
    assert raw.endswith(b"--\r\n")
    assert b"\0" not in raw
    assert raw.count(b"\r\n") == raw.count(b"\r") == raw.count(b"\n")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert eight_bit or raw.isascii()
    header, _, body = raw.partition(b"\r\n\r\n")
    assert utf8 or header.isascii()
    names = re.findall(rb"^([^ \t:]+):", header, flags=re.M)
    assert [n for n in names if n not in (b"In-Reply-To", b"References")] == [
        b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"MIME-Version",
        b"Content-Type", b"Content-Transfer-Encoding"]
    boundary = re.search(rb'boundary="(=_dsn_[0-9a-f]{32})"', header).group(1)
    assert body.count(boundary) == 4
    assert (b"\r\n" + body).count(b"\r\n--" + boundary) == 4
    for part in body.split(b"--" + boundary)[1:3]:
        assert part.isascii()  # words and status are so whatever was promised


def fields(block) -> dict[str, str]:
    return {name: str(value) for name, value in block.items()}


def test_a_failure_with_every_field(make) -> None:
    notice = make(MAIL, *BASE, *FAILED, "full=1")
    message = notice.message
    assert not notice.utf8 and not notice.eight_bit
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    assert message["Content-Transfer-Encoding"] == "7bit"
    assert [p.get_content_type() for p in message.get_payload()] == [
        "text/plain", "message/delivery-status", "message/rfc822"]
    assert message["From"].addresses[0].addr_spec == "MAILER-DAEMON@gw.example.co.jp"
    assert [a.addr_spec for a in message["To"].addresses] == ["alice@example.co.jp"]
    assert message["Subject"] == "メールをお届けできませんでした / Your mail could not be delivered"
    assert message["Date"].datetime.isoformat() == "2026-11-23T01:22:03+00:00"
    assert message["Message-ID"] == "<0196c0ff.1@gw.example.co.jp>"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["In-Reply-To"] == message["References"] == "<77@example.co.jp>"
    about, bob = notice.blocks
    assert fields(about) == {
        "Reporting-MTA": "dns; gw.example.co.jp", "Original-Envelope-Id": "QQ314159",
        "Arrival-Date": "Sun, 22 Nov 2026 23:26:40 +0000"}
    assert fields(bob) == {
        "Original-Recipient": "rfc822; Bob@partner.example",
        "Final-Recipient": "rfc822; bob@partner.example", "Action": "failed", "Status": "5.1.1",
        "Remote-MTA": "dns; mx.partner.example",
        "Diagnostic-Code": "smtp; 550-5.1.1 <bob@partner.example> 550 5.1.1 no such user",
        "Last-Attempt-Date": "Mon, 23 Nov 2026 01:22:00 +0000"}
    assert notice.returned_raw == MAIL


def test_words_in_both_languages(make) -> None:
    text = make(MAIL, *BASE, *FAILED, "full=1").text
    japanese, english = text.split("-" * 40)
    for part in (japanese, english):
        assert "bob@partner.example (Bob@partner.example)" in part
        assert "    | 550-5.1.1 <bob@partner.example>\r\n    | 550 5.1.1 no such user\r\n" in part
        assert "mx.partner.example" in part and "5.1.1" in part
        assert "2026-11-23 08:26:40 +0900" in part
    assert "このアドレスの人は、相手のサーバーにいません。" in japanese
    assert "つづりを確かめてください" in japanese and "メールを添付しています" in japanese
    assert "knows nobody with this address" in english
    assert "check the spelling" in english and "Your mail is attached" in english
    assert english.isascii()


def test_headers_only(make) -> None:
    notice = make(MAIL, *BASE, *FAILED)
    assert notice.returned.get_content_type() == "text/rfc822-headers"
    assert notice.returned_raw == HEADER
    assert notice.returned.get_content_charset() is None and not notice.eight_bit
    assert "ヘッダーを添付しています" in notice.text and "The header of your mail" in notice.text


def test_a_delay(make) -> None:
    notice = make(MAIL, *BASE, "rcpt=bob@partner.example", "action=1", "status=4.4.1", "full=1",
                  "reply=Connection timed out", "remote=mx.partner.example", "until=1795829000000000")
    assert notice.message["Subject"] == "メールの配送が遅れています / Your mail is delayed"
    bob = fields(notice.blocks[1])
    assert bob["Action"] == "delayed" and bob["Status"] == "4.4.1"
    assert bob["Will-Retry-Until"] == "Sat, 28 Nov 2026 01:23:20 +0000"
    assert bob["Diagnostic-Code"] == "x-sekisho; Connection timed out"
    assert "Original-Recipient" not in bob
    assert notice.returned.get_content_type() == "text/rfc822-headers"  # RET=FULL is about failures
    assert "送り直す必要はありません" in notice.text and "no need to send it again" in notice.text
    assert notice.text.count("2026-11-28 10:23:20 +0900") == 2
    assert "What to do" not in notice.text


def test_what_this_gateway_refuses_itself(make) -> None:
    notice = make(MAIL, *BASE, "rcpt=bob@competitor.example", "status=5.7.1", "reply=route refuse: competitor")
    assert "This gateway is told not to send" in notice.text and "このゲートウェイは" in notice.text
    assert "other server" not in notice.text and "相手のサーバー" not in notice.text
    assert fields(notice.blocks[1])["Diagnostic-Code"] == "x-sekisho; route refuse: competitor"


@pytest.mark.parametrize("action,word,subject", [
    (2, "delivered", "メールをお届けしました / Your mail has been delivered"),
    (3, "relayed", "メールを引き渡しました / Your mail has been passed on"),
    (4, "expanded", "メールを引き渡しました / Your mail has been passed on")])
def test_success(make, action: int, word: str, subject: str) -> None:
    notice = make(MAIL, *BASE, "rcpt=bob@partner.example", f"action={action}", "status=2.1.5")
    assert notice.message["Subject"] == subject
    assert fields(notice.blocks[1])["Action"] == word and fields(notice.blocks[1])["Status"] == "2.1.5"
    assert "Why" not in notice.text


def test_several_recipients_of_one_mail(make) -> None:
    words = [*BASE, "full=1"]
    for action in (1, 0, 2):
        words += [f"rcpt=r{action}@partner.example", f"action={action}"]
    notice = make(MAIL, *words)
    assert [fields(b)["Action"] for b in notice.blocks[1:]] == ["delayed", "failed", "delivered"]
    assert [fields(b)["Status"] for b in notice.blocks[1:]] == ["4.0.0", "5.0.0", "2.0.0"]
    assert "could not be delivered" in notice.message["Subject"]
    assert notice.returned.get_content_type() == "message/rfc822"
    english = notice.text.split("-" * 40)[1]
    assert english.index("r0@") < english.index("r1@") < english.index("r2@")  # the worst first


def test_an_8bit_mail_comes_back_as_it_was(make) -> None:
    mail = b"Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + "日本語\r\n".encode() * 9000
    notice = make(mail, *BASE, *FAILED, "full=1")
    assert notice.eight_bit and not notice.utf8
    assert notice.message["Content-Transfer-Encoding"] == notice.returned["Content-Transfer-Encoding"] == "8bit"
    assert notice.returned.get_content_type() == "message/rfc822"
    assert notice.returned_raw == mail


def test_a_utf8_header_is_message_global(make) -> None:
    """RFC 6533: the types say that the header is UTF-8; no SMTPUTF8 is needed for what is attached."""
    mail = "Subject: 見積書\r\n\r\nHello\r\n".encode()
    notice = make(mail, *BASE, *FAILED, "full=1")
    assert notice.returned.get_content_type() == "message/global"
    assert notice.eight_bit and not notice.utf8 and notice.returned_raw == mail
    notice = make(mail, *BASE, *FAILED)
    assert notice.returned.get_content_type() == "message/global-headers"
    assert notice.returned_raw == "Subject: 見積書\r\n".encode()
    assert notice.returned["Content-Transfer-Encoding"] == "8bit"


def test_a_header_in_another_charset(make) -> None:
    mail = b"Subject: \x8c\xa9\x90\xcf\x8f\x91=20 \r\nX: " + b"y" * 200 + b"\r\n\r\nHello\r\n"
    notice = make(mail, *BASE, *FAILED, "full=1")
    assert notice.returned.get_content_type() == "message/rfc822" and notice.returned_raw == mail
    notice = make(mail, *BASE, *FAILED)
    assert notice.returned.get_content_type() == "text/rfc822-headers" and not notice.eight_bit
    assert notice.returned["Content-Transfer-Encoding"] == "quoted-printable"
    assert notice.returned.get_payload(decode=True) == mail[:mail.index(b"\r\n\r\n") + 2]
    assert max(len(line) for line in notice.returned_raw.split(b"\r\n")) <= 76
    assert re.search(rb"[ \t]\r\n", notice.returned_raw) is None  # nobody can lose what is not there


@pytest.mark.parametrize("mail", [
    b"Subject: x\r\n\r\n" + b"x" * 999 + b"\r\n", b"Subject: x\r\n\r\nbare\rCR\r\n",
    b"Subject: x\r\n\r\nbare\nLF\r\n", b"Subject: x\r\n\r\nN\0L\r\n", b"Subject: x\r\n\r\nend\r"])
def test_a_mail_that_cannot_stand_in_one_comes_as_its_header(make, mail: bytes) -> None:
    notice = make(mail, *BASE, *FAILED, "full=1")
    assert notice.returned.get_content_type() == "text/rfc822-headers"
    assert notice.returned_raw == b"Subject: x\r\n"
    assert "ヘッダーだけを" in notice.text and "cannot be attached as a whole" in notice.text


def test_a_mail_that_is_too_large_comes_as_its_header(make) -> None:
    notice = make(MAIL, *BASE, *FAILED, "full=1", f"max={len(MAIL) - 1}")
    assert notice.returned.get_content_type() == "text/rfc822-headers"
    assert "ヘッダーだけを" in notice.text


@pytest.mark.parametrize("mail", [b"", b"\r\n", b"no field at all", b"\r\nbody without end"])
def test_strange_mails(make, mail: bytes) -> None:
    for words in (["full=1"], []):
        assert make(mail, *BASE, *FAILED, *words).returned_raw in (mail, b"")


def test_utf8_addresses(make) -> None:
    """RFC 6533 section 3: in the status they are ASCII; only a sender that is UTF-8 needs SMTPUTF8."""
    notice = make(MAIL, *BASE, "rcpt=太郎+a@例え.jp", "status=5.6.7", "full=1")
    bob = fields(notice.blocks[1])
    assert bob["Final-Recipient"] == r"utf-8; \x{592A}\x{90CE}\x{2B}a@\x{4F8B}\x{3048}.jp"
    assert not notice.utf8 and not notice.eight_bit
    assert notice.text.count("太郎+a@例え.jp") == 2

    notice = make(MAIL, *BASE[:2], "to=花子@例え.jp", "rcpt=b@x", r"orcpt=utf-8;\x{592A}@x", "full=1")
    assert notice.utf8 and notice.eight_bit
    assert "To: <花子@例え.jp>\r\n".encode() in notice.raw
    assert fields(notice.blocks[1])["Original-Recipient"] == r"utf-8; \x{592A}@x"
    assert notice.message["Content-Transfer-Encoding"] == "7bit"  # its body is

    notice = make(MAIL, *BASE, "rcpt=b@x", "orcpt=utf-8;太@x")
    assert fields(notice.blocks[1])["Original-Recipient"] == r"utf-8; \x{592A}@x"


HOSTILE = ["a\r\nBcc: victim@x", "a\nX: y", "\r\n\r\nbody", "a\rb", "\x01\x7f", "a" * 5000, "=?utf-8?q?x?=",
           b"\xff\xfe", "\u202etxt\u2028", "a, b@c", "<>", 'x" <y@z>', "", " ", "(", "\\", "--=_dsn_\r\n--=_dsn_--"]
KEYS = ["id", "mta", "from", "to", "envid", "rcpt", "orcpt", "status", "remote", "reply"]


@pytest.mark.parametrize("key", KEYS)
def test_nothing_of_a_stranger_becomes_a_field(make, key: str) -> None:
    """M11: check_bytes() looks at the header; here the status and the structure are looked at."""
    known = {"Original-Recipient", "Final-Recipient", "Action", "Status", "Remote-MTA", "Diagnostic-Code",
             "Last-Attempt-Date", "Reporting-MTA", "Original-Envelope-Id", "Arrival-Date"}
    for value in HOSTILE:
        value = value if isinstance(value, bytes) else value.encode()
        prefix = b"rfc822;" if key == "orcpt" else b""
        words = [w for w in (*BASE, *FAILED) if not w.startswith(key + "=") or key == "rcpt"]
        at = len(words) if key in ("orcpt", "status", "remote", "reply") else len(BASE) - (key in ("id", "mta", "to", "envid"))
        words.insert(at if key != "rcpt" else len(words), key.encode() + b"=" + prefix + value)
        notice = make(MAIL, *words, "full=1")
        assert len(notice.message.get_payload()) == 3
        assert len(notice.blocks) == (3 if key == "rcpt" else 2)
        for block in notice.blocks:
            assert set(block.keys()) <= known
            assert len(set(block.keys())) == len(block.keys())
        assert notice.returned_raw == MAIL
        assert re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", notice.text.replace("\r\n", "")) is None
        for address in notice.message["To"].addresses:
            assert key == "to" or address.addr_spec == "alice@example.co.jp"
        assert len(notice.message["To"].addresses) <= 1


def test_a_sender_that_cannot_be_written_is_not(make) -> None:
    notice = make(MAIL, "mta=gw.example", 'to=a>, "b"@c', *FAILED)
    assert notice.message["To"] == "undisclosed-recipients:;"
    notice = make(MAIL, "mta=gw.example", 'to="a, >b\\""@c.example', *FAILED)
    assert [a.username for a in notice.message["To"].addresses] == ['a, >b"']
    notice = make(MAIL, "mta=gw.example", "to=a@[IPv6:2001:db8::1]", *FAILED)
    assert notice.message["To"].addresses[0].addr_spec == "a@[IPv6:2001:db8::1]"


def test_the_mailer_daemon_may_have_an_address(make) -> None:
    notice = make(MAIL, *BASE, "from=postmaster@example.co.jp", *FAILED)
    assert notice.message["From"].addresses[0].addr_spec == "postmaster@example.co.jp"
    notice = make(MAIL, *BASE, "from=a>b@example.co.jp", *FAILED)
    assert notice.message["From"].addresses[0].addr_spec == "MAILER-DAEMON@gw.example.co.jp"


def test_an_endless_reply_is_cut(make) -> None:
    notice = make(MAIL, *BASE, "rcpt=bob@x", "reply=" + "\r\n".join(["550-" + "y" * 300] * 200))
    assert len(fields(notice.blocks[1])["Diagnostic-Code"]) < 2600
    assert max(len(line) for line in notice.text.splitlines()) < 1200
    assert len(notice.text) < 6000


def test_a_mail_that_is_a_notification_itself(make) -> None:
    """Its own boundary stands within; the two are told apart."""
    inner = make(MAIL, *BASE, *FAILED, "full=1")
    outer = make(inner.raw, *BASE, *FAILED, "full=1")
    assert outer.returned_raw == inner.raw
    assert outer.message.get_boundary() != inner.message.get_boundary()
    assert [p.get_content_type() for p in outer.returned.get_payload(0).get_payload()] == [
        "text/plain", "message/delivery-status", "message/rfc822"]


# ---- refusals by our own rules (S0-34, S0-35, S2-30) -----------------------------------------------

REFUSED = ["rcpt=bob@partner.example", "status=5.7.1", "reply=5.7.1 refused by a rule of this gateway",
           "rcpt=carol@other.example", "status=5.7.1", "number=0196c0ffee4f2c1d8a31b7e09c55d210"]


def test_S2_30_a_refusal_in_plain_words_of_both_languages(make) -> None:
    """That rules refused it, the rule's own reason, which recipients, and that nobody got anything."""
    notice = make(MAIL, *BASE, *REFUSED, "why=添付ファイルは2個までです。")
    assert notice.message["Subject"] == (
        "メールは送信されませんでした（ルールによる拒否） / Your mail was refused by a rule")
    japanese, english = notice.text.split("-" * 40)
    for part in (japanese, english):
        assert "    | 添付ファイルは2個までです。\r\n" in part
        assert "bob@partner.example" in part and "carol@other.example" in part
        assert "0196c0ffee4f2c1d8a31b7e09c55d210" in part
    assert "組織のルールにより送信されませんでした" in japanese and "何も送られていません" in japanese
    assert "refused by the rules of your organisation" in english
    assert "Nothing was sent to anybody" in english
    _, bob, carol = notice.blocks
    assert (bob["Action"], bob["Status"]) == (carol["Action"], carol["Status"]) == ("failed", "5.7.1")
    assert bob["Diagnostic-Code"] == "x-sekisho; 5.7.1 refused by a rule of this gateway"
    assert notice.returned_raw == HEADER


@pytest.mark.parametrize("why", [b"a\r\nBcc: x@evil.example\r\n\r\nbody", b"\xff\xfe broken \xe3\x81", b"\x1b[31m\x07bell",
                                 b"", b" \r\n ", b"x" * 100000, b"\n".join([b"line"] * 1000), "ルール".encode() * 3000,
                                 "\u202egnp.exe\u200b".encode(), b"--=_dsn_00\r\n--=_dsn_00--"],
                         ids=range(10))
def test_a_rules_reason_may_hold_anything(make, why: bytes) -> None:
    """C18: no byte of it becomes a field, a part or a line that could be taken for one of ours."""
    notice = make(MAIL, *BASE, *REFUSED, b"why=" + why)
    assert [name for name, _ in notice.message.items()].count("Bcc") == 0
    assert len(notice.text.encode()) < 12000
    assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\u202e\u200b]", notice.text)
    for line in notice.text.split("\r\n"):
        assert not line.startswith(("Bcc", "line", "body"))
    # What follows the reason is still there.
    assert notice.text.count("bob@partner.example") == 2


def test_many_recipients_of_a_refusal(make) -> None:
    words = [word for i in range(80) for word in (f"rcpt=user{i}@partner.example", "status=5.7.1")]
    notice = make(MAIL, *BASE, *words, "why=no")
    assert notice.text.count("@partner.example") == 2 * 50
    assert "ほかに 30 件" in notice.text and "30 more recipients" in notice.text
    assert len(notice.blocks) == 81
