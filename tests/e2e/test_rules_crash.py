"""I1 to I5 with rules: kill -9 of the programs that judge, divide, refuse and tell, at any moment. Nothing that was
acknowledged is lost; what is held, refused or to be encrypted is not delivered; each refusal is told at least once."""
import random
import threading
from collections.abc import Iterator

import pytest

from conftest import Gateway, wait_for
from facts_kit import attached, mail, text
from rules_kit import ALICE, CAROL, Client, delivered_to, instance, kill, legs, notices, outbox, put_rules, rests

MESSAGES = 120
HELD, PASSED, SEALED = "x1@other.example", "p1@partner.example", "q@big.example"
AUDIT = "audit@example.co.jp"
RULES = f'''rule forbidden
    words   "forbidden"
    do      refuse "not this"
    do      forward refused {AUDIT}

rule outsiders-wait
    to      {HELD}
    do      hold for operator

rule sealed
    to      {SEALED}
    do      zip

rule new-ones
    to      first-time for site
    to      @nobody.example
    do      hold 60m
'''
VICTIMS = {
    "judging": ("seki-scan",),
    "asking": ("seki-db", "seki-inspect", "seki-scan"),
    "refusing": ("seki-hold", "seki-notice"),
    "all": ("seki-scan", "seki-db", "seki-hold", "seki-inspect", "seki-notice"),
}


@pytest.fixture(scope="module")
def gw() -> Iterator[Gateway]:
    it = instance({"must/50-all": RULES})
    try:
        yield it.start()
    finally:
        it.stop()


def message(tag: str, refused: bool) -> bytes:
    body = f"this is {'forbidden' if refused else 'fine'}"
    return mail(text(body), attached(b"a,b\r\n" * 50, "a.csv"),
                head=f"From: {ALICE}\r\nTo: {HELD}, {PASSED}, {SEALED}\r\n", subject=tag)


class Storm:
    """kill -9 of some services, at random moments, until it is over."""

    def __init__(self, gw: Gateway, victims: tuple[str, ...], seed: int) -> None:
        self.gw, self.victims, self.chance = gw, victims, random.Random(seed)
        self.kills, self.over = 0, threading.Event()
        self.thread = threading.Thread(target=self.rage)

    def rage(self) -> None:
        while not self.over.wait(self.chance.expovariate(8)):
            kill(self.gw, self.chance.choice(self.victims))
            self.kills += 1

    def __enter__(self) -> "Storm":
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.over.set()
        self.thread.join()


@pytest.mark.parametrize("what", VICTIMS)
def test_I1_I3_killed_at_any_moment(gw: Gateway, what: str) -> None:
    refused: dict[str, bool] = {}
    with Storm(gw, VICTIMS[what], len(what)) as storm, Client(gw) as client:
        for n in range(MESSAGES):
            leg_id = client.send(message(f"{what}-{n}-end", n % 4 == 0), ALICE, [HELD, PASSED, SEALED])
            refused[leg_id] = n % 4 == 0
        wait_for(lambda: storm.kills >= 15, 60, "a storm")
    gw.wait_ready()
    rests(gw, list(refused), 120)
    for leg_id in (i for i, is_refused in refused.items() if is_refused):
        wait_for(lambda i=leg_id: [g for g in legs(gw, i) if g.of("told") and g.of("forwarded")], 90, f"{leg_id} told of")
    bad = [f"{leg_id}: {fault}" for leg_id in refused for fault in faults_of(gw, leg_id, refused[leg_id])]
    assert not bad, "\n".join(bad[:10])
    for n in range(0, MESSAGES, 4):
        wait_for(lambda n=n: notices(gw, f"{what}-{n}-end"), 60, f"the sender of {what}-{n} is told")
        wait_for(lambda n=n: forwarded(gw, f"{what}-{n}-end"), 60, f"{what}-{n} is forwarded")


def forwarded(gw: Gateway, tag: str) -> list[bytes]:
    return [content for rcpts, content in outbox(gw) if rcpts == [AUDIT] and tag.encode() in content]


def faults_of(gw: Gateway, leg_id: str, refused: bool) -> list[str]:
    """I1: each recipient in exactly one leg. I3: nothing left that was to wait. I4: each end is written down."""
    found, out = legs(gw, leg_id), []
    standing = sorted((rcpt, leg.state) for leg in found for rcpt in leg.rcpts)
    if refused:
        wanted = [(r, "refused") for r in (HELD, PASSED, SEALED)]
    else:
        wanted = [(HELD, "hold"), (PASSED, "sent"), (SEALED, "encrypt")]
    if standing != sorted(wanted):
        out.append(f"stands {standing}")
    if delivered_to(gw, leg_id) != ([] if refused else [PASSED]):
        out.append(f"I3: delivered to {delivered_to(gw, leg_id)}")
    for leg in found:
        if leg.state == "refused" and len(leg.of("refused")) < 1:
            out.append("I4: no record of its refusal")
        if leg.state != "refused" and not leg.plan:
            out.append("I3: without a plan")
    return out


def test_nothing_is_in_bad_and_no_program_gave_up(gw: Gateway) -> None:
    assert gw.spool("bad") == []
    for service in ("seki-scan", "seki-db", "seki-hold", "seki-notice"):
        assert [line for line in gw.log(service).splitlines() if "event=died" in line] == []


def test_I3_a_refusal_that_is_not_told_yet_is_told_later(gw: Gateway) -> None:
    """seki-notice is down: the message is refused, and waits to be told of; nothing of it is lost or sent."""
    gw.svc("-wD", "-d", "seki-notice")
    try:
        with Client(gw) as client:
            leg_id = client.send(message("late-end", True), ALICE, [HELD, PASSED, SEALED])
        [leg] = wait_for(lambda: [g for g in legs(gw, leg_id) if g.state == "refused"], 30, "refused")
        assert not leg.of("told") and not notices(gw, "late-end")
    finally:
        gw.svc("-wU", "-u", "seki-notice")
    wait_for(lambda: notices(gw, "late-end"), 90, "told")
    wait_for(lambda: forwarded(gw, "late-end"), 90, "forwarded")
    [leg] = legs(gw, leg_id)
    assert delivered_to(gw, leg_id) == [] and len(leg.of("told")) == 1


def test_one_without_a_refusal_bothers_nobody(gw: Gateway) -> None:
    assert not [rcpts for rcpts, _ in outbox(gw) if rcpts == [CAROL]]
    put_rules(gw, {"must/50-all": RULES})
