"""seki-seal: what comes out is read by another mail library, and is what went in but for what was asked (S1-26b, S2-48;
traps C7, C8)."""
import array
import base64
import email
import email.policy
import html
import itertools
import os
import quopri
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from conftest import REPO, build_once
from test_auth_kit import as_3

BUILD = os.environ.get("SEKI_SEAL_BUILD", "build")  # a tree of one's own while others build
PATIENCE = 120
JA = "この電子メールは確認されました。\n承認者: boss@example.co.jp"
EN = "This mail was checked.\nBy: boss@example.co.jp"


def program() -> Path:
    if BUILD == "build":
        build_once(BUILD)
    return REPO / BUILD / "bin/seki-seal"


def xtext(data: bytes) -> str:
    return "".join(chr(b) if 33 <= b <= 126 and chr(b) not in '"=+' else f"+{b:02X}" for b in data)


class Answer:
    def __init__(self, text: str, content: bytes) -> None:
        self.text, self.content = text, content
        words = dict(w.split("=") for w in text.split() if "=" in w)
        self.word, self.why = (text + " ").split(" ")[:2]
        self.removed, self.inserted = int(words.get("removed", 0)), words.get("inserted")


class Service:
    """seki-seal in the least of an instance."""

    def __init__(self, **settings: object) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="sekisho-seal-", dir="/var/tmp"))
        self.root.chmod(0o711)
        for name in ("etc", "run", "run/seal", "run/taken"):
            (self.root / name).mkdir()
        (self.root / "etc/settings").write_text(
            "trial yes\n" + "".join(f"{k.replace('_', '-')} {v}\n" for k, v in settings.items()))
        read, write = os.pipe()
        with open(self.root / "log", "ab") as log:
            self.process = subprocess.Popen(
                as_3(write, ">", str(program())), cwd=self.root, env={"PATH": "/usr/bin:/bin"},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(write,))
        os.close(write)
        assert os.read(read, 1) == b"\n", (self.root / "log").read_text()
        os.close(read)

    def connect(self) -> socket.socket:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.settimeout(PATIENCE)
        s.connect(str(self.root / "run/seal/socket"))
        return s

    def ask(self, content: bytes | Path, lines: str, before: int = 7) -> Answer:
        """`before`: bytes of the file in front of the content, which belong to nobody."""
        with tempfile.TemporaryFile(dir=self.root) as out, tempfile.NamedTemporaryFile(dir=self.root) as leg:
            if isinstance(content, bytes):
                leg.write(b"#" * before + content + b"\n-- trailer")
                leg.flush()
                size, path = len(content), leg.name
            else:
                size, path, before = content.stat().st_size, str(content), 0
            with self.connect() as s, open(path, "rb") as source:
                data = lines.encode()
                for at in range(0, len(data), 40000):
                    s.send(b"T" + data[at:at + 40000])
                fds = array.array("i", [source.fileno(), out.fileno()])
                s.sendmsg([f"S{before} {size}".encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
                text = s.recv(65536).decode()
            out.seek(0)
            answer = Answer(text[1:], out.read() if isinstance(content, bytes) else b"")
            if answer.word == "done":
                assert os.fstat(out.fileno()).st_size == int(answer.text.split()[1])
            if not isinstance(content, bytes):
                out.seek(0)
                with open(self.root / "out", "wb") as copy:
                    shutil.copyfileobj(out, copy)
            return answer

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE) == 0
        shutil.rmtree(self.root)


@pytest.fixture(scope="module")
def seal():
    service = Service()
    yield service
    service.stop()


def remove(*addresses: str) -> str:
    return "".join(f"remove {xtext(a.encode())}\n" for a in addresses)


def insert(where: str, text: str) -> str:
    return f"insert {where} {xtext(text.encode())}\n"


def read(data: bytes):
    return email.message_from_bytes(data, policy=email.policy.default)


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


# ---- recipients --------------------------------------------------------------------------------

BOB = "bob@partner.example"

# What stands in a field; what is to stand there. None: the field goes; False: it is refused.
FIELDS = [
    (" bob@partner.example", None),
    (" alice@example.co.jp, bob@partner.example", " alice@example.co.jp"),
    (" bob@partner.example, alice@example.co.jp", " alice@example.co.jp"),
    (" a@x.example,bob@partner.example,b@x.example", " a@x.example,b@x.example"),
    (" a@x.example,\r\n bob@partner.example,\r\n\tb@x.example", " a@x.example,\r\n\tb@x.example"),
    (" a@x.example,\r\n\tb@x.example,\r\n bob@partner.example", " a@x.example,\r\n\tb@x.example"),
    (" bob@partner.example,\r\n a@x.example", " a@x.example"),
    (" bob@partner.example, BOB@Partner.Example, a@x.example", " a@x.example"),
    (" a@x.example, Bob B <bob@partner.example> (at work)", " a@x.example"),
    (' "B, Bob" <bob@partner.example>, a@x.example', " a@x.example"),
    (' "bob@partner.example" <bob@partner.example>, a@x.example', " a@x.example"),
    (" =?UTF-8?B?5bGx55Sw?= <bob@partner.example>, =?UTF-8?Q?=E5=B1=B1?= <a@x.example>", " =?UTF-8?Q?=E5=B1=B1?= <a@x.example>"),
    (" =?UTF-8?Q?B,_Bob?= <bob@partner.example>, a@x.example", " a@x.example"),
    (" a@x.example (bob, the other), bob@partner.example", " a@x.example (bob, the other)"),
    (" Team: bob@partner.example, a@x.example;", " Team: a@x.example;"),
    (" Team: a@x.example, bob@partner.example;, b@x.example", " Team: a@x.example;, b@x.example"),
    (" Team: bob@partner.example;, b@x.example", " b@x.example"),
    (" b@x.example, Team: bob@partner.example;", " b@x.example"),
    (" Team: bob@partner.example;", None),
    (" undisclosed-recipients:;", " undisclosed-recipients:;"),
    (" <@relay.example:bob@partner.example>, a@x.example", " a@x.example"),
    (' "bob"@partner.example, a@x.example', " a@x.example"),
    (" bob@partner.example., a@x.example", " a@x.example"),
    (" a@x.example; bob@partner.example; c@x.example", " a@x.example; c@x.example"),
    (" a@x.example,, bob@partner.example", " a@x.example,"),
    (" bob+more@partner.example, a@x.example", " bob+more@partner.example, a@x.example"),
    (" bobby@partner.example, abob@partner.example", " bobby@partner.example, abob@partner.example"),
    (" bob@partner.example.org", " bob@partner.example.org"),
    ("bob@partner.example,a@x.example", "a@x.example"),
    (" bob@partner.example,", None),
    # Where one of them ends could be read in two ways, or a name shows the address.
    (" a@x.example bob@partner.example", False),
    (' "bob@partner.example" <a@x.example>', False),
    (" a@x.example (write to bob@partner.example)", False),
    (' "Bob <bob@partner.example>, a@x.example', False),
    (" (never closed bob@partner.example, a@x.example", False),
    (" <a@x.example, bob@partner.example>", False),
    (" Team: a@x.example, bob@partner.example", False),
    (" A: B: bob@partner.example;;", False),
    (" Team: bob@partner.example; a@x.example", False),
    (" <bob@partner.example <a@x.example>", False),
]


@pytest.mark.parametrize("field,wanted", FIELDS)
@pytest.mark.parametrize("name", ["To", "cc", "Bcc", "Resent-To"])
def test_N12_address_is_taken_out_of_field(seal, name, field, wanted):
    rest = b"From: alice@example.co.jp\r\nIn-Reply-To: <1.bob@partner.example>\r\n"
    body = b"Subject: x\r\nDKIM-Signature: v=1; h=to:bob@partner.example\r\n\r\nbody bob@partner.example\r\n"
    other = b"" if name == "To" else b"To: carol@x.example\r\n"
    answer = seal.ask(rest + other + f"{name}:{field}\r\n".encode() + body, remove(BOB))
    if wanted is False:
        assert answer.text == "no header"
        return
    assert answer.word == "done" and answer.inserted == "no"
    new = b"" if wanted is None else f"{name}:{wanted}\r\n".encode()
    if wanted is None and name == "To":
        new = b"To: undisclosed-recipients:;\r\n"
    assert answer.content == rest + other + new + body
    if wanted is not None and "@" in wanted:
        kept = email.message_from_bytes(answer.content).get_all(name)
        assert kept == [f"{name}:{wanted}".split(":", 1)[1].lstrip(" ")]


def test_N12_no_other_field_names_who_was_taken_away(seal):
    """Lists of recipients by other names lose the address; what programs wrote for programs goes as a whole; the
    author's own words, who wrote it and by which way it came stay."""
    stays = (b"From: bob@partner.example\r\nSubject: ask bob@partner.example\r\nReceived: for <bob@partner.example>\r\n"
             b"Content-Type: text/plain; name=\"bob@partner.example\"\r\nX-Other: carol@x.example\r\n")
    goes = (b"Mail-Followup-To: bob@partner.example\r\nX-To: <bob@partner.example>\r\nX-MS-Anything: a bob@partner.example b\r\n"
            b"Delivered-To: bob@partner.example\r\n")
    answer = seal.ask(goes + stays + b"Reply-To: a@x.example, bob@partner.example\r\nTo: a@x.example\r\n\r\nx\r\n", remove(BOB))
    assert answer.word == "done"
    assert answer.content == stays + b"Reply-To: a@x.example\r\nTo: a@x.example\r\n\r\nx\r\n"


def test_N12_same_field_twice_and_all_at_once(seal):
    mail = (b"To: a@x.example\r\nTo: bob@partner.example\r\nCc: bob@partner.example\r\n"
            b"Bcc: bob@partner.example, c@x.example\r\n\r\nx\r\n")
    answer = seal.ask(mail, remove(BOB, "nobody@x.example"))
    assert answer.removed == 3
    assert answer.content == b"To: a@x.example\r\nBcc: c@x.example\r\n\r\nx\r\n"
    answer = seal.ask(b"Cc: bob@partner.example\r\nSubject: x\r\nBcc: bob@partner.example\r\n\r\n", remove(BOB))
    assert answer.content == b"To: undisclosed-recipients:;\r\nSubject: x\r\n\r\n"


def test_N12_international_domain(seal):
    mail = "To: a@x.example, 山田 <taro@日本語.example>\r\n\r\n".encode()
    answer = seal.ask(mail, remove("taro@xn--wgv71a119e.example"))
    assert (answer.removed, answer.content) == (1, b"To: a@x.example\r\n\r\n")
    answer = seal.ask(b"To: a@x.example, taro@XN--wgv71a119e.example\r\n\r\n", remove("taro@日本語.example"))
    assert (answer.removed, answer.content) == (1, b"To: a@x.example\r\n\r\n")


@pytest.mark.parametrize("mail", [
    b"Subject: x\rTo: bob@partner.example\r\n\r\n", b"Subject: x\nTo: bob@partner.example\r\n\r\n",
    b"To\0: bob@partner.example\r\n\r\n", b"To bob@partner.example\r\n\r\n",
])
def test_N12_what_some_programs_take_for_a_field_is_refused(seal, mail):
    assert seal.ask(mail, remove(BOB)).text == "no header"
    assert seal.ask(mail, remove("nobody@x.example")).content == mail


def test_header_without_end_and_header_too_long(seal):
    assert seal.ask(b"To: bob@partner.example", remove(BOB)).content == b"To: undisclosed-recipients:;\r\n"
    mail = b"".join(b"X-%d: %s\r\n" % (i, b"x" * 900) for i in range(1300)) + b"To: bob@partner.example\r\n\r\n"
    assert seal.ask(mail, remove(BOB)).text == "no header-too-long"


# ---- texts -------------------------------------------------------------------------------------

HEAD = "From: alice@example.co.jp\nTo: bob@partner.example\nSubject: x\nMIME-Version: 1.0\n"
TEXT = "こんにちは。\nお世話になっております。\n-- \n山田"


def part(text: str, charset: str, encoding: str, subtype: str = "plain", more: str = "") -> bytes:
    raw = text.replace("\n", "\r\n").encode(charset)
    if encoding == "base64":
        raw = base64.encodebytes(raw).replace(b"\n", b"\r\n")
    elif encoding == "quoted-printable":
        raw = quopri.encodestring(raw.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    head = f"Content-Type: text/{subtype}; charset={charset}{more}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + raw


def text_of(message) -> str:
    charset = message.get_content_charset() or "us-ascii"
    return message.get_payload(decode=True).decode({"shift_jis": "cp932"}.get(charset, charset)).replace("\r\n", "\n")


CHARSETS = [("utf-8", "8bit"), ("utf-8", "base64"), ("utf-8", "quoted-printable"), ("iso-2022-jp", "7bit"),
            ("iso-2022-jp", "base64"), ("iso-2022-jp", "quoted-printable"), ("shift_jis", "8bit"),
            ("shift_jis", "base64"), ("euc-jp", "8bit"), ("euc-jp", "quoted-printable")]


@pytest.mark.parametrize("where", ["top", "end"])
@pytest.mark.parametrize("words", [EN, JA, JA + " ①髙 😀"])
@pytest.mark.parametrize("charset,encoding", CHARSETS)
def test_s1_26b_plain_text_in_its_charset(seal, where, words, charset, encoding):
    answer = seal.ask(HEAD.replace("\n", "\r\n").encode() + part(TEXT, charset, encoding), insert(where, words))
    assert (answer.word, answer.inserted) == ("done", "yes"), answer.text
    message = read(answer.content)
    assert not message.defects
    shown = text_of(message)
    assert shown == (f"{words}\n\n{TEXT}" if where == "top" else f"{TEXT}\n\n{words}\n"), answer.content
    assert message["To"] == BOB
    assert max(len(line) for line in answer.content.split(b"\r\n")) <= 998
    if encoding in ("7bit", "base64", "quoted-printable"):
        assert answer.content.isascii()
    if words != EN + JA and "😀" not in words:
        assert message.get_content_charset() == charset


def test_plain_text_without_a_type(seal):
    for where, words in (("end", EN), ("top", JA)):
        answer = seal.ask(b"To: bob@partner.example\r\n\r\nhello\r\n", insert(where, words))
        message = read(answer.content)
        assert text_of(message) == (f"hello\n\n{EN}\n" if where == "end" else f"{JA}\n\nhello\n")
        assert answer.content.isascii()
    assert message["MIME-Version"] == "1.0" and message.get_content_charset() == "utf-8"


def test_both_places_several_texts_and_removal_at_once(seal):
    mail = HEAD.replace("\n", "\r\n").encode() + part("hello\n", "utf-8", "8bit")
    answer = seal.ask(mail, insert("top", "one") + insert("end", "three\n") + insert("top", "two") + remove(BOB))
    assert answer.removed == 1
    assert answer.content == (mail.replace(b"To: bob@partner.example", b"To: undisclosed-recipients:;")
                              .replace(b"hello\r\n", b"one\r\n\r\ntwo\r\n\r\nhello\r\n\r\nthree\r\n"))


def test_flowed_lines_are_stuffed(seal):
    mail = HEAD.replace("\n", "\r\n").encode() + part("soft \nline ", "us-ascii", "7bit", more="; format=flowed")
    answer = seal.ask(mail, insert("end", "> quoted?  \n blank\nFrom here"))
    assert answer.content.endswith(b"soft \r\nline \r\n\r\n > quoted?\r\n  blank\r\n From here\r\n")


def test_japanese_text_whose_letters_do_not_end(seal):
    body = "山".encode("iso-2022-jp").removesuffix(b"\x1b(B")
    mail = crlf(HEAD) + b"Content-Type: text/plain; charset=ISO-2022-JP\r\n\r\n" + body
    answer = seal.ask(mail, insert("end", EN))
    assert text_of(read(answer.content)) == f"山\n\n{EN}\n"


def test_long_lines_of_a_text_do_not_break_the_mail(seal):
    for words in ("x" * 5000, "確認" * 2000):
        for charset in ("us-ascii", "utf-8", "iso-2022-jp"):
            answer = seal.ask(crlf(HEAD) + part("hello\n", charset, "7bit"), insert("end", words))
            assert text_of(read(answer.content)) == f"hello\n\n{words}\n"
            assert max(len(line) for line in answer.content.split(b"\r\n")) <= 998


HTML = [
    ("<html><body bgcolor='x>y'>hi</body></html>", "<html><body bgcolor='x>y'>", "hi", "</body></html>"),
    ("<!DOCTYPE html>\n<HTML>\n<HEAD><!-- <body> --></HEAD><BODY\n>hi</BODY ></HTML>\n",
     "<!DOCTYPE html>\n<HTML>\n<HEAD><!-- <body> --></HEAD><BODY\n>", "hi", "</BODY ></HTML>\n"),
    ("<p>hi</p>", "", "<p>hi</p>", ""),
    ("<html><head></head><p>hi</p></html>", "<html><head></head>", "<p>hi</p>", "</html>"),
    ("<body>山<!-- </body> --></body>", "<body>", "山<!-- </body> -->", "</body>"),
    ("<body>a < b</body>", "<body>", "a < b", "</body>"),
]


@pytest.mark.parametrize("charset,encoding", [("utf-8", "base64"), ("utf-8", "quoted-printable"), ("utf-8", "8bit"),
                                              ("iso-2022-jp", "7bit"), ("shift_jis", "8bit")])
@pytest.mark.parametrize("text,before,between,behind", HTML)
def test_s1_26b_html(seal, text, before, between, behind, charset, encoding):
    words = JA + ' <b>&"①😀'
    answer = seal.ask(crlf(HEAD) + part(text, charset, encoding, "html"), insert("top", words) + insert("end", EN))
    assert answer.inserted == "yes"
    shown = text_of(read(answer.content))
    match = re.fullmatch(re.escape(before) + r"<div>\n(.*?)</div>\n" + re.escape(between)
                         + r"<div>\n(.*?)</div>\n" + re.escape(behind), shown, flags=re.S)
    assert match, shown
    for found, wanted in zip(match.groups(), (words, EN)):
        assert html.unescape(found.replace("<wbr\n>", "").replace("<br>\n", "\n")) == wanted + "\n"
        assert "<b>" not in found


BOUNDARIES = itertools.count()


def multipart(kind: str, *parts: bytes, more: str = "") -> bytes:
    boundary = f"{kind}.{next(BOUNDARIES)}_b"
    body = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), p) for p in parts)
    return (f"Content-Type: multipart/{kind}; boundary={boundary}{more}\r\n\r\n".encode()
            + b"preamble\r\n" + body + b"--%s--\r\nepilogue\r\n" % boundary.encode())


FILE = b"Content-Type: application/pdf; name=x.pdf\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n"
PLAIN, RICH = part("hello\n", "utf-8", "8bit"), part("<body>hello</body>", "utf-8", "8bit", "html")
NOTE = part("a file\n", "utf-8", "8bit").replace(b"\r\n\r\n", b"\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n", 1)


@pytest.mark.parametrize("body,plain,rich", [
    (multipart("alternative", PLAIN, RICH), 1, 1),
    (multipart("mixed", multipart("alternative", PLAIN, multipart("related", RICH, FILE)), FILE, NOTE), 1, 1),
    (multipart("mixed", PLAIN, PLAIN, FILE), 1, 0),
    (multipart("mixed", FILE, RICH), 0, 1),
    (multipart("mixed", NOTE, PLAIN), 1, 0),
    (multipart("mixed", PLAIN, b"Content-Type: message/rfc822\r\n\r\n" + PLAIN), 1, 0),
])
def test_s1_26b_both_texts_of_a_multipart_and_nothing_else(seal, body, plain, rich):
    mail = crlf(HEAD) + body
    answer = seal.ask(mail, insert("end", EN))
    assert answer.inserted == "yes"
    text, rest = EN.replace("\n", "\r\n").encode(), answer.content
    in_plain = b"hello\r\n\r\n" + text + b"\r\n"
    in_rich = b"hello<div>\r\n" + text.replace(b"\r\n", b"<br>\r\n") + b"<br>\r\n</div>\r\n</body>"
    assert (rest.count(in_plain), rest.count(in_rich)) == (plain, rich), rest
    assert rest.replace(in_plain, b"hello\r\n").replace(in_rich, b"hello</body>") == mail


SIGNED = multipart("signed", PLAIN, b"Content-Type: application/pkcs7-signature\r\n\r\nxx\r\n", more="; protocol=x; micalg=y")
PGP = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nhello\n-----BEGIN PGP SIGNATURE-----\nx\n-----END PGP SIGNATURE-----\n"


@pytest.mark.parametrize("body", [
    SIGNED,
    multipart("encrypted", b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n", FILE),
    b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\nContent-Transfer-Encoding: base64\r\n"
    b"Content-Disposition: attachment\r\n\r\nAAAA\r\n",
    multipart("mixed", SIGNED, PLAIN),
    part(PGP, "utf-8", "quoted-printable"),
    FILE,
    multipart("mixed", FILE, FILE),
    part("hello", "utf-16", "base64"),
    part("hello", "utf-16", "base64", "html"),
    b"Content-Type: text/plain; charset=x-nobody\r\n\r\nx\r\n",
    b"Content-Type: text/plain; charset=us-ascii\r\n\r\n" + "山\r\n".encode(),
    b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx\r\n",
    b"Content-Type: text/plain; charset=utf-8; charset=iso-2022-jp\r\n\r\nx\r\n",
    b"Content-Type: text/plain\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nx\r\n",
    b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nA?B!\r\n",
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nnever closed\r\n",
])
def test_s1_26b_what_is_signed_sealed_or_unclear_is_wrapped_untouched(seal, body):
    mail = crlf(HEAD) + body
    # ASCII can be put into a text whatever bytes beyond it are.
    for words in (JA,) if b"charset=us-ascii" in body else (EN, JA):
        answer = seal.ask(mail, insert("top", words) + remove(BOB))
        assert (answer.word, answer.inserted, answer.removed) == ("done", "wrapped", 1), answer.text
        message = read(answer.content)
        boundary = message.get_boundary().encode()
        pieces = answer.content.split(b"--" + boundary)
        assert len(pieces) == 4
        assert pieces[1] == b"\r\n" + body + b"\r\n"  # the entity, byte by byte
        assert pieces[0].startswith(crlf(HEAD).replace(b"To: bob@partner.example", b"To: undisclosed-recipients:;"))
        assert message.get_content_type() == "multipart/mixed"
        assert text_of(message.get_payload()[1]) == words + "\n"
        assert len(message.get_all("MIME-Version")) == 1


def test_wrapped_mail_without_mime_and_without_header_end(seal):
    answer = seal.ask(b"Content-Type: application/pdf\r\nTo: x@y.example", insert("end", EN))
    message = read(answer.content)
    assert message["MIME-Version"] == "1.0" and message["To"] == "x@y.example"
    assert [p.get_content_type() for p in message.get_payload()] == ["application/pdf", "text/plain"]
    answer = seal.ask(b"\r\n" + "山".encode(), insert("end", JA))
    assert answer.inserted == "wrapped" and "山".encode() in answer.content


def test_wrapped_eight_bit_mail_says_so(seal):
    mail = crlf(HEAD) + b"Content-Type: text/x-other; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + "山".encode()
    message = read(seal.ask(mail, insert("end", EN)).content)
    assert message["Content-Transfer-Encoding"] == "8bit"


def test_no_history_no_change(seal):
    mail = crlf(HEAD) + PLAIN
    assert seal.ask(mail, insert("end", "\n\n")).content == mail


# ---- anything ----------------------------------------------------------------------------------


def random_mail(r: random.Random) -> bytes:
    names = ["", "Bob ", '"B, Bob" ', "=?UTF-8?B?5bGx?= ", "(c) "]
    people = [BOB, "a@x.example", "bob+x@partner.example", "c@y.example"]

    def mailbox() -> str:
        name, who = r.choice(names), r.choice(people)
        return f"{name}<{who}>" if name else who

    def field() -> str:
        items = [mailbox() if r.random() > .2 else f"G{r.randrange(9)}: " + ", ".join(
            mailbox() for _ in range(r.randrange(3))) + ";" for _ in range(r.randrange(1, 6))]
        return "".join(i + r.choice([", ", ",\r\n ", ",", ",\r\n\t"]) for i in items[:-1]) + items[-1]

    def body(depth: int) -> bytes:
        if depth < 3 and r.random() < .5:
            return multipart(r.choice(["mixed", "alternative", "related"]),
                             *(body(depth + 1) for _ in range(r.randrange(1, 4))))
        charset, encoding = r.choice(CHARSETS)
        text = r.choice([TEXT, "<body>x</body>", "", "a = b \n\n", "山" * 400, "a\n" * 3000])
        if encoding in ("7bit", "8bit"):
            text = text.replace("山" * 400, "山")
        return r.choice([part(text, charset, encoding, r.choice(["plain", "html"])), FILE])

    return (b"From: alice@example.co.jp\r\nTo: " + field().encode() + b"\r\nCc: " + field().encode()
            + b"\r\nSubject: x\r\nMIME-Version: 1.0\r\n" + body(0))


def addresses(message) -> list[str]:
    return [a.addr_spec for n in ("To", "Cc") for f in message.get_all(n, []) for a in f.addresses]


def leaves(message) -> list[tuple[str, bytes]]:
    return [(p.get_content_type(), p.get_payload(decode=True) or b"") for p in message.walk() if not p.is_multipart()]


@pytest.mark.parametrize("seed", range(150))
def test_random_mail_is_what_it_was_but_for_what_was_asked(seal, seed):
    r = random.Random(seed)
    mail = random_mail(r)
    before = read(mail)
    answer = seal.ask(mail, remove(BOB) + insert(r.choice(["top", "end"]), r.choice([EN, JA])))
    assert answer.word == "done", answer.text
    after = read(answer.content)
    assert addresses(after) == [a for a in addresses(before) if a.lower() != BOB]
    assert answer.removed == sum(a.lower() == BOB for a in addresses(before))
    assert answer.inserted in ("yes", "wrapped")
    was, now = leaves(before), leaves(after)
    assert len(now) == len(was) + (answer.inserted == "wrapped")
    changed = [(a, b) for a, b in zip(was, now) if a != b]
    assert len(changed) <= 2 if answer.inserted == "yes" else not changed
    assert all(a[0] == b[0] and a[0].startswith("text/") for a, b in changed)
    again = seal.ask(mail, remove(BOB))
    assert leaves(read(again.content)) == was
    assert again.content.split(b"\r\n\r\n", 1)[1] == mail.split(b"\r\n\r\n", 1)[1]


# ---- limits, and what is no request ------------------------------------------------------------


def test_n12_hundred_megabytes_in_constant_memory(seal):
    path = seal.root / "large"
    for encoding in ("base64", "8bit"):
        line = base64.b64encode(b"x" * 57) + b"\r\n" if encoding == "base64" else b"y" * 76 + b"\r\n"
        with open(path, "wb") as f:
            f.write(crlf(HEAD) + f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode())
            for _ in range(100 * 1024 * 1024 // len(line) // 1000):
                f.write(line * 1000)
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        answer = seal.ask(path, insert("end", JA) + remove(BOB))
        assert answer.inserted == "yes", answer.text  # RLIMIT_DATA is 64 MB: it would have died of more
        with open(seal.root / "out", "rb") as f:
            f.seek(-400, os.SEEK_END)
            tail = f.read()
        assert JA.split("\n")[0].encode() in (base64.b64decode(tail.split(b"\r\n", 1)[1]) if encoding == "base64" else tail)
        assert children >= 0


@pytest.mark.parametrize("lines", ["", "remove\n", "remove a=b\n", "insert middle x\n", "remove bob", "what\n",
                                   "insert top +FF\n", "insert top +00\n", "insert top " + "x" * 300000 + "\n"])
def test_what_is_no_order_is_told(seal, lines):
    assert seal.ask(b"To: x\r\n\r\n", lines).text == "later request"


def test_content_that_could_be_written_is_not_taken(seal):
    with tempfile.TemporaryFile(dir=seal.root) as f, seal.connect() as s:
        f.write(b"To: x\r\n\r\n")
        f.flush()
        s.send(b"T" + remove(BOB).encode())
        fds = array.array("i", [f.fileno(), f.fileno()])
        s.sendmsg([b"S0 9"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        assert s.recv(1000) == b"Elater request"


def test_process_of_a_request_is_confined(seal):
    with seal.connect() as s:
        s.send(b"T" + remove(BOB).encode())
        kids, until = "", time.monotonic() + 30
        while not kids and time.monotonic() < until:
            kids = Path(f"/proc/{seal.process.pid}/task/{seal.process.pid}/children").read_text().split()
            kids = kids and kids[-1]
        status, until = "", time.monotonic() + 30
        while "Seccomp:\t2" not in status and time.monotonic() < until:
            status = Path(f"/proc/{kids}/status").read_text()
        assert "Seccomp:\t2" in status and "NoNewPrivs:\t1" in status


def test_full_disk_is_told_and_size_is_a_bound(tmp_path):
    service = Service(message_size="64KB")
    try:
        mail = crlf(HEAD) + part("x" * 70 + "\n", "utf-8", "base64", "html")
        assert service.ask(mail, insert("end", "x")).word == "done"
        large = crlf(HEAD) + b"Content-Type: text/html\r\n\r\n" + b"x\r\n" * 9000000
        assert service.ask(large, insert("end", "x")).text == "no size"
    finally:
        service.stop()
