"""What the tests of the examples share: the office of etc/examples/etc, its mail, and the legs that a message becomes.
No tests here."""
import base64
import email
import email.message
import email.policy
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import conftest
from conftest import REPO, prepare, replace, wait_for
from test_spool_kit import STATES

EXAMPLES = REPO / "etc/examples"
BUILD = os.environ.get("SEKI_EXAMPLES_BUILD", "build")  # a tree of one's own while others build; with -testing beside it
TOKYO = ZoneInfo("Asia/Tokyo")
PATIENCE = 30
MINUTE = 60
HOUR = 3600

# Who is who: etc/examples/etc/people and groups.
TARO = "taro@example.co.jp"  # sales, an employee; his boss is BOSS
HANAKO = "hanako@example.co.jp"  # an employee of another department
BOSS = "buchou@example.co.jp"
TEMP = "haken@example.co.jp"
PART_TIME = "baito@example.co.jp"
NEWCOMER = "shinjin@example.co.jp"
TELEWORKER = "zaitaku@example.co.jp"
MAILER = "ikkatsu@example.co.jp"
KIOSK = "kiosk@example.co.jp"  # in the list no-files
AFFILIATED = "saburo@group.example"
OUTSIDER = "bob@partner.example"
ALPHA = "sato@alpha.example"  # a registered partner, アルファ商事
BETA = "kato@beta-works.example"  # another one, ベータ製作所
CUSTOMER = "jiro@customer.example"  # in the list important-customers
AUDIT = "internal-audit@example.co.jp"

NAMES = ["山田太郎", "佐藤花子", "鈴木一郎", "高橋美咲", "田中健一", "伊藤由美", "渡辺直樹", "中村恵子", "小林健太", "加藤陽子",
         "吉田浩二", "山本裕子"]
CARD = "4111 1111 1111 1111"
CARD_15 = "3782 822463 10005"
MYNUMBER = "1234 5678 9018"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg==")


def phones(n: int) -> list[str]:
    return [f"03-3{i:03}-1{i:03}" for i in range(100, 100 + n)]


def addresses(n: int) -> list[str]:
    return [f"東京都千代田区丸の内{i}丁目{i + 1}番{i + 2}号" for i in range(1, n + 1)]


# ---- mail --------------------------------------------------------------------------------------

File = tuple[str, bytes]


def table(*columns: list[str]) -> bytes:
    """A CSV file."""
    return "".join(",".join(row) + "\r\n" for row in zip(*columns)).encode()


def letter(subject: str = "ご連絡", sender: str = TARO, to: list[str] | str = OUTSIDER, cc: list[str] | str = (),
           body: str = "お世話になっております。よろしくお願いいたします。\n", files: list[File] = (), **more: str) -> EmailMessage:
    """A letter as a mail program writes it."""
    made = EmailMessage(policy=email.policy.SMTP)
    made["From"] = sender
    for name, value in (("To", to), ("Cc", cc)):
        if value:
            made[name] = value if isinstance(value, str) else ", ".join(value)
    made["Subject"] = subject
    made["Date"] = formatdate(localtime=True)
    made["Message-ID"] = make_msgid(domain="example.co.jp")
    for name, value in more.items():
        made[name.replace("_", "-")] = value
    made.set_content(body, cte="8bit" if body.isascii() else "base64")
    for name, content in files:
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return made


def raw_letter(part: str, to: str = OUTSIDER, sender: str = TARO) -> bytes:
    """A letter whose second part is written byte by byte: its fields, an empty line, its content."""
    head = (f"From: {sender}\r\nTo: {to}\r\nSubject: raw\r\nMessage-ID: {make_msgid(domain='example.co.jp')}\r\n"
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n")
    text = "Content-Type: text/plain; charset=utf-8\r\n\r\nHello.\r\n"
    return f"{head}--b0\r\n{text}--b0\r\n{part}\r\n--b0--\r\n".encode()


def sized(size: int, sender: str = TARO, to: str = OUTSIDER) -> bytes:
    """A message of exactly so many bytes, as a client sends it."""
    head = f"From: {sender}\r\nTo: {to}\r\nSubject: {size}\r\nMessage-ID: {make_msgid(domain='example.co.jp')}\r\n\r\n".encode()
    line = b"x" * 70 + b"\r\n"
    left = size - len(head)
    body = line * (left // len(line) - 1)
    body += b"y" * (left - len(body) - 2) + b"\r\n"
    assert len(head) + len(body) == size
    return head + body


# ---- a leg -------------------------------------------------------------------------------------

def plain(xtext: str) -> str:
    """A value of a record (RFC 3461, section 4)."""
    return re.sub(rb"\+([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), xtext.encode()).decode()


@dataclass
class Step:
    """A line of a plan or a record: its words, and its keys with their values."""
    words: list[str]
    keys: dict[str, str]

    @classmethod
    def of(cls, line: str) -> "Step":
        words, keys = [], {}
        for one in line.split():
            key, equals, value = one.partition("=")
            if equals:
                keys[key] = plain(value)
            else:
                words.append(one)
        return cls(words, keys)


@dataclass
class Leg:
    state: str
    name: str
    path: Path
    head: list[str]
    to: list[str]
    plan: list[Step] = field(default_factory=list)
    records: list[Step] = field(default_factory=list)

    @property
    def due(self) -> str:
        return self.name.split(".")[0] if self.name.count(".") > 1 and self.name[8:9] == "T" else ""

    def step(self, word: str) -> Step | None:
        """What the plan says of a state: "hold"."""
        return next((s for s in self.plan if s.words[0] == word), None)

    def steps(self, *words: str) -> list[Step]:
        return [s for s in self.plan if s.words[:len(words)] == list(words)]

    def record(self, word: str) -> Step | None:
        """The last record of that word; its first word is the time."""
        return next((r for r in reversed(self.records) if r.words[1] == word), None)

    def decided(self, function: str) -> list[Step]:
        return [r for r in self.records if r.words[1] == "decided" and r.keys["function"] == function]

    def number(self, rcpt: str) -> int:
        return self.to.index(rcpt) + 1

    def until(self) -> datetime:
        """When a hold ends."""
        return moment(self.step("hold").keys["until"])

    def accepted(self) -> datetime:
        return moment(next(line.split()[1] for line in self.head if line.startswith("accepted ")))


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)


def read_leg(state: str, path: Path) -> Leg:
    """Content is passed over by its size; a sent leg's reads as zeros."""
    data = path.read_bytes()
    head, _, rest = data.partition(b"\n\n")
    lines = head.decode().splitlines()
    size = int(next(line.split()[1] for line in lines if line.startswith("size ")))
    trailer = rest[size:].decode(errors="replace").split("\n")[2:-1]
    leg = Leg(state, path.name, path, lines, [line.split()[1] for line in lines if line.startswith("to ")])
    at = 0
    while at < len(trailer):
        line = trailer[at]
        at += 1
        if line.startswith("plan "):
            n = int(line.split()[1])
            leg.plan = [Step.of(x) for x in trailer[at:at + n]]
            at += n
        else:
            leg.records.append(Step.of(line))
    return leg


# ---- the office --------------------------------------------------------------------------------

class Office:
    """An instance with the configuration of etc/examples/etc, whose rules are swapped by "seki reload"."""

    def __init__(self, testing: bool = False, settings: dict[str, str] | None = None) -> None:
        files = {f"etc/{path.relative_to(EXAMPLES / 'etc')}": path.read_bytes()
                 for path in sorted((EXAMPLES / "etc").rglob("*")) if path.is_file()}
        self.gw = prepare({"time-zone": "Asia/Tokyo", **(settings or {})}, testing=testing, files=files,
                          submission=False)
        if BUILD != "build":
            self.gw.build = BUILD + ("-testing" if testing else "")
            conftest._built.add(self.gw.build)
        if testing:
            self.gw.clock(0, 0, True)
        for folder in ("passwords", "texts"):  # as an administrator has to copy them
            for path in (self.gw.root / "etc" / folder).glob("*"):
                os.chmod(path, 0o640)
        self.gw.start()
        self.lines: dict[str, list[str]] = {}

    # ---- its rules ----

    def rules(self, *examples: str, text: str = "", layers: dict[str, str] | None = None) -> None:
        """These examples, in this order, and nothing else are in force: below must/, as 50-, 51- ...; `text` behind
        them; `layers` has further files by their name below etc/policy."""
        policy = self.gw.root / "etc/policy"
        for layer in ("must", "group", "user", "default", "tests"):
            shutil.rmtree(policy / layer, ignore_errors=True)
            (policy / layer).mkdir()
        self.lines = {}
        for n, name in enumerate(examples):
            self._put(f"must/{50 + n}-{name}", (EXAMPLES / name).read_text())
        if text:
            self._put("must/90-more", text)
        for name, content in (layers or {}).items():
            self._put(name, content)
        done = self.gw.seki("reload")
        assert done.returncode == 0, done.stdout + done.stderr

    def _put(self, name: str, content: str) -> None:
        path = self.gw.root / "etc/policy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, content)
        self.lines[name] = content.splitlines()

    def where(self, rule: str) -> str:
        """The place of the rule of that name: "must/50-S1-03-outsiders-wait:11"."""
        found = [f"{name}:{n}" for name, lines in self.lines.items() for n, line in enumerate(lines, 1)
                 if line.split()[:2] == ["rule", rule]]
        assert len(found) == 1, (rule, found)
        return found[0]

    # ---- mail ----

    def send(self, mail: EmailMessage | bytes, to: list[str] | str | None = None, sender: str | None = None) -> str:
        """Hands it in; the envelope is what the header says, if not given. The id of the message."""
        raw = mail if isinstance(mail, bytes) else mail.as_bytes()
        head = email.message_from_bytes(raw, policy=email.policy.SMTP)
        if to is None:
            to = [a.addr_spec for name in ("To", "Cc") if head[name] for a in head[name].addresses]
        if sender is None:
            sender = head["From"].addresses[0].addr_spec
        with self.gw.connect() as smtp:
            smtp.ehlo()
            code, said = smtp.mail(sender)
            assert code == 250, said
            for rcpt in [to] if isinstance(to, str) else to:
                code, said = smtp.rcpt(rcpt)
                assert code == 250, said
            code, said = smtp.data(raw)
            assert code == 250, said
        return re.search(rb"\b[0-9a-f]{32}\b", said)[0].decode()

    # ---- what became of it ----

    def legs(self, leg_id: str) -> list[Leg]:
        found = []
        for state in STATES:
            for path in (self.gw.root / "spool" / state).glob(f"*{leg_id}.*"):
                try:
                    found.append(read_leg(state, path))
                except FileNotFoundError:  # it has moved on
                    pass
        return found

    def leg(self, leg_id: str, rcpt: str, state: str | None = None) -> Leg:
        """The leg of that recipient, as soon as it is judged (and stands in `state`)."""
        def good(leg: Leg) -> bool:
            return (rcpt in leg.to and leg.state != "new" and bool(leg.plan or leg.record("refused"))
                    and state in (None, leg.state))
        return self.await_leg(leg_id, good, f"{rcpt} {state or 'judged'}")

    def await_leg(self, leg_id: str, good: Callable[[Leg], bool], what: str) -> Leg:
        """The first leg of the message that is good, as soon as there is one."""
        end = time.monotonic() + PATIENCE
        while True:
            seen = self.legs(leg_id)
            for leg in seen:
                if good(leg):
                    return leg
            if time.monotonic() > end:
                pytest.fail(f"not within {PATIENCE} seconds: {what}: {seen}")
            time.sleep(conftest.STEP)

    def delivered(self, leg_id: str, *rcpts: str) -> Leg:
        """Each of them has got it; the last one's leg."""
        for rcpt in rcpts:
            leg = self.leg(leg_id, rcpt, "sent")
            n = leg.number(rcpt)
            assert any(r.words[1] == "delivered" and n in numbers(r.keys.get("rcpt", "")) for r in leg.records), leg
        return leg

    def held(self, leg_id: str, rcpt: str, seconds: int, rule: str) -> Leg:
        """It waits in hold/ for so long after it was accepted, because of that rule."""
        leg = self.leg(leg_id, rcpt, "hold")
        step = leg.step("hold")
        assert step.keys["rule"] == self.where(rule), leg.plan
        assert (leg.until() - leg.accepted()).total_seconds() == pytest.approx(seconds, abs=0.001)
        assert leg.due == leg.until().strftime("%Y%m%dT%H%M%SZ") or seconds_off(leg) <= 1
        self.why(leg_id, "hold", rule)
        return leg

    def waits(self, leg_id: str, rcpt: str, state: str, rule: str, *words: str, function: str | None = None,
              **keys: str) -> Leg:
        """It stands in `state`, with a step of these words and keys in its plan, until an operator comes; and both
        "seki list" and "seki why" tell. `function`: of the rule, if it is not the state's name."""
        leg = self.leg(leg_id, rcpt, state)
        where = self.where(rule)
        step = next((s for s in leg.plan if s.words[:len(words)] == list(words)
                     and all(s.keys.get(k) == v for k, v in keys.items())), None)
        assert step, (words, keys, leg.plan)
        assert state == "deliver" or step.keys.get("rule") == where, leg.plan
        listed = self.gw.seki("list", state).stdout
        assert any(leg_id in line for line in listed.splitlines()), listed
        self.why(leg_id, function or state, rule)
        assert not any(r.words[1] in ("delivered", "failed") for r in leg.records), leg
        return leg

    def why(self, leg_id: str, function: str, rule: str) -> str:
        """"seki why" has a line of that function with the rule's place and name."""
        said = self.gw.seki("why", leg_id)
        assert said.returncode == 0, said.stderr
        where = self.where(rule)
        assert any(function in line.split()[:2] and where in line and rule in line
                   for line in said.stdout.splitlines()), (function, where, said.stdout)
        return said.stdout

    def refused(self, leg_id: str, rule: str, why: str | None = None) -> Leg:
        """Nobody gets it: it stands whole in refused/, with the reason of that rule."""
        leg = self.await_leg(leg_id, lambda x: x.state == "refused" and x.record("refused") is not None, "refused")
        record = leg.record("refused")
        assert record.keys["rule"] == self.where(rule), record
        if why is not None:
            assert record.keys["why"] == why
        assert [x.state for x in self.legs(leg_id)] == ["refused"]
        self.why(leg_id, "refuse", rule)
        return leg

    def bounced(self, leg_id: str, rule: str, why: str, to: str = TARO) -> email.message.Message:
        """It is refused, and the sender has been told the reason in its own words; the notice."""
        self.refused(leg_id, rule, why)
        leg = self.await_leg(leg_id, lambda x: x.record("told") is not None, "told")
        notice_id = leg.record("told").keys["notice"]
        notice = self.mail_of(notice_id, to)
        assert notice.get_content_type() == "multipart/report"
        assert why in text_of(notice), notice.as_string()
        return notice

    def silent(self, leg_id: str) -> None:
        """It is refused, and the sender is not told, neither when whoever is to know of it has been told nor later."""
        leg = self.legs(leg_id)[0]
        assert leg.record("refused").keys["tell"] == "nobody"
        forwards = [a for a in leg.record("refused").keys.get("forward", "").split(",") if a]
        wait_for(lambda: sum(r.words[1] == "forwarded" for r in self.legs(leg_id)[0].records) == len(forwards), PATIENCE,
                 "forwarded")
        assert not self.legs(leg_id)[0].record("told")

    def passes(self, leg_id: str, *rcpts: str) -> None:
        """No rule concerned it: each of them has got it, and the plan is to deliver it."""
        for rcpt in rcpts:
            leg = self.delivered(leg_id, rcpt)
            assert [s.words for s in leg.plan] == [["deliver"]] and not leg.plan[0].keys, leg.plan

    def mail_of(self, leg_id: str, rcpt: str) -> email.message.Message:
        """What was delivered of that message to that recipient."""
        leg = self.delivered(leg_id, rcpt)
        name = re.search(rf"{leg_id}\.[0-9.]+", leg.name)[0].rstrip(".")
        box = self.gw.root / "outbox/new"
        path = next(p for p in box.iterdir() if f".{name}.{leg.number(rcpt)}" in p.name)
        return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)

    def all_mail(self) -> list[email.message.Message]:
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.gw.delivered()]

    # ---- time (the test build) ----

    def at(self, local: datetime) -> None:
        """The clock says this time of the site from the next whole second on; never back."""
        time.sleep(1 - time.time() % 1)
        offset = int(local.replace(tzinfo=TOKYO).timestamp()) - int(time.time())
        self.gw.clock(offset, offset, True)

    def later(self, seconds: int) -> None:
        """So much time has passed."""
        offset = int((self.gw.root / "run/clock").read_text().split()[0]) + seconds
        self.gw.clock(offset, offset, True)


def seconds_off(leg: Leg) -> float:
    named = datetime.strptime(leg.due, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    return abs((named - leg.until()).total_seconds())


def numbers(text: str) -> set[int]:
    """"1,3-5"."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def text_of(mail: email.message.Message) -> str:
    """All texts of a mail for people to read, line breaks as blanks left out of Japanese."""
    return "\n".join(part.get_content() for part in mail.walk() if part.get_content_type() == "text/plain")


def attached_letter(mail: email.message.Message) -> email.message.Message:
    """The message/rfc822 within."""
    part = next(p for p in mail.walk() if p.get_content_type() == "message/rfc822")
    return part.get_payload(0)


@contextmanager
def office_open(**words) -> Iterator[Office]:
    made = Office(**words)
    try:
        yield made
    finally:
        made.gw.stop()
