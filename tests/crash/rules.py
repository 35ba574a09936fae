"""I1 to I4 with rules: a message that is divided by them, one that is refused, and telling of the refusal, with a
fault at each call of the program that does it.

A refusal is told once. Twice only if the fault stands between the notice, which seki-notice has kept, and the record
in the leg that says so.
"""
import os
import time

import leg
import oracle
import points
import smtp
from instance import NAP, STEP, STEP_AFTER, Instance
from oracle import Expected, Message, token_of
from points import RCPTS, Scenario

SENDER, AUDIT = "alice@example.co.jp", "audit@example.co.jp"
BOB, CAROL, DAN = RCPTS
WHY = "not this way"
DIVIDING = f"""rule later
    to      {BOB}
    do      hold 1s

rule much-later
    to      {CAROL}
    do      hold 2s
    do      keep

rule unseen shadow
    always
    do      refuse "would be"
"""
REFUSING = f"""rule never
    to      {CAROL}
    do      refuse "{WHY}"
    do      forward refused {AUDIT}

rule held
    to      {BOB}
    do      hold for operator
"""
PLANS = {BOB: ("hold", "deliver"), CAROL: ("hold", "deliver"), DAN: ("deliver",)}
TELLING = ("seki-queue", "seki-scan", "seki-hold", "seki-deliver", "seki-notice")
HIT_SECONDS, REST_SECONDS = 6, 15


def judged_by(rules: str, status: str, **more):
    def prepare(inst: Instance) -> Expected:
        inst.in_force(rules)
        told, _ = points.message(inst, "new", 0, RCPTS, planned=False)
        told.status = status
        return Expected([told], **more)
    return prepare


# ---- what must be there in the end ---------------------------------------------------------------


def says_why(inst: Instance, expected: Expected) -> list:
    """I4: each leg names the rules that judged it, once, and what was decided for its recipients."""
    faults = []
    for name in inst.names("sent"):
        one = leg.Leg(inst.read("sent", name))
        if one.words().count("judged") != 1:
            faults.append(f"I4: sent/{name} was judged {one.words().count('judged')} times")
        decided = sum(b" decided function=hold " in r for r in one.records)
        if decided != (one.rcpts[0] != DAN):
            faults.append(f"I4: sent/{name}, to {one.rcpts}: {decided} decisions to hold")
    return faults


def is_refused(inst: Instance, expected: Expected) -> list:
    return stands_refused(inst) + ([f"I3: in sent/ stands {inst.names('sent')}"] if inst.names("sent") else [])


def stands_refused(inst: Instance) -> list:
    """I1, I3: whole, once, in refused/; with its reason."""
    names = inst.names("refused")
    if len(names) != 1:
        return [f"I1: in refused/ stands {names}"]
    one = leg.Leg(inst.read("refused", names[0]))
    faults = [f"I1: the refused leg is to {one.rcpts}"] if one.rcpts != RCPTS else []
    faults += [f"law 2: {one.rest[:80]!r}"] if one.rest else []
    if b"why=" not in b"".join(r for r in one.records if r.split()[1:2] == [b"refused"]):
        faults.append("I4: its reason is not written down")
    return faults


SCENARIOS = [
    Scenario("scan-rules", "seki-scan", judged_by(DIVIDING, "kept", plans=PLANS), end=says_why),
    Scenario("scan-refusing", "seki-scan", judged_by(REFUSING, "never"), end=is_refused),
]


# ---- telling -------------------------------------------------------------------------------------


def refused_leg(inst: Instance) -> Message:
    """As seki-scan leaves it: nobody was told yet."""
    ident = leg.new_id()
    told = Message(ident[-8:], RCPTS, oracle.body(ident[-8:], points.SMALL), "never")
    text = leg.record("judged", "rules=0123456789abcdef org=0123456789abcdef")
    text += leg.record("refused", f"rule=must/50-rules:1 name=never why={WHY.replace(' ', '+20')} tell=sender forward={AUDIT}")
    inst.put("refused", leg.name("refused", ident), leg.leg(ident, "1", RCPTS, told.body, text))
    return told


def records_of(inst: Instance) -> dict:
    """word -> its records, of the refused leg."""
    found: dict = {"told": [], "forwarded": []}
    for name in inst.names("refused"):
        for record in leg.Leg(inst.read("refused", name)).records:
            word = record.split()[1].decode()
            if word in found:
                found[word].append(record.decode().strip())
    return found


def is_told(inst: Instance) -> bool:
    return all(records_of(inst).values()) and inst.at_rest()


def until_met(inst: Instance, victim: str, fault: str) -> None:
    """Until the fault is met, or all are told."""
    deadline = time.monotonic() + HIT_SECONDS
    moved = time.monotonic()
    while time.monotonic() < deadline and inst.alive(victim):
        if (fault and inst.calls("hit")) or is_told(inst):
            return
        if time.monotonic() - moved > STEP_AFTER:
            inst.set_clock(inst.ahead + STEP)
            moved = time.monotonic()
        time.sleep(NAP)


def check_told(inst: Instance, message: Message, hit: bool) -> list:
    faults, notices = [], {SENDER: [], AUDIT: []}
    for name in os.listdir(inst.root / "outbox/new"):
        rcpts, content = oracle.read_delivery((inst.root / "outbox/new" / name).read_bytes())
        if len(rcpts) == 1 and rcpts[0] in notices and token_of(content) == message.token:
            notices[rcpts[0]].append(name)
        else:
            faults.append(f"I3: {rcpts} got {content[:80]!r}")
    for word, who in (("told", SENDER), ("forwarded", AUDIT)):
        said, came = records_of(inst)[word], notices[who]
        if len(said) != 1:
            faults.append(f"I4: {word} stands {len(said)} times in the leg: {said}")
        elif not any(said[0].rpartition("notice=")[2].split()[0] in name for name in came):
            faults.append(f"I4: {said[0]} names none of {came}")
        if not 1 <= len(came) <= 1 + hit:
            faults.append(f"I1: {who} was told {len(came)} times")
    return faults


VICTIMS = {"seki-hold": "every", "seki-notice": "changing"}


def run_told(build, libraries, victim: str, fault: str, wrong: str = "", seconds: float = REST_SECONDS) -> dict:
    """The violations of one fault while a refusal is told, and the calls that were made."""
    inst = Instance(build, libraries, "sweep-every 5s\n")
    inst.programs = TELLING
    try:
        inst.in_force(REFUSING)
        message = refused_leg(inst)
        for program in TELLING:
            more = {"fault": fault, "net": True} if program == victim else {}
            inst.start_ready(program, wrong=wrong if program == victim else "", **more)
        until_met(inst, victim, fault)
        hit = bool(inst.calls("hit"))
        rested = inst.supervise(lambda: is_told(inst), seconds)
        inst.stop_all()
        faults = [] if rested else [f"I1: not told; {records_of(inst)}; ended: {inst.exits}"]
        faults += check_told(inst, message, hit) + stands_refused(inst)
        return {"name": f"telling {victim} {fault}", "faults": faults, "calls": inst.calls(), "hit": inst.calls("hit"),
                "log": inst.log() if faults else ""}
    finally:
        inst.remove()


def all_faults(victim: str, calls: list) -> list:
    """As smtp.py has them."""
    found, how = [], VICTIMS[victim]
    for call, _ in calls:
        kind = smtp.kind_of(call)
        if int(call.split(".")[-1]) > smtp.STEADY.get(kind, 10_000) or kind in smtp.LISTING:
            continue
        if how != "every" and kind not in smtp.CHANGING:
            continue
        found.append(f"{call}:kill")
        if kind not in smtp.ERRORS:
            found.append(f"{call}:after")
        if how == "every" or kind in smtp.DURABLE:
            found += [f"{call}:{error}" for error in smtp.errors_of(kind)]
    return found
