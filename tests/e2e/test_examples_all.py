"""All examples together (etc/examples): none is missing, each says what it is for and is tested, and they can be in force at
the same time."""
import re
from collections.abc import Iterator

import pytest

from examples_kit import (
    AUDIT, BOSS, CUSTOMER, EXAMPLES, HANAKO, OUTSIDER, TARO, TEMP, Office, letter, office_open)

WANTED = [*(f"S1-{n:02}" for n in range(1, 33)), *(f"S0-37-{n}" for n in range(1, 5)), *(f"S2-{n}" for n in range(62, 70))]
FILES = sorted(p.name for p in EXAMPLES.iterdir() if p.is_file() and p.name != "README")
RULES = [name for name in FILES if name != "S1-24-user-taro"]
CSV = [("figures.csv", b"a,b\r\n")]


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    with office_open() as made:
        yield made


def test_every_example_is_there() -> None:
    """S1, S0-37, S2-62 to S2-69: a file of its own for each."""
    for wanted in WANTED:
        assert [n for n in RULES if n.startswith(f"{wanted}-")], wanted


@pytest.mark.parametrize("name", FILES)
def test_it_says_what_it_is_for(name: str) -> None:
    """In Japanese and in English, with its id, what it needs, and a test that loads it."""
    text = (EXAMPLES / name).read_text()
    comment = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    ident = re.match(r"S\d-\d+", name)[0]
    assert text.startswith(f"# {ident} ") and re.search(r"[ぁ-ん]", comment)
    assert re.search(r"\bNeeds\b", comment) or re.search(r"\bNeeds? ", comment)
    assert name == "S1-24-user-taro" or "用意するもの" in comment
    tests = "".join(p.read_text() for p in EXAMPLES.parent.parent.glob("tests/e2e/test_examples_*.py"))
    assert f'"{name}"' in tests


@pytest.mark.parametrize("name", RULES)
def test_alone_it_can_be_taken_as_it_is(office: Office, name: str) -> None:
    """With nothing but the data of etc/examples/etc, and without a fault."""
    office.rules(name)


def test_all_at_once(office: Office) -> None:
    """Every example in force: what refuses is refused, and the rest is one plan for each recipient."""
    quiet = [n for n in RULES if not re.match(r"S1-(12|13|15|16|23)|S2-6[679]", n)]
    office.rules(*quiet)
    mail = letter(sender=TEMP, to=[OUTSIDER, CUSTOMER, HANAKO], files=CSV)
    sent = office.send(mail)
    leg = office.refused(sent, rule_of(office, "S1-07-temps-no-files"))
    assert leg.record("refused").keys["forward"] == AUDIT
    office.silent(sent)
    sent = office.send(letter(to=[OUTSIDER, CUSTOMER, HANAKO], cc=BOSS, files=CSV))
    legs = [office.leg(sent, rcpt) for rcpt in (OUTSIDER, CUSTOMER, HANAKO, BOSS)]
    assert sorted(rcpt for leg in {x.path: x for x in legs}.values() for rcpt in leg.to) == sorted(
        [OUTSIDER, CUSTOMER, HANAKO, BOSS])
    assert all(leg.plan[-1].words[0] == "deliver" for leg in legs)


def rule_of(office: Office, example: str) -> str:
    """The name of the first rule of an example; it must be the only one of that name in force."""
    name = re.search(r"^rule (\S+)", (EXAMPLES / example).read_text(), flags=re.M)[1]
    assert office.where(name)
    return name


def test_watch_only_delivers_and_notes(office: Office) -> None:
    """S2-38: every rule is tried on real mail and changes nothing; "seki why" says what would have been."""
    try:
        office.gw.setting(watch_only="yes")
        office.rules("S1-03-outsiders-wait", "S1-07-temps-no-files", "S1-15-four-house-rules")
        held = office.send(letter(sender=TARO, to=[OUTSIDER, HANAKO]))
        refused = office.send(letter(sender=TEMP, files=CSV))
        for sent, rcpt in ((held, OUTSIDER), (held, HANAKO), (refused, OUTSIDER)):
            leg = office.delivered(sent, rcpt)
            assert [s.words for s in leg.plan] == [["deliver"]]
        assert office.leg(held, OUTSIDER).record("judged").keys["watch"] == "yes"
        office.why(held, "hold", "outsiders-wait")
        office.why(refused, "refuse", "temps-no-files")
        assert "watch" in office.gw.seki("why", refused).stdout
    finally:
        office.gw.setting(watch_only="no")
        assert office.gw.seki("reload").returncode == 0
