"""Law 2: trailers torn by a crash at every byte, in every state; and damage with more behind it."""
import time

import leg
import oracle
from instance import Instance
from oracle import Expected, Message
from points import HELD, PLAN_FULL, RCPTS

BODY = 400
REST_SECONDS = 30  # "judged again within a minute"
STATES = ("new", "approve", "hold", "encrypt", "stagger", "deliver", "sent")
CLOSED = {"new": 0, "approve": 1, "hold": 2, "encrypt": 3, "stagger": 4, "deliver": 4, "sent": 4}


def trailer_of(state: str, ident: str) -> bytes:
    """All that a leg in that state may hold, the step's own closing record included."""
    text, digest = leg.plan(ident, "1", HELD)
    for step in HELD[:CLOSED[state]]:
        text += leg.record(leg.CLOSING[step.split()[0]], f"plan={digest} by=nobody")
    if state in ("deliver", "sent"):
        text += leg.record("delivered", f"plan={digest} rcpt=1 host=maildir reply=ok")
    return text


def put(inst: Instance, state: str, damage) -> Message:
    ident = leg.new_id()
    m = Message(ident[-8:], RCPTS[:1], oracle.body(ident[-8:], BODY))
    trailer = damage(trailer_of(state, ident))
    whole, _ = leg.split_trailer(trailer)
    m.deliveries = 0 if any(b" delivered " in record for record in whole) else 1
    inst.put(state, leg.name(state, ident), leg.leg(ident, "1", m.rcpts, m.body, trailer))
    return m


def run_states(build, libraries, state: str, damages: list, bad: bool = False, wrong: dict | None = None, seconds: float = REST_SECONDS) -> list:
    """One leg for each damage, all at once; the violations."""
    inst = Instance(build, libraries, PLAN_FULL)
    try:
        messages = [put(inst, state, damage) for damage in damages]
        expected = Expected([] if bad else messages, tuple(s.split()[0] for s in HELD), bad=len(messages) if bad else 0)
        begun = time.monotonic()
        rested = inst.supervise(inst.at_rest, seconds, wrong, testing=False, nap=0.03)
        taken = time.monotonic() - begun
        inst.stop_all()
        faults = [] if rested else [f"law 2: not at rest after {taken:.0f} s; ended: {inst.exits}"]
        return faults + oracle.check(inst, expected)
    finally:
        inst.remove()


def cut(at: int):
    return lambda trailer: trailer[:at]


def zeros(at: int):
    return lambda trailer: trailer[:at] + bytes(len(trailer) - at)


def hole(at: int):
    return lambda trailer: trailer[:at] + b"\0" + trailer[at + 1:]


def length(state: str) -> int:
    return len(trailer_of(state, leg.new_id()))


def bytes_before_the_last(state: str) -> list:
    """Places where damage has a whole record behind it, and is no part of that record's line."""
    trailer = trailer_of(state, leg.new_id())
    records, _ = leg.split_trailer(trailer)
    end = len(trailer) - len(records[-1]) - 1
    return list(range(end))


def jobs() -> list:
    """(name, state, damages, whether it goes to bad/)."""
    found = []
    for state in STATES:
        places = range(length(state) + 1)
        found.append((f"Q1 law 2: cut at every byte in {state}/", state, [cut(n) for n in places], False))
        found.append((f"Q1 law 2: zeros from every byte in {state}/", state, [zeros(n) for n in places], False))
        if state != "new":
            holes = [hole(n) for n in bytes_before_the_last(state)]
            found.append((f"Q1 law 2: a NUL at every byte with a whole record behind it in {state}/", state, holes, True))
    found.append(("Q1 law 3: a plan cut from a leg in approve/", "approve", [cut(0)], False))
    return found
