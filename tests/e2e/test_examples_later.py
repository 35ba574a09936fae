"""The examples whose actions later versions carry out (etc/examples): what the plan of each leg says, and that until then
the leg waits and says why (law 4); one test for each function, and one for each example."""
import email
import email.policy
import io
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import REPO, wait_for
from examples_kit import (
    AFFILIATED, ALPHA, BETA, BOSS, CARD, CUSTOMER, HANAKO, MYNUMBER, NAMES, NEWCOMER, OUTSIDER, PNG, TELEWORKER, TEMP,
    File, Office, addresses, letter, office_open, raw_letter, table)

MB = 1024 * 1024
CSV = [("figures.csv", b"a,b\r\n")]


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    with office_open() as made:
        yield made


def by_link(office: Office, sent: str, rcpt: str, rule: str, **keys: str) -> None:
    office.waits(sent, rcpt, "encrypt", rule, "encrypt", "link", function="files", **keys)


def by_zip(office: Office, sent: str, rcpt: str, rule: str, **keys: str) -> None:
    office.waits(sent, rcpt, "encrypt", rule, "encrypt", "zip", function="files", **keys)


# ---- S1-01, S1-02: what TLS decides --------------------------------------------------------------

@pytest.mark.parametrize("content", [table([CARD]), table(["マイナンバー " + MYNUMBER]), table(NAMES[:10]), table(addresses(10))])
def test_S1_01b_lists_of_personal_data_by_link(office: Office, content: bytes) -> None:
    """S1-01b: a card number, a My Number, ten names or ten addresses in a file: a link for seven days, TLS or not."""
    office.rules("S1-01-tls-carries-the-file")
    for to in (ALPHA, OUTSIDER):
        by_link(office, office.send(letter(to=to, files=[("a.csv", content)])), to, "personal-data-by-link", **{"for": "604800"})
    office.passes(office.send(letter(to=HANAKO, files=[("a.csv", content)])), HANAKO)


def test_S1_01a_tls_carries_the_file(office: Office) -> None:
    """S1-01a, S2-31: where the table knows of TLS the file stays, and the delivery must have it; nine names are no list."""
    office.rules("S1-01-tls-carries-the-file")
    mail = [("a.csv", table(NAMES[:9], addresses(9)))]
    for to in (ALPHA, BETA):  # starttls; dane is more than that
        office.waits(office.send(letter(to=to, files=mail)), to, "deliver", "tls-carries-the-file", "deliver",
                     tls="starttls", function="tls", **{"else": "link"})
    office.passes(office.send(letter(files=mail)), OUTSIDER)  # nobody knows of his server: no rule speaks


def test_S1_02_no_tls_by_link(office: Office) -> None:
    """S1-02: decided for each recipient's domain; a message to both kinds becomes two legs."""
    office.rules("S1-02-no-tls-by-link")
    sent = office.send(letter(to=[ALPHA, OUTSIDER, "x@plain.example", HANAKO], files=CSV))
    office.waits(sent, ALPHA, "deliver", "tls-carries-the-file", "deliver", tls="starttls", function="tls")
    by_link(office, sent, OUTSIDER, "no-tls-by-link")
    by_link(office, sent, "x@plain.example", "no-tls-by-link")
    assert office.leg(sent, OUTSIDER).to == [OUTSIDER, "x@plain.example"]
    office.delivered(sent, HANAKO)


# ---- files: ZIP and link -------------------------------------------------------------------------

def test_S1_04_sales_zip(office: Office) -> None:
    """S1-04, S4-04, S4-05, S2-25: sales, outside, with a file; nobody else, nothing inside."""
    office.rules("S1-04-sales-zip")
    sent = office.send(letter(to=[OUTSIDER, HANAKO, AFFILIATED], files=CSV))
    by_zip(office, sent, OUTSIDER, "sales-zip", password="random-10")
    office.delivered(sent, HANAKO, AFFILIATED)
    office.passes(office.send(letter(sender=HANAKO, files=CSV)), OUTSIDER)
    office.passes(office.send(letter()), OUTSIDER)
    policy = [line.split() for line in (office.gw.root / "etc/passwords/random-10").read_text().splitlines()]
    assert ["generate", "10", "upper", "lower", "digit", "symbol"] in policy


@pytest.mark.parametrize("example, rule", [("S1-05-big-by-link", "big-by-link"), ("S0-37-3-big-by-link", "case-3")])
def test_S1_05_S0_37_3_two_megabytes_by_link(office: Office, example: str, rule: str) -> None:
    """S1-05, S0-37 (3): 2 MB - 1, 2 MB, 2 MB + 1 of files, decoded, all together; to outsiders."""
    office.rules(example)
    office.passes(office.send(letter(files=[("a", b"x" * (2 * MB - 1))])), OUTSIDER)
    by_link(office, office.send(letter(files=[("a", b"x" * (2 * MB))])), OUTSIDER, rule)
    by_link(office, office.send(letter(files=[("a", b"x" * MB), ("b", b"y" * (MB + 1))])), OUTSIDER, rule)
    office.passes(office.send(letter(to=HANAKO, files=[("a", b"x" * (2 * MB))])), HANAKO)


def test_S0_37_2_zip_twice(office: Office) -> None:
    """S0-37 (2)."""
    office.rules("S0-37-2-zip-twice")
    sent = office.send(letter(to=[OUTSIDER, HANAKO], files=CSV))
    by_zip(office, sent, OUTSIDER, "case-2", twice="yes", password="random-10")
    office.delivered(sent, HANAKO)


def test_S1_14_link_or_zip(office: Office) -> None:
    """S1-14a, S1-14b: the list has a ZIP with a set text, all others a link; each leg has its own."""
    office.rules("S1-14-link-or-zip")
    sent = office.send(letter(to=["x@zip.example", ALPHA, OUTSIDER, HANAKO], files=CSV))
    by_zip(office, sent, "x@zip.example", "zip-for-these")
    leg = office.leg(sent, ALPHA)
    assert leg.to == ["x@zip.example", ALPHA]
    assert [s.keys["text"] for s in leg.plan if s.keys.get("insert") == "top"] == ["teikeibun-a"]
    for rcpt in (OUTSIDER, HANAKO):
        by_link(office, sent, rcpt, "others-by-link")
    assert not [s for s in office.leg(sent, OUTSIDER).plan if "insert" in s.keys]
    office.passes(office.send(letter(to=ALPHA)), ALPHA)


def test_S2_63_link_or_zip_big_by_link(office: Office) -> None:
    """S2-63, S2-26: as S1-14, but what is big goes by a link to everybody."""
    office.rules("S2-63-link-or-zip-big-by-link")
    sent = office.send(letter(to=[ALPHA, OUTSIDER], files=CSV))
    by_zip(office, sent, ALPHA, "zip-for-these")
    by_link(office, sent, OUTSIDER, "others-by-link")
    by_link(office, office.send(letter(to=ALPHA, files=[("a", b"x" * (2 * MB))])), ALPHA, "big-by-link")


def test_S1_21_as_registered(office: Office) -> None:
    """S1-21a, S1-21b, S2-26: the row of each destination, with its own password; who has no row has no rule."""
    office.rules("S1-21-as-registered")
    a, b, tanaka = "x@partner-a.example.co.jp", "x@partner-b.example.com", "tanaka@partner-c.example"
    sent = office.send(letter(to=[a, b, tanaka, "sato@partner-c.example"], files=CSV))
    by_zip(office, sent, a, "as-registered", **{"as": ".zi_"}, password="fixed-partner-a")
    by_link(office, sent, b, "as-registered", **{"for": str(14 * 86400)}, password="random-10")
    by_zip(office, sent, tanaka, "as-registered", method="zipcrypto", password="fixed-tanaka")
    office.delivered(sent, "sato@partner-c.example")
    office.passes(office.send(letter(to=a)), a)


def sealed(*names: str, plain: tuple[str, ...] = ()) -> bytes:
    """A ZIP that needs a password; the members in `plain` do not."""
    with tempfile.TemporaryDirectory() as at:
        for name in (*names, *plain):
            Path(at, name).write_bytes(b"figures\n")
        subprocess.run(["zip", "-q", "-P", "secret", "a.zip", *names], cwd=at, check=True)
        if plain:
            subprocess.run(["zip", "-q", "a.zip", *plain], cwd=at, check=True)
        return Path(at, "a.zip").read_bytes()


def test_S1_22_what_is_encrypted_stays(office: Office) -> None:
    """S1-22: all encrypted: unchanged. One that is not, whether beside another or within the ZIP: encrypted."""
    office.rules("S1-22-encrypt-the-rest")
    office.passes(office.send(letter(files=[("a.zip", sealed("a.txt"))])), OUTSIDER)
    office.passes(office.send(letter()), OUTSIDER)
    by_zip(office, office.send(letter(files=[("a.zip", sealed("a.txt")), ("b.txt", b"x\n")])), OUTSIDER, "encrypt-the-rest")
    by_zip(office, office.send(letter(files=[("a.zip", sealed("a.txt", plain=("b.txt",)))])), OUTSIDER, "encrypt-the-rest")
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("a.txt", "x")
    by_zip(office, office.send(letter(files=[("a.zip", plain.getvalue())])), OUTSIDER, "encrypt-the-rest")


def sample(name: str) -> list[File]:
    """The files of a message of tests/corpus/attachments."""
    mail = email.message_from_bytes((REPO / "tests/corpus/attachments" / name).read_bytes(), policy=email.policy.default)
    return [(part.get_filename(), part.get_content()) for part in mail.iter_attachments()]


@pytest.mark.parametrize("name", ["type-pdf-sealed.eml", "type-ooxml-sealed.eml", "type-7z-sealed.eml"])
def test_S1_22_encrypted_documents(office: Office, name: str) -> None:
    """S1-22: PDF, OOXML and 7z with a password stay; beside one that has none they do not."""
    office.rules("S1-22-encrypt-the-rest")
    files = sample(name)
    assert files
    office.passes(office.send(letter(files=files)), OUTSIDER)
    by_zip(office, office.send(letter(files=[*files, ("a.txt", b"x\n")])), OUTSIDER, "encrypt-the-rest")


def test_S1_24a_S1_24b_by_link_with_a_hint(office: Office) -> None:
    """S1-24a, S1-24b: every file by a link, behind the hold of outsiders; and nothing but a hint is told."""
    office.rules("S1-24-hint-and-two-holds")
    sent = office.send(letter(to=[OUTSIDER, HANAKO], files=CSV))
    leg = office.held(sent, OUTSIDER, 300, "company-hold")
    assert leg.steps("encrypt", "link")[0].keys["password"] == "hint-only"
    by_link(office, sent, HANAKO, "files-by-link", password="hint-only")
    policy = [line.split() for line in (office.gw.root / "etc/passwords/hint-only").read_text().splitlines()]
    assert ["tell", "hint"] in policy and "hint" in [words[0] for words in policy if words]


def test_S1_25_outside_files_by_link(office: Office) -> None:
    """S1-25a, S1-25b, S0-02: those of outsiders."""
    office.rules("S1-25-outside-files-by-link")
    sent = office.send(letter(to=[OUTSIDER, HANAKO], files=CSV))
    by_link(office, sent, OUTSIDER, "outside-files-by-link", password="hint-only")
    office.delivered(sent, HANAKO)


# ---- bcc -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("example, rule, n", [
    ("S1-06-five-outsiders-bcc", "five-outsiders", 5), ("S0-37-4-ten-outsiders-bcc", "case-4", 10)])
def test_S1_06_S0_37_4_many_outsiders_into_bcc(office: Office, example: str, rule: str, n: int) -> None:
    """S1-06, S0-37 (4), S2-28, S4-07: N - 1 and N external addresses in To and Cc together; those inside and those in Bcc
    do not count; and then it is for everybody, those inside, too."""
    office.rules(example)
    outside = [f"u{i}@partner.example" for i in range(n)]
    sent = office.send(letter(to=[HANAKO, *outside[:2]], cc=outside[2:]))
    for rcpt in (outside[0], outside[-1], HANAKO):
        office.waits(sent, rcpt, "encrypt", rule, "encrypt", bcc="all", function="bcc")
    office.passes(office.send(letter(to=[HANAKO, *outside[:-1]])), HANAKO, *outside[:-1])
    office.passes(office.send(letter(to=outside[:-1]), to=outside), *outside)
    # The same address twice is one.
    twice = letter(to=outside[:-1], cc=outside[0])
    office.passes(office.send(twice, to=outside[:-1]), *outside[:-1])


def test_S2_24_everybody_into_bcc(office: Office) -> None:
    """S2-24, S2-28."""
    office.rules("S2-24-everybody-into-bcc")
    sent = office.send(letter(to=[OUTSIDER, HANAKO]))
    for rcpt in (OUTSIDER, HANAKO):
        office.waits(sent, rcpt, "encrypt", "always-bcc", "encrypt", bcc="all", function="bcc")
    office.passes(office.send(letter(to=HANAKO)), HANAKO)


def test_S4_06_the_boss_in_bcc(office: Office) -> None:
    """S4-06: of the sender's own boss, who gets no second copy of what he has."""
    office.rules("S4-06-boss-in-bcc")
    sent = office.send(letter())
    office.waits(sent, OUTSIDER, "encrypt", "boss-in-bcc", "encrypt", function="add-bcc", **{"add-bcc": BOSS})
    office.passes(office.send(letter(cc=BOSS)), OUTSIDER, BOSS)
    office.passes(office.send(letter(to=HANAKO)), HANAKO)


# ---- stagger -------------------------------------------------------------------------------------

def test_S1_08_important_customers_later(office: Office) -> None:
    """S1-08, S2-29: colleagues first, the customers (by domain, below it, or by address) 60 minutes later."""
    office.rules("S1-08-important-later")
    sub, one = "x@shop.customer.example", "president@partner.example"
    sent = office.send(letter(to=[HANAKO, AFFILIATED, CUSTOMER, sub, one, OUTSIDER]))
    for rcpt in (CUSTOMER, sub, one):
        office.waits(sent, rcpt, "stagger", "important-later", "stagger", wait="3600")
    office.delivered(sent, HANAKO, AFFILIATED, OUTSIDER)


@pytest.mark.parametrize("example, rule, senders", [
    ("S2-64-newcomers-later", "newcomers-later", [NEWCOMER, TEMP]), ("S2-65-telework-later", "telework-later", [TELEWORKER])])
def test_S2_64_S2_65_these_people_s_mail_later(office: Office, example: str, rule: str, senders: list[str]) -> None:
    """S2-64, S2-65, S2-29: by sender."""
    office.rules(example)
    for sender in senders:
        sent = office.send(letter(sender=sender, to=[OUTSIDER, HANAKO]))
        office.waits(sent, OUTSIDER, "stagger", rule, "stagger", wait="3600")
        office.delivered(sent, HANAKO)
    office.passes(office.send(letter()), OUTSIDER)


def test_S0_37_1_hold_and_stagger(office: Office) -> None:
    """S0-37 (1): both on one message; those inside at once."""
    office.rules("S0-37-1-hold-and-stagger")
    sent = office.send(letter(to=[OUTSIDER, HANAKO, AFFILIATED]))
    office.delivered(sent, HANAKO, AFFILIATED)
    leg = office.held(sent, OUTSIDER, 600, "case-1")
    assert [s.keys for s in leg.steps("stagger")] == [{"wait": "3600", "rule": office.where("case-1")}]
    assert office.gw.seki("release", leg.name).returncode == 0
    office.waits(sent, OUTSIDER, "stagger", "case-1", "stagger", wait="3600")


# ---- approve -------------------------------------------------------------------------------------

def test_S1_09_sales_files_approved(office: Office) -> None:
    """S1-09, S2-33: sales, outside, with a file."""
    office.rules("S1-09-sales-files-approved")
    sent = office.send(letter(to=[OUTSIDER, HANAKO], files=CSV))
    office.waits(sent, OUTSIDER, "approve", "sales-files-approved", "approve", by=f"boss:{BOSS}")
    office.delivered(sent, HANAKO)
    office.passes(office.send(letter()), OUTSIDER)
    office.passes(office.send(letter(sender=HANAKO, files=CSV)), OUTSIDER)


def test_S1_10_the_boss_approves_or_stands_in_cc(office: Office) -> None:
    """S1-10: in Cc, in any case and with +detail; not in To, not in Bcc."""
    office.rules("S1-10-boss-approves-or-reads")
    for cc in (BOSS, "BUCHOU@example.co.jp", "buchou+read@example.co.jp"):
        office.passes(office.send(letter(cc=cc), to=[OUTSIDER, BOSS]), OUTSIDER, BOSS)
    for mail, to in ((letter(), [OUTSIDER]), (letter(to=[OUTSIDER, BOSS]), [OUTSIDER, BOSS]), (letter(), [OUTSIDER, BOSS])):
        office.waits(office.send(mail, to=to), OUTSIDER, "approve", "boss-approves-or-reads", "approve", by=f"boss:{BOSS}")
    office.passes(office.send(letter(to=HANAKO)), HANAKO)


def test_S1_17_any_colleague(office: Office) -> None:
    """S1-17."""
    office.rules("S1-17-any-colleague")
    sent = office.send(letter(to=[OUTSIDER, HANAKO]))
    office.waits(sent, OUTSIDER, "approve", "any-colleague", "approve", by="any:staff")
    office.delivered(sent, HANAKO)


def test_S1_26_checked_for_the_customer(office: Office) -> None:
    """S1-26a, S1-26b: by domain; and the history at the end of the text."""
    office.rules("S1-26-checked-for-customer")
    sent = office.send(letter(to=[CUSTOMER, OUTSIDER]))
    leg = office.waits(sent, CUSTOMER, "approve", "checked-for-customer", "approve", by="any:checkers")
    assert [s.keys["insert"] for s in leg.steps("encrypt") if "insert" in s.keys] == ["history"]
    office.delivered(sent, OUTSIDER)


@pytest.mark.parametrize("mail", [
    {"subject": "御見積書の件"}, {"body": "見積\n書を送ります。\n"}, {"files": [("見積書.txt", b"x\n")]},
    {"files": [("a.txt", "お見積書\n".encode())]}, {"files": [("a.csv", "見積書\r\n".encode("cp932"))]}])
def test_S1_27_quotations(office: Office, mail: dict) -> None:
    """S1-27: in the subject, the text, a file's name, or a file."""
    office.rules("S1-27-quotations")
    office.waits(office.send(letter(**mail)), OUTSIDER, "approve", "quotations", "approve", by="any:quotation-approvers")


def test_S1_27_other_mail_passes(office: Office) -> None:
    """S1-27."""
    office.rules("S1-27-quotations")
    office.passes(office.send(letter(subject="見積もり", body="積書を見る\n")), OUTSIDER)


def test_S1_29_newcomers_are_read(office: Office) -> None:
    """S1-29: all of their mail, inside, too."""
    office.rules("S1-29-newcomers-are-read")
    for sender in (NEWCOMER, TEMP):
        office.waits(office.send(letter(sender=sender, to=HANAKO)), HANAKO, "approve", "newcomers-are-read", "approve",
                     by="any:mentors")
    office.passes(office.send(letter()), OUTSIDER)


# ---- hold until somebody has looked --------------------------------------------------------------

NAMELESS = "Content-Type: application/octet-stream{0}\r\nContent-Disposition: attachment{1}\r\n\r\nx"


@pytest.mark.parametrize("part", [NAMELESS.format("", ""), NAMELESS.format("", '; filename=""'),
                                  NAMELESS.format('; name=""', "")])
def test_S1_31_a_file_without_a_name(office: Office, part: str) -> None:
    """S1-31: no name at all, an empty one, an empty one in Content-Type."""
    office.rules("S1-31-nameless-file")
    office.waits(office.send(raw_letter(part)), OUTSIDER, "hold", "nameless-file", "hold", "confirmed")


def test_S1_31_files_with_a_name_and_pictures_pass(office: Office) -> None:
    """S1-31: a name in Content-Type alone will do; a picture that the text shows needs none."""
    office.rules("S1-31-nameless-file")
    office.passes(office.send(raw_letter(NAMELESS.format('; name="a.txt"', ""))), OUTSIDER)
    shown = letter(body="text\n")
    shown.add_alternative('<p>text <img src="cid:logo@x"></p>', subtype="html")
    shown.get_payload()[1].add_related(PNG, maintype="image", subtype="png", cid="<logo@x>")
    office.passes(office.send(shown), OUTSIDER)


def test_S4_08_self_check(office: Office) -> None:
    """S4-08: it waits for the sender's own look."""
    office.rules("S4-08-self-check")
    sent = office.send(letter(to=[OUTSIDER, HANAKO]))
    office.waits(sent, OUTSIDER, "hold", "self-check", "hold", "checked")
    office.delivered(sent, HANAKO)


# ---- whoever is asked ----------------------------------------------------------------------------

ASKED = [
    ("approve by boss", "approve", ("approve",), {"by": f"boss:{BOSS}"}),
    ("approve by 2 of group staff then boss", "approve", ("approve",), {"by": "2:staff", "then": f"boss:{BOSS}"}),
    (f"approve by {HANAKO}", "approve", ("approve",), {"by": f"address:{HANAKO}"}),
    ("hold until confirmed", "hold", ("hold", "confirmed"), {}),
    ("hold until checked", "hold", ("hold", "checked"), {}),
    ("hold until confirmed else discard", "hold", ("hold",), {"discard": "confirmed"}),
]


@pytest.mark.parametrize("action, state, words, keys", ASKED, ids=[f[0].replace(" ", "-") for f in ASKED])
def test_S0_06_it_waits_for_people(
        office: Office, action: str, state: str, words: tuple[str, ...], keys: dict[str, str]) -> None:
    """S0-06, S0-08: it stands where they are asked, with what its sender is told (notice); "seki check" has no warning."""
    office.rules(text=f"rule asked\n    to external\n    do {action}\n    do notice always\n")
    checked = office.gw.seki("check")
    assert checked.returncode == 0 and "warning" not in checked.stdout + checked.stderr, checked.stdout + checked.stderr
    sent = office.send(letter(to=[OUTSIDER, HANAKO]))
    office.waits(sent, OUTSIDER, state, "asked", *words, notice="always", **keys)
    office.delivered(sent, HANAKO)


@pytest.mark.parametrize("action, keys", [
    ("insert top teikeibun-a", {"insert": "top", "text": "teikeibun-a"}),
    ("insert end teikeibun-a", {"insert": "end", "text": "teikeibun-a"}), ("insert end history", {"insert": "history"})])
def test_S1_26_texts_are_put_in(office: Office, action: str, keys: dict[str, str]) -> None:
    """S1-14b, S1-26b: a step of its own, of which "seki check" does not warn."""
    office.rules(text=f"rule texts\n    to external\n    do {action}\n    do hold 60m\n")
    checked = office.gw.seki("check")
    assert checked.returncode == 0 and "warning" not in checked.stdout + checked.stderr, checked.stdout + checked.stderr
    leg = office.held(office.send(letter()), OUTSIDER, 3600, "texts")
    assert [s.keys for s in leg.steps("encrypt")] == [{**keys, "rule": office.where("texts")}]


# ---- law 4: one test for each function -----------------------------------------------------------

FUNCTIONS = [
    ("zip", "encrypt", ("encrypt", "zip"), {}, "files"),
    ("zip aes", "encrypt", ("encrypt", "zip"), {"method": "aes"}, "files"),
    ("link for 7d times 5", "encrypt", ("encrypt", "link"), {"for": "604800", "times": "5"}, "files"),
    ("bcc external", "encrypt", ("encrypt",), {"bcc": "external"}, "bcc"),
    ("bcc each", "encrypt", ("encrypt",), {"bcc": "each"}, "bcc"),
    (f"add bcc {BOSS}", "encrypt", ("encrypt",), {"add-bcc": BOSS}, "add-bcc"),
    (f"copy {HANAKO}", "encrypt", ("encrypt",), {"copy": HANAKO}, "copy"),
    ("archive", "encrypt", ("encrypt", "archive"), {}, "archive"),
    ("stagger 60m", "stagger", ("stagger",), {"wait": "3600"}, "stagger"),
    ("tls verified", "deliver", ("deliver",), {"tls": "verified"}, "tls"),
    ("sign example.co.jp", "deliver", ("deliver",), {"sign": "example.co.jp"}, "sign"),
    ("route backup", "deliver", ("deliver",), {"route": "backup"}, "route"),
]


@pytest.mark.parametrize("action, state, words, keys, function", FUNCTIONS, ids=[f[0].replace(" ", "-") for f in FUNCTIONS])
def test_law_4_what_this_version_cannot_do_waits(
        office: Office, action: str, state: str, words: tuple[str, ...], keys: dict[str, str], function: str) -> None:
    """Law 4, S0-01: each function that later versions carry out stops the leg where its turn comes, and both "seki check"
    and "seki why" say so; whom the rule does not concern gets his copy."""
    password = "    do password random-10\n" if function == "files" else ""
    office.rules(text=f"rule later\n    to external\n    file any\n    do {action}\n{password}")
    warned = office.gw.seki("check")
    assert warned.returncode == 0, warned.stderr
    assert "must/90-more:" in warned.stdout + warned.stderr, warned.stdout
    sent = office.send(letter(to=[OUTSIDER, HANAKO], files=CSV))
    leg = office.waits(sent, OUTSIDER, state, "later", *words, function=function, **keys)
    if password:
        assert next(s for s in leg.plan if s.words[:2] == list(words)).keys["password"] == "random-10"
    if function != "bcc":
        office.delivered(sent, HANAKO)
    wait_for(lambda: office.leg(sent, OUTSIDER, state).due.startswith("9999"), why=f"{leg.name} stopped")


def test_notice_is_recorded_and_makes_nothing_wait(office: Office) -> None:
    """What says only when a sender is told of a hold is no reason to wait."""
    office.rules(text="rule tell\n    to external\n    do notice always\n")
    sent = office.send(letter())
    leg = office.delivered(sent, OUTSIDER)
    assert [d.keys["rule"] for d in leg.decided("notice")] == [office.where("tell")]
    office.why(sent, "notice", "tell")
