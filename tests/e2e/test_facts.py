"""seki facts: every line of sekisho-facts(5), as somebody sees it who writes rules (S1-01b, S1-11, S1-13, S1-16, S1-27,
S3-03, S3-04, S4-02, S4-03; M2, M12)."""
import hashlib
import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import wait_for
from facts_kit import (
    HEAD, Desk, Facts, attached, children, desk, mail, pdf, program, program_of, text, with_file, word,
    zipped,
)

CARD, CARD_2 = "4111 1111 1111 1111", "5555-5555-5555-4444"
PHONE = "03-1234-5678"
FIELDS = ["from", "sender", "reply-to", "to", "cc", "bcc", "resent-from", "resent-sender", "resent-to", "resent-cc",
          "resent-bcc"]


# ---- the message -------------------------------------------------------------------------------


def test_plain_text(desk: Desk) -> None:
    raw = mail(text("Good morning.\r\n"), subject="hello")
    facts = desk.tell(raw)
    assert facts.one("message") == {
        "size": str(len(raw)), "signed": "no", "encrypted": "no", "automatic": "no", "reply": "no", "files": "0",
        "files-size": "0", "promises-file": "no"}
    assert facts.one("subject") == {"text": "hello"}
    assert facts.reasons() == set() and facts.all("ambiguous") == [] and facts.all("file") == []
    part = facts.one("part")
    assert (part["path"], part["role"], part["type"], part["encoding"]) == ("1", "body", "text/plain", "8bit")
    assert raw[int(part["body"]):int(part["end"])].startswith(b"Good morning.")
    assert raw[int(part["start"]):].startswith(b"From:")


@pytest.mark.parametrize("field", [
    "Auto-Submitted: auto-replied", "Precedence: bulk", "Precedence: list", "Precedence: junk", "List-Id: <a.example>"])
def test_mail_of_machines(desk: Desk, field: str) -> None:
    assert desk.tell(mail(text("x"), head=f"{HEAD}{field}\r\n")).one("message")["automatic"] == "yes"


def test_mail_of_people_is_not_automatic(desk: Desk) -> None:
    raw = mail(text("x"), head=f"{HEAD}Auto-Submitted: no\r\nPrecedence: first-class\r\n")
    assert desk.tell(raw).one("message")["automatic"] == "no"
    assert desk.tell(raw, "--from", "alice@example.co.jp").one("message")["automatic"] == "no"
    assert desk.tell(raw, "--from", "").one("message")["automatic"] == "yes"


@pytest.mark.parametrize("head, subject", [
    (f"{HEAD}In-Reply-To: <a@b>\r\n", "x"), (f"{HEAD}References: <a@b>\r\n", "x"), (HEAD, "Re: x"), (HEAD, "RE: 見積")])
def test_replies(desk: Desk, head: str, subject: str) -> None:
    assert desk.tell(mail(text("x"), head=head, subject=subject)).one("message")["reply"] == "yes"


def test_the_subject_is_decoded_and_both_of_two_are_there(desk: Desk) -> None:
    raw = mail(text("x"), head=f"{HEAD}Subject: {word('一つ目')}\r\n", subject="二つ目")
    assert desk.tell(raw).one("subject")["text"] == "一つ目\n二つ目"
    encoded = "=?ISO-2022-JP?B?GyRCOCtAUT1xGyhC?="
    raw = mail(text("x"), head=f"{HEAD}Subject: {encoded}\r\n\t{encoded}\r\n")
    assert desk.tell(raw).one("subject")["text"] == "見積書見積書\ntest"


def test_a_long_value_is_cut(desk: Desk) -> None:
    """2,000 bytes of UTF-8, and no half letter."""
    subject = desk.tell(mail(text("x"), subject="見" * 1500)).one("subject")["text"]
    assert 1900 <= len(subject.encode()) <= 2000 and set(subject) == {"見"}


# ---- addresses ---------------------------------------------------------------------------------


def test_every_field_of_addresses(desk: Desk) -> None:
    """Display names are decoded."""
    head = "".join(f"{f.title()}: {word('山田 ' + f)} <{f}@example.com>\r\n" for f in FIELDS)
    facts = desk.tell(mail(text("x"), head=head))
    for field in FIELDS:
        assert facts.one("address", field=field) == {
            "field": field, "address": f"{field}@example.com", "name": f"山田 {field}", "group": "", "envelope": "no"}
    assert facts.all("hidden") == []


def test_against_the_envelope(desk: Desk) -> None:
    """C: what the mail goes to, and no field says, is hidden; case and an A-label hide nothing."""
    head = ("From: a@example.co.jp\r\nTo: Bob <BOB@Partner.example>, other@partner.example\r\n"
            "Cc: 窓口: c@partner.example, d@日本.example;\r\n")
    rcpt = ["bob@partner.example", "c@partner.example", "d@xn--wgv71a.example", "secret@rival.example"]
    facts = desk.tell(mail(text("x"), head=head), *(w for r in rcpt for w in ("--to", r)))
    assert {f["address"]: f["envelope"] for f in facts.all("address") if f["field"] != "from"} == {
        "BOB@partner.example": "yes", "other@partner.example": "no", "c@partner.example": "yes",
        "d@xn--wgv71a.example": "yes"}
    assert [f["group"] for f in facts.all("address", field="cc")] == ["窓口", "窓口"]
    assert facts.all("hidden") == [{"address": "secret@rival.example"}]


def test_an_envelope_of_many(desk: Desk) -> None:
    rcpt = [f"user{n}@partner.example" for n in range(900)]
    facts = desk.tell(mail(text("x"), head="From: a@example.co.jp\r\nTo: user5@partner.example\r\n"),
                      *(w for r in rcpt for w in ("--to", r)))
    assert {f["address"] for f in facts.all("hidden")} == set(rcpt) - {"user5@partner.example"}


@pytest.mark.parametrize("value, flag, address", [
    ("a@x.example b@y.example", "separator", "b@y.example"),
    ("a\u200bb@x.example", "invisible", "ab@x.example"),
    ('"boss@rival.example" <a@x.example>', "within", "boss@rival.example"),
    ("a@b@x.example", "at", None),
    ("<@relay.example:a@x.example>", "route", "a@x.example"),
    ("a@", "domain", None),
    ("a @x.example", "blank", "a@x.example"),
    ('"a@x.example', "unended", None),
])
def test_what_is_odd_about_an_address(desk: Desk, value: str, flag: str, address: str | None) -> None:
    facts = desk.tell(mail(text("x"), head=f"From: a@example.co.jp\r\nTo: {value}\r\n"))
    flags = facts.all("address-flag", field="to", flag=flag)
    assert flags, facts
    if address:
        assert facts.all("address", field="to", address=address), facts


# ---- parts and files ---------------------------------------------------------------------------


def test_the_digest_and_the_size_are_of_the_decoded_bytes(desk: Desk) -> None:
    content = os.urandom(70_001)
    facts = desk.tell(with_file(content, "a.bin"))
    file = facts.one("file")
    assert (file["size"], file["sha256"]) == ("70001", hashlib.sha256(content).hexdigest())
    assert facts.one("message")["files-size"] == "70001"


def test_files_of_unix(desk: Desk) -> None:
    """A message that was kept with LF alone says the same."""
    raw = mail(text(f"tel {PHONE}"), attached(b"hello\n", "a.txt"), head=f"{HEAD}Cc: c@partner.example\r\n")
    with_lf = raw.replace(b"\r\n", b"\n")

    def same(facts: Facts) -> list:
        return sorted((name, sorted((k, v) for k, v in f.items() if k not in ("start", "body", "end")))
                      for name, f in facts if name != "message")
    assert same(desk.tell(raw)) == same(desk.tell(with_lf))


def test_a_second_reading_has_a_letter(desk: Desk) -> None:
    """M3: a line of blanks ends the header for one mail program and not for another; both messages are looked at."""
    raw = (HEAD + "Subject: x\r\nMIME-Version: 1.0\r\n \r\nContent-Type: text/html\r\n\r\n"
           "<p>tel 03-1111<b>-</b>1111</p> 03-2222-2222\r\n").encode()
    facts = desk.tell(raw, "--unmask")
    assert facts.all("ambiguous", why="header-blank"), facts
    assert len({f["path"] for f in facts.all("part")} & {"0a", "1a"}) == 1
    assert set(facts.values("phone")) == {"0311111111", "0322222222"}


def test_both_of_two_boundaries_are_read(desk: Desk) -> None:
    """M4."""
    raw = (HEAD + "Subject: x\r\nMIME-Version: 1.0\r\n"
           'Content-Type: multipart/mixed; boundary="b1"; boundary="b2"\r\n\r\n'
           "--b1\r\nContent-Type: text/plain\r\n\r\nfirst 03-1111-1111\r\n--b1--\r\n"
           "--b2\r\nContent-Type: text/plain\r\n\r\nsecond 03-2222-2222\r\n--b2--\r\n").encode()
    facts = desk.tell(raw, "--unmask")
    assert {"boundaries", "two-parameters"} & {f["why"] for f in facts.all("ambiguous")}
    assert sorted(facts.values("phone")) == ["0311111111", "0322222222"]


def test_encodings_given_twice_are_both_read(desk: Desk) -> None:
    import base64
    raw = (HEAD + "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\n"
           "Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(b"tel 03-1234-5678 please").decode() + "\r\n")
    facts = desk.tell(raw.encode())
    assert facts.all("ambiguous", why="two-encodings") and facts.total("phone") == 1


def test_members_of_archives(desk: Desk) -> None:
    inner = zipped({"深い.txt": f"tel {PHONE}".encode()})
    facts = desk.tell(with_file(zipped({"一覧.txt": b"x", "inner.zip": inner}), "a.zip"))
    assert facts.one("member", name="一覧.txt") == {
        "part": "2", "level": "1", "name": "一覧.txt", "extension": ".txt", "marks": "", "size": "1", "encrypted": "no"}
    assert facts.one("member", name="深い.txt")["level"] == "2"
    assert facts.total("phone", "files") == 1 and facts.reasons() == set()


def test_a_pdf_is_read(desk: Desk) -> None:
    facts = desk.tell(with_file(pdf(f"お電話は {PHONE} まで"), "見積.pdf"))
    assert facts.one("file")["format"] == "pdf"
    assert facts.total("phone", "files") == 1 and facts.reasons() == set()


# ---- what the texts say ------------------------------------------------------------------------


def personal() -> bytes:
    return mail(text(f"card {CARD}, tel {PHONE}, again {CARD.replace(' ', '')}\r\nお電話は０３−９８７６−５４３２まで"),
                attached(f"{CARD_2}\ntel {PHONE}\n".encode(), f"{PHONE} list.txt"), subject=f"card {CARD}")


def test_distinct_values_by_their_places(desk: Desk) -> None:
    """S1-11: the same number in another writing is the same; whoever wants a place adds the lines with it."""
    facts = desk.tell(personal())
    assert facts.one("pii", kind="card", places="subject,body")["count"] == "1"
    assert facts.one("pii", kind="card", places="files")["count"] == "1"
    assert facts.one("pii", kind="phone", places="body,names,files")["count"] == "1"
    assert facts.total("phone", "body") == 2 and facts.total("card") == 2 and facts.total("mynumber") == 0


@pytest.mark.parametrize("name, kind", [
    ("4111111111111111.pdf", "card"), ("4111-1111-1111-1111.txt", "card"), ("名簿_4111111111111111_2026.txt", "card"),
    ("03-1234-5678.txt", "phone"), ("taro@partner.example.txt", "mail"), ("tel03-1234-5678.tar.gz", "phone")])
def test_a_value_in_a_name_ends_where_the_extension_begins(desk: Desk, name: str, kind: str) -> None:
    assert desk.tell(with_file(b"hello\n", name)).total(kind, "names") == 1
    assert desk.tell(with_file(zipped({name: b"hello\n"}), "a.zip")).total(kind, "names") == 1


def test_values_are_masked_unless_asked_for(desk: Desk) -> None:
    path = desk.write(personal())
    masked = desk.run(path)
    assert "4111111111111111" not in masked.text.replace(" ", "") and "5555555555554444" not in masked.text
    assert sorted(masked.facts.values("card")) == ["************1111", "************4444"]
    bare = desk.run("--unmask", path).facts
    assert sorted(bare.values("card")) == ["4111111111111111", "5555555555554444"]


def test_evidence_is_bounded_by_a_setting(desk: Desk) -> None:
    desk.settings(inspect_evidence=3)
    raw = mail(text("\r\n".join(f"tel 03-1234-{n:04}" for n in range(1000, 1030))))
    facts = desk.tell(raw)
    assert facts.total("phone") == 30 and len(facts.values("phone")) == 3
    assert len(desk.tell(raw, "--unmask").values("phone")) == 30


def test_every_kind(desk: Desk) -> None:
    body = (f"card {CARD}\r\nマイナンバー 1234 5678 9018\r\n法人番号 7000012050002\r\ntel {PHONE}\r\n"
            "〒100-0001 東京都千代田区千代田1-1\r\nmail to taro@partner.example\r\n山田太郎様\r\n")
    facts = desk.tell(mail(text(body)))
    assert {f["kind"] for f in facts.all("pii")} == {"card", "mynumber", "corporate", "phone", "address", "mail", "name"}


def test_quoted_replies_can_be_left_out(desk: Desk) -> None:
    raw = mail(text(f"Yes.\r\n\r\n2026-11-20 10:00 bob wrote:\r\n> card {CARD}\r\n> x\r\n"))
    assert desk.tell(raw).total("card") == 1
    assert desk.tell(raw, "--unquoted").total("card") == 0


def test_html_as_its_reader_sees_it(desk: Desk) -> None:
    html = f"<html><body><p>0<b>3</b>-1234<!-- x -->-5678</p><script>var a='{CARD}'</script></body></html>"
    facts = desk.tell(mail(text(html, "text/html")))
    assert facts.total("phone", "body") == 1 and facts.total("card") == 0


@pytest.mark.parametrize("charset, codec", [
    ("iso-2022-jp", "iso2022_jp"), ("shift_jis", "cp932"), ("euc-jp", "euc_jp"), ("utf-16", "utf-16")])
def test_charsets(desk: Desk, charset: str, codec: str) -> None:
    body = f"電話は {PHONE} です。見積書\r\n".encode(codec)
    raw = mail(attached(body, None, f"text/plain; charset={charset}").replace("attachment", "inline"))
    facts = desk.tell(raw, "--word", "見積書")
    assert facts.total("phone", "body") == 1
    assert facts.one("word") == {"number": "1", "place": "body", "count": "1", "text": "見積書"}


# ---- words, lists, expressions -----------------------------------------------------------------


@pytest.mark.parametrize("asked, said", [
    ("memo", "社内ＭＥＭＯです"), ("ＭＥＭＯ", "a memo"), ("ミツモリ", "ﾐﾂﾓﾘ を送ります"), ("みつもり", "ミツモリ"),
    ("見積書", "見積\r\n書を送ります"), ("見積書", "見\u00ad積書"), ("見積書", "見\u200b積書"), ("confidential", "Confi\u00addential"),
    ("top secret", "top\r\nsecret"), ("㈱", "(株)山田"), ("パンフ", "ﾊﾟﾝﾌ"), ("café", "CAFE\u0301"),
])
def test_a_word_is_found_however_it_is_written(desk: Desk, asked: str, said: str) -> None:
    """S1-27: width, kana and case are folded; a line's end or a soft hyphen within hides nothing."""
    facts = desk.tell(mail(text(f"x {said} y\r\n")), "--word", asked)
    assert facts.one("word", number="1")["count"] == "1" and facts.one("word")["place"] == "body"


@pytest.mark.parametrize("asked, said", [
    ("memo", "memory"), ("ass", "class"), ("見積書", "見積\r\n\r\n書"), ("A-100", "A-1000")])
def test_what_is_another_word(desk: Desk, asked: str, said: str) -> None:
    assert desk.tell(mail(text(f"x {said} y\r\n")), "--word", asked).all("word") == []


def test_a_word_is_found_in_html_and_in_base64(desk: Desk) -> None:
    raw = mail(text("<p>極<b>秘</b>資<br>料</p>", "text/html"))
    assert desk.tell(raw, "--word", "極秘資料").one("word")["count"] == "1"


@pytest.mark.parametrize("place", ["subject", "body", "names", "files"])
def test_a_word_in_every_place(desk: Desk, place: str) -> None:
    """S1-27: 見積書 in the subject, the body, the names of files and the texts of files."""
    it = {p: "見積書" if p == place else "x" for p in ("subject", "body", "names", "files")}
    raw = mail(text(it["body"]), attached(it["files"].encode(), it["names"] + ".txt"), subject=it["subject"])
    facts = desk.tell(raw, "--word", "見積書", "--regex", "見積.")
    assert facts.one("word") == {"number": "1", "place": place, "count": "1", "text": "見積書"}
    assert facts.one("regex")["place"] == place


def test_each_word_by_its_number(desk: Desk) -> None:
    facts = desk.tell(mail(text("one three three\r\n")), "--word", "one", "--word", "two", "--word", "three",
                      "--regex", "tw.", "--regex", "thr..")
    assert {f["number"]: f["count"] for f in facts.all("word")} == {"1": "1", "3": "2"}
    assert facts.one("regex") == {
        "number": "2", "place": "body", "count": "2", "distinct": "1", "limit": "no", "text": "thr.."}


def test_what_an_expression_matched_is_masked(desk: Desk) -> None:
    raw = mail(text("order AB-123456 and AB-777888, AB-123456\r\n"))
    facts = desk.tell(raw, "--regex", "AB-[0-9]{6}")
    assert (facts.one("regex")["count"], facts.one("regex")["distinct"]) == ("3", "2")
    values = [f["value"] for f in facts.all("regex-value", number="1")]
    assert len(values) == 2 and not {"AB-123456", "AB-777888"} & set(values)
    bare = desk.tell(raw, "--regex", "AB-[0-9]{6}", "--unmask")
    assert {f["value"] for f in bare.all("regex-value")} == set(values), "they always are"


def test_a_list_of_words(desk: Desk) -> None:
    desk.etc("words/secret", "# what nobody may send\n極秘\n社外秘\nconfidential\n")
    desk.etc("words/other", "nothing\n")
    facts = desk.tell(mail(text("極秘 極秘 CONFIDENTIAL\r\n"), subject="極\u200b秘"), "--list", "secret", "--list", "other")
    assert facts.all("words", list="other") == [] and len(facts.all("words")) == 2
    assert facts.one("words", place="body") == {"list": "secret", "place": "body", "count": "3", "distinct": "2"}
    assert facts.one("words", place="subject")["count"] == "1"
    assert {f["text"]: f["count"] for f in facts.all("list-word", list="secret")} == {"極秘": "3", "confidential": "1"}


def test_a_list_that_is_not_there_is_a_mistake(desk: Desk) -> None:
    told = desk.run("--list", "nowhere", desk.write(mail(text("x"))))
    assert told.code == 100 and "nowhere" in told.err and "\nmessage" not in told.text


@pytest.mark.parametrize("path", ["../settings", "/etc/passwd", "a/b"])
def test_a_list_is_no_path(desk: Desk, path: str) -> None:
    desk.etc("words/a", "x\n")
    assert desk.run("--list", path, desk.write(mail(text("root x trial")))).code == 100


@pytest.mark.parametrize("expression", ["(", "[z-a]", "a{2,1}", "(?P<", "*"])
def test_an_expression_that_is_none_is_a_mistake(desk: Desk, expression: str) -> None:
    told = desk.run("--regex", expression, desk.write(mail(text("x"))))
    assert told.code == 100 and told.err


@pytest.mark.parametrize("expression, body", [
    ("^(a+)+$", "a" * 60 + "!"), ("(x+x+)+y", "x" * 60 + "! y"), ("(.*)*(.*)*z!", "ab" * 500 + "z !"),
    ("(a|a)*b$", "a" * 60 + "! b!"), ("(a*)*[bc]d", "a" * 60 + "! c, d")])
def test_an_expression_that_explodes_counts_as_a_match(desk: Desk, expression: str, body: str) -> None:
    """M2: when nobody knows in time, it is taken for a match; the rest is told."""
    import time
    begin = time.monotonic()
    facts = desk.tell(mail(text(f"{body}\r\ntel {PHONE}")), "--regex", expression)
    assert time.monotonic() - begin < 5
    assert facts.one("regex")["limit"] == "yes" and facts.total("phone") == 1


def test_an_expression_cannot_do_what_it_should_not(desk: Desk) -> None:
    """No code, no reading of files: it compiles, or it is refused."""
    for expression in ["(?C1)a", "\\Ca", "(*LIMIT_MATCH=999999999)(a+)+$", "(?{ system })"]:
        told = desk.run("--regex", expression, desk.write(mail(text("a" * 60 + "!"))))
        assert told.code in (0, 100)


# ---- companies, greetings, promises ------------------------------------------------------------

PARTNERS = "alpha.example | 株式会社アルファ商事 | Alpha Trading\nbeta.example | 株式会社ベータ製作所\n"


def test_companies_that_are_named(desk: Desk) -> None:
    desk.etc("partners", PARTNERS)
    facts = desk.tell(mail(text("アルファ商事㈱様の件\r\n"), attached("ベータ製作所".encode(), "a.txt")))
    assert facts.one("company", domain="alpha.example") == {
        "name": "株式会社アルファ商事", "domain": "alpha.example", "places": "body"}
    assert facts.one("company", domain="beta.example")["places"] == "files"
    assert desk.tell(mail(text("nobody"))).all("company") == []


@pytest.mark.parametrize("to, body, verdict, honorific", [
    ("tanaka@alpha.example", "株式会社アルファ商事\r\n田中様\r\n\r\nお世話になります。", "fits", "given"),
    ("tanaka@beta.example", "株式会社アルファ商事\r\n田中様\r\n\r\nお世話になります。", "other", "given"),
    ("tanaka@alpha.example", "アルファ商事\r\n田中\r\n\r\nお世話になります。", "fits", "missing"),
    ("tanaka@alpha.example", "お世話になります。", "none", "none"),
])
def test_whom_the_first_lines_greet(desk: Desk, to: str, body: str, verdict: str, honorific: str) -> None:
    """S3-04."""
    desk.etc("partners", PARTNERS)
    facts = desk.tell(mail(text(body + "\r\n"), head=f"From: a@example.co.jp\r\nTo: {to}\r\n"), "--to", to)
    greeting = facts.one("greeting")
    assert (greeting["verdict"], greeting["honorific"]) == (verdict, honorific)
    assert set(greeting) == {"verdict", "honorific", "everyone", "company", "person", "line"}


def test_a_forgotten_attachment(desk: Desk) -> None:
    """S3-03: quotes aside, and only when no file counts."""
    body = "見積書を添付いたしますのでご確認ください。\r\n"
    facts = desk.tell(mail(text(body)))
    assert facts.one("message")["promises-file"] == "yes" and "添付" in facts.one("promise")["text"]
    there = desk.tell(mail(text(body), attached(b"x", "a.txt")))
    assert there.one("message")["promises-file"] == "no" and "添付" in there.one("promise")["text"]
    quoted = desk.tell(mail(text("了解しました。\r\n\r\n> " + body)))
    assert quoted.one("message")["promises-file"] == "no" and quoted.all("promise") == []


# ---- JSON --------------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["-j", "--json"])
def test_json(desk: Desk, flag: str) -> None:
    desk.etc("partners", PARTNERS)
    desk.etc("words/secret", "極秘\n")
    content = f"{CARD_2}\n{PHONE}\nアルファ商事".encode()
    raw = mail(text(f"極秘 card {CARD}, tel {PHONE}\r\nファイルを添付します。"), attached(zipped({"a.txt": content}), "a.zip"),
               attached(b"MZ" + bytes(200), "\u202efdp.exe"), subject="見積", head=f"{HEAD}Cc: a@x.example b@y.example\r\n")
    path = desk.write(raw)
    told = desk.run(flag, "--to", "bob@partner.example", "--to", "hidden@x.example", "--word", "極秘", "--regex", "極.",
                    "--list", "secret", path)
    assert told.code == 0
    [it] = told.objects
    assert it["path"] == str(path)
    assert it["message"]["size"] == len(raw) and it["message"]["files"] == 2 and it["message"]["reply"] is False
    assert it["subject"]["text"] == "見積"
    assert it["promise"]["text"] and it["greeting"]["verdict"]
    lists = ["addresses", "address-flags", "hidden", "parts", "files", "file-names", "members", "uninspectable",
             "ambiguous", "companies", "lists", "words", "regexes", "detectors"]
    assert all(isinstance(it[name], list) for name in lists)
    assert {a["envelope"] for a in it["addresses"]} == {True, False} and it["hidden"] == [{"address": "hidden@x.example"}]
    assert it["files"][0]["counts"] is True and it["files"][0]["size"] > 0 and it["members"][0]["level"] == 1
    assert it["files"][1]["marks"] == "direction"
    assert it["lists"][0]["distinct"] == 1 and it["words"][0]["number"] == 1 and it["regexes"][0]["limit"] is False
    assert it["companies"][0]["domain"] == "alpha.example"
    for one in it["detectors"]:
        assert set(one) == {"kind", "place", "count", "values"}
        assert one["place"] in ("subject", "body", "names", "files") and isinstance(one["count"], int)
    by = {(d["kind"], d["place"]): d for d in it["detectors"]}
    assert by["card", "body"]["count"] == 1 and by["card", "body"]["values"] == ["************1111"]
    assert by["card", "files"]["count"] == 1 and by["phone", "body"]["count"] == by["phone", "files"]["count"] == 1
    assert "4111111111111111" not in told.text
    [bare] = desk.run(flag, "--unmask", path).objects
    assert ["4111111111111111"] in [d["values"] for d in bare["detectors"] if d["kind"] == "card"]


def test_an_object_a_message(desk: Desk) -> None:
    paths = [desk.write(mail(text("x"), subject=f"{n}")) for n in range(3)]
    objects = desk.run("-j", *paths).objects
    assert [(o["path"], o["subject"]["text"]) for o in objects] == [(str(p), f"{n}") for n, p in enumerate(paths)]


def test_several_files_are_told_apart(desk: Desk) -> None:
    paths = [desk.write(mail(text("x"), subject=f"number{n}")) for n in range(3)]
    told = desk.run(*paths).text
    places = [told.index(w) for n, p in enumerate(paths) for w in (str(p), f"number{n}")]
    assert places == sorted(places)


# ---- one part, rendered ------------------------------------------------------------------------


def test_a_part_as_harmless_text(desk: Desk) -> None:
    html = ("<html><body onload=evil()><p>本文 <b>x</b></p><script>alert(1)</script><a href='javascript:1'>link</a>"
            "&#x202e;desrever&#8203;&#27;[31m</body></html>")
    raw = mail(text("plain \x1b[2J\x07\u202eevil\u2066\u200b\x9b text\ttab\r\nnext\r\n"), text(html, "text/html"),
               attached("見積 \x1b]0;title\u202e\x9b text\n".encode(), "a.txt"), attached(pdf("別紙"), "b.pdf"))
    path = desk.write(raw)
    for part, wanted in (("1", "text\ttab\n"), ("2", "本文 x"), ("3", "見積"), ("4", "別紙")):
        told = desk.run("--view", part, path)
        assert told.code == 0 and wanted in told.text.replace("\r\n", "\n"), told.text
        bad = [c for c in told.text if c not in "\n\t\r" and (ord(c) < 32 or 0x7f <= ord(c) < 0xa0)]
        assert bad == [] and not any(c in told.text for c in "\u202e\u2066\u200b\u202a\u200f\ufeff")
        assert "<" not in told.text and "alert(1)" not in told.text


def test_a_view_of_an_archive_names_what_is_in_it(desk: Desk) -> None:
    told = desk.run("--view", "2", desk.write(with_file(zipped({"中.txt": "内容".encode()}), "a.zip")))
    assert told.code == 0 and "中.txt" in told.text and "内容" in told.text


@pytest.mark.parametrize("part", ["9", "1.1.1", "x", "", "1\nview 2", "a" * 300])
def test_a_part_that_is_not_there(desk: Desk, part: str) -> None:
    """Nothing found is 1, wrong usage 100; silence would look like an empty part."""
    told = desk.run("--view", part, desk.write(mail(text("x"), attached(b"second", "a.txt"))))
    assert told.code in (1, 100) and told.err and told.raw == b""


# ---- usage -------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [[], ["--nonsense", "x"], ["--word"], ["--to"], ["--view"], ["--json"], ["-x", "a"],
                                   ["--word", "", "x"]])
def test_wrong_usage(desk: Desk, words: list[str]) -> None:
    (desk.folder / "x").write_bytes(mail(text("x")))
    told = desk.run(*words)
    assert told.code == 100 and told.err and told.raw == b""


def test_what_is_no_message_in_a_file(desk: Desk) -> None:
    """A file that cannot be read: 1, and the others are told; nothing hangs at a FIFO."""
    good = desk.write(mail(text("x"), subject="good"))
    os.mkfifo(desk.folder / "fifo")
    (desk.folder / "folder").mkdir()
    for name in ("fifo", "folder", "missing", "/dev/zero", "/dev/null"):
        told = desk.run(name, good, timeout=10)
        assert told.code == 1 and name in told.err and "text=good" in told.text


@pytest.mark.parametrize("content", [
    b"", b"\n", b"\r\n\r\n", b"x", bytes(5000), b"\xff" * 5000, b"From\r\n", b": x\r\n\r\n"])
def test_whatever_a_file_is(desk: Desk, content: bytes) -> None:
    facts = desk.tell(content)
    assert facts.one("message")["size"] == str(len(content)) and facts.all("part")


def test_one_line_a_fact_whatever_the_message_says(desk: Desk) -> None:
    """Nothing of a message makes a line, a field or a letter that acts on a terminal."""
    evil = "x\r\nmessage size=1 \x1b[2J files=9\u202e\u2028uninspectable"
    raw = mail(text("x"), attached(b"x", evil + ".txt"), subject=evil, head=f"{HEAD}Cc: {word(evil)} <a@b.example>\r\n")
    told = desk.run("--regex", "x.*", desk.write(raw))
    assert len(told.facts.all("message")) == 1 and told.facts.one("message")["files"] == "1"
    assert told.facts.reasons() == set()
    assert all(c == "\n" or (ord(c) >= 32 and not 0x7f <= ord(c) < 0xa0) for c in told.text)
    assert not any(c in told.text for c in "\u202e\u2028")
    assert len(desk.run("-j", desk.write(raw)).objects) == 1


# ---- from where, and as whom -------------------------------------------------------------------


def as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")


def nobody() -> dict[str, object]:
    entry = pwd.getpwnam("nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def test_without_an_instance_and_from_anywhere(desk: Desk) -> None:
    path = desk.write(mail(text("x"), subject="here"))
    for env in ({"PATH": "/usr/bin:/bin"}, {"PATH": "/usr/bin:/bin", "SEKISHO_ROOT": "/nonexistent"}):
        for cwd in ("/", "/proc", str(desk.folder)):
            assert desk.run(path, env=env, cwd=cwd).facts.one("subject")["text"] == "here"
    assert desk.run(path.name, env={"PATH": "/nowhere"}, cwd=desk.folder).facts.one("subject")["text"] == "here"


def test_an_instance_gives_settings_partners_and_lists(desk: Desk) -> None:
    desk.settings(inspect_parts=2)
    raw = mail(text("x"), text("y"), text("z"))
    assert desk.tell(raw).reasons() == {"parts"}
    assert desk.tell(raw, env={"PATH": "/usr/bin"}).reasons() == set()


def test_as_an_unprivileged_user(desk: Desk) -> None:
    as_root()
    path = desk.write(with_file(pdf(f"tel {PHONE}"), "a.pdf"))
    facts = desk.run(path, **nobody()).facts
    assert facts.total("phone", "files") == 1 and facts.reasons() == set()


def test_a_file_that_only_root_may_read(desk: Desk) -> None:
    """The worker cannot open it, and need not: it is handed over."""
    as_root()
    path = desk.write(mail(text("x"), subject="closed"))
    path.chmod(0o600)
    assert desk.run(path).facts.one("subject")["text"] == "closed"
    told = desk.run(path, **nobody())
    assert told.code == 1 and "text=closed" not in told.text


WAITING = """#!/usr/bin/python3
import os, select
poll = select.poll()
poll.register(3, select.POLLHUP | select.POLLRDHUP)
while not os.path.exists({go!r}) and not poll.poll(20):
    pass
"""


class Caught:
    """seki facts with a seki-convert that waits: its worker is in the middle of a message until it is let go."""

    def __init__(self, desk: Desk, content: bytes, *args: str) -> None:
        folder = desk.folder / "caught"
        self.go = folder / "go"
        if not folder.exists():
            folder.mkdir()
            for name in ("seki", "seki-inspect"):
                shutil.copy(program(name), folder / name)
            (folder / "seki-convert").write_text(WAITING.format(go=str(self.go)))
            (folder / "seki-convert").chmod(0o755)
        self.seki = subprocess.Popen([str(folder / "seki"), "facts", str(desk.write(content)), *args],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     env=desk.environment() | {"SECRET": "of the environment"})

    def worker(self) -> tuple[int, int]:
        """Process of the connection, and of the message."""
        def look() -> tuple[int, int] | None:
            for pid in children(self.seki.pid):
                below = children(pid)
                if program_of(pid) == "seki-inspect" and below:
                    return pid, below[0]
            return None
        return wait_for(look, why="a worker")

    def let_go(self) -> bytes:
        """The conversion fails, and it goes on; what it says in the end."""
        self.go.touch()
        out, err = self.seki.communicate(timeout=30)
        assert self.seki.returncode == 0, err
        return out

    def end(self) -> None:
        for pid in [*children(self.seki.pid), self.seki.pid]:
            if program_of(pid) != "":
                os.kill(pid, 9)
        self.seki.communicate(timeout=30)


def test_root_is_dropped(desk: Desk) -> None:
    """What root starts runs as sekix, or as nobody: no uid, gid, group or capability of root is left."""
    as_root()
    caught = Caught(desk, with_file(pdf(), "a.pdf"))
    try:
        for pid in caught.worker():
            status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
                          if ":\t" in line)
            names = [n for n in ("sekix", "nobody") if any(p.pw_name == n for p in pwd.getpwall())]
            who = pwd.getpwnam(names[0])
            assert status["Uid"].split() == [str(who.pw_uid)] * 4 and status["Gid"].split() == [str(who.pw_gid)] * 4
            assert status["Groups"].split() == [] and status["NoNewPrivs"] == "1"
            assert all(int(status[name], 16) == 0 for name in ("CapPrm", "CapEff", "CapInh", "CapAmb"))
            assert status["Seccomp"].strip() == "2"
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            assert {entry.split(b"=")[0] for entry in environment.split(b"\0") if entry} <= {b"PATH", b"LC_ALL"}
    finally:
        caught.end()


def test_nothing_is_left_behind(desk: Desk) -> None:
    """Also when the reader of its output goes away in the middle, and when it is interrupted."""
    raw = mail(text("\r\n".join(f"tel 03-{n:04}-{m:04}" for n in range(1000, 1040) for m in range(1000, 1050))))
    path = desk.write(raw)
    before = set(os.listdir(desk.folder))
    told = subprocess.run(f"'{program('seki')}' facts --unmask '{path}' | head -n 1", shell=True, env=desk.environment(),
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert told.stdout.count(b"\n") == 1
    caught = Caught(desk, with_file(pdf(), "a.pdf"))
    pids = caught.worker()
    caught.seki.terminate()
    caught.seki.communicate(timeout=30)
    wait_for(lambda: not any(program_of(p) == "seki-inspect" for p in pids), why="the workers end with it")
    assert set(os.listdir(desk.folder)) - before == {"caught", "2.eml"} and os.listdir(desk.root) == []
