"""Q7: nothing leaves that only a timer held when the clock cannot be believed. (The test build.)"""
import time

import pytest

from conftest import wait_for
from test_spool_kit import due, later, leg, mail, new_id, places, plan, put, restart, stamp, wait_in, waiting

DAY = 86400
MARGIN = 1.5  # for what could have happened and has not: longer than any nap of a stage


@pytest.fixture
def gw(fresh_gateway):
    """Holds all mail for five minutes; the clock does not count as synchronised."""
    made = fresh_gateway(settings={"plan-states": "hold deliver", "plan-hold": "5m"}, testing=True)
    made.clock(0, 0, False)
    return made


def states(gw) -> dict[str, str]:
    """What each stage thinks of the clock, by its name."""
    rows = [line.split("\t") for line in gw.seki("clock").stdout.splitlines()]
    return {row[0]: row[2] for row in rows if row[0].startswith("seki-")}


def wait_states(gw, expected: str, *stages: str) -> None:
    wait_for(lambda: all(states(gw).get(s) == expected for s in stages or ("seki-hold",)), 10, f"{expected}: {states(gw)}")


def hold(gw, tag: str) -> str:
    gw.send(mail(tag))
    return waiting(gw, "hold")[-1].name.split(".")[1]


def timerless(gw, tag: str) -> None:
    """Mail whose plan has no timer is delivered, whatever the clock says."""
    leg_id = new_id()
    put(gw, "deliver", f"{due()}.{leg_id}.1", leg(leg_id, mail(tag), plan(leg_id, " deliver\n")))
    gw.wait_delivered(lambda m: tag.encode() in m)


def stays(gw, leg_id: str) -> None:
    """It stands in hold/ for as long as a stage that did not know better would have needed."""
    end = time.monotonic() + MARGIN
    while time.monotonic() < end:
        assert [state for state, _ in places(gw, leg_id)] == ["hold"]
        time.sleep(0.1)


def old_sent_leg(gw) -> str:
    """A finished leg, 30 weeks old."""
    leg_id = f"{int(time.time() * 1000) - 30 * 7 * DAY * 1000:012x}" + "0" * 20
    name = f"{leg_id}.1"
    put(gw, "sent", name, leg(leg_id, mail("old"), f"{stamp()} delivered rcpt=1\n{stamp()} emptied from=0\n"))
    return leg_id


def test_Q7_usual_hold_ends_in_time(gw):
    """Within a second of its time, neither before."""
    leg_id = hold(gw, "usual")
    gw.clock(295, 295, False)
    stays(gw, leg_id)
    begun = time.monotonic()
    gw.clock(301, 301, False)
    gw.wait_delivered(lambda m: b"usual" in m)
    taken = time.monotonic() - begun
    print(f"\nleft {taken:.2f} s after its time")
    assert taken < 1
    wait_in(gw, leg_id, "sent")


@pytest.mark.parametrize("step", [-DAY, 3650 * DAY])
def test_Q7_clock_steps(gw, step):
    """A day back, ten years forward: frozen, and an operator thaws."""
    leg_id = hold(gw, "stepped")
    gw.clock(step, 0, False)
    wait_states(gw, "frozen", "seki-hold", "seki-deliver", "seki-stagger")
    done = gw.seki("clock")
    assert done.returncode == 1 and "frozen" in done.stdout
    # Its five minutes are over by the clock that never jumps, too: still nothing.
    gw.clock(step + 400, 400, False)
    stays(gw, leg_id)
    timerless(gw, "timerless-step")

    assert gw.seki("clock", "ok").returncode == 0
    wait_states(gw, "running", "seki-hold", "seki-deliver", "seki-stagger")
    assert gw.seki("clock").returncode == 0
    if step > 0:
        gw.wait_delivered(lambda m: b"stepped" in m, timeout=3)
    else:
        stays(gw, leg_id)  # by the clock that is right now, its time lies a day ahead


def test_Q7_synchronised_thaws(gw):
    leg_id = hold(gw, "synchronised")
    gw.clock(3650 * DAY, 0, False)
    wait_states(gw, "frozen")
    stays(gw, leg_id)
    begun = time.monotonic()
    gw.clock(400, 400, True)
    gw.wait_delivered(lambda m: b"synchronised" in m, timeout=5)
    print(f"\nleft {time.monotonic() - begun:.2f} s after the thaw")
    assert time.monotonic() - begun < 2.5


def test_Q7_boot_in_2036(gw):
    """Started with the clock ten years on: frozen; nothing is released and nothing removed for age."""
    leg_id = hold(gw, "year-2036")
    sent = old_sent_leg(gw)
    stages = ["seki-scan", "seki-hold", "seki-stagger", "seki-deliver"]
    for name in stages:
        gw.svc("-wD", "-d", name)
    gw.clock(3650 * DAY, 0, False)
    gw.setting(sweep_every="1s")
    for name in stages:
        gw.svc("-wU", "-u", name)
    wait_states(gw, "frozen", "seki-hold", "seki-deliver")
    assert gw.seki("clock").returncode == 1
    timerless(gw, "timerless-2036")
    stays(gw, leg_id)
    # Some sweeps later, by the clock that never jumps.
    for n in range(1, 15):
        gw.clock(3650 * DAY + 10 * n, 10 * n, False)
        time.sleep(0.06)
    assert places(gw, sent) == [("sent", f"{sent}.1")]
    stays(gw, leg_id)
    # A second start finds no more reason to believe it.
    restart(gw, "seki-hold")
    wait_states(gw, "frozen")
    stays(gw, leg_id)

    gw.clock(0, 0, False)  # somebody sets it right
    wait_states(gw, "running", "seki-hold", "seki-deliver")
    gw.clock(400, 400, False)
    gw.wait_delivered(lambda m: b"year-2036" in m, timeout=5)


def test_Q7_retention(fresh_gateway):
    """When time has really passed, what has been kept long enough goes; what is younger stays."""
    gw = fresh_gateway(settings={"sweep-every": "1s", "keep-trash": "0s"}, testing=True)
    gw.clock(0, 0, False)
    gw.send(mail("kept"))
    gw.wait_delivered(lambda m: b"kept" in m)
    sent = waiting(gw, "sent")[0].name
    discarded = new_id()
    put(gw, "trash", f"{discarded}.1", leg(discarded, mail("gone"), f"{stamp()} discarded by=alice\n"))
    refused = new_id()
    put(gw, "refused", f"{refused}.1", leg(refused, mail("no"), f"{stamp()} refused rule=x\n"))
    put(gw, "bad", "odd", b"x")

    def pass_days(first: int, last: int) -> None:
        for day in range(first, last + 1):
            gw.clock(day * DAY, day * DAY, False)
            time.sleep(0.05)

    pass_days(1, 13)
    assert places(gw, refused)
    pass_days(14, 27)
    wait_for(lambda: not places(gw, refused), 20, "refused/ removed after 14 days")
    assert places(gw, sent.split(".")[0])
    pass_days(28, 28 * 7)
    wait_for(lambda: not places(gw, sent.split(".")[0]), 20, "sent/ removed after 26 weeks")
    assert places(gw, discarded) == [("trash", f"{discarded}.1")]  # 0s is for ever
    assert [p.name for p in gw.spool("bad")] == ["odd"]
    assert later().year > 2000
