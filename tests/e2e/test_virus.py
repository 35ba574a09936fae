"""A verdict about viruses from a real clamd, with a database of one line that is made here (S1-30): what it finds is a
fact, and where it says nothing the mail may hold anything."""
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import wait_for
from facts_kit import Desk, attached, desk, in_time, mail, pdf, text, zipped

CLAMD = "/usr/sbin/clamd"
SAMPLE = b"SEKISHO-STANDARD-VIRUS-TEST-FILE-0123456789"  # no program's own test string: nothing else may find it
LIMIT = 200_000

pytestmark = pytest.mark.skipif(not Path(CLAMD).exists(), reason="package clamav-daemon is missing")


class Clamd:
    """One of our own, with a directory for all it has. `socket` is where it is asked."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sekisho-clamd-", dir="/var/tmp"))
        os.chmod(self.folder, 0o755)
        self.socket = self.folder / "socket"
        (self.folder / "db").mkdir()
        (self.folder / "db/test.ndb").write_text(f"Sekisho.Test.File:0:*:{SAMPLE.hex()}\n")
        (self.folder / "conf").write_text(
            f"DatabaseDirectory {self.folder}/db\nLocalSocket {self.socket}\nLocalSocketMode 666\nForeground yes\n"
            f"TemporaryDirectory {self.folder}\nStreamMaxLength {LIMIT}\nMaxThreads 2\nLogFile {self.folder}/log\n"
            + ("User root\n" if os.geteuid() == 0 else ""))
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        self.process = subprocess.Popen([CLAMD, "--config-file", str(self.folder / "conf")], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.answers, 60, "clamd")

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            try:
                s.connect(str(self.socket))
                s.sendall(b"zPING\0")
                return s.recv(10) == b"PONG\0"
            except OSError:
                return False

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait(30)
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def clamd() -> Iterator[Clamd]:
    made = Clamd()
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def asking(desk: Desk, clamd: Clamd) -> Desk:
    desk.settings(clamd=clamd.socket, clamd_time="5s")
    return desk


def test_clean(asking: Desk) -> None:
    facts = asking.tell(mail(text("hello"), attached(zipped({"a.txt": b"x"}), "a.zip")))
    assert facts.one("virus")["verdict"] == "clean" and not facts.one("virus").get("name")
    assert facts.reasons() == set()


@pytest.mark.parametrize("raw", [
    pytest.param(mail(text(SAMPLE.decode())), id="text"),
    pytest.param(mail(text("x"), attached(SAMPLE, "a.txt")), id="base64"),
    pytest.param(mail(text("x"), attached(zipped({"in.txt": SAMPLE}), "a.zip")), id="zip"),
    pytest.param(mail(text("x"), attached(zipped({"in.zip": zipped({"a/b.txt": SAMPLE})}), "a.zip")), id="zip-in-zip"),
])
def test_found(asking: Desk, raw: bytes) -> None:
    """Everything else is told as ever: the rules decide."""
    facts = asking.tell(raw)
    assert facts.one("virus") == {"verdict": "found", "name": "Sekisho.Test.File.UNOFFICIAL"}
    assert facts.reasons() == set() and facts.one("message")


def test_in_json(asking: Desk) -> None:
    [it] = asking.run("-j", asking.write(mail(text(SAMPLE.decode())))).objects
    assert it["virus"] == {"verdict": "found", "name": "Sekisho.Test.File.UNOFFICIAL"}


def test_one_after_another(asking: Desk) -> None:
    paths = [asking.write(mail(text(SAMPLE.decode() if n % 2 else "x"))) for n in range(4)]
    verdicts = [f["verdict"] for f in asking.run(*paths).facts.all("virus")]
    assert verdicts == ["clean", "found", "clean", "found"]


def test_it_is_not_asked_unless_it_is_set(desk: Desk, clamd: Clamd) -> None:
    assert desk.tell(mail(text(SAMPLE.decode()))).all("virus") == []


def test_a_view_is_no_question(asking: Desk) -> None:
    assert b"virus" not in asking.run("--view", "1", asking.write(mail(text("x")))).raw


def test_more_than_it_takes(asking: Desk) -> None:
    """StreamMaxLength: it answers before it has heard all, and what it has not seen may be anything."""
    facts = asking.tell(mail(text("x"), attached(os.urandom(3 * LIMIT).hex().encode(), "a.txt")))
    assert facts.one("virus")["verdict"] == "unknown" and facts.one("virus")["name"]
    assert facts.reasons() == {"virus"} and facts.one("message")["files"] == "1"


def unknown(desk: Desk, raw: bytes | None = None) -> None:
    facts = in_time(8, lambda: desk.tell(raw or mail(text("hello"), attached(b"x", "a.txt"))))
    virus = facts.one("virus")
    assert virus["verdict"] == "unknown" and virus["name"] and virus["name"].isascii()
    assert facts.one("uninspectable") == {"part": "0", "reason": "virus"}
    assert facts.one("message")["files"] == "1" and facts.one("subject")["text"] == "test"


@pytest.mark.parametrize("path", ["/nonexistent/socket", "/dev/null", "/" + "x" * 200])
def test_it_is_down(desk: Desk, path: str) -> None:
    desk.settings(clamd=path, clamd_time="1s")
    unknown(desk)


def test_it_does_not_answer(desk: Desk, clamd: Clamd) -> None:
    """Stopped: it takes the connection, and nothing more. No longer than clamd-time."""
    import signal
    desk.settings(clamd=clamd.socket, clamd_time="1s")
    clamd.process.send_signal(signal.SIGSTOP)
    try:
        unknown(desk)
    finally:
        clamd.process.send_signal(signal.SIGCONT)
    assert clamd.answers()


class Fake:
    """Somebody else at the socket."""

    def __init__(self, folder: Path, talk: Callable[[socket.socket], None]) -> None:
        self.path = folder / "fake"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        self.talk = talk
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        try:
            while True:
                with self.listener.accept()[0] as s:
                    self.talk(s)
        except OSError:
            pass


def says(answer: bytes, hear: bool = True) -> Callable[[socket.socket], None]:
    def talk(s: socket.socket) -> None:
        got = b""
        while hear and not got.endswith(b"\0\0\0\0"):
            got += s.recv(65536)
        s.sendall(answer)
    return talk


@pytest.mark.parametrize("answer", [
    b"", b"stream: OK", b"stream: O\0", b"OK\0", b"stream: \0", b"stream:  FOUND\0", b"stream: x ERROR\0", b"PONG\0",
    b"UNKNOWN COMMAND\0", b"x" * 5000, b"stream: OK\n\0", b"\0", b"stream: a FOUND\nx\0", b"stream: OK FOUNDx\0"])
def test_an_answer_that_is_none(desk: Desk, answer: bytes) -> None:
    """Neither clean nor found unless clamd says so, in its own words and to the end."""
    fake = Fake(desk.folder, says(answer))
    desk.settings(clamd=fake.path, clamd_time="1s")
    unknown(desk)
    fake.listener.close()


def test_an_answer_before_it_has_heard_all(desk: Desk) -> None:
    """An OK about half a message says nothing about the other half."""
    fake = Fake(desk.folder, says(b"stream: OK\0", hear=False))
    desk.settings(clamd=fake.path, clamd_time="1s")
    facts = desk.tell(mail(text("x"), attached(os.urandom(2_000_000).hex().encode(), "a.txt")))
    assert facts.one("virus")["verdict"] == "unknown" and facts.reasons() == {"virus"}
    fake.listener.close()


def test_a_name_of_somebody_elses_making(desk: Desk) -> None:
    """It is data: one line, ASCII, bounded."""
    evil = b"stream: a\x1b[2J\xff b=c\nmessage size=1" + b"x" * 500 + b" FOUND\0"
    fake = Fake(desk.folder, says(evil))
    desk.settings(clamd=fake.path, clamd_time="1s")
    told = desk.run(desk.write(mail(text("x"))))
    virus = told.facts.one("virus")
    assert virus["verdict"] == "found" and len(virus["name"]) <= 200 and "\x1b" not in told.text
    assert len(told.facts.all("message")) == 1
    fake.listener.close()


def test_a_slow_one_is_waited_for(desk: Desk) -> None:
    """As long as clamd-time says."""
    go = threading.Event()

    def talk(s: socket.socket) -> None:
        got = b""
        while not got.endswith(b"\0\0\0\0"):
            got += s.recv(65536)
        go.wait(20)
        s.sendall(b"stream: OK\0")
    fake = Fake(desk.folder, talk)
    desk.settings(clamd=fake.path, clamd_time="20s")
    threading.Timer(1.5, go.set).start()
    assert desk.tell(mail(text("x"))).one("virus")["verdict"] == "clean"
    fake.listener.close()


def test_what_is_asked_is_the_message_and_no_more(desk: Desk) -> None:
    """The content, whole and in order; a PDF's conversion and the verdict do not get into each other's way."""
    heard: list[bytes] = []

    def talk(s: socket.socket) -> None:
        got = bytearray()
        while not got.endswith(b"\0\0\0\0"):
            got += s.recv(65536)
        heard.append(bytes(got))
        s.sendall(b"stream: OK\0")
    fake = Fake(desk.folder, talk)
    desk.settings(clamd=fake.path, clamd_time="5s")
    raw = mail(text("x"), attached(pdf(), "a.pdf"), attached(os.urandom(200_000).hex().encode(), "a.txt"))
    assert desk.tell(raw).one("virus")["verdict"] == "clean"
    [it] = heard
    assert it.startswith(b"zINSTREAM\0")
    at, content = len(b"zINSTREAM\0"), b""
    while (n := int.from_bytes(it[at:at + 4], "big")) > 0:
        content += it[at + 4:at + 4 + n]
        at += 4 + n
    assert content == raw
    fake.listener.close()
