"""What the tests of seki-remote share: its employer, and servers that say exactly what a test wants. No tests here."""
import array
import hashlib
import os
import re
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from conftest import REPO, build_once, clean_env
from test_auth_kit import as_3

BUILD = os.environ.get("SEKI_REMOTE_BUILD", "build")  # a tree of one's own while others build
PATIENCE = 15
BODY = b"From: alice@example.co.jp\r\nTo: bob@partner.example\r\nSubject: n\r\n\r\n"


def program() -> Path:
    if BUILD == "build":
        build_once(BUILD)
    return REPO / BUILD / "bin/seki-remote"


def xtext(text: str | bytes) -> str:
    raw = text.encode() if isinstance(text, str) else text
    return "".join(chr(c) if 32 < c < 127 and chr(c) not in '"=+' else f"+{c:02X}" for c in raw)


def unxtext(text: str) -> bytes:
    return re.sub(rb"\+([0-9A-F]{2})", lambda m: bytes([int(m.group(1), 16)]), text.encode())


class Frame:
    """One frame of seki-remote: `kind`, its first word `word`, and its values."""

    def __init__(self, kind: str, text: str) -> None:
        self.kind, self.text = kind, text
        words = text.split(" ")
        self.word = next((w for w in words if "=" not in w), "")
        self.values = {k: unxtext(v).decode(errors="surrogateescape") for k, v in
                       (w.split("=", 1) for w in words if "=" in w)}

    def __getitem__(self, key: str) -> str:
        return self.values[key]

    def rcpts(self) -> list[int]:
        numbers: list[int] = []
        for part in self["rcpt"].split(","):
            a, _, b = part.partition("-")
            numbers += range(int(a), int(b or a) + 1)
        return numbers

    def __repr__(self) -> str:
        return f"{self.kind}<{self.text}>"


class Service:
    """seki-remote as its service runs it, in the least of an instance."""

    def __init__(self, script: bool = False, **settings: object) -> None:
        """`script`: as root, by the very script of services/, as the user that it takes."""
        self.root = Path(tempfile.mkdtemp(prefix="sekisho-remote-", dir="/var/tmp"))
        os.chmod(self.root, 0o711)
        for name in ("etc", "run", "run/remote", "run/taken"):
            (self.root / name).mkdir()
        (self.root / "run/taken/seki-remote").touch()
        self.socket = self.root / "run/remote/socket"
        self.settings(**settings)
        self.process: subprocess.Popen | None = None
        self.words, self.place = [str(program())], self.root
        if script:
            self.words, self.place = ["./run"], self.root / "service/seki-remote"
            shutil.copytree(REPO / "services/seki-remote", self.place)
            (self.root / "bin").mkdir()
            shutil.copy(program(), self.root / "bin/seki-remote")
            shutil.chown(self.root / "run/remote", "sekin", "seki")
            (self.root / "run/remote").chmod(0o710)
            shutil.chown(self.root / "run/taken/seki-remote", "sekin", "sekin")

    def __enter__(self) -> "Service":
        return self.start()

    def __exit__(self, *_: object) -> None:
        try:
            if self.process is not None:
                self.process.kill()  # sessions end with their employers
                self.process.wait()
        finally:
            shutil.rmtree(self.root)

    def settings(self, **values: object) -> None:
        """deliver_ip for deliver-ip; taken at the next start or reload."""
        text = "".join(f"{name.replace('_', '-')} {value}\n" for name, value in values.items())
        (self.root / "etc/settings").write_text("trial yes\n" + text)

    def start(self) -> "Service":
        read, write = os.pipe()
        with open(self.root / "log", "ab") as log:
            self.process = subprocess.Popen(
                as_3(write, ">", *self.words), cwd=self.place,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(write,))
        os.close(write)
        ready, _, _ = select.select([read], [], [], 20)
        said = os.read(read, 1) if ready else b""
        os.close(read)
        assert said == b"\n", self.log()
        return self

    def stop(self) -> int:
        """Its exit code. Sessions go on."""
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        self.process = None
        return code

    def reload(self, nonce: str) -> str:
        """SIGHUP; the answer to it."""
        (self.root / "run/reload").write_text(nonce + "\n")
        self.process.send_signal(signal.SIGHUP)
        taken = self.root / "run/taken/seki-remote"
        wait_until(lambda: f" {nonce}" in taken.read_text())
        return taken.read_text()

    def sessions(self) -> list[int]:
        """The processes that it has made, and that still run."""
        pid = self.process.pid
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def log(self) -> str:
        return (self.root / "log").read_text(errors="replace")


class Employer:
    """Orders a seki-remote about, as seki-deliver does: one that it starts for itself, or a session of `service`."""

    def __init__(self, service: "Service | None" = None) -> None:
        self.service = service
        self.process: subprocess.Popen | None = None
        if service is not None:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(PATIENCE)
            self.socket.connect(str(service.socket))
            return
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        mine.settimeout(PATIENCE)
        self.socket = mine
        self.file = tempfile.TemporaryFile(dir="/var/tmp")
        # Descriptor 3 is its end, and it has no other.
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", 'exec 3<&0 </dev/null "$0" -s', str(program())], stdin=its, stdout=subprocess.DEVNULL,
            stderr=self.file, env=clean_env(), close_fds=True)
        its.close()

    def __enter__(self) -> "Employer":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
        if self.process is None:
            return
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.file.close()

    def logged(self) -> str:
        if self.service is not None:
            return self.service.log()
        self.file.seek(0)
        return self.file.read().decode()

    def gone(self) -> bool:
        """Whether the other side has hung up; waits for it."""
        return self.socket.recv(1) == b""

    # ---- asking ----

    def put(self, kind: str, text: str | bytes = b"", fd: int | None = None) -> None:
        raw = text.encode() if isinstance(text, str) else text
        data = kind.encode() + struct.pack(">I", len(raw)) + raw
        rights = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        while data:
            data = data[self.socket.sendmsg([data], rights):]
            rights = []

    def order(self, *peers: "tuple[str, int] | Server", helo: "str | int" = "gw.example.co.jp", tls: str = "none", auth: str = "",
              name: str = "-", eightbit: str = "", **limits: int) -> None:
        if isinstance(helo, int):  # the limit, not the name
            limits["helo"], helo = helo, "gw.example.co.jp"
        lines = []
        for peer in peers:
            host, port = peer if isinstance(peer, tuple) else ("127.0.0.1", peer.port)
            lines.append(f"peer {host} {port} {name}")
        lines += [f"helo {helo}", f"tls {tls}"] + ([f"auth {auth} over=tls"] if auth else [])
        lines += [f"eightbit {eightbit}"] if eightbit else []
        lines += [f"limit {k} {v}" for k, v in limits.items()]
        self.put("O", "".join(line + "\n" for line in lines))

    def open(self, *peers: "tuple[str, int] | Server", **more) -> Frame:
        """The frame that says whether it is open: O, or E."""
        self.order(*peers, **more)
        self.attempts = []
        while True:
            frame = self.get()
            if frame.kind != "A":
                return frame
            self.attempts.append(frame)

    def say_message(self, content: bytes, to: Iterable[str] = ("bob@partner.example",),
                    sender: str = "alice@example.co.jp", params: str = "", sha256: str = "", size: int = -1,
                    before: bytes = b"head of a leg\n\n") -> None:
        with tempfile.TemporaryFile(dir="/var/tmp") as file:
            file.write(before + content + b"\n-- what follows is none of it\r\n.\r\n")
            file.flush()
            fd = os.open(f"/proc/self/fd/{file.fileno()}", os.O_RDONLY)
        lines = [f"content {len(before)} {len(content) if size < 0 else size} "
                 f"{sha256 or hashlib.sha256(content).hexdigest()}",
                 f"from {xtext(sender) if sender else '<>'}{' ' + params if params else ''}"]
        for address in to:
            address, _, rest = address.partition(" ")
            lines.append(f"to {xtext(address)}{' ' + rest if rest else ''}")
        try:
            self.put("S", "".join(line + "\n" for line in lines) + "client -\n", fd)
        finally:
            os.close(fd)

    def send(self, content: bytes = BODY + b"hello\r\n", **more) -> "dict[int, Frame]":
        """What became of each recipient, by number from 1."""
        self.say_message(content, **more)
        return self.results()

    def results(self) -> "dict[int, Frame]":
        results: dict[int, Frame] = {}
        while True:
            frame = self.get()
            if frame.kind == "D":
                self.done = frame
                return results
            assert frame.kind == "R", frame
            for n in frame.rcpts():
                assert n not in results, f"recipient {n} was told twice"
                results[n] = frame

    def one(self, content: bytes = BODY + b"hello\r\n", **more) -> Frame:
        results = self.send(content, **more)
        assert list(results) == [1]
        return results[1]

    def close(self) -> Frame:
        self.put("C")
        frame = self.get()
        assert frame.kind == "E" and frame.word == "delivered", frame
        if self.process is not None:
            assert self.process.wait(PATIENCE) == 0
        return frame

    # ---- hearing ----

    def _take(self, n: int) -> bytes:
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            code = self.process.wait(PATIENCE) if self.process is not None and not more else None
            assert more, f"seki-remote has gone: {code} {self.logged()}"
            data += more
        return data

    def get(self) -> Frame:
        kind, length = struct.unpack(">cI", self._take(5))
        text = self._take(length).decode("ascii")
        assert not re.search(r"[\x00-\x1f\x7f]", text), text
        return Frame(kind.decode(), text)


# ---- servers ----


class Line:
    """A server's side of a connection: raw bytes, and lines out of them."""

    def __init__(self, raw: socket.socket) -> None:
        self.raw = raw
        self.raw.settimeout(PATIENCE)
        self.input = bytearray()
        self.at = 0  # what is before it has been taken

    def say(self, data: bytes) -> None:
        self.raw.sendall(data)

    def more(self) -> bool:
        data = self.raw.recv(65536)
        del self.input[:self.at]
        self.at = 0
        self.input += data
        return bool(data)

    def until(self, end: bytes) -> bytes:
        """What comes, up to and with `end`."""
        while (found := self.input.find(end, self.at)) < 0:
            if not self.more():
                raise EOFError
        data = bytes(self.input[self.at:found + len(end)])
        self.at = found + len(end)
        return data

    def line(self) -> bytes:
        return self.until(b"\n")

    def rest(self) -> bytes:
        """What has come and was not taken."""
        return bytes(self.input[self.at:])

    def drain(self) -> bytes:
        """Everything up to the client's end."""
        try:
            while self.more():
                pass
        except OSError:
            pass
        return self.rest()


class Message:
    def __init__(self, mail: bytes, rcpts: list[bytes], raw: bytes) -> None:
        self.mail, self.rcpts, self.raw = mail, rcpts, raw
        assert re.search(rb"(?<!\r)\n|\r(?!\n)", raw) is None, "a CR or LF stands alone"
        lines = raw.split(b"\r\n")
        assert lines[-2:] == [b".", b""], "the end"
        assert b"." not in lines[:-2], "an end before the end"
        self.content = b"".join((ln[1:] if ln.startswith(b".") else ln) + b"\r\n" for ln in lines[:-2])


class Server:
    """A server on 127.0.0.1 (or another address), a thread a connection. Without `talk` it is a decent one whose
    replies can be changed: replies["RCPT"] is the reply, or a function of the line; None closes instead.
    """

    OFFERS = ("PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES")

    def __init__(self, talk: "Callable[[Line], None] | None" = None, offers: Iterable[str] = OFFERS,
                 tls: "ssl.SSLContext | None" = None, host: str = "127.0.0.1", port: int = 0, **replies) -> None:
        self.talk, self.offers, self.tls, self.replies = talk, list(offers), tls, replies
        self.commands: list[bytes] = []
        self.messages: list[Message] = []
        self.connections = 0
        self.partial: list[bytes] = []  # content whose dot did not come
        self.faults: list[BaseException] = []
        self.listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port = self.listener.getsockname()[1]
        self.threads: list[threading.Thread] = []
        self.live: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for raw in self.live:
            try:
                raw.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.wait()
        if kind is None and self.faults:
            raise self.faults[0]

    def wait(self) -> None:
        """Until every connection of so far has been served."""
        for thread in list(self.threads):
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self.live.append(raw)
            thread = threading.Thread(target=self._one, args=(raw,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _one(self, raw: socket.socket) -> None:
        line = Line(raw)
        try:
            if self.talk is not None:
                self.talk(line)
            else:
                self._serve(line)
        except (EOFError, ConnectionError, TimeoutError, ssl.SSLError, BrokenPipeError):
            pass
        except BaseException as fault:  # an assertion of the test: shown at the end
            self.faults.append(fault)
        finally:
            line.raw.close()
            raw.close()

    # ---- the decent one ----

    def _reply(self, line: Line, verb: str, command: bytes, otherwise: bytes) -> int:
        reply = self.replies.get(verb, otherwise)
        if callable(reply):
            reply = reply(command)
        if reply is None:
            raise EOFError
        if isinstance(reply, str):
            reply = reply.encode()
        line.say(reply if reply.endswith(b"\n") else reply + b"\r\n")
        return int(reply[:3]) if reply[:3].isdigit() else 0

    def _serve(self, line: Line) -> None:
        self._reply(line, "banner", b"", b"220 test ESMTP")
        mail: bytes = b""
        rcpts: list[bytes] = []
        secure = False
        while True:
            command = line.line()
            self.commands.append(command)
            assert command.endswith(b"\r\n"), command
            verb = command.split(b" ")[0].strip().decode().upper()
            if verb == "EHLO":
                offers = [o for o in self.offers if not (secure and o == "STARTTLS")]
                lines = ["test"] + offers
                text = "".join(f"250{'-' if i < len(lines) - 1 else ' '}{o}\r\n" for i, o in enumerate(lines))
                self._reply(line, verb, command, text.encode())
            elif verb == "STARTTLS":
                if self._reply(line, verb, command, b"220 go") == 220 and self.tls is not None:
                    line = self._start_tls(line)
                    secure = True
            elif verb == "MAIL":
                assert not mail, "a transaction within another"
                if self._reply(line, verb, command, b"250 2.1.0 ok") == 250:
                    mail, rcpts = command.strip(), []
            elif verb == "RCPT":
                if not mail:
                    line.say(b"503 5.5.1 MAIL first\r\n")
                elif self._reply(line, verb, command, b"250 2.1.5 ok") == 250:
                    rcpts.append(command.strip())
            elif verb == "DATA":
                if not rcpts and "DATA" not in self.replies:
                    line.say(b"503 5.5.1 RCPT first\r\n")
                elif self._reply(line, verb, command, b"354 go on") == 354:
                    self._data(line, mail, rcpts)
                    mail = b""
            elif verb == "RSET":
                mail = b""
                self._reply(line, verb, command, b"250 2.0.0 ok")
            elif verb == "QUIT":
                line.say(b"221 2.0.0 bye\r\n")
                return
            elif verb == "HELO":
                self._reply(line, verb, command, b"250 test")
            else:
                self._reply(line, verb, command, b"502 5.5.1 what?")

    def _start_tls(self, line: Line) -> Line:
        assert line.rest() == b"", "a command between STARTTLS and TLS"
        return Line(self.tls.wrap_socket(line.raw, server_side=True))

    def _data(self, line: Line, mail: bytes, rcpts: list[bytes]) -> None:
        lines = [b"\r\n"]
        try:
            while lines[-1] != b".\r\n" or not lines[-2].endswith(b"\r\n"):
                lines.append(line.line())
        except (EOFError, ConnectionError):
            self.partial.append(b"".join(lines[1:]) + line.rest())
            raise
        self.messages.append(Message(mail, list(rcpts), b"".join(lines[1:])))
        self._reply(line, "dot", b"", b"250 2.0.0 queued as 1")

    def words(self, verb: str) -> list[bytes]:
        return [c.strip() for c in self.commands if c.upper().startswith(verb.encode())]


def scripted(*script: bytes) -> Callable[[Line], None]:
    """A server that says one thing behind each line that it hears, whatever that is; then it hears to the end."""

    def talk(line: Line) -> None:
        for n, reply in enumerate(script):
            if n > 0:
                line.line()
            line.say(reply)
        line.drain()

    return talk


def self_signed(folder: Path) -> ssl.SSLContext:
    """A certificate that nobody has any reason to believe."""
    key, crt = folder / "key.pem", folder / "crt.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=mx", "-keyout", str(key), "-out", str(crt)],
                   check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    return context


def wait_until(what: Callable[[], object], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            pytest.fail("not in time")
        time.sleep(0.01)


def short(value: object) -> str:
    """A test's id: long ones do not fit into the environment of the programs that it starts."""
    return repr(value)[:24] if isinstance(value, bytes) else "attack" if callable(value) else str(value)[:40]
