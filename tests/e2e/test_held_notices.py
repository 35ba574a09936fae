"""Who is told what of held mail, when, and in which words: S2-45 to S2-49 as the mail that arrives, the four ways of
telling, both languages, both charsets, the digest of what still waits and its quiet hours, and to whom nothing goes."""
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from conftest import wait_for
from examples_kit import OUTSIDER, letter
from held_kit import ALICE, BOB, BOSS, DEPUTY, HOUR, MINUTE, RULES, WEB, Desk, at, desk_open, shown_time, words

RELAY = "127.0.0.0/8 @example.co.jp @partner.example quota=none\n"
HOLD = """=====================================
メール配送保留のお知らせ
=====================================

現在メールが保留されています。以下のURLを参照して確認してください。

[件名] 2月の見積もりの件
[宛先]
  p@five.example  ※初めての宛先
[ご確認ください]
  ・初めて送る宛先です。アドレスに誤りはありませんか：p@five.example
[理由]
  five
[URL] {url}

※URLが折り返されている場合は1行につなげて参照してください
※保留されたメールは{until}に、自動的に配送されます

このメールはメールゲートウェイ gw.example.co.jp が自動的に送信しています。返信はできません。
"""
NIGHT = """
rule outsiders-wait
    to      @late.example
    do      hold 60m
    do      notice always

rule not-at-night
    to      @late.example
    when    19:00-09:30
    do      refuse "社外への送信は9:30から19:00までです。"
"""


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with desk_open(settings={"remind-every": "4h"}, rules=RULES + NIGHT, relay=RELAY) as made:
        yield made


# ---- the notice of a hold ------------------------------------------------------------------------


@pytest.mark.parametrize("charset", ["utf-8", "iso-2022-jp"])
def test_S2_45_S2_46_S2_47_S2_48_S2_49_as_it_arrives(desk: Desk, charset: str) -> None:
    """S2-45, S2-46, S2-47, S2-48, S2-49: subject with its prefix, title, words, fields, the link that opens it, the hint, and
    the exact time with its zone, letter by letter, in UTF-8 and by setting in ISO-2022-JP."""
    desk.gw.setting(notice_charset=charset)
    assert desk.gw.seki("reload").returncode == 0
    sent = desk.mail("five", subject="2月の見積もりの件")
    leg = desk.held(sent, at("five"), 5 * MINUTE, "five")
    desk.noticed(sent, "hold")
    n = 2 if charset == "iso-2022-jp" else 1
    notice = desk.told(ALICE, "[配送保留]", "2月の見積もりの件", n)
    assert notice["Subject"] == "[配送保留]2月の見積もりの件" and notice.get_content_charset() == charset
    assert notice["Auto-Submitted"] == "auto-generated" and notice["To"] == ALICE
    assert re.search(rb"\r\nSubject: =\?(?i:%s)\?" % charset.encode(), notice.raw)
    url = desk.page(notice)
    assert re.fullmatch(re.escape(WEB) + r"/gate/m/\?[\w-]{60}", url)
    # The history does not know of him: nothing to him was ever delivered before the second time.
    assert words(notice) == HOLD.format(url=url, until=shown_time(leg.until()))
    shown = desk.asks(url, "show")
    assert shown["id"] == sent and shown["you"]["address"] == ALICE
    desk.does(ALICE, "discard", sent)
    desk.told(ALICE, "[メール返却]", "2月の見積もりの件", n)
    desk.gw.setting(notice_charset="utf-8")
    assert desk.gw.seki("reload").returncode == 0


def test_S2_49_in_english_for_who_reads_english(desk: Desk) -> None:
    """S2-45, S2-49: by the reader's language in etc/people, whatever the mail is written in."""
    sent = desk.mail("five", subject="見積", sender=BOB)
    leg = desk.held(sent, at("five"), 5 * MINUTE, "five")
    notice = desk.told(BOB, "[Held] ", "見積")
    text = words(notice)
    assert f"* The mail will be sent automatically at {shown_time(leg.until())}.\n" in text and "Your mail is held" in text
    assert notice["Content-Language"] == "en"
    page = desk.asks(desk.page(notice), "show")
    assert page["you"]["lang"] == "en" and page["legs"][0]["next"].startswith("It will be sent at")
    desk.does(BOB, "discard", sent)


def test_S2_45_the_prefix_is_put_once(desk: Desk) -> None:
    """S2-45: an answer to a notice does not collect them."""
    sent = desk.mail("five", subject="Re: [配送保留]見積")
    desk.held(sent, at("five"), 5 * MINUTE, "five")
    notice = desk.told(ALICE, "[配送保留]Re: 見積", "")
    assert notice["Subject"] == "[配送保留]Re: 見積"
    desk.does(ALICE, "discard", sent)


def test_C14_always_risky_never(desk: Desk) -> None:
    """C14: "risky" speaks when there is something to look at and keeps silent else; "always" always, "never" never."""
    first = desk.mail("risky", subject="一度目")
    desk.held(first, at("risky"), HOUR, "risky")
    desk.told(ALICE, "[配送保留]", "一度目")  # he was never written to before
    assert desk.gw.seki("release", first).returncode == 0
    desk.rests(first, "sent")

    def known() -> str | None:
        sent = desk.mail("risky", subject="二度目")
        if desk.leg(sent, at("risky"), "hold").record("check") is None:
            return sent
        desk.gw.seki("discard", sent)
        return None
    quiet = wait_for(known, why="the history has the delivered mail")
    before = len(desk.letters(ALICE, "[配送保留]", "二度目"))
    never = desk.mail("never", subject="知らせない", files=[("a.csv", b"x\r\n")])
    desk.held(never, at("never"), HOUR, "never")
    always = desk.mail("hour", subject="必ず")
    desk.told(ALICE, "[配送保留]", "必ず")
    assert desk.record(quiet, "noticed") is None and desk.record(never, "noticed") is None
    for sent in (quiet, never, always):
        assert {"release", "discard"} <= desk.can(ALICE, sent)  # told or not
    desk.later(HOUR + MINUTE)
    for sent in (quiet, never, always):
        desk.rests(sent, "sent")
    assert len(desk.letters(ALICE, "[配送保留]", "二度目")) == before and desk.letters(ALICE, "", "知らせない") == []
    assert len(desk.letters(ALICE, "[配送保留]", "必ず")) == 1


def test_C14_machines_null_senders_and_outsiders_hear_nothing(desk: Desk) -> None:
    """C14, C10: mail of machines waits for nobody; what has a null sender, or somebody else's, waits and tells nobody."""
    machine = desk.mail("hour", subject="複合機", sender="copier@example.co.jp")
    desk.rests(machine, "sent")
    null = desk.send(letter(subject="空の送信者", sender=ALICE, to=at("hour")), sender="")
    outside = desk.send(letter(subject="社外の人", sender=OUTSIDER, to=at("hour")))
    for sent in (null, outside):
        desk.leg(sent, at("hour"), "hold")
    told = desk.mail("hour", subject="社員の")
    desk.told(ALICE, "[配送保留]", "社員の")
    desk.later(HOUR + MINUTE)
    for sent in (null, outside, told):
        desk.rests(sent, "sent")
        assert set(desk.got(sent)) == {at("hour")}
    for raw in desk.gw.delivered():
        assert b"Delivered-To: bob@partner.example" not in raw and b"Delivered-To: copier@" not in raw
    for subject in ("複合機", "空の送信者", "社外の人"):
        assert desk.letters(ALICE, "", subject) == []


def test_forbidden_hours_and_the_notice_says_so(desk: Desk) -> None:
    """S1-03, S2-49: handed in at 18:30 with an hour's hold, and nothing may leave between 19:00 and 9:30: the notice says
    9:30 of the next day, and that is when it leaves."""
    day = desk.morning(hour=18)
    desk.at(day.replace(minute=30))
    sent = desk.mail("late", subject="夜をこえて")
    leg = desk.held(sent, at("late"), HOUR, "outsiders-wait")
    text = words(desk.told(ALICE, "[配送保留]", "夜をこえて"))
    morning = day.replace(hour=9, minute=30) + timedelta(days=1)
    assert f"※保留されたメールは{morning:%Y-%m-%d %H:%M:%S} +0900に、自動的に配送されます\n" in text
    assert "※送信できない時間帯（19:00-09:30）のあいだは配送されません\n" in text
    desk.at(day.replace(hour=19, minute=31))
    assert desk.states(sent) == {"hold"} and leg.steps("hold")
    wait_for(lambda: desk.record(sent, "held"), why="its hour is over")
    # The sender's word ends the hold, never the night.
    answer = desk.may_not(ALICE, "release", sent)
    assert "time of day" in str(answer)
    desk.at(morning - timedelta(seconds=2))
    assert not desk.got(sent) and desk.states(sent) == {"hold"}
    desk.rests(sent, "sent")


# ---- the digest ----------------------------------------------------------------------------------


def digests(desk: Desk, to: str) -> list[str]:
    return [words(m) for prefix in ("[配送保留]保留中のメールが", "[Held] Mails that wait") for m in desk.letters(to, prefix)]


def test_S0_14_one_digest_in_each_span_until_it_is_handled(desk: Desk) -> None:
    """S0-14: who has mail that waits for him is reminded of all of it in one mail every four hours; not at night or on days
    off; nobody is told of what was handled."""
    day = desk.morning(hour=8)
    while day.weekday() != 1:
        day = desk.morning(hour=8)
    before = {who: len(digests(desk, who)) for who in (ALICE, BOB, BOSS, DEPUTY)}

    def fresh(who: str) -> list[str]:
        return digests(desk, who)[before[who]:]
    desk.at(day.replace(hour=9))
    mine = desk.mail("digest", subject="まとめてその一")
    second = desk.mail("digest", subject="まとめてその二")
    asked = desk.mail("boss", subject="承認のまとめ", sender=BOB)
    for sent, way, state in ((mine, "digest", "hold"), (second, "digest", "hold"), (asked, "boss", "approve")):
        desk.leg(sent, at(way), state)
    desk.told(BOSS, "[承認依頼]", "承認のまとめ")
    desk.at(day.replace(hour=10))
    (text,) = wait_for(lambda: fresh(ALICE), why="her digest")
    for subject in ("まとめてその一", "まとめてその二"):
        assert subject in text and desk.letters(ALICE, "[配送保留]", subject) == []
    assert text.count("[URL] ") == 2
    # He had a request by itself an hour ago: four hours after that.
    assert fresh(BOSS) == []
    desk.at(day.replace(hour=13, minute=40))
    (text,) = wait_for(lambda: fresh(BOSS), why="his digest")
    assert "承認のまとめ" in text and "あなたの承認待ち" in text
    link = re.search(r"\[URL\] (\S+)", text)[1]
    assert desk.asks(link, "show")["id"] == asked
    assert len(fresh(ALICE)) == 1
    desk.does(ALICE, "release", mine)
    desk.at(day.replace(hour=14, minute=40))
    wait_for(lambda: len(fresh(ALICE)) == 2, why="her second digest")
    assert "まとめてその一" not in fresh(ALICE)[1] and "まとめてその二" in fresh(ALICE)[1]
    # Quiet hours, and then the morning; what is handled meanwhile is in none.
    desk.does(BOSS, "approve", asked)
    desk.at(day.replace(hour=18, minute=55))
    wait_for(lambda: len(fresh(ALICE)) == 3, why="her third digest")
    desk.at(day.replace(hour=23, minute=30))
    quiet = desk.mail("five", subject="夜の印")
    desk.held(quiet, at("five"), 5 * MINUTE, "five")
    desk.at(day.replace(hour=23, minute=59))
    desk.rests(quiet, "sent")
    desk.at(day.replace(hour=7, minute=30) + timedelta(days=1))
    assert len(fresh(ALICE)) == 3
    desk.at(day.replace(hour=8, minute=31) + timedelta(days=1))
    wait_for(lambda: len(fresh(ALICE)) == 4, why="in the morning")
    assert len(fresh(BOSS)) == 1 and fresh(DEPUTY) == [] and fresh(BOB) == []
    desk.does(ALICE, "discard", second)
    desk.at(day.replace(hour=14) + timedelta(days=1))
    marker = desk.mail("five", subject="昼の印")
    desk.held(marker, at("five"), 5 * MINUTE, "five")
    desk.later(45 * MINUTE)
    desk.rests(marker, "sent")
    assert len(fresh(ALICE)) == 4
