"""What the sender of held mail can do, and how holds end, under the virtual clock: sent when the time is over, confirmed,
thrown away if nobody acts, released in the morning; sent now, thrown away, cut by one recipient, held for longer."""
import email
import email.policy
from collections.abc import Iterator
from datetime import timedelta

import pytest

from conftest import wait_for
from examples_kit import TOKYO, letter, moment
from held_kit import ALICE, BOB, DAY, HOUR, MINUTE, Desk, at, desk_open, draft_of, shown_time, words


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with desk_open() as made:
        yield made


def left_at(desk: Desk, sent: str) -> float:
    """How many seconds after the end of its hold it was let go."""
    leg = wait_for(lambda: [x for x in desk.legs(sent) if x.state == "sent"], why=f"{sent} sent")[0]
    held = leg.record("held")
    return (moment(held.words[0]) - leg.until()).total_seconds()


# ---- it is sent when the time is over ------------------------------------------------------------


def test_S2_07_S2_15_S3_06_five_minutes_and_not_a_second_more(desk: Desk) -> None:
    """S0-06, S2-07, S2-15, S2-27, S3-06: with no action it leaves within a second of its time, and no earlier."""
    sent = desk.mail("five")
    leg = desk.held(sent, at("five"), 5 * MINUTE, "five")
    assert desk.record(sent, "held") is None
    left = (leg.until() - desk.now()).total_seconds()
    desk.later(int(left) - 1)
    assert desk.asks(ALICE, "show", id=sent)["legs"][0]["state"] == "held" and not desk.got(sent)
    desk.rests(sent, "sent")
    assert 0 <= left_at(desk, sent) < 1
    assert desk.record(sent, "held")["ended"] == "due"
    assert set(desk.got(sent)) == {at("five")}


def test_S0_10_what_waits_survives_a_restart(desk: Desk) -> None:
    """S0-10, S3-05: it stands on the gateway's disk; its time goes on while the program is down, and it leaves at the
    next start."""
    sent = desk.mail("five")
    leg = desk.held(sent, at("five"), 5 * MINUTE, "five")
    desk.gw.svc("-wD", "-d", "seki-hold")
    try:
        desk.later(6 * MINUTE)
        assert leg.path.exists() and not desk.got(sent)
    finally:
        desk.gw.svc("-wU", "-u", "seki-hold")
    desk.rests(sent, "sent")


def test_hold_until_the_morning_of_a_workday(desk: Desk) -> None:
    """S0-08: until 09:00 of the next workday, by the site's clock; the notice says that time."""
    sent = desk.mail("morning", subject="朝まで")
    leg = desk.leg(sent, at("morning"), "hold")
    nine = leg.until().astimezone(TOKYO).replace(tzinfo=None)
    today = desk.local().replace(hour=0, minute=0, second=0, microsecond=0)
    assert nine == today + timedelta(days=1, hours=9)
    notice = desk.told(ALICE, "[配送保留]", "朝まで")
    assert f"※保留されたメールは{nine:%Y-%m-%d} 09:00:00 +0900に、自動的に配送されます\n" in words(notice)
    desk.does(ALICE, "discard", sent)


# ---- it waits for the sender ---------------------------------------------------------------------


def test_S3_07_never_sent_until_confirmed(desk: Desk) -> None:
    """S3-07, S0-08: no time ends it; its sender's word does, and then it leaves at once."""
    sent = desk.mail("confirm", subject="確認してから")
    desk.leg(sent, at("confirm"), "hold")
    notice = desk.told(ALICE, "[配送保留]", "確認してから")
    assert "※保留されたメールは、内容が確認されるまで配送されません\n" in words(notice) and "自動的に配送" not in words(notice)
    desk.later(10 * DAY)
    other = desk.mail("five")
    desk.held(other, at("five"), 5 * MINUTE, "five")
    desk.later(6 * MINUTE)
    desk.rests(other, "sent")  # the clocks went on
    assert desk.states(sent) == {"hold"} and not desk.got(sent)
    desk.may_not(BOB, "release", sent)
    assert desk.asks(desk.page(notice), "act", word="confirm")["result"] == "done"
    desk.rests(sent, "sent")
    assert desk.record(sent, "held")["ended"] == "confirmed"


def test_S2_16_thrown_away_if_nobody_acts_warned_first(desk: Desk) -> None:
    """S0-06: not sent, but warned of a day ahead, thrown away after three, and back as a draft.
    Feature 3.4: the end that deletes."""
    raw = letter(subject="忘れられた", sender=ALICE, to=at("lost")).as_bytes()
    sent = desk.send(raw)
    leg = desk.leg(sent, at("lost"), "hold")
    end = leg.accepted() + timedelta(days=3)
    notice = desk.told(ALICE, "[配送保留]", "忘れられた")
    assert f"※{shown_time(end)}までに操作がなければ破棄されます" in words(notice)
    desk.later(2 * DAY - 5 * MINUTE)
    assert desk.letters(ALICE, "[期限間近]", "忘れられた") == []
    desk.later(6 * MINUTE)
    warning = desk.told(ALICE, "[期限間近]", "忘れられた")
    assert f"[期限] {shown_time(end)}\n" in words(warning)
    assert desk.asks(desk.page(warning), "show")["legs"][0]["state"] == "held"
    desk.later(DAY)
    desk.rests(sent, "trash")
    assert desk.record(sent, "discarded")["cause"] == "not-confirmed"
    draft = desk.told(ALICE, "[メール返却]", "忘れられた")
    assert "期限までに確認されなかったため破棄されました。下記の宛先には配送されていません。" in words(draft)
    assert draft_of(draft) == b"X-Unsent: 1\r\n" + raw and not desk.got(sent)
    desk.does(ALICE, "restore", sent)
    desk.rests(sent, "hold")
    assert desk.leg(sent, at("lost"), "hold").step("hold").keys["discard"] == "confirmed"
    desk.does(ALICE, "release", sent)
    desk.rests(sent, "sent")


def test_a_time_that_throws_away(desk: Desk) -> None:
    """S0-06: "hold 2d else discard": what its sender releases in time is sent, the other is not, at its very time."""
    first, second = desk.mail("ends", subject="期限その一"), desk.mail("ends", subject="期限その二")
    ends = {sent: desk.leg(sent, at("ends"), "hold").accepted() + timedelta(days=2) for sent in (first, second)}
    for subject in ("期限その一", "期限その二"):
        desk.told(ALICE, "[配送保留]", subject)
    desk.does(ALICE, "release", first)
    desk.rests(first, "sent")
    desk.later(DAY + MINUTE)
    desk.told(ALICE, "[期限間近]", "期限その二")
    desk.later(int((ends[second] - desk.now()).total_seconds()) - 1)
    assert desk.states(second) == {"hold"}
    desk.rests(second, "trash")
    assert 0 <= (moment(desk.record(second, "discarded")["at"]) - ends[second]).total_seconds() < 1
    assert desk.letters(ALICE, "[期限間近]", "期限その一") == []


# ---- what the sender does ------------------------------------------------------------------------


def test_S2_27_sent_now(desk: Desk) -> None:
    """S2-27: by the link in the notice; afterwards there is no more to do, and he is told so."""
    sent = desk.mail("hour", subject="今すぐ")
    page = desk.page(desk.told(ALICE, "[配送保留]", "今すぐ"))
    assert {"release", "discard", "extend"} <= set(desk.asks(page, "show")["legs"][0]["can"])
    assert desk.asks(page, "act", word="release")["result"] == "done"
    desk.rests(sent, "sent")
    for word in ("discard", "release", "remove", "extend", "restore"):
        keys = {"remove": {"rcpt": at("hour")}, "extend": {"until": "2099-01-01T00:00:00.000000Z"}}.get(word, {})
        late = desk.asks(page, "act", word=word, **keys)
        assert late["result"] == "gone" and late["last"]["what"] == "held" and late["last"]["by"] == ALICE, late
    assert list(desk.got(sent)) == [at("hour")] and desk.states(sent) == {"sent"}


def test_S2_08_thrown_away_nobody_gets_it(desk: Desk) -> None:
    """S2-08, S2-27: deleted, it is not sent to anybody; its sender has it back as it was, to be opened as a draft; it
    stays in trash/, and brought back it waits anew."""
    raw = letter(subject="間違い", sender=ALICE, to=[at("hour"), at("hour", "q")], files=[("表.csv", b"a,b\r\n")]).as_bytes()
    sent = desk.send(raw)
    desk.held(sent, at("hour"), HOUR, "hour")
    desk.later(50 * MINUTE)
    desk.does(ALICE, "discard", sent, reason="宛先が違う")
    draft = desk.told(ALICE, "[メール返却]", "間違い")
    content = draft_of(draft)
    # Byte for byte what was handed in: our own Received is not in it.
    assert content == b"X-Unsent: 1\r\n" + raw
    assert email.message_from_bytes(content, policy=email.policy.default)["Subject"] == "間違い"
    assert "お送りになったメールは破棄されました。" in words(draft) and "宛先が違う" in words(draft)
    desk.later(DAY)
    assert desk.states(sent) == {"trash"} and not desk.got(sent)
    desk.does(ALICE, "restore", sent)
    wait_for(lambda: desk.states(sent) == {"hold"}, why="it waits again")
    leg = desk.leg(sent, at("hour"), "hold")
    assert timedelta(0) <= desk.now() + timedelta(hours=1) - leg.until() < timedelta(minutes=1)
    desk.later(HOUR + MINUTE)
    desk.rests(sent, "sent")
    assert set(desk.got(sent)) == {at("hour"), at("hour", "q")}


def test_N12_S2_16_one_recipient_less(desk: Desk) -> None:
    """N12, S2-16: a person who has nothing to do with it is taken out; the others get it, and none of their copies names
    him, whichever leg of the message they are in."""
    to, cc = [at("hour"), at("five"), at("hour", "wrong")], [at("confirm"), BOB]
    mail = letter(subject="関係のない人", sender=ALICE, to=to, cc=cc)
    mail["Reply-To"] = ALICE
    sent = desk.send(mail)
    for rcpt in (*to, at("confirm")):
        desk.leg(sent, rcpt, "hold")
    desk.delivered(sent, BOB)
    done = desk.does(ALICE, "remove", sent, rcpt=at("hour", "wrong"))
    assert {one["result"] for one in done["legs"]} <= {"done", "no"}
    shown = {r["address"]: r["fate"] for one in desk.asks(ALICE, "show", id=sent)["legs"] for r in one["recipients"]}
    assert shown[at("hour", "wrong")] == "removed" and shown[at("hour")] == "open"
    desk.does(ALICE, "release", sent)
    desk.rests(sent, "sent")
    got = desk.got(sent)
    assert set(got) == {at("hour"), at("five"), at("confirm"), BOB}
    for rcpt in (at("hour"), at("five"), at("confirm")):
        copy = email.message_from_bytes(got[rcpt], policy=email.policy.default)
        assert b"wrong@" not in got[rcpt], rcpt
        assert copy["Subject"] == "関係のない人" and at("hour") in copy["To"] and at("confirm") in copy["Cc"]
    # What has left before is as it was written.
    assert b"wrong@hour.example" in got[BOB]


def test_N12_the_last_recipient_is_a_discard(desk: Desk) -> None:
    """N12: nobody is left: then it is thrown away, and its sender has it back."""
    sent = desk.mail("hour", subject="一人だけ")
    desk.held(sent, at("hour"), HOUR, "hour")
    desk.does(ALICE, "remove", sent, rcpt=at("hour"))
    desk.rests(sent, "trash")
    draft_of(desk.told(ALICE, "[メール返却]", "一人だけ"))
    desk.later(2 * HOUR)
    assert not desk.got(sent) and desk.states(sent) == {"trash"}


def test_S2_16_held_for_longer(desk: Desk) -> None:
    """S2-16: who needs more time to look takes it; never less."""
    sent = desk.mail("five", subject="もう少し")
    leg = desk.held(sent, at("five"), 5 * MINUTE, "five")
    stamp = (leg.until() + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    desk.may_not(BOB, "extend", sent, until=stamp)
    earlier = (leg.until() - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert desk.acts(ALICE, "extend", sent, until=earlier)["result"] == "no"
    desk.does(ALICE, "extend", sent, until=stamp)
    desk.later(20 * MINUTE)
    assert "extend" in desk.can(ALICE, sent) and desk.states(sent) == {"hold"}
    desk.later(int((moment(stamp) - desk.now()).total_seconds()) - 1)
    assert desk.states(sent) == {"hold"}
    desk.rests(sent, "sent")
    assert 0 <= (moment(desk.record(sent, "held")["at"]) - moment(stamp)).total_seconds() < 1


def test_S2_13_an_operator_holds_what_no_sender_may_release(desk: Desk) -> None:
    """S2-13: what waits for an operator its sender can throw away, and not release."""
    sent = desk.mail("operator", subject="管理者へ")
    leg = desk.leg(sent, at("operator"), "hold")
    assert desk.can(ALICE, sent) >= {"discard"} and "release" not in desk.can(ALICE, sent)
    desk.may_not(ALICE, "release", sent)
    assert desk.gw.seki("release", leg.name, "--reason", "fine").returncode == 0
    desk.rests(sent, "sent")
