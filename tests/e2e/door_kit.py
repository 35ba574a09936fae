"""What the tests of the door share: certificates made with openssl, and a client that says exactly the bytes it is
told to, in the clear or under TLS, cut into segments where the test wants it. No tests here."""
import base64
import os
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from conftest import Gateway, free_port, prepare, wait_for

PASSWORDS = {"alice@example.co.jp": "alpha pässword 17", "bob@example.co.jp": "bravo password 23"}
ALICE, BOB = PASSWORDS
FROM = b"From: alice@example.co.jp\r\n"
PAUSE = 0.003  # between two segments, so that the server reads the first by itself

# ---- certificates ----------------------------------------------------------------------------------------------


def openssl(*args: str, cwd: Path | str | None = None, stdin: bytes = b"") -> str:
    done = subprocess.run(["openssl", *args], cwd=cwd, input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")
    return done.stdout.decode(errors="replace")


class Pair:
    """A certificate and its key, as files."""

    def __init__(self, crt: Path, key: Path, authority: "Authority") -> None:
        self.crt = crt
        self.key = key
        self.authority = authority  # its directory goes with the last pair

    def sha256(self) -> str:
        return openssl("x509", "-in", str(self.crt), "-noout", "-fingerprint", "-sha256").strip().split("=")[1].replace(
            ":", "").lower()

    def der(self) -> bytes:
        return ssl.PEM_cert_to_DER_cert(self.crt.read_text())


class Authority:
    """An authority of a test's own, in a directory that goes with the test."""

    def __init__(self, name: str = "Test Authority") -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sekisho-ca-", dir="/var/tmp")
        self.folder = Path(self._folder.name)
        os.chmod(self.folder, 0o755)
        self.n = 0
        self.crt, self.key = self.folder / "ca.crt", self.folder / "ca.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-subj", f"/CN={name}", "-keyout", str(self.key), "-out", str(self.crt))

    def pair(self, *names: str, days: int = 30, early: bool = False, usage: str = "serverAuth,clientAuth") -> Pair:
        """A certificate that bears these names; with -1 `days` it has expired; `early`: not valid yet."""
        self.n += 1
        key, request, crt, more = (self.folder / f"{self.n}.{end}" for end in ("key", "csr", "crt", "ext"))
        more.write_text(f"subjectAltName={','.join('DNS:' + n for n in names)}\nextendedKeyUsage={usage}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test",
                "-keyout", str(key), "-out", str(request))
        if early:
            self._early(request, crt, more)
        else:
            openssl("x509", "-req", "-in", str(request), "-CA", str(self.crt), "-CAkey", str(self.key),
                    "-CAcreateserial", "-days", str(days), "-extfile", str(more), "-out", str(crt))
        return Pair(crt, key, self)

    def _early(self, request: Path, crt: Path, more: Path) -> None:
        (self.folder / "index").write_text("")
        (self.folder / "conf").write_text(
            "[ca]\ndefault_ca=a\n[a]\ndatabase=index\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\n"
            "policy=p\n[p]\ncommonName=supplied\n")
        openssl("ca", "-batch", "-config", "conf", "-cert", str(self.crt), "-keyfile", str(self.key), "-in",
                str(request), "-out", str(crt), "-extfile", str(more), "-startdate", "20990101000000Z", "-enddate",
                "20991231000000Z", "-notext", cwd=self.folder)


def put_key(gateway: Gateway, name: str, content: bytes, mode: int = 0o640) -> None:
    """A file of etc/tls or etc/secrets, whole for whoever reads it, for the group of its directory."""
    path = gateway.root / "etc" / name
    new = path.with_name("." + path.name + ".new")
    new.write_bytes(content)
    os.chmod(new, mode)
    os.chown(new, -1, path.parent.stat().st_gid)
    os.replace(new, path)


def install(gateway: Gateway, name: str, pair: Pair) -> None:
    put_key(gateway, f"tls/{name}.key", pair.key.read_bytes())
    put_key(gateway, f"tls/{name}.crt", pair.crt.read_bytes(), 0o644)


def trust(*files: Path, check: bool = True, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """A client's context that believes these certificates; without any it believes everybody."""
    context = ssl.create_default_context()
    for path in files:
        context.load_verify_locations(path)
    context.check_hostname = check and bool(files)
    if not files:
        context.verify_mode = ssl.CERT_NONE
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


# ---- an instance -----------------------------------------------------------------------------------------------


def start_door(settings: dict[str, str] | None = None, **more) -> Gateway:
    """An instance with all three services and the logins of PASSWORDS; wrong passwords are answered at once."""
    port = free_port()
    values = {"submissions-listen": f"127.0.0.1:{port}", "auth-delay": "0s", "auth-failures-source": "1000",
              "auth-failures-login": "1000", "smtp-rate": "100000"}
    values.update(settings or {})
    gateway = prepare(settings=values, **more)
    gateway.submissions_port = port
    try:
        gateway.start()
        for login, password in PASSWORDS.items():
            done = gateway.seki("passwd", login, stdin=password + "\n")
            assert done.returncode == 0, done.stderr
    except BaseException:
        gateway.stop()
        raise
    return gateway


def reload(gateway: Gateway, **settings: str) -> None:
    if settings:
        gateway.setting(**settings)
    done = gateway.seki("reload")
    assert done.returncode == 0, done.stdout + done.stderr


def refused_reload(gateway: Gateway) -> str:
    """What is said to the operator."""
    done = gateway.seki("reload")
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


# ---- a client --------------------------------------------------------------------------------------------------


class Gone(ConnectionError):
    """The server has closed."""


class Door:
    """A raw connection to one of the services. `tls`: a context to shake hands with at once, as on port 465;
    `before`: bytes that go first, in the clear."""

    def __init__(self, gateway: Gateway, service: str = "relay", source: str = "127.0.0.1", greet: bool = True,
                 tls: ssl.SSLContext | None = None, name: str | None = None, before: bytes = b"") -> None:
        port = {"relay": gateway.port, "submission": gateway.submission_port,
                "submissions": getattr(gateway, "submissions_port", 0)}[service]
        self.sock = socket.create_connection(("127.0.0.1", port), 20, (source, 0))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls: ssl.SSLObject | None = None
        self.rest = b""
        if before:
            self.sock.sendall(before)
        if service == "submissions" and tls is None:
            tls = trust()
        if service == "submissions" and greet:
            self.handshake(tls, name)
        if greet:
            greeting = self.reply()
            assert greeting.startswith(b"220 "), greeting
            self.ehlo()

    def __enter__(self) -> "Door":
        return self

    def __exit__(self, *_) -> None:
        self.sock.close()

    # ---- bytes ----

    def raw(self, data: bytes, cuts: Iterable[int] = ()) -> None:
        """These very bytes, in segments that end at `cuts`."""
        at = 0
        for cut in [*cuts, len(data)]:
            if data[at:cut]:
                self.sock.sendall(data[at:cut])
                if cut < len(data):
                    time.sleep(PAUSE)
                at = cut

    def send(self, data: bytes, step: int = 0) -> None:
        """Under TLS if there is one; then `step` cuts what is on the wire into segments of so many bytes."""
        if self.tls is not None:
            self.tls.write(data)
            data = self.outgoing.read()
        self.raw(data, range(step, len(data), step) if step else ())

    def _more(self) -> bytes:
        try:
            return self.sock.recv(65536)
        except ConnectionError:
            return b""

    def receive(self) -> bytes:
        """What comes next; b"" at the end, however it comes."""
        while self.tls is not None:
            try:
                return self.tls.read(65536)
            except ssl.SSLWantReadError:
                more = self._more()
                if not more:
                    return b""
                self.incoming.write(more)
            except ssl.SSLError:
                return b""
        return self._more()

    def reply(self) -> bytes:
        """One whole reply, or what came before the connection ended."""
        got = b""
        while True:
            while b"\n" not in self.rest:
                more = self.receive()
                if not more:
                    return got
                self.rest += more
            line, self.rest = self.rest.split(b"\n", 1)
            got += line + b"\n"
            if line[3:4] != b"-":
                return got

    def say(self, data: bytes, step: int = 0) -> bytes:
        try:
            self.send(data, step)
        except ConnectionError:
            pass
        return self.reply()

    def closed(self) -> bool:
        """Whether the server closes now, saying nothing more."""
        return self.reply() == b""

    # ---- the usual steps ----

    def ehlo(self, name: bytes = b"client.example") -> set[bytes]:
        """The words that are offered."""
        answer = self.say(b"EHLO " + name + b"\r\n")
        assert answer.startswith(b"250"), answer
        return {line[4:].split()[0] for line in answer.split(b"\r\n")[1:] if line}

    def begin_tls(self, context: ssl.SSLContext, name: str | None = None, session=None) -> None:
        """The client's side of a handshake, not a byte of it sent yet."""
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.rest = b""
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name, session=session)

    def handshake(self, context: ssl.SSLContext | None = None, name: str | None = None, step: int = 0) -> None:
        self.begin_tls(context or trust(), name)
        while True:
            try:
                self.tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                done = False
            out = self.outgoing.read()
            self.raw(out, range(step, len(out), step) if step else ())
            if done:
                return
            more = self._more()
            if not more:
                raise Gone("in the handshake")
            self.incoming.write(more)

    def starttls(self, context: ssl.SSLContext | None = None, name: str | None = None, ehlo: bool = True) -> "Door":
        answer = self.say(b"STARTTLS\r\n")
        assert answer.startswith(b"220 "), answer
        self.handshake(context, name)
        if ehlo:
            self.ehlo()
        return self

    def login(self, login: str = ALICE, password: str | None = None) -> "Door":
        answer = self.say(b"AUTH PLAIN " + plain(login, password) + b"\r\n")
        assert answer.startswith(b"235 "), answer
        return self

    def mail(self, content: bytes, sender: bytes = b"alice@example.co.jp", to: bytes = b"bob@partner.example",
             step: int = 0) -> bytes:
        """The reply to the dot, or the first one that refuses."""
        for line in (b"MAIL FROM:<" + sender + b">\r\n", b"RCPT TO:<" + to + b">\r\n", b"DATA\r\n"):
            answer = self.say(line, step)
            if answer[:1] not in (b"2", b"3"):
                return answer
        return self.say(content + b"\r\n.\r\n", step)


def plain(login: str, password: str | None = None, acting: str = "") -> bytes:
    password = PASSWORDS[login] if password is None else password
    return base64.b64encode(f"{acting}\0{login}\0{password}".encode())


def user(gateway: Gateway, login: str = ALICE, service: str = "submission", **more) -> Door:
    """A client that has logged in."""
    door = Door(gateway, service, **more)
    if service == "submission":
        door.starttls()
    return door.login(login)


def subject(text: str, before: bytes = FROM) -> bytes:
    return before + b"Subject: " + text.encode() + b"\r\n\r\nbody\r\n"


def kept(answer: bytes) -> str:
    """The id of a message that was taken."""
    assert answer.startswith(b"250 2.0.0 kept as "), answer
    return answer.split()[-1].decode()


def arrived(gateway: Gateway, text: str) -> bytes:
    """The delivered mail with this subject, alone."""
    mails = gateway.wait_delivered(lambda mail: f"\nSubject: {text}\r\n".encode() in mail)
    assert len(mails) == 1
    return mails[0]


def content_of(mail: bytes) -> bytes:
    """What the client sent: without what the gateway has put before it."""
    at = mail.index(b"Received: from ")
    lines = mail[at:].split(b"\r\n")
    n = 1
    while lines[n][:1] in (b" ", b"\t"):
        n += 1
    return b"\r\n".join(lines[n:])


def no_crash(gateway: Gateway) -> None:
    """No session's process was killed, and none ended by a bug."""
    log = gateway.log("seki-smtpd")
    assert "event=session-killed" not in log and "event=died" not in log, log[-2000:]


def server_pid(door: Door, parent: int) -> int:
    """The process that serves this connection, a child of `parent`. Only root can tell."""
    mine, its = (f":{port:04X}" for port in (door.sock.getsockname()[1], door.sock.getpeername()[1]))
    inodes = {words[9] for table in ("tcp", "tcp6") for words in map(str.split, Path("/proc/net", table).open())
              if words[1].endswith(its) and words[2].endswith(mine)}
    for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            if os.readlink(fd) in {f"socket:[{inode}]" for inode in inodes}:
                return int(pid)
    raise AssertionError("nobody serves this connection")
