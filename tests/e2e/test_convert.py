"""seki-convert: strangers' files are read by programs that are not ours, in a process that can do nothing else, and
whatever such a program does, the service goes on and says so (traps T1, T2; S1-28, S1-30)."""
import array
import contextlib
import os
import pwd
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

from conftest import REPO, build_once, wait_for
from test_auth_kit import as_3

BUILD = os.environ.get("SEKI_CONVERT_BUILD", "build")  # a tree of one's own while others build
STATUS = ["done", "encrypted", "damaged", "size", "time", "memory", "failed"]
REQUEST, REPLY = struct.Struct("8sQQ"), struct.Struct("IHHQ")
ASAN = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}  # of a build with sanitizers
PATIENCE = 60
TEXT = "見積書 株式会社山田商事 御中 ㈱①髙橋"


def program(testing: bool = False) -> Path:
    build = "build/testing" if testing else "build"
    if BUILD == "build":
        build_once(build)
        return REPO / build / "bin/seki-convert"
    return REPO / (BUILD + "/testing" if testing else BUILD) / "bin/seki-convert"


class Answer:
    def __init__(self, status: str, text: bytes = b"", truncated: bool = False, flawed: bool = False) -> None:
        self.status, self.text, self.truncated, self.flawed = status, text, truncated, flawed

    def __repr__(self) -> str:
        return f"{self.status}<{len(self.text)} bytes{' truncated' * self.truncated}{' flawed' * self.flawed}>"


class Employer:
    """Whoever asks, at the end of a socket."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.socket.settimeout(PATIENCE)
        self.last_fd = -1

    def __enter__(self) -> "Employer":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, content: bytes | int, tool: str = "pdf", offset: int = 0, size: int | None = None) -> None:
        if isinstance(content, bytes):
            fd = os.memfd_create("content")
            with os.fdopen(fd, "wb", closefd=False) as file:
                file.write(content)
            size = len(content) - offset if size is None else size
        else:
            fd = os.dup(content)
        self.socket.sendmsg([REQUEST.pack(tool.encode(), offset, size or 0)],
                            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
        os.close(fd)

    def hear(self) -> Answer:
        said, rights, _, _ = self.socket.recvmsg(REPLY.size, socket.CMSG_SPACE(4))
        if not said:
            return Answer("gone")
        status, truncated, flawed, size = REPLY.unpack(said)
        fds = array.array("i")
        for _, _, data in rights:
            fds.frombytes(data)
        assert (STATUS[status] == "done") == (len(fds) == 1)
        text = b""
        if fds:
            text = os.pread(fds[0], size + 1, 0)
            assert len(text) == size
            with pytest.raises(PermissionError):
                os.pwrite(fds[0], b"x", 0)  # nobody changes it under the reader
            os.close(fds[0])
        return Answer(STATUS[status], text, bool(truncated), bool(flawed))

    def convert(self, content: bytes | int, **how: object) -> Answer:
        self.ask(content, **how)
        return self.hear()


class Private:
    """seki-convert -s, for one employer."""

    def __init__(self, tool: Path | None = None, **settings: object) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="sekisho-convert-", dir="/var/tmp"))
        self.tool, self.settings = tool, settings

    def __enter__(self) -> Employer:
        if self.settings:
            (self.root / "etc").mkdir()
            (self.root / "etc/settings").write_text("trial yes\n" + "".join(
                f"{name.replace('_', '-')} {value}\n" for name, value in self.settings.items()))
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        env = {"PATH": "/usr/bin:/bin", "SECRET": "in the environment", **ASAN}
        if self.tool:
            env["SEKISHO_CONVERT_TOOL"] = str(self.tool)
        with open(self.root / "log", "ab") as log:
            self.process = subprocess.Popen(
                as_3(theirs.fileno(), "<", str(program(testing=self.tool is not None)), "-s"), cwd=self.root, env=env,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(theirs.fileno(),))
        theirs.close()
        self.employer = Employer(ours)
        return self.employer

    def __exit__(self, *_: object) -> None:
        self.employer.socket.close()
        try:
            self.process.wait(20)
        finally:
            self.process.kill()
            self.process.wait()
            self.said = (self.root / "log").read_text()
            shutil.rmtree(self.root)


class Service:
    """seki-convert as its service runs it, in the least of an instance."""

    def __init__(self, script: bool = False, tool: Path | None = None, **settings: object) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="sekisho-convert-", dir="/var/tmp"))
        os.chmod(self.root, 0o711)
        for name in ("etc", "run", "run/convert", "run/taken"):
            (self.root / name).mkdir()
        (self.root / "run/taken/seki-convert").touch()
        self.socket = self.root / "run/convert/socket"
        self.settings(**settings)
        self.words, self.place, self.env = [str(program(tool is not None))], self.root, {}
        if tool:
            self.env["SEKISHO_CONVERT_TOOL"] = str(tool)
        if script:
            self.words, self.place = ["./run"], self.root / "service/seki-convert"
            shutil.copytree(REPO / "services/seki-convert", self.place)
            (self.root / "bin").mkdir()
            shutil.copy(program(), self.root / "bin/seki-convert")
            shutil.chown(self.root / "run/convert", "sekiy", "seki")
            (self.root / "run/convert").chmod(0o710)
            shutil.chown(self.root / "run/taken/seki-convert", "sekiy", "sekiy")

    def settings(self, **values: object) -> None:
        text = "".join(f"{name.replace('_', '-')} {value}\n" for name, value in values.items())
        (self.root / "etc/settings").write_text("trial yes\n" + text)

    def __enter__(self) -> "Service":
        return self.start()

    def start(self) -> "Service":
        read, write = os.pipe()
        with open(self.root / "log", "ab") as log:
            self.process = subprocess.Popen(
                as_3(write, ">", *self.words), cwd=self.place, env={"PATH": "/usr/bin:/bin", **ASAN, **self.env},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(write,))
        os.close(write)
        ready, _, _ = select.select([read], [], [], 30)
        said = os.read(read, 1) if ready else b""
        os.close(read)
        assert said == b"\n", self.log()
        return self

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(20)

    def __exit__(self, *_: object) -> None:
        try:
            self.process.kill()
            self.process.wait()
        finally:
            shutil.rmtree(self.root)

    def employer(self) -> Employer:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.connect(str(self.socket))
        return Employer(connection)

    def log(self) -> str:
        return (self.root / "log").read_text()


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(word) for word in (task / "children").read_text().split()]
    return found


def gone(pid: int) -> bool:
    """Ended; somebody may still have to ask for its status."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


# ---- files ----


@pytest.fixture(scope="module")
def folder() -> Path:
    with tempfile.TemporaryDirectory(prefix="sekisho-convert-", dir="/var/tmp") as name:
        os.chmod(name, 0o755)
        yield Path(name)


def make_pdf(path: Path, lines: list[str], pages: int = 1) -> bytes:
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiMin-W3"))
    page = canvas.Canvas(str(path))
    for _ in range(pages):
        page.setFont("HeiseiMin-W3", 12)
        for number, line in enumerate(lines):
            page.drawString(50, 780 - 14 * number, line)
        page.showPage()
    page.save()
    return path.read_bytes()


@pytest.fixture(scope="module")
def pdf(folder: Path) -> bytes:
    return make_pdf(folder / "plain.pdf", [TEXT])


def locked(folder: Path, user: str, *more: str) -> bytes:
    out = folder / "locked.pdf"
    subprocess.run(["qpdf", "--encrypt", user, "owner", "256", *more, "--", str(folder / "plain.pdf"), str(out)],
                   check=True, timeout=60)
    return out.read_bytes()


PROBE = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void try_open(const char *path, int how)
{
	int fd = open(path, how, 0600);
	printf("%s %s\n", path, fd >= 0 ? "OPENED" : "denied");
}

static void told(const char *what, long result)
{
	printf("%s %s\n", what, result >= 0 ? "ALLOWED" : "denied");
}

extern char **environ;

int main(void)
{
	char order[4096] = "", *arg;
	ssize_t n = read(0, order, sizeof order - 1);
	struct rlimit limit;

	if (n < 0)
		return 9;
	arg = strchr(order, ' ');
	if (arg)
		*arg++ = 0;
	if (!strcmp(order, "probe")) {
		char *words[] = {"x", NULL};
		try_open("/etc/passwd", O_RDONLY);
		try_open("/etc/hostname", O_RDONLY);
		try_open("/proc/self/status", O_RDONLY);
		try_open("/dev/null", O_RDWR);
		try_open("/tmp", O_TMPFILE | O_RDWR);
		try_open("/tmp/sekisho-probe", O_CREAT | O_WRONLY);
		try_open("/usr/lib/sekisho-probe", O_CREAT | O_WRONLY);
		try_open(arg, O_RDONLY);
		told("socket", socket(AF_INET, SOCK_STREAM, 0));
		told("unix", socket(AF_UNIX, SOCK_STREAM, 0));
		told("pair", socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){0}));
		told("fork", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
		told("vfork", syscall(SYS_clone3, &(long[11]){0}, 88));
		told("exec", execve("/bin/sh", words, environ));
		told("exec-tool", syscall(SYS_execveat, 3, "", words, environ, AT_EMPTY_PATH));
		told("kill", kill(getppid(), 0));
		told("ptrace", ptrace(PTRACE_TRACEME, 0, 0, 0));
		told("unlink", unlink("/tmp/nothing") < 0 && errno == ENOENT ? 0 : -1);
		told("change-input", pwrite(0, "x", 1, 0));
		for (int fd = 3; fd < 64; fd++)
			if (fcntl(fd, F_GETFD) >= 0 && printf("fd %d OPEN\n", fd) < 0)
				return 9;
		for (char **e = environ; *e; e++)
			printf("env %s\n", *e);
		getrlimit(RLIMIT_CORE, &limit);
		printf("core %ld\n", (long)limit.rlim_max);
		limit = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
		told("more-memory", setrlimit(RLIMIT_AS, &limit) == 0 && getuid() != 0 ? 0 : -1);
		printf("end\n");
	} else if (!strcmp(order, "hang")) {
		printf("begun\n");
		fflush(stdout);
		for (;;)
			usleep(100000);
	} else if (!strcmp(order, "spin")) {
		for (volatile unsigned long i = 0;; i++)
			;
	} else if (!strcmp(order, "write")) {
		static char a[65536];
		memset(a, 'a', sizeof a);
		for (;;)
			if (write(1, a, sizeof a) < 0)
				return 0;
	} else if (!strcmp(order, "babble")) {
		static char a[65536];
		memset(a, 'a', sizeof a);
		for (int i = 0; i < 1000; i++)
			if (write(2, a, sizeof a) < 0)
				return 9;
		fputs("Incorrect pass", stderr);
		fflush(stderr);
		usleep(50000);
		fputs("word\n", stderr);
		return 1;
	} else if (!strcmp(order, "eat")) {
		for (;;) {
			char *p = malloc(1 << 20);
			if (!p) {
				fputs("Out of memory\n", stderr);
				return 1;
			}
			memset(p, 1, 1 << 20);
		}
	} else if (!strcmp(order, "crash")) {
		raise(SIGSEGV);
		*(volatile int *)0 = 0;
	} else if (!strcmp(order, "exit")) {
		return atoi(arg);
	} else {
		printf("said %s\n", order);
	}
	return 0;
}
"""


@pytest.fixture(scope="module")
def probe(folder: Path) -> Path:
    """A program in the tool's place that does as its input says."""
    (folder / "probe.c").write_text(PROBE)
    subprocess.run(["gcc", "-w", "-O1", "-o", str(folder / "probe"), str(folder / "probe.c")], check=True, timeout=60)
    return folder / "probe"


# ---- what it converts ----


def test_t1_a_japanese_pdf_without_fonts_gives_its_text(pdf: bytes) -> None:
    with Private() as employer:
        answer = employer.convert(pdf)
        assert (answer.status, answer.truncated, answer.flawed) == ("done", False, False)
        assert answer.text.decode().split("\n")[0] == TEXT


def test_a_stretch_of_a_file_and_one_after_another(pdf: bytes) -> None:
    with Private() as employer:
        for before in (0, 1, 65537):
            answer = employer.convert(b"\x00" * before + pdf + b"junk" * 5000, offset=before, size=len(pdf))
            assert answer.text.decode().split("\n")[0] == TEXT


def test_t2_s1_30_a_pdf_with_a_password_is_told_from_a_broken_one(folder: Path, pdf: bytes) -> None:
    with Private() as employer:
        assert employer.convert(locked(folder, "open sesame")).status == "encrypted"
        assert employer.convert(b"%PDF-1.4\nbroken").status == "damaged"
        assert employer.convert(b"").status == "damaged"
        assert employer.convert(os.urandom(10000)).status == "damaged"


def test_s1_30_a_pdf_that_everybody_can_open_is_read(folder: Path, pdf: bytes) -> None:
    """A password of the owner alone forbids copying, in words; whoever receives the mail reads it, and so do we."""
    with Private() as employer:
        answer = employer.convert(locked(folder, "", "--extract=n", "--print=none"))
        assert answer.status == "done" and TEXT in answer.text.decode()


def test_half_a_pdf_is_told(pdf: bytes) -> None:
    with Private() as employer:
        for part in (len(pdf) // 4, len(pdf) // 2, len(pdf) - 200):
            answer = employer.convert(pdf[:part])
            assert answer.status == "damaged" or answer.flawed, (part, answer)


def test_a_file_of_100_mb_is_told_and_not_copied(folder: Path) -> None:
    with open(folder / "large", "wb+") as file, Private() as employer:
        file.truncate(100 << 20)
        begun = time.monotonic()
        assert employer.convert(file.fileno(), size=100 << 20).status == "size"
        assert time.monotonic() - begun < 1
        assert employer.convert(file.fileno(), size=64 << 20).status == "damaged"


def test_a_file_shorter_than_its_size_fails(pdf: bytes) -> None:
    private = Private()
    with private as employer:
        assert employer.convert(pdf, size=len(pdf) + 1).status == "failed"
        assert employer.convert(pdf, size=1 << 61).status == "size"
        assert employer.convert(pdf).status == "done"
    assert "event=conversion-unread" in private.said


def test_a_long_text_is_cut_and_that_is_told(folder: Path) -> None:
    content = make_pdf(folder / "long.pdf", [TEXT] * 50, pages=100)
    with Private(convert_text="64KB") as employer:
        answer = employer.convert(content)
        assert answer.status == "done" and answer.truncated and len(answer.text) == 65536
        assert TEXT in answer.text.decode(errors="ignore")


def test_a_pdf_that_never_ends_is_cut_off_in_time() -> None:
    """M5 in a PDF: forms that call forms, ten times each."""
    objects = ["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
               "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>"]
    def stream(text: str, more: str = "") -> str:
        return f"<<{more}/Length {len(text)}>>\nstream\n{text}\nendstream"
    objects.append(stream("/X Do\n" * 10))
    for number in range(5, 15):
        objects.append(stream("/X Do\n" * 10, "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<<"
                              f"/X {number + 1} 0 R>>>>"))
    objects.append(stream("BT ET", "/Type/XObject/Subtype/Form/BBox[0 0 9 9]"))
    content = "%PDF-1.4\n" + "".join(f"{n} 0 obj\n{o}\nendobj\n" for n, o in enumerate(objects, 1))
    content += f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\n%%EOF\n"
    with Private(convert_time="2s") as employer:
        begun = time.monotonic()
        answer = employer.convert(content.encode())
        assert answer.status == "time", answer
        assert time.monotonic() - begun < 5


# ---- the sandbox ----


def test_a_tool_can_do_nothing_but_read_its_file_and_write_text(folder: Path, probe: Path) -> None:
    """A converter taken over by a stranger's file opens no file, socket or process and finds no descriptor."""
    secret = folder / "secret"
    secret.write_text("x")
    secret.chmod(0o644)
    with Private(tool=probe) as employer:
        answer = employer.convert(f"probe {secret}".encode())
        lines = answer.text.decode().splitlines()
        assert answer.status == "done" and lines[-1] == "end"
        assert [line for line in lines if line.split()[-1] in ("OPENED", "ALLOWED", "OPEN")] == []
        assert len([line for line in lines if line.endswith(" denied")]) == 20
        assert [line for line in lines if line.startswith("env")] == ["env LC_ALL=C.UTF-8"]
        assert "core 0" in lines
    assert not Path("/tmp/sekisho-probe").exists()


def test_a_tool_that_hangs_is_killed(probe: Path) -> None:
    private = Private(tool=probe, convert_time="1s")
    with private as employer:
        for order in (b"hang", b"spin"):
            begun = time.monotonic()
            assert employer.convert(order).status == "time"
            assert time.monotonic() - begun < 4
        assert employer.convert(b"hello").text == b"said hello\n"
    assert private.said.count("event=conversion-failed tool=pdf status=time") == 2


def test_a_tool_that_dies_or_lies_is_told(probe: Path) -> None:
    private = Private(tool=probe)
    with private as employer:
        assert employer.convert(b"crash").status == "failed"
        assert employer.convert(b"exit 1").status == "damaged"
        assert employer.convert(b"exit 127").status == "failed"
        assert employer.convert(b"hello").text == b"said hello\n"
    assert "status=failed code=-1 signal=11" in private.said


def test_memory_is_bounded(probe: Path) -> None:
    with Private(tool=probe, convert_memory="64MB") as employer:
        assert employer.convert(b"eat").status == "memory"
        assert employer.convert(b"hello").status == "done"


def test_output_is_bounded(probe: Path) -> None:
    with Private(tool=probe, convert_text="1MB") as employer:
        answer = employer.convert(b"write")
        assert answer.status == "done" and answer.truncated and len(answer.text) == 1 << 20


def test_t2_what_a_tool_says_is_read_to_its_end_and_kept_nowhere(probe: Path) -> None:
    private = Private(tool=probe)
    with private as employer:
        assert employer.convert(b"babble").status == "encrypted"
    assert "aaaa" not in private.said


def test_a_tool_that_is_not_there(folder: Path) -> None:
    with Private(tool=folder / "nothing") as employer:
        assert employer.convert(b"x").status == "failed"
        assert employer.convert(b"x", tool="other").status == "failed"


# ---- employers ----


@pytest.mark.parametrize("said", [b"x" * 5, b"\xff" * REQUEST.size, REQUEST.pack(b"pdf", 0, 10), b"y" * 1000])
def test_an_employer_that_lies_is_left(said: bytes) -> None:
    private = Private()
    with private as employer:
        employer.socket.send(said)
        assert employer.hear().status == "gone"
    assert private.process.returncode == 101
    assert "event=convert-protocol alarm=yes" in private.said


def test_what_is_no_file_is_refused() -> None:
    private = Private()
    read, write = os.pipe()
    with private as employer:
        employer.ask(read, size=10)
        assert employer.hear().status == "gone"
    os.close(read)
    os.close(write)
    assert private.process.returncode == 101


def test_a_tool_ends_with_its_employer(probe: Path) -> None:
    with Service(tool=probe, convert_time="60s") as service:
        employer = service.employer()
        employer.ask(b"hang")
        session = wait_for(lambda: children(service.process.pid))[0]
        tool = wait_for(lambda: children(session))[0]
        employer.socket.close()
        wait_for(lambda: gone(tool) and not children(service.process.pid), 10)


def test_a_tool_ends_with_its_process(probe: Path) -> None:
    with Service(tool=probe, convert_time="60s") as service, service.employer() as employer:
        employer.ask(b"hang")
        session = wait_for(lambda: children(service.process.pid))[0]
        tool = wait_for(lambda: children(session))[0]
        os.kill(session, signal.SIGKILL)
        assert employer.hear().status == "gone"
        wait_for(lambda: gone(tool), 10)
        with service.employer() as other:
            assert other.convert(b"hello").text == b"said hello\n"


# ---- the service ----


def test_two_at_once_and_no_more(probe: Path) -> None:
    """A third waits for its turn and is not turned away."""
    with Service(tool=probe, converters=2, convert_time="60s") as service, contextlib.ExitStack() as stack:
        employers = [stack.enter_context(service.employer()) for _ in range(3)]
        tools: list[int] = []
        for number in (0, 1):
            employers[number].ask(b"hang")

        def running() -> list[int]:
            return [tool for session in children(service.process.pid) for tool in children(session)]
        tools = wait_for(lambda: running() if len(running()) == 2 else None)
        employers[2].ask(b"hello")
        ready, _, _ = select.select([employers[2].socket], [], [], 0.5)
        assert not ready and sorted(running()) == sorted(tools)
        for tool in tools:
            os.kill(tool, signal.SIGKILL)
        assert employers[2].hear().text == b"said hello\n"
        assert [employer.hear().status for employer in employers[:2]] == ["memory", "memory"]


def test_many_at_once(pdf: bytes) -> None:
    with Service(converters=2) as service:
        said: list[Answer] = []

        def one() -> None:
            with service.employer() as employer:
                for _ in range(3):
                    said.append(employer.convert(pdf))
        threads = [threading.Thread(target=one) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(said) == 18 and all(TEXT in answer.text.decode() for answer in said)
        assert service.log() == ""


def test_s4_it_is_started_again_while_one_converts(probe: Path) -> None:
    """S4: who converts goes on, who comes then is served."""
    with Service(tool=probe, convert_time="60s") as service, service.employer() as employer:
        employer.ask(b"hang")
        session = wait_for(lambda: children(service.process.pid))[0]
        tool = wait_for(lambda: children(session))[0]
        assert service.stop() == 0
        service.start()
        with service.employer() as other:
            assert other.convert(b"hello").text == b"said hello\n"
        os.kill(tool, signal.SIGKILL)
        assert employer.hear().status == "memory"


def test_new_settings_are_taken(pdf: bytes) -> None:
    with Service() as service:
        service.settings(convert_size="64KB")
        service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "event=reloaded" in service.log())
        wait_for(lambda: (service.root / "run/taken/seki-convert").read_text() == "taken -\n")
        with service.employer() as employer:
            assert employer.convert(pdf + b"\n" * 70000).status == "size"
        (service.root / "etc/settings").write_text("convert-size 1\n")
        service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "event=reload-refused alarm=yes" in service.log())
        with service.employer() as employer:
            assert employer.convert(pdf).status == "done"


def test_t1_a_tool_that_cannot_read_japanese_is_an_alarm(probe: Path) -> None:
    with Service(tool=probe) as service:
        assert "event=converter-unfit alarm=yes tool=pdf status=done" in service.log()
    with Service() as service:
        assert service.log() == ""


def test_wrong_words_and_wrong_settings() -> None:
    done = subprocess.run([str(program()), "-x"], capture_output=True, timeout=20)
    assert done.returncode == 100 and b"event=usage" in done.stderr
    done = subprocess.run([str(program()), "-s"], capture_output=True, timeout=20, close_fds=True)
    assert done.returncode == 100
    with tempfile.TemporaryDirectory(dir="/var/tmp") as empty:
        done = subprocess.run([str(program())], capture_output=True, timeout=20, cwd=empty)
    assert done.returncode == 102


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_as_its_own_user_by_the_script_of_its_service(pdf: bytes) -> None:
    try:
        user = pwd.getpwnam("sekiy")
    except KeyError:
        pytest.skip("the user sekiy is missing (services/setup makes it)")
    with Service(script=True) as service:
        assert Path(f"/proc/{service.process.pid}").stat().st_uid == user.pw_uid
        with service.employer() as employer:
            assert TEXT in employer.convert(pdf).text.decode()
        assert service.socket.stat().st_uid == user.pw_uid
