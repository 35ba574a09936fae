"""What the sender of held mail is told to look at (S4-09, C14), what tells legs apart in a list, and copies of one message
that came one by one (C6): the records that seki-scan writes behind a plan."""
from collections.abc import Iterator

import pytest

from conftest import wait_for
from examples_kit import CARD, HANAKO, OUTSIDER, Leg, Office, letter, office_open, table

NEW = "new2@partner.example"
HOLD = "rule wait\n    to external\n    do hold 60m\n"


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    with office_open() as made:
        yield made


def checks(leg: Leg) -> list[tuple[str, str | None, str | None]]:
    found = [r for r in leg.records if r.words[1] == "check"]
    return [(r.keys["fact"], r.keys.get("rcpt"), r.keys.get("value")) for r in found]


def test_S4_09_what_is_odd_about_the_mail(office: Office) -> None:
    """S4-09: found out by seki-inspect and seki-db, though no rule asks; in order, at most five."""
    office.rules(text=HOLD)
    to = ["new@partner.example", "other@customer.example"]
    sent = office.send(letter(to=to, subject="名簿の件", body="株式会社どこか\n無関係様\n\nご確認ください。\n",
                              files=[("名簿.csv", table([CARD]))]))
    leg = office.leg(sent, to[0], "hold")
    told = checks(leg)
    assert told[0] == ("first-time", None, None)
    assert ("companies", None, "customer.example,partner.example") in told
    assert ("files", None, "名簿.csv") in told
    assert ("personal", None, "card:1") in told
    assert len(told) <= 5
    about = leg.record("about").keys
    assert about["subject"] == "名簿の件" and about["files"] == "1" and int(about["size"]) > 100


def test_S4_09_mail_that_does_not_wait_is_not_looked_at(office: Office) -> None:
    """Nobody could look at it any more."""
    office.rules(text=HOLD)
    sent = office.send(letter(to=[OUTSIDER, HANAKO], files=[("a.txt", b"x")]))
    leg = office.delivered(sent, HANAKO)
    assert checks(leg) == []
    assert [fact for fact, _, _ in checks(office.leg(sent, OUTSIDER, "hold"))][-1] == "files"


def test_C6_copies_that_came_one_by_one_are_a_group(office: Office) -> None:
    """C6: the same sender, Message-ID and content, one message for each recipient, and other trace fields on top."""
    office.rules(text=HOLD)
    groups = []
    for i, rcpt in enumerate(["a@partner.example", "b@customer.example", HANAKO]):
        mail = letter(to=["a@partner.example", "b@customer.example", HANAKO])
        mail.replace_header("Message-ID", "<one@mail.example.co.jp>")
        mail.replace_header("Date", "Mon, 23 Nov 2026 10:00:00 +0900")
        mail["X-Trace"] = str(i)
        sent = office.send(mail, to=rcpt)
        leg = office.leg(sent, rcpt)
        groups.append(leg.record("about").keys.get("group"))
    assert groups[0] and len(groups[0]) == 16 and groups[0] == groups[1]
    assert groups[2] is None  # it did not wait
    other = letter(to=["a@partner.example"], body="another\n")
    other.replace_header("Message-ID", "<one@mail.example.co.jp>")
    leg = office.leg(office.send(other), "a@partner.example", "hold")
    assert leg.record("about").keys["group"] != groups[0]


@pytest.mark.parametrize("program, reason", [("seki-db", "past"), ("seki-inspect", "facts")])
def test_law_whom_nobody_looks_at_waits_in_its_place(office: Office, program: str, reason: str) -> None:
    """What the checks alone need keeps no mail from where it waits: it is told as unknown. A rule that asks waits."""
    office.rules(text=HOLD)
    office.gw.svc("-wD", "-d", program)
    try:
        for _ in range(3):
            leg = office.held(office.send(letter()), OUTSIDER, 3600, "wait")
            assert checks(leg)[-1] == ("unknown", None, reason)
        office.rules(text=HOLD + f'rule files\n    to {NEW}\n    to first-time\n    file any\n    do refuse "x"\n')
        asked = office.send(letter(files=[("a.txt", b"x")], to=NEW))
        other = office.leg(office.send(letter()), OUTSIDER, "hold")  # goes on, though it came later
        assert checks(other)[-1][0] == "unknown"
        assert [x.state for x in office.legs(asked)] == ["new"]
    finally:
        office.gw.svc("-wU", "-u", program)
    wait_for(lambda: [x.state for x in office.legs(asked)] == ["refused"], why="refused")
