"""Shared mailboxes (C10): nobody logs in as one; whoever has it acts for it, and reads its notices there."""
from collections.abc import Iterator

import pytest

from door_kit import PASSWORDS, user
from examples_kit import letter
from held_kit import ALICE, BOB, BOSS, CAROL, DAVE, INFO, Desk, at, desk_open, draft_of


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with desk_open(settings={"smtp-rate": "100000", "auth-delay": "0s"}, submission=True) as made:
        for login, password in PASSWORDS.items():
            assert made.gw.seki("passwd", login, stdin=password + "\n").returncode == 0
        yield made


def by_login(desk: Desk, login: str, sender: str, way: str, subject: str) -> str:
    """Handed in by somebody who has logged in; its id."""
    raw = letter(subject=subject, sender=sender, to=at(way)).as_bytes().removesuffix(b"\r\n")
    with user(desk.gw, login) as door:
        said = door.mail(raw, sender.encode(), at(way).encode())
    assert said.startswith(b"250 "), said
    return next(w for w in said.decode().split() if len(w) == 32 and set(w) <= set("0123456789abcdef"))


def test_C10_each_of_its_members_is_its_sender(desk: Desk) -> None:
    """C10: the notice goes to the mailbox, where they read it; each of them releases, throws away, brings back, and others
    do not."""
    raw = letter(subject="共有の箱", sender=INFO, to=at("hour")).as_bytes()
    sent = desk.send(raw)
    desk.held(sent, at("hour"), 3600, "hour")
    notice = desk.told(INFO, "[配送保留]", "共有の箱")
    assert desk.letters(ALICE, "", "共有の箱") == [] and desk.letters(BOB, "", "共有の箱") == []
    for who in (CAROL, BOSS):
        desk.may_not(who, "release", sent)
        assert desk.asks(who, "show", id=sent)["result"] == "forbidden"
    for who in (ALICE, BOB):
        assert {"release", "discard"} <= desk.can(who, sent)
        assert sent in str(desk.asks(who, "list"))
    desk.does(BOB, "discard", sent)
    assert draft_of(desk.told(INFO, "[メール返却]", "共有の箱")) == b"X-Unsent: 1\r\n" + raw
    late = desk.acts(ALICE, "release", sent)
    assert late["result"] in ("no", "gone") and late["last"]["by"] == BOB
    desk.does(ALICE, "restore", sent)
    desk.rests(sent, "hold")
    # The link from before it was brought back is dead; that of the new notice is whoever's has the mailbox.
    assert desk.asks(desk.page(notice), "act", word="release")["result"] == "expired"
    again = desk.told(INFO, "[配送保留]", "共有の箱", 2)
    assert desk.asks(desk.page(again), "act", word="release")["result"] == "done"
    desk.rests(sent, "sent")


def test_C10_none_of_its_members_approves_its_mail(desk: Desk) -> None:
    """C10, S1-17: any colleague but those who may have written it, when nobody knows which of them did."""
    sent = desk.mail("any", subject="箱から", sender=INFO)
    desk.leg(sent, at("any"), "approve")
    assert {r["to"] for r in desk.noticed(sent, "request", 2)} == {CAROL, DAVE}
    for who in (ALICE, BOB, INFO):
        desk.may_not(who, "approve", sent)
    desk.does(DAVE, "approve", sent)
    desk.rests(sent, "sent")


def test_C10_who_logged_in_wrote_it(desk: Desk) -> None:
    """C10, S1-17: handed in by a login, its other members are colleagues like others; that login is not."""
    sent = by_login(desk, ALICE, INFO, "any", "ログインして")
    desk.leg(sent, at("any"), "approve")
    assert {r["to"] for r in desk.noticed(sent, "request", 3)} == {BOB, CAROL, DAVE}
    desk.may_not(ALICE, "approve", sent)
    desk.does(BOB, "approve", sent)
    desk.rests(sent, "sent")


def test_S1_17_another_login_with_the_senders_address(desk: Desk) -> None:
    """S1-17: mail of alice's that bob's login handed in: neither of them approves it; both are its senders."""
    sent = by_login(desk, BOB, ALICE, "any", "代理で")
    desk.leg(sent, at("any"), "approve")
    assert {r["to"] for r in desk.noticed(sent, "request", 2)} == {CAROL, DAVE}
    for who in (ALICE, BOB):
        desk.may_not(who, "approve", sent)
        assert "discard" in desk.can(who, sent)
    desk.does(CAROL, "approve", sent)
    desk.rests(sent, "sent")
