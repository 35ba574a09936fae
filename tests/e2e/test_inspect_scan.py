"""The running gateway with plan-facts yes: what could not be looked into waits for an operator, and whatever happens to
the inspectors, nothing is lost and nothing is sent uninspected (S1-22, S1-30; M5, M6, M9)."""
import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator

import pytest

import conftest
from conftest import Gateway, prepare, wait_for
from facts_kit import (
    BUILD, attached, children, mail, overlapping_bomb, pdf, private_bytes, program_of, sealed_zip, state_of, text, tree,
    zipped,
)
from test_release import rows
from test_spool_kit import NEVER, places, wait_in

ROUTES = "@refused.example refuse:nobody-is-there\n"
FACTS = {"plan-facts": "yes", "inspectors": "2", "inspect-time": "2s", "convert-time": "2s"}
MIB = 1 << 20


@pytest.fixture(scope="module")
def gw() -> Iterator[Gateway]:
    """One instance for all: each test leaves everything up, and nothing in hand."""
    tree()
    it = prepare(settings=FACTS, files={"etc/routes": ROUTES})
    it.build = BUILD
    try:
        yield it.start()
    finally:
        it.stop()


@contextlib.contextmanager
def settings(gw: Gateway, **values: str) -> Iterator[None]:
    """Other settings for a while."""
    path = gw.root / "etc/settings"
    before = path.read_text()
    gw.setting(**values)
    assert gw.seki("reload").returncode == 0
    try:
        yield
    finally:
        conftest.replace(path, before)
        assert gw.seki("reload").returncode == 0


@contextlib.contextmanager
def down(gw: Gateway, *services: str) -> Iterator[None]:
    for name in services:
        gw.svc("-wD", "-d", name)
    try:
        yield
    finally:
        for name in services:
            gw.svc("-wU", "-u", name)


@contextlib.contextmanager
def stopped(*pids: int) -> Iterator[None]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def tagged(tag: str, *parts: str) -> bytes:
    return mail(*(parts or (text("good morning"),)), subject=tag)


def has(tag: str):
    return lambda raw: f"Subject: {tag}\r\n".encode() in raw


def id_of(gw: Gateway, state: str, tag: str) -> str | None:
    """The message with this subject in a state."""
    for path in gw.spool(state):
        try:
            if f"Subject: {tag}\r\n".encode() in path.read_bytes():
                return re.search("[0-9a-f]{32}", path.name).group()
        except OSError:
            pass
    return None


def held(gw: Gateway, tag: str, seconds: float = 30) -> str:
    """Its id, as soon as it waits in hold/."""
    return str(wait_for(lambda: id_of(gw, "hold", tag), seconds, f"{tag} in hold/"))


def waits(gw: Gateway, tag: str, reasons: set[str], seconds: float = 30) -> str:
    """It waits for the operator for ever, for one of these reasons, and was not sent. Its id."""
    leg_id = held(gw, tag, seconds)
    [(state, name)] = places(gw, leg_id)
    assert state == "hold" and name.startswith(NEVER)
    [line] = [w for w in gw.seki("show", leg_id).stdout.splitlines() if w.startswith("step\topen\thold\t")]
    assert line.split("\t")[3:5] == ["operator", "why=uninspectable"]
    assert line.split("\t")[5].removeprefix("reason=") in reasons, line
    assert f"id={leg_id}" in gw.wait_log("seki-scan", f"event=uninspectable id={leg_id}")
    assert not [raw for raw in gw.delivered() if has(tag)(raw)]
    return leg_id


def release(gw: Gateway, leg_id: str, tag: str) -> bytes:
    """The operator lets it go; what was delivered."""
    done = gw.seki("release", leg_id)
    assert done.returncode == 0 and rows(done) == [[f"{leg_id}.1", "released", "deliver", "-"]], done.stderr
    return gw.wait_delivered(has(tag))[0]


# ---- what passes, and what waits ---------------------------------------------------------------


def test_clean_mail_passes(gw: Gateway) -> None:
    gw.send(tagged("clean"))
    gw.send(tagged("clean-zip", text("x"), attached(zipped({"a.txt": b"hello\n"}), "a.zip")))
    gw.send(tagged("clean-pdf", text("x"), attached(pdf("見積書 田中様"), "見積.pdf")))
    for tag in ("clean", "clean-zip", "clean-pdf"):
        gw.wait_delivered(has(tag))
    assert "event=uninspectable" not in gw.log("seki-scan")


PARTIAL = ('Content-Type: message/partial; id="x@y"; number=1; total=2\r\n\r\n'
           "Subject: inner\r\n\r\nthe first half\r\n")
WAITING = {
    "sealed-zip": (lambda: (text("x"), attached(sealed_zip(), "a.zip")), {"encrypted"}),
    "partial": (lambda: (PARTIAL,), {"partial"}),
    "bomb": (lambda: (text("x"), attached(overlapping_bomb(), "bomb.zip")), {"ambiguous", "expansion"}),
    "damaged": (lambda: (text("x"), attached(zipped({"a.txt": b"x" * 5000})[:-30], "a.zip")), {"damaged", "ambiguous"}),
}


@pytest.mark.parametrize("kind", WAITING)
def test_what_cannot_be_looked_into_waits_until_it_is_released(gw: Gateway, kind: str) -> None:
    """For an operator, who sees why; it leaves byte for byte as it came."""
    parts, reasons = WAITING[kind]
    raw = tagged(f"waits-{kind}", *parts())
    gw.send(raw)
    leg_id = waits(gw, f"waits-{kind}", reasons)
    sent = release(gw, leg_id, f"waits-{kind}")
    assert sent.endswith(raw[raw.index(b"MIME-Version"):])
    wait_in(gw, leg_id, "sent")


def test_what_an_operator_sees_of_it(gw: Gateway) -> None:
    """As the manual says: seki cat into a file, and seki facts; list, cut and release by pipe."""
    gw.send(tagged("seen", text("x"), attached(sealed_zip("秘密.txt"), "a.zip")))
    leg_id = waits(gw, "seen", {"encrypted"})
    (gw.root / "seen.eml").write_text(gw.seki("cat", leg_id).stdout, newline="")
    told = gw.seki("facts", str(gw.root / "seen.eml")).stdout
    assert "uninspectable part=2 reason=encrypted" in told and "秘密.txt" in told
    names = "".join(line.split("\t")[2] + "\n" for line in gw.seki("list", "hold").stdout.splitlines())
    assert gw.seki("release", "-", stdin=names).returncode == 0
    gw.wait_delivered(has("seen"))


def test_discarded_it_never_leaves(gw: Gateway) -> None:
    gw.send(tagged("discarded", text("x"), attached(sealed_zip(), "a.zip")))
    leg_id = waits(gw, "discarded", {"encrypted"})
    assert gw.seki("discard", leg_id).returncode == 0
    wait_in(gw, leg_id, "trash")
    assert not [raw for raw in gw.delivered() if has("discarded")(raw)]


def test_a_limit_of_the_settings_holds_it(gw: Gateway) -> None:
    """After seki reload the new ones count."""
    many = (text("x"), *(text(f"{n}") for n in range(20)))
    gw.send(tagged("before", *many))
    gw.wait_delivered(has("before"))
    with settings(gw, inspect_parts="5"):
        gw.send(tagged("after", *many))
        waits(gw, "after", {"parts"})


def test_what_two_programs_would_read_differently_waits(gw: Gateway) -> None:
    """M1."""
    raw = mail(text("x")).replace(b"Content-Type:", b"Content-Type: text/html\r\nContent-Type:", 1)
    gw.send(raw.replace(b"Subject: test", b"Subject: two-types"))
    leg_id = held(gw, "two-types")
    assert "\nstep\topen\thold\toperator\twhy=" in gw.seki("show", leg_id).stdout
    assert not [raw for raw in gw.delivered() if has("two-types")(raw)]


def test_many_at_once(gw: Gateway) -> None:
    """50 messages, two inspectors: each is looked at by itself, and none is mixed up with another."""
    begin = time.monotonic()
    for n in range(50):
        body = attached(sealed_zip() if n % 5 == 0 else zipped({f"{n}.txt": b"x"}), "a.zip")
        gw.send(tagged(f"many-{n:02}", text(f"{n}"), body))
    good = [n for n in range(50) if n % 5]
    gw.wait_delivered(lambda raw: b"Subject: many-" in raw, len(good))
    for n in range(0, 50, 5):
        held(gw, f"many-{n:02}")
    assert sorted(raw.split(b"Subject: many-")[1][:2] for raw in gw.delivered() if b"Subject: many-" in raw) == [
        f"{n:02}".encode() for n in good]
    assert time.monotonic() - begin < 30
    assert "sessions-full" not in gw.log("seki-inspect")


# ---- faults: the mail waits --------------------------------------------------------------------


def stays(gw: Gateway, tag: str) -> str:
    """It stands in new/, and nowhere else."""
    leg_id = str(wait_for(lambda: id_of(gw, "new", tag), 15, f"{tag} in new/"))
    assert [state for state, _ in places(gw, leg_id)] == ["new"]
    return leg_id


def sessions(gw: Gateway) -> list[int]:
    return [pid for pid in children(gw.pid("seki-inspect")) if program_of(pid) == "seki-inspect"]


def gone(*pids: int) -> None:
    wait_for(lambda: all(state_of(pid) in ("gone", "Z") for pid in pids), why=f"{pids} have ended")


@contextlib.contextmanager
def nobody_there(gw: Gateway) -> Iterator[None]:
    """The service is down, and so are the processes that it made, which would serve their employer to the end."""
    before = sessions(gw)
    with down(gw, "seki-inspect"):
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        gone(*before)
        yield


def test_nobody_is_there(gw: Gateway) -> None:
    """While seki-inspect is down mail waits in new/, an alarm says so, and nothing is sent; up again, all of it flows."""
    raws = [tagged(f"down-{n}") for n in range(3)]
    with nobody_there(gw):
        for raw in raws:
            gw.send(raw)
        assert "seki-inspect" in gw.wait_log("seki-scan", "event=not-there alarm=yes")
        for n in range(3):
            stays(gw, f"down-{n}")
        assert gw.spool("deliver") == []
    for n, raw in enumerate(raws):
        [sent] = gw.wait_delivered(has(f"down-{n}"))
        assert sent.endswith(raw[raw.index(b"MIME-Version"):])
    assert gw.spool("new") == []


def test_a_converter_that_is_down(gw: Gateway) -> None:
    """Only what needs it waits, and flows when it is up again."""
    with down(gw, "seki-convert"):
        gw.send(tagged("no-converter", text("x"), attached(pdf(), "a.pdf")))
        stays(gw, "no-converter")
        gw.send(tagged("needs-none"))
        gw.wait_delivered(has("needs-none"))
        stays(gw, "no-converter")
    gw.wait_delivered(has("no-converter"))


def test_a_converter_that_stands_still(gw: Gateway) -> None:
    """It takes the question and says nothing: in time, the reason is told."""
    pid = gw.pid("seki-convert")
    with stopped(pid, *children(pid)):
        gw.send(tagged("converter-stands", text("x"), attached(pdf(), "a.pdf")))
        waits(gw, "converter-stands", {"converter", "time"})


def worker_of(gw: Gateway) -> tuple[int, int]:
    """The process of a connection, and that of the message in its hand."""
    def look() -> tuple[int, int] | None:
        for pid in sessions(gw):
            below = children(pid)
            if below:
                return pid, below[0]
        return None
    return wait_for(look, why="a message in hand")


@contextlib.contextmanager
def in_hand(gw: Gateway, tag: str) -> Iterator[tuple[int, int]]:
    """A message in the middle of its inspection: its converter stands still meanwhile."""
    pid = gw.pid("seki-convert")
    with stopped(pid, *children(pid)):
        gw.send(tagged(tag, text("x"), attached(pdf(), "a.pdf")))
        yield worker_of(gw)


def test_processes_that_are_killed_between_two_messages(gw: Gateway) -> None:
    """Nobody notices."""
    gw.send(tagged("first"))
    gw.wait_delivered(has("first"))
    for pid in sessions(gw):
        os.kill(pid, signal.SIGKILL)
    gw.wait_log("seki-inspect", "event=session-killed")
    gw.send(tagged("second"))
    gw.wait_delivered(has("second"))


def test_the_process_of_a_message_is_killed(gw: Gateway) -> None:
    """It may have been the message that did it: an operator decides."""
    with in_hand(gw, "killed") as (_, message):
        os.kill(message, signal.SIGKILL)
    waits(gw, "killed", {"crashed", "killed"})
    gw.send(tagged("behind-killed"))
    gw.wait_delivered(has("behind-killed"))


def test_the_process_of_a_connection_is_killed(gw: Gateway) -> None:
    with in_hand(gw, "session-killed") as (session, message):
        os.kill(session, signal.SIGKILL)
        gone(message)
    waits(gw, "session-killed", {"killed"})
    gw.send(tagged("behind-session"))
    gw.wait_delivered(has("behind-session"))


def test_the_process_of_a_message_is_stopped(gw: Gateway) -> None:
    """No longer than inspect-time and the employer's patience behind it; then both processes end."""
    with in_hand(gw, "stopped") as (session, message):
        os.kill(message, signal.SIGSTOP)
    waits(gw, "stopped", {"time"}, seconds=15)
    gw.send(tagged("behind-stopped"))
    gw.wait_delivered(has("behind-stopped"))
    gone(session, message)


def test_the_service_is_killed(gw: Gateway) -> None:
    """Started again; nothing is lost, and what it had in hand is inspected or waits."""
    before = gw.pid("seki-inspect")
    for pid in (*sessions(gw), before):
        os.kill(pid, signal.SIGKILL)
    gw.send(tagged("meanwhile"))
    wait_for(lambda: gw.pid("seki-inspect") not in (before, -1), why="started again")
    gw.wait_delivered(has("meanwhile"))
    assert gw.spool("new") == [] and gw.spool("bad") == []


def test_the_service_stands_still(gw: Gateway) -> None:
    """It answers nobody: mail waits, where an operator sees it or in new/; when it goes on, mail flows."""
    with stopped(gw.pid("seki-inspect"), *sessions(gw)):
        gw.send(tagged("still"))
        wait_for(lambda: id_of(gw, "hold", "still") or ("not-there" in gw.log("seki-scan") and id_of(gw, "new", "still")),
                 30, "it waits")
        assert not [raw for raw in gw.delivered() if has("still")(raw)]
    gw.send(tagged("goes-on"))
    gw.wait_delivered(has("goes-on"))


def test_seki_scan_is_killed_in_the_middle(gw: Gateway) -> None:
    """What it had in hand is in new/ still; its successor has it inspected. Sent once, and no scratch is left."""
    with in_hand(gw, "twice") as (session, message):
        before = gw.pid("seki-scan")
        os.kill(before, signal.SIGKILL)
        gone(session, message)
    gw.wait_delivered(has("twice"))
    gw.send(tagged("behind"))
    gw.wait_delivered(has("behind"))
    assert len([raw for raw in gw.delivered() if has("twice")(raw)]) == 1
    assert list((gw.root / "spool/split/scan").iterdir()) == []


def test_without_plan_facts_nobody_is_asked(gw: Gateway) -> None:
    with settings(gw, plan_facts="no"), nobody_there(gw):
        gw.send(tagged("unasked", text("x"), attached(sealed_zip(), "a.zip")))
        gw.wait_delivered(has("unasked"))


# ---- the gateway's own mail --------------------------------------------------------------------


def test_the_gateways_own_mail_is_not_inspected(gw: Gateway) -> None:
    """A notice of mail that is returned leaves while nobody is there to inspect it."""
    gw.send(tagged("returned", text("x"), attached(sealed_zip(), "a.zip")), to="nobody@refused.example")
    leg_id = waits(gw, "returned", {"encrypted"})
    with nobody_there(gw):
        assert gw.seki("release", leg_id).returncode == 0
        gw.wait_delivered(lambda raw: b"multipart/report" in raw[:4000])


# ---- memory ------------------------------------------------------------------------------------


def test_memory_with_a_hundred_megabytes(gw: Gateway) -> None:
    """Private memory of each process of seki-inspect stays at or below 64 MiB."""
    if os.geteuid() != 0:
        pytest.skip("needs root to look at its maps")
    line = b"tel 03-1234-5678 " + b"x" * 60 + b"\r\n"
    inside = os.urandom(50 * MIB).hex().encode()
    huge = {"huge-text": attached(line * (100 * MIB // len(line)), "a.txt"),
            "huge-zip": attached(zipped({"a.txt": inside}, level=1), "a.zip")}
    with settings(gw, inspect_time="60s"):
        for tag, part in huge.items():
            gw.send(tagged(tag, text("x"), part))
            most, end = 0, time.monotonic() + 60
            while not [raw for raw in gw.delivered() if has(tag)(raw[:2000])]:
                assert time.monotonic() < end and id_of(gw, "hold", tag) is None, gw.log("seki-scan")[-500:]
                for pid in (p for s in sessions(gw) for p in (s, *children(s))):
                    with contextlib.suppress(OSError):
                        most = max(most, private_bytes(pid))
                time.sleep(0.05)
            assert 0 < most <= 64 * MIB
