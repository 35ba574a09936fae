"""I3: what waits for an operator waits; seki release and seki discard end it, and nothing else does."""
import os
import pwd
import re
import socket
import time

import pytest

from conftest import wait_for
from test_quota import queue_mail, with_tag
from test_spool_kit import NEVER, due, leg, mail, new_id, places, plan, put, restart, wait_in, waiting, words
from test_spool_users import as_user

HELD = "192.0.2.10 helo=pc1 proto=esmtpsa port=1 auth=alice hold=foreign-sender"
SLOW = {"plan-states": "hold deliver", "plan-hold": "1h"}


def hold(gw, tag: str, client: str = HELD, **more) -> str:
    """A message that waits in hold/; its id."""
    before = {p.name for p in gw.spool("hold")}
    assert queue_mail(gw, tag, client=client, **more) == "K"
    new = wait_for(lambda: [p.name for p in gw.spool("hold") if p.name not in before], why="hold/")
    return new[0].split(".")[1]


def content(gw, leg_id: str) -> bytes:
    [(state, name)] = places(gw, leg_id)
    return (gw.root / "spool" / state / name).read_bytes()


def rows(done) -> list[list[str]]:
    """leg, result, state, why of each line."""
    return [line.split("\t") for line in done.stdout.splitlines()]


def order(gw, program: str, line: bytes, seconds: float = 20) -> bytes:
    """What the stage answers to these bytes."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(seconds)
        s.connect(str(gw.root / f"run/order/{program}/socket"))
        s.sendall(line)
        return s.recv(4096)


@pytest.fixture(scope="module")
def gw():
    from conftest import prepare
    made = prepare()
    try:
        yield made.start()
    finally:
        made.stop()


# ---- release -----------------------------------------------------------------------------------


def test_I3_held_until_it_is_released(gw):
    """No alarm, no time, no restart ends it; a release does, and says so in the trailer."""
    leg_id = hold(gw, "foreign")
    [(_, name)] = places(gw, leg_id)
    assert name.startswith(NEVER)
    assert b"\n hold operator why=foreign-sender\n deliver\n" in content(gw, leg_id)
    assert re.search(rf"^hold\tnever\t{leg_id}\.1\t", gw.seki("list", "hold").stdout, flags=re.M)
    restart(gw, "seki-hold")
    assert gw.seki("flush").returncode == 0
    gw.send(mail("another"))
    gw.wait_delivered(with_tag("another"))
    assert [state for state, _ in places(gw, leg_id)] == ["hold"]
    assert "event=stopped " not in gw.log("seki-hold")

    done = gw.seki("release", leg_id)
    assert done.returncode == 0, done.stderr
    assert rows(done) == [[f"{leg_id}.1", "released", "deliver", "-"]]
    gw.wait_delivered(with_tag("foreign"))
    wait_in(gw, leg_id, "sent")
    text = content(gw, leg_id)
    assert re.search(rb"^\S+Z held plan=[0-9a-f]{16} ended=released by=\w+ via=shell$", text, flags=re.M)
    assert words(text, leg_id)[:3] == ["plan", "held", "delivered"]
    assert "event=released" in gw.log("seki-hold")

    again = gw.seki("release", leg_id)
    assert again.returncode == 1 and rows(again) == [[f"{leg_id}.1", "no", "sent", "it was sent"]]


def test_I3_by_whom(gw):
    """Root, and behind it the one who used sudo; whatever he is called, it is one value."""
    import subprocess
    from conftest import clean_env
    leg_id = hold(gw, "whom")
    env = clean_env(SEKISHO_ROOT=str(gw.root), SUDO_USER="al ice=x")
    subprocess.run([str(gw.root / "bin/seki"), "release", leg_id], env=env, check=True, capture_output=True, timeout=60)
    wait_in(gw, leg_id, "sent")
    if os.geteuid() == 0:
        assert b" by=root(al+20ice+3Dx) via=shell\n" in content(gw, leg_id)


def test_many_by_standard_input(gw):
    """As the manual shows it: list, cut, release; a prefix is enough, what is none is told."""
    ids = [hold(gw, f"many-{n}") for n in range(3)]
    listed = gw.seki("list", "hold").stdout
    names = "".join(line.split("\t")[2] + "\n" for line in listed.splitlines())
    done = gw.seki("release", "-", stdin=names)
    assert done.returncode == 0 and sorted(r[0] for r in rows(done)) == sorted(f"{i}.1" for i in ids)
    gw.wait_delivered(lambda m: b"Subject: many-" in m, 3)
    one = hold(gw, "prefix")
    assert gw.seki("release", one[:-1], "ffffffffffff").returncode == 1  # the one was, the other is none
    gw.wait_delivered(with_tag("prefix"))
    assert gw.seki("release").returncode == 100
    assert gw.seki("release", "xyz").returncode == 1


def test_every_leg_of_a_message(fresh_gateway):
    """ID is all its legs, ID.K one; a line for each."""
    gw = fresh_gateway(settings={"plan-divide": "recipient"})
    leg_id = hold(gw, "legs", rcpts=3)
    waiting(gw, "hold", 3)
    one = gw.seki("release", f"{leg_id}.1.2")
    assert one.returncode == 0 and rows(one) == [[f"{leg_id}.1.2", "released", "deliver", "-"]]
    gw.wait_delivered(with_tag("legs"))
    assert len(gw.spool("hold")) == 2
    rest = gw.seki("release", leg_id)
    assert rest.returncode == 0  # one had gone already, which is no failure of this
    assert sorted(r[1] for r in rows(rest)) == ["no", "released", "released"]
    gw.wait_delivered(with_tag("legs"), 3)


def test_a_time_may_be_cut_short(fresh_gateway):
    """A release before the time is the operator's right, also while the clock is suspect."""
    gw = fresh_gateway(settings=SLOW, testing=True)
    first = hold(gw, "early", client="192.0.2.10 helo=a proto=esmtp")
    assert gw.seki("release", first).returncode == 0
    gw.wait_delivered(with_tag("early"))
    second = hold(gw, "suspect", client="192.0.2.10 helo=a proto=esmtp")
    gw.clock(7200, 0, False)
    wait_for(lambda: "frozen" in gw.seki("clock").stdout, why="the clock is suspect")
    assert gw.seki("release", second).returncode == 0
    gw.wait_delivered(with_tag("suspect"))


def test_both_holds(fresh_gateway):
    """The operator's hold first, then that of the settings: the door makes plans only stricter."""
    gw = fresh_gateway(settings=SLOW)
    leg_id = hold(gw, "both")
    assert rows(gw.seki("release", leg_id)) == [[f"{leg_id}.1", "released", "hold", "-"]]
    name = wait_in(gw, leg_id, "hold")
    assert not name.startswith(NEVER) and gw.delivered() == []
    assert rows(gw.seki("release", leg_id)) == [[f"{leg_id}.1", "released", "deliver", "-"]]
    gw.wait_delivered(with_tag("both"))


# ---- discard -----------------------------------------------------------------------------------


def test_I3_discarded_mail_is_never_sent(gw):
    leg_id = hold(gw, "discarded")
    done = gw.seki("discard", leg_id)
    assert done.returncode == 0 and rows(done) == [[f"{leg_id}.1", "discarded", "trash", "-"]]
    wait_in(gw, leg_id, "trash")
    assert re.search(rb"^\S+Z discarded by=\w+ via=shell cause=person tell=draft$", content(gw, leg_id), flags=re.M)
    # Wherever it is put now, it comes back: the word binds.
    [(_, name)] = places(gw, leg_id)
    os.rename(gw.root / "spool/trash" / name, gw.root / "spool/deliver" / f"{due()}.{name}")
    wait_in(gw, leg_id, "trash")
    restart(gw, "seki-hold", "seki-deliver")
    gw.send(mail("passes"))
    gw.wait_delivered(with_tag("passes"))
    assert not any(with_tag("discarded")(m) for m in gw.delivered())
    again = gw.seki("discard", leg_id)
    assert again.returncode == 1 and rows(again)[0][1:3] == ["no", "trash"]
    assert gw.seki("release", leg_id).returncode == 1


def test_frozen_mail_of_a_stolen_login(gw):
    """Freeze, look, throw it away, thaw: nothing of it goes."""
    assert gw.seki("freeze", "login", "mallory", "stolen").returncode == 0
    for n in range(3):
        assert queue_mail(gw, f"spam-{n}", client="192.0.2.10 helo=x proto=esmtpsa auth=mallory") == "K"
    legs = [p.name.split(".", 1)[1] for p in waiting(gw, "deliver", 3)]
    released = gw.seki("release", legs[0])
    assert released.returncode == 1 and rows(released)[0][1:3] == ["no", "deliver"]
    done = gw.seki("discard", *legs)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [r[1:3] for r in rows(done)] == [["discarded", "trash"]] * 3
    assert gw.seki("thaw", "login", "mallory").returncode == 0
    gw.send(mail("thawed"))
    gw.wait_delivered(with_tag("thawed"))
    assert not any(b"Subject: spam-" in m for m in gw.delivered())
    assert gw.spool("deliver") == []


def test_what_was_stopped(gw):
    """A step that this version cannot take: no release, but a discard."""
    leg_id = new_id()
    put(gw, "approve", f"{due()}.{leg_id}.1", leg(leg_id, mail("ask"), plan(leg_id, " approve boss\n deliver\n")))
    wait_for(lambda: places(gw, leg_id)[0][1].startswith(NEVER), why="stopped")
    released = gw.seki("release", leg_id)
    assert released.returncode == 1 and rows(released)[0][1:3] == ["no", "approve"]
    assert "approval" in rows(released)[0][3]
    assert gw.seki("discard", leg_id).returncode == 0
    wait_in(gw, leg_id, "trash")

    other = new_id()
    text = plan(other, " hold operator\n deliver\n") + "2026-11-22T09:35:01.123456Z frobnicated x=1\n"
    put(gw, "hold", f"{NEVER}.{other}.1", leg(other, mail("odd"), text))
    released = gw.seki("release", other)
    assert released.returncode == 1 and "unknown record" in rows(released)[0][3]
    assert gw.seki("discard", other).returncode == 0
    wait_in(gw, other, "trash")


def test_a_next_step_that_is_not_known(gw):
    """Nothing is released into the unknown, and nothing is written down about it."""
    leg_id = new_id()
    put(gw, "hold", f"{NEVER}.{leg_id}.1", leg(leg_id, mail("next"), plan(leg_id, " hold operator\n seal x\n deliver\n")))
    before = content(gw, leg_id)
    done = gw.seki("release", leg_id)
    assert done.returncode == 1 and rows(done)[0][1:3] == ["no", "hold"]
    assert content(gw, leg_id) == before
    assert gw.seki("discard", leg_id).returncode == 0


# ---- who, and how ------------------------------------------------------------------------------


def test_a_stage_that_is_down(gw):
    leg_id = hold(gw, "down")
    gw.svc("-wd", "-d", "seki-hold")
    try:
        done = gw.seki("release", leg_id)
        assert done.returncode == 111 and "seki-hold is not running" in done.stderr
    finally:
        gw.svc("-wU", "-u", "seki-hold")
    assert gw.seki("release", leg_id).returncode == 0
    gw.wait_delivered(with_tag("down"))


@pytest.mark.skipif(os.geteuid() != 0, reason="other users need root")
@pytest.mark.parametrize("user", ["nobody", "sekid", "sekiq", "sekis", "sekir", "sekix"])
def test_I3_who_may_not_order(gw, user):
    """Neither by the tool nor by the socket."""
    leg_id = hold(gw, f"user-{user}")
    name = places(gw, leg_id)[0][1]

    def by_socket() -> None:
        order(gw, "seki-hold", f"release hold {name} by=x via=shell\n".encode())

    def by_tool() -> None:
        code = os.spawnve(os.P_WAIT, str(gw.root / "bin/seki"), ["seki", "release", leg_id], {"SEKISHO_ROOT": str(gw.root)})
        raise OSError(13 if code == 111 else 0, "")
    assert as_user(user, by_socket) == 13
    assert as_user(user, by_tool) == 13
    assert [state for state, _ in places(gw, leg_id)] == ["hold"]
    assert gw.seki("discard", leg_id).returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="other users need root")
def test_I3_the_socket_asks_who_it_is(gw):
    """Even if the directory let him in: the program looks at the peer's user."""
    leg_id = hold(gw, "peer")
    name = places(gw, leg_id)[0][1]
    folder = gw.root / "run/order/seki-hold"
    os.chmod(folder, 0o711)
    try:
        def by_socket() -> None:
            if order(gw, "seki-hold", f"release hold {name} by=x via=shell\n".encode()) == b"":
                raise OSError(1, "closed")
        assert as_user("nobody", by_socket) in (1, 32, 104)
        assert "alarm=yes" in gw.wait_log("seki-hold", "event=order-refused")
        assert f"uid={pwd.getpwnam('nobody').pw_uid}" in gw.wait_log("seki-hold", "event=order-refused")
        assert [state for state, _ in places(gw, leg_id)] == ["hold"]
    finally:
        os.chmod(folder, 0o700)
    assert gw.seki("discard", leg_id).returncode == 0


@pytest.mark.parametrize("line", [b"\n", b"release\n", b"release hold x by=a via=b\n", b"release hold \0 by=a via=b\n",
                                  b"x" * 5000, b"discard sent x by=a via=b\nmore"])
def test_no_order(gw, line):
    assert order(gw, "seki-hold", line) == b"no that is no order\n"


def test_answers(gw):
    """Gone is told as gone, and what a stage does not do as no."""
    ident = new_id()
    assert order(gw, "seki-hold", f"release hold {NEVER}.{ident}.1 by=a via=shell\n".encode()) == b"gone\n"
    assert order(gw, "seki-hold", f"discard deliver {NEVER}.{ident}.1 by=a via=shell\n".encode()).startswith(b"no ")
    assert order(gw, "seki-deliver", f"release deliver {NEVER}.{ident}.1 by=a via=shell\n".encode()).startswith(b"no ")
    assert order(gw, "seki-deliver", f"discard sent {ident}.1 by=a via=shell\n".encode()).startswith(b"no ")


def test_silent_clients_stop_nobody(gw):
    """Mail goes on at once, and the next order as soon as one of them has been given up."""
    silent = []
    for _ in range(6):
        s = socket.socket(socket.AF_UNIX)
        s.connect(str(gw.root / "run/order/seki-hold/socket"))
        s.sendall(b"release ")
        silent.append(s)
    try:
        began = time.monotonic()
        leg_id = hold(gw, "patience")
        gw.send(mail("meanwhile"))
        gw.wait_delivered(with_tag("meanwhile"), timeout=4)
        assert gw.seki("release", leg_id).returncode == 0
        assert time.monotonic() - began < 20
        gw.wait_delivered(with_tag("patience"))
    finally:
        for s in silent:
            s.close()
