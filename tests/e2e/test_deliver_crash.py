"""I1: kill -9 of each program that takes part in a delivery, in the middle of it. s6 starts it again; nothing is
lost, and twice comes only what the server had heard to its end."""
import os
import random
import signal
import socket
import threading
import time

import pytest

from conftest import wait_for
from deliver_kit import (Receiver, World, children, records, until_set, wait_record, wait_sent, world)

N = 12
BUSY = 4  # sessions that a new destination is trusted with at least


@pytest.fixture(scope="module")
def silent_dns():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        yield f"127.0.0.1@{sink.getsockname()[1]}"


@pytest.fixture(scope="module")
def w(silent_dns):
    with world(settings={"resolve-servers": silent_dns, "resolve-time": "60s"}) as made:
        yield made


def kill_process(w: World, program: str, pid: int) -> bool:
    """SIGKILL to this one process, if it is one of the instance's own `program`, and to nothing else: s6 says -1
    of a service that is down, which kill(2) would take for everybody."""
    assert pid > 1, f"{program} is down"
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)") != str(w.gw.root / "bin" / program):
            return False
        signal.pidfd_send_signal(fd, signal.SIGKILL)
        return True
    except (FileNotFoundError, ProcessLookupError):
        return False
    finally:
        os.close(fd)


def kill_service(w: World, service: str) -> int:
    """SIGKILL to what s6 runs now, as soon as it runs; its process id."""
    pid = wait_for(lambda: p if (p := w.gw.pid(service)) > 1 else None, 15, f"{service} to run")
    kill_process(w, service, pid)
    return pid


def kill(w: World, service: str) -> None:
    """The same, and a successor that is ready."""
    pid = kill_service(w, service)
    wait_for(lambda: w.gw.pid(service) not in (pid, -1), 15, f"another {service}")
    w.gw.wait_ready(service)


def kill_sessions(w: World) -> int:
    return sum(kill_process(w, "seki-remote", pid) for pid in children(w.gw, "seki-remote"))


def all_sent(w: World, ids: list[str], seconds: float = 30) -> None:
    for leg_id in ids:
        wait_sent(w.gw, leg_id, seconds)
        assert not records(w.gw, leg_id, "failed") and not records(w.gw, leg_id, "bounced")


@pytest.mark.parametrize("phase,heard", [("RCPT", False), ("dot", True)])
@pytest.mark.parametrize("victim", ["seki-deliver", "session", "seki-remote"])
def test_I1_killed_in_the_middle(w, victim, phase, heard):
    """Sessions wait for a reply; before the content nothing is doubled, behind the dot at most once."""
    gate = threading.Event()
    with Receiver() as r:
        r.replies[phase] = until_set(gate, b"250 2.0.0 ok")
        domain = w.lane(r.place, "retry=1s")
        ids = [w.send(f"mid-{n}", f"bob@{domain}") for n in range(N)]
        r.wait_command(phase, BUSY)
        if victim == "session":
            assert kill_sessions(w) >= BUSY
        else:
            kill(w, victim)
        r.replies.clear()
        gate.set()
        all_sent(w, ids)
        for n in range(N):
            found = len(r.of(f"mid-{n}"))
            assert 1 <= found <= (2 if heard else 1), (n, found)
    assert not w.notices_now(f"bob@{domain}")


def test_I1_a_session_that_dies_within_the_content(w):
    """A part of it was sent: it is no message, and the whole comes later."""
    with Receiver() as r:
        domain = w.lane(r.place, "retry=1s")
        slow = threading.Event()
        before = r._data

        def data(line, *more):
            slow.wait(20)
            before(line, *more)
        r._data = data
        leg_id = w.send("half", f"bob@{domain}", b"0123456789abcdef\r\n" * 400_000)
        r.wait_command("DATA")
        assert kill_sessions(w) >= 1
        slow.set()
        r.wait_tag("half", seconds=30)
        all_sent(w, [leg_id])
        assert len(r.mails) == 1 and sum(len(s.partial) for s in r.sessions) == 1


def test_I1_seki_notice_dies_again_and_again(w):
    """Every sender is told; once, or twice if it died between keeping and saying so."""
    with Receiver(RCPT=b"550 5.1.1 nobody") as r:
        domain = w.lane(r.place)
        ids = []
        for n in range(15):
            ids.append(w.send(f"told-{n}", f"r{n}@{domain}"))
            if n % 5 == 4:
                kill(w, "seki-notice")
        w.gw.seki("flush")
        for n, leg_id in enumerate(ids):
            wait_sent(w.gw, leg_id, 80)
            assert 1 <= len(w.notices(f"r{n}@{domain}")) <= 2


def test_I1_seki_resolve_dies_with_a_question(w):
    """The mail waits, and is sent when its server is known."""
    w.route("@asked.test", "host:mx.asked.test:2525 retry=1s")
    leg_id = w.send("asked", "bob@asked.test")
    time.sleep(0.3)
    kill(w, "seki-resolve")
    with Receiver() as r:
        w.route("@asked.test", r.place + " retry=1s")
        kill(w, "seki-resolve")
        w.gw.seki("flush")
        r.wait_tag("asked", seconds=30)
        all_sent(w, [leg_id])
        assert len(r.mails) == 1


def test_I1_seki_deliver_dies_with_a_leg_deferred_and_one_told(w):
    """What was written down binds: nobody is tried before his time, told or sent to again."""
    later = threading.Event()

    def rcpt(call):
        if call.address.startswith("no"):
            return b"550 5.1.1 nobody"
        return b"451 4.2.0 later" if call.address.startswith("later") and not later.is_set() else b"250 2.1.5 ok"
    with Receiver(RCPT=rcpt) as r:
        domain = w.lane(r.place, "retry=1h")
        to = [f"{n}@{domain}" for n in ("yes", "no", "later")]
        leg_id = w.send("bound", to)
        wait_record(w.gw, leg_id, "bounced")
        wait_record(w.gw, leg_id, "deferred")
        w.notices(to[1])
        kill(w, "seki-deliver")
        later.set()
        w.gw.seki("flush")
        r.wait_tag("bound", 2)
        wait_sent(w.gw, leg_id)
        assert sorted(t for m in r.mails for t in m.to) == sorted([to[0], to[2]])
        assert len(w.notices_now(to[1])) == 1


def test_I1_a_storm(w):
    """Programs die at random while a hundred mails pass: each arrives."""
    chance = random.Random(4)
    with Receiver() as r:
        domain = w.lane(r.place, "retry=1s")
        ids = []
        for n in range(100):
            ids.append(w.send(f"storm-{n}", f"bob@{domain}"))
            if n % 14 == 13:
                victim = chance.choice(["seki-deliver", "seki-remote", "session", "seki-resolve"])
                if victim == "session":
                    kill_sessions(w)
                else:
                    kill_service(w, victim)
        w.gw.wait_ready("seki-deliver", "seki-remote", "seki-resolve")
        wait_for(lambda: w.gw.seki("flush").returncode == 0, 10)
        all_sent(w, ids, 40)
        counts = [len(r.of(f"storm-{n}")) for n in range(100)]
        assert min(counts) == 1 and max(counts) <= 3 and sum(counts) <= 120, counts
