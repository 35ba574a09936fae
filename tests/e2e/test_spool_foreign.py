"""Q8, Q9: what the gateway did not write, second instances, restored backups, old and new versions."""
import os
import signal
import socket
import subprocess

import pytest

from conftest import wait_for
from test_spool_kit import (NEVER, OWNER, STAGE, STATES, WITH_DUE, due, later, leg, mail, new_id, own, places, plan, put,
                            stamp, waiting)

ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def gw():
    """Every directory is read anew each second, for what appears without an event."""
    from conftest import prepare
    made = prepare({"sweep-every": "1s"})
    try:
        yield made.start()
    finally:
        made.stop()


def in_state(state: str, leg_id: str) -> str:
    return f"{due()}.{leg_id}.1" if state in WITH_DUE else f"{leg_id}.1"


def bad(gw, name: str, state: str) -> None:
    """It stands in bad/ under its own name, with an alarm of the stage that found it."""
    wait_for(lambda: (gw.root / "spool/bad" / name).exists() or (gw.root / "spool/bad" / name).is_symlink(), 10,
             f"{name} of {state} in bad/")
    line = gw.wait_log(STAGE[state], f"name={name}")
    assert "event=quarantined" in line and "alarm=yes" in line and f"from={state}" in line


def others_proceed(gw, tag: str) -> None:
    gw.send(mail(tag))
    gw.wait_delivered(lambda m: tag.encode() in m)


@pytest.mark.parametrize("state", [s for s in STATES if s != "bad"])
def test_Q8_foreign_files(gw, state):
    """Each kind of thing that is no leg, in each state directory; the others proceed."""
    folder = gw.root / "spool" / state
    names = {kind: in_state(state, new_id()) for kind in ("empty", "junk", "symlink", "fifo", "hardlink", "stranger",
                                                            "other-name", "newer")}
    put(gw, state, names["empty"], b"")
    put(gw, state, names["junk"], b"From: nobody\n\nThis is no leg.\n")
    os.symlink("/etc/passwd", folder / names["symlink"])
    os.mkfifo(folder / names["fifo"])
    first = gw.root / "spool" / f"kept-{state}"
    first.write_bytes(leg(new_id(), mail("linked")))
    own(first, OWNER[state])
    os.link(first, folder / names["hardlink"])
    stranger = new_id()
    names["stranger"] = in_state(state, stranger)
    put(gw, state, names["stranger"], leg(stranger, mail("stranger")), user="nobody")
    put(gw, state, names["other-name"], leg(new_id(), mail("renamed")))
    newer = new_id()
    names["newer"] = in_state(state, newer)
    put(gw, state, names["newer"], leg(newer, mail("newer"), version=2))
    put(gw, state, f".hidden-{state}", b"x")
    put(gw, state, f"README-{state}", b"x")
    others_proceed(gw, f"beside-{state}")

    for kind, name in names.items():
        if state in ("sent", "trash", "refused"):
            continue  # legs that have come to an end are looked at when they appear and after a start
        bad(gw, name, state)
    if state in ("sent", "trash", "refused"):
        gw.svc("-t", STAGE[state])
        for name in names.values():
            bad(gw, name, state)
    bad(gw, f".hidden-{state}", state)
    bad(gw, f"README-{state}", state)
    assert os.readlink(gw.root / "spool/bad" / names["symlink"]) == "/etc/passwd"
    assert not any(tag in m for m in gw.delivered() for tag in (b"linked", b"stranger", b"renamed", b"newer"))
    first.unlink()


@pytest.mark.parametrize("state", [s for s in STATES if s != "bad"])
def test_Q8_directory(gw, state):
    """A directory may not be the stage's to move: then an alarm, and the others proceed."""
    name = in_state(state, new_id())
    (gw.root / "spool" / state / name).mkdir()
    own(gw.root / "spool" / state / name, "nobody")
    if state in ("sent", "trash", "refused"):
        gw.svc("-t", STAGE[state])
    line = gw.wait_log(STAGE[state], f"name={name}")
    assert "event=quarantine" in line and "alarm=yes" in line
    others_proceed(gw, f"beside-directory-{state}")
    for place in (state, "bad"):
        if (gw.root / "spool" / place / name).exists():
            (gw.root / "spool" / place / name).rmdir()


def test_Q8_foreign_in_tmp(gw):
    """seki-queue removes nothing that it did not write; seki-scan puts it into bad/."""
    names = [f"README-tmp-{n}" for n in range(2)]
    for name in names:
        put(gw, "tmp", name, b"x")
    gw.svc("-t", "seki-queue")
    for name in names:
        bad(gw, name, "new")
    wait_for(lambda: gw.state("seki-queue", "ready") == "true", why="seki-queue")
    others_proceed(gw, "beside-tmp")


def test_Q8_made_in_place(gw):
    """A leg that is copied in (cp) and not renamed in is looked at when it has had time to be whole."""
    leg_id = new_id()
    path = gw.root / "spool/deliver" / f"{due()}.{leg_id}.1"
    path.write_bytes(leg(leg_id, mail("copied-in"), plan(leg_id, " deliver\n")))
    os.chmod(path, 0o660)
    own(path, "sekir")
    gw.wait_delivered(lambda m: b"copied-in" in m)


def test_restored_backup(gw):
    """A copy of what was sent, brought back: bad/, and nothing goes twice."""
    gw.send(mail("restored-backup"))
    gw.wait_delivered(lambda m: b"restored-backup" in m)
    leg_id = next(p for p in waiting(gw, "sent") if b"restored-backup" in p.read_bytes()).name.split(".")[0]
    earlier = leg(leg_id, mail("restored-backup"), plan(leg_id, " deliver\n"))
    name = f"{due()}.{leg_id}.1"
    put(gw, "deliver", name, earlier)
    wait_for(lambda: (gw.root / "spool/bad" / name).exists(), why="bad/")
    assert "second" in gw.wait_log("seki-deliver", f"name={name}")
    put(gw, "new", f"{leg_id}.1", earlier)
    wait_for(lambda: len([p for p in gw.spool("bad") if leg_id in p.name]) == 2, why="bad/")
    others_proceed(gw, "after-the-backup")
    assert len([m for m in gw.delivered() if b"restored-backup" in m]) == 1
    assert (gw.root / "spool/sent" / f"{leg_id}.1").exists()


# ---- Q9 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("program", ["seki-queue", "seki-scan", "seki-hold", "seki-encrypt", "seki-stagger",
                                     "seki-deliver"])
def test_Q9_second_instance(gw, program):
    """The lock is held: the second ends at once and says why; the first notices nothing."""
    before = gw.pid(program)
    user = gw.root / "spool" / {"seki-queue": "tmp", "seki-scan": "new", "seki-hold": "hold", "seki-encrypt": "encrypt",
                                "seki-stagger": "stagger", "seki-deliver": "deliver"}[program]
    done = subprocess.run([str(gw.root / "bin" / program)], cwd=gw.root, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=20, check=False, **({"user": user.owner()} if ROOT else {}),
                          **({"group": user.group(), "extra_groups": ["seki-in"]} if ROOT else {}))
    assert done.returncode == 111, done.stderr
    assert "lock" in done.stderr
    assert gw.pid(program) == before
    others_proceed(gw, f"beside-a-second-{program}")


def test_Q9_terminated_in_mid_delivery(fresh_gateway):
    """SIGTERM to each stage and to the queue while mail passes: all of it arrives, once."""
    gw = fresh_gateway(settings={"plan-states": "approve hold encrypt stagger deliver"})
    sent = 0
    for round_ in range(4):
        for _ in range(8):
            gw.send(mail(f"term-{sent}-"))
            sent += 1
        for name in ("seki-scan", "seki-hold", "seki-encrypt", "seki-stagger", "seki-deliver", "seki-queue")[round_:]:
            gw.svc("-t", name)
        gw.wait_ready()
        wait_for(lambda: gw.state("seki-queue", "ready") == "true", why="ready")
    got = gw.wait_delivered(lambda m: b"Subject: term-" in m, sent)
    assert sorted(m.split(b"Subject: ")[1].split(b"\r\n")[0] for m in got) == sorted(
        f"term-{n}-".encode() for n in range(sent))


def test_Q9_terminated_while_receiving(gw):
    """A session that has not sent its dot when seki-queue ends: 4xx or nothing, never half a message."""
    with socket.create_connection(("127.0.0.1", gw.port), 20) as sock:
        stream = sock.makefile("rwb")

        def say(line: bytes) -> bytes:
            stream.write(line)
            stream.flush()
            return stream.readline()

        assert stream.readline().startswith(b"220")
        assert say(b"HELO client.example\r\n").startswith(b"250")
        assert say(b"MAIL FROM:<alice@example.co.jp>\r\n").startswith(b"250")
        assert say(b"RCPT TO:<bob@partner.example>\r\n").startswith(b"250")
        assert say(b"DATA\r\n").startswith(b"354")
        stream.write(b"Subject: half\r\n\r\n" + b"x" * 900 + b"\r\n" * 300)
        stream.flush()
        os.kill(gw.pid("seki-queue"), signal.SIGKILL)
        wait_for(lambda: gw.state("seki-queue", "ready") == "true", why="seki-queue")
        assert say(b".\r\n")[:1] in (b"4", b"2", b"")
    others_proceed(gw, "after-half")
    for message in gw.delivered():
        assert b"Subject: half" not in message or message.endswith(b"\r\n" * 300)


def test_Q9_another_version(gw):
    """A head of a later version is nothing that this one may act on."""
    leg_id = new_id()
    name = f"{due(later(hours=1))}.{leg_id}.1"
    lines = f" hold until={stamp(later(hours=1))}\n deliver\n"
    put(gw, "hold", name, leg(leg_id, mail("version-2"), plan(leg_id, lines), version=2))
    bad(gw, name, "hold")
    # A word or a record that only a later version knows stops the leg where it stands.
    for lines, record in ((" hold no\n tomorrow x\n deliver\n", ""),
                          (" hold no\n deliver\n", f"{stamp()} transmogrified by=x\n")):
        leg_id = new_id()
        put(gw, "hold", f"{due()}.{leg_id}.1", leg(leg_id, mail("later"), plan(leg_id, lines) + record))
        gw.wait_log("seki-hold", f"event=stopped alarm=yes id={leg_id}.1")
        wait_for(lambda: places(gw, leg_id) == [("hold", f"{NEVER}.{leg_id}.1")], 10, "stopped for ever")
    assert not any(b"Subject: later" in m for m in gw.delivered())
