"""Rules are exchanged under load (issue figures; design: one generation or the other): nothing is lost, and each
message went wholly by one of the two sets, the one that its leg names."""
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from conftest import Gateway
from facts_kit import mail, text
from rules_kit import ALICE, DAVE, Client, delivered_to, instance, legs, put_rules, rests

OUTSIDE = "p1@partner.example"
SENDERS, EACH, SWAPS_MIN = 4, 100, 8


def half(number: int, to: str, wait: bool) -> str:
    """A file of rules; many of them ask for much, and match nothing."""
    idle = "".join(f'rule idle-{number}-{n}\n    words "nobody writes this {n}"\n    do refuse "no"\n\n' for n in range(20))
    return f"{idle}rule {'wait' if wait else 'pass'}-{number}\n    to {to}\n    do hold {'60m' if wait else 'no'}\n"


# Two files each: whoever read one of the old and one of the new ones would hold both recipients, or none.
SET_A = {"must/10-a": half(1, "internal", True), "must/20-b": half(2, "external", False)}
SET_B = {"must/10-a": half(1, "internal", False), "must/20-b": half(2, "external", True)}
WAITS = {"a": DAVE, "b": OUTSIDE}


@pytest.fixture(scope="module")
def gw() -> Iterator[Gateway]:
    it = instance(SET_A)
    try:
        yield it.start()
    finally:
        it.stop()


def test_swapped_under_load_nothing_is_lost_or_misjudged(gw: Gateway) -> None:
    digests = {put_rules(gw, SET_B): "b", put_rules(gw, SET_A): "a"}
    assert len(digests) == 2
    ids: list[str] = []
    faults: list[BaseException] = []

    def load(number: int) -> None:
        try:
            with Client(gw) as client:
                for n in range(EACH):
                    raw = mail(text(f"hello {n}"), head=f"From: {ALICE}\r\nTo: {OUTSIDE}, {DAVE}\r\n", subject=f"{number}-{n}")
                    ids.append(client.send(raw, ALICE, [OUTSIDE, DAVE]))
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=load, args=(n,)) for n in range(SENDERS)]
    for thread in threads:
        thread.start()
    swaps = 0
    while any(thread.is_alive() for thread in threads) or swaps < SWAPS_MIN:
        put_rules(gw, SET_B if swaps % 2 == 0 else SET_A)
        swaps += 1
    for thread in threads:
        thread.join()
    assert not faults and len(ids) == SENDERS * EACH
    rests(gw, ids)
    went = Counter(way_of(gw, leg_id, digests) for leg_id in ids)
    assert set(went) <= {"a", "b"}, went
    assert len(went) == 2 or swaps < 2, "no message met the second set"


def way_of(gw: Gateway, leg_id: str, digests: dict[str, str]) -> str:
    """The set by which it went; a sentence where it went by none."""
    found = legs(gw, leg_id)
    named = {j["rules"] for leg in found for j in leg.of("judged")}
    if len(named) != 1 or not named <= set(digests):
        return f"judged by {named}"
    which = digests[named.pop()]
    stand = sorted((rcpt, leg.state) for leg in found for rcpt in leg.rcpts)
    wanted = sorted((rcpt, "hold" if rcpt == WAITS[which] else "sent") for rcpt in (OUTSIDE, DAVE))
    if stand != wanted or delivered_to(gw, leg_id) != [rcpt for rcpt, state in wanted if state == "sent"]:
        return f"by {which}: {stand}"
    return which


def test_a_wrong_set_changes_nothing(gw: Gateway) -> None:
    """The last good one stays in force, mail goes on, and reload says what is wrong."""
    before = put_rules(gw, SET_A)
    (gw.root / "etc/policy/must/30-wrong").write_text("rule x\n    to externl\n    do hold 60\n")
    done = gw.seki("reload")
    assert done.returncode == 102 and "must/30-wrong:2" in done.stderr, done.stderr
    with Client(gw) as client:
        raw = mail(text("hello"), head=f"From: {ALICE}\r\nTo: {DAVE}\r\n", subject="still")
        leg_id = client.send(raw, ALICE, DAVE)
    rests(gw, [leg_id])
    [leg] = legs(gw, leg_id)
    assert leg.state == "hold" and leg.of("judged")[0]["rules"] == before
    (gw.root / "etc/policy/must/30-wrong").unlink()
    assert put_rules(gw, SET_A) == before


def test_each_set_that_a_leg_names_is_kept(gw: Gateway) -> None:
    """seki rules DIGEST prints the rules that judged an old message."""
    old, new = put_rules(gw, SET_A), put_rules(gw, SET_B)
    assert old != new
    said = gw.seki("rules", old)
    assert said.returncode == 0 and "rule wait-1" in said.stdout, said.stderr
