"""What the spool tests share: legs written byte by byte, and where they stand. No tests here."""
import hashlib
import os
import secrets
import smtplib
import time
from datetime import datetime, timedelta, timezone

from conftest import wait_for

STATES = ["new", "approve", "hold", "encrypt", "stagger", "deliver", "sent", "trash", "refused", "bad"]
WITH_DUE = {"approve", "hold", "encrypt", "stagger", "deliver"}
OWNER = {"tmp": "sekiq", "new": "sekis", "approve": "sekih", "hold": "sekih", "encrypt": "seke", "stagger": "sekit",
         "deliver": "sekir", "sent": "sekir", "trash": "sekih", "refused": "sekih", "bad": "sekis"}
STAGE = {"new": "seki-scan", "approve": "seki-hold", "hold": "seki-hold", "encrypt": "seki-encrypt",
         "stagger": "seki-stagger", "deliver": "seki-deliver", "sent": "seki-deliver", "trash": "seki-hold",
         "refused": "seki-hold", "bad": "seki-scan"}
NEVER = "99991231T235959Z"
MAIL = b"From: alice@example.co.jp\r\nTo: bob@partner.example\r\nSubject: %s\r\n\r\nHello.\r\n"


def mail(tag: str) -> bytes:
    return MAIL % tag.encode()


def stamp(moment: datetime | None = None) -> str:
    moment = moment or datetime.now(timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def due(moment: datetime | None = None) -> str:
    moment = moment or datetime.now(timezone.utc)
    return moment.strftime("%Y%m%dT%H%M%SZ")


def later(**span: float) -> datetime:
    return datetime.now(timezone.utc) + timedelta(**span)


def new_id() -> str:
    return f"{time.time_ns() // 1000000:012x}" + secrets.token_hex(10)


def digest(leg_id: str, k: str, lines: str) -> str:
    return hashlib.sha256(f"{leg_id}.{k}\n{lines}".encode()).hexdigest()[:16]


def plan(leg_id: str, lines: str, k: str = "1") -> str:
    """The whole record of a plan."""
    return f"plan {lines.count(chr(10))} sha256={digest(leg_id, k, lines)}\n{lines}"


def leg(leg_id: str, content: bytes, trailer: str = "", k: str = "1", to: tuple[str, ...] = ("bob@partner.example",),
        version: int = 1) -> bytes:
    """A whole leg, as queue/README.md describes it."""
    head = f"sekisho-leg {version}\nid {leg_id}\nleg {k}\nfrom alice@example.co.jp\n"
    head += "".join(f"to {address}\n" for address in to)
    head += f"client 127.0.0.1 helo=pc1 proto=esmtp\naccepted {stamp()}\nsize {len(content):012}\n"
    head += f"sha256 {hashlib.sha256(content).hexdigest()}\n"
    head += f"head {hashlib.sha256(head.encode()).hexdigest()}\n\n"
    return head.encode() + content + f"\n-- {leg_id}\n{trailer}".encode()


def own(path, user: str) -> None:
    import pwd
    entry = pwd.getpwnam(user)
    os.lchown(path, entry.pw_uid, entry.pw_gid)


def put(gw, state: str, name: str, content: bytes, user: str | None = None, mode: int = 0o660) -> None:
    """A file that appears in a state as a leg does: whole, by one rename."""
    scratch = gw.root / "spool" / f".put-{secrets.token_hex(4)}"
    scratch.write_bytes(content)
    os.chmod(scratch, mode)
    own(scratch, user or OWNER[state])
    os.rename(scratch, gw.root / "spool" / state / name)


def places(gw, leg_id: str) -> list[tuple[str, str]]:
    """(state, name) of every file whose name has this id."""
    return [(state, path.name) for state in ["tmp", *STATES] for path in gw.spool(state) if leg_id in path.name]


def wait_in(gw, leg_id: str, state: str, seconds: float = 15) -> str:
    """Waits until the message stands in `state` and nowhere else; its name there."""
    def look():
        found = places(gw, leg_id)
        return found if found and all(place == state for place, _ in found) else None
    return wait_for(look, seconds, f"{leg_id} in {state}, not {places(gw, leg_id)}")[0][1]


def waiting(gw, state: str, n: int = 1, seconds: float = 15) -> list:
    """The files of a state, as soon as there are `n`."""
    return wait_for(lambda: files if len(files := gw.spool(state)) >= n else None, seconds, f"{n} in {state}")


def words(content: bytes, leg_id: str) -> list[str]:
    """The words of a trailer's records, in their order."""
    trailer = content.split(f"\n-- {leg_id}\n".encode(), 1)[1].decode()
    lines = [line for line in trailer.splitlines() if not line.startswith(" ")]
    return ["plan" if line.startswith("plan ") else line.split()[1] for line in lines]


def reply_code(gw, tag: str = "code", timeout: float = 60) -> int:
    """What the gateway says to a whole message: the code that decides."""
    try:
        with smtplib.SMTP("127.0.0.1", gw.port, timeout=timeout) as client:
            client.helo("client.example")
            for send in (lambda: client.mail("alice@example.co.jp"), lambda: client.rcpt("bob@partner.example")):
                code, _ = send()
                if code >= 400:
                    return code
            try:
                return client.data(mail(tag))[0]
            except smtplib.SMTPDataError as error:
                return error.smtp_code
    except smtplib.SMTPResponseException as error:
        return error.smtp_code


def restart(gw, *services: str) -> None:
    """Ends each service and waits for its successor to be ready."""
    for name in services:
        before = gw.pid(name)
        gw.svc("-t", name)
        wait_for(lambda: gw.pid(name) not in (before, -1), 15, f"{name} ended")
        gw.wait_ready(name)
