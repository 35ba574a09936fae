"""How seki-scan employs its inspectors (plan-facts yes): each message is inspected, judged and sent once, faults that are
not its own are waited out, and nobody else waits for them (S1-22, S1-30, I3)."""
import os
import signal
import socket
import struct
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import Gateway, prepare, wait_for
from facts_kit import BUILD, attached, children, mail, program_of, sealed_zip, text, tree
from test_release import rows
from test_spool_kit import NEVER, places

FACTS = {"plan-facts": "yes", "inspectors": "2"}
LONGEST_PAUSE = 60
STRANGER = "192.0.2.10 helo=pc1 proto=esmtpsa port=1 auth=alice"


@pytest.fixture
def make() -> Iterator[Callable[..., Gateway]]:
    """An instance with these settings: make(plan_divide="recipient")."""
    made: list[Gateway] = []

    def one(**settings: str) -> Gateway:
        tree()
        gw = prepare(settings=FACTS | {name.replace("_", "-"): value for name, value in settings.items()})
        gw.build = BUILD
        made.append(gw)
        return gw.start()

    yield one
    for gw in made:
        gw.stop()


def letter(tag: str, *parts: str) -> bytes:
    return mail(*(parts or (text("good morning"),)), subject=tag)


def sealed(tag: str) -> bytes:
    return letter(tag, text("x"), attached(sealed_zip(), "a.zip"))


def has(tag: str) -> Callable[[bytes], bool]:
    return lambda raw: f"Subject: {tag}\r\n".encode() in raw


def tags(gw: Gateway, state: str) -> set[str]:
    """The subjects in a state."""
    found = set()
    for path in gw.spool(state):
        try:
            found.add(path.read_bytes().split(b"Subject: ")[1].split(b"\r\n")[0].decode())
        except (OSError, IndexError):
            pass
    return found


def hand_in(gw: Gateway, content: bytes, door: str = "run/queue/socket", client: str = STRANGER,
            sender: str = "alice@example.co.jp") -> None:
    """A message by one of seki-queue's doors."""
    envelope = f"from {sender}\nto bob@partner.example\nclient {client}\n".encode()
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(str(gw.root / door))
        s.sendall(b"E" + struct.pack(">I", len(envelope)) + envelope)
        assert s.recv(1) == b"G"
        s.recv(32, socket.MSG_WAITALL)
        s.sendall(b"D" + struct.pack(">I", len(content)) + content + b".")
        assert s.recv(1) == b"K"


def own_mail(gw: Gateway, tag: str) -> None:
    hand_in(gw, letter(tag), "run/own/socket", "-", "<>")


def held(gw: Gateway, tag: str, seconds: float = 30) -> tuple[str, str]:
    """Its id, and the step that it waits in, as soon as it waits in hold/."""
    wait_for(lambda: tag in tags(gw, "hold"), seconds, f"{tag} in hold/")
    [path] = [p for p in gw.spool("hold") if has(tag)(p.read_bytes())]
    assert path.name.startswith(NEVER)
    [step] = [line for line in path.read_bytes().split(b"\n") if line.startswith(b" hold operator")]
    return path.name.split(".")[1], step.decode().strip()


def sessions(gw: Gateway) -> list[int]:
    return [pid for pid in children(gw.pid("seki-inspect")) if program_of(pid) == "seki-inspect"]


def signal_all(pids: list[int], number: int) -> None:
    for pid in pids:
        os.kill(pid, number)


def stopped_sessions(gw: Gateway, n: int = 2) -> list[int]:
    """As many as there can be, none of which goes on."""
    letters = 0
    while len(sessions(gw)) < n:
        # One that stands still keeps its message, so that the one behind it needs another session.
        before = sessions(gw)
        signal_all(before, signal.SIGSTOP)
        for _ in range(len(before) + 1):
            gw.send(letter("begin"))
            letters += 1
        wait_for(lambda: len(sessions(gw)) > len(before), why="another session")
        signal_all(before, signal.SIGCONT)
        gw.wait_delivered(has("begin"), letters)
    wait_for(lambda: gw.spool("new") == [], why="new/ is empty")
    pids = sessions(gw)
    signal_all(pids, signal.SIGSTOP)
    return pids


# ---- each once ---------------------------------------------------------------------------------


def test_S1_22_two_hundred_messages_divided_go_once_each(make) -> None:
    """B7, B8: facts in hand are kept until there is a place to divide; no leg waits for 5 seconds again and again."""
    gw = make(plan_divide="recipient")
    n, to = 200, ["a@partner.example", "b@partner.example", "c@rival.example"]
    with gw.connect() as smtp:
        begin = time.monotonic()
        for k in range(n):
            smtp.sendmail("alice@example.co.jp", to, letter(f"each-{k:03}"))
    gw.wait_delivered(lambda raw: b"Subject: each-" in raw, n * len(to), timeout=90)
    assert time.monotonic() - begin < 60
    wait_for(lambda: not any(gw.spool(s) for s in ("new", "hold", "deliver")), why="all are sent")
    seen = Counter(raw.split(b"Subject: each-")[1][:3] for raw in gw.delivered() if b"Subject: each-" in raw)
    assert seen == {f"{k:03}".encode(): len(to) for k in range(n)}
    log = gw.log("seki-scan")
    assert log.count("event=judged") == n and "alarm=yes" not in log.replace("event=file-system alarm=yes", "")
    assert "sessions-full" not in gw.log("seki-inspect")
    assert len(sessions(gw)) <= 2


# ---- nobody waits who need not -----------------------------------------------------------------


def test_own_mail_passes_while_every_inspector_hangs(make) -> None:
    """And what waits is inspected when they go on, without an operator."""
    gw = make()
    pids = stopped_sessions(gw)
    for k in range(10):
        gw.send(letter(f"waits-{k}"))
    for k in range(3):
        own_mail(gw, f"notice-{k}")
    for k in range(3):
        gw.wait_delivered(has(f"notice-{k}"), timeout=10)
    assert tags(gw, "new") == {f"waits-{k}" for k in range(10)}
    signal_all(pids, signal.SIGCONT)
    for k in range(10):
        gw.wait_delivered(has(f"waits-{k}"))
    assert gw.spool("hold") == []


def test_inspections_that_run_do_not_delay_its_end(make) -> None:
    """SIGTERM: their legs stay in new/, and its successor has them inspected; nobody speaks of divisions."""
    gw = make()
    pids = stopped_sessions(gw)
    for k in range(4):
        gw.send(letter(f"left-{k}"))
    wait_for(lambda: len(tags(gw, "new")) == 4, why="in new/")
    begin = time.monotonic()
    gw.svc("-wD", "-d", "seki-scan")
    assert time.monotonic() - begin < 8  # and not the ten seconds that divisions may take
    assert tags(gw, "new") == {f"left-{k}" for k in range(4)}
    signal_all(pids, signal.SIGCONT)
    gw.svc("-wU", "-u", "seki-scan")
    for k in range(4):
        gw.wait_delivered(has(f"left-{k}"))
    assert len([raw for raw in gw.delivered() if b"Subject: left-" in raw]) == 4
    assert "division-interrupted" not in gw.log("seki-scan")


# ---- what is configured counts -----------------------------------------------------------------


def test_a_reload_is_taken(make) -> None:
    """C7: connections that idle are given up, so that lists are those of today; and so are the limits."""
    gw = make()
    many = (text("x"), *(text(f"{n}") for n in range(20)))
    gw.send(letter("before", *many))
    gw.wait_delivered(has("before"))
    old = set(sessions(gw))
    assert old
    (gw.root / "etc/words").mkdir(exist_ok=True)
    (gw.root / "etc/words/new").write_text("secret\n")
    gw.setting(inspect_parts="5")
    assert gw.seki("reload").returncode == 0
    wait_for(lambda: not old & set(sessions(gw)), why="the old ones end")
    gw.send(letter("after", *many))
    assert held(gw, "after")[1] == "hold operator why=uninspectable reason=parts"
    assert sessions(gw) and not old & set(sessions(gw))


# ---- faults that are nobody's fault ------------------------------------------------------------


def test_no_inspector_is_there(make) -> None:
    """Mail waits in new/, one alarm tells; back again, it flows without an operator. Own mail does not wait."""
    gw = make()
    gw.svc("-wD", "-d", "seki-inspect")
    for k in range(6):
        gw.send(letter(f"down-{k}"))
    gw.wait_log("seki-scan", "event=not-there alarm=yes")
    own_mail(gw, "notice")
    gw.wait_delivered(has("notice"))
    wait_for(lambda: len(tags(gw, "new")) == 6, why="in new/")
    assert gw.log("seki-scan").count("event=not-there") == 1
    gw.svc("-wU", "-u", "seki-inspect")
    for k in range(6):
        gw.wait_delivered(has(f"down-{k}"), timeout=LONGEST_PAUSE)
    assert gw.spool("hold") == [] and gw.log("seki-scan").count("event=judged") == 7


class Faithless(threading.Thread):
    """In the place of seki-inspect: takes each message and goes away without a word."""

    def __init__(self, gw: Gateway) -> None:
        super().__init__(daemon=True)
        path = gw.root / "run/inspect/socket"
        path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(path))
        os.chmod(path, 0o666)
        self.listener.listen(10)
        self.met = 0
        self.start()

    def run(self) -> None:
        while True:
            try:
                employer, _ = self.listener.accept()
            except OSError:
                return
            with employer:
                while (packet := employer.recv(1 << 17)) and packet[:1] != b"M":
                    pass
            self.met += packet[:1] == b"M"

    def end(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def test_inspectors_that_end_without_a_word(make) -> None:
    """Once or twice says nothing about the message; three times in a row, and a person is to look."""
    gw = make()
    gw.svc("-wD", "-d", "seki-inspect")
    faithless = Faithless(gw)
    gw.send(letter("thrice"))
    leg_id, step = held(gw, "thrice", 40)
    assert step == "hold operator why=uninspectable reason=killed"
    assert faithless.met == 3
    assert "reason=killed" in gw.wait_log("seki-scan", f"event=inspection-failed alarm=yes id={leg_id}.1")

    gw.send(letter("once"))
    wait_for(lambda: faithless.met == 4, why="the first try")
    faithless.end()
    gw.svc("-wU", "-u", "seki-inspect")
    gw.wait_delivered(has("once"), timeout=LONGEST_PAUSE)
    assert tags(gw, "hold") == {"thrice"}


# ---- what waits for an operator ----------------------------------------------------------------


def test_I3_one_release_for_the_door_and_the_facts(make) -> None:
    """C11."""
    gw = make()
    hand_in(gw, sealed("both"), client=STRANGER + " hold=foreign-sender")
    leg_id, step = held(gw, "both")
    assert step == "hold operator why=uninspectable reason=encrypted door=foreign-sender"
    done = gw.seki("release", leg_id)
    assert done.returncode == 0 and rows(done) == [[f"{leg_id}.1", "released", "deliver", "-"]]
    gw.wait_delivered(has("both"))


def test_two_readings_wait(make) -> None:
    """M3: a line of blanks ends the header for one mail program and not for another."""
    gw = make()
    raw = (b"From: alice@example.co.jp\r\nTo: bob@partner.example\r\nSubject: two\r\nMIME-Version: 1.0\r\n \r\n"
           b"Content-Type: text/html\r\n\r\n<p>hello</p>\r\n")
    gw.send(raw)
    leg_id, step = held(gw, "two")
    assert step == "hold operator why=ambiguous reason=header-blank"
    assert "reason=header-blank" in gw.wait_log("seki-scan", f"event=ambiguous id={leg_id}")
    assert not [raw for raw in gw.delivered() if has("two")(raw)]


class Clamd(threading.Thread):
    """Finds what says "virus", and in nothing else anything."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        os.chmod(path, 0o666)
        self.listener.listen(10)
        self.start()

    def run(self) -> None:
        while True:
            employer, _ = self.listener.accept()
            with employer, employer.makefile("rb") as stream:
                assert stream.read(10) == b"zINSTREAM\0"
                heard = b""
                while (size := struct.unpack(">I", stream.read(4))[0]) > 0:
                    heard += stream.read(size)
                employer.sendall(b"stream: Some.Virus-1 FOUND\0" if b"virus" in heard else b"stream: OK\0")


def test_S1_30_a_virus_waits(make) -> None:
    """Worse than all else that is known of it."""
    with tempfile.TemporaryDirectory(prefix="sekisho-clamd-", dir="/var/tmp") as folder:
        os.chmod(folder, 0o755)
        Clamd(Path(folder) / "socket")
        gw = make(clamd=f"{folder}/socket")
        gw.send(letter("clean"))
        gw.send(letter("found", text("a virus"), attached(sealed_zip(), "a.zip")))
        leg_id, step = held(gw, "found")
        assert step == "hold operator why=virus"
        assert "name=Some.Virus-1" in gw.wait_log("seki-scan", f"event=virus-found id={leg_id}")
        assert f"event=uninspectable id={leg_id}" in gw.log("seki-scan")
        gw.wait_delivered(has("clean"))
        assert tags(gw, "hold") == {"found"}
