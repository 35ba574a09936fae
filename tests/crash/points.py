"""Q1, Q3: each program, with a fault at each of its calls that touch the spool."""
import time
from dataclasses import dataclass
from typing import Callable

import leg
import oracle
from instance import FULL, NAP, OWNED, STATES, Door, Instance, order
from oracle import Expected, Message

HELD = ["approve no", "hold no", "encrypt keep", "stagger no", "deliver"]
RCPTS = ["bob@partner.example", "carol@other.example", "dan@third.example"]
SMALL, LARGE = 3000, 300_000
HIT_SECONDS, REST_SECONDS = 4, 8

# What else a call may meet than being killed before or behind it.
ERRORS = {
    "create": ["ENOSPC", "EIO", "EDQUOT", "EINTR", "EMFILE"],
    "open": ["EIO", "EINTR", "EMFILE"],
    "opendir": ["EIO", "EMFILE"],
    "readdir": ["EIO"],
    "fstat": ["EIO"],
    "fstatat": ["EIO"],
    "pread": ["EIO", "EINTR", "short"],
    "write": ["ENOSPC", "EIO", "EDQUOT", "EINTR", "short", "torn"],
    "writev": ["ENOSPC", "EIO", "EDQUOT", "EINTR", "short", "torn"],
    "pwrite": ["ENOSPC", "EIO", "EDQUOT", "EINTR", "short", "torn"],
    "copy": ["ENOSPC", "EIO", "EDQUOT", "EXDEV", "short", "torn"],
    "allocate": ["ENOSPC", "EIO", "EDQUOT", "EINTR"],
    "truncate": ["EIO", "EINTR"],
    "rename": ["ENOSPC", "EIO", "EDQUOT"],
    "unlink": ["EIO"],
    "fsync": ["EIO", "ENOSPC", "EDQUOT", "EINTR"],
    "close": ["EIO", "EINTR"],
}


@dataclass
class Scenario:
    name: str
    program: str
    prepare: Callable
    settings: str = ""
    words: tuple = tuple(FULL.split())
    client: Callable | None = None
    done: Callable | None = None   # the program under test has nothing more to do
    judge: Callable | None = None  # what must hold behind the fault already
    after: Callable | None = None  # before the other programs start
    end: Callable | None = None    # what must hold in the end beside what holds of all


# ---- what stands at the door -------------------------------------------------------------------


def message(inst: Instance, state: str, closed: int, rcpts: list, tail: bytes = b"", planned: bool = True, ident: str = "") -> tuple:
    """Puts a leg with its first `closed` steps closed into a state."""
    ident = ident or leg.new_id()
    told = Message(ident[-8:], rcpts, oracle.body(ident[-8:], SMALL))
    text, digest = leg.plan(ident, "1", HELD)
    trailer = text if planned else b""
    for step in HELD[:closed] if planned else []:
        trailer += leg.record(leg.CLOSING[step.split()[0]], f"plan={digest} by=nobody")
    inst.put(state, leg.name(state, ident), leg.leg(ident, "1", rcpts, told.body, trailer + tail))
    return told, ident


def one(state: str, closed: int, tail: bytes = b"", planned: bool = True, **more) -> Callable:
    def prepare(inst: Instance) -> Expected:
        told, _ = message(inst, state, closed, RCPTS[:2], tail, planned)
        return Expected([told], **more)
    return prepare


def nothing(words: tuple) -> Callable:
    return lambda inst: Expected([], words)


def received_before(inst: Instance) -> Expected:
    """tmp/ as a crash leaves it: whole; a part; zeros of full length; a head and no content."""
    told = []
    for status, damage in (("maybe", None), ("never", "part"), ("never", "zeros"), ("never", "blank")):
        ident = leg.new_id()
        m = Message(ident[-8:], RCPTS[:1], oracle.body(ident[-8:], SMALL), status)
        whole = leg.leg(ident, "1", m.rcpts, m.body)
        content = whole.index(b"\n\n") + 2
        data = {None: whole, "part": whole[:-900], "zeros": bytes(len(whole)),
                "blank": whole[:content] + bytes(SMALL) + whole[content + SMALL:]}[damage]
        inst.put("tmp", leg.name("tmp", ident), data)
        told.append(m)
    return Expected(told, ("deliver",))


def divided_before(inst: Instance) -> Expected:
    """split/scan behind the commit point, one child moved already; and a child of a leg in new/."""
    ident = leg.new_id()
    m = Message(ident[-8:], RCPTS, oracle.body(ident[-8:], SMALL))
    for n, rcpt in enumerate(RCPTS, 1):
        k = f"1.{n}"
        data = leg.leg(ident, k, [rcpt], m.body, leg.plan(ident, k, HELD)[0])
        if n == 1:
            inst.put("approve", leg.name("approve", ident, k), data)
        else:
            inst.put("split/scan", f".{ident}.{k}", data)
    inst.put("split/scan", f"{ident}.1", leg.leg(ident, "1", RCPTS, m.body))
    other, before = message(inst, "new", 0, RCPTS, planned=False)
    data = leg.leg(before, "1.1", RCPTS[:1], other.body, leg.plan(before, "1.1", HELD)[0])
    inst.put("split/scan", f".{before}.1.1", data[:-10])
    return Expected([m, other])


def copied_before(inst: Instance) -> Expected:
    """The same leg in deliver/ and, ended, in sent/: a restored backup."""
    told, ident = message(inst, "deliver", 4, RCPTS[:2])
    data = inst.read("deliver", inst.names("deliver")[0])
    ends = leg.record("delivered", f"plan={leg.plan(ident, '1', HELD)[1]} rcpt=1-2 host=maildir reply=ok")
    inst.put("sent", f"{ident}.1", data + ends)
    told.deliveries = 0
    return Expected([told], bad=1)


def sent_before(inst: Instance) -> Expected:
    """A leg whose end is written down: in deliver/, the rename lost; and in sent/, its body still there."""
    told = []
    for state in ("deliver", "sent"):
        ident = leg.new_id()
        digest = leg.plan(ident, "1", HELD)[1]
        ends = leg.record("delivered", f"plan={digest} rcpt=1-2 host=maildir reply=ok")
        m, _ = message(inst, state, 4, RCPTS[:2], ends, ident=ident)
        m.deliveries = 0
        told.append(m)
    return Expected(told)


def small_mail(inst: Instance, expected: Expected) -> None:
    send_all(inst, expected, [SMALL, SMALL])


def large_mail(inst: Instance, expected: Expected) -> None:
    send_all(inst, expected, [LARGE])


def send_all(inst: Instance, expected: Expected, sizes: list) -> None:
    """Sends mail through the door; whose answer is lost may come whole or not at all."""
    try:
        door = Door(inst)
    except OSError:
        return
    for size in sizes:
        token = leg.new_id()[-8:]
        m = Message(token, RCPTS[:2], oracle.body(token, size), received=True)
        letter = door.send(m.rcpts, m.body)
        m.status = "kept" if letter == "K" else "maybe"
        expected.letters.append(letter)
        expected.messages.append(m)
    door.socket.close()


# ---- the outbox out of order -------------------------------------------------------------------


def without_outbox(prepare: Callable) -> Callable:
    def changed(inst: Instance) -> Expected:
        (inst.root / "outbox/new").rename(inst.root / "outbox/away")
        return prepare(inst)
    return changed


def outbox_again(inst: Instance) -> None:
    (inst.root / "outbox/away").rename(inst.root / "outbox/new")


def was_deferred(inst: Instance) -> bool:
    return "event=deferred" in inst.log()


# ---- a person's orders --------------------------------------------------------------------------

OPERATED = ["hold operator why=foreign-sender", "deliver"]
FROZEN = "all since=2026-11-22T09:35:01Z by=root reason=\n"
TO = {"release": "deliver", "discard": "trash"}


def waits(state: str, word: str) -> Callable:
    """A leg that only a person's word moves: held, or frozen in deliver/."""
    def prepare(inst: Instance) -> Expected:
        ident = leg.new_id()
        told = Message(ident[-8:], RCPTS[:2], oracle.body(ident[-8:], SMALL), "kept" if word == "release" else "never")
        text, digest = leg.plan(ident, "1", OPERATED)
        if state == "deliver":
            text += leg.record("held", f"plan={digest} ended=released by=x via=shell")
            (inst.root / "lib/freeze").write_text(FROZEN)
        name = f"{NEVER}.{ident}.1" if state == "hold" else leg.name(state, ident)
        inst.put(state, name, leg.leg(ident, "1", told.rcpts, told.body, text))
        return Expected([told])
    return prepare


def ordered(state: str, word: str, program: str) -> Callable:
    """Orders it, once; what was answered stands in expected.answer."""
    def client(inst: Instance, expected: Expected) -> None:
        expected.answer = "no it is being sent"  # seki-deliver reads it once, and finds it frozen
        while expected.answer == "no it is being sent" and (names := inst.names(state)):
            expected.answer = order(inst, program, f"{word} {state} {names[0]} by=x via=shell")
    return client


def one_place(state: str, word: str) -> Callable:
    """Exactly one file of it, where the answer says; a record that counts only where it was not denied."""
    def judge(inst: Instance, expected: Expected, fault: str) -> list:
        places = [(s, n) for s in STATES for n in inst.names(s)]
        if len(places) != 1 or places[0][0] not in (state, TO[word]):
            return [f"I1: after a crash it stands in {places}"]
        found = leg.Leg(inst.read(*places[0]))
        said = {"release": "held", "discard": "discarded"}[word] in found.words()
        moved = places[0][0] == TO[word]
        faults = [] if said or not moved else [f"law 4: {word}d without its record"]
        if not fault and expected.answer != f"done {TO[word]}":
            faults.append(f"I2: without a fault the answer was {expected.answer!r}")
        if expected.answer.startswith("done") and not moved:
            faults.append("I2: told as done, and it is not")
        if expected.answer.startswith("no") and (said or moved):
            faults.append(f"I2: told as not done ({expected.answer}), and it is")
        if fault.startswith("fsync") and fault.endswith(("EIO", "ENOSPC")) and expected.answer != f"unknown {TO[word]}":
            faults.append(f"I2: a failed fsync was told as {expected.answer!r}")
        return faults
    return judge


def ordered_again(state: str, word: str, program: str) -> Callable:
    """As the operator does who lists again: until it is there."""
    def after(inst: Instance) -> None:
        deadline = time.monotonic() + HIT_SECONDS
        while (names := inst.names(state)) and time.monotonic() < deadline:
            if not inst.alive(program):
                inst.start(program)
            order(inst, program, f"{word} {state} {names[0]} by=x via=shell")
            time.sleep(NAP)
    return after


def person(name: str, program: str, state: str, word: str) -> Scenario:
    return Scenario(name, program, waits(state, word), words=("hold", "deliver"), client=ordered(state, word, program),
                    judge=one_place(state, word), after=ordered_again(state, word, program))


PLAN_FULL = f"plan-states {FULL}\n"
NEVER = "99991231T235959Z"
DELIVER = ("deliver",)
TORN = b"2026-11-22T10:35:01.2001"

SCENARIOS = [
    Scenario("queue", "seki-queue", nothing(DELIVER), words=DELIVER, client=small_mail),
    Scenario("queue-large", "seki-queue", nothing(DELIVER), words=DELIVER, client=large_mail),
    Scenario("queue-recovering", "seki-queue", received_before, words=DELIVER),
    Scenario("scan", "seki-scan", one("new", 0, planned=False), PLAN_FULL),
    Scenario("scan-torn", "seki-scan", one("new", 0, b"plan 5 sha256=77b0c1d2e3f4a5b6\n approve", planned=False), PLAN_FULL),
    Scenario("scan-dividing", "seki-scan", one("new", 0, planned=False), PLAN_FULL + "plan-divide recipient\n"),
    Scenario("scan-divided", "seki-scan", divided_before, PLAN_FULL),
    Scenario("hold-approving", "seki-hold", one("approve", 0), PLAN_FULL),
    Scenario("hold", "seki-hold", one("hold", 1), PLAN_FULL),
    Scenario("hold-torn", "seki-hold", one("hold", 1, TORN), PLAN_FULL),
    Scenario("hold-unplanned", "seki-hold", one("hold", 0, planned=False), PLAN_FULL),
    Scenario("encrypt", "seki-encrypt", one("encrypt", 2), PLAN_FULL),
    Scenario("stagger", "seki-stagger", one("stagger", 3), PLAN_FULL),
    Scenario("deliver", "seki-deliver", one("deliver", 4), PLAN_FULL),
    Scenario("deliver-torn", "seki-deliver", one("deliver", 4, TORN), PLAN_FULL),
    Scenario("deliver-unproven", "seki-deliver", one("deliver", 2), PLAN_FULL),
    Scenario("deliver-copied", "seki-deliver", copied_before, PLAN_FULL),
    Scenario("deliver-ended", "seki-deliver", sent_before, PLAN_FULL),
    person("hold-released", "seki-hold", "hold", "release"),
    person("hold-discarded", "seki-hold", "hold", "discard"),
    person("deliver-discarded", "seki-deliver", "deliver", "discard"),
    Scenario("deliver-deferring", "seki-deliver", without_outbox(one("deliver", 4)), PLAN_FULL,
             done=was_deferred, after=outbox_again),
]


# ---- one point ---------------------------------------------------------------------------------


def door_clear(scenario: Scenario, inst: Instance) -> bool:
    if scenario.done:
        return scenario.done(inst)
    mine = any(inst.names(state) for state in OWNED[scenario.program])
    return not mine and inst.splits_empty() and (scenario.program != "seki-deliver" or inst.emptied())


def run_faulted(scenario: Scenario, inst: Instance, expected: Expected, fault: str, wrong: str, testing: bool) -> None:
    """The program alone, until it has met its fault, has died or has nothing more to do."""
    inst.start(scenario.program, fault, wrong, testing)
    if scenario.client:
        scenario.client(inst, expected)
    deadline = time.monotonic() + HIT_SECONDS
    last = time.monotonic()
    while time.monotonic() < deadline and inst.alive(scenario.program):
        if fault and inst.calls("hit"):
            return
        if not door_clear(scenario, inst):
            last = time.monotonic()
        elif time.monotonic() - last > 0.05:
            return
        time.sleep(NAP)


def run_point(build, libraries, scenario: Scenario, fault: str, wrong: str = "",
              everywhere: dict | None = None, seconds: float = REST_SECONDS) -> dict:
    """The violations of one fault, and the calls that were made."""
    kinds = {word.split(":")[1] for word in fault.split(",") if word}
    kill = bool(kinds & {"kill", "after", "torn"})
    inst = Instance(build, libraries, scenario.settings + "sweep-every 5s\n")
    try:
        inst.root.joinpath("etc/settings.lax").write_text("trial yes\nroute maildir:outbox\nplan-states deliver\naudit no\n")
        expected = scenario.prepare(inst)
        expected.words = scenario.words
        # Law 1: after a failed fsync the file is given up, its body with it, until the next start.
        inst.may_stay_full = scenario.program == "seki-deliver" and fault.startswith("fsync") and not kill
        run_faulted(scenario, inst, expected, fault, wrong, not kill)
        if kill and inst.alive(scenario.program):
            inst.stop(scenario.program)  # it was never met
        with inst.standing_still(scenario.program):
            faults = scenario.judge(inst, expected, fault) if scenario.judge else []
        if scenario.after:
            scenario.after(inst)
        rested = inst.supervise(inst.at_rest, seconds, everywhere, not kill)
        inst.stop_all()
        faults += [] if rested else [f"I1: not at rest; ended: {inst.exits}"]
        expected.alarm = not kill  # one who dies before he can say so says nothing
        faults += oracle.check(inst, expected, kinds)
        faults += scenario.end(inst, expected) if scenario.end else []
        return {"name": f"{scenario.name} {fault}", "faults": faults, "calls": inst.calls(), "hit": inst.calls("hit"),
                "log": inst.log() if faults else ""}
    finally:
        inst.remove()


def failed_sync(build, libraries) -> list:
    """Q4: after an fsync that failed the file is given up with 451 and an alarm, and fsync is not tried again on it."""
    queue = next(s for s in SCENARIOS if s.name == "queue")
    inst = Instance(build, libraries, queue.settings)
    try:
        expected = Expected([], DELIVER)
        run_faulted(queue, inst, expected, "fsync.1:EIO", "", True)
        deadline = time.monotonic() + HIT_SECONDS
        while inst.names("tmp") and time.monotonic() < deadline:
            time.sleep(NAP)  # K is said before the rename
        syncs = [call for call, _ in inst.calls() if call.startswith("fsync.")]
        log, left = inst.log(), inst.names("tmp")
        faults = [] if expected.letters == ["T", "K"] else [f"I5: answers {expected.letters}, not T and K"]
        faults += [] if len(syncs) == 2 else [f"Q4: {len(syncs)} fsyncs for two messages"]
        faults += [] if not left else [f"Q4: {left} still in tmp/"]
        faults += [] if "event=not-kept alarm=yes" in log and "what=fsync" in log else ["Q4: no alarm"]
        return faults
    finally:
        inst.remove()


def all_faults(scenario: Scenario, calls: list) -> list:
    """Each fault at each call of a counted run."""
    found, truncates = [], 0
    for call, _ in calls:
        kind = call.split(".")[0]
        truncates += kind == "truncate"
        found += [f"{call}:kill", f"{call}:after"]
        found += [f"{call}:{error}" for error in ERRORS[kind]]
        if kind == "allocate" and scenario.program == "seki-scan":
            found.append(f"{call}:EOPNOTSUPP")
        if kind == "write":  # half a record, and then it cannot be cut off
            found += [f"{call}:short,truncate.{truncates + 1}:{then}" for then in ("EIO", "kill")]
    return found
