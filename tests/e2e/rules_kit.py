"""What the tests of rules share: an organisation, rules that are put in force, mail that is sent, and what became of
it, read from the legs and the outbox by themselves. No tests here."""
import os
import re
import signal
import smtplib
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import conftest
import rules_model as model
from conftest import Gateway, prepare, wait_for
from facts_kit import attached, mail, text
from test_spool_kit import STATES

BUILD = os.environ.get("SEKI_RULES_BUILD", "build")  # a tree of one's own while others build
OWN = model.OWN
ALICE, BOB, CAROL, DAVE = (f"{name}@{OWN}" for name in ("alice", "bob", "carol", "dave"))
PLACES = ["tmp", *STATES, *(f"split/{stage}" for stage in ("scan", "hold", "encrypt", "deliver"))]
AT_REST = {"approve", "hold", "encrypt", "stagger", "sent", "refused", "trash"}


# ---- the organisation --------------------------------------------------------------------------


def people() -> str:
    lines = []
    for address, groups in model.PEOPLE.items():
        more = (f" group={','.join(groups)}" if groups else "") + (
            f" boss={boss}" if (boss := model.BOSS.get(address)) else "")
        lines.append(f"{address}{more}\n")
    return "".join(lines)


def org() -> dict[str, str]:
    """The files of etc/ that rules name."""
    files = {"etc/people": people(), "etc/domains": f"{OWN} internal\n{model.AFFILIATED} affiliated\n",
             "etc/partners": "".join(f"{domain} | Company {n} Ltd\n" for n, domain in enumerate(model.PARTNERS)),
             "etc/groups": "".join(f"{group}\n" for group in model.GROUPS), "etc/allow": ALLOW}
    files |= {f"etc/lists/{name}": "".join(who + "\n" for who in whom) for name, whom in model.LISTS.items()}
    return files


ALLOW = "group refuse approve hold files stagger\nuser approve hold files stagger\n"


def instance(rules: dict[str, str] | None = None, settings: dict[str, str] | None = None,
             files: dict[str, str] | None = None, relay: str = conftest.RELAY, testing: bool = False) -> Gateway:
    """Prepared, not started. `rules`: paths below etc/policy."""
    if BUILD != "build":
        conftest._built.add(BUILD)
    every = org() | {f"etc/policy/{path}": content for path, content in (rules or {}).items()} | (files or {})
    gw = prepare(settings={"foreign-sender": "allow"} | (settings or {}), relay=relay, testing=testing, files=every)
    if not testing:
        gw.build = BUILD
    return gw


def put_rules(gw: Gateway, rules: dict[str, str]) -> str:
    """These and no others are in force; the digest by which legs name them."""
    policy = gw.root / "etc/policy"
    for path in sorted(policy.rglob("*"), reverse=True):
        if path.is_file():
            path.unlink()
    for name, content in rules.items():
        path = policy / name
        path.parent.mkdir(parents=True, exist_ok=True)
        conftest.replace(path, content)
    return reload(gw)


def reload(gw: Gateway) -> str:
    done = gw.seki("reload")
    assert done.returncode == 0, done.stderr
    return digest(gw)


def digest(gw: Gateway) -> str:
    """Of the rules in force."""
    return os.readlink(gw.root / "lib/compiled/current").rpartition("/")[2].split("-")[0]


# ---- mail --------------------------------------------------------------------------------------


def raw_of(m: model.Message) -> bytes:
    head = f"From: {m.sender}\r\n"
    head += f"To: {', '.join(m.to)}\r\n" if m.to else ""
    head += f"Cc: {', '.join(m.cc)}\r\n" if m.cc else ""
    head += f"X-Class: {m.mark}\r\n" if m.mark else ""
    parts = [text(m.body), *(attached(f.text.encode(), f.name) for f in m.files)]
    return mail(*parts, head=head, subject=m.subject)


class Client:
    """A session that says which id each message got."""

    def __init__(self, gw: Gateway) -> None:
        self.smtp = smtplib.SMTP("127.0.0.1", gw.port, timeout=60)
        self.smtp.ehlo("client.example")

    def send(self, raw: bytes, sender: str, rcpts: list[str] | tuple[str, ...] | str) -> str:
        for said in (self.smtp.mail(sender), *(self.smtp.rcpt(r) for r in ([rcpts] if isinstance(rcpts, str) else rcpts))):
            assert said[0] < 300, said
        code, said = self.smtp.data(raw)
        assert code == 250, said
        return re.search(rb"[0-9a-f]{32}", said).group().decode()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_) -> None:
        self.smtp.close()


def send(gw: Gateway, tag: str, to: str | list[str] = "p1@partner.example", sender: str = ALICE, raw: bytes = b"",
         head: str = "", body: str = "Hello.") -> str:
    """One message; its id."""
    with Client(gw) as client:
        return client.send(raw or mail(text(body), head=f"From: {sender}\r\nTo: {named(to)}\r\n{head}", subject=tag), sender, to)


def named(to: str | list[str]) -> str:
    return to if isinstance(to, str) else ", ".join(to)


# ---- legs --------------------------------------------------------------------------------------


@dataclass
class Leg:
    state: str
    name: str
    rcpts: list[str]
    accepted: datetime
    plan: list[str] = field(default_factory=list)  # its lines
    records: list[str] = field(default_factory=list)

    def words(self) -> list[str]:
        return [line.split()[0] for line in self.plan]

    def of(self, word: str) -> list[dict[str, str]]:
        """The records of a word, as their values."""
        return [values(r) for r in self.records if r.split()[1] == word]

    def step(self, word: str) -> str:
        return next((line for line in self.plan if line.split()[0] == word), "")


def values(record: str) -> dict[str, str]:
    return {key: unxtext(value) for key, value in (w.split("=", 1) for w in record.split()[2:] if "=" in w)}


def unxtext(value: str) -> str:
    raw = re.sub(rb"\+([0-9A-F]{2})", lambda m: bytes([int(m.group(1), 16)]), value.encode())
    return raw.decode(errors="replace")


def moment(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)


def read_leg(path: Path, state: str) -> Leg:
    data = path.read_bytes()
    head = data[:data.index(b"\n\n")].decode().splitlines()
    fields = dict(line.split(" ", 1) for line in head)
    trailer = data.rpartition(f"\n-- {fields['id']}\n".encode())[2].decode()
    leg = Leg(state, path.name, [unxtext(line.split(" ")[1]) for line in head if line.startswith("to ")],
              moment(fields["accepted"]))
    for line in trailer.splitlines():
        if line.startswith("plan "):
            leg.plan = []
        elif line.startswith(" "):
            leg.plan.append(line.strip())
        else:
            leg.records.append(line)
    return leg


def legs(gw: Gateway, leg_id: str) -> list[Leg]:
    """All files of a message."""
    found = []
    for place in PLACES:
        for path in (gw.root / "spool" / place).glob(f"*{leg_id}*"):
            try:
                found.append(read_leg(path, place))
            except FileNotFoundError:
                pass
    return found


def rests(gw: Gateway, ids: list[str], seconds: float = 60) -> None:
    """Waits until each of these messages stands where only time or a person moves it."""
    def under_way() -> list[str]:
        return [f"{place}/{path.name}" for place in PLACES if place not in AT_REST
                for path in (gw.root / "spool" / place).iterdir() if any(i in path.name for i in wanted(path.name))]

    every = set(ids)

    def wanted(name: str) -> set[str]:
        return every & {part for part in name.split(".") if len(part) == 32}
    wait_for(lambda: not under_way() and not under_way(), seconds, f"at rest: {under_way()[:3]}")


def rest(gw: Gateway, leg_id: str, seconds: float = 30) -> list[Leg]:
    """The legs of one message, as soon as all of them rest."""
    rests(gw, [leg_id], seconds)
    return legs(gw, leg_id)


def one(gw: Gateway, leg_id: str, state: str, seconds: float = 30) -> Leg:
    """Its only leg, which stands in `state`."""
    return wait_for(lambda: found[0] if len(found := legs(gw, leg_id)) == 1 and found[0].state == state else None,
                    seconds, f"{leg_id} in {state}/: {[(g.state, g.name) for g in legs(gw, leg_id)]}")


def outbox(gw: Gateway, leg_id: str = "") -> list[tuple[list[str], bytes]]:
    """(recipients, content) of each file in the outbox, of one message."""
    found = []
    for path in (gw.root / "outbox/new").iterdir():
        if leg_id in path.name:
            lines, _, content = path.read_bytes().partition(b"\r\n")
            rcpts = []
            while content.startswith(b"Delivered-To: "):
                line, _, content = content.partition(b"\r\n")
                rcpts.append(line.decode().split(" ", 1)[1])
            found.append((rcpts, content))
    return found


def delivered_to(gw: Gateway, leg_id: str) -> list[str]:
    """Each recipient as often as the mail was delivered to it."""
    return sorted(rcpt for rcpts, _ in outbox(gw, leg_id) for rcpt in rcpts)


def notices(gw: Gateway, about: str, to: str = ALICE) -> list[bytes]:
    """Notices of the gateway to somebody that speak of a text."""
    return [content for rcpts, content in outbox(gw) if rcpts == [to] and about.encode() in content
            and re.search(rb"(?mi)^Auto-Submitted: auto-", content)]


# ---- programs ----------------------------------------------------------------------------------


def kill(gw: Gateway, service: str) -> None:
    """kill -9 of what s6 runs under this name, and of nothing else; s6 starts it again."""
    pid = int(gw.state(service, "pid"))
    if pid <= 1:  # it is down just now
        return
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)") == str(gw.root / "bin" / service):
            signal.pidfd_send_signal(fd, signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        pass
    finally:
        os.close(fd)
