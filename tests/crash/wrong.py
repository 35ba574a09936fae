"""Each check is shown to fail on a program that is wrong on purpose (wrong.c), and only there."""
from dataclasses import dataclass

import held
import leg
import moves
import oracle
import points
import smtp
import torn
from instance import Instance
from oracle import Expected
from sink import Mail

SECONDS = 3  # a wrong program may never come to rest


@dataclass
class Wrong:
    name: str
    mode: str
    scenario: str
    shown_by: str     # how one of the violations begins
    fault: str = ""
    everywhere: bool = False


CASES = [
    Wrong("a rename that overwrites", "overwrite", "deliver-twin", "bad/ holds 0"),
    Wrong("unlink instead of rename", "lose", "hold", "I1: "),
    Wrong("a torn record is not cut", "glue", "hold-torn", "", everywhere=True),
    Wrong("delivered is not written", "forget", "deliver", "I", everywhere=True),
    Wrong("delivered twice", "twice", "deliver", "I1: "),
    Wrong("K before the write", "early", "queue", "I1: ", "writev.1:kill"),
    Wrong("K though the write failed", "", "queue", "I1: ", "writev.1:swallow"),
    Wrong("delivered though the rename failed", "", "deliver", "I1: ", "rename.1:swallow"),
    # The law would do it soon.
    Wrong("released though the rename failed", "", "hold-released", "I2: told as done",
          "rename.1:swallow,rename.2:swallow,rename.3:swallow"),
    Wrong("discarded though the rename failed", "", "deliver-discarded", "I2: told as done",
          "rename.1:swallow,rename.2:swallow,rename.3:swallow"),
    Wrong("released without its record", "", "hold-released", "law 4: ", "write.1:swallow"),
    Wrong("a local fault told as permanent", "permanent", "queue", "I5: ", "writev.1:ENOSPC"),
    Wrong("a plan without its states", "lax", "scan", "I3: "),
    Wrong("nothing is unlinked", "litter", "scan-dividing", "I1: left behind", everywhere=True),
    Wrong("a child with another byte", "corrupt", "scan-dividing", "bad/ holds"),
]


def twin_before(inst: Instance) -> Expected:
    """A leg whose end is written down in deliver/, and the same in sent/."""
    ident = leg.new_id()
    digest = leg.plan(ident, "1", points.HELD)[1]
    ends = leg.record("delivered", f"plan={digest} rcpt=1-2 host=maildir reply=ok")
    told, _ = points.message(inst, "deliver", 4, points.RCPTS[:2], ends, ident=ident)
    inst.put("sent", f"{ident}.1", inst.read("deliver", inst.names("deliver")[0]))
    told.deliveries = 0
    return Expected([told], bad=1)


def sent_again(inst: Instance, sink) -> None:
    first = sink.mails[0]
    sink.mails.append(Mail(True, first.sender, first.rcpts, first.content))


def one_byte(inst: Instance, sink) -> None:
    first = sink.mails[0]
    first.content = first.content[:-3] + b"#\r\n"


def no_notice(inst: Instance, sink) -> None:
    sink.mails = [mail for mail in sink.mails if not smtp.is_notice(mail)]


def second_notice(inst: Instance, sink) -> None:
    first = next(filter(smtp.is_notice, sink.mails))
    content = first.content.replace(b"\r\nMessage-ID: <", b"\r\nMessage-ID: <another.")
    sink.mails.append(Mail(False, first.sender, first.rcpts, content))


def held_and_sent(inst: Instance, sink) -> None:
    data = inst.read("hold", inst.names("hold")[0])
    sink.mails.append(Mail(False, smtp.GATEWAY, [smtp.BOB], leg.Leg(data).content))


def no_end(inst: Instance, sink) -> None:
    path = inst.root / "spool/sent" / inst.names("sent")[0]
    path.write_bytes(without_line(path.read_bytes(), b" delivered plan="))


@dataclass
class WrongSmtp:
    name: str
    scenario: str
    shown_by: str
    fault: str = ""
    doctor: object = None


SMTP_CASES = [
    WrongSmtp("delivered by SMTP and not written down", "smtp", "I", "write.1:swallow"),
    WrongSmtp("sent a second time", "smtp", "I1: ", doctor=sent_again),
    WrongSmtp("never sent", "smtp", "I1: ", doctor=lambda inst, sink: sink.mails.clear()),
    WrongSmtp("another byte", "smtp", "I2: ", doctor=one_byte),
    WrongSmtp("an end that is not written down", "smtp", "I4: ", doctor=no_end),
    WrongSmtp("a sender who is not told", "smtp-refused", "I1: 0 notifications", doctor=no_notice),
    WrongSmtp("a sender who is told twice", "smtp-refused", "I1: 2 notifications", doctor=second_notice),
    WrongSmtp("held, and sent", "smtp-held", "I3: ", doctor=held_and_sent),
]


def run_smtp(build, libraries, case: WrongSmtp) -> list:
    result = smtp.run_point(build, libraries, smtp.by_name(case.scenario), "seki-deliver", case.fault, SECONDS, case.doctor)
    return seen(case.name, result["faults"], case.shown_by)


# (name, case, what of its first such call is said to have been done, and was not, how the violation begins)
HELD_CASES = [
    ("approved without its record", "held-approved", "write", "spool/approve", "H2: told as done"),
    ("discarded without its record", "held-discarded", "write", "spool/hold", "H2: told as done"),
    ("approved, and the audit was not told", "held-approved", "writev", "lib/audit/trays", "H4: "),
    ("discarded, and the audit was not told", "held-discarded", "writev", "lib/audit/trays", "H4: "),
]


def run_held(build, libraries, name: str, case: str, kind: str, place: str, shown_by: str) -> list:
    right = held.run_point(build, libraries, held.case_of(case), "")
    call = next(c for c, path in right["calls"] if c.startswith(f"{kind}.") and path.startswith(place))
    result = held.run_point(build, libraries, held.case_of(case), f"{call}:swallow", seconds=SECONDS)
    return seen(name, result["faults"], shown_by) + right["faults"]


SCENARIOS = {s.name: s for s in points.SCENARIOS}
SCENARIOS["deliver-twin"] = points.Scenario("deliver-twin", "seki-deliver", twin_before, points.PLAN_FULL)


def seen(name: str, faults: list, shown_by: str) -> list:
    """A violation if the check saw nothing, or not the thing itself."""
    if any(fault.startswith(shown_by) for fault in faults):
        return []
    return [f"not seen: {name}: {faults or 'no violation'}"]


def run_case(build, libraries, case: Wrong) -> list:
    scenario = SCENARIOS[case.scenario]
    programs = {p: case.mode for p in points.OWNED} if case.everywhere else {}
    result = points.run_point(build, libraries, scenario, case.fault, case.mode, programs, SECONDS)
    right = points.run_point(build, libraries, scenario, "" if "swallow" in case.fault else case.fault)
    return seen(case.name, result["faults"], case.shown_by) + right["faults"]


def run_torn(build, libraries) -> list:
    everywhere = {p: "glue" for p in points.OWNED}
    faults = torn.run_states(build, libraries, "hold", [torn.cut(n) for n in range(120, 160)], wrong=everywhere, seconds=SECONDS)
    return seen("half a record glued to the next", faults, "bad/ holds")


def run_moves(build, libraries, program: str, mode: str, shown_by: str, kinds: tuple = moves.KINDS) -> list:
    """`program` "" is every program."""
    programs = {p: mode for p in points.OWNED if program in ("", p)}
    _, faults = moves.run_moves(build, libraries, True, programs, SECONDS, kinds)
    return seen(mode, faults, shown_by)


def run_doctored(build, libraries) -> list:
    """A leg in sent/ from which a closing record was taken, and one with half a record."""
    found = []
    for name, shown_by, change in (
            ("a step without its closing record", "I3: ", lambda data: without_line(data, b" sealed plan=")),
            ("half a record", "law 2: ", lambda data: data + b"2026-11-22T10:35")):
        inst = Instance(build, libraries, points.PLAN_FULL)
        try:
            expected = points.one("hold", 1)(inst)
            expected.words = tuple(h.split()[0] for h in points.HELD)
            inst.supervise(inst.at_rest, points.REST_SECONDS)
            inst.stop_all()
            right = oracle.check(inst, expected)
            path = inst.root / "spool/sent" / inst.names("sent")[0]
            path.write_bytes(change(path.read_bytes()))
            found += right + seen(name, oracle.check(inst, expected), shown_by)
        finally:
            inst.remove()
    return found


def without_line(data: bytes, word: bytes) -> bytes:
    return b"".join(line for line in data.splitlines(keepends=True) if word not in line)


def jobs(build, libraries) -> list:
    """(name, function)"""
    found = [(f"wrong: {c.name}", lambda c=c: run_case(build, libraries, c)) for c in CASES]
    found += [(f"wrong: {c.name}", lambda c=c: run_smtp(build, libraries, c)) for c in SMTP_CASES]
    found += [(f"wrong: {c[0]}", lambda c=c: run_held(build, libraries, *c)) for c in HELD_CASES]
    found += [
        ("wrong: half a record glued to the next", lambda: run_torn(build, libraries)),
        ("wrong: discarded is not heard", lambda: run_moves(build, libraries, "", "deaf", "law 3: discarded")),
        ("wrong: a draft is owed, and that is not heard",
         lambda: run_moves(build, libraries, "", "deaf", "law 3: drafted", moves.PEOPLES)),
        ("wrong: a hold that ends too early", lambda: run_moves(build, libraries, "seki-hold", "hasty", "I3: held")),
        ("wrong: a doctored leg", lambda: run_doctored(build, libraries)),
    ]
    return found
