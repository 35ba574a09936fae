"""Held mail: what people order and what time decides, with a fault at each call that changes something; a content that
is written anew before it leaves; and people who are told.

H1  what was discarded, refused, not approved or not yet released is never in the outbox
H2  an order that was answered "done" holds
H3  one that was answered "no" has changed nothing
H4  nothing is decided that the audit has not heard of before; what was answered "done" is in its chain
    A person who is told is told once; twice only if the fault stands between the notice, which seki-notice has kept, and
    the record in the leg that says so.

Each point: a leg waits; the program that holds it meets its fault while it carries an order out; all are started again,
and the leg stands where its records say; then the same order is given once more, if it was not carried out, and must be.
"""
import base64
import email
import email.policy
import hashlib
import hmac
import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import leg
import oracle
import points
import smtp
from instance import NAP, STATES, STEP, STEP_AFTER, Instance, order
from oracle import Message, token_of

ALICE, BOSS, ERIN, FRANK, DAN = ("alice@example.co.jp", "bob@example.co.jp", "erin@example.co.jp", "frank@example.co.jp",
                                 "dan@example.co.jp")
ONE, TWO = points.RCPTS[:2]
PEOPLE = f"{ALICE} boss={BOSS}\n{BOSS}\n{ERIN} group=staff\n{FRANK} group=staff\n{DAN}\n"
SETTINGS = ("sweep-every 5s\naudit yes\naudit-lag 1h\nhold-notice never\nremind-every 0s\napprove-expiry discard\n"
            "approve-warn 0s\nwarn-before 0s\nurgent-per-week 9\n")
KEY = bytes(range(32))
NOTICES = Path(__file__).resolve().parent.parent.parent / "etc/notices"
DAY = 86400
SOON, LATER = 1800, 7200  # a hold's end, and what it is put off to, in seconds
TEXT = "Checked.\r\n"
WAITS = "rule waits\n    always\n    do      hold 60m\n"
DIVIDING = f"rule waits\n    to      {ONE}\n    do      hold 60m\n\nrule asks\n    to      {TWO}\n    do      approve by {BOSS}\n"
HIT_SECONDS, REST_SECONDS = 5, 12
CHANGING = ("create", "write", "writev", "pwrite", "allocate", "truncate", "rename", "unlink", "fsync")
READING = ("open", "fstat", "pread", "close")


# ---- a leg that waits ----------------------------------------------------------------------------


@dataclass
class Waiting:
    """One leg, as it stood before anything happened to it."""
    message: Message
    state: str
    id: str
    k: str
    data: bytes

    def now(self, inst: Instance) -> tuple | None:
        """(state, name, leg): where it stands; None if that is not exactly one place."""
        for _ in range(20):  # it may move while one looks
            found = [(s, n) for s in STATES for n in inst.names(s) if f"{self.id}.{self.k}" in (n, n.partition(".")[2])]
            try:
                if len(found) == 1:
                    return (*found[0], leg.Leg(inst.read(*found[0])))
            except FileNotFoundError:
                pass
            time.sleep(NAP)
        return None


def content(token: str, rcpts: list) -> bytes:
    to = ",\r\n ".join(f"Someone <{r}>" for r in rcpts)
    rest = oracle.body(token, points.SMALL).split(b"\r\n", 1)[1]
    return f"From: {ALICE}\r\nTo: {to}\r\nMIME-Version: 1.0\r\n".encode() + rest


def stands(inst: Instance, state: str, steps: list, tail: Callable | None = None, closed: int = 0, rcpts: tuple = (ONE, TWO),
           accepted: float | None = None, when: float | None = None, ident: str = "", k: str = "1", body: bytes = b"") -> Waiting:
    """`tail` makes records of (digest, content)."""
    ident = ident or leg.new_id()
    body = body or content(ident[-8:], list(rcpts))
    text, digest = leg.plan(ident, k, steps)
    for step in steps[:closed]:
        text += leg.record(leg.CLOSING[step.split()[0]], f"plan={digest} by=nobody")
    text += tail(digest, hashlib.sha256(body).hexdigest()[:16]) if tail else b""
    data = leg.leg(ident, k, list(rcpts), body, text, accepted)
    inst.put(state, leg.name(state, ident, k, when), data)
    return Waiting(Message(ident[-8:], list(rcpts), body), state, ident, k, data)


def until(seconds: float) -> str:
    return leg.stamp(time.time() + seconds)


def held(*steps: str, **more) -> Callable:
    """Held for SOON, if nothing else is said."""
    def prepare(inst: Instance) -> list:
        waits = list(steps) or [f"hold until={until(SOON)}"]
        return [stands(inst, waits[0].split()[0], waits + ["deliver"], when=time.time() + SOON, **more)]
    return prepare


def thrown_away(inst: Instance) -> list:
    return [stands(inst, "trash", [f"hold until={until(SOON)}", "deliver"],
                   lambda *_: leg.record("discarded", f"by={ALICE} via=web cause=person"))]


def old_approval(inst: Instance) -> list:
    """Nobody has approved it for a month."""
    return [stands(inst, "approve", [f"approve by=address:{BOSS} notice=digest", "deliver"], accepted=time.time() - 30 * DAY)]


def divided(inst: Instance) -> list:
    """Three legs of one message: the colleague's is on its way, the others wait."""
    ident = leg.new_id()
    body = content(ident[-8:], [DAN, ONE, TWO])
    made = [stands(inst, "deliver", ["deliver"], rcpts=(DAN,), ident=ident, k="1.1", body=body)]
    for k, rcpt in (("1.2", ONE), ("1.3", TWO)):
        made.append(stands(inst, "hold", [f"hold until={until(SOON)}", "deliver"], rcpts=(rcpt,), ident=ident, k=k, body=body,
                           when=time.time() + SOON))
    return made[1:2] + made[:1] + made[2:]  # the one that is acted on first


def undivided(inst: Instance) -> list:
    ident = leg.new_id()
    body = content(ident[-8:], [DAN, ONE, TWO])
    data = leg.leg(ident, "1", [DAN, ONE, TWO], body)
    inst.put("new", f"{ident}.1", data)
    return [Waiting(Message(ident[-8:], [DAN, ONE, TWO], body), "new", ident, "1", data)]


def removed(digest: str, was: str) -> bytes:
    return leg.record("removed", f"address={ONE} by={ALICE} via=web") + leg.record("drop", f"rcpt=1 by={ALICE} via=web")


def sealing(step: str, tail: Callable | None = None) -> Callable:
    return lambda inst: [stands(inst, "encrypt", [step, "deliver"], tail)]


# ---- people --------------------------------------------------------------------------------------


def coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def session(who: str) -> str:
    """As somebody has who has logged in (lib/gate/gate.h)."""
    text = f"s1.{coded(who.encode())}.{int(time.time()) + DAY:010d}"
    return f"{text}.{coded(hmac.new(KEY, b'session' + bytes(1) + text.encode(), hashlib.sha256).digest()[:16])}"


def ask(inst: Instance, who: str, words: str, seconds: float = 5) -> dict:
    """What he is answered at the people's door; {} if he is not."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(seconds)
                os.chdir(inst.root)
                s.connect("run/gate/socket")
                s.sendall(f"session={session(who)} {words}\n".encode())
                text = b""
                while more := s.recv(65536):
                    text += more
                return json.loads(text) if text.endswith(b"\n") else {}
        except (FileNotFoundError, ConnectionRefusedError):
            if not inst.alive("seki-hold") or time.monotonic() > deadline:
                return {}
            time.sleep(NAP)
        except OSError:
            return {}


def person(who: str, word: str, more: str = "") -> Callable:
    """Acts on the message: (answer) done, no, unknown, gone, "" (none)."""
    def act(inst: Instance, waiting: list) -> str:
        return ask(inst, who, f"act word={word} id={waiting[0].id}{more}").get("result", "")
    return act


def operator(word: str, more: Callable = lambda: "") -> Callable:
    """Orders it for the first leg."""
    def act(inst: Instance, waiting: list) -> str:
        for _ in range(5):  # its name says when it is looked at next, and has just changed
            now = waiting[0].now(inst)
            answer = order(inst, "seki-hold", f"{word} {now[0]} {now[1]} by=x via=shell{more()}") if now else ""
            if answer != "gone" or not now or now[1] in inst.names(now[0]):
                break
        return answer.split(" ")[0]
    return act


def nobody(inst: Instance, waiting: list) -> str:
    return ""


# ---- what was decided ----------------------------------------------------------------------------


def says(*words: bytes) -> Callable:
    """Whether the leg has all of these records."""
    return lambda one: all(any(b" " + w in r for r in one.records) for w in words)


def audit_lines(inst: Instance) -> list:
    """What was said, chained already or not: the trays first, for what leaves them stands in the log by then."""
    found = []
    for folder in ("trays", "log"):
        for path in sorted((inst.root / "lib/audit" / folder).iterdir()):
            found += path.read_bytes().split(b"\n")
    return found


def is_said(lines: list, case: "Case", waiting: Waiting) -> bool:
    """Where it is divided, of each leg that it becomes."""
    keys = [f"{waiting.k}.{n}" for n in (1, 2, 3)] if case.divides else [waiting.k]
    told = [line for line in lines if f" what={case.audit} ".encode() in line]
    return not case.audit or all(any(f" id={waiting.id}.{k} ".encode() in line for line in told) for k in keys)


def chained(inst: Instance) -> list:
    return [line for path in sorted((inst.root / "lib/audit/log").iterdir()) for line in path.read_bytes().split(b"\n") if line]


def check_chain(inst: Instance) -> list:
    before = b"0" * 64
    for n, line in enumerate(chained(inst), 1):
        text, _, chain = line.rpartition(b" chain=")
        if hashlib.sha256(before + text).hexdigest().encode() != chain or not line.startswith(b"%d " % n):
            return [f"H4: the chain breaks at {line[:80]!r}"]
        before = chain
    return []


# ---- the cases -----------------------------------------------------------------------------------


@dataclass
class Case:
    name: str
    prepare: Callable              # makes the legs; the first is the one that is acted on
    act: Callable
    done: Callable                 # whether a leg says that it was done
    rests: tuple                   # where it rests: not done, done
    audit: str                     # by which word the audit has heard of it
    victim: str = "seki-hold"
    rules: str = ""
    settings: str = ""
    programs: tuple = ("seki-hold", "seki-deliver")
    every: bool = False            # reading, too
    after: Callable | None = None  # what people do then: (instance, legs) -> violations
    rcpts: tuple = (ONE, TWO)      # who has it in the end
    like: Callable | None = None   # of (message, content)
    divides: bool = False          # the first leg becomes three


def without(address: str, same: bool = True) -> Callable:
    """The header has the others and not him; what stands behind it is what was sent."""
    def like(message: Message, data: bytes) -> bool:
        was, now = (email.message_from_bytes(d, policy=email.policy.default) for d in (message.body, data))
        left = [a.addr_spec for a in was["To"].addresses if a.addr_spec != address]
        return ([a.addr_spec for a in now["To"].addresses] == left and address.encode() not in data
                and (not same or data.partition(b"\r\n\r\n")[2] == message.body.partition(b"\r\n\r\n")[2]))
    return like


def with_text(message: Message, data: bytes) -> bool:
    """The text stands once, at the top; then all that was sent."""
    return data.partition(b"\r\n\r\n")[2].count(TEXT.encode()) == 1 and data.partition(b"\r\n\r\n")[2].endswith(
        message.body.partition(b"\r\n\r\n")[2]) and data.partition(b"\r\n\r\n")[2].startswith(TEXT.encode())


def ordered(word: str) -> Callable:
    """In the end an operator does this, and the mail leaves."""
    def after(inst: Instance, waiting: list) -> list:
        answer = insist(inst, lambda: operator(word)(inst, waiting))
        return [] if answer == "done" else [f"H2: {word} is answered {answer!r}"]
    return after


def frank_votes(inst: Instance, waiting: list) -> list:
    answer = insist(inst, lambda: person(FRANK, "approve")(inst, waiting))
    return [] if answer == "done" else [f"H2: the second vote is answered {answer!r}"]


def waits_longer(inst: Instance, waiting: list) -> list:
    """Beyond its first time, and then beyond its second."""
    inst.set_clock(inst.ahead + SOON + 600)
    inst.supervise(lambda: "event=" in inst.log() and passes(0.25), 5, steps=False)
    now = waiting[0].now(inst)
    faults = [] if now and now[0] == "hold" else [f"H2: it was put off, and stands in {now and now[0]}"]
    inst.set_clock(inst.ahead + LATER)
    return faults


_since = [0.0]


def passes(seconds: float) -> bool:
    """True when it has been asked for so long."""
    if not _since[0]:
        _since[0] = time.monotonic()
    if time.monotonic() - _since[0] < seconds:
        return False
    _since[0] = 0.0
    return True


def the_others(inst: Instance, waiting: list) -> list:
    """One was thrown away; the colleague's has left, and the third waits until it is released."""
    faults = []
    if (third := waiting[2].now(inst)) is None or third[0] != "hold":
        faults.append(f"H1: the third leg stands in {third and third[0]}")
    answer = insist(inst, lambda: operator("release")(inst, waiting[2:]))
    return faults + ([] if answer == "done" else [f"H2: the third leg is answered {answer!r}"])


def children(inst: Instance, waiting: list) -> list:
    """The colleague has his; of the outsiders one leg is thrown away, of the other the boss approves."""
    base, faults = waiting[0], []
    legs = []
    for state in ("sent", "hold", "approve"):
        names = [n for n in inst.names(state) if base.id in n]
        if len(names) != 1:
            return [f"I1: {names} in {state}/"]
        one = leg.Leg(inst.read(state, names[0]))
        legs.append(Waiting(Message(base.message.token, one.rcpts, base.message.body), state, base.id, one.k, b""))
    if [w.message.rcpts for w in legs] != [[DAN], [ONE], [TWO]]:
        return [f"H1: in sent/, hold/, approve/ stand legs to {[w.message.rcpts for w in legs]}"]
    if insist(inst, lambda: operator("discard")(inst, legs[1:2])) != "done":
        faults.append("H2: the held leg cannot be discarded")
    if insist(inst, lambda: person(BOSS, "approve")(inst, legs[2:3])) != "done":
        faults.append("H2: the other leg cannot be approved")
    return faults


REMOVED = says(b"removed address=", b"drop rcpt=1 ")
SEALING = ("seki-hold", "seki-encrypt", "seki-seal", "seki-deliver")
TELLING = ("seki-queue", "seki-scan", "seki-hold", "seki-deliver", "seki-notice")
APPROVE = f"approve by=address:{BOSS} notice=digest"
TWO_OF = "approve by=2:staff notice=digest"

CASES = [
    Case("held-released", held(), operator("release"), says(b"held plan="), ("hold", "sent"), "release"),
    Case("held-confirmed", held("hold confirmed notice=never"), person(ALICE, "confirm"), says(b"held plan="),
         ("hold", "sent"), "release"),
    Case("held-discarded", held(), person(ALICE, "discard"), says(b"discarded by="), ("hold", "trash"), "discard", rcpts=()),
    Case("held-restored", thrown_away, operator("restore"), says(b"restored by="), ("trash", "hold"), "restore", rules=WAITS,
         programs=("seki-scan", "seki-hold", "seki-deliver"), after=ordered("release")),
    Case("held-extended", held(), operator("extend", lambda: f" until={until(SOON + LATER)}"), says(b"extended until="),
         ("hold", "hold"), "extend", after=waits_longer),
    Case("held-removed", held(), person(ALICE, "remove", f" rcpt={ONE}"), REMOVED, ("hold", "hold"), "remove",
         programs=SEALING, after=ordered("release"), rcpts=(TWO,), like=without(ONE)),
    Case("held-voted", held(TWO_OF), person(ERIN, "approve"), says(b"vote plan="), ("approve", "approve"), "approve",
         after=frank_votes),
    Case("held-approved", held(APPROVE), person(BOSS, "approve"), says(b"vote plan="), ("approve", "sent"), "approve",
         every=True),
    Case("held-approved-by-operator", held(TWO_OF), operator("approve"), says(b"approved plan="), ("approve", "sent"), "approve"),
    Case("held-rejected", held(APPROVE), person(BOSS, "reject", " reason=no"), says(b"discarded by="), ("approve", "trash"),
         "reject", rcpts=()),
    Case("held-urgent", held(APPROVE), person(ALICE, "urgent", " reason=now"), says(b"approved plan="), ("approve", "sent"),
         "urgent"),
    Case("held-unconfirmed", held(f"hold discard={until(-5)} notice=never"), nobody, says(b"discarded by=seki-hold"),
         ("hold", "trash"), "discarded", rcpts=()),
    Case("held-expired", old_approval, nobody, says(b"discarded by=seki-hold"), ("approve", "trash"), "discarded", rcpts=()),
    Case("held-divided", divided, operator("discard"), says(b"discarded by="), ("hold", "trash"), "discard",
         after=the_others, rcpts=(DAN, TWO)),
    Case("held-dividing", undivided, nobody, says(), ("sent", "hold", "approve"), "judged", "seki-scan", rules=DIVIDING,
         programs=("seki-scan", "seki-hold", "seki-deliver"), after=children, rcpts=(DAN, TWO), divides=True),
    Case("sealed-removed", sealing("encrypt keep", removed), nobody, says(b"rewritten addresses=1 "), ("encrypt", "sent"), "",
         "seki-encrypt", programs=SEALING, rcpts=(TWO,), like=without(ONE), every=True),
    Case("sealed-inserted", sealing("encrypt insert=top text=checked"), nobody, says(b"sealed plan="), ("encrypt", "sent"), "",
         "seki-encrypt", programs=SEALING, like=with_text),
    Case("sealed-both", sealing("encrypt insert=top text=checked", removed), nobody, says(b"sealed plan=", b"rewritten "),
         ("encrypt", "sent"), "", "seki-encrypt", programs=SEALING, rcpts=(TWO,),
         like=lambda message, data: with_text(message, data) and without(ONE, False)(message, data)),
]


def case_of(name: str) -> Case:
    return next(c for c in CASES if c.name == name)


# ---- one point -----------------------------------------------------------------------------------


def lay_out(inst: Instance, case: Case) -> None:
    (inst.root / "etc/texts").mkdir()
    (inst.root / "etc/texts/checked").write_text(TEXT.replace("\r\n", "\n"))
    (inst.root / "lib/gate/key").write_text(KEY.hex() + "\n")
    (inst.root / "run/audit/state").touch()
    (inst.root / "lib/audit/accepted").touch()
    for program in ("seki", *STAGES):
        (inst.root / "lib/audit/trays" / program).touch()
    inst.in_force(case.rules, PEOPLE)
    inst.programs = ("seki-audit", *case.programs)


STAGES = ("seki-queue", "seki-scan", "seki-hold", "seki-encrypt", "seki-stagger", "seki-deliver")


def insist(inst: Instance, what: Callable, seconds: float = 5) -> str:
    """What is answered when the leg is in nobody's hand, and the program runs. A fault may meet the order itself: then it is
    unknown for a moment, and done or to be ordered again."""
    deadline, unsure = time.monotonic() + seconds, False
    while True:
        for program in inst.programs:
            if not inst.alive(program):
                inst.start_ready(program)
        answer = what()
        if answer in ("gone", "no") and unsure:
            return "done"  # it has gone on meanwhile: where to, is judged behind this
        unsure = unsure or answer == "unknown"
        if answer not in ("", "gone", "no", "unknown") or time.monotonic() > deadline:
            return answer
        time.sleep(0.02)


def until_met(inst: Instance, case: Case, fault: str, over: Callable) -> None:
    deadline = time.monotonic() + HIT_SECONDS
    moved = time.monotonic()
    while time.monotonic() < deadline and inst.alive(case.victim):
        if (fault and inst.calls("hit")) or over():
            return
        if time.monotonic() - moved > STEP_AFTER:
            inst.set_clock(inst.ahead + STEP)
            moved = time.monotonic()
        time.sleep(NAP)


def records_but_told(one: leg.Leg) -> list:
    return [r for r in one.records if b" noticed " not in r]


def judge(inst: Instance, case: Case, waiting: list, answer: str, fault: str) -> tuple:
    """Right behind the fault: (whether it was done, violations)."""
    first, faults = waiting[0], []
    now = first.now(inst)
    if now is None:
        return None, [f"I1: {first.id} does not stand in exactly one place"]
    state, name, one = now
    done = case.done(one)
    if answer == "done" and not done:
        faults.append(f"H2: told as done, and the leg does not say so; it stands in {state}/")
    if answer == "no" and (state != first.state or records_but_told(one) != leg.Leg(first.data).records):
        faults.append(f"H3: told as not done, and it stands in {state}/ with {one.trailer[-300:]!r}")
    if done and not is_said(audit_lines(inst), case, first):
        faults.append("H4: it was done, and the audit has not heard of it")
    if not fault and case.act is not nobody and answer != "done":
        faults.append(f"H2: without a fault the answer was {answer!r}")
    if case.rcpts == () and os.listdir(inst.root / "outbox/new"):
        faults.append("H1: it is in the outbox")
    return done, faults


def rest(inst: Instance, case: Case, waiting: list, done: bool) -> Callable:
    """Whether the first leg stands where its records say, and the others are at rest."""
    def resting() -> bool:
        if case.divides:
            return inst.splits_empty() and [len(inst.names(s)) for s in ("new", *case.rests)] == [0, 1, 1, 1] and inst.emptied()
        now = waiting[0].now(inst)
        return (now is not None and now[0] == case.rests[done] and case.done(now[2]) == done and inst.splits_empty()
                and not any(inst.names(s) for s in ("new", "encrypt", "deliver")) and inst.emptied())
    return resting


def come_to_rest(inst: Instance, case: Case, waiting: list, done: bool, seconds: float) -> list:
    if inst.supervise(rest(inst, case, waiting, done), seconds, steps=case.act is nobody):
        return []
    if case.divides:
        return [f"I1: its legs are not at rest: {[(s, inst.names(s)) for s in STATES if inst.names(s)]}; ended: {inst.exits}"]
    now = waiting[0].now(inst)
    return [f"I1: {'done' if done else 'not done'}, and it stands in {now and now[0]}, not in {case.rests[done]}/; "
            f"{now and now[2].trailer[-400:]!r}; ended: {inst.exits}"]


def check_end(inst: Instance, case: Case, waiting: list) -> list:
    """I1, I2, I3: who has it, how often, and as what; H4: the chain has it."""
    faults, got = [], []
    by_token = {w.message.token: w.message for w in waiting}
    for name in os.listdir(inst.root / "outbox/new"):
        rcpts, data = oracle.read_delivery((inst.root / "outbox/new" / name).read_bytes())
        message = by_token.get(token_of(data))
        right = message and (case.like(message, data) if case.like else oracle.same(data, message))
        if not right:
            faults.append(f"I2: what {rcpts} got is not what was sent: {data[:200]!r}")
        got += rcpts
    if sorted(got) != sorted(case.rcpts):
        faults.append(f"H1: {sorted(got)} got it, not {sorted(case.rcpts)}")
    for name in inst.names("sent"):
        one = leg.Leg(inst.read("sent", name))
        faults += [f"I3: sent/{name}: passed without a closing record: {one.unproven()}"] if one.unproven() else []
        faults += [f"law 2: sent/{name}: no whole record: {one.rest[:80]!r}"] if one.rest else []
    faults += [f"bad/ holds {inst.names('bad')}"] if inst.names("bad") else []
    if not is_said(chained(inst), case, waiting[0]):
        faults.append(f"H4: what={case.audit} is not in the chain")
    return faults + check_chain(inst)


def run_point(build, libraries, case: Case, fault: str, wrong: str = "", seconds: float = REST_SECONDS) -> dict:
    """The violations of one fault, and the calls that were made."""
    inst = Instance(build, libraries, SETTINGS + case.settings)
    try:
        lay_out(inst, case)
        waiting = case.prepare(inst)
        for program in ("seki-audit", *(["seki-seal"] if case.victim == "seki-encrypt" else [])):
            inst.start_ready(program)
        inst.start_ready(case.victim, fault=fault, also=True, wrong=wrong)
        answer = case.act(inst, waiting)
        until_met(inst, case, fault, lambda: bool(answer) or (case.act is nobody and has_left(inst, waiting)))
        kinds = {word.split(":")[1] for word in fault.split(",") if word}
        if kinds & {"kill", "after", "torn"}:
            smtp.await_end(inst, case.victim) if inst.calls("hit") else None
            inst.stop(case.victim)
        done, faults = False, []
        if not case.divides:
            with inst.standing_still(case.victim):
                done, faults = judge(inst, case, waiting, answer, fault)
        calls = inst.calls()
        faults += end(inst, case, waiting, done, seconds) if done is not None else []
        inst.stop_all()
        return {"name": f"{case.name} {fault}", "faults": faults, "calls": calls, "hit": inst.calls("hit"),
                "log": inst.log() if faults else ""}
    finally:
        inst.remove()


def has_left(inst: Instance, waiting: list) -> bool:
    """Where nobody orders anything: nothing of the first leg is in its place any more."""
    return not any(waiting[0].id in n for n in inst.names(waiting[0].state)) and inst.splits_empty()


def end(inst: Instance, case: Case, waiting: list, done: bool, seconds: float) -> list:
    """Started again; the order once more, if it was not carried out; and to the end."""
    faults = []
    if case.act is not nobody:
        faults += come_to_rest(inst, case, waiting, done, seconds)
        if not faults and not done:
            if os.listdir(inst.root / "outbox/new") and case.name != "held-divided":
                faults.append("H1: it was not done, and is in the outbox")
            answer = insist(inst, lambda: case.act(inst, waiting))
            faults += [] if answer == "done" else [f"H2: given once more, it is answered {answer!r}"]
    if not faults:
        faults += come_to_rest(inst, case, waiting, True, seconds)
    if not faults and case.after:
        faults += case.after(inst, waiting)
    if not faults and not inst.supervise(lambda: over(inst, case, waiting), seconds, steps=False):
        faults.append(f"I1: not at rest: {[(s, inst.names(s)) for s in STATES if inst.names(s)]}; ended: {inst.exits}")
    return faults + (check_end(inst, case, waiting) if not faults else [])


def over(inst: Instance, case: Case, waiting: list) -> bool:
    left = ("new", "encrypt", "deliver") + (("hold", "approve") if case.rcpts or case.rests[1] == "trash" else ())
    return (inst.splits_empty() and not any(inst.names(s) for s in left) and inst.emptied()
            and is_said(chained(inst), case, waiting[0]))


def all_faults(case: Case, calls: list) -> list:
    """Each fault at each call of a counted run. To die behind a call is to die before the next that changes something."""
    found, truncates = [], 0
    kinds = CHANGING + (READING if case.every else ())
    wanted = [(call, call.split(".")[0]) for call, _ in calls if call.split(".")[0] in kinds]
    for n, (call, kind) in enumerate(wanted):
        truncates += kind == "truncate"
        found.append(f"{call}:kill")
        if n == len(wanted) - 1:
            found.append(f"{call}:after")
        found += [f"{call}:{error}" for error in points.ERRORS[kind]]
        if kind == "write":
            found += [f"{call}:short,truncate.{truncates + 1}:{then}" for then in ("EIO", "kill")]
    return found


# ---- telling -------------------------------------------------------------------------------------


def discarded_with_draft(inst: Instance) -> list:
    return [stands(inst, "trash", [f"hold until={until(SOON)}", "deliver"],
                   lambda *_: leg.record("discarded", f"by={ALICE} via=web cause=person tell=draft"))]


TOLD = {
    "draft": (discarded_with_draft, "trash", {ALICE: "draft"}),
    "asked": (held(f"approve by=address:{BOSS} notice=always"), "approve", {ALICE: "hold", BOSS: "request"}),
    "confirm": (held("hold confirmed notice=always"), "hold", {ALICE: "hold"}),
}


def noticed(inst: Instance, waiting: Waiting) -> dict:
    """(what, to) -> the notices that its records name."""
    found: dict = {}
    now = waiting.now(inst)
    for record in now[2].records if now else []:
        words = record.decode().split()
        if words[1] == "noticed":
            values = dict(w.split("=", 1) for w in words[2:])
            found.setdefault((values["to"], values["what"]), []).append(values["notice"])
    return found


def came(inst: Instance, waiting: Waiting) -> dict:
    """Recipient -> the names of the mails that he got."""
    found: dict = {}
    for name in os.listdir(inst.root / "outbox/new"):
        rcpts, _ = oracle.read_delivery((inst.root / "outbox/new" / name).read_bytes())
        for rcpt in rcpts:
            found.setdefault(rcpt, []).append(name)
    return found


def check_told(inst: Instance, waiting: Waiting, state: str, told: dict, doubles: bool) -> list:
    faults = []
    now, said, got = waiting.now(inst), noticed(inst, waiting), came(inst, waiting)
    if now is None or now[0] != state:
        faults.append(f"I1: it stands in {now and now[0]}, not in {state}/")
    if set(got) - set(told):
        faults.append(f"H1: {set(got) - set(told)} got mail")
    for who, what in told.items():
        names, mails = said.pop((who, what), []), got.get(who, [])
        if len(names) != 1 or not any(names[0] in mail for mail in mails):
            faults.append(f"I4: {who} is told ({what}), by the records in {names}, and got {mails}")
        if not 1 <= len(mails) <= 1 + doubles:
            faults.append(f"I1: {who} was told {len(mails)} times")
    return faults + ([f"I4: nobody was to be told of {said}"] if said else [])


def run_told(build, libraries, name: str, fault: str, seconds: float = REST_SECONDS) -> dict:
    """seki-hold tells people, and meets a fault."""
    prepare, state, told = TOLD[name]
    inst = Instance(build, libraries, SETTINGS)
    try:
        case = Case(name, prepare, nobody, says(), (), "", programs=TELLING)
        lay_out(inst, case)
        os.symlink(NOTICES, inst.root / "etc/notices")
        first = prepare(inst)[0]
        for program in inst.programs:
            inst.start_ready(program, **({"fault": fault, "net": True} if program == "seki-hold" else {}))

        def over() -> bool:
            return set(noticed(inst, first)) == {(w, t) for w, t in told.items()} and inst.splits_empty() and not any(
                inst.names(s) for s in ("tmp", "new", "deliver")) and inst.emptied()
        until_met(inst, case, fault, over)
        hit = bool(inst.calls("hit")) and fault.rpartition(":")[2] not in smtp.HARMLESS
        rested = inst.supervise(over, seconds)
        inst.stop_all()
        faults = [] if rested else [f"I1: not told: {noticed(inst, first)}; ended: {inst.exits}"]
        faults += check_told(inst, first, state, told, hit)
        return {"name": f"telling {name} {fault}", "faults": faults, "calls": inst.calls(), "hit": inst.calls("hit"),
                "log": inst.log() if faults else ""}
    finally:
        inst.remove()


def told_faults(calls: list) -> list:
    """At the calls that change something; of those that a waiting program repeats, at the first few."""
    found = []
    for call, _ in calls:
        kind = smtp.kind_of(call)
        if kind not in smtp.CHANGING or int(call.split(".")[-1]) > smtp.STEADY.get(kind, 10_000):
            continue
        found += [f"{call}:kill"] + ([] if kind in smtp.ERRORS else [f"{call}:after"])
        found += [f"{call}:{error}" for error in smtp.errors_of(kind)]
    return found
