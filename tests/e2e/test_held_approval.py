"""Approvals under the virtual clock: by the boss, by somebody named, by any of a group and never the sender, by two of them,
one after another; with comments, deputies, absences, escalation and expiry in working hours; and the urgent way."""
from collections.abc import Iterator
from datetime import timedelta

import pytest

from conftest import wait_for
from examples_kit import Leg, letter
from held_kit import (
    ALIAS, ALICE, BOB, BOSS, CAROL, CHIEF, DAVE, DEPUTY, ERIN, HOUR, INFO, MINUTE, Desk, at, desk_open, draft_of, shown_time,
    words)
from test_spool_kit import put


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with desk_open(settings={"urgent-per-week": "2"}) as made:
        yield made


def asked(desk: Desk, sent: str) -> set[str]:
    """To whom requests went."""
    return {r["to"] for r in desk.noticed(sent, "request")}


# ---- who approves --------------------------------------------------------------------------------


def test_S0_36_S1_15a_by_the_boss(desk: Desk) -> None:
    """S0-36, S1-09, S1-15a: his boss is asked by mail and approves behind its link; nobody else does, and no release of the
    sender's goes round it; he is told."""
    sent = desk.mail("boss", subject="承認その一")
    desk.leg(sent, at("boss"), "approve")
    told = desk.told(ALICE, "[配送保留]", "承認その一")
    assert "※承認を待っています。承認されるまで配送されません\n" in words(told)
    request = desk.told(BOSS, "[承認依頼]", "承認その一")
    assert f"[差出人] {ALICE}\n" in words(request) and at("boss") in words(request)
    assert asked(desk, sent) == {BOSS}
    for who in (BOB, CAROL, DEPUTY, CHIEF):
        desk.may_not(who, "approve", sent)
    for word in ("release", "approve", "check", "extend"):
        answer = desk.asks(desk.page(told), "act", word=word, **({"until": "2099-01-01T00:00:00.000000Z"} if word == "extend" else {}))
        assert answer["result"] in ("no", "forbidden"), (word, answer)
    desk.later(3 * HOUR)
    assert desk.states(sent) == {"approve"} and not desk.got(sent)
    assert desk.asks(desk.page(request), "act", word="approve", reason="よい見積です")["result"] == "done"
    desk.rests(sent, "sent")
    result = words(desk.told(ALICE, "[保留結果]", "承認その一"))
    assert "メールが承認されました。\n" in result and BOSS in result and "よい見積です" in result
    assert set(desk.got(sent)) == {at("boss")}
    late = desk.asks(desk.page(request), "act", word="reject")
    assert late["result"] == "gone" and late["last"]["by"] == BOSS


def test_S1_17_any_of_a_group_and_never_the_sender(desk: Desk) -> None:
    """S1-17: any colleague; the sender is none, by whichever of his addresses he writes or comes."""
    for n, sender in enumerate((ALICE, ALIAS, f"alice+tag@{ALICE.partition('@')[2]}")):
        sent = desk.mail("any", subject=f"誰でも{n}", sender=sender)
        desk.leg(sent, at("any"), "approve")
        wait_for(lambda: asked(desk, sent) == {BOB, CAROL, DAVE}, why=f"{asked(desk, sent)}")
        assert desk.letters(ALICE, "[承認依頼]", f"誰でも{n}") == []
        for who in (ALICE, ALIAS):
            desk.may_not(who, "approve", sent)
            assert "approve" not in desk.can(who, sent)
        desk.does((BOB, CAROL, DAVE)[n], "approve", sent)
        desk.rests(sent, "sent")


def test_S1_29_by_somebody_named_with_feedback(desk: Desk) -> None:
    """S1-29, S1-26a, S1-27: who was named returns it with a comment; the draft comes back with it, and what is sent again is
    approved."""
    raw = letter(subject="書き方", sender=ALICE, to=at("named")).as_bytes()
    sent = desk.send(raw)
    desk.leg(sent, at("named"), "approve")
    wait_for(lambda: asked(desk, sent) == {CAROL}, why="asked")
    desk.does(CAROL, "return", sent, reason="敬語を直してください")
    desk.rests(sent, "trash")
    draft = desk.told(ALICE, "[メール返却]", "書き方")
    assert "お送りになったメールは差し戻されました。" in words(draft) and "敬語を直してください" in words(draft)
    assert draft_of(draft) == b"X-Unsent: 1\r\n" + raw
    again = desk.send(letter(subject="書き方を直した", sender=ALICE, to=at("named")))
    desk.leg(again, at("named"), "approve")
    desk.does(CAROL, "approve", again)
    desk.rests(again, "sent")
    assert not desk.got(sent)


def test_S2_13_a_leader_rejects(desk: Desk) -> None:
    """S2-13: nobody gets it; its sender and who else was asked are told by whom and why; brought back it is asked anew."""
    sent = desk.mail("any", subject="却下")
    desk.leg(sent, at("any"), "approve")
    desk.noticed(sent, "request", 3)
    desk.does(BOB, "reject", sent, reason="wrong price")
    desk.rests(sent, "trash")
    assert "お送りになったメールは承認されませんでした。" in words(desk.told(ALICE, "[メール返却]", "却下"))
    for who in (CAROL, DAVE):
        assert "wrong price" in words(desk.told(who, "[保留結果]", "却下"))
    assert desk.letters(BOB, "[Result]", "却下") == []
    late = desk.acts(CAROL, "approve", sent)
    assert late["result"] in ("no", "gone") and late["last"]["by"] == BOB
    desk.does(ALICE, "restore", sent)
    desk.rests(sent, "approve")
    wait_for(lambda: len(desk.letters(CAROL, "[承認依頼]", "却下")) == 2, why="asked again")
    desk.does(CAROL, "approve", sent)
    desk.rests(sent, "sent")


def test_S0_36_two_of_a_group(desk: Desk) -> None:
    """n of m: two different people; one of them counts once."""
    sent = desk.mail("two", subject="二人")
    desk.leg(sent, at("two"), "approve")
    desk.does(BOB, "approve", sent)
    desk.may_not(BOB, "approve", sent)
    assert desk.states(sent) == {"approve"} and not desk.got(sent)
    assert desk.gw.seki("list", "approve").stdout.rstrip().endswith("1/2")
    desk.may_not(ALICE, "approve", sent)
    desk.does(DAVE, "approve", sent)
    desk.rests(sent, "sent")
    assert set(desk.record(sent, "approved")["by"].split(",")) == {BOB, DAVE}


def test_S0_36_one_after_another(desk: Desk) -> None:
    """In sequence: the boss is asked when a colleague has approved, and reads what that one said."""
    sent = desk.mail("then", subject="順番に")
    desk.leg(sent, at("then"), "approve")
    desk.noticed(sent, "request", 3)
    desk.may_not(BOSS, "approve", sent)
    assert desk.letters(BOSS, "[承認依頼]", "順番に") == []
    desk.does(DAVE, "approve", sent, reason="金額は確認済み")
    request = desk.told(BOSS, "[承認依頼]", "順番に")
    assert "金額は確認済み" in words(request) and desk.states(sent) == {"approve"}
    desk.may_not(CAROL, "approve", sent)
    desk.does(BOSS, "approve", sent)
    desk.rests(sent, "sent")


def test_S1_15a_behind_the_approval_the_hold(desk: Desk) -> None:
    """S1-15a: both wait side by side: approved within two hours it still waits for their end, and the sender may shorten
    the hold, not the approval."""
    sent = desk.mail("both", subject="両方")
    leg = desk.leg(sent, at("both"), "approve")
    desk.may_not(ALICE, "release", sent)
    desk.later(HOUR)
    desk.does(BOSS, "approve", sent)
    desk.rests(sent, "hold")
    assert desk.leg(sent, at("both"), "hold").until() == leg.until()
    desk.later(int((leg.until() - desk.now()).total_seconds()) - 1)
    assert desk.states(sent) == {"hold"}
    desk.rests(sent, "sent")


def test_S1_26b_who_checked_stands_in_the_mail(desk: Desk) -> None:
    """S1-26a, S1-26b: the customer reads at its end by whom and when it was checked."""
    sent = desk.mail("history", subject="確認済み")
    desk.leg(sent, at("history"), "approve")
    desk.may_not(DAVE, "approve", sent)
    desk.does(CAROL, "approve", sent, reason="internal words")
    desk.rests(sent, "sent")
    mail = desk.mail_of(sent, at("history"))
    text = mail.get_body().get_content()
    assert "この電子メールは送信前に次のとおり確認されました。" in text and CAROL in text and "internal words" not in text
    assert "(UTC+09:00)" in text


def test_S1_15a_a_vote_counts_for_its_own_mail_alone(desk: Desk) -> None:
    """S1-15a: it names a plan, a content and a stage: copied into another mail it is no vote there."""
    first, second = desk.mail("two", subject="一通目"), desk.mail("two", subject="二通目")
    for sent in (first, second):
        desk.leg(sent, at("two"), "approve")
        desk.noticed(sent, "request", 3)
        desk.does(CAROL, "approve", sent)
    desk.gw.svc("-wD", "-d", "seki-hold")
    try:
        leg = desk.leg(second, at("two"), "approve")
        of_first, of_second = vote_in(desk.leg(first, at("two"), "approve")), vote_in(leg)
        content, plan = (of_second.split(key)[1].split()[0] for key in (b"content=", b"plan="))
        assert content != of_first.split(b"content=")[1].split()[0]
        by_dave = of_second.replace(CAROL.encode(), DAVE.encode())
        wrong = [of_first.replace(CAROL.encode(), DAVE.encode()), by_dave.replace(b"step=1", b"step=2"),
                 by_dave.replace(content, b"0" * 16), by_dave.replace(plan, b"0" * 16)]
        data = leg.path.read_bytes()
        leg.path.unlink()
        put(desk.gw, "approve", leg.name, data + b"".join(line + b"\n" for line in wrong))
    finally:
        desk.gw.svc("-wU", "-u", "seki-hold")
    assert desk.asks(ALICE, "show", id=second)["legs"][0]["approval"]["stages"][0]["yes"] == 1
    assert desk.states(second) == {"approve"}
    for sent in (first, second):
        desk.does(DAVE, "approve", sent)
        desk.rests(sent, "sent")


def vote_in(leg: Leg) -> bytes:
    (line,) = [line for line in leg.path.read_bytes().splitlines() if b" vote plan=" in line]
    return line


# ---- who is away, and what nobody answers --------------------------------------------------------


def test_C9_the_deputy_of_who_is_away(desk: Desk) -> None:
    """C9: while the boss is away his deputy is asked, too, and approves for him; before that he may not."""
    desk.morning()
    sent = desk.mail("boss", subject="不在")
    desk.leg(sent, at("boss"), "approve")
    desk.told(BOSS, "[承認依頼]", "不在")
    desk.may_not(DEPUTY, "approve", sent)
    until = (desk.now() + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert desk.asks(BOSS, "absent", until=until)["result"] == "done"
    request = desk.told(DEPUTY, "[承認依頼]", "不在")
    assert f"{BOSS} さんの代理としてのお願いです。" in words(request)
    assert desk.asks(desk.page(request), "act", word="approve")["result"] == "done"
    desk.rests(sent, "sent")
    vote = desk.record(sent, "vote")
    assert vote["by"] == DEPUTY and vote["for"] == BOSS
    # He is back: nobody stands in for him.
    desk.later(4 * HOUR)
    desk.asks(BOSS, "absent", clear="yes")
    other = desk.mail("boss", subject="戻った")
    desk.leg(other, at("boss"), "approve")
    desk.told(BOSS, "[承認依頼]", "戻った")
    desk.may_not(DEPUTY, "approve", other)
    desk.does(BOSS, "approve", other)


def test_C9_escalated_in_working_hours(desk: Desk) -> None:
    """C9: after four working hours deputies and the boss's boss are asked; evenings and weekends do not count."""
    day = desk.morning()
    while day.weekday() != 4:
        day = desk.morning()
    desk.at(day.replace(hour=16))
    sent = desk.mail("boss", subject="金曜の夕方")
    desk.leg(sent, at("boss"), "approve")
    desk.told(BOSS, "[承認依頼]", "金曜の夕方")
    # Two hours on Friday, two on Monday: 11:00.
    for moment_ in (day.replace(hour=21), day + timedelta(days=1, hours=4), day.replace(hour=10, minute=55) + timedelta(days=3)):
        desk.at(moment_)
        desk.may_not(DEPUTY, "approve", sent)
        desk.may_not(CHIEF, "approve", sent)
        assert desk.letters(DEPUTY, "[承認依頼]", "金曜の夕方") == []
    desk.at(day.replace(hour=11, minute=1) + timedelta(days=3))
    for who in (DEPUTY, CHIEF):
        assert "はじめにお願いした方から応答がないため" in words(desk.told(who, "[承認依頼]", "金曜の夕方"))
    assert asked(desk, sent) == {BOSS, DEPUTY, CHIEF}
    desk.does(CHIEF, "approve", sent)
    desk.rests(sent, "sent")


def test_C9_expired_it_waits_on_with_an_alarm(desk: Desk) -> None:
    """C9: after sixteen working hours without an answer, approve-expiry wait: nothing is thrown away or sent, an alarm is
    logged once, and it can still be approved."""
    desk.morning()
    sent = desk.mail("boss", subject="二日")
    desk.leg(sent, at("boss"), "approve")
    desk.noticed(sent, "request")
    desk.later(15 * 24 * HOUR)
    desk.gw.wait_log("seki-hold", f"event=approval-expired alarm=yes id={sent}")
    assert desk.states(sent) == {"approve"} and not desk.got(sent)
    assert desk.letters(ALICE, "[期限間近]", "二日") == []
    desk.does(BOSS, "approve", sent)
    desk.rests(sent, "sent")


def test_C9_expired_it_is_thrown_away_warned_before(desk: Desk) -> None:
    """C9: approve-expiry discard: sender and approver are warned two working hours ahead; at the end it is thrown away, and
    comes back as a draft. Never sent, never silently gone."""
    desk.gw.setting(approve_expiry="discard")
    assert desk.gw.seki("reload").returncode == 0
    try:
        day = desk.morning(hour=9)
        while day.weekday() != 0:
            day = desk.morning(hour=9)
        sent = desk.mail("boss", subject="期限切れ")
        leg = desk.leg(sent, at("boss"), "approve")
        # Sixteen hours, nine a day: Tuesday 16:00.
        end = leg.accepted() + timedelta(days=1, hours=7)
        request = desk.told(BOSS, "[承認依頼]", "期限切れ")
        assert end - timedelta(minutes=2) < desk.now() + timedelta(days=1, hours=7)
        assert f"[期限] {shown_time(end)[:16]}" in words(request)
        desk.at(day.replace(hour=13, minute=55) + timedelta(days=1))
        assert desk.letters(ALICE, "[期限間近]", "期限切れ") == []
        desk.at(day.replace(hour=14, minute=2) + timedelta(days=1))
        for who in (ALICE, BOSS):
            assert "承認を待っているメールの期限が近づいています。" in words(desk.told(who, "[期限間近]", "期限切れ"))
        assert desk.states(sent) == {"approve"}
        desk.at(day.replace(hour=16, minute=2) + timedelta(days=1))
        desk.rests(sent, "trash")
        assert desk.record(sent, "discarded")["cause"] == "expired"
        assert "期限までに承認されなかったため破棄されました。" in words(desk.told(ALICE, "[メール返却]", "期限切れ"))
        assert "期限までに承認されなかったため" in words(desk.told(BOSS, "[保留結果]", "期限切れ"))
        assert not desk.got(sent)
    finally:
        desk.gw.setting(approve_expiry="wait")
        assert desk.gw.seki("reload").returncode == 0


# ---- urgent --------------------------------------------------------------------------------------


def test_N14_urgent_with_a_reason_and_reviewed_later(desk: Desk) -> None:
    """N14: the sender sends at once and says why; who would have been asked gets the mail, and reviews it; so often a week,
    no more, and it stands in the audit log."""
    sent = desk.mail("boss", subject="緊急")
    desk.leg(sent, at("boss"), "approve")
    assert "urgent" in desk.can(ALICE, sent) and "urgent" not in desk.can(BOSS, sent)
    desk.may_not(ALICE, "urgent", sent)  # no reason
    desk.may_not(BOB, "urgent", sent, reason="x")
    desk.does(ALICE, "urgent", sent, reason="先方の障害対応")
    desk.rests(sent, "sent")
    assert set(desk.got(sent)) == {at("boss")}
    letter_ = desk.told(BOSS, "[緊急送信]", "緊急")
    assert "[緊急の理由] 先方の障害対応" in words(letter_) and "承認を待たずに" in words(letter_)
    assert any(p.get_content_type() == "message/rfc822" for p in letter_.walk())
    (review,) = desk.asks(BOSS, "review")["reviews"]
    assert review["leg"] == f"{sent}.1" and review["by"] == ALICE and review["verdict"] == "open"
    assert desk.asks(DAVE, "review", id=f"{sent}.1", verdict="fine")["result"] != "done"
    assert desk.asks(BOSS, "review", id=f"{sent}.1", verdict="fine", comment="了解")["result"] == "done"
    (done,) = desk.asks(BOSS, "review")["reviews"]
    assert (done["verdict"], done["who"], done["comment"]) == ("fine", BOSS, "了解")

    def log() -> str:
        return desk.gw.seki("audit", "show", "--id", sent).stdout
    wait_for(lambda: "\turgent\t" in log() or "urgent" in log(), why="the audit log")
    (line,) = [line for line in log().splitlines() if "urgent" in line.split("\t")[3]]
    assert "先方の障害対応" in line and ALICE in line
    second, third = desk.mail("boss", subject="緊急二"), desk.mail("boss", subject="緊急三")
    for n in (second, third):
        desk.leg(n, at("boss"), "approve")
    desk.does(ALICE, "urgent", second, reason="again")
    answer = desk.may_not(ALICE, "urgent", third, reason="again")
    assert "urgent-per-week" in str(answer)
    desk.later(8 * 24 * HOUR)
    desk.does(ALICE, "urgent", third, reason="next week")
    desk.rests(third, "sent")
