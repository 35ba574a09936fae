"""What the tests of held mail share: an office under the virtual clock, its people and rules, and what people see: the
notices in the outbox, the page behind a link, what left and to whom. No tests here."""
import email
import email.policy
import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from email.utils import make_msgid

import conftest
from conftest import RELAY, prepare, wait_for
from examples_kit import BUILD, TOKYO, Office, letter

ALICE, BOB, CAROL, DAVE, ERIN, BOSS, DEPUTY, CHIEF, INFO = (
    f"{name}@example.co.jp"
    for name in ("alice", "bob", "carol", "dave", "erin", "boss", "deputy", "chief", "info"))
ALIAS = "a.alice@example.co.jp"
WEB = "http://mail.example.co.jp"
MINUTE, HOUR, DAY = 60, 3600, 86400
PATIENCE = 15  # seconds, for what takes a moment

PEOPLE = f"""\
{ALICE} alias={ALIAS} shared={INFO} boss={BOSS} group=staff
{BOB} shared={INFO} boss={BOSS} group=staff lang=en
{CAROL} deputy={ERIN} boss={BOSS} group=staff,checkers
{DAVE} boss={BOSS} group=staff
{ERIN}
{BOSS} deputy={DEPUTY} boss={CHIEF}
{DEPUTY}
{CHIEF}
"""
FILES = {
    "etc/people": PEOPLE, "etc/groups": "staff\ncheckers\n", "etc/domains": "example.co.jp internal\n",
    "etc/partners": "alpha.example | 株式会社アルファ商事\nbeta.example | 株式会社ベータ製作所\n", "etc/holidays": "2026-01-01 example\n",
    "etc/lists/machines": "copier@example.co.jp\n",
}

# Which way mail to a domain waits: the words behind "do", and when its sender is told.
WAYS = {
    "five": ("hold 5m", "always"),
    "hour": ("hold 60m", "always"),
    "risky": ("hold 60m", "risky"),
    "never": ("hold 60m", "never"),
    "digest": ("hold until confirmed", "digest"),
    "confirm": ("hold until confirmed", "always"),
    "check": ("hold until checked", "always"),
    "lost": ("hold until confirmed else discard", "always"),
    "ends": ("hold 2d else discard", "always"),
    "morning": ("hold until 09:00 workday", "always"),
    "operator": ("hold for operator", "always"),
    "boss": ("approve by boss", "always"),
    "named": (f"approve by {CAROL}", "always"),
    "any": ("approve by any of group staff", "always"),
    "two": ("approve by 2 of group staff", "always"),
    "then": ("approve by any of group staff then boss", "always"),
}
RULES = "rule machines\n    from list machines\n    do hold no\n    do approve no\n\n" + "\n".join(
    f"rule {name}\n    to @{name}.example\n    do {action}\n    do notice {notice}\n"
    for name, (action, notice) in WAYS.items()) + f"""
rule history
    to      @history.example
    do      approve by any of group checkers
    do      insert end history

rule both
    to      @both.example
    do      approve by boss
    do      hold 2h
"""


def at(way: str, who: str = "p") -> str:
    """An address whose mail waits that way."""
    return f"{who}@{way}.example"


class Desk(Office):
    """An office whose clock stands at ten o'clock on a Monday, and goes on only as the test says."""

    def __init__(self, settings: dict[str, str] | None = None, rules: str = RULES, relay: str = RELAY,
                 submission: bool = False, web: bool = False) -> None:
        self.offset = 0
        self.gw = prepare({"time-zone": "Asia/Tokyo", **({} if web else {"web-url": WEB}), "foreign-sender": "allow",
                           "remind-every": "0s", **(settings or {})}, relay=relay, testing=True, files=FILES,
                          submission=submission, web=web)
        if BUILD != "build":
            self.gw.build = BUILD + "-testing"
            conftest._built.add(self.gw.build)
        today = datetime.now(TOKYO).replace(hour=10, minute=0, second=0, microsecond=0, tzinfo=None)
        self.at(today + timedelta(days=7 - today.weekday()))
        self.gw.start()
        self.lines = {}
        self.rules(text=rules)

    # ---- time ----

    def now(self) -> datetime:
        """UTC."""
        return datetime.now(timezone.utc) + timedelta(seconds=self.offset)

    def local(self) -> datetime:
        """As the site's clocks show it."""
        return self.now().astimezone(TOKYO).replace(tzinfo=None)

    def at(self, local: datetime) -> None:
        """The clock says this time of the site, or up to a second more; never back."""
        offset = int(local.replace(tzinfo=TOKYO).timestamp() - time.time()) + 1
        assert offset >= self.offset, f"{local} is past"
        self.offset = offset
        self.gw.clock(offset, offset, True)

    def later(self, seconds: int) -> None:
        self.offset += seconds
        self.gw.clock(self.offset, self.offset, True)

    def morning(self, hour: int = 10) -> datetime:
        """The next workday at that hour, the clock put there."""
        day = self.local().replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=1)
        while day.weekday() > 4:
            day += timedelta(days=1)
        self.at(day)
        return day

    # ---- mail ----

    def mail(self, way: str | list[str], subject: str = "", sender: str = ALICE, **more) -> str:
        """A letter to somebody of that way; its id."""
        to = [at(way)] if isinstance(way, str) else way
        return self.send(letter(subject=subject or f"{way} {make_msgid()[1:20]}", sender=sender, to=to, **more))

    def got(self, sent: str) -> dict[str, bytes]:
        """Who has it, and what he has."""
        found = {}
        for path in (self.gw.root / "outbox/new").glob(f"*.{sent}.*"):
            rcpts, content = opened(path.read_bytes())
            for rcpt in rcpts:
                assert rcpt not in found, f"{rcpt} has it twice"
                found[rcpt] = content
        return found

    def states(self, sent: str) -> set[str]:
        """Where its legs stand; one that is being renamed just now is looked for again."""
        return wait_for(lambda: {leg.state for leg in self.legs(sent)}, PATIENCE, sent)

    def rests(self, sent: str, *states: str) -> None:
        """All of its legs stand there."""
        wait_for(lambda: self.states(sent) == set(states), PATIENCE, f"{sent} in {states}: {self.states(sent)}")

    def record(self, sent: str, word: str) -> dict[str, str] | None:
        """The last record of that word in any of its legs."""
        found = [r for leg in self.legs(sent) for r in leg.records if r.words[1] == word]
        return {"at": found[-1].words[0], **found[-1].keys} if found else None

    # ---- people ----

    def door(self, credential: str, verb: str, **keys: str) -> dict:
        """What the people's socket answers, asked directly: for who must be quick."""
        line = " ".join([credential, verb, *(f"{k}={xtext(v)}" for k, v in keys.items())])
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(str(self.gw.root / "run/gate/socket"))
            s.sendall(line.encode() + b"\n")
            return json.loads(s.makefile("rb").read())

    def asks(self, who: str, verb: str, **keys: str) -> dict:
        """"seki gate", by a person's session (an address) or by a link. Like a page it shows before it acts: nobody decides
        about copies that he was not shown."""
        if verb == "act" and "shown" not in keys:
            of = {"id": keys["id"]} if "id" in keys else {}
            keys |= {"shown": shown} if (shown := self.asks(who, "show", **of).get("shown")) else {}
        as_whom = ["--as", who] if "@" in who else [who]
        done = self.gw.seki("gate", *as_whom, verb, *(f"{k}={v}" for k, v in keys.items()))
        assert done.stdout, done.stderr
        answer = json.loads(done.stdout)
        assert (done.returncode == 0) == (answer["result"] == "done"), (done.returncode, answer)
        return answer

    def acts(self, who: str, word: str, sent: str, **keys: str) -> dict:
        return self.asks(who, "act", word=word, id=sent, **keys)

    def does(self, who: str, word: str, sent: str, **keys: str) -> dict:
        answer = self.acts(who, word, sent, **keys)
        assert answer["result"] == "done", answer
        return answer

    def may_not(self, who: str, word: str, sent: str, **keys: str) -> dict:
        answer = self.acts(who, word, sent, **keys)
        assert answer["result"] in ("no", "forbidden"), answer
        return answer

    def can(self, who: str, sent: str) -> set[str]:
        """What his page offers."""
        return {word for one in self.asks(who, "show", id=sent).get("legs", []) for word in one["can"]}

    # ---- notices ----

    def letters(self, to: str, prefix: str = "", subject: str = "") -> list[EmailMessage]:
        """What the gateway wrote to him, oldest first."""
        found = []
        for raw in self.gw.delivered():
            rcpts, content = opened(raw)
            if to not in rcpts or b"\r\nAuto-Submitted: auto-generated\r\n" not in content:
                continue
            mail = email.message_from_bytes(content, policy=email.policy.default)
            if mail["Subject"].startswith(prefix) and mail["Subject"].endswith(subject):
                mail.raw = content
                found.append(mail)
        return found

    def told(self, to: str, prefix: str, subject: str, n: int = 1) -> EmailMessage:
        """He has exactly so many of these; the last of them."""
        found = wait_for(lambda: x if len(x := self.letters(to, prefix, subject)) >= n else None,
                         PATIENCE, f"{prefix} {subject} to {to}: {[m['Subject'] for m in self.letters(to)]}")
        assert len(found) == n, [m["Subject"] for m in found]
        return found[-1]

    def noticed(self, sent: str, what: str, n: int = 1) -> list[dict[str, str]]:
        """The records of who was told of that, as soon as there are so many."""
        def look() -> list[dict[str, str]]:
            return [r.keys for leg in self.legs(sent) for r in leg.records
                    if r.words[1] == "noticed" and r.keys["what"] == what]
        return wait_for(lambda: x if len(x := look()) >= n else None, PATIENCE, f"{what} noticed {n} times")

    def link(self, sent: str, *who: str) -> str:
        done = self.gw.seki("link", sent, *who)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def page(self, notice: EmailMessage) -> str:
        """The link in it."""
        (found,) = re.findall(r"^\[URL\] (\S+)$", words(notice), flags=re.M)
        assert found.startswith(f"{self.gw.web_url or WEB}/gate/m/?"), found
        return found


def opened(raw: bytes) -> tuple[list[str], bytes]:
    """Of a file in the outbox: whom it was delivered to, and what left."""
    rcpts = []
    while raw.startswith((b"Delivered-To: ", b"Return-Path: ")):
        line, _, raw = raw.partition(b"\r\n")
        if line.startswith(b"Delivered-To: "):
            rcpts.append(line.decode().split(" ", 1)[1])
    return rcpts, raw


def words(notice: EmailMessage) -> str:
    """Its text, lines ending in LF."""
    part = notice.get_body() if notice.is_multipart() else notice
    return part.get_payload(decode=True).decode(part.get_content_charset()).replace("\r\n", "\n")


def draft_of(notice: EmailMessage) -> bytes:
    """The .eml file in it, byte for byte."""
    (part,) = notice.iter_attachments()
    assert part.get_filename().endswith(".eml") and part.get_content_disposition() == "attachment"
    return part.get_payload(decode=True)


def xtext(text: str) -> str:
    plain = set(range(0x21, 0x7f)) - set(b'"=+')
    return "".join(chr(b) if b in plain else f"+{b:02X}" for b in text.encode())


def shown_time(utc: datetime) -> str:
    """As notices have it."""
    return utc.astimezone(TOKYO).strftime("%Y-%m-%d %H:%M:%S +0900")


@contextmanager
def desk_open(**how) -> Iterator[Desk]:
    made = Desk(**how)
    try:
        yield made
    finally:
        made.gw.stop()
