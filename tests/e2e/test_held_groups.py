"""Copies of one message that a cloud hands in one by one for each recipient (C6): one notice, one line in the list, one
decision for all of them; nothing is merged, and each copy leaves to its own recipient."""
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import make_msgid

import pytest

from conftest import wait_for
from examples_kit import letter
from held_kit import ALICE, BOSS, HOUR, Desk, at, desk_open, draft_of, words

TRACE = b"Received: from mail-%d.cloud.example by relay.cloud.example; Mon, 23 Nov 2026 10:00:0%d +0900\r\n"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with desk_open() as made:
        yield made


def copies(desk: Desk, subject: str, rcpts: list[str], **more) -> list[str]:
    """The ids of one letter's copies, each with its own trace fields on top."""
    mail = one(subject, rcpts, **more)
    return [desk.send(TRACE % (n, n) + mail.as_bytes(), to=rcpt) for n, rcpt in enumerate(rcpts)]


def one(subject: str, rcpts: list[str], **more) -> EmailMessage:
    mail = letter(subject=subject, sender=ALICE, to=rcpts, **more)
    mail.replace_header("Message-ID", make_msgid(domain="cloud.example"))
    return mail


def all_in(desk: Desk, sent: list[str], state: str) -> None:
    for one_ in sent:
        desk.rests(one_, state)


def test_C6_one_notice_one_line_one_decision(desk: Desk) -> None:
    """C6: three copies; the sender hears once, sees them as one, and sends all of them by one click."""
    rcpts = [at("hour", who) for who in "abc"]
    sent = copies(desk, "三人へ", rcpts)
    for one_, rcpt in zip(sent, rcpts):
        desk.held(one_, rcpt, HOUR, "hour")
        desk.noticed(one_, "hold")
    told = [r for one_ in sent for r in desk.noticed(one_, "hold")]
    assert sorted(r.get("reason", "told") for r in told) == ["copy", "copy", "told"]
    notice = desk.told(ALICE, "[配送保留]", "三人へ")
    (line,) = [m for m in desk.asks(ALICE, "list")["mails"] if m["subject"] == "三人へ"]
    assert line["copies"] == 3
    shown = desk.asks(desk.page(notice), "show")["legs"]
    assert sorted(r["address"] for leg in shown for r in leg["recipients"]) == rcpts
    assert sorted(leg["copy"] for leg in shown) == [False, True, True]
    done = desk.asks(desk.page(notice), "act", word="release")
    assert done["result"] == "done" and len(done["legs"]) == 3
    all_in(desk, sent, "sent")
    for one_, rcpt, n in zip(sent, rcpts, range(3)):
        got = desk.got(one_)
        assert list(got) == [rcpt] and TRACE % (n, n) in got[rcpt]  # its own copy, and nobody else's


def test_C6_thrown_away_all_of_them(desk: Desk) -> None:
    """C6, S2-08: nobody gets any; brought back, all of them wait again."""
    rcpts = [at("hour", who) for who in "abc"]
    sent = copies(desk, "三人とも破棄", rcpts)
    for one_, rcpt in zip(sent, rcpts):
        desk.held(one_, rcpt, HOUR, "hour")
    desk.does(ALICE, "discard", sent[1])
    all_in(desk, sent, "trash")
    drafts = wait_for(lambda: desk.letters(ALICE, "[メール返却]", "三人とも破棄"))
    assert all(draft_of(d).startswith(b"X-Unsent: 1\r\n") for d in drafts)
    desk.later(2 * HOUR)
    assert not any(desk.got(one_) for one_ in sent)
    desk.does(ALICE, "restore", sent[0])
    all_in(desk, sent, "hold")
    desk.does(ALICE, "discard", sent[2])
    all_in(desk, sent, "trash")


def test_C6_one_approval_for_all(desk: Desk) -> None:
    """C6: the boss is asked once, and his vote is for each copy."""
    rcpts = [at("boss", who) for who in "abc"]
    sent = copies(desk, "三人の承認", rcpts)
    for one_, rcpt in zip(sent, rcpts):
        desk.leg(one_, rcpt, "approve")
        desk.noticed(one_, "request")
    request = desk.told(BOSS, "[承認依頼]", "三人の承認")
    done = desk.asks(desk.page(request), "act", word="approve", reason="ok")
    assert done["result"] == "done" and len(done["legs"]) == 3
    all_in(desk, sent, "sent")
    for one_, rcpt in zip(sent, rcpts):
        assert desk.record(one_, "vote")["by"] == BOSS and list(desk.got(one_)) == [rcpt]
    # Decided once: its sender hears once of it, or once a copy, but never of something else.
    results = wait_for(lambda: desk.letters(ALICE, "[保留結果]", "三人の承認"))
    assert all("メールが承認されました。" in words(r) for r in results)


def test_C6_N12_one_recipient_out_of_all_headers(desk: Desk) -> None:
    """C6, N12: the copy to who was written to by mistake is thrown away, and the other copies do not name him."""
    rcpts = [at("hour", who) for who in ("a", "b", "wrong")]
    sent = copies(desk, "一人は違う", rcpts)
    for one_, rcpt in zip(sent, rcpts):
        desk.held(one_, rcpt, HOUR, "hour")
    desk.does(ALICE, "remove", sent[0], rcpt=rcpts[2])
    desk.rests(sent[2], "trash")
    desk.does(ALICE, "release", sent[0])
    for one_, rcpt in zip(sent[:2], rcpts):
        desk.rests(one_, "sent")
        assert b"wrong@" not in desk.got(one_)[rcpt]
    assert not desk.got(sent[2])


def test_C6_what_is_another_letter_is_decided_alone(desk: Desk) -> None:
    """C6: the same Message-ID with another content is no copy; and a copy that comes after the decision waits by itself."""
    rcpts = [at("hour", who) for who in "ab"]
    mail = one("後から", rcpts)
    first = desk.send(TRACE % (1, 1) + mail.as_bytes(), to=rcpts[0])
    other = letter(subject="後から", sender=ALICE, to=rcpts, body="別の本文です。\n")
    other.replace_header("Message-ID", mail["Message-ID"])
    second = desk.send(other.as_bytes(), to=rcpts[1])
    for one_, rcpt in ((first, rcpts[0]), (second, rcpts[1])):
        desk.held(one_, rcpt, HOUR, "hour")
    desk.does(ALICE, "release", first)
    desk.rests(first, "sent")
    assert desk.states(second) == {"hold"} and not desk.got(second)
    late = desk.send(TRACE % (2, 2) + mail.as_bytes(), to=rcpts[1])
    desk.held(late, rcpts[1], HOUR, "hour")
    assert not desk.got(late)
    for one_ in (second, late):
        desk.does(ALICE, "discard", one_)
