"""The self-check: what its sender is told to look at is what is risky in this very mail, in his language; nothing leaves
before each of it is confirmed."""
from collections.abc import Iterator

import pytest

from conftest import wait_for
from examples_kit import CARD, Office, letter, table
from held_kit import ALICE, BOB, BOSS, DAY, Desk, desk_open, words

RULES = """rule known
    to      @known.example
    do      hold no

rule boss-checks
    to      @boss.example
    do      approve by boss

rule lost
    to      @lost.example
    do      hold until checked else discard

rule check
    to      external
    do      hold until checked
"""
FRIEND = "suzuki@known.example"
ONE = "sato@alpha.example"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with desk_open(rules=RULES) as made:
        yield made


@pytest.fixture(scope="module")
def known(desk: Desk) -> Office:
    """Both have written to these people before."""
    for sender in (ALICE, BOB):
        for to in (FRIEND, ONE):
            sent = desk.send(letter(sender=sender, to=to))
            if to == ONE:
                desk.leg(sent, to, "hold")
                assert desk.gw.seki("release", sent).returncode == 0
            desk.rests(sent, "sent")

        def plain() -> bool:
            sent = desk.send(letter(sender=sender, to=ONE))
            leg = desk.leg(sent, ONE, "hold")
            desk.gw.seki("discard", sent)
            return leg.record("check") is None
        wait_for(plain, why="the history has the delivered mail")
    return desk


def checks(desk: Desk, sent: str, lang: str, who: str = ALICE) -> list[tuple[str, str]]:
    (leg,) = desk.asks(who, "show", id=sent, lang=lang)["legs"]
    return [(c["fact"], c["text"]) for c in leg["checks"]]


# A mail, and the sentence of its one fact.
FACTS = {
    "first-time": (
        {"to": "new@alpha.example"},
        "初めて送る宛先です。アドレスに誤りはありませんか",
        "You have never written to this address before. Is it the right one?"),
    "lookalike": (
        {"to": "suzuki@knovn.example"},
        "いつもの宛先によく似た、別の宛先です。取り違えていませんか",
        "An address looks like one that you know, and is another. Is it the one you mean?"),
    "companies": (
        {"to": ["sato@alpha.example", FRIEND]},
        "複数の会社に宛てたメールです。一緒に送ってよい相手ですか：alpha.example、known.example",
        "This mail goes to several companies. May all of them see it: alpha.example, known.example"),
    "greeting": (
        {"to": f"佐藤 <{ONE}>", "body": "株式会社ベータ製作所\n加藤様\n\nお世話になっております。\n"},
        "本文の宛名が、宛先と合っていないようです",
        "The letter seems to greet somebody else than its recipients"),
    "missing-file": (
        {"to": ONE, "body": "お世話になっております。見積書を添付いたします。\n"},
        "本文では添付に触れていますが、添付ファイルがありません",
        "The text speaks of an attached file, and there is none"),
    "files": (
        {"to": ONE, "files": [("見積.csv", b"a,b\r\n")]},
        "この添付ファイルで間違いありませんか：見積.csv",
        "Are these the right files: 見積.csv"),
    "visible": (
        {"to": ONE, "cc": [f"p{n}@example.co.jp" for n in range(9)]},
        "To と Cc の 10 件のアドレスが、受け取る全員に見えます",
        "Everybody who gets this mail sees the 10 addresses in To and Cc"),
    "personal": (
        {"to": ONE, "body": f"カード番号は {CARD} です。\n"},
        "個人情報が含まれているようです：クレジットカード番号 1 件",
        "It seems to hold personal data: credit card numbers 1"),
}


@pytest.mark.parametrize("fact", list(FACTS))
def test_S4_09_each_fact_in_both_languages(known: Desk, fact: str) -> None:
    """S4-09, S2-16: the point is on the page and in the notice, to each reader in his language."""
    mail, japanese, english = FACTS[fact]
    for who, lang, prefix, sentence in ((ALICE, "ja", "[配送保留]", japanese), (BOB, "en", "[Held] ", english)):
        sent = known.send(letter(subject=f"{fact} {lang}", sender=who, **mail))
        known.await_leg(sent, lambda leg: leg.state == "hold" and bool(leg.plan), f"{fact} in hold")
        found = dict(checks(known, sent, lang, who))
        assert fact in found and found[fact].startswith(sentence), found
        notice = words(known.told(who, prefix, f"{fact} {lang}"))
        assert found[fact] in notice, notice
        # Whoever opens the other page reads the other language.
        other = {"ja": english, "en": japanese}[lang]
        assert dict(checks(known, sent, {"ja": "en", "en": "ja"}[lang], who))[fact].startswith(other)
        known.gw.seki("discard", sent)


def test_S4_08_released_only_when_each_is_confirmed(known: Desk) -> None:
    """S4-08, S4-09: neither "send" nor a part of the list; all of it, by its sender, and the record says so."""
    sent = known.send(letter(subject="確認", sender=ALICE, to="new2@alpha.example", files=[("a.csv", b"x\r\n")]))
    known.leg(sent, "new2@alpha.example", "hold")
    facts = [fact for fact, _ in checks(known, sent, "ja")]
    assert facts == ["first-time", "files"]
    notice = known.told(ALICE, "[配送保留]", "確認")
    assert "※保留されたメールは、上の項目がすべて確認されるまで配送されません\n" in words(notice)
    known.later(5 * DAY)
    for word, keys in (("release", {}), ("confirm", {}), ("check", {}), ("check", {"checked": "files"}),
                       ("check", {"checked": "recipients"}), ("check", {"checked": "first-time,file"})):
        assert known.acts(ALICE, word, sent, **keys)["result"] == "no", (word, keys)
    known.may_not(BOB, "check", sent, checked=",".join(facts))
    known.may_not(BOSS, "check", sent, checked=",".join(facts))
    assert known.states(sent) == {"hold"} and not known.got(sent)
    assert known.asks(known.page(notice), "act", word="check", checked=",".join(facts))["result"] == "done"
    known.rests(sent, "sent")
    held = known.record(sent, "held")
    assert held["ended"] == "checked" and held["checked"] == "first-time,files" and held["by"] == ALICE


def test_C14_S4_18_at_most_five_the_gravest_first(known: Desk) -> None:
    """C14, S4-18: however much is odd about a mail, the list stays one that is read: five points, in their order; mail about
    which nothing is odd has one, its recipients, and is no blind click either."""
    everything = letter(
        subject="全部", sender=ALICE, to=["new3@alpha.example", "suzuki@knovn.example"],
        cc=[f"p{n}@example.co.jp" for n in range(10)], body=f"株式会社ベータ製作所\n加藤様\n\n資料を添付します。カード番号は {CARD} です。\n",
        files=[("名簿.csv", table([CARD]))])
    sent = known.send(everything)
    known.leg(sent, "new3@alpha.example", "hold")
    facts = [fact for fact, _ in checks(known, sent, "ja")]
    assert len(facts) == 5 and facts == [f for f in FACTS if f in facts] and facts[:3] == ["first-time", "lookalike", "companies"]
    assert words(known.told(ALICE, "[配送保留]", "全部")).count("\n  ・") == 5
    known.does(ALICE, "check", sent, checked=",".join(facts))
    known.rests(sent, "sent")

    quiet = known.send(letter(subject="何もなし", sender=ALICE, to=ONE))
    known.leg(quiet, ONE, "hold")
    known.may_not(ALICE, "check", quiet)
    known.may_not(ALICE, "release", quiet)
    known.does(ALICE, "check", quiet, checked="recipients")
    known.rests(quiet, "sent")


def test_S4_09_who_approves_reads_the_same_list(known: Desk) -> None:
    """S4-09, S2-13: what may be wrong with it stands in the request for an approval, too."""
    sent = known.send(letter(subject="上長も", sender=ALICE, to="new@boss.example", files=[("契約.csv", b"x\r\n")]))
    known.leg(sent, "new@boss.example", "approve")
    request = words(known.told(BOSS, "[承認依頼]", "上長も"))
    assert "この添付ファイルで間違いありませんか：契約.csv" in request
    assert [fact for fact, _ in checks(known, sent, "ja", BOSS)] == [fact for fact, _ in checks(known, sent, "ja")]
    known.does(BOSS, "reject", sent)


def test_S4_08_unchecked_it_is_thrown_away(known: Desk) -> None:
    """S4-08: "hold until checked else discard": no click, no mail; the list is in the warning."""
    sent = known.send(letter(subject="見ない", sender=ALICE, to="new@lost.example"))
    known.leg(sent, "new@lost.example", "hold")
    known.noticed(sent, "hold")
    known.later(2 * DAY + 60)
    assert "初めて送る宛先です" in words(known.told(ALICE, "[期限間近]", "見ない"))
    known.later(DAY)
    known.rests(sent, "trash")
    known.told(ALICE, "[メール返却]", "見ない")
    assert not known.got(sent)
