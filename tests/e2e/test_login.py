"""seki-login in a running instance, spoken to at its socket as the pages do (sekisho-login(5)): passwords, mailed links,
sessions, PINs. S0-12 (a person's own pages), W1 to W4."""
import contextlib
import email
import email.policy
import json
import os
import pwd
import re
import signal
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import conftest
from conftest import Gateway, prepare, replace, wait_for
from held_kit import xtext

BUILD = os.environ.get("SEKI_LOGIN_BUILD", "build/testing")  # a tree of one's own while others build
ALICE, BOB, CAROL, DAVE = (f"{name}@example.co.jp" for name in ("alice", "bob", "carol", "dave"))
PASSWORD = "正しい馬 = 電池 + ホッチキス"
PEOPLE = f"{ALICE} login=a.alice alias=alice.w@example.co.jp\n{BOB} lang=en\n{CAROL}\n{DAVE}\n"
RULES = "rule waits\n    to      @partner.example\n    do      hold 60m\n"
MINUTE, HOUR = 60, 3600


class Desk:
    """An instance whose clock can be moved, and what is asked of its seki-login."""

    def __init__(self, **settings: str) -> None:
        if BUILD != "build/testing":
            conftest._built.add(BUILD)
        self.gw = prepare(testing=True, settings={"web-url": "http://127.0.0.1:1/", "hold-notice": "never"} |
                          {k.replace("_", "-"): v for k, v in settings.items()},
                          files={"etc/people": PEOPLE, "etc/domains": "example.co.jp internal\n", "etc/policy/must/10-waits": RULES})
        self.gw.build = BUILD
        self.shift = 0
        self.sources = 0
        self.gw.clock(0, 0, True)
        self.gw.start()
        for login in ("a.alice", BOB, CAROL, DAVE, "eve"):
            self.password(login)
        wait_for(lambda: self.ask("session", token="x" * 43)["result"] == "forged", why="it answers")

    def password(self, login: str, password: str = PASSWORD) -> None:
        done = self.gw.seki("passwd", login, stdin=password + "\n")
        assert done.returncode == 0, done.stderr

    def source(self) -> str:
        """An address that nobody has used."""
        self.sources += 1
        return f"10.0.{self.sources // 250}.{self.sources % 250 + 1}"

    def later(self, seconds: int) -> None:
        self.shift += seconds
        self.gw.clock(self.shift, self.shift, True)

    def connect(self, path: str = "run/login/socket") -> socket.socket:
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(60)
        s.connect(str(self.gw.root / path))
        return s

    def line(self, line: bytes, path: str = "run/login/socket") -> dict:
        with self.connect(path) as s:
            s.sendall(line + b"\n")
            return json.loads(s.makefile("rb").read())

    def ask(self, verb: str, **keys: str | None) -> dict:
        words = [verb, *(f"{k}={xtext(v)}" for k, v in keys.items() if v is not None)]
        return self.line(" ".join(words).encode())

    def login(self, login: str = BOB, password: str = PASSWORD, source: str = "") -> dict:
        return self.ask("password", login=login, password=password, source=source or self.source())

    def token(self, login: str = BOB) -> str:
        answer = self.login(login)
        assert answer["result"] == "done", answer
        return answer["token"]

    def session(self, token: str) -> dict:
        return self.ask("session", token=token, source="192.0.2.1")

    def alive(self, token: str) -> bool:
        answer = self.session(token)
        assert answer["result"] in ("done", "forged", "expired"), answer
        return answer["result"] == "done"

    def link(self, address: str, source: str = "", lang: str | None = None) -> dict:
        answer = self.ask("link", address=address, source=source or self.source(), lang=lang)
        assert answer["result"] == "done", answer
        return answer

    def mails(self) -> list[email.message.EmailMessage]:
        parsed = [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.gw.delivered()]
        return [mail for mail in parsed if "/gate/login?" in text_of(mail)]

    def mailed(self, address: str, **more: str) -> tuple[dict, str, email.message.EmailMessage]:
        """What the browser was told, the link's token, and the mail."""
        before = len(self.mails())
        told = self.link(address, **more)
        mail = wait_for(lambda: self.mails()[before:], 60, f"a link for {address}")[0]
        return told, re.search(r"http://127\.0\.0\.1:1/gate/login\?([\w-]{43})\s", text_of(mail))[1], mail

    def open(self, token: str, **keys: str | None) -> dict:
        return self.ask("open", token=token, source="192.0.2.9", **keys)

    def log(self) -> str:
        return self.gw.log("seki-login")

    def audited(self, what: str, *words: str) -> str:
        """The last line that says it, with all these words; seki-audit writes it soon."""
        def look() -> list[str]:
            lines = [line for path in sorted((self.gw.root / "lib/audit/log").glob("2*")) for line in path.read_text().splitlines()]
            return [line for line in lines if f" program=seki-login what={what} " in line and all(f" {word} " in line for word in words)]
        return wait_for(look, 30, f"{what} {words} in the audit log")[-1]

    def restart(self) -> None:
        self.gw.svc("-wR", "-r", "seki-login")

    def ready(self) -> bool:
        try:
            return self.ask("session", token="x" * 43)["result"] == "forged"
        except (OSError, ValueError):
            return False

    def reload(self) -> None:
        done = self.gw.seki("reload")
        assert done.returncode == 0, done.stderr


def text_of(mail: email.message.EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return body.get_content() if body else ""


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    made = Desk(auth_delay="1s")
    try:
        yield made
    finally:
        made.gw.stop()


# ---- passwords -----------------------------------------------------------------------------------


def test_W4_each_login_is_a_new_session(desk: Desk) -> None:
    """S0-12, W4: a right password makes a session of its own, never one that somebody had before."""
    first, second = desk.login("a.alice"), desk.login("A.Alice")
    assert first["result"] == second["result"] == "done" and first["token"] != second["token"]
    assert re.fullmatch(r"[\w-]{43}", first["token"]) and first["address"] == ALICE
    answer = desk.session(first["token"])
    assert answer["address"] == ALICE and answer["lang"] == "ja" and answer["pin"] is False
    assert desk.session(desk.token(BOB))["lang"] == "en"
    desk.audited("login", f"by={ALICE}", "via=password")
    desk.audited("login", f"by={BOB}", "via=password")


def test_W3_a_wrong_password_says_nothing_and_costs_time(desk: Desk) -> None:
    """W3, W2: of a login that there is not as of another; each failure waits longer."""
    wrong, none = desk.source(), desk.source()
    begun = time.monotonic()
    answers = [desk.login(BOB, "wrong", wrong), desk.login("nobody@example.co.jp", "wrong", none)]
    assert time.monotonic() - begun > 1.9
    assert answers[0] == answers[1] and answers[0]["result"] == "no" and answers[0]["code"] == "wrong"
    begun = time.monotonic()
    desk.login(BOB, "wrong", wrong)
    assert time.monotonic() - begun > 1.9
    # Who is slowed down so is not shut out.
    assert desk.login(BOB)["result"] == "done"


def test_a_login_that_is_nobodys_lets_nobody_in(desk: Desk) -> None:
    """The password is right, but there is no mail of "eve"."""
    answer = desk.login("eve")
    assert answer["result"] == "no" and answer["code"] == "wrong"


@pytest.mark.parametrize("login,password", [("", "x"), ("x" * 256, "x"), ("a\nb", "x"), (BOB, ""), (BOB, "x" * 1025)])
def test_what_is_no_login_is_wrong(desk: Desk, login: str, password: str) -> None:
    answer = desk.login(login, password)
    assert answer["result"] == "no" and answer["code"] == "wrong"


def test_a_slow_check_keeps_nobody_waiting(desk: Desk) -> None:
    """While seki-auth answers nothing, who is logged in goes on."""
    token = desk.token()
    stopped = desk.gw.pid("seki-auth")
    os.kill(stopped, signal.SIGSTOP)
    try:
        asked = [desk.connect() for _ in range(20)]
        for s in asked:
            s.sendall(f"password login={BOB} password=x source={desk.source()}\n".encode())
        begun = time.monotonic()
        assert all(desk.session(token)["result"] == "done" for _ in range(20))
        assert time.monotonic() - begun < 5
        for s in asked[:10]:
            s.close()
    finally:
        os.kill(stopped, signal.SIGCONT)
    for s in asked[10:]:
        assert json.loads(s.makefile("rb").read())["code"] == "wrong"
        s.close()


def test_W3_one_source_does_not_take_up_all_places(desk: Desk) -> None:
    """W3: who asks again and again from one place is told so at once; others are still asked about."""
    stopped = desk.gw.pid("seki-auth")
    os.kill(stopped, signal.SIGSTOP)
    try:
        asked = [desk.connect() for _ in range(20)]
        for n, s in enumerate(asked):
            s.sendall(f"password login=p{n}@example.co.jp password=x source=2001:db8:77:1::{n:x}\n".encode())
        for s in asked[8:]:
            assert json.loads(s.makefile("rb").read())["code"] == "capped"
        other = desk.connect()
        other.sendall(f"password login={BOB} password={xtext(PASSWORD)} source={desk.source()}\n".encode())
        for s in asked:
            s.close()
    finally:
        os.kill(stopped, signal.SIGCONT)
    assert json.loads(other.makefile("rb").read())["result"] == "done"
    other.close()


def test_W2_no_password_crosses_in_clear(desk: Desk) -> None:
    """W2: pages at http:// are for a trial alone: elsewhere no password is asked about, and no link is mailed."""
    desk.gw.setting(trial="no")
    desk.reload()
    try:
        assert desk.login(BOB)["code"] == "later"
        assert re.search("event=login-unsafe alarm=yes", desk.log()) and re.search("event=login-unchecked alarm=yes .*http", desk.log())
    finally:
        desk.gw.setting(trial="yes")
        desk.reload()
    assert desk.login(BOB)["result"] == "done"


def test_W2_what_was_typed_into_the_wrong_field_is_not_logged(desk: Desk) -> None:
    """W2: a password in the field of the address; a login that is somebody's, or an address of our own, is logged."""
    for typed in ("hunter2 in clear", "p@ssw0rd", "Tr0ub4dor"):
        desk.login(typed, "x")
        for n in range(6):
            desk.ask("link", address=typed, source="10.4.0.1")
    desk.login("a.alice", "x")
    desk.login("nobody@example.co.jp", "x")
    wait_for(lambda: desk.log().count("event=login-link-none address=(unknown)") >= 15 or desk.later(31), 60, "they are judged")
    assert not [typed for typed in ("hunter2", "ssw0rd", "r0ub4dor") if typed in desk.log()]
    assert "login=a.alice" in desk.log() and "login=nobody@example.co.jp" in desk.log() and "login=(unknown)" in desk.log()


def test_W3_nobody_locks_the_owner_out() -> None:
    """W3: the cap of a login stops strangers; its owner comes in from where he was before, and by mail from anywhere; tries at
    the same time do not go beyond the cap."""
    desk = Desk(auth_delay="0s", auth_failures_login="5", auth_failures_source="4", auth_cache="0s")
    try:
        home, checker = desk.source(), desk.gw.pid("seki-auth")
        assert desk.login(BOB, source=home)["result"] == "done"
        answers: list[dict] = []
        threads = [threading.Thread(target=lambda: answers.append(desk.login(BOB, "guess", source=f"10.9.{i}.1"))) for i in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        codes = [answer["code"] for answer in answers]
        # A client whose back end was just starting was freed while its socket was still watched.
        assert desk.gw.pid("seki-auth") == checker
        assert len(codes) == 12 and set(codes) <= {"wrong", "capped"}
        # Those that had begun when the cap was reached still end (auth-checks, 8 at once).
        assert 5 <= codes.count("wrong") <= 5 + 8
        assert desk.login(BOB)["code"] == "capped"
        assert desk.login(BOB, source=home)["result"] == "done"
        told, token, _ = desk.mailed(BOB)
        assert desk.open(token, nonce=told["nonce"])["result"] == "done"
        # A source that guesses is stopped for everybody's logins, for a while.
        for _ in range(4):
            desk.login(CAROL, "guess", source="10.8.0.1")
        assert desk.login(DAVE, source="10.8.0.1")["code"] == "capped"
        assert desk.login(DAVE)["result"] == "done"
        desk.later(20 * MINUTE)
        assert desk.login(DAVE, source="10.8.0.1")["result"] == "done"
    finally:
        desk.gw.stop()


# ---- mailed links --------------------------------------------------------------------------------


def test_W2_a_link_works_once_in_the_browser_that_asked(desk: Desk) -> None:
    """S0-12, W2: by mail, for those who have no password; used up by being opened."""
    told, token, mail = desk.mailed(CAROL, source="192.0.2.77")
    assert told["minutes"] == 15 and re.fullmatch(r"\d{4}", told["number"])
    assert mail["To"].addresses[0].addr_spec == CAROL and "192.0.2.77" in text_of(mail)
    assert mail["Auto-Submitted"] and "ログイン" in text_of(mail)
    # The number stands in no mail.
    assert told["number"] not in re.sub(r"http\S+|\d{4}-\d\d-\d\d|\+\d{4}", "", text_of(mail))
    answer = desk.open(token, nonce=told["nonce"])
    assert answer["result"] == "done" and answer["address"] == CAROL
    assert desk.session(answer["token"])["address"] == CAROL
    assert desk.open(token, nonce=told["nonce"])["result"] == "expired"
    desk.audited("login", f"by={CAROL}", "via=link")
    desk.audited("login-link", f"to={CAROL}", "source=192.0.2.77")


def test_W1_looking_at_a_link_uses_nothing_up(desk: Desk) -> None:
    """W1: a program that looks into mail has neither the browser's nonce nor the number: it cannot even try."""
    told, token, _ = desk.mailed(CAROL)
    for _ in range(10):
        assert desk.open(token) == {"result": "no", "code": "number", "why": "the number that the other browser shows"}
    assert desk.open(token, nonce="x" * 43)["code"] == "number"
    # On the phone, with the number that the desktop shows.
    assert desk.open(token, number=told["number"])["result"] == "done"
    assert desk.open(token, number=told["number"])["result"] == "expired"


def test_W2_five_wrong_numbers_kill_a_link(desk: Desk) -> None:
    told, token, _ = desk.mailed(DAVE)
    wrong = f"{(int(told['number']) + 1) % 10000:04}"
    assert [desk.open(token, number=wrong)["result"] for _ in range(5)] == ["no"] * 4 + ["expired"]
    assert desk.open(token, nonce=told["nonce"], number=told["number"])["result"] == "expired"


def test_a_link_goes_to_the_persons_own_mailbox(desk: Desk) -> None:
    """Asked for by an alias, it is mailed to the person, in his language, and is his session."""
    told, token, mail = desk.mailed("Alice.W@example.co.jp", lang="en")
    assert mail["To"].addresses[0].addr_spec == ALICE and "ログイン" in text_of(mail)
    assert desk.open(token, nonce=told["nonce"])["address"] == ALICE
    # Of somebody who is in no list the browser's language counts.
    told, token, mail = desk.mailed("unlisted@example.co.jp", lang="en")
    assert mail["Subject"] == "Your link to log in"
    assert desk.open(token, nonce=told["nonce"])["address"] == "unlisted@example.co.jp"


def test_a_link_ends(desk: Desk) -> None:
    told, token, _ = desk.mailed("ends@example.co.jp")
    desk.later(15 * MINUTE + 1)
    assert desk.open(token, nonce=told["nonce"])["result"] == "expired"


def test_W2_strangers_are_answered_alike(desk: Desk) -> None:
    """W2: whether a mail goes out shows in no answer, and in no time that it takes."""
    addresses = {"own": "someone{}@example.co.jp", "stranger": "someone{}@elsewhere.example", "none": "someone{}"}
    took: dict[str, list[float]] = {kind: [] for kind in addresses}
    before = len(desk.mails())
    for i in range(30):
        for kind, form in addresses.items():
            begun = time.perf_counter()
            answer = desk.link(form.format(i))
            took[kind].append(time.perf_counter() - begun)
            assert set(answer) == {"result", "nonce", "number", "minutes"} and len(answer["nonce"]) == 43
    wait_for(lambda: len(desk.mails()) == before + 30, 120, "thirty links")
    wait_for(lambda: desk.log().count("event=login-link-none") >= 60, why="the others are judged, too")
    assert len(desk.mails()) == before + 30
    assert all(mail["To"].addresses[0].domain == "example.co.jp" for mail in desk.mails())
    middle = {kind: statistics.median(times) for kind, times in took.items()}
    assert max(middle.values()) < 0.02 and max(middle.values()) < 5 * min(middle.values()), middle


def test_W3_links_are_few(desk: Desk) -> None:
    """W3: five an hour to one person from one network (login-links); of an address that there is not as of another; and the owner
    has his own elsewhere, and comes in by password meanwhile."""
    before, capped = len(desk.mails()), desk.log().count("event=login-link-capped by=address")
    for address in ("often@example.co.jp", "often@elsewhere.example", "often"):
        answers = [desk.ask("link", address=address, source=f"10.7.0.{n + 1}") for n in range(8)]
        assert all(set(answer) == {"result", "nonce", "number", "minutes"} for answer in answers[:5])
        assert all(answer == {"result": "no", "code": "capped", "why": "too many were asked for"} for answer in answers[5:])
    for _ in range(6):
        desk.later(31)  # each further one waits longer
        time.sleep(0.1)
    wait_for(lambda: len(desk.mails()) == before + 5, 60, "five links")
    assert desk.log().count("event=login-link-capped by=address") == capped + 9
    assert desk.login(BOB)["result"] == "done"
    told, token, _ = desk.mailed("often@example.co.jp", source="192.0.2.9")
    assert desk.open(token, nonce=told["nonce"])["result"] == "done"
    desk.later(HOUR + HOUR // 8 + 60)
    desk.mailed("often@example.co.jp", source="10.7.0.1")


def test_W3_aliases_bring_no_more_mail(desk: Desk) -> None:
    """W3: it is the person who is mailed so many; who asks learns nothing of that."""
    before = len(desk.mails())
    for _ in range(4):
        for address in (ALICE, "alice.w@example.co.jp"):
            assert desk.ask("link", address=address, source="10.5.0.1")["result"] == "done"
    wait_for(lambda: desk.log().count("event=login-link-capped by=person") == 3 or desk.later(31), 60, "three are too many")
    wait_for(lambda: len(desk.mails()) == before + 5, 60, "five links")
    desk.later(HOUR + HOUR // 8 + 60)


# ---- sessions ------------------------------------------------------------------------------------


def test_S0_12_the_ticket_is_believed_by_seki_hold(desk: Desk) -> None:
    """S0-12: it is one's own mail that is listed, for a minute; W4: nobody else's, and no changed ticket."""
    desk.gw.send(b"Subject: mine\r\n\r\nx\r\n", sender=BOB)
    wait_for(lambda: desk.gw.spool("hold"), why="the mail is held")
    token = desk.token(BOB)
    ticket = desk.session(token)["ticket"]

    def listed(ticket: str) -> dict:
        return desk.line(f"session={ticket} list".encode(), "run/gate/socket")
    mine = wait_for(lambda: listed(ticket)["total"], why="it is listed")
    assert mine == 1 and listed(ticket)["mails"][0]["from"] == BOB
    assert listed(desk.session(desk.token(CAROL))["ticket"])["total"] == 0
    assert listed(ticket[:-1] + ("A" if ticket[-1] != "A" else "Q"))["result"] == "forged"
    assert listed(token)["result"] == "forged"
    desk.later(61)
    assert listed(ticket)["result"] == "expired"
    assert listed(desk.session(token)["ticket"])["total"] == 1


def test_W4_logout_ends_one_session_and_everywhere_all(desk: Desk) -> None:
    one, two, three, other = desk.token(), desk.token(), desk.token(), desk.token(CAROL)
    rows = desk.ask("sessions", token=two)["sessions"]
    assert [row["this"] for row in rows].count(True) == 1 and len(rows) >= 3
    assert all(row["source"].startswith("10.") and row["begun"] <= row["seen"] for row in rows)
    assert desk.ask("logout", token=one)["result"] == "done"
    assert not desk.alive(one) and desk.alive(two)
    assert desk.ask("logout", token=one)["result"] == "forged"
    assert desk.ask("everywhere", token=two)["result"] == "done"
    assert not desk.alive(two) and not desk.alive(three) and desk.alive(other)
    desk.restart()
    assert not desk.alive(one) and not desk.alive(two) and desk.alive(other)
    desk.audited("logout", f"by={BOB}")
    desk.audited("logout-everywhere", f"by={BOB}")


def test_W4_an_operator_ends_somebodys_sessions(desk: Desk) -> None:
    """W4: all of one person, also by his alias; it is in the audit log who did."""
    one, two, other = desk.token("a.alice"), desk.token("a.alice"), desk.token(CAROL)
    done = desk.gw.seki("logout", "Alice.W@example.co.jp")
    assert done.returncode == 0 and re.fullmatch(r"Alice\.W@example\.co\.jp: \d+ sessions ended\n", done.stdout), done
    assert not desk.alive(one) and not desk.alive(two) and desk.alive(other)
    desk.audited("logout-everywhere", f"by={pwd.getpwuid(os.getuid()).pw_name}", f"whose={ALICE}")
    again = desk.gw.seki("logout", ALICE)
    assert again.returncode == 0 and again.stdout == f"{ALICE}: 0 sessions ended\n"
    assert desk.gw.seki("logout", "nobody").returncode == 1 and desk.gw.seki("logout").returncode == 100


@pytest.mark.skipif(os.geteuid() != 0, reason="other users need root")
def test_W4_the_pages_end_nobody_elses_sessions(desk: Desk) -> None:
    """W4: one that is taken over cannot say what only an operator may."""
    token = desk.token(CAROL)
    entry = pwd.getpwnam("sekiw")
    script = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
              " s.sendall(sys.argv[2].encode()); print(s.makefile().read())")
    done = subprocess.run(["/usr/bin/python3", "-c", script, str(desk.gw.root / "run/login/socket"), f"end address={CAROL} by=root\n"],
                          user=entry.pw_uid, group=entry.pw_gid, extra_groups=os.getgrouplist("sekiw", entry.pw_gid),
                          capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["code"] == "request" and desk.alive(token)


def test_W4_sessions_end_idle_and_at_last(desk: Desk) -> None:
    used, idle = desk.token(), desk.token()
    for _ in range(4):
        desk.later(10 * MINUTE)
        assert desk.alive(used)
    assert desk.session(idle)["result"] in ("expired", "forged") and not desk.alive(idle)
    for _ in range(30):
        desk.later(22 * MINUTE)
        assert desk.alive(used)
    until = desk.session(used)["until"]
    desk.later(20 * MINUTE)  # 12 hours
    assert not desk.alive(used)
    assert desk.session(used)["result"] == "forged"  # and forgotten
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", until)


def test_a_restart_keeps_sessions(desk: Desk) -> None:
    """Also one that nobody could prepare for."""
    token = desk.token()
    desk.restart()
    assert desk.session(token)["address"] == BOB
    pid = desk.gw.pid("seki-login")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: desk.gw.pid("seki-login") not in (-1, pid) and desk.ready(), why="seki-login is back")
    assert desk.session(token)["address"] == BOB
    desk.later(31 * MINUTE)
    desk.restart()
    assert not desk.alive(token)


def test_W4_a_clock_that_was_set_prolongs_nothing(desk: Desk) -> None:
    """While it runs the wall clock does not count; at a start a clock in doubt ends the session."""
    token = desk.token()
    desk.gw.clock(desk.shift - 5 * HOUR, desk.shift, True)
    assert desk.alive(token)
    desk.gw.clock(desk.shift - 5 * HOUR, desk.shift + 31 * MINUTE, True)
    assert not desk.alive(token)
    desk.later(32 * MINUTE)
    token = desk.token()
    desk.gw.clock(desk.shift - 10 * MINUTE, desk.shift, True)
    desk.restart()
    assert not desk.alive(token) and "event=login-clock alarm=yes" in desk.log()
    desk.later(0)


def test_W2_damaged_files_are_put_aside(desk: Desk) -> None:
    token, other = desk.token(), desk.token(CAROL)
    folder = desk.gw.root / "lib/login/sessions"
    path = max((p for p in folder.iterdir() if f"address {BOB}" in p.read_text()), key=lambda p: p.stat().st_ctime_ns)
    path.write_text(path.read_text().replace(BOB, ALICE))
    desk.restart()
    assert not desk.alive(token) and desk.alive(other)
    assert path.with_name(path.name + ".bad").exists() and not path.exists()
    assert "event=login-damaged alarm=yes" in desk.log()


def test_a_reload_shortens_sessions(desk: Desk) -> None:
    token = desk.token()
    desk.later(5 * MINUTE)
    desk.gw.setting(session_idle="2m")
    desk.reload()
    try:
        assert not desk.alive(token)
    finally:
        desk.gw.setting(session_idle="30m")
        desk.reload()
    # And people who were added are known without it.
    replace(desk.gw.root / "etc/people", PEOPLE + "frank@example.co.jp login=eve lang=en\n")
    desk.reload()
    wait_for(lambda: desk.login("eve").get("address") == "frank@example.co.jp", why="eve is known")


# ---- PINs ----------------------------------------------------------------------------------------


def capability(desk: Desk, sender: str = BOB) -> tuple[str, str]:
    """A held mail, and the link of its sender."""
    before = {p.name for p in desk.gw.spool("hold")}
    desk.gw.send(b"Subject: pin\r\n\r\nx\r\n", sender=sender)
    path = wait_for(lambda: [p for p in desk.gw.spool("hold") if p.name not in before], why="it is held")[0]
    message = path.name.split(".")[1]
    done = desk.gw.seki("link", message)
    assert done.returncode == 0, done.stderr
    return message, done.stdout.strip().rpartition("?")[2]


def test_W1_a_pin_proves_what_no_scanner_knows(desk: Desk) -> None:
    """W1: with link-asks pin a link alone acts on nothing; its PIN makes a proof, good for this link and for a minute."""
    token = desk.token()
    _, cap = capability(desk)
    _, other = capability(desk)
    desk.gw.setting(link_asks="pin")
    desk.reload()
    try:
        def act(cap: str, **keys: str) -> dict:
            return desk.line(" ".join([f"cap={cap}", "act", "word=release", *(f"{k}={v}" for k, v in keys.items())]).encode(), "run/gate/socket")
        assert desk.ask("proof", cap=cap, pin="246810", source="192.0.2.1")["code"] == "none"
        for pin in ("123", "1234567890123", "12a456"):
            assert desk.ask("pin", token=token, pin=pin)["code"] == "words"
        assert desk.ask("pin", token="x" * 43, pin="246810")["result"] == "forged"
        assert desk.ask("pin", token=token, pin="246810")["result"] == "done"
        assert desk.session(token)["pin"] is True
        desk.restart()
        assert desk.session(token)["pin"] is True
        assert act(cap)["code"] == "pin"
        assert desk.ask("proof", cap=cap, pin="246811", source="192.0.2.1")["code"] == "wrong"
        assert desk.ask("proof", cap=cap[:-1] + "A", pin="246810", source="192.0.2.1")["result"] == "forged"
        old = desk.ask("proof", cap=cap, pin="246810", source="192.0.2.1")["proof"]
        desk.later(61)
        assert act(cap, proof=old)["result"] != "done"
        proof = desk.ask("proof", cap=cap, pin="246810", source="192.0.2.1")["proof"]
        assert act(other, proof=proof)["result"] != "done"
        assert act(cap, proof=proof)["result"] == "done"
    finally:
        desk.gw.setting(link_asks="nothing")
        desk.reload()
    desk.audited("pin", f"by={BOB}", "is=set")
    assert desk.ask("pin", token=token, pin="")["result"] == "done"
    assert desk.session(token)["pin"] is False
    desk.audited("pin", f"by={BOB}", "is=removed")


def test_W3_five_wrong_pins_and_no_more(desk: Desk) -> None:
    """W3: also when they come at once; it locks nobody out of logging in."""
    token = desk.token(DAVE)
    _, cap = capability(desk, DAVE)
    assert desk.ask("pin", token=token, pin="1117")["result"] == "done"
    answers: list[dict] = []
    threads = [threading.Thread(target=lambda n=n: answers.append(desk.ask("proof", cap=cap, pin=f"2{n:03}", source="192.0.2.1")))
               for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    while desk.ask("proof", cap=cap, pin="2999", source="192.0.2.1")["code"] == "wrong":
        answers.append({"code": "wrong"})
    assert [answer["code"] for answer in answers].count("wrong") == 5
    assert desk.ask("proof", cap=cap, pin="1117", source="192.0.2.2")["code"] == "capped"
    assert "event=login-pin-capped alarm=yes" in desk.log()
    assert desk.alive(token) and desk.login(DAVE)["result"] == "done"
    desk.later(HOUR + HOUR // 8 + 1)
    assert desk.ask("proof", cap=cap, pin="1117", source="192.0.2.2")["result"] == "done"


def test_W3_twenty_wrong_pins_and_he_logs_in_first(desk: Desk) -> None:
    """W3: nor does anybody guess five an hour for days: after twenty he has to log in, and then his PIN is good again."""
    _, cap = capability(desk, CAROL)
    assert desk.ask("pin", token=desk.token(CAROL), pin="582914")["result"] == "done"
    for _ in range(4):
        for n in range(5):
            assert desk.ask("proof", cap=cap, pin=f"2{n:03}", source="192.0.2.1")["code"] == "wrong"
        desk.later(HOUR + HOUR // 8 + 1)
    worn = desk.ask("proof", cap=cap, pin="582914", source="192.0.2.1")
    assert worn["code"] == "capped" and "log in" in worn["why"]
    assert "event=login-pin-worn alarm=yes" in desk.log()
    desk.restart()
    assert desk.ask("proof", cap=cap, pin="582914", source="192.0.2.1") == worn
    desk.token(CAROL)
    assert desk.ask("proof", cap=cap, pin="582914", source="192.0.2.1")["result"] == "done"


def test_W3_what_is_tried_first_is_no_pin(desk: Desk) -> None:
    token = desk.token(CAROL)
    for pin in ("0000", "1234", "9876", "7777777", "45678901"):
        assert desk.ask("pin", token=token, pin=pin)["code"] == "weak"


# ---- the audit log, secrets, strangers -----------------------------------------------------------


def test_nobody_logs_in_unaudited(desk: Desk) -> None:
    """When in doubt people wait: and who is logged in can still log out."""
    told, link, _ = desk.mailed(CAROL)
    token = desk.token()
    desk.gw.svc("-wD", "-d", "seki-audit")
    try:
        desk.later(40)  # audit-lag
        assert desk.login(BOB)["code"] == "later"
        assert desk.open(link, nonce=told["nonce"])["code"] == "later"
        assert desk.ask("pin", token=token, pin="1235")["code"] == "later"
        assert desk.alive(token)
        assert desk.ask("logout", token=token)["result"] == "done" and not desk.alive(token)
        assert "event=login-unaudited alarm=yes" in desk.log()
    finally:
        desk.gw.svc("-u", "seki-audit")
        desk.gw.wait_ready("seki-audit")
    wait_for(lambda: desk.login(BOB)["result"] == "done", why="it is written again")
    # The link was not used up by that.
    assert desk.open(link, nonce=told["nonce"])["result"] == "done"


def test_W2_secrets_stand_nowhere(desk: Desk) -> None:
    """W2, W7: no log, audit or file of seki-login has a password, token, nonce, number or PIN."""
    told, link, _ = desk.mailed(ALICE)
    answer = desk.open(link, nonce=told["nonce"])
    token = answer["token"]
    assert desk.ask("pin", token=token, pin="73190482")["result"] == "done"
    ticket = desk.session(token)["ticket"]
    desk.login(ALICE, "a secret that is wrong")
    secrets = [xtext(PASSWORD), PASSWORD, told["nonce"], link, token, ticket, "73190482", xtext("a secret that is wrong")]
    root = desk.gw.root
    files = [p for place in ("log", "lib/audit", "lib/login", "run") for p in (root / place).rglob("*") if p.is_file()]
    assert len(files) > 20
    for path in files:
        text = path.read_bytes()
        assert [s for s in secrets if s.encode() in text] == [], path


@pytest.mark.parametrize("line", [b"", b"session", b"show", b"session token=x token=y", b"session  token=x", b"\xff\xfe", b"session token=+00",
                                  b"cap=x list", b"x" * 8191, b"session token=x\nsession token=x"],
                         ids=lambda line: ascii(line[:24]))
def test_what_is_no_request_gets_an_answer(desk: Desk, line: bytes) -> None:
    answer = desk.line(line)
    assert answer["result"] == "no" and answer["code"] in ("request", "words"), answer
    assert desk.session("x" * 43)["result"] == "forged"


def test_who_sends_too_much_is_cut_off(desk: Desk) -> None:
    with desk.connect() as s, pytest.raises(OSError):
        for _ in range(1000):
            s.sendall(b"x" * 9000)
    assert desk.session("x" * 43)["result"] == "forged"


def test_silent_clients_keep_nobody_out(desk: Desk) -> None:
    token = desk.token()
    silent = [desk.connect() for _ in range(400)]
    try:
        for s in silent[::2]:
            with contextlib.suppress(BrokenPipeError):  # of more than 256 the oldest are closed
                s.sendall(b"session tok")
        assert desk.alive(token)
    finally:
        for s in silent:
            s.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="other users need root")
def test_who_reaches_it(desk: Desk) -> None:
    """The program of the pages alone; and it alone reaches seki-notice's door for letters, and seki-auth with seki-smtpd."""
    def reaches(user: str, path: str) -> bool:
        entry = pwd.getpwnam(user)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.setgroups(os.getgrouplist(user, entry.pw_gid))
                os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
                os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
                with socket.socket(socket.AF_UNIX) as s:
                    s.connect(str(desk.gw.root / path))
                code = 0
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    others = ("sekid", "sekis", "sekih", "sekir", "sekix", "sekip", "sekik", "nobody")
    assert reaches("sekiw", "run/login/socket") and not any(reaches(user, "run/login/socket") for user in others)
    assert reaches("sekij", "run/letter/socket") and not any(reaches(user, "run/letter/socket") for user in (*others, "sekiw"))
    assert reaches("sekij", "run/auth/socket") and not reaches("sekiw", "run/auth/socket")


def test_it_is_confined(desk: Desk) -> None:
    """Whoever takes it over makes no file elsewhere, starts nothing, and is watched by nobody."""
    status = Path(f"/proc/{desk.gw.pid('seki-login')}/status").read_text()
    assert re.search(r"^Seccomp:\s2$", status, re.M) and re.search(r"^NoNewPrivs:\s1$", status, re.M)
