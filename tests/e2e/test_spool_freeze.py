"""The red button, and flush."""
import shutil

import pytest

from conftest import replace, wait_for
from test_spool_kit import mail, restart, waiting, words


@pytest.fixture(scope="module")
def gw():
    from conftest import prepare
    made = prepare()
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture(autouse=True)
def nothing_frozen(gw):
    """Each test begins and ends with nothing frozen and nothing waiting."""
    yield
    (gw.root / "lib/freeze").unlink(missing_ok=True)
    wait_for(lambda: not gw.spool("deliver"), why="deliver/ empty")


def held_back(gw, tag: str) -> list[str]:
    """Delivery has been asked for mail that may go; what may not go is still in deliver/."""
    gw.send(mail("may-go-" + tag), sender="carol@example.co.jp", to=["dave@other.example"])
    gw.wait_delivered(lambda m: b"may-go-" + tag.encode() in m)
    return [p.name for p in waiting(gw, "deliver")]


@pytest.mark.parametrize("what,address", [
    ("sender", "alice@example.co.jp"), ("sender", "ALICE@Example.CO.JP"), ("recipient", "bob@partner.example"),
    ("recipient", "@partner.example"), ("recipient", "@PARTNER.example"),
])
def test_freeze_and_thaw(gw, what, address):
    tag = f"frozen-{what}-{address}"
    assert gw.seki("freeze", what, address, "to", "see").returncode == 0
    assert address in gw.seki("freeze").stdout
    assert gw.seki("freeze", what, address).returncode == 1  # already
    gw.send(mail(tag))
    assert len(held_back(gw, tag)) == 1
    assert not any(b"Subject: " + tag.encode() + b"\r" in m for m in gw.delivered())
    restart(gw, "seki-deliver")  # and it holds over a restart
    assert len(held_back(gw, tag + "-again")) == 1
    assert gw.seki("thaw", what, address).returncode == 0
    gw.wait_delivered(lambda m: b"Subject: " + tag.encode() + b"\r" in m)
    assert gw.seki("thaw", what, address).returncode == 1
    wait_for(lambda: not gw.spool("deliver"), why="deliver/ empty")


def test_freeze_all(gw):
    assert gw.seki("freeze", "all", "stop").returncode == 0
    for n in range(3):
        gw.send(mail(f"all-{n}"), to=[f"r{n}@somewhere{n}.example"])
    waiting(gw, "deliver", 3)
    wait_for(lambda: gw.log("seki-scan").count("event=judged") >= 3, why="judged")
    assert gw.seki("flush").returncode == 0  # a flush is no thaw
    assert not any(b"Subject: all-" in m for m in gw.delivered())
    assert gw.seki("thaw", "all").returncode == 0
    gw.wait_delivered(lambda m: b"Subject: all-" in m, 3)


def test_some_recipients_frozen(gw):
    """The others get the message, once; the frozen one when he is thawed, once."""
    assert gw.seki("freeze", "recipient", "bob@partner.example").returncode == 0
    gw.send(mail("some"), to=["a@x.example", "bob@partner.example", "c@x.example"])
    got = gw.wait_delivered(lambda m: b"Subject: some\r" in m)
    assert got[0].count(b"Delivered-To: ") == 2 and b"Delivered-To: bob@" not in got[0]
    assert gw.seki("thaw", "recipient", "bob@partner.example").returncode == 0
    got = gw.wait_delivered(lambda m: b"Subject: some\r" in m, 2)
    assert sorted(m.count(b"Delivered-To: ") for m in got) == [1, 2]
    wait_for(lambda: not gw.spool("deliver"), why="deliver/ empty")


@pytest.mark.parametrize("text", ["nonsense\n", "all", "sender\n", "recipient @\n", "all since=now by=x reason=\n",
                                  "all since=2026-11-22T09:35:01Z by=x reason= more=1\n", "\0\n"])
def test_malformed_freeze_file(gw, text):
    """Nobody can say what the operator meant: everything is frozen."""
    replace(gw.root / "lib/freeze", text)
    tag = "malformed" + str(abs(hash(text)))
    try:
        gw.send(mail(tag))
        waiting(gw, "deliver")
        assert gw.seki("freeze").returncode == 102
        assert not any(tag.encode() in m for m in gw.delivered())
    finally:
        (gw.root / "lib/freeze").unlink()
    gw.wait_delivered(lambda m: tag.encode() in m)


def test_flush(gw):
    """What failed for now waits five minutes and more, and goes at once when an operator says so."""
    shutil.move(gw.root / "outbox/new", gw.root / "outbox/away")
    try:
        gw.send(mail("deferred"))
        gw.wait_log("seki-deliver", "event=deferred")
        path = wait_for(lambda: next(iter(gw.spool("deliver")), None), why="deliver/")
        wait_for(lambda: b" deferred " in next(iter(gw.spool("deliver"))).read_bytes(), why="deferred")
        path = gw.spool("deliver")[0]
        leg_id = path.name.split(".")[1]
        assert words(path.read_bytes(), leg_id) == ["plan", "deferred"]
        record = path.read_bytes().splitlines()[-1].decode()
        until = record.split("until=")[1].split()[0]
        assert path.name.split(".")[0] == next_second(until)
        assert gw.seki("flush").returncode == 0
        wait_for(lambda: words(gw.spool("deliver")[0].read_bytes(), leg_id).count("deferred") == 2, why="second try")
    finally:
        shutil.move(gw.root / "outbox/away", gw.root / "outbox/new")
    assert gw.seki("flush").returncode == 0
    gw.wait_delivered(lambda m: b"Subject: deferred" in m)
    sent = wait_for(lambda: next((p for p in gw.spool("sent") if leg_id in p.name), None), why="sent/")
    assert words(sent.read_bytes(), leg_id)[:4] == ["plan", "deferred", "deferred", "delivered"]


def next_second(text: str) -> str:
    """The DUE after a time: the timetable is never earlier than the record."""
    from datetime import datetime, timedelta
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(microsecond=0) + timedelta(seconds=1)
    return moment.strftime("%Y%m%dT%H%M%SZ")
