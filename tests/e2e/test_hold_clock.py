"""Q7 for mail that waits for people: while the clock cannot be believed no hold ends, no approval expires, nobody is warned
and nothing is removed for age; people's orders are carried out all the same. (The test build.)"""
import json
import re
import time

import pytest

from conftest import Gateway, wait_for
from test_spool_clock import DAY, stays, timerless, wait_states
from test_spool_kit import NEVER, due, leg, later, mail, new_id, places, plan, put, restart, stamp, wait_in

ALICE, BOSS = "alice@example.co.jp", "suzuki@example.co.jp"
TEN_YEARS = 3650 * DAY
PEOPLE = f"{ALICE} boss={BOSS}\n{BOSS}\n"
RULES = """rule waits
    to      @waits.example
    do      hold 5m

rule confirmed
    to      @confirmed.example
    do      hold until confirmed else discard

rule asked
    to      @asked.example
    do      approve by boss
"""
# People work always, so that all of an approval's times come soon.
SETTINGS = {"sweep-every": "1s", "working-hours": "00:00-24:00", "approve-expiry": "discard", "approve-expire": "16h",
            "approve-warn": "2h", "approve-escalate": "4h", "warn-before": "1d", "hold-notice": "risky", "remind-every": "0s",
            "keep-trash": "14d", "time-zone": "Asia/Tokyo", "clock-gap": "2d"}
STAGES = ("seki-hold", "seki-deliver")


@pytest.fixture
def gw(fresh_gateway):
    """A gateway whose clock does not count as synchronised; alice has a boss."""
    made = fresh_gateway(settings=SETTINGS, testing=True, files={
        "etc/policy/must/50-rules": RULES, "etc/people": PEOPLE, "etc/domains": "example.co.jp internal\n"})
    made.clock(0, 0, False)
    return made


class Held:
    """One of each kind that waits, and one that was thrown away 13 days ago."""

    def __init__(self, gw: Gateway) -> None:
        self.gw = gw
        self.timed = self.sent(gw, "timed", "bob@waits.example", "hold")
        self.confirmed = self.sent(gw, "confirmed", "bob@confirmed.example", "hold")
        self.asked = self.sent(gw, "asked", "bob@asked.example", "approve")
        self.trashed = new_id()
        put(gw, "trash", f"{self.trashed}.1", leg(self.trashed, mail("trashed"), f"{stamp(later(days=-13))} discarded by=x\n"))
        wait_in(gw, self.trashed, "trash")
        self.told = {("legs", "read")}
        wanted = {(self.confirmed, "hold"), (self.asked, "hold"), (self.asked, "request")}
        self.told |= wait_for(lambda: wanted <= self.notices() and self.notices(), why="those who have to act are told")

    @staticmethod
    def sent(gw: Gateway, tag: str, to: str, state: str) -> str:
        before = {p.name for p in gw.spool(state)}
        gw.send(mail(tag), to=to)
        [name] = wait_for(lambda: {p.name for p in gw.spool(state)} - before, why=tag)
        return name.split(".")[1]

    def all(self) -> list[str]:
        return [self.timed, self.confirmed, self.asked, self.trashed]

    def notices(self) -> set[tuple[str, ...]]:
        """Whom the legs' records tell of, beside those of the beginning."""
        return wait_for(self.look, why="every leg read where it stands") - self.told

    def look(self) -> set[tuple[str, ...]] | None:
        """What the records tell; None if a leg moved between the listing and the reading."""
        found = {("legs", "read")}
        for leg_id in self.all():
            for state, name in places(self.gw, leg_id):
                try:
                    text = (self.gw.root / "spool" / state / name).read_bytes().decode(errors="replace")
                except FileNotFoundError:
                    return None
                found |= {(leg_id, what) for what in re.findall(r"Z noticed what=(\S+)", text)}
        return found

    def untouched(self) -> None:
        """Nothing has left, ended or been told of."""
        where = [[state for state, _ in places(self.gw, leg_id)] for leg_id in self.all()]
        assert where == [["hold"], ["hold"], ["approve"], ["trash"]]
        assert not self.notices()
        for tag in ("timed", "confirmed", "asked", "trashed"):
            assert not any(f"Subject: {tag}".encode() in m and b"Auto-Submitted" not in m for m in self.gw.delivered())

    def stay_untouched(self, wall: int, boot: int) -> None:
        """Through all the times that they have, by the clock that never jumps."""
        for hours in (1, 5, 15, 17, 49, 71, 73, 80):
            self.gw.clock(wall + hours * 3600, boot + hours * 3600, False)
            time.sleep(0.25)  # several sweeps: nothing tells that nothing happens
        self.untouched()


def act(gw: Gateway, who: str, leg_id: str, word: str) -> str:
    """By a session made at this time, whatever it is."""
    done = gw.seki("gate", "--as", who, "act", f"word={word}", f"id={leg_id}")
    return json.loads(done.stdout)["result"] if done.stdout else done.stderr


def people_act(gw: Gateway, held: Held) -> None:
    """A suspect clock stops no person: confirmed, approved, released, restored."""
    assert act(gw, ALICE, held.confirmed, "confirm") == "done"
    wait_in(gw, held.confirmed, "sent")
    assert act(gw, BOSS, held.asked, "approve") == "done"
    wait_in(gw, held.asked, "sent")
    assert gw.seki("release", held.timed).returncode == 0
    wait_in(gw, held.timed, "sent")
    assert gw.seki("restore", held.trashed).returncode == 0
    gw.wait_delivered(lambda m: b"Subject: trashed" in m)  # no rule holds it


@pytest.mark.parametrize("step", [-DAY, TEN_YEARS], ids=["a day back", "ten years forward"])
def test_Q7_S2_06_a_step_ends_nothing(gw: Gateway, step: int) -> None:
    """No hold, no approval, no warning, no retention; people act; "seki clock ok" lets it go on."""
    held = Held(gw)
    gw.clock(step, 0, False)
    wait_states(gw, "frozen", *STAGES)
    held.stay_untouched(step, 0)
    timerless(gw, "no-timer")
    people_act(gw, held)


def test_Q7_clock_ok_lets_it_go_on(gw: Gateway) -> None:
    """Ten years have passed, an operator says: what time ends, ends; who has to be warned is warned before."""
    held = Held(gw)
    gw.clock(TEN_YEARS, 0, False)
    wait_states(gw, "frozen", *STAGES)
    held.untouched()
    assert gw.seki("clock", "ok").returncode == 0
    wait_states(gw, "running", *STAGES)
    gw.wait_delivered(lambda m: b"Subject: timed" in m)
    wait_for(lambda: not places(gw, held.trashed), 20, "trash/ removed after 14 days")
    wait_for(lambda: {(held.confirmed, "warning"), (held.asked, "warning")} <= held.notices(), why="warned")
    assert [s for s, _ in places(gw, held.confirmed)] == ["hold"] and [s for s, _ in places(gw, held.asked)] == ["approve"]
    # Half of the usual time behind the warning.
    gw.clock(TEN_YEARS + DAY, DAY, False)
    wait_in(gw, held.confirmed, "trash")
    wait_in(gw, held.asked, "trash")
    assert not any(b"Subject: confirmed" in m and b"Auto-Submitted" not in m for m in gw.delivered())


def test_Q7_booted_in_2036(gw: Gateway) -> None:
    """Started with a clock that is wrong, and again: nothing ends, and people act, until it is set right."""
    held = Held(gw)
    for name in STAGES:
        gw.svc("-wD", "-d", name)
    gw.clock(TEN_YEARS, 0, False)
    for name in STAGES:
        gw.svc("-wU", "-u", name)
    wait_states(gw, "frozen", *STAGES)
    gw.clock(TEN_YEARS + 400, 400, False)
    stays(gw, held.timed)
    restart(gw, "seki-hold")  # a second start finds no more reason to believe it
    wait_states(gw, "frozen", "seki-hold")
    held.untouched()
    assert act(gw, BOSS, held.asked, "approve") == "done"
    wait_in(gw, held.asked, "sent")

    gw.clock(400, 400, False)  # somebody sets it right
    wait_states(gw, "running", *STAGES)
    gw.wait_delivered(lambda m: b"Subject: timed" in m)
    assert [s for s, _ in places(gw, held.confirmed)] == ["hold"] and places(gw, held.trashed)


def test_Q7_booted_in_2036_and_not_set_right(gw: Gateway) -> None:
    """However long it runs so."""
    held = Held(gw)
    for name in STAGES:
        gw.svc("-wD", "-d", name)
    gw.clock(TEN_YEARS, 0, False)
    for name in STAGES:
        gw.svc("-wU", "-u", name)
    wait_states(gw, "frozen", *STAGES)
    held.stay_untouched(TEN_YEARS, 0)
    people_act(gw, held)


def test_S2_06_a_hold_of_five_minutes_ends_within_a_second(gw: Gateway) -> None:
    """Neither before, nor a second after."""
    leg_id = Held.sent(gw, "punctual", "bob@waits.example", "hold")
    gw.clock(295, 295, False)
    stays(gw, leg_id)
    begun = time.monotonic()
    gw.clock(301, 301, False)
    gw.wait_delivered(lambda m: b"Subject: punctual" in m)
    assert time.monotonic() - begun < 1
    assert "ended=due" in (gw.root / "spool/sent" / wait_in(gw, leg_id, "sent")).read_bytes().decode(errors="replace")


def test_S2_06_the_times_of_a_clock_that_is_right(gw: Gateway) -> None:
    """A day before it is thrown away its sender is warned; after three days it is; an approval expires after 16 hours, and
    those who are asked are warned two hours before."""
    held = Held(gw)
    clock = 0

    def at(hours: float) -> None:
        nonlocal clock
        while clock < hours * 3600:  # in steps that no stage takes for a gap
            clock = min(clock + 3600, int(hours * 3600))
            gw.clock(clock, clock, False)
            time.sleep(0.02)

    at(13.9)
    assert not held.notices()
    at(14.1)
    wait_for(lambda: (held.asked, "warning") in held.notices(), why="the boss is warned")
    assert [s for s, _ in places(gw, held.asked)] == ["approve"]
    at(16.2)
    wait_in(gw, held.asked, "trash")
    at(47.9)
    assert (held.confirmed, "warning") not in held.notices()
    at(48.1)
    wait_for(lambda: (held.confirmed, "warning") in held.notices(), why="the sender is warned")
    assert [s for s, _ in places(gw, held.confirmed)] == ["hold"]
    at(72.2)
    wait_in(gw, held.confirmed, "trash")
