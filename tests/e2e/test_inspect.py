"""seki-inspect: what a message may cost, what becomes of it when its process dies, and what a process can do that
somebody has taken over (S1-22, S1-30, S1-31; M2, M5, M6, M9; T1, T2)."""
import contextlib
import lzma
import os
import pwd
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import REPO, wait_for
from facts_kit import (
    EVERYTHING, HEAD, PATIENCE, Desk, Employer, Private, Service, attached, children, desk, in_time, limits_of, mail,
    multipart, only_reading, overlapping_bomb, pdf, private_bytes, program, scratch, state_of, text, to_xtext, tree,
    with_file, zipped, zipped_deep,
)
from test_facts import Caught, nobody

PHONE = "tel 03-1234-5678\r\n"
PROBE = REPO / "tests/e2e/inspect_probe.c"
# The system's libraries, as the Makefile names them.
SYSTEM = re.search(r"^SYSTEM := -Wl,--as-needed ((?:.*\\\n)*.*)$", (REPO / "Makefile").read_text(),
                   flags=re.M).group(1).replace("\\\n", " ").split()
MIB = 1 << 20


# ---- a connection ------------------------------------------------------------------------------


def test_one_message_after_another() -> None:
    """Plain text is opened by the process of the connection, all else by one of its own, which ends."""
    with Private() as worker:
        employer = worker.employer.ask()
        for n in range(20):
            facts = employer.inspect(mail(text(PHONE), subject=f"plain {n}"))
            assert facts.one("subject")["text"] == f"plain {n}" and facts.total("phone") == 1
            assert children(worker.process.pid) == []
            facts = employer.inspect(with_file(zipped({f"{n}.txt": PHONE.encode()}), "a.zip"))
            assert facts.one("member")["name"] == f"{n}.txt" and facts.total("phone", "files") == 1
        assert children(worker.process.pid) == [] and worker.log() == ""


def test_nothing_of_a_message_is_in_the_next() -> None:
    with Private() as worker:
        employer = worker.employer.ask()
        for _ in range(3):
            for raw, n in ((mail(text(PHONE)), 1), (mail(text("x")), 0), (with_file(PHONE.encode(), "a.txt"), 1),
                           (mail(text("x"), text("y")), 0)):
                facts = employer.inspect(raw)
                assert facts.total("phone") == n and len(facts.all("message")) == 1
        employer.put("R", "hidden@x.example\n")
        assert employer.inspect(mail(text("x"))).all("hidden") == [{"address": "hidden@x.example"}]
        assert employer.inspect(mail(text("x"))).all("hidden") == []


def test_only_what_is_asked_for() -> None:
    with Private() as worker:
        facts = worker.employer.ask("want files\n").inspect(with_file(zipped({"a": PHONE.encode()}), "a.zip"))
        assert {name for name, _ in facts} <= {"message", "subject", "part", "file"}
        assert facts.one("file")["sha256"] == "-"


def test_a_part_of_a_file_is_the_message() -> None:
    """The content of a leg, and neither its head nor its trailer."""
    content = mail(text(PHONE))
    fd = scratch(b"tel 03-1111-1111\n" * 10 + content + b"tel 03-2222-2222\n")
    with Private() as worker:
        employer = worker.employer.ask(EVERYTHING + "unmask\n")
        employer.begin(fd, len(content), offset=170)
        assert employer.hear().values("phone") == ["0312345678"]


@pytest.mark.parametrize("packet", [
    ("A", "nonsense\n"), ("A", "want everything\n"), ("A", "pii cards\n"), ("A", "limit time\n"), ("A", "limit x 1\n"),
    ("A", "limit time -1\n"), ("A", "word +\n"), ("A", "word +00\n"), ("A", "evidence x\n"), ("Z", ""),
    ("M", "content 0 10\n"), ("R", "x" * 1000 + "\n"), ("A", "regex (\ngo\n"), ("A", "list nowhere\ngo\n")])
def test_what_is_no_question(packet: tuple[str, str]) -> None:
    """It says so, and ends."""
    with Private() as worker:
        kind, lines = packet
        worker.employer.put(kind, lines)
        if kind == "R":
            worker.employer.put("M", "content 0 10\n")
        assert worker.employer.get()[0] == "Q" and worker.employer.get() == ("", "")
        assert worker.process.wait(PATIENCE) == 1 and "event=ask-refused" in worker.log()


def test_a_message_that_could_be_changed_is_refused() -> None:
    with Private() as worker:
        worker.employer.ask()
        fd = scratch(mail(text("x")))
        with socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)[0] as talk:
            worker.employer.put("M", "content 0 10\n", fd, scratch(), scratch(), talk.fileno())
        assert worker.employer.get()[0] == "Q"


def test_arguments() -> None:
    tool = str(program("seki-inspect"))
    for words in ([tool, "x"], [tool, "-s", "x"], [tool, "-x"], [tool, "-s"]):
        assert subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, cwd="/", timeout=PATIENCE,
                              close_fds=True).returncode == 100


def test_the_service_of_many() -> None:
    """A process for each connection; more than twice inspectors are turned away; those that leave make room."""
    with Service(inspectors=2) as service, contextlib.ExitStack() as stack:
        employers = [service.connect().ask() for _ in range(4)]
        for employer in employers:
            stack.enter_context(employer.socket)
            assert employer.inspect(mail(text(PHONE))).total("phone") == 1
        assert len(children(service.process.pid)) == 4
        assert service.connect().get() == ("", "")
        assert "event=sessions-full alarm=yes sessions=4" in service.log()
        employers[0].socket.close()
        wait_for(lambda: len(children(service.process.pid)) == 3, why="a place")
        assert service.connect().ask().inspect(mail(text(PHONE))).total("phone") == 1


def test_the_service_takes_new_lists() -> None:
    """SIGHUP; who is connected keeps what it began with, and a list that is wrong changes nothing."""
    with Service() as service:
        words = service.desk.root / "etc/words"
        words.mkdir()
        (words / "a").write_text("old\n")

        def ask() -> Employer:
            return service.connect().ask("list a\n")

        def hup(event: str) -> None:
            n = service.log().count(event)
            service.process.send_signal(signal.SIGHUP)
            wait_for(lambda: service.log().count(event) > n, why=event)
        hup("event=reloaded ")
        before = ask()
        assert before.inspect(mail(text("old new"))).one("words")["count"] == "1"
        (words / "a").write_text("old\nnew\n")
        hup("event=reloaded ")
        assert before.inspect(mail(text("old new"))).one("words")["count"] == "1"
        assert ask().inspect(mail(text("old new"))).one("words")["count"] == "2"
        (service.desk.root / "etc/settings").write_text("nonsense\n")
        hup("event=reload-refused ")
        assert ask().inspect(mail(text("old new"))).one("words")["count"] == "2"


def test_sigterm_lets_the_connections_end() -> None:
    with Service() as service:
        employer = service.connect().ask()
        employer.inspect(mail(text("x")))
        service.process.terminate()
        assert service.process.wait(PATIENCE) == 0
        assert employer.inspect(mail(text(PHONE))).total("phone") == 1
        employer.socket.close()


# ---- limits, as settings of an instance --------------------------------------------------------


def deep(levels: int) -> str:
    inner = text(PHONE)
    for n in range(levels):
        inner = multipart(inner, boundary=f"d{n}x")
    return inner


def many_parts(n: int) -> str:
    return multipart(text(PHONE), *(text(f"{k}") for k in range(n)))


LIMITS = {
    "depth": ({"inspect_depth": 5}, mail(deep(10)), 0),
    "depth-of-archives": ({"inspect_depth": 5}, mail(text(PHONE), attached(zipped_deep(10), "a.zip")), 1),
    "parts": ({"inspect_parts": 10}, mail(many_parts(100)), 1),
    "header": ({"inspect_header": "4KB"}, mail(text(PHONE), head=f"{HEAD}Subject: test\r\n" + "X: y\r\n" * 2000), 1),
    "members": ({"inspect_members": 10},
                mail(text(PHONE), attached(zipped({f"{n}": b"x" for n in range(50)}), "a.zip")), 1),
    "expansion": ({"inspect_expansion": "1MB"},
                  mail(text(PHONE), attached(zipped({"a.txt": os.urandom(MIB).hex().encode()}), "a.zip")), 1),
    "expansion-by-ratio": ({"inspect_ratio": 10},
                           mail(text(PHONE), attached(zipped({"a.txt": b"x" * (64 * MIB)}), "a.zip")), 1),
    "html": ({"inspect_html": "64KB"}, mail(text(f"<p>{PHONE}" + "<p>x" * 50_000, "text/html")), 1),
    "names": ({"inspect_names": "64KB"}, mail(text(PHONE + "これは長い文章です。\r\n" * 10_000)), 1),
    "size": ({"convert_size": "64KB"},
             mail(text(PHONE), attached(pdf() + os.urandom(80_000), "a.pdf")), 1),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_is_a_fact(desk: Desk, limit: str) -> None:
    """Never silence: the reason is told, and what was seen before it."""
    settings, raw, phones = LIMITS[limit]
    desk.settings(**settings)
    facts = desk.tell(raw, "--from", "alice@example.co.jp")
    reason = limit.split("-")[0]
    assert facts.reasons() == {reason}, facts
    assert facts.one("message")["size"] == str(len(raw)) and facts.all("address", field="to")
    assert facts.one("subject")["text"].startswith("test") and facts.total("phone", "body") >= phones


@pytest.mark.parametrize("limit", sorted(set(LIMITS) - {"expansion-by-ratio", "names"}))
def test_below_the_limit_there_is_none(desk: Desk, limit: str) -> None:
    facts = desk.tell(LIMITS[limit][1])
    assert facts.reasons() <= ({"damaged"} if limit == "size" else set()), facts
    assert facts.total("phone", "body") == 1


def test_the_time_is_limited(desk: Desk) -> None:
    """Also while it waits for a converter. What was found before is told, and the employer is answered."""
    with Private() as worker:
        employer = worker.employer.ask(EVERYTHING + "limit time 1000000\n")
        employer.begin(mail(text(PHONE), attached(pdf(), "a.pdf")))
        before = employer.hear(until="X")
        after = in_time(10, employer.hear)
        assert after.reasons() == {"time"} and before.all("file")
        assert "event=message-ended reason=time" in worker.log()
        assert employer.inspect(mail(text(PHONE))).total("phone") == 1


@pytest.mark.parametrize("attach", [True, False])
def test_processor_time_is_limited(desk: Desk, attach: bool) -> None:
    """By the kernel, whatever it is busy with. (The process that opens plain text is that of the connection.)"""
    desk.settings(inspect_cpu="1s", inspect_names="1GB")
    body = "山田太郎様、田中花子さんと東京都千代田区の鈴木一郎氏が会議をします。\r\n" * 120_000
    raw = mail(text("x"), attached(body.encode(), "a.txt")) if attach else mail(text(body))
    facts = in_time(15, lambda: desk.tell(raw))
    assert facts.reasons() == {"cpu"} if attach else facts.reasons() <= {"cpu", "killed"} and facts.reasons()


def test_memory_is_limited() -> None:
    """A dictionary of 64 MiB to unpack it does not fit into what the process may have."""
    packed = lzma.compress(os.urandom(MIB), format=lzma.FORMAT_XZ,
                           filters=[{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": 512 * MIB}])
    with Service(inspect_memory="16MB") as service:
        employer = service.connect().ask()
        facts = employer.inspect(mail(text(PHONE), attached(packed, "a.xz")))
        assert facts.reasons() and facts.reasons() <= {"memory", "damaged"}, facts
        assert employer.inspect(mail(text(PHONE))).total("phone") == 1


def test_the_limits_of_an_instance_are_its_settings(desk: Desk) -> None:
    """inspect-memory, too: seki facts shows what the gateway would see."""
    desk.settings(inspect_memory="16MB")
    caught = Caught(desk, with_file(pdf(), "a.pdf"))
    try:
        for pid in caught.worker():
            assert limits_of(pid)["Max data size"] == str(16 * MIB)
    finally:
        caught.end()


# ---- bombs, and what takes long ----------------------------------------------------------------


@pytest.mark.parametrize("content", [
    pytest.param(overlapping_bomb, id="overlapping"), pytest.param(lambda: zipped_deep(60), id="nested-60"),
    pytest.param(lambda: zipped({f"{n}": bytes(20 * MIB) for n in range(30)}), id="flat-600MB"),
    pytest.param(lambda: zipped({f"{n}.zip": zipped({f"{m}.zip": zipped({"a": bytes(10 * MIB)}) for m in range(8)})
                                 for n in range(8)}), id="42"),
    pytest.param(lambda: __import__("gzip").compress(bytes(100 * MIB), 9), id="gzip"),
    pytest.param(lambda: __import__("bz2").compress(bytes(100 * MIB)), id="bzip2"),
    pytest.param(lambda: zipped({f"{n:07}": b"" for n in range(60_000)}, level=0), id="members"),
])
def test_bombs(desk: Desk, content: object) -> None:
    """M5: in time, and told; a taste of it may be looked at."""
    raw = mail(text(PHONE), attached(content(), "bomb.zip"))
    facts = in_time(20, lambda: desk.tell(raw))
    assert facts.reasons() & {"expansion", "ambiguous", "depth", "members"}, facts.reasons()
    assert facts.total("phone", "body") == 1 and facts.one("message")["files"] == "1"


def test_twenty_levels_are_opened(desk: Desk) -> None:
    facts = desk.tell(with_file(zipped_deep(20, PHONE.encode()), "a.zip"))
    assert facts.reasons() == set() and facts.total("phone", "files") == 1
    assert facts.one("member", name="a.txt")["level"] == "20"


def long_things() -> dict[str, bytes]:
    """M2, and what else is quadratic where it is done carelessly; a few megabytes of each."""
    n = 200_000
    fields = "".join(f"X-{k}: y\r\n" for k in range(500_000))
    return {
        "depth-101": mail(deep(101)),
        "parts": mail(multipart(*(text("x") for _ in range(50_000)))),
        "fields": mail(text(PHONE), head=HEAD + fields),
        "parameters": mail("Content-Type: text/plain" + "".join(f"; p{k}=v" for k in range(100_000)) + "\r\n\r\nx\r\n"),
        "parameter-pieces": mail("Content-Type: text/plain" + "".join(f"; name*{k}*=v" for k in range(50_000))
                                 + "\r\n\r\nx"),
        "encoded-words": mail(text("x"), subject="=?" * 1_000_000),
        "encoded-words-whole": mail(text("x"), head=HEAD + "Subject: " + "=?UTF-8?Q?=41?=\r\n " * 100_000 + "\r\n"),
        "comments": mail(text("x"), head=f"From: a@x\r\nTo: {'(' * n}\r\n"),
        "groups": mail(text("x"), head=f"From: a@x\r\nTo: {'a:' * n}\r\n"),
        "brackets": mail(text("x"), head=f"From: a@x\r\nTo: {'<' * n}\r\n"),
        "commas": mail(text("x"), head=f"From: a@x\r\nTo: {',' * n}\r\n"),
        "quotes": mail(text("x"), head="From: a@x\r\nTo: " + '"\\' * n + "\r\n"),
        "addresses": mail(text("x"), head="From: a@x\r\n" + "".join(f"To: u{k}@x.example\r\n" for k in range(100_000))),
        "boundaries": mail("Content-Type: multipart/mixed; boundary=b\r\n\r\n" + "--b" * 300_000),
        "delimiters": mail("Content-Type: multipart/mixed; boundary=b\r\n\r\n" + "--b\r\n" * 300_000),
        "html-deep": mail(text("<div>" * 300_000, "text/html")),
        "html-tables": mail(text("<table><td>" * 100_000, "text/html")),
        "html-formatting": mail(text("<a><b><i><font>" * 20_000 + "<p>" * 20_000, "text/html")),
        "html-attributes": mail(text("<p " + " ".join(f"a{k}=b" for k in range(60_000)) + ">x", "text/html")),
        "html-entities": mail(text("&amp;&#x41;&notit;" * 100_000, "text/html")),
        "html-open": mail(text("<" * 1_500_000, "text/html")),
        "digits": mail(text("4" * 3_000_000)),
        "digits-apart": mail(text("4-" * 1_000_000)),
        "at-signs": mail(text("a@" * 1_000_000)),
        "dots": mail(text("a." * 1_000_000 + "@x.example")),
        "kanji": mail(text("東京都" * 200_000)),
        "kanji-digits": mail(text("千代田区1-" * 100_000)),
        "one-name": mail(text("山田" * 200_000)),
        "marks": mail(text("a" + "\u0301" * 500_000)),
        "unseen": mail(text("\u200b" * 500_000)),
        "quoted": mail(text("> " * 500_000)),
        "quoted-lines": mail(text(">\r\n" * 300_000)),
        "begins": mail(text("begin 644 x\r\n" * 100_000)),
        "escapes": mail(text("\x1b$B\x1b(B" * 200_000, charset="iso-2022-jp")),
        "nothing-but-base64": mail(attached(bytes(3 * MIB), "a.txt")),
        "lines": mail(text("\r\n" * 1_000_000)),
        "returns": mail(text("\r" * 1_000_000)),
        "nested-messages": mail("Content-Type: message/rfc822\r\n\r\n" * 2000 + "x"),
        "csv": with_file(("a," * 1_000_000).encode(), "a.csv"),
        "rtf": with_file(b"{\\rtf1" + b"{" * 500_000, "a.rtf"),
        "xml": with_file(zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:p>" * 500_000}), "a.docx"),
        "laughs": with_file(zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml":
                                    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
                                        b'<!ENTITY %c "%s">' % (98 + k, b"&%c;" % (97 + k) * 10) for k in range(10))
                                    + b"]><w:p>&k;</w:p>"}), "a.docx"),
    }


@pytest.fixture(scope="module")
def asked() -> Iterator[Private]:
    """A worker that is asked for everything, and for words."""
    more = "want digests\nwant greeting\nwant company\npii name\n" + "".join(
        f"{what} {to_xtext(it)}\n" for what, it in (("word", "東京"), ("word", "aa"), ("regex", "a+b"), ("regex", "(a+)+c")))
    with Private() as worker:
        worker.employer.ask(EVERYTHING + more)
        yield worker


LONG = ["depth-101", "parts", "fields", "parameters", "parameter-pieces", "encoded-words", "encoded-words-whole",
        "comments", "groups", "brackets", "commas", "quotes", "addresses", "boundaries", "delimiters", "html-deep",
        "html-tables", "html-formatting", "html-attributes", "html-entities", "html-open", "digits", "digits-apart",
        "at-signs", "dots", "kanji", "kanji-digits", "one-name", "marks", "unseen", "quoted", "quoted-lines", "begins",
        "escapes", "nothing-but-base64", "lines", "returns", "nested-messages", "csv", "rtf", "xml", "laughs"]
TOLD = {"depth-101": {"depth"}, "parts": {"parts"}, "fields": {"header"}, "nested-messages": {"depth"}}
LONG_THINGS: dict[str, bytes] = {}


@pytest.mark.parametrize("name", LONG)
def test_what_could_take_long(asked: Private, name: str) -> None:
    """M2: under a second of processor time, or cut off and told. (Here by the clock, on a machine that does else.)"""
    LONG_THINGS.update({} if LONG_THINGS else long_things())
    assert set(LONG_THINGS) == set(LONG)
    facts = in_time(3, lambda: asked.employer.inspect(LONG_THINGS[name]))
    assert facts.one("message") and not facts.reasons() & {"crashed", "failed", "cpu", "time", "memory"}, facts.reasons()
    assert TOLD.get(name, set()) <= facts.reasons()
    assert "message-ended" not in asked.log()


@pytest.mark.parametrize("name", ["digits", "at-signs", "html-open", "kanji", "encoded-words", "quoted-lines"])
def test_twice_as_long_takes_twice_as_long(asked: Private, name: str) -> None:
    """Linear: four times the input is nearer to four times the processor time than to sixteen."""
    unit = {"digits": "4", "at-signs": "a@", "html-open": "<", "kanji": "東京都", "encoded-words": "=?",
            "quoted-lines": ">\r\n"}

    def spent(n: int) -> float:
        body = unit[name] * n
        kind = "text/html" if name.startswith("html") else "text/plain"
        raw = mail(text("x"), head=f"{HEAD}X: {body}\r\n") if name == "encoded-words" else mail(text(body, kind))
        asked.employer.inspect(raw)
        stat = Path(f"/proc/{asked.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return sum(map(int, stat[11:15])) / os.sysconf("SC_CLK_TCK")
    n = 100_000
    at = [spent(1), spent(n), spent(4 * n)]
    small, large = at[1] - at[0], at[2] - at[1]
    assert large < 8 * max(small, 0.05), (small, large)


def like(pid: int) -> dict[str, object]:
    """Whoever a process runs as."""
    status = Path(f"/proc/{pid}/status").read_text()
    uid, gid = (int(status.split(f"{name}:\t")[1].split()[0]) for name in ("Uid", "Gid"))
    return {"user": uid, "group": gid, "extra_groups": []} if os.geteuid() == 0 else {}


# ---- death -------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["kill", "segv", "abort"])
def test_the_process_of_a_message_is_killed(way: str) -> None:
    """The facts end, the reason is told, and the next message of the connection is fine."""
    signals = {"kill": signal.SIGKILL, "segv": signal.SIGSEGV, "abort": signal.SIGABRT}
    with Private() as worker:
        employer = worker.employer.ask()
        for _ in range(2):
            employer.begin(mail(text(PHONE), attached(pdf(), "a.pdf")))
            employer.hear(until="X")
            os.kill(worker.message_process(), signals[way])
            facts = in_time(5, employer.hear)
            assert facts.reasons() == {"crashed"}
            assert employer.inspect(with_file(PHONE.encode(), "a.txt")).total("phone", "files") == 1
            assert employer.inspect(mail(text(PHONE))).total("phone") == 1
        assert "event=message-ended reason=crashed" in worker.log()
        assert "a.pdf" not in worker.log()


def test_the_process_of_a_message_is_stopped() -> None:
    """Its time runs on; as soon as it goes on it has ended."""
    with Private() as worker:
        employer = worker.employer.ask(EVERYTHING + "limit time 1000000\n")
        employer.begin(with_file(pdf(), "a.pdf"))
        employer.hear(until="X")
        pid = worker.message_process()
        os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: "\nShdPnd:\t0000000000002000" in Path(f"/proc/{pid}/status").read_text(), why="SIGALRM waits")
        os.kill(pid, signal.SIGCONT)
        assert in_time(5, employer.hear).reasons() == {"time"}
        assert employer.inspect(mail(text(PHONE))).total("phone") == 1


def test_a_stopped_process_is_told_in_time(desk: Desk) -> None:
    """The employer waits no longer than inspect-time and what a start may take; then nothing is left running."""
    desk.settings(inspect_time="1s")
    caught = Caught(desk, mail(text(PHONE), attached(pdf(), "a.pdf")))
    pids = caught.worker()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    out = caught.let_go()
    assert b"uninspectable part=0 reason=time\n" in out and b"\nfile part=2 " in out
    wait_for(lambda: all(state_of(pid) in ("gone", "Z") for pid in pids), why="both have ended")


def test_a_process_that_dies_takes_nothing_with_it(desk: Desk) -> None:
    """The process of the connection itself: seki facts tells, and goes on with the next file."""
    good = desk.write(mail(text(PHONE), subject="next"))
    caught = Caught(desk, with_file(pdf(), "a.pdf"), str(good))
    pids = caught.worker()
    os.kill(pids[0], signal.SIGKILL)
    out = caught.let_go()
    assert 0 < out.index(b"uninspectable part=0 reason=killed") < out.index(b"text=next") and b"reason=cpu" not in out
    wait_for(lambda: state_of(pids[1]) in ("gone", "Z"), why="its child ends with it")


def test_out_of_memory_in_the_middle() -> None:
    """It cannot allocate any more: told, whether it noticed or was ended."""
    with Private() as worker:
        employer = worker.employer.ask(EVERYTHING)
        packed = lzma.compress(PHONE.encode(), filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 32 * MIB}])
        employer.begin(mail(text(PHONE), attached(pdf(), "a.pdf"), attached(packed, "b.xz")))
        employer.hear(until="X")
        pid = worker.message_process()
        subprocess.run(["prlimit", f"--pid={pid}", "--data=4096:4096"], check=True, timeout=30, **like(pid))
        employer.answer("converter")
        facts = in_time(10, employer.hear)
        assert facts.reasons() & {"memory", "crashed", "failed"}, facts
        assert employer.inspect(mail(text(PHONE))).total("phone") == 1


def test_an_employer_that_goes_in_the_middle_leaves_nothing() -> None:
    with Service() as service:
        employer = service.connect().ask()
        employer.begin(with_file(pdf(), "a.pdf"))
        employer.hear(until="X")
        pids = children(service.process.pid)
        below = children(pids[0])
        employer.socket.close()
        wait_for(lambda: all(state_of(p) in ("gone", "Z") for p in pids + below), why="both have ended")
        assert service.connect().ask().inspect(mail(text(PHONE))).total("phone") == 1


def test_a_connection_that_is_killed() -> None:
    """Its message is lost to the employer, who says so; the message's process ends, and the service goes on."""
    with Service() as service:
        employer = service.connect().ask()
        employer.begin(with_file(pdf(), "a.pdf"))
        employer.hear(until="X")
        [pid] = children(service.process.pid)
        [below] = children(pid)
        os.kill(pid, signal.SIGKILL)
        assert employer.hear() is None
        wait_for(lambda: state_of(below) in ("gone", "Z"), why="it ends with its parent")
        wait_for(lambda: "event=session-killed alarm=yes signal=9" in service.log(), why="the alarm")
        assert service.connect().ask().inspect(mail(text(PHONE))).total("phone") == 1


@pytest.mark.parametrize("answer", ["done", "nonsense", "", "done cut"])
def test_an_answer_that_is_none(answer: str) -> None:
    """Of a converter: what should have come with a file, and did not, is told."""
    with Private() as worker:
        employer = worker.employer.ask()
        employer.begin(mail(text(PHONE), attached(pdf(), "a.pdf")))
        employer.hear(until="X")
        employer.answer(answer)
        facts = employer.hear()
        assert facts.reasons() == {"converter"} and facts.one("message")["files"] == "1"


# ---- the sandbox -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def probe() -> Iterator[Path]:
    """A worker that was taken over."""
    folder = Path(tempfile.mkdtemp(prefix="sekisho-probe-", dir="/var/tmp"))
    os.chmod(folder, 0o755)
    archives = sorted(tree().glob("lib*.a"))
    more = os.environ.get("SEKI_FACTS_LINK", "").split()
    done = subprocess.run(
        ["gcc", "-std=c17", "-D_GNU_SOURCE", "-I.", "-O1", "-pthread", "-o", folder / "probe", PROBE, *more,
         "-Wl,--start-group", *archives, "-Wl,--end-group", "-Wl,--as-needed", *SYSTEM], cwd=REPO, capture_output=True,
        text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    yield folder / "probe"
    shutil.rmtree(folder)


# A packet goes to the employer, whatever address is written on it. Memory that is shared is not RLIMIT_DATA's.
HARMLESS = {"sendmsg-abstract", "memory-shared-96"}
# The process of a connection makes one for each message, waits for it, and bounds it; what it may raise is bounded.
FORKS = {"fork", "pidfd-open", "disarm", "disarm-cpu", "hold-signals", "ignore-signals", "outlive", "self-limits"}


class Taken:
    """What it could do: a word for each try."""

    def __init__(self, probe: Path, kind: str) -> None:
        self.kind = kind
        as_whom = nobody() if os.geteuid() == 0 else {}
        victim = subprocess.Popen(["sleep", "600"], **as_whom)
        name = f"sekisho-probe-{os.getpid()}"
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        message = only_reading(scratch(b"Subject: x\r\n\r\nx\r\n"))
        files = [theirs.fileno(), message, scratch(), os.open("/", os.O_RDONLY | os.O_DIRECTORY)]
        with socket.socket() as port, socket.socket(socket.AF_UNIX) as abstract:
            port.bind(("127.0.0.1", 0))
            port.listen()
            abstract.bind("\0" + name)
            abstract.listen()
            # Away from 3 to 6 first: one of them may stand where another goes.
            move = " ".join(f"{n}<&{fd}" for n, fd in zip(range(3, 7), files))
            high = [os.dup2(fd, 90 + n) for n, fd in enumerate(files)]
            move = "exec " + " ".join(f"{3 + n}<&{fd}" for n, fd in enumerate(high)) + "; " + "exec " + " ".join(
                f"{fd}<&-" for fd in high)
            for fd in high:
                os.set_inheritable(fd, True)
            self.process = subprocess.Popen(
                ["/bin/bash", "-c", move + '; exec "$@"', "bash", str(probe), kind, str(victim.pid),
                 str(port.getsockname()[1]), name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, close_fds=False,
                env={}, **as_whom)
            self.said = dict(line.split() for line in iter(self.lines().__next__, "end done"))
            ours.settimeout(10)
            assert ours.recv(10) == b"x"
            ours.send(b"somebody owns it")
            self.process.wait(30)
            for listener in (port, abstract):
                listener.settimeout(0.1)
                with pytest.raises(TimeoutError):
                    listener.accept()
        for fd in (*high, *files[1:]):
            os.close(fd)
        self.victim_lives = victim.poll() is None
        self.victim_limits = limits_of(victim.pid) if self.victim_lives else {}
        victim.kill()
        victim.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def lines(self) -> Iterator[str]:
        for line in self.process.stdout:
            yield line.decode().strip()
        pytest.fail(f"it ended: {self.process.wait(10)} {self.process.stderr.read()}")

    def could(self) -> set[str]:
        """What was done, or would have been if there had been somebody to do it to."""
        done = {name for name, what in self.said.items() if what in ("done", "ESRCH") and not name.startswith("+")}
        return done - HARMLESS - (FORKS if self.kind == "session" else set())


@pytest.mark.parametrize("kind", ["session", "message"])
def test_a_process_that_was_taken_over_can_do_nothing(probe: Path, kind: str) -> None:
    """It opens no file and no socket, makes no descriptor, starts nothing, reaches nobody, changes no message; and what
    it needs works."""
    taken = Taken(probe, kind)
    assert taken.could() == set()
    assert {name: what for name, what in taken.said.items() if name.startswith("+") and what != "done"} == {}
    assert len(taken.said) > 150
    assert taken.victim_lives and taken.victim_limits["Max cpu time"] == "unlimited"
    assert not list(Path("/var/tmp").glob("sekisho-probe")) and not list(Path("/var/tmp").glob("sekisho-probe2"))


def test_the_refusal_is_that_of_the_sandbox(probe: Path) -> None:
    """Not of the user who runs the test: most tries are refused with EPERM by seccomp, and the rest for a reason."""
    said = Taken(probe, "message").said
    refused = [name for name, what in said.items() if what == "EPERM"]
    assert len(refused) > 120
    assert said["message-pwrite"] == said["message-write"] == "EBADF"
    assert said["message-ftruncate"] in ("EINVAL", "EBADF") and said["message-map"] == "EACCES"
    assert said["memory-96"] == "ENOMEM" and said["scratch-write-far"] == said["scratch-grow"] == "EFBIG"


def descriptors(pid: int) -> dict[int, str]:
    return {int(p.name): os.readlink(p) for p in Path(f"/proc/{pid}/fd").iterdir()}


def test_what_a_live_worker_holds() -> None:
    """A socket for this message alone, the message, two scratch files, the log; nothing more is open to it, and nothing can be
    made of what is."""
    if os.geteuid() != 0:
        pytest.skip("needs root to look at processes that cannot be traced")
    with Private() as worker:
        employer = worker.employer.ask()
        employer.begin(with_file(pdf(), "a.pdf"))
        employer.hear(until="X")
        pid = worker.message_process()
        holds = descriptors(pid)
        log = holds.pop(2)
        assert log.endswith("/log") and holds.pop(0, "/dev/null") == "/dev/null" and holds.pop(1, log) == log
        assert sorted(value.split(":")[0] for value in holds.values()) == [
            *["/var/tmp/#" + value.split("#")[1] for value in sorted(holds.values()) if "#" in value], "socket"]
        flags = {n: int(line.split()[1], 8) for n in holds if holds[n].startswith("/var/tmp") for line in
                 Path(f"/proc/{pid}/fdinfo/{n}").read_text().splitlines() if line.startswith("flags:")}
        assert sorted(f & os.O_ACCMODE for f in flags.values()) == [os.O_RDONLY, os.O_RDWR, os.O_RDWR]
        status = Path(f"/proc/{pid}/status").read_text()
        assert "\nNoNewPrivs:\t1\n" in status and "\nSeccomp:\t2\n" in status and "\nUid:\t0\t" not in status
        maps = Path(f"/proc/{pid}/maps").read_text()
        assert not any("w" in line.split()[1] and "x" in line.split()[1] for line in maps.splitlines())
        limits = limits_of(pid)
        assert limits["Max core file size"] == "0" and limits["Max data size"] == str(64 * MIB)
        assert int(limits["Max file size"]) <= 512 * MIB + 10 * MIB


def test_nobody_of_its_user_can_look_into_it() -> None:
    """It cannot be traced: not even by another worker."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    with Private() as worker:
        employer = worker.employer.ask()
        employer.begin(with_file(pdf(), "a.pdf"))
        employer.hear(until="X")
        pid = worker.message_process()
        uid = int(Path(f"/proc/{pid}/status").read_text().split("Uid:")[1].split()[0])
        entry = pwd.getpwuid(uid)
        for file in ("mem", "environ", "maps"):
            done = subprocess.run(["cat", f"/proc/{pid}/{file}"], user=uid, group=entry.pw_gid, extra_groups=[],
                                  capture_output=True, timeout=30)
            assert done.returncode != 0 and done.stdout == b""


# ---- memory ------------------------------------------------------------------------------------


def big(kind: str) -> bytes:
    """A message of tens of megabytes. (test_inspect_scan.py has text and archives of a hundred.)"""
    if kind == "html":
        return mail(text("<p>x", "text/html")) + b"<p>some text in it\r\n" * 2_000_000
    if kind == "lines":
        return mail(text("")) + b"tel 03-1234-5678" * 2_500_000
    if kind == "pdf":
        return with_file(b"%PDF-1.7\n" + bytes(73_000_000), "a.pdf")
    return with_file(zipped({"[Content_Types].xml": b"<Types/>",
                             "word/document.xml": b"<w:p><w:t>x</w:t></w:p>" * 2_000_000}), "a.docx")


@pytest.mark.parametrize("kind", ["html", "lines", "pdf", "docx"])
def test_memory_does_not_grow_with_the_message(kind: str) -> None:
    """At most 64 MiB of its own at any size."""
    if os.geteuid() != 0:
        pytest.skip("needs root to look at its maps")
    raw = big(kind)
    with Private() as worker:
        employer = worker.employer.ask(EVERYTHING + "want digests\nlimit convert 67108864\nword x\n")
        employer.begin(raw)
        most = 0
        got: list[tuple[str, str]] = []
        while not got or got[-1][0] != "":
            if select.select([employer.talk], [], [], 0.02)[0]:
                got.append(employer.get(employer.talk))
            assert not got or got[-1][0] in ("", "F"), got[-1]
            for pid in (worker.process.pid, *children(worker.process.pid)):
                with contextlib.suppress(OSError):
                    most = max(most, private_bytes(pid))
        assert 0 < most <= 64 * MIB
        assert employer.get() == ("E", "")
        lines = "".join(lines for kind_, lines in got if kind_ == "F")
        assert ("reason=size" in lines) == (kind == "pdf") and f"message size={len(raw)} " in lines
