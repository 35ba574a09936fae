"""What the tests of delivery share: receivers that keep every byte and say what a test wants, an instance that
sends to them, and what it writes down about that. No tests here."""
import email
import email.message
import email.policy
import os
import pwd
import re
import secrets
import shutil
import smtplib
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from conftest import RELAY, Gateway, _built, clean_env, free_port, prepare, replace, wait_for
from remote_kit import PATIENCE, Line, unxtext
from test_spool_kit import places

BUILD = os.environ.get("SEKI_DELIVER_BUILD", "")  # a tree of one's own while others build; and BUILD-testing
HOME = "example.co.jp"
ALICE = f"alice@{HOME}"
GATEWAY = "gw.example.co.jp"
OFFERS = ("PIPELINING", "SIZE 10000000", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES")


def letter(tag: str, body: bytes = b"Hello.\r\n", to: str = "bob@partner.example", more: bytes = b"") -> bytes:
    return (f"From: Alice <{ALICE}>\r\nTo: {to}\r\nSubject: {tag}\r\n"
            f"Date: Sun, 22 Nov 2026 09:35:01 +0900\r\nMessage-ID: <{secrets.token_hex(8)}@{HOME}>\r\n").encode() + (
                more + b"\r\n" + body)


# ---- receivers ---------------------------------------------------------------------------------------------------


@dataclass
class Session:
    """One connection of a receiver, as it saw it."""
    peer: tuple
    begun: float
    commands: list[bytes] = field(default_factory=list)
    mails: list["Mail"] = field(default_factory=list)
    partial: list[bytes] = field(default_factory=list)  # content whose end did not come
    tls: bool = False
    over: bool = False
    counts: bool = True  # among those that are there

    def words(self, verb: str) -> list[bytes]:
        return [c.strip() for c in self.commands if c.upper().startswith(verb.encode())]


@dataclass
class Mail:
    """One transaction with its content. `raw` is what stood on the wire, the dot's line included."""
    session: Session
    mail: bytes
    rcpt: list[bytes]
    raw: bytes
    at: float

    @property
    def sender(self) -> str:
        return re.match(rb"(?i)MAIL FROM:<([^>]*)>", self.mail).group(1).decode()

    @property
    def params(self) -> list[str]:
        return self.mail.decode().split(">", 1)[1].split()

    @property
    def to(self) -> list[str]:
        return [re.match(rb"(?i)RCPT TO:<(.*)>", r).group(1).decode() for r in self.rcpt]

    @property
    def content(self) -> bytes:
        """Dots taken away again."""
        assert self.raw.endswith(b"\r\n.\r\n") or self.raw == b".\r\n", self.raw[-20:]
        return re.sub(rb"(?m)^\.", b"", self.raw[:-3])

    @property
    def tag(self) -> str:
        found = re.search(rb"(?mi)^Subject: (.*?)\r?$", self.content)
        return found.group(1).decode(errors="replace") if found else ""

    def parsed(self) -> email.message.EmailMessage:
        return email.message_from_bytes(self.content, policy=email.policy.default)


class Call:
    """What a reply that is a function is given: the command, its session, and how many of its kind came before."""

    def __init__(self, session: Session, text: bytes, n: int, mail: bytes = b"", rcpt: Iterable[bytes] = ()) -> None:
        self.session, self.text, self.n, self.mail, self.rcpt = session, text, n, mail, list(rcpt)

    @property
    def address(self) -> str:
        found = re.search(rb"<([^>]*)>", self.text)
        return found.group(1).decode() if found else ""


Reply = "bytes | None | Callable[[Call], bytes | None]"
OK = b"250 2.0.0 ok"


def sequence(*replies: bytes | None, then: bytes | None = OK) -> Callable[[Call], bytes | None]:
    """A reply each time, and `then` ever after."""
    left = list(replies)
    lock = threading.Lock()

    def say(_: Call) -> bytes | None:
        with lock:
            return left.pop(0) if left else then
    return say


def by_address(table: dict[str, bytes], then: bytes = b"250 2.1.5 ok") -> Callable[[Call], bytes]:
    """A reply for each local part that begins so."""
    def say(call: Call) -> bytes:
        return next((r for start, r in table.items() if call.address.startswith(start)), then)
    return say


def until_set(event: threading.Event, reply: bytes = OK) -> Callable[[Call], bytes]:
    """Says nothing before the event."""
    def say(_: Call) -> bytes:
        event.wait(PATIENCE * 2)
        return reply
    return say


class Receiver:
    """A mail server in threads that keeps everything. It is decent, but for the replies that are given: by name
    (banner, EHLO, MAIL, RCPT, DATA, dot, RSET, QUIT ...) bytes, None (hangs up), or a function of the Call.
    `talk`: instead of all that, a function of the Line."""

    def __init__(self, offers: Iterable[str] = OFFERS, host: str = "127.0.0.1", port: int = 0,
                 tls: "ssl.SSLContext | None" = None, talk: "Callable[[Line], None] | None" = None,
                 logins: dict[str, str] | None = None, listener: socket.socket | None = None, **replies) -> None:
        self.offers, self.tls, self.talk, self.replies = list(offers), tls, talk, replies
        self.logins = logins or {}
        self.sessions: list[Session] = []
        self.mails: list[Mail] = []
        self.faults: list[str] = []
        self.live = self.peak = 0
        self.counts: dict[str, int] = {}
        self.lock = threading.Lock()
        self._open: set[socket.socket] = set()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = listener or socket.create_server((host, port), family=family, backlog=500)
        self.host, self.port = host, self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def place(self) -> str:
        return f"host:[{self.host}]:{self.port}"

    def __enter__(self) -> "Receiver":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close()
        if kind is None:
            assert self.faults == []

    def close(self) -> None:
        """Hangs up on everybody. Who calls now is refused."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.cut()

    def cut(self) -> None:
        with self.lock:
            raws = list(self._open)
        for raw in raws:
            try:
                raw.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    # ---- what came ----

    def of(self, tag: str) -> list[Mail]:
        with self.lock:
            return [m for m in self.mails if m.tag == tag]

    def wait(self, n: int = 1, where: "Callable[[Mail], object]" = lambda m: True, seconds: float = 20) -> list[Mail]:
        def look() -> list[Mail]:
            with self.lock:
                found = [m for m in self.mails if where(m)]
            return found if len(found) >= n else []
        return wait_for(look, seconds, f"{n} mails, not {len(self.mails)}; {len(self.sessions)} sessions")

    def wait_tag(self, tag: str, n: int = 1, seconds: float = 20) -> list[Mail]:
        return self.wait(n, lambda m: m.tag == tag, seconds)

    def wait_sessions(self, n: int, seconds: float = 20) -> list[Session]:
        return wait_for(lambda: len(self.sessions) >= n and list(self.sessions), seconds, f"{n} sessions")

    def wait_command(self, verb: str, n: int = 1, seconds: float = 20) -> None:
        wait_for(lambda: self.counts.get(verb, 0) >= n, seconds, f"{n} {verb}, not {self.counts}")

    # ---- serving ----

    def _accept(self) -> None:
        while True:
            try:
                raw, peer = self.listener.accept()
            except OSError:
                return
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session = Session(peer, time.monotonic())
            with self.lock:
                self.sessions.append(session)
                self._open.add(raw)
                self.live += 1
                self.peak = max(self.peak, self.live)
            threading.Thread(target=self._one, args=(raw, session), daemon=True).start()

    def _one(self, raw: socket.socket, session: Session) -> None:
        line = Line(raw)
        raw.settimeout(PATIENCE * 3)
        try:
            if self.talk is not None:
                self.talk(line)
            else:
                self._serve(line, session)
        except (EOFError, OSError, ssl.SSLError):
            pass
        except BaseException as fault:  # shown at the end
            self.faults.append(repr(fault))
        finally:
            self._leave(session)
            with self.lock:
                self._open.discard(raw)
                session.over = True
            line.raw.close()
            raw.close()

    def _leave(self, session: Session) -> None:
        """It counts no more: it has ended, or said that it will."""
        with self.lock:
            self.live -= session.counts
            session.counts = False

    def _reply(self, line: Line, verb: str, call: Call, otherwise: bytes) -> int:
        with self.lock:
            call.n = self.counts.get(verb, 0)
            self.counts[verb] = call.n + 1
        reply = self.replies.get(verb, otherwise)
        if callable(reply):
            reply = reply(call)
        if reply is None:
            raise EOFError
        line.say(reply if reply.endswith(b"\n") else reply + b"\r\n")
        return int(reply[:3]) if reply[:3].isdigit() else 0

    def _serve(self, line: Line, s: Session) -> None:
        self._reply(line, "banner", Call(s, b"", 0), b"220 mx.test ESMTP")
        mail, rcpts = b"", []
        while True:
            command = line.line()
            s.commands.append(command)
            if not command.endswith(b"\r\n") or b"\r" in command[:-2]:
                self.faults.append(f"a command's end: {command!r}")
            verb = command.split(b" ")[0].strip().decode("latin-1").upper()
            call = Call(s, command, 0, mail, rcpts)
            if verb == "EHLO":
                offers = [o for o in self.offers if not (s.tls and o == "STARTTLS")]
                words = ["mx.test", *offers]
                text = "".join(f"250{' ' if i == len(words) - 1 else '-'}{w}\r\n" for i, w in enumerate(words))
                self._reply(line, verb, call, text.encode())
            elif verb == "HELO":
                self._reply(line, verb, call, b"250 mx.test")
            elif verb == "STARTTLS" and self.tls is not None:
                if self._reply(line, verb, call, b"220 2.0.0 go") == 220:
                    if line.rest():
                        self.faults.append("a command between STARTTLS and TLS")
                    line = Line(self.tls.wrap_socket(line.raw, server_side=True))
                    s.tls, mail, rcpts = True, b"", []
            elif verb == "AUTH":
                self._reply(line, verb, call, self._login(command))
            elif verb == "MAIL":
                if self._reply(line, verb, call, b"250 2.1.0 ok" if not mail else b"503 5.5.1 again?") == 250:
                    mail, rcpts = command.strip(), []
            elif verb == "RCPT":
                if self._reply(line, verb, call, b"250 2.1.5 ok" if mail else b"503 5.5.1 MAIL first") == 250:
                    rcpts.append(command.strip())
            elif verb == "DATA":
                if self._reply(line, verb, call, b"354 go on" if rcpts else b"503 5.5.1 RCPT first") == 354:
                    self._data(line, s, mail, rcpts)
                    mail, rcpts = b"", []
            elif verb == "RSET":
                mail, rcpts = b"", []
                self._reply(line, verb, call, OK)
            elif verb == "QUIT":
                self._leave(s)
                self._reply(line, verb, call, b"221 2.0.0 bye")
                return
            else:
                self._reply(line, verb, call, b"502 5.5.1 what?")

    def _login(self, command: bytes) -> bytes:
        import base64
        words = command.split()
        if len(words) != 3 or words[1].upper() != b"PLAIN":
            return b"504 5.5.4 PLAIN alone"
        said = base64.b64decode(words[2]).split(b"\0")
        good = len(said) == 3 and self.logins.get(said[1].decode()) == said[2].decode()
        return b"235 2.7.0 welcome" if good else b"535 5.7.8 no"

    def _data(self, line: Line, s: Session, mail: bytes, rcpts: list[bytes]) -> None:
        parts, last = [], b"\r\n"
        try:
            # A strict one: only CRLF.CRLF ends it.
            while True:
                part = line.line()
                parts.append(part)
                if part == b".\r\n" and last.endswith(b"\r\n"):
                    break
                last = part
        except (EOFError, OSError):
            s.partial.append(b"".join(parts) + line.rest())
            raise
        got = Mail(s, mail, list(rcpts), b"".join(parts), time.monotonic())
        if re.search(rb"(?<!\r)\n|\r(?!\n)", got.raw) is not None:
            self.faults.append(f"S2: a CR or LF stands alone in {got.raw[:2000]!r}")
        if re.search(rb"(?m)^\.(?![.\r])", got.raw) is not None:
            self.faults.append(f"S2: a dot that is not stuffed in {got.raw[:2000]!r}")
        call = Call(s, b"", 0, mail, rcpts)
        with self.lock:
            # What is refused, or whose reply is lost, is known as well: it has been heard.
            s.mails.append(got)
            self.mails.append(got)
        self._reply(line, "dot", call, b"250 2.0.0 queued as 1")


# ---- servers of others ---------------------------------------------------------------------------------------------


class SmtpSink:
    """Postfix's smtp-sink with its faults: the options -f -r -q ... as words. What it takes stands in files."""

    def __init__(self, *options: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sekisho-sink-", dir="/var/tmp"))
        os.chmod(self.folder, 0o777)
        self.port, self.host = free_port(), "127.0.0.1"
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        self.process = subprocess.Popen(
            ["smtp-sink", *user, *options, "-h", "sink.test", "-d", str(self.folder / "mail"), f"127.0.0.1:{self.port}",
             "500"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=clean_env(PATH=os.environ["PATH"] + ":/usr/sbin"))
        wait_for(lambda: listens(self.port), 10, "smtp-sink")

    place = Receiver.place

    def mails(self) -> list[bytes]:
        """Whole ones, with smtp-sink's own X- lines in front; lines end in LF."""
        return [text for p in self.folder.iterdir() if (text := p.read_bytes()).endswith(b"\n")]

    def __enter__(self) -> "SmtpSink":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


def listens(port: int, host: str = "127.0.0.1") -> bool:
    try:
        with socket.create_connection((host, port), timeout=2):
            return True
    except OSError:
        return False


POSTFIX_MAIN = """\
compatibility_level = 3.6
queue_directory = {w}/queue
data_directory = {w}/data
mail_owner = postfix
setgid_group = postdrop
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
maillog_file = {w}/mail.log
maillog_file_prefixes = {w}
myhostname = postfix.test
mydestination =
mynetworks =
local_recipient_maps =
alias_maps =
alias_database =
inet_protocols = ipv4
inet_interfaces = loopback-only
smtpd_peername_lookup = no
smtputf8_enable = yes
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {w}/mail
virtual_mailbox_maps = inline:{{ {{ bob@{domain}=bob/ }}, {{ carol@{domain}=carol/ }} }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
"""
POSTFIX_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
POSTFIX = "/usr/lib/postfix/sbin/master"


class PostfixReceiver:
    """Postfix, which delivers what comes for bob and carol of `domain` into Maildirs."""

    def __init__(self, domain: str) -> None:
        self.work = Path(tempfile.mkdtemp(prefix="sekisho-postfix-", dir="/var/tmp"))
        self.port, self.host = free_port(), "127.0.0.1"
        for name in ("", "conf", "queue", "data", "mail"):
            (self.work / name).mkdir(exist_ok=True)
            (self.work / name).chmod(0o755)
        user = pwd.getpwnam("postfix")
        for name in ("data", "mail"):
            os.chown(self.work / name, user.pw_uid, user.pw_gid)
        values = {"w": self.work, "port": self.port, "domain": domain, "uid": user.pw_uid, "gid": user.pw_gid}
        (self.work / "conf/main.cf").write_text(POSTFIX_MAIN.format(**values))
        (self.work / "conf/master.cf").write_text(POSTFIX_MASTER.format(**values))
        conf = str(self.work / "conf")
        subprocess.run(["postfix", "-c", conf, "check"], check=True, capture_output=True, timeout=60)
        self.process = subprocess.Popen(
            [POSTFIX, "-c", conf, "-d"], env=clean_env(MAIL_CONFIG=conf), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: listens(self.port), 30, "Postfix")

    place = Receiver.place

    def mails(self, who: str = "bob") -> list[bytes]:
        box = self.work / "mail" / who / "new"
        return [p.read_bytes() for p in box.iterdir()] if box.exists() else []

    def log(self) -> str:
        path = self.work / "mail.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def __enter__(self) -> "PostfixReceiver":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.work, ignore_errors=True)


# ---- what an instance writes down ----------------------------------------------------------------------------------


@dataclass
class Record:
    time: str
    word: str
    values: dict[str, str]  # decoded
    rcpts: list[int]


def numbers(text: str) -> list[int]:
    """1,3-5 -> [1, 3, 4, 5]"""
    found: list[int] = []
    for part in text.split(",") if text else []:
        a, _, b = part.partition("-")
        found += range(int(a), int(b or a) + 1)
    return found


def pairs(words: Iterable[str]) -> dict[str, str]:
    return {k: unxtext(v).decode(errors="replace") for k, v in (w.split("=", 1) for w in words if "=" in w)}


def files(gw: Gateway, leg_id: str) -> list[tuple[str, bytes]]:
    """(state, bytes) of every leg of the message."""
    found = []
    for state, name in places(gw, leg_id):
        try:
            found.append((state, (gw.root / "spool" / state / name).read_bytes()))
        except FileNotFoundError:
            pass
    return found


def records(gw: Gateway, leg_id: str, word: str | None = None) -> list[Record]:
    """The records of the trailer, all legs one after another, plans left out."""
    found = []
    for _, text in files(gw, leg_id):
        for line in text.split(f"\n-- {leg_id}\n".encode(), 1)[1].decode().splitlines():
            words = line.split(" ")
            if line.startswith((" ", "plan ")) or len(words) < 2:
                continue
            values = pairs(words[2:])
            if word is None or words[1] == word:
                found.append(Record(words[0], words[1], values, numbers(values.get("rcpt", ""))))
    return found


def wait_record(gw: Gateway, leg_id: str, word: str, n: int = 1, seconds: float = 20,
                where: "Callable[[Record], object]" = lambda r: True) -> list[Record]:
    """The records of this word, as soon as there are `n`."""
    def look() -> list[Record]:
        found = [r for r in records(gw, leg_id, word) if where(r)]
        return found if len(found) >= n else []
    return wait_for(look, seconds, f"{n} {word} of {leg_id}")


def wait_sent(gw: Gateway, leg_id: str, seconds: float = 20) -> list[Record]:
    """Waits until all legs of the message are finished; their records."""
    def look() -> bool:
        found = places(gw, leg_id)
        return bool(found) and all(state == "sent" for state, _ in found)
    wait_for(look, seconds, f"{leg_id} in sent")
    return records(gw, leg_id)


def fates(gw: Gateway, leg_id: str) -> dict[str, list[str]]:
    """By recipient what "seki show" says: number, fate, next, tries, reply."""
    rows = [line.split("\t") for line in gw.seki("show", leg_id).stdout.splitlines()]
    return {row[2]: [row[1], *row[3:]] for row in rows if row[0] == "rcpt"}


def events(gw: Gateway, service: str, name: str, **match: str) -> list[dict[str, str]]:
    """The log's lines of this event, decoded."""
    found = []
    for line in gw.log(service).splitlines():
        words = pairs(line.split(" "))
        if words.get("event") == name and all(words.get(k) == v for k, v in match.items()):
            found.append(words)
    return found


def wait_event(gw: Gateway, service: str, name: str, n: int = 1, seconds: float = 20, **match: str) -> list[dict]:
    return wait_for(lambda: len(found := events(gw, service, name, **match)) >= n and found, seconds,
                    f"{n} {name} {match} in the log of {service}")


# ---- handing in ----------------------------------------------------------------------------------------------------


def submit(gw: Gateway, raw: bytes, to: "Iterable[str] | str", sender: str = ALICE, mail: Iterable[str] = (),
           rcpt: "Iterable[str] | dict[str, list[str]]" = ()) -> str:
    """Hands a message in, every recipient taken; its id. `rcpt`: options of every recipient, or by address."""
    recipients = [to] if isinstance(to, str) else list(to)
    with smtplib.SMTP("127.0.0.1", gw.port, timeout=60) as smtp:
        smtp.ehlo("client.example")
        if "SMTPUTF8" in mail:
            smtp.command_encoding = "utf-8"
        code, text = smtp.mail(sender, list(mail))
        assert code == 250, (code, text)
        for address in recipients:
            options = rcpt.get(address, []) if isinstance(rcpt, dict) else rcpt
            code, text = smtp.rcpt(address, list(options))
            assert code == 250, (code, text)
        code, text = smtp.data(raw)
        assert code == 250, (code, text)
        return re.search(rb"kept as ([0-9a-f]{32})", text).group(1).decode()


# ---- notifications -------------------------------------------------------------------------------------------------


class Notice:
    """A delivery status notification, parsed."""

    def __init__(self, mail: Mail) -> None:
        self.mail = mail
        self.message = mail.parsed()
        assert self.message.get_content_type() == "multipart/report", mail.content[:800]
        assert self.message.get_param("report-type") == "delivery-status"
        assert not self.message.defects, self.message.defects
        self.parts = list(self.message.iter_parts())
        assert 2 <= len(self.parts) <= 3
        self.words = self.parts[0].get_content()
        status = self.parts[1]
        assert status.get_content_type() in ("message/delivery-status", "message/global-delivery-status")
        blocks = [dict(block.items()) for block in status.get_payload()]
        blocks = [{k.lower(): str(v) for k, v in block.items()} for block in blocks if block]
        self.fields, self.rcpts = blocks[0], blocks[1:]

    def of(self, address: str) -> dict[str, str]:
        """The fields of one recipient."""
        found = [r for r in self.rcpts if r["final-recipient"].split(";", 1)[1].strip() == address]
        assert len(found) == 1, self.rcpts
        return found[0]

    @property
    def full(self) -> bool:
        return self.parts[2].get_content_type() in ("message/rfc822", "message/global")


def is_notice(mail: Mail) -> bool:
    return b"report-type=delivery-status" in mail.content.replace(b'"', b"")


def names(mail: Mail, address: str) -> bool:
    """Whether a notification is about this recipient."""
    return is_notice(mail) and any(r["final-recipient"].endswith(address) for r in Notice(mail).rcpts)


# ---- an instance and its world -------------------------------------------------------------------------------------


SETTINGS = {"smtp-rate": "1000000", "deliver-dead": "1s", "retry-first": "1s", "retry-longest": "2s",
            "route": "refuse:not-in-this-test"}


class World:
    """An instance, and `home`, where mail for our own people arrives: above all what the gateway tells them.
    Each test gives its receivers domains of their own."""

    def __init__(self, settings: dict[str, str] | None = None, testing: bool = False,
                 files: dict[str, "str | bytes"] | None = None, start: bool = True) -> None:
        self.home = Receiver()
        self.routes: dict[str, str] = {f"@{HOME}": self.home.place}
        self.gw = prepare({**SETTINGS, **(settings or {})}, RELAY, testing,
                          {"etc/routes": self._text(), **(files or {})}, submission=False)
        if BUILD:
            self.gw.build = BUILD + ("-testing" if testing else "")
            _built.add(self.gw.build)
        if testing:
            self.gw.clock(0, 0, True)
        if start:
            self.start()

    def start(self) -> "World":
        try:
            self.gw.start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        try:
            if self.gw.root.exists():
                self.gw.stop()
        finally:
            self.home.close()

    def _text(self) -> str:
        return "".join(f"{domain} {route}\n" for domain, route in self.routes.items())

    def route(self, domain: str, route: str) -> None:
        """A line of etc/routes, in force when this returns."""
        self.routes[domain] = route
        replace(self.gw.root / "etc/routes", self._text())
        self.reload()

    def reload(self, **settings: str) -> None:
        if settings:
            self.gw.setting(**settings)
        done = self.gw.seki("reload")
        assert done.returncode == 0, done.stdout + done.stderr

    def lane(self, place: str, options: str = "") -> str:
        """A new domain whose mail goes to this place."""
        domain = f"d{secrets.token_hex(4)}.test"
        self.route(f"@{domain}", f"{place} {options}".strip())
        return domain

    def send(self, tag: str, to: "Iterable[str] | str", body: bytes = b"Hello.\r\n", **more) -> str:
        """A letter; its id."""
        return submit(self.gw, letter(tag, body), to, **more)

    def notices(self, address: str, n: int = 1, seconds: float = 20) -> list[Notice]:
        """The notifications about this recipient that have come home."""
        return [Notice(m) for m in self.home.wait(n, lambda m: names(m, address), seconds)]

    def notices_now(self, address: str) -> list[Notice]:
        with self.home.lock:
            mails = list(self.home.mails)
        return [Notice(m) for m in mails if names(m, address)]

    def settle(self, seconds: float = 20) -> None:
        """Until nothing is left to be done now: what waits for its time may wait."""
        def busy() -> bool:
            now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            due = [p for p in self.gw.spool("deliver") if p.name[:16] <= now]
            return bool(due or self.gw.spool("tmp") or self.gw.spool("new"))
        wait_for(lambda: not busy(), seconds, "all that is due")


@contextmanager
def world(**more) -> Iterator[World]:
    made = World(**more)
    try:
        yield made
        no_crash(made.gw)
    finally:
        made.stop()


def no_crash(gw: Gateway, *kinds: str) -> None:
    """No program of the instance ended as one that has a bug, and nothing was quarantined."""
    for folder in (gw.root / "log").iterdir():
        if not folder.is_dir():
            continue
        for line in gw.log(folder.name).splitlines():
            assert not any(word in line for word in ("event=died", "ERROR: AddressSanitizer", "runtime error:")), line
            assert "event=remote-protocol" not in line and "event=content-faulty" not in line, line
    assert gw.spool("bad") == []


def children(gw: Gateway, program: str) -> list[int]:
    """The processes of a program of this instance, but for the one that s6 started."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            if os.readlink(f"/proc/{entry}/exe").removesuffix(" (deleted)") == str(gw.root / "bin" / program):
                found.append(int(entry))
        except OSError:
            pass
    main = gw.pid(program)
    return [pid for pid in found if pid > 1 and pid != main]
