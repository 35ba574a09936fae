"""What must be true of an instance that has come to rest: I1, I2, I3, I5 of the requirements."""
import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from instance import MOVING, SPLITS, Instance
from leg import Leg


@dataclass
class Message:
    token: str
    rcpts: list
    body: bytes
    # "kept": acknowledged; "maybe": its answer was lost, all or nothing; "never": nothing of it
    status: str = "kept"
    received: bool = False  # a Received line is added in front
    deliveries: int = 1     # how often it must stand in the outbox
    like: Callable | None = None  # whether what came is what it was to become, where that is not `body`


@dataclass
class Expected:
    messages: list = field(default_factory=list)
    words: tuple = ("deliver",)  # of the plan of each leg that was sent
    plans: dict = field(default_factory=dict)  # the same by a leg's first recipient, where rules made it
    bad: int = 0
    alarm: bool = True  # each file in bad/ has one
    letters: list = field(default_factory=list)  # what clients were answered
    answer: str = ""  # what an operator was answered


def body(token: str, size: int) -> bytes:
    text = f"From: alice@example.co.jp\r\nSubject: crash\r\nX-Token: {token}\r\n\r\n".encode()
    line = b"0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz\r\n"
    return text + (line * (size // len(line) + 1))


def token_of(data: bytes) -> str:
    match = re.search(rb"X-Token: (\S+)", data)
    return match.group(1).decode() if match else "?"


def read_delivery(data: bytes) -> tuple:
    """Recipients and content of a file in the outbox."""
    rcpts = []
    first, _, rest = data.partition(b"\r\n")
    if not first.startswith(b"Return-Path: "):
        return [], data
    while rest.startswith(b"Delivered-To: "):
        line, _, rest = rest.partition(b"\r\n")
        rcpts.append(line.decode().split(" ", 1)[1])
    return rcpts, rest


def same(content: bytes, message: Message) -> bool:
    if message.like:
        return message.like(content)
    if not message.received:
        return hashlib.sha256(content).digest() == hashlib.sha256(message.body).digest()
    extra = content[:len(content) - len(message.body)]
    return content.endswith(message.body) and re.fullmatch(rb"Received: [^\r]*\r\n(\t[^\r]*\r\n)*", extra) is not None


def check_outbox(inst: Instance, expected: Expected) -> list:
    faults, count = [], Counter()
    by_token = {m.token: m for m in expected.messages}
    for name in os.listdir(inst.root / "outbox/new"):
        rcpts, content = read_delivery((inst.root / "outbox/new" / name).read_bytes())
        message = by_token.get(token_of(content))
        if message is None or not same(content, message):
            faults.append(f"I2: outbox/new/{name} is not what was sent")
            continue
        count.update((message.token, rcpt) for rcpt in rcpts)
    for message in expected.messages:
        times = [count[message.token, rcpt] for rcpt in message.rcpts]
        if message.status == "kept" and set(times) != {message.deliveries}:
            faults.append(f"I1: {message.token} was acknowledged and delivered {times} times, not {message.deliveries}")
        elif message.status == "maybe" and set(times) not in ({0}, {1}):
            faults.append(f"I2: {message.token} was not acknowledged and delivered {times} times")
        elif message.status == "never" and any(times):
            faults.append(f"I2: {message.token} was never whole and is delivered")
    if os.listdir(inst.root / "outbox/tmp"):
        faults.append("I2: outbox/tmp is not empty")
    return faults


def check_sent(inst: Instance, expected: Expected) -> list:
    """I1: a leg with all its recipients; I3: with each step closed; law 2: no half record."""
    faults, sent = [], Counter()
    for name in inst.names("sent"):
        try:
            leg = Leg(inst.read("sent", name))
        except (ValueError, KeyError) as error:
            faults.append(f"I1: sent/{name}: {error}")
            continue
        if leg.rest:
            faults.append(f"law 2: sent/{name}: no whole record: {leg.rest[:80]!r}")
        steps, _ = leg.last_plan()
        words = tuple(s.split()[0] for s in steps)
        wanted = expected.plans.get(leg.rcpts[0], tuple(expected.words))
        if words != wanted:
            faults.append(f"I3: sent/{name}: plan {' '.join(words) or 'missing'}, not {' '.join(wanted)}")
        if leg.unproven():
            faults.append(f"I3: sent/{name}: passed without a closing record: {leg.unproven()}")
        ends = {"delivered"} if inst.may_stay_full else {"delivered", "emptied"}
        if not ends <= set(leg.words()):
            faults.append(f"I4: sent/{name}: its end is not written down")
        sent.update((token_of(leg.content), rcpt) for rcpt in leg.rcpts)
    for message in expected.messages:
        times = [sent[message.token, rcpt] for rcpt in message.rcpts]
        if message.status == "kept" and set(times) != {1}:
            faults.append(f"I1: {message.token} stands {times} times in sent/")
    return faults


def check_places(inst: Instance, expected: Expected) -> list:
    faults = []
    for place in (*MOVING, *(f"split/{s}" for s in SPLITS)):
        for name in inst.names(place):
            faults.append(f"I1: left behind: {place}/{name}")
    bad = inst.names("bad")
    if len(bad) != expected.bad:
        faults.append(f"bad/ holds {len(bad)}, not {expected.bad}: {bad[:3]}")
    if expected.alarm and inst.log().count("event=quarantined alarm=yes") < expected.bad:
        faults.append("bad/ without an alarm")
    return faults


def check_letters(expected: Expected, kinds: set) -> list:
    """I5: a local fault is a temporary one; at most one message meets a single fault."""
    faults = [f"I5: answered {letter!r}" for letter in expected.letters if letter not in ("K", "T", "F", "")]
    refused = [letter for letter in expected.letters if letter in ("T", "F")]
    if len(refused) > 1:
        faults.append(f"I5: one fault, {len(refused)} messages refused")
    if kinds and refused and kinds <= {"ENOSPC", "EDQUOT"} and refused[0] != "F":
        faults.append("I5: a full disk was not told as one (F)")
    return faults


def check(inst: Instance, expected: Expected, kinds: set = frozenset()) -> list:
    return (check_outbox(inst, expected) + check_sent(inst, expected) + check_places(inst, expected) +
            check_letters(expected, set(kinds)))
