"""I1 to I4 while mail leaves by SMTP: each program that takes part, with a fault at each of its calls.

Who is told twice, and when. A server that has the final dot has the mail; until that is written down
in the leg, a crash may send it once more. So a recipient may have a second copy only
    - if a fault was met, of a kind that can hide what the server said,
    - if the first copy went out by a connection that was there before the fault,
    - if the leg did not say "delivered" when seki-deliver died.
For a sender who is told it is the same: seki-notice makes a second notification only if the first was
kept and seki-deliver had not heard, or not written down, that it was. And a notification is mail.
"""
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import leg
import oracle
import points
from instance import MOVING, NAP, SPLITS, STEP, STEP_AFTER, Instance
from oracle import Message, token_of
from sink import Sink

NUMBER = re.compile(rb"(?mi)^Message-ID: (\S+)\r$")
FINAL = re.compile(rb"(?mi)^Final-Recipient: rfc822; ?(\S+)\r$")
SMALL = ("seki-remote", "seki-deliver")
WHOLE = ("seki-queue", "seki-scan", "seki-notice", "seki-remote", "seki-deliver")
SETTINGS = points.PLAN_FULL + "sweep-every 5s\ndeliver-dead 1s\nroute %s\n"
BOB, CAROL, DAN = points.RCPTS
GATEWAY = "alice@example.co.jp"
HIT_SECONDS, REST_SECONDS = 6, 12
STEADY = {"poll": 6, "read": 4, "accept": 3}  # calls that a waiting program makes again and again: the first few

# What a call to others may meet than being killed before it.
ERRORS = {
    "socket": ["EMFILE"],
    "connect": ["ECONNREFUSED", "EAGAIN"],
    "accept": ["EMFILE", "ECONNABORTED", "EINTR"],
    "fork": ["EAGAIN"],
    "send": ["EPIPE", "EAGAIN", "EINTR", "short"],
    "sendmsg": ["EPIPE", "EAGAIN", "EINTR"],
    "recv": ["ECONNRESET", "EINTR", "short"],
    "recvmsg": ["ECONNRESET", "EINTR"],
    "poll": ["EINTR"],
    "read": [],
    "getsockopt": ["EIO"],
    "hangup": [],
}
# The others change nothing that anybody else sees: to die at them is to die at the one before.
CHANGING = ("create", "write", "writev", "pwrite", "copy", "allocate", "truncate", "rename", "unlink", "fsync",
            "connect", "send", "sendmsg", "recv", "recvmsg", "hangup", "fork")
DURABLE = ("write", "writev", "rename", "fsync", "allocate", "truncate")
HARMLESS = {"EINTR", "EAGAIN", "short"}


@dataclass
class Scenario:
    name: str
    rcpts: tuple
    victims: dict  # program -> "every" call with kills and errors, "changing" ones, or "killed" at those
    answers: dict = None  # recipient -> what the server says, the first so many times
    bounced: tuple = ()
    told: tuple = ()
    programs: tuple = SMALL
    legs: int = 1
    settings: str = ""
    held: bool = False
    size: int = points.SMALL


SCENARIOS = [
    Scenario("smtp", (BOB,), {"seki-deliver": "every", "seki-remote": "every"}),
    Scenario("smtp-two", (BOB, CAROL), {"seki-deliver": "changing", "seki-remote": "killed"}),
    Scenario("smtp-refused", (BOB, DAN), {"seki-deliver": "changing", "seki-remote": "killed", "seki-notice": "every",
                                          "seki-queue": "killed"},
             {DAN: ("550 5.1.1 nobody", 99)}, bounced=(DAN,), programs=WHOLE),
    Scenario("smtp-deferred", (BOB, DAN), {"seki-deliver": "changing", "seki-remote": "killed"},
             {DAN: ("451 4.2.0 later", 1)}),
    Scenario("smtp-told", (BOB + " notify=success",), {"seki-deliver": "killed"}, told=(BOB,), programs=WHOLE),
    Scenario("smtp-many", (BOB,), {"seki-remote": "killed"}, legs=3, settings="deliver-sessions 1\n"),
    Scenario("smtp-large", (BOB,), {"seki-remote": "killed"}, size=points.LARGE),
    Scenario("smtp-held", (BOB,), {"seki-deliver": "every"}, held=True),
]


def by_name(name: str) -> Scenario:
    return next(s for s in SCENARIOS if s.name == name)


def jobs() -> list:
    return [(s.name, program) for s in SCENARIOS for program in s.victims]


# ---- what stands in deliver/, and who gets it ----------------------------------------------------


def prepare(scenario: Scenario, inst: Instance, sink: Sink) -> list:
    (inst.root / "etc/routes").write_text(f"@{CAROL.split('@')[1]} {sink.places[1]} retry=1s\n")
    made = []
    for _ in range(scenario.legs):
        ident = leg.new_id()
        told = Message(ident[-8:], [r.split()[0] for r in scenario.rcpts], oracle.body(ident[-8:], scenario.size))
        steps = points.OPERATED if scenario.held else points.HELD
        text, digest = leg.plan(ident, "1", steps)
        for step in [] if scenario.held else steps[:-1]:
            text += leg.record(leg.CLOSING[step.split()[0]], f"plan={digest} by=nobody")
        inst.put("deliver", leg.name("deliver", ident), leg.leg(ident, "1", list(scenario.rcpts), told.body, text))
        made.append(told)
    return made


def answers(scenario: Scenario) -> Callable[[str], str]:
    left = {rcpt: times for rcpt, (_, times) in (scenario.answers or {}).items()}

    def reply(address: str) -> str:
        if left.get(address, 0) == 0:
            return ""
        left[address] -= 1
        return scenario.answers[address][0]
    return reply


# ---- what must be true in the end ----------------------------------------------------------------


def said_of(data: bytes, words: tuple) -> Counter:
    """How often the records of these words name each recipient, by address."""
    found: Counter = Counter()
    one = leg.Leg(data)
    for record in one.records:
        parts = record.decode().split()
        if parts[0] != "plan" and parts[1] in words:
            value = next(p[5:] for p in parts if p.startswith("rcpt="))
            for piece in value.split(","):
                first, _, last = piece.partition("-")
                found.update(one.rcpts[n - 1] for n in range(int(first), int(last or first) + 1))
    return found


@dataclass
class Before:
    """What was known when the fault was met."""
    met: bool = False
    doubles: bool = False  # copies may come twice
    notices: bool = False  # notifications may be made twice
    written: tuple = ()    # (token, recipient) that a dead seki-deliver had written down as delivered
    told: tuple = ()       # and as told


def written(inst: Instance, words: tuple) -> tuple:
    found = []
    for state in ("deliver", "sent"):
        for name in inst.names(state):
            data = inst.read(state, name)
            found += [(token_of(leg.Leg(data).content), rcpt) for rcpt in said_of(data, words)]
    return tuple(found)


def is_notice(mail) -> bool:
    return mail.sender == "" and b"report-type=delivery-status" in mail.content.replace(b'"', b"")


def too_many(late: list, who: tuple, before: Before) -> list:
    """`late`: of each copy, in the order in which they came."""
    if len(late) < 2 or (len(late) == 2 and before.doubles and who not in before.written and not late[0]):
        return []
    return [f"I1: {who} got {len(late)} copies, late ones: {late}; delivered was written: {before.written}"]


def check_mails(scenario: Scenario, messages: list, sink: Sink, before: Before) -> list:
    """I1, I2: each recipient's copies."""
    faults, copies = list(sink.faults), {}
    by_token = {m.token: m for m in messages}
    for mail in sink.mails:
        message = by_token.get(token_of(mail.content))
        if message is None or (not is_notice(mail) and not oracle.same(mail.content, message)):
            faults.append(f"I2: what came for {mail.rcpts} is not what was sent: {mail.content[:80]!r}")
        elif not is_notice(mail):
            for rcpt in mail.rcpts:
                copies.setdefault((message.token, rcpt), []).append(mail.late)
    for message in messages:
        for rcpt in message.rcpts:
            late = copies.pop((message.token, rcpt), [])
            if scenario.held or rcpt in scenario.bounced:
                faults += [f"I3: {rcpt} got {len(late)} copies, and should not have any"] if late else []
            elif not late:
                faults.append(f"I1: {rcpt} got nothing")
            faults += too_many(late, (message.token, rcpt), before)
    return faults + [f"I2: {who} is no recipient of it" for who in copies]


def check_notices(scenario: Scenario, messages: list, sink: Sink, before: Before) -> list:
    """One for each recipient who failed or wished it; two, where a crash stands between."""
    faults, count, copies = [], Counter(), {}
    for mail in filter(is_notice, sink.mails):
        if mail.rcpts != [GATEWAY]:
            faults.append(f"a notification for {mail.rcpts}")
        copies.setdefault(NUMBER.search(mail.content).group(1), []).append(mail)
    for first, *more in copies.values():
        token = token_of(first.content)
        faults += too_many([mail.late for mail in (first, *more)], (token, GATEWAY), before)
        faults += ["I2: two mails with one Message-ID"] if any(mail.content != first.content for mail in more) else []
        count.update((token, rcpt.decode()) for rcpt in FINAL.findall(first.content))
    for message in messages:
        for rcpt in (*scenario.bounced, *scenario.told):
            n = count.pop((message.token, rcpt), 0)
            if not 1 <= n <= 1 + (before.notices and (message.token, rcpt) not in before.told):
                faults.append(f"I1: {n} notifications about {rcpt}; written: {before.told}")
    return faults + [f"nobody was to be told of {who}" for who in count]


def check_sent(scenario: Scenario, inst: Instance, messages: list) -> list:
    """I3, I4: each leg with its way proven and one end for each recipient; law 2: no half record."""
    faults, ended = [], Counter()
    for name in inst.names("sent"):
        data = inst.read("sent", name)
        try:
            one = leg.Leg(data)
        except (ValueError, KeyError) as error:
            faults.append(f"I1: sent/{name}: {error}")
            continue
        faults += [f"law 2: sent/{name}: no whole record: {one.rest[:80]!r}"] if one.rest else []
        faults += [f"I3: sent/{name}: passed without a closing record: {one.unproven()}"] if one.unproven() else []
        if one.rcpts != [GATEWAY]:
            ended.update((token_of(one.content), rcpt, word)
                         for word in ("delivered", "failed", "bounced", "told")
                         for rcpt in said_of(data, (word,)).elements())
        elif set(said_of(data, ("delivered",)).elements()) != {GATEWAY}:
            faults.append(f"I4: sent/{name}: the notification's end is not written down")
    want: Counter = Counter()
    for message in messages if not scenario.held else []:
        for rcpt in message.rcpts:
            words = ("failed", "bounced") if rcpt in scenario.bounced else ("delivered",)
            want.update((message.token, rcpt, word) for word in words + (("told",) if rcpt in scenario.told else ()))
    return faults + ([] if ended == want else [f"I4: the records say {dict(ended)}, not {dict(want)}"])


def check_places(scenario: Scenario, inst: Instance) -> list:
    faults = []
    for place in (*MOVING, *(f"split/{s}" for s in SPLITS), "bad", "trash", "refused"):
        stands = inst.names(place)
        if len(stands) != (1 if scenario.held and place == "hold" else 0):
            faults.append(f"I1: in {place}/ stands {stands}")
    return faults


# ---- one point -----------------------------------------------------------------------------------


def kind_of(call: str) -> str:
    return call.split(".")[-2]


def at_rest(scenario: Scenario, inst: Instance) -> bool:
    return bool(inst.names("hold")) and not inst.names("deliver") if scenario.held else inst.at_rest()


def until_met(scenario: Scenario, inst: Instance, victim: str, fault: str) -> bool:
    """Until the fault is met or nothing is left to do. Whether it was met."""
    deadline = time.monotonic() + HIT_SECONDS
    moved = rests = time.monotonic()
    while time.monotonic() < deadline:
        if fault and inst.calls("hit"):
            return True
        if not inst.alive(victim):
            return False
        if not at_rest(scenario, inst):
            rests = time.monotonic()
        elif time.monotonic() - rests > 0.04:
            return False
        if time.monotonic() - moved > STEP_AFTER:
            inst.set_clock(inst.ahead + STEP)
            moved = time.monotonic()
        time.sleep(NAP)
    return False


def await_end(inst: Instance, victim: str) -> None:
    """It was killed: until the kernel has done so."""
    deadline = time.monotonic() + 2
    while inst.alive(victim) and time.monotonic() < deadline:
        time.sleep(0.001)


def what_is_known(inst: Instance, victim: str, fault: str) -> Before:
    call, action = fault.split(":")
    before = Before(met=True)
    kills = action in ("kill", "after", "torn")
    talks = kind_of(call) in ERRORS
    own = call[0].isdigit()  # of a session, not of who makes sessions
    if kills and not own:
        await_end(inst, victim)
    if victim == "seki-deliver":
        before.doubles = before.notices = kills or (talks and action not in HARMLESS)
        if kills:
            before.written = written(inst, ("delivered",))
            before.told = written(inst, ("bounced", "told"))
    elif victim == "seki-remote":
        before.doubles = own and action not in HARMLESS
    else:
        before.notices = True
    return before


def run_point(build, libraries, scenario: Scenario, victim: str, fault: str, seconds: float = REST_SECONDS,
              doctor: Callable | None = None) -> dict:
    """The violations of one fault, and the calls that were made. `doctor` changes what the checks see."""
    sink = Sink(2, answers(scenario))
    inst = Instance(build, libraries, "")
    inst.programs = scenario.programs
    before = Before()
    try:
        text = (inst.root / "etc/settings").read_text().replace("route maildir:outbox\n", "")
        (inst.root / "etc/settings").write_text(text + SETTINGS % sink.places[0] + scenario.settings)
        messages = prepare(scenario, inst, sink)
        # Law 1: after a failed fsync the file is given up, its body with it, until the next start.
        inst.may_stay_full = victim == "seki-deliver" and "fsync" in fault and not fault.endswith(("kill", "after"))
        for program in scenario.programs:
            more = {"fault": fault, "net": True} if program == victim else {}
            inst.start_ready(program, **more)
        if until_met(scenario, inst, victim, fault) or inst.calls("hit"):
            before = what_is_known(inst, victim, fault)
            sink.mark()
        rested = inst.supervise(lambda: at_rest(scenario, inst), seconds)
        inst.stop_all()
        faults = [] if rested else [f"I1: not at rest; ended: {inst.exits}"]
        if doctor:
            doctor(inst, sink)
        faults += (check_mails(scenario, messages, sink, before) + check_notices(scenario, messages, sink, before)
                   + check_sent(scenario, inst, messages) + check_places(scenario, inst))
        return {"name": f"{scenario.name} {victim} {fault}", "faults": faults, "calls": inst.calls(),
                "hit": inst.calls("hit"), "log": inst.log() if faults else ""}
    finally:
        inst.remove()
        sink.close()


def all_faults(scenario: Scenario, victim: str, calls: list) -> list:
    """Each fault at each call of a counted run; of those that a waiting program repeats, at the first few."""
    found, how = [], scenario.victims[victim]
    for call, _ in calls:
        kind = kind_of(call)
        if int(call.split(".")[-1]) > STEADY.get(kind, 10_000) or (how != "every" and kind not in CHANGING):
            continue
        if kind in LISTING and scenario is not SCENARIOS[0]:
            continue
        found.append(f"{call}:kill")
        alone = call[0].isdigit()  # a session has one thread: behind a call is before the next
        if not alone and kind not in ERRORS:
            found.append(f"{call}:after")
        if how == "every" or (how == "changing" and kind in DURABLE):
            found += [f"{call}:{error}" for error in errors_of(kind)]
    return found


LISTING = ("opendir", "readdir")  # the same whatever stands there: once is enough


def errors_of(kind: str) -> list:
    return ERRORS[kind] if kind in ERRORS else points.ERRORS[kind]
