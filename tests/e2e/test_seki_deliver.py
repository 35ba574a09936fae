"""seki list deliver, seki show, seki route test, seki check of the routes: over a spool and a configuration that
were written by hand. And seki bounce and seki flush DOMAIN: what they say to the stage, what they make of its
answer, and what comes of it in an instance (issue 4)."""
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from conftest import REPO, Gateway, build_once, clean_env, free_port, prepare, wait_for
from test_spool_kit import STATES, digest, due, leg, mail, new_id, plan, stamp

BUILD = os.environ.get("SEKI_BUILD", "build")  # a tree of one's own while others build
CONTENT = b"Subject: x\r\n\r\nx\r\n"
MANY = 10_000


class Tool:
    """The least of an instance that the tool needs: a spool and a configuration, and nothing that runs."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="sekisho-tool-", dir="/var/tmp"))
        for state in ["tmp", "split", *STATES]:
            (self.root / "spool" / state).mkdir(parents=True)
        (self.root / "etc/logins").mkdir(parents=True)
        (self.root / "lib").mkdir()
        self.etc(settings="trial yes\nhostname gw.example\n", relay="127.0.0.0/8 @example.co.jp quota=none\n")

    def etc(self, **files: str) -> None:
        for name, text in files.items():
            (self.root / "etc" / name).write_text(text)

    def seki(self, *words: str, timeout: float = 60) -> subprocess.CompletedProcess:
        if BUILD == "build":
            build_once(BUILD)
        return subprocess.run([str(REPO / BUILD / "bin/seki"), *words], env=clean_env(SEKISHO_ROOT=str(self.root)),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)

    def rows(self, *words: str, code: int = 0) -> list[list[str]]:
        done = self.seki(*words)
        assert done.returncode == code, (done.stdout, done.stderr)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def leg(self, records: str = "", to: tuple[str, ...] = ("bob@partner.example",), state: str = "deliver") -> str:
        """A leg in a state, with these records behind its plan ("PLAN" in them is its digest); its id."""
        leg_id = new_id()
        trailer = plan(leg_id, " deliver\n") + records.replace("PLAN", digest(leg_id, "1", " deliver\n"))
        name = f"{leg_id}.1" if state == "sent" else f"{due()}.{leg_id}.1"
        (self.root / "spool" / state / name).write_bytes(leg(leg_id, CONTENT, trailer, to=to))
        return leg_id


@pytest.fixture
def tool() -> Iterator[Tool]:
    made = Tool()
    yield made
    shutil.rmtree(made.root)


def deferred(rcpt: str, until: str, reply: str, host: str = "mx.partner.example") -> str:
    return f"{stamp()} deferred plan=PLAN rcpt={rcpt} until={until} host={host} status=4.4.1 reply={reply}\n"


def at(**span: float) -> tuple[str, str]:
    """A moment as a record has it, and as the tool shows it."""
    moment = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(**span)
    return stamp(moment), moment.strftime("%Y-%m-%dT%H:%M:%SZ")


# ---- list deliver --------------------------------------------------------------------------------------------------


def test_list_deliver_says_when_it_is_tried_next_and_what_was_said_last(tool: Tool) -> None:
    """Of several recipients the earliest next try and the latest reply, and only those that are open."""
    soon, shown = at(minutes=5)
    late, _ = at(hours=3)
    tool.leg(deferred("1-3", at(minutes=-9)[0], "first")
             + deferred("2", soon, "450+204.2.0+20wait+20a+20little")
             + deferred("1", late, "last+20one", "[192.0.2.1]")
             + f"{stamp()} delivered plan=PLAN rcpt=3 host=h reply=ok\n", to=("a@p.example", "b@p.example", "c@p.example"))
    [row] = tool.rows("list", "deliver")
    assert row[7:] == [shown, "2", "last one", "[192.0.2.1]"]


def test_list_deliver_of_mail_that_was_never_tried(tool: Tool) -> None:
    tool.leg()
    [row] = tool.rows("list", "deliver")
    assert len(row) == 11 and row[7:] == ["-", "0", "-", "-"]


def test_list_deliver_of_mail_that_has_failed_and_is_not_yet_told(tool: Tool) -> None:
    tool.leg(deferred("1", at(hours=1)[0], "not+20now")
             + f"{stamp()} failed plan=PLAN rcpt=1 host=mx status=5.1.1 reply=no+20such+20user\n")
    [row] = tool.rows("list", "deliver")
    assert row[7:] == ["-", "1", "no such user", "mx"]


def test_other_lists_have_the_columns_that_they_had(tool: Tool) -> None:
    """A table has the same columns in each of its lines."""
    tool.leg(deferred("1", at(hours=1)[0], "no"))
    assert [len(row) for row in tool.rows("list")] == [7]
    assert [len(row) for row in tool.rows("list", "deliver", "hold")] == [7]
    [row] = [json.loads(line) for line in tool.seki("-j", "list").stdout.splitlines()]
    assert row["reply"] == "no" and row["tries"] == 1 and row["host"] == "mx.partner.example"


def test_a_reply_is_harmless_and_short_in_a_table_and_whole_in_json(tool: Tool) -> None:
    """O: a hostile reply acts on no terminal and breaks no column."""
    said = "\x1b[2J\t\n関所" + "é" * 400
    xtext = "".join(chr(b) if 33 <= b < 127 and chr(b) not in '+="' else f"+{b:02X}" for b in said.encode())
    tool.leg(deferred("1", at(hours=1)[0], xtext))
    done = tool.seki("list", "deliver")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", done.stdout) and done.stdout.count("\n") == 1
    reply = done.stdout.rstrip("\n").split("\t")[9]
    assert reply.startswith("\\x1b[2J\\x09\\x0a関所éé") and reply.endswith("é...") and len(reply) < 120
    [row] = [json.loads(line) for line in tool.seki("-j", "list", "deliver").stdout.splitlines()]
    assert row["reply"].endswith("é" * 400)


def cpu(what: Callable[[], object]) -> tuple[float, object]:
    """What a child computed, in seconds: another one's load does not count."""
    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    begun = used()
    came = what()
    return used() - begun, came


def test_ten_thousand_legs_are_listed_in_two_seconds(tool: Tool) -> None:
    until, _ = at(hours=1)
    for _ in range(MANY):
        tool.leg(deferred("1", until, "a") + deferred("1", until, "b"))
    seconds, rows = cpu(lambda: tool.rows("list", "deliver"))
    assert len(rows) == MANY and seconds < 2


def test_ten_thousand_recipients_are_shown_in_linear_time(tool: Tool) -> None:
    """S: no more than a pass over the trailer for each word, however many recipients there are."""
    until, _ = at(hours=1)
    records = "".join(deferred(str(n), until, f"r{n}") for n in range(1, MANY + 1))
    leg_id = tool.leg(records, to=tuple(f"u{n}@p.example" for n in range(MANY)))
    seconds, rows = cpu(lambda: tool.rows("show", leg_id))
    shown = [row for row in rows if row[0] == "rcpt"]
    assert len(shown) == MANY and shown[-1][6] == f"r{MANY}" and seconds < 2


# ---- show ----------------------------------------------------------------------------------------------------------


def test_show_says_what_the_senders_were_told(tool: Tool) -> None:
    """failed, bounced, told, warned: the fate of each recipient, and whether a notice is owed."""
    until, shown = at(hours=1)
    notice = [new_id() for _ in range(3)]
    leg_id = tool.leg(
        deferred("1", until, "not+20now") + f"{stamp()} warned plan=PLAN rcpt=1 notice={notice[0]}\n"
        + f"{stamp()} failed plan=PLAN rcpt=2-3 host=mx status=5.1.1 reply=no+20user\n"
        + f"{stamp()} bounced plan=PLAN rcpt=3 notice={notice[1]}\n"
        + f"{stamp()} delivered plan=PLAN rcpt=4-5 host=mx reply=ok notice=owed\n"
        + f"{stamp()} told plan=PLAN rcpt=5 notice={notice[2]}\n"
        + f"{stamp()} bounced plan=PLAN rcpt=6 notice=none\n", to=tuple(f"u{n}@p.example" for n in range(1, 8)))
    assert [row[1:] for row in tool.rows("show", leg_id) if row[0] == "rcpt"] == [
        ["1", "u1@p.example", "open", shown, "1", "not now", f"warned {notice[0]}"],
        ["2", "u2@p.example", "failed", "-", "0", "no user", "owed"],
        ["3", "u3@p.example", "bounced", "-", "0", "no user", f"bounced {notice[1]}"],
        ["4", "u4@p.example", "delivered", "-", "0", "ok", "owed"],
        ["5", "u5@p.example", "delivered", "-", "0", "ok", f"told {notice[2]}"],
        ["6", "u6@p.example", "bounced", "-", "0", "-", "bounced none"],
        ["7", "u7@p.example", "open", "-", "0", "-", "-"],
    ]


# ---- bounce, flush -------------------------------------------------------------------------------------------------


class Stage:
    """seki-deliver's socket for orders: keeps what comes and answers as it is told."""

    def __init__(self, root: Path, answer: Callable[[bytes], bytes]) -> None:
        folder = root / "run/order/seki-deliver"
        folder.mkdir(parents=True)
        self.orders: list[bytes] = []
        self.answer = answer
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(folder / "socket"))
        self.socket.listen()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client:
                line = client.makefile("rb").readline()
                self.orders.append(line)
                client.sendall(self.answer(line))

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def stage(tool: Tool) -> Iterator[Callable[..., Stage]]:
    made: list[Stage] = []

    def make(answer: bytes | Callable[[bytes], bytes]) -> Stage:
        made.append(Stage(tool.root, answer if callable(answer) else lambda _: answer))
        return made[-1]
    yield make
    for s in made:
        s.close()


def test_bounce_orders_one_leg_and_says_what_came_of_it(tool: Tool, stage) -> None:
    asked = stage(b"done deliver\n")
    leg_id = tool.leg()
    [path] = (tool.root / "spool/deliver").iterdir()
    assert tool.rows("bounce", leg_id) == [[f"{leg_id}.1", "bounced", "deliver", "-"]]
    [order] = asked.orders
    assert re.fullmatch(rb"bounce deliver %s by=\w+ via=shell\n" % path.name.encode(), order)


@pytest.mark.parametrize("answer, row, code", [
    (b"no it is being sent\n", ["no", "deliver", "it is being sent"], 1),
    (b"unknown deliver\n", ["unknown", "deliver", "it may not outlive a crash: see the log"], 111),
    (b"", ["unknown", "deliver", "no answer: list it again"], 111),
    (b"done deliver legs=\n", ["unknown", "deliver", "no answer: list it again"], 111),
])
def test_bounce_never_tells_a_yes_that_was_none(tool: Tool, stage, answer: bytes, row: list, code: int) -> None:
    stage(answer)
    leg_id = tool.leg()
    assert tool.rows("bounce", leg_id, code=code) == [[f"{leg_id}.1", *row]]


@pytest.mark.parametrize("state", ["hold", "stagger", "sent", "trash", "refused"])
def test_bounce_is_for_mail_in_deliver_alone(tool: Tool, stage, state: str) -> None:
    asked = stage(b"done deliver\n")
    leg_id = tool.leg(state="sent" if state in ("trash", "refused") else state)
    if state in ("trash", "refused"):
        (tool.root / f"spool/sent/{leg_id}.1").rename(tool.root / f"spool/{state}/{leg_id}.1")
    [[_, result, where, why]] = tool.rows("bounce", leg_id, code=1)
    assert (result, where) == ("no", state) and why != "-" and asked.orders == []


def test_bounce_without_a_stage(tool: Tool) -> None:
    done = tool.seki("bounce", tool.leg())
    assert done.returncode == 111 and "seki-deliver is not running" in done.stderr and done.stdout == ""
    assert tool.seki("bounce").returncode == 100


def test_flush_of_domains(tool: Tool, stage) -> None:
    """As A-labels; how many legs are tried is told for each."""
    asked = stage(lambda line: b"done deliver legs=%d\n" % len(line.split()[1]))
    words = ["Partner.Example", "@例.example", "[IPv6:2001:DB8::1]"]
    assert tool.rows("flush", *words) == [
        ["partner.example", "15"], ["xn--fsq.example", "15"], ["[ipv6:2001:db8::1]", "18"]]
    assert [order.split()[1] for order in asked.orders] == [b"partner.example", b"xn--fsq.example", b"[ipv6:2001:db8::1]"]
    assert all(re.fullmatch(rb"flush \S+ by=\w+ via=shell\n", order) for order in asked.orders)


@pytest.mark.parametrize("word", ["bob@partner.example", "", "@", "a_b.example", "a b.example", "x..y", "[x y]", "[]"])
def test_flush_of_what_is_no_domain_asks_nobody(tool: Tool, stage, word: str) -> None:
    asked = stage(b"done deliver legs=1\n")
    done = tool.seki("flush", "partner.example", word)
    assert done.returncode == 100 and done.stdout == "" and asked.orders == []


def test_flush_of_a_domain_that_is_refused_or_not_answered(tool: Tool, stage) -> None:
    assert tool.seki("flush", "partner.example").returncode == 111
    answers = [b"no this program takes no such order\n", b""]
    stage(lambda _: answers.pop(0))
    done = tool.seki("flush", "partner.example")
    assert done.returncode == 1 and "takes no such order" in done.stderr
    assert tool.seki("flush", "partner.example").returncode == 111


# ---- in an instance ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gw() -> Iterator[Gateway]:
    """One whose smart host is not there: what is sent waits, for an hour."""
    made = prepare({"route": f"host:[127.0.0.1]:{free_port()}", "retry-first": "1h", "deliver-dead": "1h"})
    made.build = BUILD
    try:
        yield made.start()
    finally:
        made.stop()


def waiting(gw: Gateway, address: str, tries: int) -> list[str]:
    """The line of the leg to that address as soon as it has been tried so often."""
    def look() -> list[str] | None:
        rows = [line.split("\t") for line in gw.seki("list", "deliver").stdout.splitlines()]
        return next((row for row in rows if row[5] == address and row[8] == str(tries)), None)
    return wait_for(look, 30, f"{address}, tried {tries} times")


def test_a_flush_tries_one_domain_and_no_other(gw: Gateway) -> None:
    for address in ("bob@flushed.example", "carol@left.example"):
        gw.send(mail("flush"), to=address)
    row = waiting(gw, "bob@flushed.example", 1)
    other = waiting(gw, "carol@left.example", 1)
    assert row[7] > row[3] and "refused" in row[9] and row[10] == "127.0.0.1"
    done = gw.seki("flush", "Flushed.Example")
    assert done.returncode == 0 and re.fullmatch(r"flushed\.example\t[1-9]\d*\n", done.stdout), done.stderr
    waiting(gw, "bob@flushed.example", 2)
    assert waiting(gw, "carol@left.example", 1) == other
    gw.wait_log("seki-deliver", "event=flushed domain=flushed.example ")


def test_a_bounce_goes_back_to_the_sender_and_ends_the_leg(gw: Gateway) -> None:
    gw.send(mail("bounce"), to=["dave@gone.example", "erin@gone.example"])
    leg_id = waiting(gw, "dave@gone.example +1", 1)[2]
    done = gw.seki("bounce", leg_id)
    assert done.returncode == 0 and done.stdout == f"{leg_id}\tbounced\tdeliver\t-\n", done.stderr
    wait_for(lambda: gw.seki("list", "sent").stdout.count(leg_id) == 1, why="its end")
    shown = [line.split("\t") for line in gw.seki("show", leg_id).stdout.splitlines()]
    fates = [row[2:4] + row[6:] for row in shown if row[0] == "rcpt"]
    assert [fate[:3] for fate in fates] == [
        [f"{name}@gone.example", "bounced", "returned by the operator"] for name in ("dave", "erin")]
    [notice] = {fate[3].removeprefix("bounced ") for fate in fates}
    said = gw.seki("cat", notice)
    assert said.returncode == 0 and said.stdout.count("Status: 5.0.0") == 2
    assert "returned by the operator" in said.stdout and "To: alice@example.co.jp" in said.stdout.replace("<", "").replace(">", "")
    assert gw.seki("bounce", leg_id).stdout == f"{leg_id}\tno\tsent\tit was sent\n"
    assert f"event=returned id={leg_id} from=deliver to=deliver by=" in gw.log("seki-deliver")


# ---- check ---------------------------------------------------------------------------------------------------------


def test_check_reads_the_routes_the_setting_and_the_logins(tool: Tool) -> None:
    """S2: each fault with its place, all of them at once."""
    (tool.root / "etc/logins/good").write_text("user secret\n")
    (tool.root / "etc/logins/good").chmod(0o640)
    tool.etc(routes="@a.example host:h.example login=good\n")
    before = tool.seki("check")
    assert "route" not in before.stderr and "login" not in before.stderr
    tool.etc(routes="@a.example host:h.example login=good\n@b.example   host:h login=gone\n",
             settings="trial yes\n\n  route   host:my_host:25\n")
    said = tool.seki("check")
    assert said.returncode == 102
    assert "etc/routes:2:27: the file etc/logins/gone is missing\n" in said.stderr
    assert 'etc/settings:3:16: route: "my_host" is no name of a host\n' in said.stderr
    tool.etc(routes="@a.example\n")
    assert "etc/routes:1: where does it go? A route such as mx is missing\n" in tool.seki("check").stderr
    assert "secret" not in said.stderr + said.stdout


# ---- route test, without the DNS ------------------------------------------------------------------------------------


def test_route_test_shows_the_line_and_what_it_comes_to(tool: Tool) -> None:
    (tool.root / "etc/logins/smart").write_text("user s3cret\n")
    tool.etc(routes="# none\n@p.example host:[192.0.2.1]:26,host:[2001:db8::1] login=smart expire=2h\n",
             settings="trial yes\nhostname gw.example\ndeliver-tls none\n")
    done = tool.seki("route", "test", "bob@P.example")
    assert done.returncode == 0 and "s3cret" not in done.stdout
    assert [line.split("\t") for line in done.stdout.splitlines()] == [
        ["route", "bob@P.example", "etc/routes:2",
         "@p.example host:[192.0.2.1]:26,host:[2001:db8::1]:25 login=smart expire=2h"],
        ["manner", "tls=may", "login=smart", "sessions=20", "ipv=any", "expire=2h", "retry=5m", "warn=4h"],
        ["peer", "1", "192.0.2.1", "26", "-", "-", "-"],
        ["peer", "2", "2001:db8::1", "25", "-", "-", "-"],
        ["verdict", "tried", "-"]]


@pytest.mark.parametrize("address, source, result, why, code", [
    ("x@m.example", "etc/routes:1", "tried", "into a Maildir", 0),
    ("x@r.example", "etc/routes:2", "returned", "the route refuses it", 1),
    ("x@four.example", "etc/routes:3", "waits", "its addresses are of the other version of IP", 111),
    ("x@[192.0.2.9]", "etc/settings:2", "tried", "-", 0),
    ("x@[nonsense]", "etc/settings:2", "waits", "it is no address that can be used", 111),
    ("x@a_b.example", "etc/settings:2", "returned", "it is no name of a domain", 1),
    ("x@nobody.example", "etc/settings:2", "waits", "seki-resolve is not there", 111),
    ("postmaster", "etc/settings:2", "waits", "seki-resolve is not there", 111),
])
def test_route_test_in_plain_words(
        tool: Tool, address: str, source: str, result: str, why: str, code: int) -> None:
    tool.etc(routes="@m.example maildir:outbox\n@r.example refuse:why\n@four.example host:[2001:db8::1] ipv=4\n",
             settings="trial yes\nroute mx\n")
    rows = tool.rows("route", "test", address, code=code)
    assert rows[0][:3] == ["route", address, source]
    assert rows[-1] == ["verdict", result, why]


def test_route_test_wants_an_address_and_a_configuration(tool: Tool) -> None:
    for words in (["route"], ["route", "test"], ["route", "tset", "x@y.example"], ["route", "test", "x@"],
                  ["route", "test", ""]):
        assert tool.seki(*words).returncode == 100
    tool.etc(routes="@a.example mc\n")
    done = tool.seki("route", "test", "x@a.example")
    assert done.returncode == 102 and done.stderr.startswith("etc/routes:1:12: ")


def test_of_several_addresses_the_worst_is_returned(tool: Tool) -> None:
    tool.etc(routes="@m.example maildir:outbox\n@r.example refuse\n")
    done = tool.seki("-j", "route", "test", "x@m.example", "x@r.example")
    assert done.returncode == 1
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["result"] for row in rows if row["what"] == "verdict"] == ["tried", "returned"]
