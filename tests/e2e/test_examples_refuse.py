"""The examples that refuse (etc/examples), by real mail through the running tree: who gets it, who is told what."""
from collections.abc import Iterator

import pytest

from examples_kit import (
    AFFILIATED, ALPHA, AUDIT, BETA, BOSS, CARD, CARD_15, CUSTOMER, HANAKO, KIOSK, MAILER, OUTSIDER, PART_TIME, PNG,
    TARO, TEMP, Office, addresses, attached_letter, letter, office_open, phones, raw_letter, sized, table, text_of)

MB = 1024 * 1024
CSV = [("figures.csv", b"a,b\r\n")]


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    with office_open() as made:
        yield made


# ---- S1-07: temporary staff, files, and who reads along ------------------------------------------

TEMPS = "派遣社員・アルバイトは社外へファイルを送れません。Ccに社員を入れてください。"


def test_S1_07_temps_send_no_files_outside(office: Office) -> None:
    """S1-07: group + external + file: refused, and the sender reads why; without one of the three it passes."""
    office.rules("S1-07-temps-no-files")
    office.bounced(office.send(letter(sender=TEMP, files=CSV)), "temps-no-files", TEMPS, to=TEMP)
    office.bounced(office.send(letter(sender=PART_TIME, files=CSV)), "temps-no-files", TEMPS, to=PART_TIME)
    office.passes(office.send(letter(sender=TEMP)), OUTSIDER)
    office.passes(office.send(letter(sender=TEMP, to=HANAKO, files=CSV)), HANAKO)
    office.passes(office.send(letter(sender=TARO, files=CSV)), OUTSIDER)
    # One outsider among the recipients: nobody gets it.
    both = office.send(letter(sender=TEMP, to=[OUTSIDER, AFFILIATED], files=CSV))
    office.refused(both, "temps-no-files")


@pytest.mark.parametrize("cc", [HANAKO, "HANAKO@Example.CO.JP", "hanako+files@example.co.jp", '"hanako"@example.co.jp',
                                f"佐藤花子 <{HANAKO}>", "t.yamada@example.co.jp"])
def test_S1_07_an_employee_in_cc_lets_it_pass(office: Office, cc: str) -> None:
    """S1-07: in any case, with +detail, with quotes that are not needed, by an alias."""
    office.rules("S1-07-temps-no-files")
    reader = "t.yamada@example.co.jp" if "yamada" in cc else HANAKO
    office.passes(office.send(letter(sender=TEMP, cc=cc, files=CSV), to=[OUTSIDER, reader]), OUTSIDER, reader)


def test_S1_07_a_cc_that_gets_nothing_is_none(office: Office) -> None:
    """S1-07: whoever is only written into the header reads nothing."""
    office.rules("S1-07-temps-no-files")
    office.refused(office.send(letter(sender=TEMP, cc=HANAKO, files=CSV), to=[OUTSIDER]), "temps-no-files")


@pytest.mark.parametrize("to, cc, more", [
    ([OUTSIDER, HANAKO], [], []),  # in To
    (OUTSIDER, [], [HANAKO]),  # in Bcc
    (OUTSIDER, [], []),  # nowhere
    (OUTSIDER, [TEMP], [TEMP]),  # one who is no employee
    (OUTSIDER, ["hanako@example.com"], []),  # an employee's name elsewhere
    (OUTSIDER, [f'"{HANAKO}" <x@partner.example>'], ["x@partner.example"]),  # … and in a display name
])
def test_S1_07_nothing_else_does(office: Office, to: list[str] | str, cc: list[str], more: list[str]) -> None:
    """S1-07: not in To, not in Bcc, nobody else."""
    office.rules("S1-07-temps-no-files")
    everybody = ([to] if isinstance(to, str) else to) + more
    office.refused(office.send(letter(sender=TEMP, to=to, cc=cc, files=CSV), to=everybody), "temps-no-files")


# ---- S1-11, S1-28, S2-68: personal data ----------------------------------------------------------

def test_S1_11_ten_phone_numbers_or_ten_addresses(office: Office) -> None:
    """S1-11, S4-02, S4-03: text and files are counted together, the same one once; nine may pass."""
    office.rules("S1-11-too-much-personal-data")
    why = "電話番号または住所が10件以上含まれています。"
    office.bounced(office.send(letter(files=[("a.csv", table(phones(10)))])), "too-much-personal-data", why)
    office.refused(office.send(letter(body="\n".join(addresses(10)) + "\n")), "too-much-personal-data")
    office.refused(office.send(letter(body="\n".join(phones(5)) + "\n", files=[("a.csv", table(phones(10)[5:]))])),
                   "too-much-personal-data")
    office.passes(office.send(letter(files=[("a.csv", table(phones(9), addresses(9)))])), OUTSIDER)
    office.passes(office.send(letter(body="\n".join(phones(9) * 2) + "\n", files=[("a.csv", table(phones(9)))])), OUTSIDER)


@pytest.mark.parametrize("text", [CARD, CARD_15, "４１１１１１１１１１１１１１１１", "4111-1111-1111-1111"])
def test_S1_28_card_numbers_in_files(office: Office, text: str) -> None:
    """S1-28: with blanks, of fifteen digits, of full width; in a file, not in the text."""
    office.rules("S1-28-card-numbers")
    why = "添付ファイルにクレジットカード番号が含まれています。"
    office.refused(office.send(letter(files=[("a.txt", f"{text}\n".encode())])), "card-numbers", why)
    office.passes(office.send(letter(body=f"{text}\n")), OUTSIDER)


@pytest.mark.parametrize("content", [b"20261122093501234\n2026112209350123\n", b"41111111,11111111\r\n",
                                     b"4111 1111 1111 1112\n"])
def test_S1_28_not_every_row_of_digits_is_one(office: Office, content: bytes) -> None:
    """S1-28: a time, digits in two cells, a wrong check digit."""
    office.rules("S1-28-card-numbers")
    office.passes(office.send(letter(files=[("a.csv", content)])), OUTSIDER)


def test_S2_68_personal_data_and_three_files(office: Office) -> None:
    """S2-68 (=S1-11, S1-30)."""
    office.rules("S2-68-personal-data-and-three-files")
    three = [(f"{n}.txt", b"x\n") for n in "abc"]
    office.refused(office.send(letter(files=[("a.csv", table(phones(10)))])), "too-much-personal-data")
    office.refused(office.send(letter(files=[("a.csv", table(addresses(10)))])), "too-much-personal-data")
    office.refused(office.send(letter(files=three)), "three-files", "添付ファイルは2個までです。")
    office.passes(office.send(letter(files=three[:2])), OUTSIDER)


# ---- S1-12: partners -----------------------------------------------------------------------------

def test_S1_12b_only_registered_domains(office: Office) -> None:
    """S1-12b: every outsider must be a partner; what lies below a partner's domain is the partner's."""
    office.rules("S1-12-partners-only")
    why = "取引先として登録されていないドメインです。"
    office.bounced(office.send(letter(to=CUSTOMER)), "partner-domain", why)
    office.refused(office.send(letter(to=[ALPHA, CUSTOMER])), "partner-domain", why)
    office.passes(office.send(letter(to=[ALPHA, HANAKO])), ALPHA, HANAKO)
    office.passes(office.send(letter(to="x@tokyo.alpha.example")), "x@tokyo.alpha.example")
    office.passes(office.send(letter(to="x@ALPHA-Group.example")), "x@ALPHA-Group.example")


def test_S1_12c_the_company_in_the_text(office: Office) -> None:
    """S1-12c: another partner's name is a mismatch; the right one, or none, may pass."""
    office.rules("S1-12-partners-only")
    why = "本文またはファイル名に、宛先と異なる会社名があります。"
    office.bounced(office.send(letter(to=ALPHA, body="株式会社ベータ製作所\n加藤様\n")), "partner-name", why)
    office.refused(office.send(letter(to=ALPHA, body="㈱ベータ製作所 御中\n")), "partner-name")
    office.passes(office.send(letter(to=ALPHA, body="株式会社アルファ商事\n佐藤様\n")), ALPHA)
    office.passes(office.send(letter(to=ALPHA, body="佐藤様\n")), ALPHA)
    # Two partners in one mail: for each of them the other one is wrong.
    office.refused(office.send(letter(to=[ALPHA, BETA], body="株式会社アルファ商事\n佐藤様\n")), "partner-name")


def test_S1_12d_the_company_in_the_name_of_a_file(office: Office) -> None:
    """S1-12d."""
    office.rules("S1-12-partners-only")
    office.refused(office.send(letter(to=ALPHA, files=[("ベータ製作所 御中 見積.txt", b"x\n")])), "partner-name")
    office.passes(office.send(letter(to=ALPHA, files=[("アルファ商事 御中 見積.txt", b"x\n")])), ALPHA)


def test_S1_12a_a_thousand_partners(office: Office) -> None:
    """S1-12a: with more than 1,000 rows the right one is found, and only that."""
    at = office.gw.root / "etc/partners"
    before = at.read_text()
    try:
        at.write_text(before + "".join(f"p{n}.example | 株式会社第{n}商会\n" for n in range(1, 1501)))
        office.rules("S1-12-partners-only")
        office.passes(office.send(letter(to="x@p1500.example", body="株式会社第1500商会 御中\n")), "x@p1500.example")
        office.refused(office.send(letter(to="x@p1500.example", body="株式会社第1499商会 御中\n")), "partner-name")
        office.refused(office.send(letter(to="x@p1501.example")), "partner-domain")
    finally:
        at.write_text(before)


# ---- S1-13: names of files -----------------------------------------------------------------------

THIRTY_TWO = ("doc xls docx xlsx pptx odt ods sxw sxi itd htm sgml xml zip tar tar.gz gz lzh tar.bz2 tgz eml bmp cab gif jpg"
              " mdb mov mpg msg rtf tif png").split()
FORBIDDEN = "この種類のファイルは送れません。"


def test_S1_13_all_of_the_extensions(office: Office) -> None:
    """S1-13: each of the 32 stands in the rule; some of each sort go through the tree; others may leave."""
    office.rules("S1-13-forbidden-extensions")
    rule = (office.gw.root / "etc/policy/must/50-S1-13-forbidden-extensions").read_text()
    assert len(THIRTY_TWO) == 32
    assert {f"*.{e}" for e in THIRTY_TWO} == {w.strip(",") for w in rule.split() if w.startswith("*.")}
    office.bounced(office.send(letter(files=[("a.docx", b"x")])), "forbidden-extensions", FORBIDDEN)
    for name in ("a.doc", "a.itd", "a.tar.bz2", "a.TGZ", "見積.Xlsx", "a.ｄｏｃ"):
        office.refused(office.send(letter(files=[("ok.txt", b"x\n"), (name, b"x")])), "forbidden-extensions")
    for name in ("a.txt", "a.pdf.txt", "a.bz2", "doc", "a.docxx", "a.html"):
        office.passes(office.send(letter(files=[(name, b"x\n")])), OUTSIDER)


@pytest.mark.parametrize("fields", [
    'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="a.TAR.GZ"',
    'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="a.tar.gz "',
    'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename*0="a.ta"; filename*1="r.gz"',
    "Content-Type: application/octet-stream\r\nContent-Disposition: attachment;\r\n filename*0*=UTF-8''a%2Et; filename*1*=ar.gz",
    'Content-Type: application/octet-stream; name="a.tar.gz"',
    'Content-Type: application/octet-stream; name="a.tar.gz"\r\nContent-Disposition: attachment; filename="a.txt"',
    'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="=?UTF-8?B?YS50YXIuZ3o=?="',
])
def test_S1_13_however_the_name_is_written(office: Office, fields: str) -> None:
    """S1-13: in capitals, with a blank behind, split and encoded (RFC 2231), in Content-Type alone or as another name
    there, as an encoded word."""
    office.rules("S1-13-forbidden-extensions")
    office.refused(office.send(raw_letter(f"{fields}\r\n\r\nx")), "forbidden-extensions", FORBIDDEN)


# ---- S1-15: four house rules ---------------------------------------------------------------------

def test_S1_15b_the_boss_must_stand_in_cc(office: Office) -> None:
    """S1-15b: in Cc, in whatever case and with +detail; not in To, not in Bcc."""
    office.rules("S1-15-four-house-rules")
    why = "上長をCcに入れてください。"
    office.bounced(office.send(letter()), "boss-in-cc", why)
    office.refused(office.send(letter(to=[OUTSIDER, BOSS])), "boss-in-cc")
    office.refused(office.send(letter(), to=[OUTSIDER, BOSS]), "boss-in-cc")
    office.refused(office.send(letter(cc=HANAKO)), "boss-in-cc")
    for cc in (BOSS, "Buchou@EXAMPLE.co.jp", "buchou+cc@example.co.jp"):
        office.waits(office.send(letter(cc=cc), to=[OUTSIDER, BOSS]), OUTSIDER, "approve", "boss-approves", "approve",
                     by=f"boss:{BOSS}")
    office.passes(office.send(letter(to=HANAKO)), HANAKO)


def test_S1_15a_the_boss_approves(office: Office) -> None:
    """S1-15a, S4-01: outsiders wait for the boss, whoever stands in Cc; those inside do not."""
    office.rules("S1-15-four-house-rules")
    sent = office.send(letter(to=[OUTSIDER, HANAKO], cc=BOSS))
    office.waits(sent, OUTSIDER, "approve", "boss-approves", "approve", by=f"boss:{BOSS}")
    office.delivered(sent, HANAKO, BOSS)


def test_S1_15c_files_need_the_boss_in_cc(office: Office) -> None:
    """S1-15c: by the third rule alone, for those who have taken the second away."""
    rules = office.gw.root / "etc/policy/must/50-S1-15-four-house-rules"
    office.rules("S1-15-four-house-rules")
    parts = rules.read_text().split("\nrule ")
    alone = "\nrule ".join(["", *(p for p in parts[1:] if p.startswith("files-boss-in-cc"))])
    office.rules(text=alone)
    why = "添付ファイルがあるときは、上長をCcに入れてください。"
    office.bounced(office.send(letter(files=CSV)), "files-boss-in-cc", why)
    office.passes(office.send(letter(files=CSV, cc=BOSS)), OUTSIDER, BOSS)
    office.passes(office.send(letter()), OUTSIDER)


def test_S1_15d_accounts_that_send_no_files(office: Office) -> None:
    """S1-15d: even with the boss in Cc."""
    office.rules("S1-15-four-house-rules")
    why = "このアカウントからは添付ファイルを送れません。"
    office.bounced(office.send(letter(sender=KIOSK, cc=BOSS, files=CSV)), "accounts-without-files", why, to=KIOSK)
    office.waits(office.send(letter(sender=KIOSK, cc=BOSS)), OUTSIDER, "approve", "boss-approves", "approve")


# ---- S1-16: to myself, the rest in Bcc -----------------------------------------------------------

def test_S1_16a_to_is_myself_alone(office: Office) -> None:
    """S1-16a, S2-66."""
    office.rules("S1-16-to-myself-only")
    why = "宛先(To)には自分だけを入れ、ほかの方はBccにしてください。"
    office.bounced(office.send(letter()), "to-myself-only", why)
    office.refused(office.send(letter(to=[TARO, OUTSIDER])), "to-myself-only")
    office.passes(office.send(letter(to="TARO@example.co.jp"), to=[TARO, OUTSIDER, ALPHA]), TARO, OUTSIDER, ALPHA)
    office.passes(office.send(letter(to="t.yamada@example.co.jp"), to=[OUTSIDER]), OUTSIDER)


def test_S1_16b_no_cc(office: Office) -> None:
    """S1-16b: not even oneself."""
    office.rules("S1-16-to-myself-only")
    office.bounced(office.send(letter(to=TARO, cc=OUTSIDER)), "no-cc", "Ccは使えません。")
    office.refused(office.send(letter(to=TARO, cc=TARO)), "no-cc")


@pytest.mark.parametrize("size, refused", [(10 * MB - 1, False), (10 * MB, True), (10 * MB + 1, True)])
def test_S1_16c_ten_megabytes_of_files(office: Office, size: int, refused: bool) -> None:
    """S1-16c against S2-69: the size of the files as such, not of the message, which is larger by a third."""
    office.rules("S1-16-to-myself-only")
    sent = office.send(letter(to=TARO, files=[("a.dat", b"x" * (size - 7)), ("b.dat", b"x" * 7)]), to=[TARO, OUTSIDER])
    if refused:
        office.refused(sent, "ten-megabytes", "添付ファイルは10MB未満にしてください。")
    else:
        office.waits(sent, OUTSIDER, "encrypt", "zip-the-rest", "encrypt", "zip", function="files")


def test_S1_16d_these_extensions_alone(office: Office) -> None:
    """S1-16d: one other file is enough; a file without a name is another."""
    office.rules("S1-16-to-myself-only")
    office.bounced(office.send(letter(to=TARO, files=[("a.txt", b"x"), ("b.png", b"x")])), "allowed-extensions", FORBIDDEN)
    office.refused(office.send(letter(to=TARO, files=[("a.txt.zip", b"x")])), "allowed-extensions")
    for name in ("a.csv", "a.PDF", "a.exe", "a.log"):
        office.waits(office.send(letter(to=TARO, files=[(name, b"x\n")]), to=OUTSIDER), OUTSIDER, "encrypt",
                     "zip-the-rest", "encrypt", "zip", function="files")


def test_S1_16e_S1_16f_the_rest_becomes_a_zip(office: Office) -> None:
    """S1-16e, S1-16f: the plan has the ZIP and whose password policy; S1-16f: that policy tells the recipient alone, in
    three minutes."""
    office.rules("S1-16-to-myself-only")
    sent = office.send(letter(to=TARO, files=CSV), to=[TARO, OUTSIDER])
    for rcpt in (TARO, OUTSIDER):
        office.waits(sent, rcpt, "encrypt", "zip-the-rest", "encrypt", "zip", function="files",
                     password="random-to-recipient-3m")
    policy = [line.split() for line in (office.gw.root / "etc/passwords/random-to-recipient-3m").read_text().splitlines()]
    assert ["tell", "recipient"] in policy and ["after", "3m"] in policy
    office.passes(office.send(letter(to=TARO), to=OUTSIDER), OUTSIDER)


# ---- S1-18, S1-19: where nothing goes ------------------------------------------------------------

@pytest.mark.parametrize("example, rule, why, domains", [
    ("S1-18-no-mobile-phones", "no-mobile-phones", "携帯メールへは送れません。",
     ["docomo.ne.jp", "EZWEB.ne.jp", "softbank.ne.jp"]),
    ("S1-19-no-free-mail", "no-free-mail", "フリーメールへは送れません。", ["yahoo.co.jp", "hotmail.co.jp", "Gmail.com"]),
])
def test_S1_18_S1_19_domains_that_are_closed(office: Office, example: str, rule: str, why: str, domains: list[str]) -> None:
    """S1-18, S1-19: these domains in any case, and no others; one of them among the recipients stops the message."""
    office.rules(example)
    office.bounced(office.send(letter(to=f"x@{domains[0]}")), rule, why)
    for domain in domains[1:]:
        office.refused(office.send(letter(to=[OUTSIDER, f"x@{domain}"])), rule)
    office.refused(office.send(letter(), to=[OUTSIDER, f"hidden@{domains[0]}"]), rule)
    office.passes(office.send(letter(to=[f"x@my{domains[0]}", OUTSIDER])), f"x@my{domains[0]}", OUTSIDER)


# ---- S1-30 ---------------------------------------------------------------------------------------

def test_S1_30_three_files(office: Office) -> None:
    """S1-30: 2, 3 and 4; a picture that the text shows is no file."""
    office.rules("S1-30-three-files")
    files = [(f"{n}.txt", b"x\n") for n in range(4)]
    office.passes(office.send(letter(files=files[:2])), OUTSIDER)
    office.bounced(office.send(letter(files=files[:3])), "three-files", "添付ファイルは2個までです。")
    office.refused(office.send(letter(files=files)), "three-files")
    shown = letter(body="text\n")
    shown.add_alternative('<p>text <img src="cid:logo@x"></p>', subtype="html")
    shown.get_payload()[1].add_related(PNG, maintype="image", subtype="png", cid="<logo@x>")
    shown.make_mixed()
    for name, content in files[:2]:
        shown.add_attachment(content, maintype="text", subtype="plain", filename=name)
    office.passes(office.send(shown), OUTSIDER)


# ---- S1-32, S0-35, S2-30: who hears of it --------------------------------------------------------

def test_S1_32_refusals_to_audit_and_silence(office: Office) -> None:
    """S1-32a, S1-32b: internal audit gets the message whole, as message/rfc822; the sender gets nothing at all, no DSN
    either."""
    office.rules("S1-30-three-files", "S1-32-refusals-to-audit")
    mail = letter(subject="三つのファイル", files=[(f"{n}.txt", b"secret\n") for n in range(3)], to=[OUTSIDER, HANAKO])
    sent = office.send(mail)
    leg = office.refused(sent, "three-files")
    assert leg.record("refused").keys["forward"] == AUDIT
    office.silent(sent)
    forwarded = [r for r in office.legs(sent)[0].records if r.words[1] == "forwarded"]
    assert [r.keys["to"] for r in forwarded] == [AUDIT]

    note = office.mail_of(forwarded[0].keys["notice"], AUDIT)
    inner = attached_letter(note)
    assert inner["Message-ID"] == mail["Message-ID"] and inner["Subject"] == "三つのファイル"
    assert [p.get_filename() for p in inner.iter_attachments()] == ["0.txt", "1.txt", "2.txt"]
    assert "添付ファイルは2個までです。" in text_of(note)
    token = mail["Message-ID"].encode()
    about = [m for m in office.gw.delivered() if token in m]
    assert len(about) == 1, "only internal audit has heard of it"
    # What nobody refuses is not told to anybody.
    office.passes(office.send(letter()), OUTSIDER)


def test_S0_35_S2_30_who_is_told_is_set_by_rule(office: Office) -> None:
    """S0-35, S2-30, S0-34: a bounce, or none, or none and one forwarded; by default the sender is told."""
    refuse = 'rule never\n    words "極秘" in subject\n    do refuse "極秘です。"\n'
    office.rules(text=refuse)
    office.bounced(office.send(letter(subject="極秘の件")), "never", "極秘です。")
    office.rules(text=refuse + "    do bounce nobody\n")
    quiet = office.send(letter(subject="極秘の件"))
    office.refused(quiet, "never")
    office.silent(quiet)
    assert not office.legs(quiet)[0].record("forwarded")
    office.rules(text=refuse + f"    do forward refused {AUDIT}\n")
    both = office.send(letter(subject="極秘の件"))
    office.bounced(both, "never", "極秘です。")
    assert office.legs(both)[0].record("forwarded").keys["to"] == AUDIT


def test_refuse_beats_everything(office: Office) -> None:
    """S0-34: what one recipient's rule refuses nobody gets, whatever holds or waits for the others."""
    office.rules("S1-03-outsiders-wait", "S1-18-no-mobile-phones", "S1-15-four-house-rules")
    sent = office.send(letter(to=[HANAKO, OUTSIDER, "x@docomo.ne.jp"], cc=BOSS))
    office.refused(sent, "no-mobile-phones")


# ---- S2-66, S2-69 --------------------------------------------------------------------------------

def test_S2_66_customers_and_lists(office: Office) -> None:
    """S2-66: To is oneself for those who write to many; ten outsiders into Bcc; customers later."""
    office.rules("S2-66-customers-and-lists")
    office.refused(office.send(letter(sender=MAILER)), "to-myself-only")
    office.refused(office.send(letter(sender=MAILER, to=MAILER, cc=OUTSIDER)), "no-cc")
    office.passes(office.send(letter(sender=MAILER, to=MAILER), to=[MAILER, OUTSIDER]), MAILER, OUTSIDER)
    ten = [f"u{n}@partner.example" for n in range(10)]
    office.waits(office.send(letter(to=ten)), ten[9], "encrypt", "ten-outsiders", "encrypt", bcc="all", function="bcc")
    office.passes(office.send(letter(to=ten[:9])), *ten[:9])
    office.waits(office.send(letter(to=CUSTOMER)), CUSTOMER, "stagger", "important-later", "stagger", wait="3600")


@pytest.mark.parametrize("size, refused", [(10 * MB - 1, False), (10 * MB, True), (10 * MB + 1, True)])
def test_S2_69_ten_megabytes_of_mail(office: Office, size: int, refused: bool) -> None:
    """S2-69 against S1-16c: the whole message as it was received, to the byte."""
    office.rules("S2-69-ten-megabyte-mail")
    sent = office.send(sized(size))
    if refused:
        office.refused(sent, "ten-megabyte-mail", "10MB以上のメールは送れません。")
    else:
        office.passes(sent, OUTSIDER)


def test_S2_69_a_file_of_eight_megabytes_makes_such_a_mail(office: Office) -> None:
    """S2-69, S1-16c: the same mail passes by the size of its files."""
    mail = letter(to=TARO, files=[("a.dat", b"x" * 8 * MB)])
    office.rules("S2-69-ten-megabyte-mail")
    office.refused(office.send(mail), "ten-megabyte-mail")
    office.rules("S1-16-to-myself-only")
    office.waits(office.send(mail), TARO, "encrypt", "zip-the-rest", "encrypt", "zip", function="files")
