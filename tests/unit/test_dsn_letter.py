"""lib/dsn's letters as Python's email package reads them: a refused mail for an auditor is a message/rfc822 in a mail of
the gateway's own address (C18, S1-32), whatever is in it; a report is text (S2)."""

import base64
import email
import email.policy
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Arguments: the file with the mail, or "-", the file with the text, or "-" for the words about a refusal, and KEY=VALUE.
# Writes SMTPUTF8, 8BITMIME and the kind to standard error, the letter to standard output.
WRITER = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/dsn/letter.h"

static bool put(void *context, const char *bytes, size_t len)
{
	(void)context;
	return fwrite(bytes, 1, len, stdout) == len;
}

int main(int argc, char **argv)
{
	static const char *rcpt[20000];
	static char bytes[LETTER_TEXT_MAX + 1000];
	struct letter_refused refused = {.mta = "gw.example.co.jp", .rcpt = rcpt};
	struct letter letter = {.fd = -1, .whole_max = UINT64_MAX, .now = 1795396923000000, .subject = "?"};
	struct letter_form form;
	struct buf words;
	struct stat st;

	if (strcmp(argv[1], "-") != 0) {
		letter.fd = open(argv[1], O_RDONLY);
		if (fstat(letter.fd, &st) != 0)
			return 2;
		letter.size = (uint64_t)st.st_size;
	}
	for (int i = 3; i < argc; i++) {
		char *value = strchr(argv[i], '=') + 1;
#define IS(key) (strncmp(argv[i], key "=", sizeof key) == 0)
		if (IS("id")) letter.id = value;
		else if (IS("mta")) letter.mta = value;
		else if (IS("from")) letter.from = value;
		else if (IS("to")) letter.to = value;
		else if (IS("subject")) letter.subject = value;
		else if (IS("max")) letter.whole_max = (uint64_t)atoll(value);
		else if (IS("name")) letter.name = value;
		else if (IS("sender")) refused.from = value;
		else if (IS("rcpt")) rcpt[refused.rcpts++] = value;
		else if (IS("many")) { for (int n = atoi(value); n > 0; n--) rcpt[refused.rcpts++] = "x@partner.example"; }
		else if (IS("why")) refused.why = value;
		else if (IS("where")) refused.where = value;
		else if (IS("rule")) refused.name = value;
		else if (IS("number")) refused.id = value;
		else if (IS("client")) refused.client = value;
		else if (IS("accepted")) refused.accepted = atoll(value);
		else if (IS("refused")) refused.refused = atoll(value);
		else return 3;
	}
	if (!letter_prepare(&letter, &form))
		return 1;
	buf_init(&words, LETTER_TEXT_MAX);
	if (strcmp(argv[2], "-") != 0) {
		int fd = open(argv[2], O_RDONLY);
		ssize_t n = read(fd, bytes, sizeof bytes);
		letter.text = bytes;
		letter.text_len = n < 0 ? 0 : (size_t)n;
	} else {
		letter_refused_words(&refused, form.kind, &words);
		if (!buf_ok(&words))
			return 4;
		letter.text = words.bytes;
		letter.text_len = words.len;
	}
	if (!letter_write(&letter, &form, put, NULL) || fflush(stdout) != 0)
		return 1;
	fprintf(stderr, "%d %d %d", form.utf8, form.eight_bit, (int)form.kind);
	return 0;
}
"""

PLAIN, MAIL_KIND, FILE, HEADER_KIND = range(4)
MAIL = (b"Received: by gw.example.co.jp; Mon, 23 Nov 2026 01:02:03 +0000\r\n"
        b"From: alice@example.co.jp\r\nMessage-ID: <77@example.co.jp>\r\nSubject: Figures\r\n"
        b"\r\nHello\r\n--\r\nAlice\r\n")
BASE = ["id=0196c0ff.1", "mta=gw.example.co.jp", "to=internal-audit@example.co.jp", "name=0196c0ffee4f2c1d.1",
        "subject=拒否されたメール / Refused mail: three-files"]
ABOUT = ["sender=alice@example.co.jp", "rcpt=bob@partner.example", "rcpt=carol@other.example", "why=添付ファイルは2個までです。",
         "where=must/20-files:3", "rule=three-files", "number=0196c0ffee4f2c1d8a31b7e09c55d210.1",
         "client=192.0.2.10 helo=pc1 proto=esmtp", "accepted=1795390000000000", "refused=1795390001000000"]


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    directory = tmp_path_factory.mktemp("letter")
    source = directory / "writer.c"
    source.write_text(WRITER)
    sources = [p for part in ("dsn", "base") for p in sorted((ROOT / "lib" / part).glob("*.c"))]
    sources += [ROOT / "lib/mime" / name for name in ("field.c", "mailboxes.c", "utf8.c")]
    subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", f"-I{ROOT}", "-O1", "-pthread", "-o",
                    directory / "writer", source, *sources, "-lcrypto"], check=True)
    return directory / "writer"


class Letter:
    def __init__(self, raw: bytes, utf8: bool, eight_bit: bool, kind: int) -> None:
        self.raw, self.utf8, self.eight_bit, self.kind = raw, utf8, eight_bit, kind
        self.message = email.message_from_bytes(raw, policy=email.policy.SMTP)
        self.parts = self.message.get_payload() if self.message.is_multipart() else [self.message]
        assert self.message.defects == [] and self.parts[0].defects == []
        assert [d for name, value in self.message.items() if name != "To" or not utf8 for d in value.defects] == []
        assert len(self.parts) == (1 if kind == PLAIN else 2)

    @property
    def text(self) -> str:
        return self.parts[0].get_payload(decode=True).decode("utf-8")

    @property
    def attached_raw(self) -> bytes:
        """The second part's body as it stands."""
        boundary = self.message.get_boundary().encode()
        part = self.raw.split(b"\r\n--" + boundary)[2]
        return part[part.index(b"\r\n\r\n") + 4:]


def check_bytes(raw: bytes, utf8: bool, eight_bit: bool, kind: int) -> None:
    """What holds for every letter, whatever is in it."""
    assert b"\0" not in raw
    assert raw.count(b"\r\n") == raw.count(b"\r") == raw.count(b"\n")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert eight_bit or raw.isascii()
    header, _, body = raw.partition(b"\r\n\r\n")
    assert utf8 or header.isascii()
    names = re.findall(rb"^([^ \t:]+):", header, flags=re.M)
    fixed = [b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"MIME-Version", b"Content-Type"]
    assert names == fixed + ([b"Content-Language"] if kind == PLAIN else []) + [b"Content-Transfer-Encoding"]
    if kind != PLAIN:
        boundary = re.search(rb'boundary="(=_dsn_[0-9a-f]{32})"', header).group(1)
        assert body.count(boundary) == (b"\r\n" + body).count(b"\r\n--" + boundary) == 3
        assert raw.endswith(b"--" + boundary + b"--\r\n")


@pytest.fixture(name="make")
def make_fixture(writer: pathlib.Path, tmp_path: pathlib.Path):
    def make(mail: bytes | None, *words: str | bytes, text: bytes | None = None) -> Letter:
        paths = ["-", "-"]
        for i, content in enumerate((mail, text)):
            if content is not None:
                paths[i] = tmp_path / f"input{i}"
                paths[i].write_bytes(content)
        done = subprocess.run([writer, *paths, *words], capture_output=True, timeout=30,
                              env=dict(os.environ, TZ="Asia/Tokyo"))
        assert done.returncode == 0, done.stderr
        utf8, eight_bit, kind = (int(word) for word in done.stderr.split())
        check_bytes(done.stdout, bool(utf8), bool(eight_bit), kind)
        return Letter(done.stdout, bool(utf8), bool(eight_bit), kind)
    return make


def test_S1_32_C18_the_mail_is_attached_to_a_mail_of_our_own(make) -> None:
    """From: is the gateway's, and the refused mail's own From: stands only inside the attachment."""
    letter = make(MAIL, *BASE, *ABOUT)
    assert letter.kind == MAIL_KIND and not letter.utf8 and not letter.eight_bit
    assert letter.message.get_content_type() == "multipart/mixed"
    assert [a.addr_spec for a in letter.message["From"].addresses] == ["MAILER-DAEMON@gw.example.co.jp"]
    assert [a.addr_spec for a in letter.message["To"].addresses] == ["internal-audit@example.co.jp"]
    assert letter.message["Subject"] == "拒否されたメール / Refused mail: three-files"
    assert letter.message["Auto-Submitted"] == "auto-generated"
    assert letter.message["Message-ID"] == "<0196c0ff.1@gw.example.co.jp>"
    attached = letter.parts[1]
    assert attached.get_content_type() == "message/rfc822"
    assert attached.get_filename() == "0196c0ffee4f2c1d.1.eml"
    assert letter.attached_raw == MAIL
    assert b"alice" not in letter.raw.partition(b"\r\n\r\n")[0]


def test_S1_32_the_auditor_is_told_everything(make) -> None:
    text = make(MAIL, *BASE, *ABOUT).text
    for told in ("差出人 / From: alice@example.co.jp", "宛先 / To: bob@partner.example", "宛先 / To: carol@other.example",
                 "    | 添付ファイルは2個までです。", "three-files", "must/20-files:3",
                 "0196c0ffee4f2c1d8a31b7e09c55d210.1", "192.0.2.10 helo=pc1 proto=esmtp", "2026-11-23 08:26:40 +0900"):
        assert told in text, told
    assert "組織のルールにより拒否され" in text and "そのメールを添付しています" in text
    assert "refused by the rules" in text and "It is attached." in text


def test_from_the_address_that_is_set(make) -> None:
    letter = make(MAIL, *BASE, *ABOUT, "from=gate@example.co.jp")
    assert letter.message["From"].addresses[0].addr_spec == "gate@example.co.jp"


UTF8 = "From: アリス <alice@example.co.jp>\r\nSubject: 見積書\r\n\r\nこんにちは\r\n".encode()


def test_a_mail_with_utf8_in_its_header_is_message_global(make) -> None:
    letter = make(UTF8, *BASE, *ABOUT)
    assert letter.eight_bit and not letter.utf8
    assert b"Content-Type: message/global\r\nContent-Transfer-Encoding: 8bit\r\n" in letter.raw
    assert letter.attached_raw == UTF8


def test_eight_bits_in_the_body_stay_as_they_are(make) -> None:
    mail = b"Subject: x\r\n\r\n\x82\xa0\xff\r\n"
    letter = make(mail, *BASE, *ABOUT)
    assert letter.kind == MAIL_KIND and letter.eight_bit
    assert b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n" in letter.raw
    assert letter.attached_raw == mail


@pytest.mark.parametrize("mail", [b"Subject: x\r\n\r\nlone \r cr\r\n", b"Subject: x\r\n\r\nnul \0 here\r\n",
                                  b"Subject: x\r\n\r\nlone \n lf\r\n", b"Subject: x\r\n\r\n" + b"y" * 5000 + b"\r\n",
                                  b"Subject: " + b"z" * 3000 + b"\r\n\r\nbody\r\n", b"\r", os.urandom(100000)],
                         ids=range(7))
def test_what_cannot_stand_so_is_a_file_of_every_byte(make, mail: bytes) -> None:
    """The auditor gets the evidence, whatever a sender does to the format."""
    letter = make(mail, *BASE, *ABOUT)
    assert letter.kind == FILE and not letter.eight_bit
    part = letter.parts[1]
    assert part.get_content_type() == "application/octet-stream"
    assert part.get_filename() == "0196c0ffee4f2c1d.1.eml"
    assert part.get_payload(decode=True) == mail
    assert "ファイルとして添付" in letter.text and "attached as a file" in letter.text


def test_a_large_file_in_base64_is_whole(make) -> None:
    mail = b"Subject: x\r\n\r\n" + os.urandom(3_000_001)
    assert base64.b64decode(make(mail, *BASE, *ABOUT).attached_raw) == mail


def test_what_is_too_large_is_told_and_its_header_attached(make) -> None:
    letter = make(MAIL, *BASE, *ABOUT, "max=20")
    assert letter.kind == HEADER_KIND
    assert letter.parts[1].get_content_type() == "text/rfc822-headers"
    assert letter.attached_raw == MAIL[:MAIL.index(b"\r\n\r\n") + 2]
    assert "ヘッダーだけを添付" in letter.text and "its header is" in letter.text


def test_a_mail_that_holds_boundaries_does_not_end_its_part(make) -> None:
    inner = make(MAIL, *BASE, *ABOUT).raw
    letter = make(inner, *BASE, *ABOUT)
    assert letter.attached_raw == inner


HOSTILE = [b"a\r\nBcc: x@evil.example\r\n\r\nbody", b"\xff\xfe\xe3\x81", b"\x1b[31m\x07", b"", b"x" * 90000, "長い".encode() * 20000,
           "\u202egnp.exe\u200b".encode(), b"=?utf-8?q?=0D=0ABcc:_x?=", b"--=_dsn_00--"]


@pytest.mark.parametrize("bad", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("key", ["subject", "sender", "rcpt", "why", "where", "rule", "number", "client", "name", "id", "mta",
                                 "from", "to"])
def test_no_text_becomes_a_field_or_a_part(make, key: str, bad: bytes) -> None:
    letter = make(MAIL, *BASE, *ABOUT, key.encode() + b"=" + bad)
    assert letter.message["Bcc"] is None
    assert letter.attached_raw == MAIL
    assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\u202e\u200b]", letter.text + str(letter.message["Subject"]))
    for line in letter.text.split("\r\n"):
        assert not line.startswith(("Bcc", "body", "--="))


def test_ten_thousand_recipients_fit(make) -> None:
    letter = make(MAIL, *BASE, *ABOUT, "many=10000")
    assert letter.text.count("宛先 / To: ") == 500
    assert "and 9502 more" in letter.text
    assert "must/20-files:3" in letter.text


def test_an_address_beyond_ascii_needs_smtputf8(make) -> None:
    letter = make(MAIL, *BASE, *ABOUT, "to=監査@example.co.jp")
    assert letter.utf8 and letter.eight_bit
    assert "To: <監査@example.co.jp>".encode() in letter.raw


# ---- letters without a mail -------------------------------------------------------------------------


def test_a_report_is_text(make) -> None:
    letter = make(None, *BASE[:3], "subject=週報 2026-11-23", text="一行目\n二行目 \tx\n\n終わり".encode())
    assert letter.kind == PLAIN
    assert letter.message.get_content_type() == "text/plain"
    assert letter.message["Auto-Submitted"] == "auto-generated"
    assert letter.text == "一行目\r\n二行目 ?x\r\n\r\n終わり\r\n"


@pytest.mark.parametrize("text", [b"\0\r\n\x01\n\xff", b"\r\r\n", b"\n" * 1000, b"x" * 1000, b".\n..\n"],
                         ids=range(5))
def test_a_report_may_hold_anything(make, text: bytes) -> None:
    said = make(None, *BASE[:3], text=text).text
    assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]", said)
    assert said.count("\r\n") == text.count(b"\n") + (not text.endswith(b"\n"))


def test_the_longest_text_is_cut_at_its_bound(make) -> None:
    letter = make(None, *BASE[:3], text=b"\n" * (256 * 1024 + 500))
    assert letter.text == "\r\n" * (256 * 1024)
    letter = make(None, *BASE[:3], text=b"\xff" * (256 * 1024 + 500))
    assert letter.text == "?" * (256 * 1024) + "\r\n"
