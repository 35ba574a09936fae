"""What "seki facts" tells of messages that are not what they say: whatever a mail program would show or open
is looked into, or told as uninspectable (S1-13, S1-22, S1-27, S1-28, S1-30, S1-31, M1, M3, M4, M8, M9, M12,
traps C2, C7, C8)."""

import base64
import io
import json
import os
import pathlib
import struct
import subprocess
import zipfile
import zlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEKI = pathlib.Path(os.environ.get("SEKISHO_BUILD", ROOT / "build")).resolve() / "bin" / "seki"
CARD = "4111 1111 1111 1111"
FOUND = "4111111111111111"
HEAD = "From: a@example.jp\nTo: b@example.com\nMIME-Version: 1.0\n"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def b64(content):
    return base64.encodebytes(content if isinstance(content, bytes) else content.encode()).decode()


def zipped(name="list.csv", text=f"card\n{CARD}\n"):
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(name, text)
    return into.getvalue()


ZIP = b64(zipped())


def parts(kind, *all_parts):
    """A multipart of whole parts, each with its header."""
    body = "".join(f"--x\n{p}\n" for p in all_parts)
    return f"{HEAD}Subject: s\nContent-Type: multipart/{kind}; boundary=x\n\n{body}--x--\n"


def body(kind, content, fields=""):
    return f"{HEAD}Subject: s\nContent-Type: {kind}\n{fields}\n{content}\n"


def encoded(kind, content, fields=""):
    return body(kind, b64(content), f"Content-Transfer-Encoding: base64\n{fields}")


def run(tmp_path, message, *options):
    path = tmp_path / "message.eml"
    path.write_bytes(message if isinstance(message, bytes) else message.encode())
    return subprocess.run([SEKI, "facts", *options, path], capture_output=True, timeout=60)


@pytest.fixture
def facts(tmp_path):
    def ask(message, *options):
        done = run(tmp_path, message, "--json", "--unmask", *options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return ask


def reasons(told, part=None):
    return [u["reason"] for u in told.get("uninspectable", []) if part in (None, u["part"])]


def values(told, kind="card", place=None):
    return {v for d in told["detectors"] for v in d["values"] if d["kind"] == kind and place in (None, d["place"])}


def roles(told):
    return {p["path"]: p["role"] for p in told["parts"]}


TEXT = "Content-Type: text/plain\n\nhello\n"


# ---- charsets (M8) -----------------------------------------------------------------------------


@pytest.mark.parametrize("label, text", [
    ("ibm037", f"card {CARD}".encode("cp037")),
    ("hz-gb-2312", "中文".encode("hz") + CARD.encode()),
    ("x-nobody-knows", "山田太郎".encode("cp932")),
    ("utf-8", b"\xff\xfa\xf5 \xf8\xfc\xfd" * 20),
])
def test_unread_text_is_told(facts, label, text):
    assert "charset" in reasons(facts(encoded(f"text/plain; charset={label}", text)), "1")


@pytest.mark.parametrize("label, text", [
    ("x-nobody-knows", CARD.encode()),
    ("x-nobody-knows", "山田太郎".encode()),
    ("utf-8", "山田太郎です。お世話になっております。".encode() * 4 + b"\xff"),
    ("iso-2022-jp", "山田太郎".encode("iso-2022-jp")),
])
def test_read_text_is_not_told(facts, label, text):
    assert "charset" not in reasons(facts(encoded(f"text/plain; charset={label}", text)))


def test_unread_subject(facts):
    word = f"=?ibm037?B?{base64.b64encode('card 4111'.encode('cp037')).decode()}?="
    assert "charset" in reasons(facts(f"{HEAD}Subject: {word}\n\nhello\n"), "0")
    assert "charset" not in reasons(facts(f"{HEAD}Subject: =?x-nobody?Q?plain?=\n\nhello\n"))


def test_unread_names(facts):
    name = "ibm037''" + "".join(f"%{b:02X}" for b in "secret".encode("cp037"))
    told = facts(parts("mixed", TEXT, f"Content-Type: text/csv\nContent-Disposition: attachment; filename*={name}\n\nx\n"))
    assert "charset" in reasons(told, "2")


def test_unread_name_of_a_member(facts):
    raw = zipped("AAAAAAAA").replace(b"AAAAAAAA", b"\x81\x81\xfd\xfe\xff\xfd\xfe\xff")
    told = facts(parts("mixed", TEXT, f"Content-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\n{b64(raw)}"))
    assert any(u["reason"] == "charset" and "member" in u for u in told["uninspectable"])


def test_unread_file(facts):
    text = f"card {CARD}\n山田".encode("cp932")
    told = facts(parts("mixed", TEXT, "Content-Type: text/plain; charset=x-nobody-knows; name=a.txt\n"
                       f"Content-Transfer-Encoding: base64\n\n{b64(text)}"))
    assert "charset" in reasons(told, "2")


# ---- roles by the bytes (C7, C8) ---------------------------------------------------------------


def signed(*signatures):
    return parts('signed; protocol="application/pkcs7-signature"', TEXT, *signatures)


def signature(content, kind="application/pkcs7-signature"):
    return f"Content-Type: {kind}; name=a.p7s\nContent-Transfer-Encoding: base64\n\n{b64(content)}"


def test_signature_that_is_a_file(facts):
    told = facts(signed(signature(zipped())))
    assert roles(told)["2"] == "file" and told["message"]["files"] == 1
    assert FOUND in values(told, place="files") and told["members"]


def test_signature_that_is_no_second_part(facts):
    der = bytes.fromhex("3080 06092a864886f70d010702 a080 3080 020101 3100 300b06092a864886f70d010701") + bytes(40)
    told = facts(signed(signature(der)))
    assert roles(told)["2"] == "signature" and told["message"]["files"] == 0
    assert told["files"][0]["role"] == "signature" and told["files"][0]["counts"] is False
    assert roles(facts(signed(signature(der), signature(der))))["3"] == "file"
    alone = f"Content-Type: application/pgp-signature\n\n{CARD}\n"
    told = facts(parts("signed", alone))
    assert roles(told)["1"] == "file" and FOUND in values(told)


def test_signature_with_content(facts):
    """What it wraps is not opened: it is a file, and told."""
    der = bytes.fromhex("3080 06092a864886f70d010702 a080 3080 020101 3100 308006092a864886f70d010701 a080 2480 0404") + b"text" * 9
    told = facts(signed(signature(der)))
    assert roles(told)["2"] == "file" and "format" in reasons(told, "2")


def test_text_behind_armour(facts):
    armour = f"-----BEGIN PGP SIGNATURE-----\n\nabcd\n-----END PGP SIGNATURE-----\n{CARD}\n"
    told = facts(parts("signed", TEXT, f"Content-Type: application/pgp-signature\n\n{armour}"))
    assert roles(told)["2"] == "signature" and FOUND in values(told, place="files")


@pytest.mark.parametrize("content, role", [("Version: 1\n", "signature"), (f"Version: 1\n{CARD}\n", "file"),
                                           (zipped(), "file")])
def test_first_part_of_encrypted(facts, content, role):
    told = facts(parts("encrypted", f"Content-Type: application/pgp-encrypted\nContent-Transfer-Encoding: base64\n\n{b64(content)}",
                       "Content-Type: application/octet-stream\n\nx\n"))
    assert roles(told)["1"] == role
    assert (FOUND in values(told)) == (role == "file")


@pytest.mark.parametrize("kind", ["text/plain", "text/html", "text/calendar", "text/plain; charset=us-ascii"])
def test_body_that_is_a_file(facts, kind):
    told = facts(encoded(kind, zipped()))
    assert roles(told)["1"] == "file" and told["message"]["files"] == 1
    assert told["files"][0]["format"] == "zip" and FOUND in values(told, place="files")


def test_report_that_is_a_file(facts):
    told = facts(parts("report", TEXT, f"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n{ZIP}"))
    assert roles(told)["2"] == "file" and FOUND in values(told, place="files")


@pytest.mark.parametrize("message", [
    body("text/plain", "%PDF is a format; a file begins with %PDF-1.4\n"),
    encoded("text/plain; charset=utf-16", "山田太郎です".encode("utf-16")),
    encoded("text/plain; charset=utf-16le", "山田太郎".encode("utf-16-le")),
    body("text/plain", "GIF89a is a format\n"),
])
def test_body_that_is_text(facts, message):
    told = facts(message)
    assert roles(told)["1"] == "body" and told["message"]["files"] == 0 and not reasons(told)


def test_short_text_of_utf_16(facts):
    assert "山田" in values(facts(encoded("text/plain; charset=utf-16le", "山田様".encode("utf-16-le"))), "name")


@pytest.mark.parametrize("kind, text", [
    ("text/rtf", "{\\rtf1\\ansi 4111{\\b }1111{\\b }1111{\\b }1111}"),
    ("text/enriched", "<bold>41</bold><bold>11</bold>1111<i></i>11111111"),
    ("text/xml", "<p>4111<b></b>1111<i></i>11111111</p>"),
    ("text/x-amp-html", "<p>4111<b></b>1111<i></i>11111111</p>"),
    ("text/vcard", "BEGIN:VCARD\nNOTE:4111 1111 1\n 111 1111\nEND:VCARD"),
    ("text/markdown", CARD),
])
def test_other_text_is_read_by_its_format(facts, kind, text):
    told = facts(body(kind, text))
    assert roles(told)["1"] == "body" and FOUND in values(told, place="body")


def test_only_reports_are_reports(facts):
    told = facts(parts("report", TEXT, "Content-Type: message/delivery-status\n\nReporting-MTA: x\n",
                       f"Content-Type: application/octet-stream; name=secret.csv\n\n{CARD}\n"))
    assert roles(told)["2"] == "report" and roles(told)["3"] == "file" and told["message"]["files"] == 1
    assert roles(facts(parts("report", TEXT, "Content-Type: text/csv; name=a.csv\n\nx\n")))["2"] == "file"


def test_header_of_a_report_is_decoded(facts):
    word = f"=?utf-8?B?{base64.b64encode(CARD.encode()).decode()}?="
    told = facts(parts("report", TEXT, f"Content-Type: text/rfc822-headers\n\nSubject: {word}\n"))
    assert FOUND in values(told, place="files")


# ---- encodings and types that are read in two ways (M1, M3) ------------------------------------


@pytest.mark.parametrize("kind", ["application/zip; name=a.zip", "text/csv; name=a.csv"])
def test_two_encodings_of_a_file(facts, kind):
    told = facts(parts("mixed", TEXT, f"Content-Type: {kind}\nContent-Transfer-Encoding: 7bit\n"
                       f"Content-Transfer-Encoding: base64\n\n{ZIP}"))
    assert {f["format"] for f in told["files"]} == {"text", "zip"} and FOUND in values(told, place="files")


def test_two_types(facts):
    split = "<p>4111<b></b>1111<i></i>11111111</p>"
    for first, last in (("plain", "html"), ("html", "plain")):
        told = facts(f"{HEAD}Subject: s\nContent-Type: text/{first}\nContent-Type: text/{last}\n\n{split}\n")
        assert FOUND in values(told, place="body")
    hidden = f"{HEAD}Subject: s\nContent-Type: text/html\nContent-Type: text/plain\n\n<script>{CARD}</script>\n"
    assert FOUND in values(facts(hidden), place="body")


def test_html_file_without_a_name(facts):
    told = facts(parts("mixed", TEXT, "Content-Type: text/html\nContent-Disposition: attachment\n\nx 4111<b></b>1111<i></i>11111111\n"))
    assert FOUND in values(told, place="files")


@pytest.mark.parametrize("message", [
    body("text/plain", "hello", "Content-Transfer-Encoding: x-rot13\n"),
    parts("mixed", TEXT, "Content-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: x-rot13\n\nuryyb\n"),
])
def test_unknown_encoding(facts, message):
    told = facts(message)
    assert "encoding" in reasons(told) and "encoding" in [a["why"] for a in told["ambiguous"]]


# ---- headers (S1-27) ---------------------------------------------------------------------------


def test_header_of_a_message_within(facts):
    word = f"=?utf-8?B?{base64.b64encode(CARD.encode()).decode()}?="
    told = facts(parts("mixed", TEXT, f"Content-Type: message/rfc822\n\nFrom: c@example.net\nTo: d@example.org\n"
                       f"Subject: {word}\nMessage-ID: <id@example.edu>\n\nhello\n"))
    assert FOUND in values(told, place="files")
    assert values(told, "mail", "files") == {"c@example.net", "d@example.org"}


@pytest.mark.parametrize("field", ["Comments", "Keywords"])
def test_shown_fields(facts, field):
    assert FOUND in values(facts(f"{HEAD}Subject: s\n{field}: {CARD}\n\nhello\n"), place="body")


def test_description_of_a_part(facts):
    told = facts(parts("mixed", f"Content-Type: text/plain\nContent-Description: {CARD}\n\nhello\n"))
    assert FOUND in values(told, place="body")


@pytest.mark.parametrize("lines", [80, 200])
def test_long_subject(facts, lines):
    folded = "\n ".join(["a" * 900] * lines)
    told = facts(f"{HEAD}Subject: {folded}\n card {CARD}\n\nhello\n")
    assert FOUND in values(told, place="subject") and not reasons(told)


def test_subject_that_does_not_fit(facts):
    # Each byte becomes three: 90 KB of half-width kana, twice, are more than a header of 256 KB.
    kana = base64.b64encode("ｱ".encode("cp932") * 90000).decode()
    word = f"=?cp932?B?{kana}?="
    subject = f"{word}\nSubject: {word}"
    assert "header" in reasons(facts(f"{HEAD}Subject: {subject}\n\nhello\n"), "0")


def test_blanks_before_a_subject(facts):
    told = facts(f"{HEAD}Subject: =?utf-8?B?{base64.b64encode(b' ' * 3000 + b'Re: x').decode()}?=\n\nhello\n")
    assert told["subject"]["text"] == "Re: x" and told["message"]["reply"] is True


@pytest.mark.parametrize("field, automatic", [
    ("Auto-Submitted: no", False), ("Auto-Submitted: no (comment)", False), ("Auto-Submitted: notable", True),
    ("Precedence: list", True), ("Precedence: listen", False), ("List-Unsubscribe: <x>", True)])
def test_words_are_whole(facts, field, automatic):
    assert facts(f"{HEAD}Subject: s\n{field}\n\nhello\n")["message"]["automatic"] is automatic


def test_flags_of_a_field(facts):
    told = facts("From: a@example.jp\nTo: b@example.com; c@example.com\nCc: group: d@example.com\nSubject: s\n\nhello\n")
    flags = {(f["field"], f["address"], f["flag"]) for f in told["address-flags"]}
    assert ("cc", "", "unended") in flags and not any(f[0] == "cc" and f[1] for f in flags)


# ---- calendars ---------------------------------------------------------------------------------


def calendar(*lines):
    return body("text/calendar", "\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"]))


def test_calendar_is_unfolded(facts):
    told = facts(calendar("DESCRIPTION:card 4111 1111 11", " 11 1111"))
    assert FOUND in values(told, place="body") and roles(told)["1"] == "calendar"


def test_file_in_a_calendar(facts):
    line = "ATTACH;FMTTYPE=application/zip;ENCODING=BASE64;VALUE=BINARY:" + base64.b64encode(zipped()).decode()
    folded = [line[:60], *(" " + line[n:n + 60] for n in range(60, len(line), 60))]
    told = facts(calendar(*folded))
    assert FOUND in values(told, place="files") and told["message"]["files"] == 1 and told["members"]
    assert "format" in reasons(facts(calendar("ATTACH:data:application/zip;base64,AAAA")))


# ---- images that HTML shows (C7) ---------------------------------------------------------------


def picture(html, disposition="inline", kind="related"):
    return parts(kind, f"Content-Type: text/html\n\n{html}\n",
                 f"Content-Type: image/png; name=a.png\nContent-Disposition: {disposition}; filename=a.png\n"
                 f"Content-ID: <q1@x>\nContent-Transfer-Encoding: base64\n\n{b64(PNG)}")


@pytest.mark.parametrize("html", [
    "<img src='cid:q1@x'>", '<img alt=a src = "CID:q1%40x">', "<IMG SRC=cid:q1@x>", '<table background="cid:q1@x">',
    '<p style="background: url(cid:q1@x)">', "<style>p { background: url('cid:q1@x') }</style>",
    '<link rel=icon href="cid:q1@x">', "<!-- c --><img src=cid:q1@x>"])
def test_shown_image(facts, html):
    told = facts(picture(html))
    assert told["files"][0]["role"] == "inline" and roles(told)["2"] == "inline" and told["message"]["files"] == 0


@pytest.mark.parametrize("html", [
    "<p>cid:q1@x", "<!-- <img src=cid:q1@x> -->", "<p title='cid:q1@x'>", "<a href='cid:q1@x'>x</a>",
    "<script>x = '<img src=cid:q1@x>'</script>", "<title><img src=cid:q1@x></title>", "<p title=\"<img src='cid:q1@x'>\">",
    "<img src='http://x/cid:q1@x'>", "</img src=cid:q1@x>"])
def test_image_that_is_not_shown(facts, html):
    told = facts(picture(html))
    assert roles(told)["2"] == "file" and told["message"]["files"] == 1


def test_attached_image(facts):
    html = "<img src='cid:q1@x'>"
    assert roles(facts(picture(html, "attachment", "mixed")))["2"] == "file"
    assert roles(facts(picture(html, "attachment")))["2"] == "inline"
    assert roles(facts(picture(html, "inline", "mixed")))["2"] == "inline"


# ---- names (M12) -------------------------------------------------------------------------------


def test_all_of_a_name_is_looked_at(facts):
    name = f"{'x' * 400} {CARD} {'y' * 400}.txt"
    told = facts(parts("mixed", TEXT, f'Content-Type: text/plain; name="{name}"\n\nx\n'))
    assert FOUND in values(told, place="names")
    inside = base64.encodebytes(zipped(f"{CARD}/{'z' * 300}/a.txt", "x")).decode()
    told = facts(parts("mixed", TEXT, f"Content-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\n{inside}"))
    assert FOUND in values(told, place="names")


def test_names_beyond_their_bound(facts):
    told = facts(parts("mixed", TEXT, f'Content-Type: text/plain; name="{"x" * 5000}.txt"\n\nx\n'))
    assert "names-long" in reasons(told, "2")
    inside = b64(zipped("z" * 5000, "x"))
    told = facts(parts("mixed", TEXT, f"Content-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\n{inside}"))
    assert "names-long" in reasons(told, "2")


def test_marks_of_members_and_other_names(facts):
    told = facts(parts("mixed", TEXT, "Content-Type: application/zip; name=a.zip\nContent-Disposition: attachment; "
                       f"filename=b.pdf.exe\nContent-Transfer-Encoding: base64\n\n{b64(zipped('a/../b.txt', 'x'))}"))
    assert told["members"][0]["marks"] == "path"
    assert {(f["name"], f["marks"]) for f in told["file-names"]} == {("a.zip", "")}
    assert told["files"][0]["marks"] == "double"


def test_folders_in_archives_are_ordinary(facts):
    told = facts(attached(zipped("a/b.txt", "x"), "a.zip"))
    assert (told["members"][0]["name"], told["members"][0]["marks"]) == ("b.txt", "")


# ---- charsets: what half of a letter hides (S1-11, M8) ------------------------------------------


KANA = f"カード {CARD.translate(str.maketrans('0123456789 ', '０１２３４５６７８９-'))}"


def attached(content, name, kind="application/octet-stream"):
    return parts("mixed", TEXT, f"Content-Type: {kind}\nContent-Disposition: attachment; filename={name}\n"
                 f"Content-Transfer-Encoding: base64\n\n{b64(content)}")


def charset_doubts(told):
    return [a["part"] for a in told.get("ambiguous", []) if a["why"] == "charset"]


@pytest.mark.parametrize("charset", ["cp932", "euc-jp"])
def test_full_width_without_a_label(facts, charset):
    told = facts(encoded("text/plain", KANA.encode(charset)))
    assert FOUND in values(told) and not charset_doubts(told)
    told = facts(attached(KANA.encode(charset), "a.csv"))
    assert FOUND in values(told) and reasons(told) == []


@pytest.mark.parametrize("label", ["iso-8859-1", "windows-1252", "latin1"])
@pytest.mark.parametrize("charset", ["cp932", "euc-jp", "utf-8"])
def test_japanese_under_a_western_label(facts, charset, label):
    told = facts(encoded(f"text/plain; charset={label}", KANA.encode(charset)))
    assert FOUND in values(told) and charset_doubts(told) == ["1"]
    told = facts(attached(KANA.encode(charset), "a.csv", f"text/csv; charset={label}"))
    assert FOUND in values(told) and "ambiguous" in reasons(told, "2")


def test_western_text_is_no_doubt(facts):
    told = facts(encoded("text/plain; charset=iso-8859-1", "déjà été à Zürich, où".encode("latin-1")))
    assert not charset_doubts(told) and reasons(told) == []


@pytest.mark.parametrize("meta", ["<meta charset=shift_jis>", "<meta http-equiv=Content-Type "
                                  "content='text/html; charset=Shift_JIS'>"])
def test_what_html_says_of_itself(facts, meta):
    page = f"<html><head>{meta}</head><body>{KANA}</body></html>".encode("cp932")
    for message in (encoded("text/html", page), attached(page, "a.html")):
        told = facts(message)
        assert FOUND in values(told) and not charset_doubts(told) and reasons(told) == []
    told = facts(encoded("text/html; charset=iso-2022-kr", page))
    assert FOUND in values(told) and charset_doubts(told) == ["1"]
    told = facts(encoded("text/html; charset=utf-8", page.decode("cp932")))
    assert FOUND in values(told) and not charset_doubts(told)


def test_a_cut_letter_is_no_other_charset(facts):
    text = ("いつもお世話になっております。" * 3).encode()
    assert not charset_doubts(facts(encoded("text/plain; charset=utf-8", text[:-1])))
    assert charset_doubts(facts(encoded("text/plain; charset=utf-8", text[:-1] + b"a" + text[:-1]))) == ["1"]


# ---- no false alarms ----------------------------------------------------------------------------


@pytest.mark.parametrize("content", [
    pytest.param(b"\1\0\0\0" + bytes(36) + b" EMF" + bytes(60), id="emf"),
    pytest.param(b"VCLMTF\1\0" + bytes(60), id="svm"),
    pytest.param(b"8BPS\0\1" + bytes(60), id="psd"),
    pytest.param(bytes(522) + b"\0\x11\2\xff\x0c\0" + bytes(60), id="pict"),
    pytest.param(b"\0\1\0\0\0\x0c\0\x80\0\3\0\x40GSUB" + bytes(60), id="ttf"),
    pytest.param(b"OTTO\0\x0c\0\x80\0\3\0\x40GSUB" + bytes(60), id="otf"),
])
def test_pictures_and_fonts_hide_no_text(facts, content):
    told = facts(attached(content, "a.bin"))
    assert told["files"][0]["format"] == "image" and reasons(told) == []


def test_letters_that_begin_like_a_font_are_none(facts):
    told = facts(attached(b"\0\1\0\0\0\x0c\0\x80\0\3\0\x40\1\2\3\4" + bytes(60), "a.bin"))
    assert told["files"][0]["format"] == "other" and "format" in reasons(told, "2")


def stream_zip(start=None):
    """As Info-ZIP packs its standard input: records of ZIP64 that nothing needs."""
    text, name = b"text\n", b"-"
    crc, zip64 = zlib.crc32(text), struct.pack("<HHQQ", 1, 16, len(text), len(text))
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 45, 0, 0, 0, 0, crc, 0xffffffff, 0xffffffff, 1, 20) + name + zip64 + text
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 45, 45, 0, 0, 0, 0, crc, 5, 5, 1, 0, 0, 0, 0, 0, 0) + name
    end64 = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(entry), len(local) if start is None else start)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, len(local) + len(entry), 1)
    return local + entry + end64 + locator + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(entry), len(local), 0)


def test_a_zip_of_a_stream(facts):
    told = facts(attached(stream_zip(), "s.zip"))
    assert reasons(told) == [] and len(told["members"]) == 1
    assert "ambiguous" in reasons(facts(attached(stream_zip(start=3), "s.zip")), "2")


def test_a_name_in_ascii_beside_the_other(facts):
    name = "Content-Type: application/zip\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; "
    other = "filename=mitsumori.zip; filename*=utf-8''%E8%A6%8B.{}\n\n" + ZIP
    told = facts(parts("mixed", TEXT, name + other.format("zip")))
    assert not told.get("ambiguous") and [f["name"] for f in told["file-names"]] == ["mitsumori.zip"]
    told = facts(parts("mixed", TEXT, name + other.format("exe")))
    assert [a["why"] for a in told["ambiguous"]] == ["names"]


def test_the_same_type_twice(facts):
    twice = "Content-Type: text/plain; charset=utf-8\nContent-Type: text/{}; charset=utf-8\n\nx\n"
    assert not facts(parts("mixed", twice.format("plain"))).get("ambiguous")
    assert facts(parts("mixed", twice.format("html"))).get("ambiguous")


# ---- in HTML -----------------------------------------------------------------------------------


def test_armour_in_html(facts):
    told = facts(body("text/html", "<pre>-----BEGIN <b>PGP</b> MESSAGE-----\nabc\n</pre>"))
    assert "encrypted" in reasons(told, "1") and told["message"]["encrypted"] == "pgp"


def test_uuencode_in_html(facts):
    told = facts(body("text/html", "<pre>\nbegin 644 a.txt\n3-#$Q,2 Q,3$Q(#$Q,3$@,3$Q,0``\n`\nend\n</pre>"))
    assert told["message"]["files"] == 1 and told["files"][0]["name"] == "a.txt"


# ---- seki facts --view -------------------------------------------------------------------------


def test_view_of_a_part_that_is_not_there(tmp_path):
    message = parts("mixed", TEXT, "Content-Type: text/plain\n\n")
    done = run(tmp_path, message, "--view", "9")
    assert done.returncode == 1 and done.stdout == b"" and b"no part 9" in done.stderr
    assert run(tmp_path, message, "--view", "2").returncode == 0


def test_view_acts_on_no_terminal(tmp_path):
    done = run(tmp_path, body("text/plain", "one\ttwo\nthree \x1b[31m\u202efour \\"), "--view", "1")
    assert done.returncode == 0 and b"\x1b" not in done.stdout and "\u202e" not in done.stdout.decode()
    assert done.stdout.startswith(b"one\ttwo\nthree ") and b"\\x5c" in done.stdout
