"""seki-view, which is "seki-inspect --view": what people's pages show of a message (S3-07), made harmless whatever a
stranger wrote (W5), by a process that can do nothing else and whose end harms nobody (S1-22)."""
import array
import base64
import contextlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen import canvas

import conftest
from conftest import REPO, wait_for
from facts_kit import (
    BUILD, HEAD, PATIENCE, Desk, attached, children, limits_of, mail, multipart, only_reading, overlapping_bomb, pdf, program,
    scratch, sealed_zip, text, tree, word, wrapped, zipped, zipped_deep,
)

SYSTEM = ("-lssl -lcrypto -larchive -lexpat -lgumbo -lutf8proc -lmecab -lmagic -lpcre2-8 -ljansson -lidn2 -lz").split()
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00" \
      b"\x01\x00\x00\x02\x02D\x01\x00;"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


# ---- whoever asks ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def probe() -> Iterator[Path]:
    """lib/view as people's pages use it, as a program."""
    folder = Path(tempfile.mkdtemp(prefix="sekisho-view-", dir="/var/tmp"))
    archives = sorted(tree().glob("lib*.a"))
    done = subprocess.run(
        ["gcc", "-std=c17", "-D_GNU_SOURCE", "-I.", "-O1", "-Wall", "-pthread", "-o", folder / "probe",
         REPO / "tests/e2e/view_probe.c", *os.environ.get("SEKI_FACTS_LINK", "").split(), "-Wl,--gc-sections",
         "-Wl,--start-group", *archives, "-Wl,--end-group", "-Wl,--as-needed", *SYSTEM],
        cwd=REPO, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    yield folder / "probe"
    shutil.rmtree(folder)


class Seen:
    """What came of one question."""

    def __init__(self, done: subprocess.CompletedProcess) -> None:
        assert done.returncode == 0, done
        self.raw = done.stdout
        self.status, self.error = done.stderr.decode().split()


class View:
    """The service in a directory of its own."""

    def __init__(self, probe: Path, words: tuple[str, ...] = ("seki-view",), **settings: object) -> None:
        self.probe, self.words = probe, words
        self.desk = Desk()
        self.desk.settings(**settings)
        self.socket = self.desk.root / "run/view/socket"
        self.socket.parent.mkdir(parents=True)
        (self.desk.root / "run/taken").mkdir()
        (self.desk.root / "run/taken/seki-view").touch()

    def __enter__(self) -> "View":
        with open(self.desk.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [str(program(self.words[0])), *self.words[1:]], cwd=self.desk.root, stdin=subprocess.DEVNULL,
                env={"PATH": "/usr/bin:/bin"}, stdout=log, stderr=log)
        wait_for(lambda: self.socket.exists() or self.process.poll() is not None, why="its socket")
        assert self.process.poll() is None, self.log()
        return self

    def __exit__(self, *_: object) -> None:
        for pid in [*children(self.process.pid), self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        subprocess.run(["rm", "-rf", str(self.desk.folder)], check=False)

    def log(self) -> str:
        return (self.desk.folder / "log").read_text()

    def ask(self, verb: str, message: bytes, *part: str, offset: int = 0, around: bytes = b"", patience: float = 30) -> Seen:
        path = self.desk.write(around + message + around)
        return Seen(subprocess.run(
            [self.probe, self.socket, str(int(patience * 1000)), verb, path, str(len(around) + offset), str(len(message)),
             *part], capture_output=True, timeout=PATIENCE + patience))

    def outline(self, message: bytes, status: str = "done", **more: object) -> dict:
        seen = self.ask("outline", message, **more)
        assert (seen.status, seen.error) == (status, "-"), self.log()
        return json.loads(seen.raw)

    def html(self, message: bytes, status: str = "done", **more: object) -> str:
        seen = self.ask("html", message, **more)
        assert (seen.status, seen.error) == (status, "-"), self.log()
        shown = seen.raw.decode()
        Harmless(shown)
        return shown

    def file(self, message: bytes, part: str) -> bytes:
        seen = self.ask("file", message, part)
        assert (seen.status, seen.error) == ("done", "-"), self.log()
        return seen.raw

    def connect(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        made.settimeout(PATIENCE)
        made.connect(str(self.socket))
        return made


@pytest.fixture(scope="module")
def view(probe: Path) -> Iterator[View]:
    with View(probe) as made:
        yield made


class Harmless(HTMLParser):
    """A second parser, which knows nothing of the first, finds nothing that acts, loads or leaves."""

    TAGS = set("""meta style p br div span h1 h2 h3 h4 h5 h6 ul ol li dl dt dd table caption colgroup col thead tbody tfoot
                  tr td th b i u s strong em sub sup small big blockquote pre code hr font center img ruby rt rp""".split())
    ATTRIBUTES = set("""dir align valign colspan rowspan width height border cellpadding cellspacing bgcolor color size
                        start style class title alt src charset""".split())

    def __init__(self, document: str) -> None:
        super().__init__()
        self.text: list[str] = []
        assert document.startswith("<!doctype html><meta charset=utf-8><style>")
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.TAGS, tag
        for name, value in attrs:
            assert name in self.ATTRIBUTES, (tag, name)
            if name == "src":
                assert tag == "img" and re.fullmatch(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+=*", value or "")
            if name == "style":
                assert re.fullmatch(r"[a-z0-9#%.,(): ;-]+", value or "") and "url" not in (value or ""), value

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def words_of(document: str) -> str:
    return " ".join("".join(Harmless(document).text[1:]).split())


def shown_html(html: str, *more: str, charset: str = "utf-8") -> bytes:
    """An HTML mail; with further parts multipart/related, as Outlook makes it."""
    part = f"Content-Type: text/html; charset={charset}\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped(
        html.encode(charset))
    return mail(multipart(part, *more, kind="related") if more else part)


def image(content: bytes, cid: str, kind: str = "image/png", name: str = "image001.png") -> str:
    return (f'Content-Type: {kind}; name="{name}"\r\nContent-ID: <{cid}>\r\nContent-Transfer-Encoding: base64\r\n\r\n'
            + wrapped(content))


# ---- the outline: the header and the text ------------------------------------------------------


def test_s3_07_the_outline_of_an_ordinary_mail(view):
    told = view.outline(mail(text("おはようございます。\r\n\tよろしく"), subject="見積書"))
    assert told == {"subject": "見積書", "from": "alice@example.co.jp", "to": "bob@partner.example", "cc": "", "date": "",
                    "text": "おはようございます。\n\tよろしく\n", "text-cut": False, "html": False, "files": []}


def test_s3_07_iso_2022_jp_and_its_half_width_letters(view):
    body = "こんにちは。①㈱\r\n".encode("iso2022_jp_ext", "ignore") + b"\x1b(I1\x1b(B\r\n"
    raw = (HEAD + "Subject: =?ISO-2022-JP?B?" + base64.b64encode("見積".encode("iso-2022-jp")).decode()
           + "?=\r\nCc: =?Shift_JIS?B?" + base64.b64encode("田中".encode("cp932")).decode() + "?= <c@example.co.jp>\r\n"
           "Date: Mon, 1 Dec 2025 09:00:00 +0900\r\nContent-Type: text/plain; charset=ISO-2022-JP\r\n\r\n").encode() + body
    told = view.outline(raw)
    assert told["subject"] == "見積" and told["cc"] == "田中 <c@example.co.jp>" and "ｱ" in told["text"]
    assert told["text"].startswith("こんにちは。") and told["date"] == "Mon, 1 Dec 2025 09:00:00 +0900"


@pytest.mark.parametrize(("charset", "label"), [
    ("cp932", "Shift_JIS"), ("cp932", "utf-8"), ("utf-8", "iso-2022-jp"), ("euc_jp", "euc-jp"), ("utf-8", ""), ("cp932", ""),
    ("utf-8", "no-such-thing"), ("utf-16", "utf-16")])
def test_s3_07_a_text_in_whatever_it_claims_to_be(view, charset, label):
    raw = (HEAD + "Content-Type: text/plain" + (f"; charset={label}" if label else "")
           + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped("御見積書をお送りします。ご確認ください。".encode(charset)))
    assert view.outline(raw.encode())["text"].strip() == "御見積書をお送りします。ご確認ください。"


def alternative(plain: str, html: str) -> str:
    return multipart(text(plain), text(html, "text/html"), kind="alternative", boundary="alt")


def test_s3_07_plain_text_comes_first_and_html_where_it_says_nothing(view):
    both = view.outline(mail(alternative("plain", "<p>html</p>")))
    assert both["text"].strip() == "plain" and both["html"] is True
    assert view.outline(mail(alternative(" \r\n", "<p>html</p>")))["text"].strip() == "html"
    assert view.outline(mail(text("<p>a<b>b</b><br>c<script>d</script>", "text/html")))["text"].strip() == "ab\nc"
    # What a reader sees: parts in their order, and what HTML hides not at all.
    mixed = mail(text("one"), text("<p>two<span style='display:none'>hidden</span>", "text/html"), text("three"))
    assert view.outline(mixed)["text"].split() == ["one", "two", "three"]


def test_s3_07_an_invitation_and_a_message_without_text(view):
    calendar = text("BEGIN:VCALENDAR\r\nSUMMARY:会議\r\nEND:VCALENDAR", "text/calendar")
    assert "会議" in view.outline(mail(calendar))["text"]
    assert view.outline(mail(attached(b"x" * 10, "a.bin")))["text"] == ""
    assert view.outline(b"")["subject"] == ""


def test_W5_letters_that_deceive_are_not_shown(view):
    raw = mail(text("a\u202eb\u2066c\u200bd\x1b[31me\x07f\x00g\u00adh\u2028i\U000e0041j"), subject="x\u202egpj.exe\u200b\x1b]0;y")
    told = view.outline(raw)
    assert told["text"].strip() == "abcd[31mefgh\nij" and told["subject"] == "xgpj.exe]0;y"


def test_s3_07_several_fields_and_long_ones(view):
    many = "To: " + ",\r\n ".join(f"person{n}@partner.example" for n in range(2000)) + "\r\n"
    told = view.outline(mail(text("x"), head=HEAD + many), status="cut")
    assert told["to"].startswith("bob@partner.example, person0@partner.example") and len(told["to"]) <= 8192
    twice = view.outline(mail(text("x"), head=HEAD + "Subject: first\r\n", subject="second"))
    assert twice["subject"] == "first / second"


def test_s3_07_parts_that_take_long_are_not_all_shown(probe):
    """W5: each part of HTML may take a second; all of them together take no more than a message may."""
    slow = mail(*([text("<div>" * 3000 + "seen" + "</p>" * 60000, "text/html")] * 30))
    with View(probe, inspect_cpu="4s") as one:
        told = one.outline(slow)
        assert told["text-cut"] is True and 0 < told["text"].count("seen") < 30
        assert 0 < one.html(slow, status="cut").count("seen") < 30


def test_s3_07_a_long_text_is_cut(view):
    told = view.outline(mail(text("あ" * 200_000)))
    assert told["text-cut"] is True and 255_000 < len(told["text"].encode()) <= 262_144
    assert set(told["text"]) == {"あ"}
    assert view.outline(mail(text("<p>" + "い" * 200_000, "text/html")))["text-cut"] is True
    assert view.outline(mail(text("x" * 200_000)))["text-cut"] is False


def test_s3_07_a_part_of_a_file_is_the_message(view):
    """The content of a leg, and neither its head nor its trailer."""
    assert view.outline(mail(text("inside")), around=b"Subject: outside\r\n\r\n" * 5)["text"].strip() == "inside"


# ---- the outline: the files --------------------------------------------------------------------


def one_file(told: dict) -> dict:
    assert len(told["files"]) == 1, told
    return told["files"][0]


def test_s3_07_a_file_by_its_name_its_type_and_its_size(view):
    content = pdf()
    file = one_file(view.outline(mail(text("x"), attached(content, "見積書.pdf", "application/pdf"))))
    assert file == {"part": "2", "name": "見積書.pdf", "type": "application/pdf", "kind": "application/pdf",
                    "size": len(content), "inline": False, "warnings": []}


def docx(macros: bool = False) -> bytes:
    kind = "application/vnd.ms-word.document.macroEnabled.main+xml" if macros else f"{DOCX}.main+xml"
    types = ('<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
             f'<Override PartName="/word/document.xml" ContentType="{kind}"/></Types>')
    return zipped({"[Content_Types].xml": types.encode(), "word/document.xml": b"<w:document/>", "_rels/.rels": b"<x/>"})


@pytest.mark.parametrize(("content", "name", "kind", "warnings"), [
    (docx(), "報告.pdf", "application/pdf", {"type"}),
    (docx(), "報告.docx", DOCX, set()),
    (docx(macros=True), "報告.docm", "application/vnd.ms-word.document.macroEnabled.12", {"macros"}),
    (b"MZ" + bytes(200), "setup.exe", "application/octet-stream", {"program"}),
    (b"MZ" + bytes(200), "写真.jpg", "image/jpeg", {"program", "type"}),
    (b"echo x\r\n", "run.bat", "application/octet-stream", {"program"}),
    (b"MZ" + bytes(200), "請求書.pdf.exe", "application/pdf", {"program", "double"}),
    (b"MZ" + bytes(200), "invoice\u202efdp.exe", "application/octet-stream", {"program", "name"}),
    (sealed_zip(), "a.zip", "application/zip", {"encrypted"}),
    (zipped({"a.txt": b"x"}), "a.zip", "application/zip", set()),
    (zipped_deep(2), "a.zip", "application/zip", {"nested"}),
    (zipped({"a/b/run.js": b"x"}), "a.zip", "application/zip", {"program"}),
    (b"plain text\r\n", "a.txt", "text/plain", set()),
], ids=lambda v: v if isinstance(v, str) else "")
def test_W5_what_to_be_careful_of(view, content, name, kind, warnings):
    file = one_file(view.outline(mail(text("x"), attached(content, name, kind))))
    assert set(file["warnings"]) == warnings and file["size"] == len(content)
    assert file["name"] == name.replace("\u202e", "")


def test_W5_a_pdf_with_a_password(view):
    """Nobody converts it here, and nobody waits for that."""
    out = io.BytesIO()
    page = canvas.Canvas(out, encrypt=StandardEncryption("secret", canPrint=0))
    page.drawString(72, 720, "x")
    page.save()
    file = one_file(view.outline(mail(text("x"), attached(out.getvalue(), "a.pdf", "application/pdf")), patience=10))
    assert file["warnings"] == ["encrypted"]


def test_W5_macros_of_an_old_document(view):
    """A compound file with the storage in which Word keeps macros (MS-OVBA 2.2.1)."""
    def entry(name: str, kind: int, child: int = -1) -> bytes:
        raw = (name + "\0").encode("utf-16-le")
        return (raw.ljust(64, b"\0") + len(raw).to_bytes(2, "little") + bytes((kind, 1)) + b"\xff" * 8
                + (child & 0xffffffff).to_bytes(4, "little") + bytes(36) + (0xfffffffe).to_bytes(4, "little") + bytes(8))
    head = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + b"\x3e\0\x03\0\xfe\xff\x09\0\x06\0" + bytes(6)
            + bytes(4) + (1).to_bytes(4, "little") + (1).to_bytes(4, "little") + bytes(4) + (4096).to_bytes(4, "little")
            + b"\xfe\xff\xff\xff" + bytes(4) + b"\xfe\xff\xff\xff" + bytes(4) + bytes(4) + b"\xff" * (4 * 108))
    fat = b"\xfd\xff\xff\xff\xfe\xff\xff\xff" + b"\xff" * (512 - 8)
    directory = entry("Root Entry", 5, 1) + entry("Macros", 1, 2) + entry("VBA", 1) + bytes(128)
    file = one_file(view.outline(mail(text("x"), attached(head + fat + directory, "古い.doc", "application/msword"))))
    assert "macros" in file["warnings"]


@pytest.mark.parametrize("field", [
    'Content-Disposition: attachment; filename="\u898b\u7a4d.pdf"'.encode("cp932"),
    b"Content-Disposition: attachment; filename==?ISO-2022-JP?B?" + base64.b64encode("見積".encode("iso-2022-jp")) + b"?=.pdf",
    b"Content-Disposition: attachment; filename*=utf-8''%E8%A6%8B%E7%A9%8D.pdf",
    b"Content-Disposition: attachment; filename*0*=cp932''%8C%A9; filename*1*=%90%CF.pdf",
    b'Content-Disposition: attachment; filename="=?Shift_JIS?B?' + base64.b64encode("見積.pdf".encode("cp932")) + b'?="',
], ids=["raw-cp932", "word", "2231", "2231-pieces", "quoted-word"])
def test_s3_07_names_as_japanese_programs_write_them(view, field):
    raw = (HEAD + "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n"
           "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n").encode() + field + b"\r\n\r\n" + \
        wrapped(pdf()).encode() + b"\r\n--b--\r\n"
    assert one_file(view.outline(raw))["name"] == "見積.pdf"


def test_s3_07_messages_within_messages(view):
    inner = mail(text("deep"), attached(b"MZ" + bytes(100), "deep.exe"), subject="奥の/件名").decode()
    told = view.outline(mail(text("x"), "Content-Type: message/rfc822\r\n\r\n" + inner))
    named = {file["part"]: (file["name"], file["kind"]) for file in told["files"]}
    assert named["2"] == ("奥の_件名.eml", "message/rfc822") and named["2.2"][0] == "deep.exe" and told["text"].strip() == "x"
    whole = view.file(mail(text("x"), "Content-Type: message/rfc822\r\n\r\n" + inner), "2")
    assert whole.decode().rstrip() == inner.rstrip()
    assert view.file(mail(text("x"), "Content-Type: message/rfc822\r\n\r\n" + inner), "2.2") == b"MZ" + bytes(100)


def test_s3_07_winmail(view):
    sample = sorted((REPO / "tests").rglob("*.tnef")) + sorted((REPO / "tests").rglob("winmail*.dat"))
    content = sample[0].read_bytes() if sample else b"\x78\x9f\x3e\x22\x01\x00\x01" + bytes(40)
    file = one_file(view.outline(mail(text("x"), attached(content, "winmail.dat", "application/ms-tnef"))))
    assert file["kind"] == "application/vnd.ms-tnef" and file["name"] == "winmail.dat"


def test_W5_text_that_is_a_file_is_told_as_one_and_shown(view):
    """Whatever its type says: one program shows it, another one saves it."""
    raw = mail(text("x"), "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped(pdf()))
    told = view.outline(raw)
    assert one_file(told)["kind"] == "application/pdf" and "%PDF" in told["text"]
    raw = mail(text("GIF89a<html><p>shown</p>", "text/html"))
    told = view.outline(raw)
    assert told["text"].split() == ["GIF89a", "shown"] and words_of(view.html(raw)) == "GIF89ashown"


def test_s3_07_more_files_than_are_told(view):
    told = view.outline(mail(*(attached(b"x", f"{'長い名前' * 20}{n}.txt") for n in range(900))), status="cut")
    assert len(told["files"]) == 400 and told["files"][0]["name"].endswith("0.txt")


def test_W5_a_bomb_does_not_keep_the_outline(view):
    told = view.outline(mail(text("x"), attached(overlapping_bomb(), "bomb.zip", "application/zip"),
                             attached(zipped({"a": bytes(300_000_000)}, 9), "big.zip", "application/zip")))
    assert [file["name"] for file in told["files"]] == ["bomb.zip", "big.zip"]


# ---- one part ----------------------------------------------------------------------------------


def test_s3_07_the_bytes_of_a_part(view):
    content = bytes(range(256)) * 5000
    raw = mail(text("body"), attached(content, "a.bin"), text("<p>x", "text/html"))
    assert view.file(raw, "2") == content and view.file(raw, "1").strip() == b"body"
    assert view.file(mail(text("x"), attached(b"", "empty.txt")), "2") == b""
    for part in ("9", "0", "2.1", "", "../../etc/passwd", "1 2", "x" * 300):
        assert view.ask("file", raw, part).status == "none", part


# ---- HTML --------------------------------------------------------------------------------------

OUTLOOK = """<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office">
<head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"><meta name="Generator" content="Word 15">
<!--[if !mso]><style>v\\:* {behavior:url(#default#VML);}</style><![endif]--><style><!--
p.MsoNormal {margin:0mm; font-size:10.5pt; font-family:"Yu Gothic";} @page WordSection1 {size:612.0pt 792.0pt;}
--></style></head><body lang="JA" link="#0563C1" vlink="#954F72" style='word-wrap:break-word'>
<div class="WordSection1"><p class="MsoNormal"><span style='font-family:"MS PGothic";color:#1F497D'>お世話になっております。<o:p></o:p>
</span></p><p class=MsoNormal><b><span lang=EN-US style='font-size:12.0pt'>Quote</span></b></p>
<table class=MsoTableGrid border=1 cellspacing=0 cellpadding=0 style='border-collapse:collapse'><tr><td width=200 valign=top
style='width:150.0pt;border:solid windowtext 1.0pt;background:#FFF2CC'><p class=MsoNormal>合計</p></td><td>1,000円</td></tr></table>
<p><a href="https://www.example.com/offer?id=1&amp;x=2">こちら</a> <img width=10 height=10 id="x" src="cid:image001.png@01DA"
alt="ロゴ"><!--[if gte vml 1]><v:shape><v:imagedata src="http://x.example/"/></v:shape><![endif]--></p>
<img src="http://tracker.example/open.gif?u=1" width=1 height=1></div></body></html>"""


def test_s3_07_outlooks_html_with_its_image(view):
    raw = shown_html(OUTLOOK, image(PNG, "image001.png@01DA"))
    shown = view.html(raw)
    assert words_of(shown) == "お世話になっております。 Quote 合計1,000円 こちら [www.example.com] [image]"
    assert "data:image/png;base64," + base64.b64encode(PNG).decode() in shown and 'alt="ロゴ"' in shown
    for kept in ('style="color:#1f497d"', 'style="font-size:12.0pt"', 'style="background-color:#fff2cc"', 'border="1"'):
        assert kept in shown
    for gone in ("tracker.example", "http", "cid:", "MsoNormal", "x.example", "behavior", "href"):
        assert gone not in shown.replace("https://", "http" if gone != "http" else ""), gone
    told = view.outline(raw)
    assert told["html"] is True and one_file(told)["inline"] is True


def test_s3_07_which_images_are_shown(view):
    page = "".join(f"<img src='cid:{n}' alt={n}>" for n in ("gif", "svg", "lie", "big", "gone", "gi%66"))
    shown = view.html(shown_html(
        page, image(GIF, "gif", "image/gif"), image(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "svg", "image/svg+xml"),
        image(b"<script>alert(1)</script>", "lie"), image(PNG + bytes(300_000), "big")))
    assert shown.count("data:image/gif;base64,") == 2 and shown.count("<img") == 2
    assert words_of(shown) == "[image: svg][image: lie][image: big][image: gone]"


def test_s3_07_images_of_a_message_within_are_not_of_this_one(view):
    inner = shown_html("<img src=cid:a>", image(PNG, "a")).decode()
    raw = mail(text("<img src=cid:a>", "text/html"), "Content-Type: message/rfc822\r\n\r\n" + inner)
    assert "<img" not in view.html(raw)


def test_s3_07_all_images_together_have_a_bound(view):
    big = image(PNG + bytes(200_000), "a")
    seen = view.ask("html", shown_html("<img src=cid:a>" * 20, big))
    assert seen.status == "cut" and seen.raw.count(b"<img") == 10


@pytest.mark.parametrize(("charset", "label", "meta"), [
    ("utf-8", "utf-8", ""), ("cp932", "shift_jis", ""), ("cp932", "", "shift_jis"), ("utf-8-sig", "", ""), ("euc_jp", "", "euc-jp"),
    ("iso-2022-jp", "iso-2022-jp", ""), ("utf-8", "us-ascii", ""), ("utf-16", "", "")])
def test_s3_07_the_charset_of_html(view, charset, label, meta):
    html = (f"<meta charset={meta}>" if meta else "") + "<p>御見積書をお送りします</p>"
    raw = (HEAD + "Content-Type: text/html" + (f"; charset={label}" if label else "")
           + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped(html.encode(charset))).encode()
    assert words_of(view.html(raw)) == "御見積書をお送りします"


def test_s3_07_no_html_and_too_much_of_it(view):
    assert view.ask("html", mail(text("x"))).status == "none"
    large = mail(text("<p>" + "x" * 1_100_000, "text/html"))
    assert view.ask("html", large).status == "none"
    told = view.outline(large)
    assert told["html"] is False and told["text"].startswith("xxx")
    # As a file it is not what the mail shows.
    assert view.ask("html", mail(text("x"), attached(b"<p>x", "a.html", "text/html"))).status == "none"


def test_s3_07_several_html_parts_follow_each_other(view):
    assert words_of(view.html(mail(text("<b>1", "text/html"), attached(b"x", "a"), text("2</b>", "text/html")))) == "12"


def test_W5_deep_and_broken_html(view):
    deep = view.html(mail(text("<table><tr><td>" * 3000 + "deep", "text/html")), status="cut")
    assert words_of(deep) == "deep" and deep.count("<table>") < 200
    for broken in ("<", "<p", "<p style=", "<!--", "<![CDATA[", "&#x", "<p title='", "\x00<b>", "<a href=//", "</p></p>"):
        view.html(mail(text("a" + broken, "text/html")))


def test_W5_many_bombs_do_not_keep_it_either(probe):
    """All of them are told; which of them nobody looked into makes the answer one that is cut."""
    with View(probe, view_time="4s") as view:
        told = view.outline(endless(), status="cut")
        assert len(told["files"]) == 300 and told["files"][-1]["kind"] == "application/zip"


def test_W5_naughty_strings(view):
    """What people, and those who attack them, have written into fields, as subject, sender, text, HTML and name."""
    found = sorted((REPO / "tests").rglob("naughty*"))
    strings = [s for path in found if path.is_file() for s in path.read_text().splitlines() if s and not s.startswith("#")]
    strings += ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "${7*7}", "{{7*7}}", "%0d%0aX: y", "\u202etest",
                "Ṱ̺̺̕o͞ ̷i̲̬͇̪͙n̝̗͕v̟̜̘̦͟o̶̙̰̠kè͚̮̺̪̹̱̤", "👩‍👩‍👧‍👦 🏳️‍🌈", "田中さんにあげて下さい", "ﷺ", "../../../etc/passwd", "CON", "a" * 3000, "\ufeff", "\\u0000",
                "javascript:alert(1)", "<svg/onload=alert(1)>", "'; DROP TABLE users; --", "‪‪test‪", "　", "\t"]
    for start in range(0, len(strings), 100):
        some = strings[start:start + 100]
        told = view.ask("outline", mail(text("\r\n".join(some)), *(attached(b"x", s or "x") for s in some),
                                        subject=some[0], head=HEAD + f"Cc: {word(some[-1])} <x@example.co.jp>\r\n"))
        assert told.status == "done" and len(json.loads(told.raw)["files"]) == len(some)
    for s in strings:
        view.html(mail(text(f"<p title=\"{s}\">{s}</p><a href='{s}'>{s}</a><img alt='{s}' src='{s}'>", "text/html")))


# ---- what a process may do, and what its end does ----------------------------------------------


def order(made: socket.socket, lines: str, *fds: int) -> None:
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    made.sendmsg([lines.encode()], rights)


def answer(made: socket.socket) -> bytes:
    try:
        return made.recv(65536)
    except ConnectionResetError:
        return made.recv(65536)


def memory() -> int:
    return os.memfd_create("out")


@pytest.mark.parametrize("lines", [
    "", "V", "Voutline", "Voutline 0", "Voutline 0 x", "Voutline -1 5", "Voutline 0 5 1", "Vfile 0 5", "Vfile 0 5 ../x",
    "Vfile 0 5 " + "1" * 300, "Vnothing 0 5", "Xoutline 0 5", "Voutline 0 99999999999999999999", "Voutline 0 5 ", "Voutline 0 5\0",
    "V" + "x" * 1000])
def test_what_is_no_request(view, lines):
    fd = scratch(b"Subject: x\r\n\r\n")
    with view.connect() as made:
        order(made, lines, only_reading(fd), memory())
        assert answer(made) in (b"Efailed", b"")
    assert view.outline(mail(text("still here")))["text"].strip() == "still here"


def test_a_message_that_could_be_changed_is_refused(view):
    fd = scratch(mail(text("x")))
    for fds in ((fd, memory()), (only_reading(fd),), (only_reading(fd), socket.socket().fileno()), ()):
        with view.connect() as made:
            order(made, "Voutline 0 10", *[f for f in fds if f >= 0])
            assert answer(made) == b"Efailed"
    assert "event=ask-refused" in view.log()


def endless() -> bytes:
    """A message that takes many seconds: each archive is unpacked up to a limit of its own."""
    bomb = wrapped(zipped({"a": bytes(60_000_000)}, 9))
    part = f"Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n{bomb}"
    return mail(*[part] * 300)


def filters(pid: int) -> int:
    return int(re.search(r"^Seccomp_filters:\s+(\d+)$", Path(f"/proc/{pid}/status").read_text(), flags=re.M).group(1))


def busy(view: View) -> int:
    """The process of the one question that is being answered."""
    found = wait_for(lambda: children(view.process.pid), why="a process")
    assert len(found) == 1
    return found[0]


def test_S1_22_a_process_that_crashes_harms_nobody(probe):
    with View(probe) as view:
        for how in (signal.SIGSEGV, signal.SIGKILL):
            with view.connect() as made:
                os.kill(busy(view), how)
                assert answer(made) == b""
            wait_for(lambda how=how: f"event=session-killed alarm=yes signal={int(how)}\n" in view.log(), why="an alarm")
        # Whoever asked is told that it failed.
        got: list[Seen] = []
        asking = threading.Thread(target=lambda: got.append(view.ask("outline", endless())))
        asking.start()
        os.kill(busy(view), signal.SIGSEGV)
        asking.join(PATIENCE)
        assert (got[0].status, got[0].error, got[0].raw) == ("failed", "EPIPE", b"")
        assert view.outline(mail(text("still here")))["text"].strip() == "still here"


def test_S1_22_time_ends_it_and_the_service_lives(probe):
    with View(probe, view_time="2s") as view:
        got: list[Seen] = []
        asking = threading.Thread(target=lambda: got.append(view.ask("outline", endless())))
        asking.start()
        pid = busy(view)
        # Its second filter is what comes behind its timers.
        wait_for(lambda: filters(pid) >= filters(view.process.pid) + 2, why="its confinement")
        os.kill(pid, signal.SIGSTOP)
        time.sleep(2.2)  # what passes is what is tested
        os.kill(pid, signal.SIGCONT)
        asking.join(PATIENCE)
        assert (got[0].status, got[0].error) == ("failed", "EPIPE")
        wait_for(lambda: re.search(r"event=session-killed alarm=yes signal=(14|27)\n", view.log()), why="an alarm")
        assert view.outline(mail(text("still here")))["text"].strip() == "still here"


def test_S1_22_nobody_there_and_nobody_who_answers(view):
    gone = Seen(subprocess.run([view.probe, "/nowhere", "1000", "outline", "/dev/null", "0", "0"], capture_output=True,
                               timeout=PATIENCE))
    assert (gone.status, gone.error) == ("failed", "ENOENT")
    with silent() as path:
        late = Seen(subprocess.run([view.probe, path, "300", "html", "/dev/null", "0", "0"], capture_output=True,
                                   timeout=PATIENCE))
        assert (late.status, late.error) == ("failed", "ETIMEDOUT")


@contextlib.contextmanager
def standing_in(act: Callable[[socket.socket], None]) -> Iterator[str]:
    """A process of seki-view that somebody has taken over."""
    folder = tempfile.mkdtemp(prefix="sekisho-view-", dir="/var/tmp")
    path = f"{folder}/socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen()

        def serve() -> None:
            with contextlib.suppress(OSError):
                made, _ = listener.accept()
                with made:
                    act(made)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield path
        finally:
            thread.join(PATIENCE)
    shutil.rmtree(folder)


@contextlib.contextmanager
def silent() -> Iterator[str]:
    done = threading.Event()
    with standing_in(lambda made: done.wait(PATIENCE) and None) as path:
        yield path
        done.set()


def lying(view: View, verb: str, content: bytes, said: bytes = b"Edone", size: int = 1000) -> Seen:
    """What a client makes of this answer to a message of `size` bytes."""
    def act(made: socket.socket) -> None:
        _, fds, _, _ = socket.recv_fds(made, 65536, 4)
        with contextlib.suppress(OSError):
            os.pwrite(fds[1], content, 0)
        with contextlib.suppress(OSError):
            os.ftruncate(fds[1], len(content))
        made.send(said)
        for fd in fds:
            os.close(fd)
    message = view.desk.write(bytes(size))
    with standing_in(act) as path:
        part = ["1"] if verb == "file" else []
        return Seen(subprocess.run([view.probe, path, "10000", verb, message, "0", str(size), *part], capture_output=True,
                                   timeout=PATIENCE))


GOOD = {"subject": "", "from": "", "to": "", "cc": "", "date": "", "text": "", "text-cut": False, "html": False, "files": []}
FILE = {"part": "1", "name": "a", "type": "a/b", "kind": "a/b", "size": 5, "inline": False, "warnings": []}


def test_W6_an_outline_is_taken_in_its_form_alone(view):
    good = lying(view, "outline", json.dumps({**GOOD, "files": [FILE], "more": 1}).encode())
    assert good.status == "done" and json.loads(good.raw) == {**GOOD, "files": [FILE]}
    wrong = [
        b"", b"x", b"{}", b"[]", json.dumps(GOOD).encode() + b"x", json.dumps({**GOOD, "text": 1}).encode(),
        json.dumps({**GOOD, "subject": "a\nb"}).encode(), json.dumps({**GOOD, "text": "a\u202eb"}).encode(),
        json.dumps({**GOOD, "text": "\x00"}).encode(), json.dumps({**GOOD, "text": "a\x1b[1m"}).encode(),
        b'{"subject":"\xff"' + json.dumps(GOOD).encode()[1:], json.dumps({**GOOD, "html": "yes"}).encode(),
        json.dumps({**GOOD, "text": "x" * 300_000}).encode(), json.dumps({**GOOD, "subject": "x" * 9000}).encode(),
        json.dumps({**GOOD, "files": [FILE] * 401}).encode(), b"[" * 900_000,
        *(json.dumps({**GOOD, "files": [{**FILE, key: value}]}).encode() for key, value in (
            ("part", "../x"), ("part", ""), ("part", 1), ("size", -1), ("size", 1001), ("size", "1"), ("warnings", ["x"]),
            ("warnings", "type"), ("warnings", ["type"] * 9), ("name", None), ("inline", 1), ("kind", "\u200b")))]
    for content in wrong:
        seen = lying(view, "outline", content)
        assert (seen.status, seen.raw) == ("failed", b""), content[:80]
    for said in (b"Emaybe", b"Xdone", b"E", b"Edone " + b"x" * 100):
        assert lying(view, "outline", json.dumps(GOOD).encode(), said).status == "failed"


def test_W6_html_and_files_are_as_large_as_they_may_be(view):
    head = view.html(mail(text("x", "text/html")))
    head = head[:head.index("</style>") + 8].encode()
    assert lying(view, "html", head + b"<p>x").status == "done"
    for content in (b"", b"<p>x", head + b"\xff", head + b"\0", b"x" + head, head + b"\xe3\x81", head + "é".encode() * 40000 + b"\xe3"):
        assert lying(view, "html", content).status == "failed", content[-20:]
    assert lying(view, "html", head + "あ".encode() * 25000).status == "done"
    # It cannot be made larger than it was when it was handed over.
    assert len(lying(view, "file", b"y" * 2000).raw) <= 1000
    assert lying(view, "file", b"y" * 1000).raw == b"y" * 1000


def test_W6_what_is_still_mapped_is_not_taken(view):
    kept = []

    def act(made: socket.socket) -> None:
        import mmap
        _, fds, _, _ = socket.recv_fds(made, 65536, 4)
        kept.append(mmap.mmap(fds[1], 100))
        made.send(b"Edone")
    message = view.desk.write(bytes(1000))
    with standing_in(act) as path:
        seen = Seen(subprocess.run([view.probe, path, "10000", "file", message, "0", "1000", "1"], capture_output=True,
                                   timeout=PATIENCE))
    assert seen.status == "failed" and seen.error == "EBUSY"
    kept[0].close()


def test_S1_30_a_process_is_confined_before_it_reads(view):
    with view.connect():
        pid = busy(view)
        wait_for(lambda: "Seccomp:\t2" in Path(f"/proc/{pid}/status").read_text(), why="its confinement")
        status = Path(f"/proc/{pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status
        limits = limits_of(pid)
        assert limits["Max core file size"] == "0" and limits["Max data size"] == str(64 << 20)
        opened = sorted(os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir())
        assert len([o for o in opened if "socket" in o]) == 1
        assert all("deleted" in o or "socket" in o or o == "/dev/null" or o.endswith("/log") for o in opened), opened


def test_as_many_processes_as_may_be(probe):
    with View(probe, web_workers=2) as view:
        waiting = [view.connect() for _ in range(4)]
        wait_for(lambda: len(children(view.process.pid)) == 4, why="four processes")
        with view.connect() as fifth:
            assert answer(fifth) == b""
        assert "event=sessions-full" in view.log() and "alarm=yes" in view.log()
        for made in waiting:
            made.close()
        wait_for(lambda: not children(view.process.pid), why="their end")
        assert view.outline(mail(text("again")))["text"].strip() == "again"


def test_settings_are_taken_anew(probe):
    with View(probe, view_image="0B") as view:
        raw = shown_html("<img src=cid:a>", image(PNG, "a"))
        assert "<img" not in view.html(raw)
        view.desk.settings(view_image="100KB")
        view.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "event=reloaded" in view.log(), why="its answer")
        assert "<img" in view.html(raw)
        assert (view.desk.root / "run/taken/seki-view").read_text().startswith("taken ")
        view.desk.etc("settings", "view-image x\n")
        view.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "event=reload-refused" in view.log(), why="its refusal")
        assert "<img" in view.html(raw)


def test_it_is_seki_inspect_view(probe):
    with View(probe, ("seki-inspect", "--view")) as view:
        assert view.outline(mail(text("x")))["text"].strip() == "x"
        assert words_of(view.html(mail(text("<b>y", "text/html")))) == "y"
    for arguments in (["x"], ["--view", "x"]):
        done = subprocess.run([program("seki-view"), *arguments], capture_output=True, timeout=PATIENCE, check=False)
        assert done.returncode == 100


def test_s3_07_in_an_instance(probe):
    """Where it runs as a user of its own, and "seki reload" asks it."""
    if BUILD != "build":
        conftest._built.add(BUILD)
    gw = conftest.prepare()
    gw.build = BUILD
    try:
        gw.start()
        socket_of_it = gw.root / "run/view/socket"
        assert os.stat(socket_of_it.parent).st_mode & 0o777 == 0o710
        raw = shown_html(OUTLOOK, image(PNG, "image001.png@01DA"))
        path = gw.root / "mail"
        path.write_bytes(raw)
        for verb in ("outline", "html"):
            seen = Seen(subprocess.run([probe, socket_of_it, "20000", verb, path, "0", str(len(raw))], capture_output=True,
                                       timeout=PATIENCE))
            assert (seen.status, seen.error) == ("done", "-")
        taken = gw.seki("reload")
        assert re.search(r"^seki-view\s+taken", taken.stdout, flags=re.M), taken.stdout + taken.stderr
        assert (gw.root / "run/taken/seki-view").read_text().startswith("taken ")
    finally:
        gw.stop()


def test_many_at_once(view):
    raw = shown_html(OUTLOOK, image(PNG, "image001.png@01DA"))
    expected, got = view.html(raw), []
    threads = [threading.Thread(target=lambda: got.append(view.ask("html", raw).raw.decode())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert got == [expected] * 6
