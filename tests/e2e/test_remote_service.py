"""seki-remote as a service: a process for each connection to run/remote/socket, bounded, confined, and left alone by
whatever happens to the service (S1, S4)."""
import contextlib
import os
import pwd
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from remote_kit import BODY, Employer, Line, Server, Service, program, scripted, self_signed, wait_until

SPARE = 20  # REMOTE_SESSIONS_SPARE


class Gate:
    """A reply that is withheld until the test says so."""

    def __init__(self, reply: bytes = b"250 2.0.0 queued") -> None:
        self.reached, self.free, self.reply = threading.Event(), threading.Event(), reply

    def __call__(self, _: bytes) -> bytes:
        self.reached.set()
        assert self.free.wait(15)
        return self.reply


def test_a_session_is_a_process_of_its_own() -> None:
    with Server() as server, Service() as service:
        with Employer(service) as first, Employer(service) as second:
            assert first.open(server).kind == "O" and second.open(server).kind == "O"
            assert len(service.sessions()) == 2
            assert first.one().word == "delivered" and second.one().word == "delivered"
            first.close()
            wait_until(lambda: len(service.sessions()) == 1)
            assert second.one(BODY + b"again\r\n").word == "delivered"
            second.close()
        wait_until(lambda: service.sessions() == [])
        assert len(server.messages) == 3 and server.connections == 2
        assert service.stop() == 0
        assert service.log() == ""


def test_an_employer_that_says_nothing_and_goes_leaves_nothing() -> None:
    with Service() as service:
        with Employer(service):
            wait_until(service.sessions)
        wait_until(lambda: not service.sessions())
        assert service.log() == ""


def test_sessions_are_bounded() -> None:
    """O: one more than deliver-sessions-all and the spare ones is turned away at once, until another has ended."""
    with Service(deliver_sessions_all=1) as service, contextlib.ExitStack() as stack:
        employers = [stack.enter_context(Employer(service)) for _ in range(1 + SPARE)]
        wait_until(lambda: len(service.sessions()) == 1 + SPARE)
        for _ in range(3):
            with Employer(service) as more:
                assert more.gone()
        assert service.log().count("event=sessions-full alarm=yes sessions=21\n") == 1
        employers[0].socket.close()
        wait_until(lambda: len(service.sessions()) == SPARE)
        with Server() as server, Employer(service) as more:
            assert more.open(server).kind == "O" and more.one().word == "delivered"
            more.close()


def test_s4_sigterm_lets_a_final_dot_have_its_reply() -> None:
    """S4: the service ends at once; a session ends with its employer, and what it was told is not lost."""
    gate = Gate()
    with Server(dot=gate) as server, Service() as service, Employer(service) as employer:
        employer.open(server)
        employer.say_message(BODY + b"held\r\n")
        assert gate.reached.wait(15)
        session, = service.sessions()
        assert service.stop() == 0
        with pytest.raises(OSError), Employer(service):
            pass
        os.kill(session, signal.SIGTERM)  # as a supervisor of the whole tree may do
        gate.free.set()
        assert [r.word for r in employer.results().values()] == ["delivered"]
        employer.close()
        wait_until(lambda: not Path(f"/proc/{session}").exists() or "zombie" in Path(f"/proc/{session}/status").read_text())
        assert len(server.messages) == 1 and service.log() == ""


def test_a_session_without_employer_ends_within_the_dot() -> None:
    gate = Gate()
    with Server(dot=gate) as server, Service() as service:
        with Employer(service) as employer:
            employer.open(server)
            employer.say_message(BODY + b"held\r\n")
            assert gate.reached.wait(15)
        wait_until(lambda: not service.sessions())
        gate.free.set()
        assert "event=possible-duplicate" in service.log()


def test_a_reload_takes_the_bound_and_leaves_sessions_alone() -> None:
    with Server() as server, Service(deliver_sessions_all=1) as service, Employer(service) as employer:
        employer.open(server)
        service.settings(deliver_sessions_all=2)
        assert service.reload("word-1") == "taken word-1\n"
        assert "event=reloaded sessions=22\n" in service.log()
        service.settings(deliver_sessions_all=0)
        assert service.reload("word-2").startswith("refused word-2 etc/settings:2:")
        assert "event=reload-refused alarm=yes" in service.log()
        assert employer.one().word == "delivered"
        with contextlib.ExitStack() as stack:
            for _ in range(1 + SPARE):
                stack.enter_context(Employer(service))
            wait_until(lambda: len(service.sessions()) == 2 + SPARE)
            with Employer(service) as more:
                assert more.gone()
        employer.close()


def test_faulty_settings_are_code_102() -> None:
    service = Service(deliver_sessions_all=0)
    try:
        with pytest.raises(AssertionError, match="event=died alarm=yes cause=configuration"):
            service.start()
        assert service.process.wait(15) == 102
        assert (service.root / "run/taken/seki-remote").read_text().startswith("refused - etc/settings:2:")
    finally:
        service.__exit__()


def test_a_session_that_is_killed_takes_nothing_with_it() -> None:
    """SIGKILL within the content: the employer knows at once, nothing was delivered, and the service goes on."""
    def talk(line: Line) -> None:
        for reply in (b"220 x\r\n", b"250-x\r\n250 PIPELINING\r\n"):
            line.say(reply)
            line.line()
        line.until(b"DATA\r\n")
        line.say(b"250 ok\r\n250 ok\r\n")
        os.kill(service.sessions()[0], signal.SIGKILL)
        assert line.drain() == b""

    with Server(talk) as server, Server() as good, Service() as service:
        with Employer(service) as employer:
            employer.open(server)
            employer.say_message(BODY)
            assert employer.gone()
        wait_until(lambda: "event=session-killed alarm=yes signal=9" in service.log())
        with Employer(service) as employer:
            assert employer.open(good).kind == "O" and employer.one().word == "delivered"


def test_sessions_have_randomness_of_their_own(tmp_path: Path) -> None:
    """Processes that are forked from one must not greet a TLS server with the same random numbers."""
    hellos = []

    def talk(line: Line) -> None:
        line.say(b"220 x\r\n")
        line.line()
        line.say(b"250-x\r\n250 STARTTLS\r\n")
        line.line()
        line.say(b"220 go\r\n")
        while len(line.rest()) < 43:
            if not line.more():
                return
        hellos.append(line.rest())

    with Server(talk) as server, Service() as service:
        for _ in range(4):
            with Employer(service) as employer:
                employer.open(server, tls="opportunistic", helo="x.example")
    random = [h[11:43] for h in hellos]
    assert len(random) >= 4 and len(set(random)) == len(random)
    with Server(tls=self_signed(tmp_path), offers=["STARTTLS"]) as server, Service() as service, Employer(service) as employer:
        assert employer.open(server, tls="opportunistic")["tls"] == "TLSv1.3"
        assert employer.one().word == "delivered"
        employer.close()


def test_a_session_is_confined_and_holds_nothing_of_the_service() -> None:
    with Server() as server, Service() as service, Employer(service) as employer, Employer(service):
        employer.open(server)
        wait_until(lambda: len(service.sessions()) == 2)
        for pid in service.sessions():
            held = sorted(int(p.name) for p in Path(f"/proc/{pid}/fd").iterdir())
            assert held[:3] == [0, 1, 2] and len(held) <= 5, held
        session = service.sessions()[0]
        wait_until(lambda: "Seccomp:\t2" in Path(f"/proc/{session}/status").read_text() or "sanitize" in str(program()))
        assert "NoNewPrivs:\t1" in Path(f"/proc/{session}/status").read_text()
        limits = Path(f"/proc/{session}/limits").read_text()
        for what in ("Max processes", "Max core file size"):
            row = next(line for line in limits.splitlines() if line.startswith(what))
            assert row[26:].split()[:2] == ["0", "0"], row


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: it has no user of its own")
def test_its_script_makes_it_a_user_of_its_own() -> None:
    """The parent and its sessions are sekin; who cannot enter run/remote/ gets none."""
    with Server() as server, Service(script=True) as service:
        with Employer(service) as employer:
            employer.open(server)
            for pid in [service.process.pid, *service.sessions()]:
                status = Path(f"/proc/{pid}/status").read_text()
                uids = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
                assert {pwd.getpwuid(int(uid)).pw_name for uid in uids} == {"sekin"}
            assert employer.one().word == "delivered"
            employer.close()
        knock = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
        for user, code in (("sekir", 0), ("sekid", 1), ("sekio", 1)):
            done = subprocess.run(["s6-setuidgid", user, "/usr/bin/python3", "-c", knock, str(service.socket)],
                                  capture_output=True, timeout=20, check=False)
            assert done.returncode == code, (user, done.stderr)


def test_the_end_of_a_message_wakes_its_employer_once() -> None:
    """R and D leave in one write: whoever reads has both. (With two, the first alone would be read sometimes.)"""
    with Server() as server, Service() as service, Employer(service) as employer:
        employer.open(server)
        for n in range(50):
            employer.say_message(BODY + b"%d\r\n" % n, to=["a@x.example", "b@x.example"])
            heard = employer.socket.recv(65536)
            assert heard[:1] == b"R" and b"rcpt=1-2 delivered" in heard and b"D\0" in heard, heard
        employer.close()


def test_orders_may_come_in_any_pieces() -> None:
    """O, S and C in one write, and byte by byte."""
    with Server() as server, Service() as service:
        for pieces in (1, 100000):
            with Employer(service) as employer:
                said: list[tuple[bytes, list]] = []
                real = employer.socket

                class Catch:
                    def sendmsg(self, data: list, rights: list) -> int:
                        said.append((bytes(data[0]), [os.dup(r[2][0]) for r in rights]))
                        return len(data[0])

                employer.socket = Catch()
                employer.order(server)
                employer.say_message(BODY + b"one\r\n")
                employer.say_message(BODY + b"two\r\n")
                employer.put("C")
                employer.socket = real
                for data, fds in said:
                    for at in range(0, len(data), pieces):
                        socket.send_fds(real, [data[at:at + pieces]], fds if at == 0 else [])
                    for fd in fds:
                        os.close(fd)
                kinds = [employer.get().kind for _ in range(6)]
                assert kinds == ["O", "R", "D", "R", "D", "E"]
        assert len(server.messages) == 4


def test_a_descriptor_where_none_belongs_is_a_bug() -> None:
    with Service() as service, tempfile.TemporaryFile(dir="/var/tmp") as file:
        with Employer(service) as employer:
            employer.put("O", b"peer 127.0.0.1 1 -\nhelo x\n", file.fileno())
            assert employer.gone()
        assert "event=remote-protocol alarm=yes" in service.log()


def test_a_dead_address_is_told_by_the_service() -> None:
    with Service() as service, Employer(service) as employer, Server(scripted(b"554 no\r\n")) as server:
        ended = employer.open(server)
        assert (ended.kind, ended.word) == ("E", "refused")
        assert employer.gone()
