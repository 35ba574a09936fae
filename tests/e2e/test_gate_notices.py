"""Notices about held mail (S0-14, S2-45..49, S4-09, C10, C14, N12, N14): asked for at run/notice/socket, read by Python's
email package where they stand in the spool. The texts of S2-45..49 are compared letter by letter, in both charsets."""
import base64
import email
import email.policy
import re
import socket
import struct
import subprocess
import time
from email.header import decode_header
from email.message import EmailMessage

import pytest

from conftest import REPO, Gateway, replace, wait_for
from test_notice import FAILED, MAIL, Leg, Place, bare, make_leg, place, programs  # noqa: F401

KINDS = ("hold", "request", "warning", "result", "draft", "digest", "urgent", "review")
URL = "http://127.0.0.1:8025/gate/m/?AQEAAAHdW7sAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
HELD = ("From: =?UTF-8?B?5bGx55Sw?= <alice@example.co.jp>\r\nTo: bob@partner.example\r\n"
        "Subject: %s\r\n %s\r\n\r\nHello.\r\n" % tuple(
            f"=?ISO-2022-JP?B?{base64.b64encode(part.encode('iso-2022-jp')).decode()}?=" for part in ("見積もり", "の件"))).encode()
# As the shipped template has it, with nothing left out by accident (S2-46, S2-47, S2-48, S2-49).
WORDS = """=====================================
メール配送保留のお知らせ
=====================================

現在メールが保留されています。以下のURLを参照して確認してください。

[件名] 見積もりの件
[宛先]
  bob@partner.example  ※はじめての宛先です
  carol@partner.example
[URL] {url}

※URLが折り返されている場合は1行につなげて参照してください
※保留されたメールは2021-02-09 06:00:00 +0900に、自動的に配送されます

このメールはメールゲートウェイ gw.example.co.jp が自動的に送信しています。返信はできません。
"""


def xtext(text: str) -> str:
    plain = set(range(0x21, 0x7f)) - set(b'"=+')
    return "".join(chr(b) if b in plain else f"+{b:02X}" for b in text.encode())


def gate(template: str, *var: tuple[str, str], to: str = "alice@example.co.jp", lang: str = "ja", attach: str = "") -> str:
    lines = [f"gate {template}", f"to {xtext(to)}", f"lang {lang}"] + [f"var {n} {xtext(v)}" for n, v in var]
    return "".join(line + "\n" for line in lines + ([f"attach {attach}"] if attach else []))


def text_of(mail: EmailMessage) -> str:
    """The words, lines ending in LF."""
    part = mail.get_body() if mail.is_multipart() else mail
    return part.get_payload(decode=True).decode(part.get_content_charset()).replace("\r\n", "\n")


def notice(place: Place, request: str, raw: bytes = b"") -> EmailMessage:
    """Asks, and reads what is in the spool; what holds of each is checked."""
    answer = place.ask(raw or make_leg(HELD), request, fds=1 if raw else 0)
    assert answer.startswith("kept "), answer + place.log("seki-notice")
    leg = Leg(place.raw(answer.split()[1]))
    assert leg.head["from"].startswith("<> ") and leg.head["client"] == "- origin=gateway"
    assert leg.head["to"].endswith(" notify=never")
    mail = leg.mail()
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["From"].addresses[0].addr_spec == "MAILER-DAEMON@gw.example.co.jp"
    assert len(mail["To"].addresses) == 1
    for line in leg.content.split(b"\r\n\r\n")[0].split(b"\r\n"):
        assert len(line) <= 78
        assert b"=?" not in line or len(line) <= 76  # RFC 2047, section 2
    mail.raw = leg.content
    return mail


HOLD = [("url", URL), ("until", "2021-02-08T21:00:00.000000Z"), ("rcpt", "bob@partner.example"), ("rcpt-risk", "はじめての宛先です"),
        ("rcpt", "carol@partner.example"), ("rcpt-risk", "")]


@pytest.fixture
def tokyo(bare: Place) -> Place:
    bare.settings(time_zone="Asia/Tokyo")
    return bare.start("seki-queue", "seki-notice")


def subject_words(mail: EmailMessage) -> tuple[str, set[str]]:
    """The subject as it stands, decoded by hand, and its charsets."""
    raw = re.search(rb"\r\nSubject: ((?:[^\r]|\r\n )*)\r\n", b"\r\n" + mail.raw)[1].decode("ascii")
    parts = decode_header(raw)
    return "".join(p.decode(c) if isinstance(p, bytes) else p for p, c in parts), {c for _, c in parts}


@pytest.mark.parametrize("charset", ["utf-8", "iso-2022-jp"])
def test_S2_45_to_S2_49_letter_by_letter(tokyo: Place, charset: str) -> None:
    """The prefix, the title between its lines, the words, the fields, the link, the hint and the exact time."""
    assert tokyo.reload("seki-notice", notice_charset=charset).startswith("taken ")
    mail = notice(tokyo, gate("hold", *HOLD), make_leg(HELD))
    assert mail["Subject"] == "[配送保留]見積もりの件"
    assert subject_words(mail) == ("[配送保留]見積もりの件", {charset})
    assert mail.get_content_charset() == charset
    assert text_of(mail) == WORDS.replace("{url}", URL)
    if charset == "iso-2022-jp":
        assert mail["Content-Transfer-Encoding"] == "7bit"
        body = mail.raw.split(b"\r\n\r\n", 1)[1]
        assert f"\r\n[URL] {URL}\r\n".encode() in body  # ASCII stays ASCII
        for line in body.split(b"\r\n"):  # RFC 1468: each line begins and ends in ASCII
            assert line.count(b"\x1b") == 0 or line.rindex(b"\x1b") == line.rindex(b"\x1b(B")


def test_S2_45_the_prefix_stands_once(place: Place) -> None:
    content = HELD.replace(HELD[HELD.index(b"Subject"):HELD.index(b"\r\n\r\n")],
                           "Subject: Re: [配送保留]見積".encode())
    assert notice(place, gate("hold"), make_leg(content))["Subject"] == "[配送保留]Re: 見積"


def test_S2_48_a_link_stays_in_one_line(place: Place) -> None:
    """In whatever transfer encoding: a program that decodes it has it whole."""
    for charset in ("utf-8", "iso-2022-jp"):
        place.reload("seki-notice", notice_charset=charset)
        long = URL + "A" * 1200
        assert f"\n[URL] {long}\n" in text_of(notice(place, gate("hold", ("url", long))))


def test_without_a_web_page_there_is_no_link(place: Place) -> None:
    text = text_of(notice(place, gate("hold"), make_leg(HELD)))
    assert "現在メールが保留されています。\n" in text and "URL" not in text
    assert "管理者が確認するまで配送されません" in text


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_template_in_both_languages(place: Place, kind: str, lang: str) -> None:
    """Complete, and nothing of the other language in it but what values bring."""
    everything = [(n, "v") for n in ("sender", "url", "by", "reason", "comment", "votes", "for", "file", "why", "check", "count",
                                     "mail-subject", "mail-from", "mail-rcpt", "mail-state", "mail-url",
                                     "mail-time", "subject", "rcpt")]
    mail = notice(place, gate(kind, *everything, lang=lang))
    text = text_of(mail)
    assert "{" not in text and "\n\n\n" not in text and text.startswith("=====")
    assert mail["Content-Language"] == lang
    japanese = re.search(r"[぀-ヿ一-鿿]", text + mail["Subject"])
    assert (japanese is not None) == (lang == "ja")


def test_what_the_sender_is_told_of_the_ways_out(place: Place) -> None:
    """3.4: each ending of a hold has its own words."""
    day = "2026-12-01T00:00:00.000000Z"
    for var, words in ((("confirm", "yes"), "確認されるまで配送されません"), (("checked", "yes"), "すべて確認されるまで配送されません"),
                       (("approval", "yes"), "※承認を待っています"), (("discard", day), "までに操作がなければ破棄されます"),
                       (("window", "19:00-09:30"), "送信できない時間帯（19:00-09:30）")):
        text = text_of(notice(place, gate("hold", var)))
        assert words in text and "自動的に配送されます" not in text and "管理者が" not in text, text


def test_C14_the_checks_and_S4_09(place: Place) -> None:
    checks = [("check", f"項目{i}") for i in range(1, 6)]
    text = text_of(notice(place, gate("hold", *checks)))
    assert "[ご確認ください]\n  ・項目1\n  ・項目2\n  ・項目3\n  ・項目4\n  ・項目5\n" in text


def test_S0_14_a_digest_of_several_mails(place: Place) -> None:
    rows = []
    for i in range(1, 23):
        rows += [("mail-time", f"2026-11-23T0{i % 10}:00:00.000000Z"), ("mail-subject", f"件名{i}" if i != 2 else ""),
                 ("mail-from", "alice@example.co.jp"), ("mail-rcpt", f"r{i}@x.example"),
                 ("mail-state", "承認待ち" if i == 1 else ""), ("mail-url", f"http://x/{i}")]
    # The request itself is bounded: who asks counts the rest.
    kept = rows[:6 * 20]
    text = text_of(notice(place, gate("digest", ("count", "22"), *kept, ("mail-time-more", "2"))))
    first = text.index("  件名1\n")
    assert text[first:].startswith("  件名1\n  [差出人] alice@example.co.jp\n  [宛先] r1@x.example\n  [状態] 承認待ち\n  [URL] http://x/1\n\n")
    assert "（件名なし）\n  [差出人] alice@example.co.jp\n  [宛先] r2@x.example\n  [URL] http://x/2\n\n" in text
    assert "http://x/20\n" in text and "ほか2通\n" in text
    assert place.ask(b"", gate("digest", *rows), fds=0) == "wrong request"


def test_many_recipients_are_counted(place: Place) -> None:
    """C10: a notice about a mail to thousands stays one that is read."""
    leg = make_leg(HELD, to=tuple(f"r{i}@x.example" for i in range(1000)))
    text = text_of(notice(place, gate("hold"), leg))
    assert text.count("@x.example") == 20 and "  ほか980名\n" in text


def test_the_mail_itself_says_who_and_what(place: Place) -> None:
    text = text_of(notice(place, gate("request", to="boss@example.co.jp", attach="mail"), make_leg(HELD)))
    assert "[件名] 見積もりの件\n[差出人] alice@example.co.jp\n[宛先]\n  bob@partner.example\n" in text
    assert "元のメールを添付しています" in text


def test_naughty_values_stay_values(place: Place) -> None:
    """M11: no header line, no line of the text, no turning round."""
    subject = "x\r\nBcc: mallory@evil.example\r\n\r\n<b>\u202e\u200b"
    mail = notice(place, gate("hold", ("subject", subject), ("url", "http://a/\r\n[URL] http://evil/")))
    assert mail["Bcc"] is None and mail["Subject"] == "[配送保留]x Bcc: mallory@evil.example <b>".replace("x ", "x  ").replace(
        "example <", "example    <")
    assert "\n[URL] http://a/  [URL] http://evil/\n" in text_of(mail)


def test_what_iso_2022_jp_cannot_write_goes_as_utf_8(place: Place) -> None:
    place.reload("seki-notice", notice_charset="iso-2022-jp")
    mail = notice(place, gate("hold", ("subject", "㈱山田 ①")))
    assert mail["Subject"] == "[配送保留]㈱山田 ①" and mail.get_content_charset() == "utf-8"
    assert subject_words(mail)[1] == {"utf-8"}


# ---- drafts ----


def attached(mail: EmailMessage) -> tuple[EmailMessage, bytes]:
    part = list(mail.iter_attachments())[0]
    return part, part.get_payload(decode=True) if part.get_content_type() != "message/rfc822" else b""


def test_a_draft_is_the_mail(place: Place) -> None:
    """Byte for byte, with X-Unsent on top, in a file that a mail program opens."""
    body = HELD + ("あ" * 70 + "\r\n").encode() * 2000 + b"\xff\x00bare\nline" + b"x" * 5000 + b"\r\n"
    mail = notice(place, gate("draft", ("discarded", "yes"), attach="draft"), make_leg(body))
    part, content = attached(mail)
    assert part.get_content_type() == "application/octet-stream"
    assert part.get_filename().endswith(".eml") and part.get_content_disposition() == "attachment"
    assert content == b"X-Unsent: 1\r\n" + body
    opened = email.message_from_bytes(content, policy=email.policy.default)
    assert (opened["X-Unsent"], opened["Subject"]) == ("1", "見積もりの件")
    text = text_of(mail)
    assert "お送りになったメールは破棄されました。" in text and "添付ファイルを開いて修正し、もう一度送信してください。" in text


@pytest.mark.parametrize("size", [0, 1, 57 * 256 - 13, 57 * 256 - 12, 57 * 256, 57 * 512 - 13, 57 * 512])
def test_a_draft_of_any_size(place: Place, size: int) -> None:
    body = bytes(33 + i % 90 for i in range(size))
    assert attached(notice(place, gate("draft", attach="draft"), make_leg(body)))[1] == b"X-Unsent: 1\r\n" + body


def test_a_draft_has_not_been_here(place: Place) -> None:
    """Our own Received on top is taken away, and no other."""
    answer = place.hand_in("run/queue/socket", "127.0.0.1 helo=pc1 proto=esmtp")
    assert answer == "K", answer
    leg = wait_for(lambda: place.spool("new"), 20, "the mail")[0].read_bytes()
    assert Leg(leg).content.startswith(b"Received: ") and Leg(leg).content.endswith(MAIL)
    mail = notice(place, gate("draft", ("returned", "yes"), attach="draft"), leg)
    assert attached(mail)[1] == b"X-Unsent: 1\r\n" + MAIL


def test_a_draft_that_is_too_large_comes_smaller(bare: Place) -> None:
    """A third larger as a file: then as a mail, then as its header; the words say so."""
    bare.settings(message_size="100KB")
    place = bare.start("seki-queue", "seki-notice")
    body = HELD + (b"x" * 70 + b"\r\n") * 1200
    mail = notice(place, gate("draft", attach="draft"), make_leg(body))
    part = list(mail.iter_attachments())[0]
    assert part.get_content_type() == "message/rfc822" and mail.raw.count(body) == 1
    mail = notice(place, gate("draft", attach="draft"), make_leg(HELD + (b"x" * 70 + b"\r\n") * 2000))
    assert list(mail.iter_attachments())[0].get_content_type() == "text/rfc822-headers"
    assert "ヘッダーだけを添付しています" in text_of(mail)


def test_the_mail_for_a_boss(place: Place) -> None:
    """N14: 8-bit and SMTPUTF8 as a forwarded mail."""
    content = "Subject: 緊急\r\n\r\n本文\r\n".encode()
    mail = notice(place, gate("urgent", ("reason", "停止中"), to="boss@example.co.jp", attach="mail"),
                  make_leg(content, sender="alice@example.co.jp smtputf8=yes"))
    assert mail["Subject"] == "[緊急送信]緊急" and mail.raw.count(content) == 1
    assert list(mail.iter_attachments())[0].get_content_type() == "message/global"
    assert "[緊急の理由] 停止中" in text_of(mail)


# ---- nobody is told twice, and of nothing twice ----


def test_no_loops(place: Place) -> None:
    own = make_leg(HELD, client="- origin=gateway")
    assert place.ask(own, gate("hold")) == "none gateway-mail"
    assert place.ask(make_leg(HELD, sender="<>"), gate("request", to="boss@example.co.jp")).startswith("kept ")
    assert place.ask(b"", gate("hold", to="a@b, c@d"), fds=0) == "wrong address"
    assert place.ask(b"", gate("draft", attach="draft"), fds=0) == "wrong no-leg"
    assert place.ask(b"", gate("nothing"), fds=0) == "wrong request"


def test_memory_does_not_grow_with_a_draft(place: Place) -> None:
    raw = make_leg(HELD + (b"y" * 76 + b"\r\n") * 300000)  # 23 MB
    begun = time.monotonic()
    mail = notice(place, gate("draft", attach="draft"), raw)
    assert attached(mail)[1].endswith(b"y\r\n") and time.monotonic() - begun < 20


def test_a_notice_arrives(gateway: Gateway) -> None:
    """In a whole instance: judged by nobody, and in the outbox of a trial."""
    text = gate("hold", *HOLD, ("subject", "届くお知らせ"))
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(str(gateway.root / "run/notice/socket"))
        s.sendall(struct.pack(">I", len(text)) + text.encode())
        answer = s.makefile("rb").read().decode()
    assert answer.startswith("kept "), answer
    found = wait_for(lambda: [p for p in (gateway.root / "outbox").rglob("*") if p.is_file() and
                              answer.split()[1].encode() in p.read_bytes()], 30, "the notice in the outbox")
    mail = email.message_from_bytes(found[0].read_bytes(), policy=email.policy.default)
    assert mail["Subject"] == "[配送保留]届くお知らせ" and URL in text_of(mail)


# ---- templates ----


def test_templates_are_the_organisations_own(place: Place) -> None:
    file = place.root / "etc/notices/ja/hold"
    replace(file, "Subject: 【保留】{subject}\n\n{subject}は{{保留}です。\n{nothing-more}\n".replace("{nothing-more}", "{until}"))
    assert place.reload("seki-notice").startswith("taken ")
    mail = notice(place, gate("hold", ("subject", "x")))
    assert mail["Subject"] == "【保留】x" and text_of(mail) == "xは{保留}です。\n"
    # A wrong one leaves what was in force, and is told with its place, by the check as well.
    replace(file, "Subject: {subject}\n\n{untill}\n")
    fault = "etc/notices/ja/hold:3:2: no variable is called {untill}: {until}?"
    assert fault in place.reload("seki-notice")
    assert notice(place, gate("hold", ("subject", "x")))["Subject"] == "【保留】x"
    replace(place.root / "etc/relay", "127.0.0.0/8 @example.co.jp quota=none\n")
    done = subprocess.run([programs() / "seki", "check"], env={"PATH": "/usr/bin:/bin", "SEKISHO_ROOT": str(place.root)},
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 102 and fault in done.stderr


def test_a_missing_template_ends_the_start(bare: Place) -> None:
    (bare.root / "etc/notices/en/digest").unlink()
    with pytest.raises(AssertionError):
        bare.start("seki-notice")
    assert bare.running.pop("seki-notice").wait(20) == 102
    assert "etc/notices/en/digest" in bare.log("seki-notice")


def test_the_manual_tells_of_every_variable() -> None:
    """sekisho-notices(5), against the table and the templates as shipped."""
    page = (REPO / "man/sekisho-notices.5").read_text()
    table = set(re.findall(r'"([a-z-]+)"', re.search(r"const names\[\] = \{(.*?)\};",
                                                     (REPO / "lib/notice/templates.c").read_text(), re.S)[1]))
    told = set(re.findall(r"^\.It (?:Li )?(?:\.Op )?([a-z-]+)", page, re.M)) | set(re.findall(r"\b([a-z]+(?:-[a-z]+)*)\b", page))
    assert len(table) > 40 and table - told == set()
    used = set()
    for lang in ("ja", "en"):
        for kind in KINDS:
            used |= set(re.findall(r"\{[?!]?([a-z-]+)\}", (REPO / f"etc/notices/{lang}/{kind}").read_text()))
    assert {n.removesuffix("-more") for n in used} <= table
