"""seki-notice and the door for the gateway's own mail: a notification is a message in the spool, durably, with a fixed
plan; nobody can forge that; loops are impossible; when in doubt the answer is "later"."""
import email
import email.policy
import hashlib
import os
import pwd
import grp
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from conftest import RELAY, REPO, build_once, replace, wait_for
from test_auth_kit import as_3
from test_spool_kit import new_id, stamp

BUILD = os.environ.get("SEKI_NOTICE_BUILD", "build")  # a tree of one's own while others build
ROOT = os.geteuid() == 0
USERS = {"seki-queue": "sekiq", "seki-notice": "sekio", "seki-scan": "sekis", "seki-hold": "sekih"}
TRIED = "tried=2026-11-22T09:40:00.000000Z"
FAILED = f"dsn\nrcpt 1 failed status=5.1.1 {TRIED} host=mx.partner.example reply=550+205.1.1+20no+20such+20user\n"
MAIL = (b"Received: from pc1 ([192.0.2.10])\r\n\tby gw.example.co.jp with ESMTP id x;\r\n\tSun, 22 Nov 2026 09:35:01 +0000\r\n"
        b"From: alice@example.co.jp\r\nTo: bob@partner.example\r\nSubject: Figures\r\n"
        b"Message-ID: <1@example.co.jp>\r\n\r\nHello.\r\n")

# The client of the gateway itself: prints the answer.
ASK = r"""
#include <fcntl.h>
#include <stdio.h>
#include "lib/notice/notice.h"
int main(int argc, char **argv)
{
	struct notice_rcpt rcpt = {.rcpt = 0, .action = DSN_FAILED, .status = "5.7.1", .host = "mx.partner.example",
	    .reply = "550 5.7.1 not = wanted + here", .tried = 1795340400000000};
	struct notice_answer a;
	notice_ask(NOTICE_SOCKET, open(argv[1], O_RDONLY), &rcpt, 1, 20000, &a);
	printf("%d %s\n", (int)a.result, a.result == NOTICE_KEPT ? a.id : a.reason);
	return argc != 2;
}
"""


def programs() -> Path:
    if BUILD == "build":
        build_once(BUILD)
    return REPO / BUILD / "bin"


def make_leg(content: bytes = MAIL, sender: str = "alice@example.co.jp", to: tuple[str, ...] = ("bob@partner.example",),
             client: str = "192.0.2.10 helo=pc1 proto=esmtp port=50412", trailer: str = "") -> bytes:
    """A whole leg; addresses with their parameters, as in a head."""
    leg_id = new_id()
    head = f"sekisho-leg 1\nid {leg_id}\nleg 1\nfrom {sender}\n" + "".join(f"to {line}\n" for line in to)
    head += f"client {client}\naccepted {stamp()}\nsize {len(content):012}\nsha256 {hashlib.sha256(content).hexdigest()}\n"
    head += f"head {hashlib.sha256(head.encode()).hexdigest()}\n\n"
    return head.encode() + content + f"\n-- {leg_id}\n{trailer}".encode()


class Leg:
    """A leg that was read back: its head by keys, and its content, proven."""

    def __init__(self, raw: bytes) -> None:
        head, rest = raw.split(b"\n\n", 1)
        lines = head.decode().splitlines()
        assert lines[-1] == "head " + hashlib.sha256("".join(x + "\n" for x in lines[:-1]).encode()).hexdigest()
        self.head = {line.split(" ", 1)[0]: line.split(" ", 1)[1] for line in lines}
        size = int(self.head["size"])
        self.content = rest[:size]
        assert self.head["sha256"] == hashlib.sha256(self.content).hexdigest()
        separator = f"\n-- {self.head['id']}\n".encode()
        assert rest[size:].startswith(separator)
        self.trailer = rest[size + len(separator):].decode()

    def mail(self) -> EmailMessage:
        message = email.message_from_bytes(self.content, policy=email.policy.default)
        assert not message.defects
        return message


class Place:
    """The least of an instance: services/layout, and the programs as their services run them."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="sekisho-notice-", dir="/var/tmp"))
        os.chmod(self.root, 0o711)
        self.running: dict[str, subprocess.Popen] = {}
        self.values = {"trial": "yes", "hostname": "gw.example.co.jp", "ballast": "0B", "space-percent": "0",
                       "audit": "no"}
        for line in (REPO / "services/layout").read_text().splitlines():
            words = line.split("#")[0].split()
            if words:
                self.make(*words)
        shutil.copytree(REPO / "etc/notices", self.root / "etc/notices", dirs_exist_ok=True)
        self.settings()

    def make(self, name: str, mode: str, user: str, group: str) -> None:
        path = self.root / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.touch()
        if ROOT:
            os.chown(path, pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid)
        os.chmod(path, int(mode, 8))

    def settings(self, **values: str) -> None:
        self.values.update({name.replace("_", "-"): value for name, value in values.items()})
        replace(self.root / "etc/settings", "".join(f"{n} {v}\n" for n, v in self.values.items()))

    def start(self, *names: str, **more) -> "Place":
        for name in names:
            drop = ["s6-setuidgid", USERS[name]] if ROOT else []
            with open(self.root / f"{name}.log", "ab") as log:
                read, write = os.pipe()
                self.running[name] = subprocess.Popen(
                    as_3(write, ">", *drop, str(programs() / name)), cwd=self.root,
                    env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    pass_fds=(write,), **more)
            os.close(write)
            ready, _, _ = select.select([read], [], [], 20)
            said = os.read(read, 1) if ready else b""
            os.close(read)
            assert said == b"\n", self.log(name)
        return self

    def compile(self) -> "Place":
        """Without a compiled set of rules, be it empty, nobody judges."""
        replace(self.root / "etc/relay", RELAY)
        done = subprocess.run([programs() / "seki", "compile"], env={"PATH": "/usr/bin:/bin", "SEKISHO_ROOT": str(self.root)},
                              timeout=60, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return self

    def stop(self, name: str, how: int = signal.SIGTERM) -> int:
        process = self.running.pop(name)
        process.send_signal(how)
        return process.wait(30)

    def remove(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait(30)
        shutil.rmtree(self.root)

    def log(self, name: str) -> str:
        return (self.root / f"{name}.log").read_text(errors="replace")

    def wait_log(self, name: str, text: str) -> str:
        return wait_for(lambda: [x for x in self.log(name).splitlines() if text in x], 20, text)[-1]

    def reload(self, name: str, **values: str) -> str:
        """Changes settings; the answer to SIGHUP."""
        self.settings(**values)
        answer = self.root / "run/taken" / name
        answer.write_text("")
        self.running[name].send_signal(signal.SIGHUP)
        return wait_for(lambda: answer.read_text() if answer.read_text().endswith("\n") else "", 20, "an answer")

    def spool(self, state: str) -> list[Path]:
        return sorted(p for p in (self.root / "spool" / state).iterdir() if p.name != "ballast")

    def everything(self) -> list[Path]:
        return [p for state in ("tmp", "new", "hold", "deliver", "sent", "bad") for p in self.spool(state)]

    def open_leg(self, raw: bytes, flags: int = os.O_RDONLY) -> int:
        path = self.root / "leg"
        path.write_bytes(raw)
        return os.open(path, flags)

    def connect(self, door: str = "run/notice/socket") -> socket.socket:
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(30)
        s.connect(str(self.root / door))
        return s

    def ask(self, raw: bytes, request: str | bytes = FAILED, flags: int = os.O_RDONLY, fds: int = 1) -> str:
        """The answer, without its newline; "" if the connection was closed."""
        text = request.encode() if isinstance(request, str) else request
        leg = self.open_leg(raw, flags)
        try:
            with self.connect() as s:
                prefix = struct.pack(">I", len(text))
                if fds:
                    socket.send_fds(s, [prefix], [leg] * fds)
                else:
                    s.sendall(prefix)
                s.sendall(text)
                return s.makefile("rb").read().decode().rstrip("\n")
        finally:
            os.close(leg)

    def kept(self, raw: bytes, request: str = FAILED, state: str = "new") -> Leg:
        """Asks; the notification as it stands in the spool."""
        answer = self.ask(raw, request)
        assert answer.startswith("kept "), answer + self.log("seki-notice")
        return Leg(self.raw(answer.split()[1], state))

    def raw(self, name: str, state: str = "new") -> bytes:
        """A leg as it stands there: it is kept before it is renamed."""
        return wait_for(lambda: [p for p in self.spool(state) if name in p.name], 20, f"{name} in {state}")[0].read_bytes()

    def hand_in(self, door: str, client: str, extra: str = "") -> str:
        """A message by one of seki-queue's doors: the letter that ended it."""
        envelope = f"from mallory@example.co.jp\nto bob@partner.example\nclient {client}\n{extra}".encode()
        with self.connect(door) as s:
            s.sendall(b"E" + struct.pack(">I", len(envelope)) + envelope)
            letter = s.recv(1)
            if letter != b"G":
                return letter.decode()
            s.recv(32, socket.MSG_WAITALL)
            s.sendall(b"D" + struct.pack(">I", len(MAIL)) + MAIL + b".")
            return s.recv(1).decode()


@pytest.fixture
def bare() -> Iterator[Place]:
    """Nothing runs yet."""
    if ROOT:
        subprocess.run(["sh", "-c", '. services/common; die() { exit 1; }; tables=services; make_users'], cwd=REPO, check=True,
                       timeout=60)
    made = Place()
    yield made
    made.remove()


@pytest.fixture
def place(bare: Place) -> Place:
    return bare.start("seki-queue", "seki-notice")


# ---- what is made ----


def test_S2_a_failure_is_told(place: Place) -> None:
    """In the spool, from nobody, by no client; RFC 3464, 6522, 3834; the header alone comes back."""
    leg = place.kept(make_leg(sender="alice@example.co.jp envid=QQ+2B1",
                              to=("bob@partner.example orcpt=rfc822;Bob+2B1@partner.example", "carol@partner.example")))
    assert leg.head["from"] == "<> body=7bit"
    assert leg.head["to"] == "alice@example.co.jp notify=never"
    assert leg.head["client"] == "- origin=gateway"
    assert leg.trailer == ""

    received = leg.content.split(b"\r\nFrom:")[0].decode()
    assert received.startswith(f"Received: by gw.example.co.jp (Sekisho)\r\n\tid {leg.head['id']}\r\n\t(mark ")
    assert " from " not in received

    mail = leg.mail()
    assert mail["From"].addresses[0].addr_spec == "MAILER-DAEMON@gw.example.co.jp"
    assert mail["To"].addresses[0].addr_spec == "alice@example.co.jp"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["Message-ID"] == f"<{leg.head['id']}@gw.example.co.jp>"
    assert mail["In-Reply-To"] == "<1@example.co.jp>"
    assert mail.get_content_type() == "multipart/report" and mail.get_param("report-type") == "delivery-status"

    words, status, returned = mail.iter_parts()
    assert "bob@partner.example" in words.get_content() and "carol" not in words.get_content()
    message, rcpt = status.get_payload()
    assert message["Reporting-MTA"] == "dns; gw.example.co.jp" and message["Original-Envelope-Id"] == "QQ+1"
    assert rcpt["Original-Recipient"] == "rfc822; Bob+1@partner.example"
    assert rcpt["Final-Recipient"] == "rfc822; bob@partner.example"
    assert (rcpt["Action"], rcpt["Status"]) == ("failed", "5.1.1")
    assert rcpt["Remote-MTA"] == "dns; mx.partner.example"
    assert rcpt["Diagnostic-Code"] == "smtp; 550 5.1.1 no such user"
    assert rcpt["Last-Attempt-Date"] == "Sun, 22 Nov 2026 09:40:00 +0000"
    assert returned.get_content_type() == "text/rfc822-headers"
    assert "Subject: Figures" in returned.get_content() and "Hello." not in returned.get_content()
    assert f"kept={leg.head['id']}" in place.wait_log("seki-notice", "event=notified")
    assert "peer=gateway" in place.wait_log("seki-queue", "event=accepted")


def test_S2_the_whole_mail_if_asked(place: Place) -> None:
    leg = place.kept(make_leg(sender="alice@example.co.jp ret=full"))
    returned = list(leg.mail().iter_parts())[2]
    assert returned.get_content_type() == "message/rfc822"
    assert leg.content.count(MAIL) == 1
    # Only of a failure (RFC 3461 section 4.3).
    success = f"dsn\nrcpt 1 relayed status=2.0.0 {TRIED}\n"
    leg = place.kept(make_leg(sender="alice@example.co.jp ret=full"), success)
    assert list(leg.mail().iter_parts())[2].get_content_type() == "text/rfc822-headers"


def test_S2_a_mix_of_actions_is_one_notification(place: Place) -> None:
    request = FAILED + f"rcpt 3 delayed status=4.4.1 {TRIED} until=2026-11-27T09:40:00.000000Z reply=timed+20out\n"
    leg = place.kept(make_leg(to=("bob@partner.example", "carol@partner.example", "dave@far.example")), request)
    _, bob, dave = list(leg.mail().iter_parts())[1].get_payload()
    assert (bob["Action"], dave["Action"]) == ("failed", "delayed")
    assert dave["Final-Recipient"] == "rfc822; dave@far.example"
    assert dave["Will-Retry-Until"] == "Fri, 27 Nov 2026 09:40:00 +0000"


def test_a_sender_beyond_ascii(place: Place) -> None:
    content = "Subject: 見積もり\r\n\r\n本文\r\n".encode()
    leg = place.kept(make_leg(content, sender="+E5+B1+B1@example.co.jp ret=full smtputf8=yes"))
    assert leg.head["from"] == "<> body=8bitmime smtputf8=yes"
    assert leg.head["to"] == "+E5+B1+B1@example.co.jp notify=never"
    assert b"To: <\xe5\xb1\xb1@example.co.jp>\r\n" in leg.content
    leg = place.kept(make_leg(content, sender="alice@example.co.jp ret=full"))
    assert leg.head["from"] == "<> body=8bitmime"


def test_the_address_of_the_daemon(place: Place) -> None:
    assert place.reload("seki-notice", notice_from="daemon@example.co.jp").startswith("taken ")
    assert place.kept(make_leg()).mail()["From"].addresses[0].addr_spec == "daemon@example.co.jp"
    assert "notice-from" in place.reload("seki-notice", notice_from="daemon")
    assert "event=reload-refused alarm=yes" in place.log("seki-notice")
    assert place.kept(make_leg()).mail()["From"].addresses[0].addr_spec == "daemon@example.co.jp"


def test_kept_survives_the_queue(place: Place) -> None:
    """I2: what was said to be kept is there after seki-queue was killed."""
    ids = [place.ask(make_leg()).split()[1] for _ in range(5)]
    place.stop("seki-queue", signal.SIGKILL)
    place.start("seki-queue")
    assert sorted(p.name for p in place.spool("new")) == sorted(f"{i}.1" for i in ids)
    for path in place.spool("new"):
        assert Leg(path.read_bytes()).mail()["Auto-Submitted"] == "auto-replied"


def test_the_gateways_own_client(place: Place) -> None:
    source = place.root / "ask.c"
    source.write_text(ASK)
    archives = [str(REPO / BUILD / f"lib{name}.a") for name in ("notice", "dsn", "mime", "queue", "base")]
    subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", f"-I{REPO}", "-o", place.root / "ask", source, *archives, "-lcrypto",
                    *(["-fsanitize=address,undefined"] if "sanitize" in BUILD else [])], check=True, timeout=60)
    (place.root / "leg").write_bytes(make_leg())

    def ask() -> list[str]:
        return subprocess.run(["./ask", "leg"], cwd=place.root, check=True, capture_output=True, text=True,
                              timeout=60).stdout.split()
    result, kept = ask()
    assert result == "0"
    _, rcpt = list(Leg(place.raw(kept)).mail().iter_parts())[1].get_payload()
    assert rcpt["Diagnostic-Code"] == "smtp; 550 5.7.1 not = wanted + here"
    place.stop("seki-notice")
    assert ask() == ["2", "seki-notice-unreachable"]


# ---- what our own rules refused ----

WHY = "添付ファイルは2個までです。"


def xtext(text: str) -> str:
    return "".join(chr(b) if 32 < b < 127 and chr(b) not in '"+=' else f"+{b:02X}" for b in text.encode())


BY_RULE = f"{stamp()} refused rule=must/20-files:3 name=three-files why={xtext(WHY)} tell="


def test_S2_30_a_refusal_is_told_by_the_legs_own_record(place: Place) -> None:
    """S0-35: in plain words of both languages, 5.7.1, to all recipients; nobody got anything."""
    raw = make_leg(to=("bob@partner.example", "carol@partner.example"), trailer=BY_RULE + "sender\n")
    leg = place.kept(raw, "refused\n")
    assert leg.head["from"] == "<> body=7bit" and leg.head["to"] == "alice@example.co.jp notify=never"
    mail = leg.mail()
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail.get_param("report-type") == "delivery-status"
    words, status, returned = mail.iter_parts()
    assert words.get_content().count(WHY) == 2
    for text in ("何も送られていません", "Nothing was sent to anybody", "bob@partner.example", "carol@partner.example"):
        assert text in words.get_content()
    _, bob, carol = status.get_payload()
    assert (bob["Action"], bob["Status"]) == (carol["Action"], carol["Status"]) == ("failed", "5.7.1")
    assert returned.get_content_type() == "text/rfc822-headers"
    assert "kind=refused" in place.wait_log("seki-notice", "event=notified")


def test_S1_32_a_silent_refusal_is_told_to_nobody(place: Place) -> None:
    raw = make_leg(to=("bob@partner.example notify=success,failure,delay",), trailer=BY_RULE + "nobody\n")
    assert place.ask(raw, "refused\n") == "none told-nobody"
    assert place.ask(make_leg(to=("bob@partner.example notify=never",), trailer=BY_RULE + "sender\n"),
                     "refused\n") == "none not-wanted"
    assert place.ask(make_leg(sender="<>", trailer=BY_RULE + "sender\n"), "refused\n") == "none null-sender"
    assert place.ask(make_leg(), "refused\n") == "wrong not-refused"
    assert place.everything() == []


def test_S1_32_C18_a_refused_mail_is_forwarded_whole(place: Place) -> None:
    """From the gateway's own address, the mail as message/rfc822, with everything that an auditor asks."""
    raw = make_leg(to=("bob@partner.example", "carol@partner.example"), trailer=BY_RULE + "nobody\n")
    leg = place.kept(raw, "forward internal-audit@example.co.jp\n")
    assert leg.head["from"] == "<> body=7bit" and leg.head["to"] == "internal-audit@example.co.jp notify=never"
    mail = leg.mail()
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["From"].addresses[0].addr_spec == "MAILER-DAEMON@gw.example.co.jp"
    assert mail["To"].addresses[0].addr_spec == "internal-audit@example.co.jp"
    assert str(mail["Subject"]).endswith("three-files")
    words, attached = mail.iter_parts()
    for text in ("alice@example.co.jp", "bob@partner.example", "carol@partner.example", WHY, "three-files", "must/20-files:3",
                 "192.0.2.10 helo=pc1"):
        assert text in words.get_content(), text
    assert attached.get_content_type() == "message/rfc822"
    assert leg.content.count(MAIL) == 1
    assert b"alice" not in leg.content.split(b"\r\n\r\n")[0]
    assert "kind=forward" in place.wait_log("seki-notice", "event=notified")

    # Also of a null sender's mail; never of the gateway's own.
    place.kept(make_leg(sender="<>", trailer=BY_RULE + "nobody\n"), "forward internal-audit@example.co.jp\n")
    assert place.ask(make_leg(client="- origin=gateway", trailer=BY_RULE + "nobody\n"),
                     "forward internal-audit@example.co.jp\n") == "none gateway-mail"
    assert place.ask(raw, "forward internal-audit\n") == "wrong address"


def test_S9_a_forward_larger_than_a_message_may_be(bare: Place) -> None:
    bare.settings(message_size="64KB")
    bare.start("seki-queue", "seki-notice")
    raw = make_leg(MAIL + (b"x" * 70 + b"\r\n") * 1500, trailer=BY_RULE + "nobody\n")
    words, attached = bare.kept(raw, "forward audit@example.co.jp\n").mail().iter_parts()
    assert attached.get_content_type() == "text/rfc822-headers"
    assert "ヘッダーだけ" in words.get_content()


def test_a_letter(place: Place) -> None:
    """A text of ours to somebody here; it needs no leg."""
    text = "週報\nA line\n"
    answer = place.ask(make_leg(), f"letter\nto chief@example.co.jp\nsubject {xtext('週')}\n\n{text}", fds=0)
    leg = Leg(place.raw(answer.split()[1]))
    mail = leg.mail()
    assert mail.get_content() == text.replace("\n", "\r\n") or mail.get_content() == text
    assert mail["Subject"] == "週" and mail["Auto-Submitted"] == "auto-generated"
    assert leg.head["client"] == "- origin=gateway" and leg.head["from"] == "<> body=7bit"
    assert place.ask(make_leg(), "letter\nto chief\nsubject x\n\ntext\n", fds=0) == "wrong address"
    assert place.ask(make_leg(), "letter\nto a@b\nsubject x\n\n" + "x" * (256 * 1024 + 1), fds=0) == "wrong request"


def test_the_sites_own_time(bare: Place) -> None:
    """time-zone, also in sessions, which can open no file of the system's zones."""
    bare.settings(time_zone="Pacific/Kiritimati")
    bare.start("seki-queue", "seki-notice")
    words = next(iter(bare.kept(make_leg()).mail().iter_parts())).get_content()
    assert " +1400" in words


# ---- no loops ----


def test_S2_nothing_for_the_null_sender(place: Place) -> None:
    assert place.ask(make_leg(sender="<>")) == "none null-sender"
    assert place.everything() == []


def test_S2_nothing_about_the_gateways_own_mail(place: Place) -> None:
    """A notification that cannot be delivered is asked about: there is none."""
    raw = place.raw(place.ask(make_leg()).split()[1])
    assert place.ask(raw) == "none gateway-mail"
    assert place.ask(make_leg(client="- origin=gateway")) == "none gateway-mail"
    assert len(place.everything()) == 1


# ---- the door ----


def test_the_origin_cannot_be_forged(place: Place) -> None:
    """By the door of the sessions nothing passes for the gateway's own; by its own door nothing else comes."""
    for client in ("192.0.2.10 helo=x origin=gateway", "- origin=gateway", "- origin=", "192.0.2.10 origin=other proto=smtp"):
        assert place.hand_in("run/queue/socket", client) == "T", client
    for client in ("192.0.2.10", "- origin=gateway", "- helo=x", "- hold=foreign-sender", "- auth=alice", "-  "):
        assert place.hand_in("run/own/socket", client) == "T", client
    assert place.hand_in("run/own/socket", "-", "quota 1 1\n") == "T"
    assert place.everything() == []
    assert place.hand_in("run/own/socket", "-", "size 100\n") == "K"
    assert place.hand_in("run/queue/socket", "192.0.2.10 helo=origin=gateway") == "K"
    assert place.hand_in("run/queue/socket", "192.0.2.10 helo=gateway") == "K"
    legs = wait_for(lambda: [Leg(p.read_bytes()) for p in place.spool("new")] if len(place.spool("new")) == 3 else [], 20)
    assert sorted(leg.head["client"] for leg in legs) == [
        "- origin=gateway", "192.0.2.10 helo=gateway", "192.0.2.10 helo=origin=gateway"]


@pytest.mark.skipif(not ROOT, reason="only root can run programs as several users")
def test_who_reaches_the_doors(place: Place) -> None:
    def reaches(user: str, door: str) -> bool:
        code = f"import socket; socket.socket(socket.AF_UNIX).connect({door!r})"
        return subprocess.run(["s6-setuidgid", user, "/usr/bin/python3", "-c", code], cwd=place.root,
                              capture_output=True, timeout=60).returncode == 0
    for user in ("sekid", "sekis", "sekir", "sekia", "sekix", "nobody"):
        assert not reaches(user, "run/own/socket"), user
    assert reaches("sekio", "run/own/socket") and reaches("sekir", "run/notice/socket")
    for user in ("sekid", "sekia", "sekix", "nobody"):
        assert not reaches(user, "run/notice/socket"), user
    for user in ("sekid", "sekis", "sekir", "sekih", "sekiw", "nobody"):
        assert not reaches(user, "run/letter/socket"), user
    assert reaches("sekij", "run/letter/socket") and not reaches("sekij", "run/notice/socket")


LOGIN = "gate login\nto alice@example.co.jp\nlang en\nvar url https://x.example/gate/login?abc\nvar source 192.0.2.1\n"


def test_what_is_asked_for_at_the_door_for_logins(place: Place) -> None:
    """The mail by which people log in (W2), and nothing else; nobody else gets that."""
    def asked(text: str, door: str = "run/letter/socket", leg: bytes = b"") -> str:
        with place.connect(door) as s:
            prefix = struct.pack(">I", len(text.encode()))
            if leg:
                fd = place.open_leg(leg)
                socket.send_fds(s, [prefix], [fd])
                os.close(fd)
            else:
                s.sendall(prefix)
            s.sendall(text.encode())
            return s.makefile("rb").read().decode().rstrip("\n")
    before = len(place.everything())
    for text in (LOGIN.replace("login", "hold", 1), LOGIN + "attach draft\n", "letter\nto a@example.co.jp\nsubject x\n\nx\n", "refused\n",
                 "forward a@example.co.jp\n", FAILED):
        assert asked(text, leg=make_leg()) == "wrong door", text
    assert asked(LOGIN, leg=make_leg()) == "wrong door"
    assert asked(LOGIN.replace("login", "hold", 1)) == "wrong door"
    assert asked(LOGIN, "run/notice/socket") == "wrong door"
    assert len(place.everything()) == before
    answer = asked(LOGIN)
    assert answer.startswith("kept "), answer
    leg = Leg(place.raw(answer.split()[1]))
    assert leg.head["from"].startswith("<>") and leg.head["to"].startswith("alice@example.co.jp ")
    mail = leg.mail()
    assert mail["Subject"] == "Your link to log in" and "https://x.example/gate/login?abc" in mail.get_body().get_content()


def test_nothing_is_counted(bare: Place) -> None:
    bare.settings(quota_source_hour="1", quota_source_day="1")
    bare.start("seki-queue", "seki-notice")
    for _ in range(3):
        bare.kept(make_leg())
    assert not (bare.root / "lib/quota/freeze").exists()
    assert "quota" not in bare.log("seki-queue")


def test_the_plan_is_fixed(bare: Place) -> None:
    """Whatever the settings say of other mail, a notification is delivered: one leg, one step."""
    bare.settings(plan_states="approve hold deliver", plan_hold="1h", plan_divide="recipient")
    bare.compile().start("seki-queue", "seki-scan", "seki-notice")
    leg = bare.kept(make_leg(), state="deliver")
    assert leg.trailer.startswith("plan 1 sha256=") and leg.trailer.splitlines()[1:] == [" deliver"]
    assert bare.hand_in("run/queue/socket", "192.0.2.10 helo=x") == "K"
    wait_for(lambda: bare.spool("approve"), 20, "other mail is approved")


# ---- later ----


def test_Q5_no_room(bare: Place) -> None:
    bare.settings(space_files="1000000000")
    bare.start("seki-queue", "seki-notice")
    assert bare.ask(make_leg()) == "later disk-full"
    assert bare.everything() == []
    assert bare.reload("seki-queue", space_files="0").startswith("taken ")
    bare.kept(make_leg())


def test_the_queue_is_down(bare: Place) -> None:
    bare.start("seki-notice")
    assert bare.ask(make_leg()) == "later queue-unreachable"
    bare.start("seki-queue")
    bare.kept(make_leg())
    bare.stop("seki-queue")
    assert bare.ask(make_leg()) == "later queue-unreachable"


def test_S9_larger_than_a_message_may_be(bare: Place) -> None:
    """The notification is made smaller: without the mail, then without the replies; then only a person helps."""
    bare.settings(message_size="64KB")
    bare.start("seki-queue", "seki-notice")
    big = MAIL + b"x" * 70 + b"\r\n"
    leg = bare.kept(make_leg(MAIL + (b"x" * 70 + b"\r\n") * 1500, sender="alice@example.co.jp ret=full"))
    assert list(leg.mail().iter_parts())[2].get_content_type() == "text/rfc822-headers"

    many = tuple(f"r{n}@partner.example" for n in range(1, 1001))
    reply = "x" * 500
    request = "dsn\n" + "".join(f"rcpt {n} failed status=5.1.1 {TRIED} reply={reply}\n" for n in range(1, 101))
    leg = bare.kept(make_leg(big, to=many), request)
    assert len(list(leg.mail().iter_parts())[1].get_payload()) == 101
    request = "dsn\n" + "".join(f"rcpt {n} failed status=5.1.1 {TRIED} reply={reply}\n" for n in range(1, 201))
    leg = bare.kept(make_leg(big, to=many), request)
    assert b"Diagnostic-Code" not in leg.content
    request = "dsn\n" + "".join(f"rcpt {n} failed status=5.1.1 {TRIED}\n" for n in range(1, 1001))
    assert bare.ask(make_leg(big, to=many), request) == "later larger-than-message-size"
    assert "event=notice-too-large alarm=yes" in bare.log("seki-notice")
    assert len(bare.everything()) == 3


# ---- what makes no sense ----


def test_wrong_requests(place: Place) -> None:
    leg = make_leg()
    for request in ("", "dsn\n", "dsn\nrcpt 1 failed\n", FAILED + FAILED[4:], "x" * 100):
        assert place.ask(leg, request).startswith("wrong "), request
    assert place.ask(leg, FAILED, fds=0) == "wrong no-leg"
    assert place.ask(leg, FAILED, flags=os.O_RDWR) == "wrong no-leg"
    assert place.ask(leg, FAILED.replace("rcpt 1", "rcpt 2")) == "wrong no-such-recipient"
    assert place.ask(leg.replace(b"alice", b"alicf"), FAILED) == "wrong leg-unreadable"
    assert place.ask(leg[:-200]) == "wrong leg-unreadable"
    with place.connect() as s:
        s.sendall(struct.pack(">I", 8 * 1024 * 1024 + 1))
        assert s.recv(100) == b"wrong length\n"
    assert place.everything() == []
    wait_for(lambda: "event=notice-wrong alarm=yes" in place.log("seki-notice"))
    wait_for(lambda: "event=notice-malformed alarm=yes" in place.log("seki-notice"))
    place.kept(leg)


def test_further_descriptors_are_dropped(place: Place) -> None:
    assert place.ask(make_leg(), fds=3).startswith("kept ")


# ---- the process ----


def session_of(place: Place) -> int | None:
    """A process that serves a connection."""
    server = place.running["seki-notice"].pid
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return int(children[0]) if children else None


def test_it_is_confined(place: Place) -> None:
    with place.connect():
        child = wait_for(lambda: session_of(place), 20, "a session")
        where = Path(f"/proc/{child}/status")
        wanted = "Seccomp:\t2" if "sanitize" not in BUILD else "NoNewPrivs:\t1"
        status = wait_for(lambda: text if wanted in (text := where.read_text()) else "", 20, wanted)
        assert "NoNewPrivs:\t1" in status
        limits = Path(f"/proc/{child}/limits").read_text()
        assert [line.split()[4] for line in limits.splitlines() if line.startswith("Max core")] == ["0"]
        if ROOT:
            uid = pwd.getpwnam("sekio").pw_uid
            assert f"Uid:\t{uid}\t{uid}" in status


def test_a_confined_server_reads_its_settings_again(place: Place) -> None:
    """Also those of a file that has been replaced, and the word of whoever asks."""
    for n in range(2):
        replace(place.root / "run/reload", f"word-{n}\n")
        assert place.reload("seki-notice", notice_from=f"daemon-{n}@example.co.jp") == f"taken word-{n}\n"
        assert place.kept(make_leg()).mail()["From"].addresses[0].addr_spec == f"daemon-{n}@example.co.jp"
    assert "reload-unanswered" not in place.log("seki-notice")


def test_a_silent_client(bare: Place) -> None:
    """It is closed after notice-time; while it has the only place others wait, and are served then."""
    bare.settings(notice_time="1s", notice_clients="1")
    bare.start("seki-queue", "seki-notice")
    with bare.connect() as silent:
        silent.sendall(b"\0")
        assert bare.ask(make_leg()).startswith("kept ")
        assert silent.recv(1) == b""
    bare.wait_log("seki-notice", "event=notice-late")


def test_SIGTERM_drains(place: Place) -> None:
    """A request that has begun has its answer; nobody else is heard."""
    leg = place.open_leg(make_leg())
    with place.connect() as s:
        socket.send_fds(s, [struct.pack(">I", len(FAILED)) + FAILED[:10].encode()], [leg])
        wait_for(lambda: session_of(place), 20, "a session")
        process = place.running["seki-notice"]
        process.terminate()
        place.wait_log("seki-notice", "event=stopped-by")
        with pytest.raises(OSError):
            place.connect()
        s.sendall(FAILED[10:].encode())
        assert s.makefile("rb").read().startswith(b"kept ")
    os.close(leg)
    assert process.wait(20) == 0


def test_sessions_end_with_the_server(place: Place) -> None:
    with place.connect() as s:
        wait_for(lambda: session_of(place), 20, "a session")
        place.stop("seki-notice", signal.SIGKILL)
        assert s.recv(1) == b""
    place.start("seki-notice")
    place.kept(make_leg())


@pytest.mark.skipif("sanitize" in BUILD, reason="AddressSanitizer maps terabytes")
def test_memory_does_not_grow_with_the_mail(bare: Place) -> None:
    most = 48 * 1024 * 1024
    bare.settings(notice_return="1GB", message_size="150MB")
    bare.start("seki-queue")
    bare.start("seki-notice", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (most, most)))
    content = MAIL + (b"x" * 70 + b"\r\n") * (most * 2 // 72)
    answer = bare.ask(make_leg(content, sender="alice@example.co.jp ret=full"))
    assert answer.startswith("kept "), answer + bare.log("seki-notice")
    leg = Leg(bare.raw(answer.split()[1]))
    assert content in leg.content
    for odd in (b"", b"a bare \r and \0\r\n"):
        forwarded = bare.ask(make_leg(content + odd, trailer=BY_RULE + "nobody\n"), "forward audit@example.co.jp\n")
        assert forwarded.startswith("kept "), forwarded + bare.log("seki-notice")


def test_wrong_words_and_wrong_settings(bare: Place) -> None:
    done = subprocess.run([programs() / "seki-notice", "x"], cwd=bare.root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 100 and "event=usage" in done.stderr
    bare.settings(notice_from="nobody")
    done = subprocess.run([programs() / "seki-notice"], cwd=bare.root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 102 and "notice-from" in done.stderr
