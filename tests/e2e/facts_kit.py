"""What the tests of the inspector share: messages written byte by byte, "seki facts" as a user runs it, and
seki-inspect(8) spoken to by its own protocol (lib/inspect/protocol.h). No tests here."""
import array
import base64
import contextlib
import io
import json
import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

import conftest
from conftest import REPO, build_once, clean_env, wait_for
from test_auth_kit import as_3

BUILD = os.environ.get("SEKI_FACTS_BUILD", "build")  # a tree of one's own while others build
PATIENCE = 60
Fact = tuple[str, dict[str, str]]


def tree() -> Path:
    """The directory of the build: its programs are in bin/."""
    if BUILD != "build":
        conftest._built.add(BUILD)
    build_once(BUILD)
    return REPO / BUILD


def program(name: str) -> Path:
    return tree() / "bin" / name


# ---- messages ----------------------------------------------------------------------------------

HEAD = "From: alice@example.co.jp\r\nTo: bob@partner.example\r\n"


def wrapped(content: bytes) -> str:
    return base64.encodebytes(content).decode().replace("\n", "\r\n")


def text(body: str, kind: str = "text/plain", charset: str = "utf-8") -> str:
    return f"Content-Type: {kind}; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n"


def attached(content: bytes, name: str | None = "a.bin", kind: str = "application/octet-stream", **fields: str) -> str:
    """A part with a file; NAME=VALUE are further fields, Content_ID for Content-ID."""
    named = "" if name is None else f'; filename*=UTF-8\'\'{"".join(f"%{b:02X}" for b in name.encode())}'
    more = "".join(f"{key.replace('_', '-')}: {value}\r\n" for key, value in fields.items())
    return (f"Content-Type: {kind}\r\nContent-Disposition: attachment{named}\r\n{more}"
            f"Content-Transfer-Encoding: base64\r\n\r\n{wrapped(content)}")


def multipart(*parts: str, kind: str = "mixed", boundary: str = "b0") -> str:
    inside = "".join(f"--{boundary}\r\n{part.removesuffix(chr(13) + chr(10))}\r\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n{inside}--{boundary}--\r\n'


def word(of: str) -> str:
    """An encoded word (RFC 2047)."""
    return f"=?UTF-8?B?{base64.b64encode(of.encode()).decode()}?="


def mail(*parts: str, head: str = HEAD, subject: str = "test") -> bytes:
    """A message with these parts; with one that part is the message."""
    about = subject if subject.isascii() else word(subject)
    start = f"{head}Subject: {about}\r\nMIME-Version: 1.0\r\n"
    return (start + (parts[0] if len(parts) == 1 else multipart(*parts))).encode()


def with_file(content: bytes, name: str = "a.bin", **more: str) -> bytes:
    return mail(text("here it is"), attached(content, name, **more))


# ---- files -------------------------------------------------------------------------------------


def zipped(members: dict[str, bytes], level: int = 6) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return out.getvalue()


def zipped_deep(levels: int, inner: bytes = b"the innermost\n", name: str = "a.txt") -> bytes:
    """An archive in an archive in an archive ..."""
    content, called = inner, name
    for level in range(levels):
        content, called = zipped({called: content}), f"{level}.zip"
    return content


def sealed_zip(name: str = "a.txt", content: bytes = b"secret text\n") -> bytes:
    """A ZIP whose member says that it is encrypted: bit 0 of its flags (APPNOTE 4.4.4)."""
    raw = bytearray(zipped({name: content}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + at] |= 1
    return bytes(raw)


def overlapping_bomb(members: int = 500, each: int = 50_000_000) -> bytes:
    """Every member of the directory is the same stretch of the file: small, and gigabytes when unpacked."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = squeeze.compress(bytes(each)) + squeeze.flush()
    crc, name = zlib.crc32(bytes(each)), b"a"
    local = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 8, 0, 0x21, crc, len(packed), each, len(name), 0) + name
    entry = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 8, 0, 0x21, crc, len(packed), each, len(name),
                        0, 0, 0, 0, 0, 0) + name
    body, directory = local + packed, entry * members
    return body + directory + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, members, members, len(directory),
                                          len(body), 0)


def pdf(line: str = "見積書 田中様", pages: int = 1) -> bytes:
    with contextlib.suppress(KeyError):
        pdfmetrics.registerFont(UnicodeCIDFont("HeiseiMin-W3"))
    out = io.BytesIO()
    page = canvas.Canvas(out)
    for _ in range(pages):
        page.setFont("HeiseiMin-W3", 12)
        page.drawString(72, 720, line)
        page.showPage()
    page.save()
    return out.getvalue()


# ---- facts -------------------------------------------------------------------------------------


def from_xtext(value: str) -> str:
    """Values are xtext (RFC 3461 section 4) over UTF-8; "seki facts" leaves letters beyond ASCII as they are."""
    raw = re.sub(rb"\+([0-9A-F]{2})", lambda m: bytes((int(m.group(1), 16),)), value.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")


def to_xtext(value: str) -> str:
    return "".join(chr(b) if 0x21 <= b <= 0x7e and b not in b'+="' else f"+{b:02X}" for b in value.encode())


def read_fact(line: str) -> Fact:
    name, *fields = line.split(" ")
    return name, {key: from_xtext(value) for key, _, value in (f.partition("=") for f in fields)}


class Facts(list):
    """Facts of one message."""

    def all(self, name: str, /, **want: str) -> list[dict[str, str]]:
        """Those of this word that have these fields (as_named for as-named)."""
        want = {key.replace("_", "-"): value for key, value in want.items()}
        return [fields for said, fields in self if said == name and want.items() <= fields.items()]

    def one(self, name: str, /, **want: str) -> dict[str, str]:
        found = self.all(name, **want)
        assert len(found) == 1, f"{len(found)} of {name} {want} in:\n{self}"
        return found[0]

    def reasons(self) -> set[str]:
        return {fields["reason"] for fields in self.all("uninspectable")}

    def total(self, kind: str, place: str | None = None) -> int:
        """Distinct values of a kind (in a place): the lines that have it are added, as the manual says."""
        return sum(int(f["count"]) for f in self.all("pii", kind=kind) if place is None or place in f["places"].split(","))

    def values(self, kind: str) -> list[str]:
        return [f["value"] for f in self.all("pii-value", kind=kind)]

    def __str__(self) -> str:
        return "\n".join(f"{name} {fields}" for name, fields in self)


class Told:
    """What one call of "seki facts" said."""

    def __init__(self, done: subprocess.CompletedProcess) -> None:
        self.code, self.raw = done.returncode, done.stdout
        self.err = done.stderr.decode(errors="replace")

    @property
    def text(self) -> str:
        return self.raw.decode("utf-8", "surrogateescape")

    @property
    def facts(self) -> Facts:
        assert self.code == 0, f"exit {self.code}: {self.err}{self.text}"
        return Facts(read_fact(line) for line in self.text.split("\n") if line)

    @property
    def objects(self) -> list[dict]:
        return [json.loads(line) for line in self.text.split("\n") if line]


class Desk:
    """A user's directory with messages, and an instance's etc/ beside it (none unless something is in it)."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sekisho-facts-", dir="/var/tmp"))
        os.chmod(self.folder, 0o755)
        self.root = self.folder / "instance"
        self.root.mkdir()
        self.files = 0

    def etc(self, name: str, content: str) -> None:
        path = self.root / "etc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def settings(self, **values: object) -> None:
        self.etc("settings", "trial yes\n" + "".join(f"{n.replace('_', '-')} {v}\n" for n, v in values.items()))

    def write(self, content: bytes) -> Path:
        self.files += 1
        path = self.folder / f"{self.files}.eml"
        path.write_bytes(content)
        return path

    def environment(self) -> dict[str, str]:
        return clean_env(SEKISHO_ROOT=str(self.root), LC_ALL="C.UTF-8")

    def run(self, *args: object, timeout: float = PATIENCE, tool: Path | None = None, **more: object) -> Told:
        words = [str(tool or program("seki")), "facts", *map(str, args)]
        more.setdefault("env", self.environment())
        more.setdefault("cwd", self.folder)
        return Told(subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, **more))

    def tell(self, content: bytes, *args: object, **more: object) -> Facts:
        return self.run(*args, self.write(content), **more).facts


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    subprocess.run(["rm", "-rf", str(made.folder)], check=False)


# ---- processes ---------------------------------------------------------------------------------


def parent_of(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
    return -1


def children(pid: int) -> list[int]:
    """The processes that this one has made and that run."""
    return [int(p.name) for p in Path("/proc").iterdir()
            if p.name.isdigit() and parent_of(int(p.name)) == pid and state_of(int(p.name)) != "Z"]


def state_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[0]
    return "gone"


def program_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def limits_of(pid: int) -> dict[str, str]:
    """Its soft limits, by the names that the kernel gives them."""
    return {line[:25].strip(): line[26:46].strip() for line in Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]}


def private_bytes(pid: int) -> int:
    """Memory of its own: the Private_ lines of its maps. What is shared with others, and files, are not."""
    sizes = re.findall(r"^Private_\w+:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), flags=re.M)
    return sum(map(int, sizes)) * 1024


# ---- seki-inspect, by its protocol -------------------------------------------------------------

EVERYTHING = "".join(f"want {w}\n" for w in ("addresses", "files", "inside", "promise")) + "".join(
    f"pii {k}\n" for k in ("card", "mynumber", "corporate", "phone", "address", "mail"))


def scratch(content: bytes = b"") -> int:
    """A file without a name."""
    fd = os.open("/var/tmp", os.O_TMPFILE | os.O_RDWR, 0o600)
    for at in range(0, len(content), 1 << 20):
        os.pwrite(fd, content[at:at + (1 << 20)], at)
    return fd


def only_reading(fd: int) -> int:
    return os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)


class Employer:
    """Whoever has messages inspected, at the end of a socket of packets. What is said of the message in hand comes over
    a socket of its own, `talk`."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.socket.settimeout(PATIENCE)
        self.talk: socket.socket | None = None

    def put(self, kind: str, lines: str = "", *fds: int, to: socket.socket | None = None) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        (to or self.socket).sendmsg([kind.encode() + lines.encode()], rights)

    def get(self, of: socket.socket | None = None) -> tuple[str, str]:
        """The next packet; ("", "") when the other end has gone. What it said before it went is heard, although the
        kernel first says that it did not read all that was sent to it."""
        try:
            data = (of or self.socket).recv(65536)
        except ConnectionResetError:
            data = (of or self.socket).recv(65536)
        return data[:1].decode(), data[1:].decode("utf-8", "replace")

    def ask(self, lines: str = EVERYTHING) -> "Employer":
        self.put("A", lines + "go\n")
        return self

    def begin(self, content: bytes | int, size: int | None = None, lines: str = "", offset: int = 0) -> None:
        """Hands a message over."""
        fd = scratch(content) if isinstance(content, bytes) else content
        size = len(content) if size is None and isinstance(content, bytes) else size
        if self.talk is not None:
            self.talk.close()
        self.talk, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.talk.settimeout(PATIENCE)
        reading, part, unpacked = only_reading(fd), scratch(), scratch()
        self.put("M", f"content {offset} {size}\n{lines}", reading, part, unpacked, theirs.fileno())
        theirs.close()
        for each in (reading, part, unpacked, *([fd] if isinstance(content, bytes) else [])):
            os.close(each)

    def answer(self, text: str) -> None:
        """What became of a conversion."""
        self.put("C", text, to=self.talk)

    def hear(self, until: str = "") -> Facts | None:
        """The facts up to a packet of this type, or to their end; then why they end too soon is one of them, as an
        employer tells it. None if the connection goes first. Conversions are refused."""
        found = Facts()
        while True:
            kind, lines = self.get(self.talk)
            if kind == "F":
                found += [read_fact(line) for line in lines.split("\n") if line]
            elif kind == until and kind != "":
                return found
            elif kind == "X":
                self.answer("converter")
            elif kind == "":
                break
        kind, reason = self.get()
        if kind == "":
            return None
        assert kind == "E", (kind, reason)
        return Facts([*found, *([("uninspectable", {"part": "0", "reason": reason})] if reason else [])])

    def inspect(self, content: bytes | int, size: int | None = None, lines: str = "") -> Facts:
        self.begin(content, size, lines)
        found = self.hear()
        assert found is not None, "it has gone"
        return found


class Private:
    """seki-inspect -s; `process` is that of the connection."""

    def __init__(self, **settings: object) -> None:
        self.desk = Desk()
        if settings:
            self.desk.settings(**settings)

    def __enter__(self) -> "Private":
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with open(self.desk.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                as_3(theirs.fileno(), "<", str(program("seki-inspect")), "-s"), cwd=self.desk.root,
                env={"PATH": "/usr/bin:/bin"}, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, pass_fds=(theirs.fileno(),))
        theirs.close()
        self.employer = Employer(ours)
        return self

    def __exit__(self, *_: object) -> None:
        self.employer.socket.close()
        for pid in [*children(self.process.pid), self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        subprocess.run(["rm", "-rf", str(self.desk.folder)], check=False)

    def log(self) -> str:
        return (self.desk.folder / "log").read_text()

    def message_process(self) -> int:
        """The process that opens the message in hand."""
        found = wait_for(lambda: children(self.process.pid), why="a process for the message")
        assert len(found) == 1
        return found[0]


class Service:
    """The service in a directory of its own: a process for each connection."""

    def __init__(self, **settings: object) -> None:
        self.desk = Desk()
        self.desk.settings(**settings)
        (self.desk.root / "run/inspect").mkdir(parents=True)
        (self.desk.root / "run/taken").mkdir(parents=True)
        (self.desk.root / "run/taken/seki-inspect").touch()

    def __enter__(self) -> "Service":
        with open(self.desk.folder / "log", "ab") as log:
            self.process = subprocess.Popen([str(program("seki-inspect"))], cwd=self.desk.root, stdin=subprocess.DEVNULL,
                                            env={"PATH": "/usr/bin:/bin"}, stdout=log, stderr=log)
        wait_for((self.desk.root / "run/inspect/socket").exists, why="its socket")
        return self

    def __exit__(self, *_: object) -> None:
        for pid in [*children(self.process.pid), self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        subprocess.run(["rm", "-rf", str(self.desk.folder)], check=False)

    def connect(self) -> Employer:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        made.connect(str(self.desk.root / "run/inspect/socket"))
        return Employer(made)

    def log(self) -> str:
        return (self.desk.folder / "log").read_text()


def in_time(seconds: float, what: Callable[[], object]) -> object:
    """What it gives, and it took no longer than that."""
    begin = time.monotonic()
    got = what()
    took = time.monotonic() - begin
    assert took < seconds, f"{took:.1f} s, and {seconds} s are promised"
    return got
