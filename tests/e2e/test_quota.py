"""I3: who sends too much is frozen; what he sends is kept, and waits until an operator thaws him."""
import os
import socket
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import replace, wait_for
from test_spool_kit import mail, restart, waiting

HOUR = 3600
LIMITS = {"quota-login-hour": "10", "quota-login-day": "100", "quota-source-hour": "10", "quota-source-day": "100"}


def queue_mail(gw, tag: str, rcpts: int = 1, client: str = "192.0.2.10 helo=pc1 proto=esmtpsa port=1 auth=alice",
               extra: str = "", sender: str = "alice@example.co.jp") -> str:
    """Hands one message to seki-queue as a session does; the letter that ended it."""
    envelope = f"from {sender}\n" + "".join(f"to {tag}-{n}@partner.example\n" for n in range(rcpts))
    envelope += f"client {client}\n{extra}"
    content = mail(tag)
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(30)
        door.connect(str(gw.root / "run/queue/socket"))
        door.sendall(b"E" + struct.pack(">I", len(envelope)) + envelope.encode())
        letter = door.recv(1)
        if letter != b"G":
            return letter.decode()
        door.recv(32, socket.MSG_WAITALL)
        door.sendall(b"D" + struct.pack(">I", len(content)) + content + b".")
        return door.recv(1).decode()


def alarms(gw) -> list[str]:
    return [line for line in gw.log("seki-queue").splitlines() if "event=quota-frozen" in line]


def frozen(gw) -> list[list[str]]:
    """kind, who, since, by, reason of each entry."""
    return [line.split("\t") for line in gw.seki("freeze").stdout.splitlines()]


def with_tag(tag: str):
    return lambda m: f"Subject: {tag}\r".encode() in m


@pytest.fixture
def gw(fresh_gateway):
    return fresh_gateway(settings=LIMITS)


def test_over_the_quota(gw):
    """Accepted and held; an alarm; nobody else is stopped; after the thaw all of it goes, and he begins anew."""
    assert queue_mail(gw, "within", 10) == "K"
    gw.wait_delivered(with_tag("within"))
    assert alarms(gw) == [] and frozen(gw) == []

    assert queue_mail(gw, "over", 1) == "K"
    for n in range(3):
        assert queue_mail(gw, f"behind-{n}", 2) == "K"
    waiting(gw, "deliver", 4)
    line = gw.wait_log("seki-queue", "event=quota-frozen")
    assert "alarm=yes" in line and "login=alice" in line and "window=hour" in line
    assert "count=11" in line and "limit=10" in line and len(alarms(gw)) == 1
    [entry] = frozen(gw)
    assert entry[:2] == ["login", "alice"] and entry[3:] == ["seki-queue", "quota-hour"]
    assert "frozen\t1" in gw.seki("stats").stdout

    assert queue_mail(gw, "bob", client="192.0.2.10 helo=pc1 proto=esmtpsa auth=bob", sender="bob@example.co.jp") == "K"
    gw.send(mail("by-smtp"))
    gw.wait_delivered(with_tag("bob"))
    gw.wait_delivered(with_tag("by-smtp"))
    # What was delivered has its copy in the mailbox before it leaves deliver/.
    wait_for(lambda: len(gw.spool("deliver")) == 4, why="what is not frozen has gone")
    assert len(gw.delivered()) == 3

    assert gw.seki("thaw", "login", "ALICE").returncode == 0
    gw.wait_delivered(lambda m: b"Subject: over\r" in m or b"Subject: behind" in m, 4)
    assert queue_mail(gw, "anew", 10) == "K"
    gw.wait_delivered(with_tag("anew"))
    assert len(alarms(gw)) == 1 and frozen(gw) == []
    # Root has written the file, and seki-queue writes it on.
    assert queue_mail(gw, "again", 1) == "K"
    wait_for(lambda: len(alarms(gw)) == 2, why="a second alarm")
    assert [e[:2] for e in frozen(gw)] == [["login", "alice"]]
    assert gw.seki("thaw", "login", "alice").returncode == 0
    assert gw.seki("thaw", "login", "alice").returncode == 1


def test_I3_frozen_before_it_is_committed(gw):
    """Thirty sessions at once: whatever wins, no more is delivered than the limit allows."""
    with ThreadPoolExecutor(30) as pool:
        letters = list(pool.map(lambda n: queue_mail(gw, f"race-{n}"), range(30)))
    assert letters == ["K"] * 30
    assert len(alarms(gw)) == 1 and len(frozen(gw)) == 1
    assert queue_mail(gw, "other", client="192.0.2.11 helo=pc1 proto=esmtp", sender="carol@example.co.jp") == "K"
    gw.wait_delivered(with_tag("other"))
    wait_for(lambda: not gw.spool("new"), why="all judged")
    assert sum(b"Subject: race-" in m for m in gw.delivered()) <= 10
    assert gw.seki("thaw", "login", "alice").returncode == 0
    gw.wait_delivered(lambda m: b"Subject: race-" in m, 30)


def test_sources(gw):
    """Mail without a login is counted by its address; of IPv6 by the network of 64 bits."""
    assert queue_mail(gw, "v4", 11, "192.0.2.20 helo=a proto=esmtp") == "K"
    assert queue_mail(gw, "v6-a", 6, "2001:db8:1:2::1 helo=a proto=esmtp") == "K"
    gw.wait_delivered(with_tag("v6-a"))
    assert queue_mail(gw, "v6-b", 6, "2001:db8:1:2:ffff::2 helo=a proto=esmtp") == "K"
    assert queue_mail(gw, "v6-other", 6, "2001:db8:1:3::1 helo=a proto=esmtp") == "K"
    gw.wait_delivered(with_tag("v6-other"))
    assert sorted(e[:2] for e in frozen(gw)) == [["source", "192.0.2.20"], ["source", "2001:db8:1:2::/64"]]
    assert len(waiting(gw, "deliver", 2)) == 2
    assert gw.seki("thaw", "source", "2001:db8:1:2::1").returncode == 0
    gw.wait_delivered(with_tag("v6-b"))
    assert gw.seki("thaw", "source", "192.0.2.20").returncode == 0
    gw.wait_delivered(with_tag("v4"))


def test_a_lines_own_quota(gw):
    """What the session says of the source counts instead of the settings; 0 is any number."""
    client = "192.0.2.30 helo=a proto=esmtp relay=1"
    assert queue_mail(gw, "any", 200, client, extra="quota 0 0\n") == "K"
    gw.wait_delivered(with_tag("any"))
    assert queue_mail(gw, "own", 3, client, extra="quota 2 0\n") == "K"
    line = gw.wait_log("seki-queue", "event=quota-frozen")
    assert "source=192.0.2.30" in line and "limit=2" in line


def test_by_smtp(fresh_gateway):
    """From the relay line to the gate: 250 for every message, and those over its quota wait."""
    gw = fresh_gateway(relay="127.0.0.0/8 @example.co.jp quota=2/100\n")
    for n in range(4):
        assert gw.send(mail(f"smtp-{n}")) == {}
        gw.wait_delivered(n=min(n + 1, 2))  # what still waits when it is frozen waits on
    assert len(waiting(gw, "deliver", 2)) == 2
    assert frozen(gw)[0][:2] == ["source", "127.0.0.1"]
    assert gw.seki("thaw", "source", "127.0.0.1").returncode == 0
    gw.wait_delivered(n=4)


def test_a_restart_keeps_the_counts(gw):
    assert queue_mail(gw, "before", 10) == "K"
    restart(gw, "seki-queue")
    assert alarms(gw) == []
    assert queue_mail(gw, "after", 1) == "K"
    gw.wait_log("seki-queue", "event=quota-frozen")
    waiting(gw, "deliver")
    # Frozen over a restart too, without a second alarm; thawed while it is down: from zero.
    restart(gw, "seki-queue", "seki-deliver")
    assert queue_mail(gw, "later", 1) == "K"
    waiting(gw, "deliver", 2)
    assert len(alarms(gw)) == 1
    before = gw.pid("seki-queue")
    gw.svc("-wd", "-d", "seki-queue")
    assert before > 0 and gw.seki("thaw", "login", "alice").returncode == 0
    gw.svc("-wU", "-u", "seki-queue")
    assert queue_mail(gw, "fresh", 10) == "K"
    gw.wait_delivered(lambda m: any(f"Subject: {t}\r".encode() in m for t in ("before", "after", "later", "fresh")), 4)
    assert len(alarms(gw)) == 1


def test_killed_while_frozen(gw):
    """kill -9 loses counts of a minute at most, and never who is frozen."""
    assert queue_mail(gw, "over", 11) == "K"
    gw.wait_log("seki-queue", "event=quota-frozen")
    before = gw.pid("seki-queue")
    gw.svc("-k", "seki-queue")
    wait_for(lambda: gw.pid("seki-queue") not in (before, -1, 0), why="another seki-queue")
    gw.wait_ready("seki-queue")
    assert queue_mail(gw, "held", 1) == "K"
    assert len(waiting(gw, "deliver", 2)) == 2
    assert [e[:2] for e in frozen(gw)] == [["login", "alice"]] and gw.delivered() == []


@pytest.mark.parametrize("text", ["garbage\n", "login alice\n", "login alice since=2026-11-22T09:35:01Z by=x"])
def test_I3_a_damaged_freeze_file(gw, text):
    """Nobody can say who was frozen: nothing is delivered; and who is over his quota is not taken at all."""
    replace(gw.root / "lib/quota/freeze", text)
    assert queue_mail(gw, "within") == "K"
    waiting(gw, "deliver")
    assert queue_mail(gw, "over", 10) == "T"
    gw.wait_log("seki-queue", "event=quota-freeze-failed alarm=yes")
    listed = gw.seki("freeze")
    assert listed.returncode == 102 and "lib/quota/freeze" in listed.stderr
    assert "lib/quota/freeze" in gw.seki("stats").stdout
    assert gw.delivered() == []
    # The refused one was not counted: nine more are within the limit.
    (gw.root / "lib/quota/freeze").unlink()
    assert queue_mail(gw, "nine", 9) == "K"
    gw.wait_delivered(with_tag("within"))
    gw.wait_delivered(with_tag("nine"))


def test_damaged_counts(gw):
    """An alarm, zero, and the old file for whoever wants to look."""
    assert queue_mail(gw, "first", 10) == "K"
    gw.svc("-wd", "-d", "seki-queue")
    counts = gw.root / "lib/quota/counts"
    text = counts.read_text()
    assert "login alice open minutes=" in text
    counts.write_text(text[:-3])
    gw.svc("-wU", "-u", "seki-queue")
    assert "alarm=yes" in gw.wait_log("seki-queue", "event=quota-counts-lost")
    assert (gw.root / "lib/quota/counts.bad").read_text() == text[:-3]
    assert queue_mail(gw, "second", 10) == "K"
    gw.wait_delivered(with_tag("second"))
    assert frozen(gw) == []


def test_the_hour_passes(fresh_gateway):
    """By a clock that does not jump: the wall clock alone lets nobody begin anew. (The test build.)"""
    gw = fresh_gateway(settings=LIMITS, testing=True)
    assert queue_mail(gw, "one", 10) == "K"
    gw.clock(2 * HOUR, HOUR // 2, True)
    restart(gw, "seki-queue")
    gw.clock(0, HOUR + 120, True)
    assert queue_mail(gw, "two", 10) == "K"
    assert alarms(gw) == []
    gw.clock(10 * HOUR, HOUR + 120, True)
    assert queue_mail(gw, "three", 1) == "K"
    gw.wait_log("seki-queue", "event=quota-frozen")


def test_frozen_by_hand(gw):
    """seki freeze login and source: the mail that waits, and what comes."""
    assert gw.seki("freeze", "login", "Mallory", "stolen", "password").returncode == 0
    assert gw.seki("freeze", "source", "2001:db8:7:8:9::1").returncode == 0
    assert gw.seki("freeze", "source", "somewhere").returncode == 100
    assert gw.seki("freeze", "login").returncode == 100
    assert [e[:2] for e in frozen(gw)] == [["login", "Mallory"], ["source", "2001:db8:7:8::/64"]]
    assert queue_mail(gw, "stolen", client="192.0.2.1 helo=x proto=esmtpsa auth=mallory") == "K"
    assert queue_mail(gw, "network", client="2001:db8:7:8::55 helo=x proto=esmtp") == "K"
    assert queue_mail(gw, "free", client="2001:db8:7:9::55 helo=x proto=esmtp") == "K"
    gw.wait_delivered(with_tag("free"))
    assert len(waiting(gw, "deliver", 2)) == 2 and len(gw.delivered()) == 1
    assert gw.seki("thaw", "login", "mallory").returncode == 0
    assert gw.seki("thaw", "source", "2001:db8:7:8::/64").returncode == 0
    gw.wait_delivered(n=3)


@pytest.mark.skipif(os.geteuid() != 0, reason="other users need root")
def test_owners(gw):
    """What seki-queue and root write stays seki-queue's, and seki-deliver reads it."""
    assert queue_mail(gw, "over", 11) == "K"
    path = gw.root / "lib/quota/freeze"
    wait_for(path.exists, why="lib/quota/freeze")
    first = path.stat()
    assert path.owner() == "sekiq" and path.group() == "seki"
    assert gw.seki("thaw", "login", "alice").returncode == 0
    again = path.stat()
    assert (first.st_uid, first.st_gid, first.st_mode) == (again.st_uid, again.st_gid, again.st_mode)
    key = gw.root / "lib/loop/key"
    assert key.owner() == "sekiq" and key.group() == "sekid" and key.stat().st_mode & 0o777 == 0o640
    assert len(key.read_text()) == 65


def test_S12_mark_in_the_received_line(gw):
    """Behind the id, and the same key after a restart."""
    import hashlib
    import hmac
    import re
    key = bytes.fromhex((gw.root / "lib/loop/key").read_text().strip())
    restart(gw, "seki-queue")
    gw.send(mail("marked"))
    [got] = gw.wait_delivered(with_tag("marked"))
    found = re.search(rb"Received: [^\n]*\n\tby [^\n]* id ([0-9a-f]{32})\r\n\t\(mark ([0-9a-f]{16})\); ", got)
    assert found, got
    assert hmac.new(key, found.group(1), hashlib.sha256).hexdigest()[:16].encode() == found.group(2)
