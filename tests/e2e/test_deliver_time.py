"""Delivery over days, in virtual time: tries that become rarer, a warning, an end, and a clock that cannot be
believed. (The test build.)"""
import time
from datetime import datetime, timezone

import pytest

from conftest import wait_for
from deliver_kit import (ALICE, Receiver, World, files, no_crash, records, wait_record, wait_sent)
from test_spool_kit import places, restart

MINUTE, HOUR, DAY = 60, 3600, 86400
MARGIN = 0.6  # for what could have happened and has not
LATER = b"451 4.7.1 greylisted, come back"
DEFAULTS = {"retry-first": "5m", "retry-longest": "4h", "deliver-dead": "5m"}


class Days(World):
    """An instance whose clocks a test moves on, always both."""

    def __init__(self, **settings: str) -> None:
        super().__init__({**DEFAULTS, **settings}, testing=True)
        self.ahead = 0

    def now(self) -> float:
        return time.time() + self.ahead

    def pass_time(self, seconds: float) -> None:
        self.ahead += int(seconds)
        self.gw.clock(self.ahead, self.ahead, True)

    def pass_until(self, moment: float) -> None:
        self.pass_time(max(0, moment - self.now() + 1))

    def due(self, leg_id: str) -> float | None:
        """When the leg is to be looked at next, by its name, as soon as that lies ahead; None: it is finished."""
        def look() -> "tuple[float | None] | None":
            found = places(self.gw, leg_id)
            if any(state == "sent" for state, _ in found):
                return (None,)
            moments = [moment(name) for state, name in found if state == "deliver"]
            return (moments[0],) if moments and moments[0] > self.now() else None
        return wait_for(look, 10, f"the next try of {leg_id}")[0]


def moment(name: str) -> float:
    return datetime.strptime(name.split(".")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()


def seconds(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()


def waits(gw, leg_id: str) -> list[float]:
    return [seconds(r.values["until"]) - seconds(r.time) for r in records(gw, leg_id, "deferred")]


def about(wait: float, nominal: float) -> bool:
    """Spread by an eighth to both sides."""
    return nominal * 7 / 8 - 2 <= wait <= nominal * 9 / 8 + 2


@pytest.fixture(scope="module")
def w():
    made = Days()
    try:
        yield made
        no_crash(made.gw)
    finally:
        made.stop()


def try_again(w: Days, leg_id: str, n: int) -> bool:
    """Moves on to the next try; True when it has been made and has failed for now, False if that was the end."""
    due = w.due(leg_id)
    if due is not None:
        w.pass_until(due)

    def look() -> str:
        if len(records(w.gw, leg_id, "deferred")) >= n:
            return "deferred"
        return "over" if any(state == "sent" for state, _ in places(w.gw, leg_id)) else ""
    return wait_for(look, 15, f"try {n} of {leg_id}, due {due}, now {w.now()}") == "deferred"


def test_five_days(w):
    """5 m, 10 m, 20 m ... 4 h, 4 h; one warning after 4 hours, by a try that is made then; after 5 days it comes
    back with the last reply."""
    with Receiver(RCPT=LATER) as r:
        domain = w.lane(r.place)
        to, begun = f"bob@{domain}", w.now()
        leg_id = w.send("days", to)
        wait_record(w.gw, leg_id, "deferred")
        n = 1
        while try_again(w, leg_id, n + 1):
            n += 1
            assert n < 60
        over = w.now()

    spans = waits(w.gw, leg_id)
    nominal = [min(5 * MINUTE * 2 ** i, 4 * HOUR) for i in range(len(spans))]
    ends = [sum(spans[:i + 1]) for i in range(len(spans))]
    [at_four] = [i for i, end in enumerate(ends) if abs(end - 4 * HOUR) < 5 * MINUTE]
    assert all(about(span, want) or (i == at_four and span < want)
               for i, (span, want) in enumerate(zip(spans[:-1], nominal[:-1]))), list(zip(spans, nominal))
    assert 25 <= n <= 45 and n <= len(r.sessions) <= n + 1
    assert 5 * DAY - MINUTE <= over - begun <= 5 * DAY + 5 * MINUTE

    [delayed, failed] = sorted(w.notices(to, 2), key=lambda notice: notice.mail.at)
    fields = delayed.of(to)
    assert fields["action"] == "delayed" and fields["status"].startswith("4.") and "will-retry-until" in fields
    assert "come back" in fields["diagnostic-code"] and delayed.mail.sender == "" and delayed.mail.to == [ALICE]
    until = datetime.strptime(fields["will-retry-until"], "%a, %d %b %Y %H:%M:%S %z").timestamp()
    assert abs(until - (begun + 5 * DAY)) < 5 * MINUTE
    [warned] = records(w.gw, leg_id, "warned")
    assert warned.rcpts == [1] and 4 * HOUR <= seconds(warned.time) - begun <= 4 * HOUR + 5 * MINUTE

    fields = failed.of(to)
    assert fields["action"] == "failed" and fields["status"][0] in "45" and "come back" in str(fields)
    [end] = records(w.gw, leg_id, "failed")
    assert seconds(end.time) - begun >= 5 * DAY - HOUR
    assert records(w.gw, leg_id, "bounced") and not w.gw.spool("bad")


def test_waits_of_many_are_spread(w):
    """Jitter: mails that failed together do not all come again together."""
    with Receiver(RCPT=LATER) as r:
        domain = w.lane(r.place)
        ids = [w.send(f"spread-{i}", f"bob@{domain}") for i in range(12)]
        firsts = [wait_record(w.gw, i, "deferred") and waits(w.gw, i)[0] for i in ids]
    assert all(about(f, 5 * MINUTE) for f in firsts), firsts
    assert max(firsts) - min(firsts) > 10, firsts


def test_retry_and_expire_of_a_route(w):
    """1 m, 2 m, 4 m; after 10 m it is over: no warning, for the mail has never been late for long."""
    with Receiver(RCPT=LATER) as r:
        domain = w.lane(r.place, "retry=1m expire=10m")
        leg_id, begun = w.send("route", f"bob@{domain}"), w.now()
        wait_record(w.gw, leg_id, "deferred")
        n = 1
        while try_again(w, leg_id, n + 1):
            n += 1
            assert n < 10
        spans = waits(w.gw, leg_id)
        assert all(about(s, MINUTE * 2 ** i) for i, s in enumerate(spans[:3])), spans
        assert 9 * MINUTE <= w.now() - begun <= 20 * MINUTE
        [notice] = w.notices(f"bob@{domain}")
        assert notice.of(f"bob@{domain}")["action"] == "failed"


def test_who_hears_of_a_delay(w):
    """Once each: who asked for DELAY or said nothing; not who asked for other things, and not nobody."""
    with Receiver(RCPT=LATER) as r:
        domain = w.lane(r.place, "retry=1h")
        kinds = {"default": ([], ALICE), "delay": (["NOTIFY=DELAY"], ALICE), "failure": (["NOTIFY=FAILURE"], ALICE),
                 "success": (["NOTIFY=SUCCESS"], ALICE), "never": (["NOTIFY=NEVER"], ALICE), "null": ([], "")}
        ids = {kind: w.send(kind, f"{kind}@{domain}", rcpt=options, sender=sender)
               for kind, (options, sender) in kinds.items()}
        for leg_id in ids.values():
            wait_record(w.gw, leg_id, "deferred")
        for n in (2, 3, 4):
            w.pass_time(5 * HOUR)
            for leg_id in ids.values():
                wait_record(w.gw, leg_id, "deferred", n)
                w.due(leg_id)  # all of it is over, the telling, too
        for kind in ("default", "delay"):
            [notice] = w.notices(f"{kind}@{domain}")
            assert notice.of(f"{kind}@{domain}")["action"] == "delayed"
        wait_for(lambda: not w.gw.spool("new"), 5)
        time.sleep(MARGIN)
        for kind in kinds:
            assert len(w.notices_now(f"{kind}@{domain}")) == (kind in ("default", "delay")), kind
            assert len([x for x in records(w.gw, ids[kind], "warned") if x.values["notice"] != "none"]) == (
                kind in ("default", "delay")), kind


def test_a_warning_says_until_when_by_the_route(w):
    """expire= of the route, not the setting."""
    with Receiver(RCPT=LATER) as r:
        domain = w.lane(r.place, "retry=5h expire=1d")
        leg_id, begun = w.send("until", f"bob@{domain}"), w.now()
        wait_record(w.gw, leg_id, "deferred")
        assert try_again(w, leg_id, 2)
        [notice] = w.notices(f"bob@{domain}")
        until = notice.of(f"bob@{domain}")["will-retry-until"]
        assert abs(datetime.strptime(until, "%a, %d %b %Y %H:%M:%S %z").timestamp() - begun - DAY) < 5 * MINUTE


def test_a_warning_by_the_route_comes_in_time(w):
    """warn= of the route: after it, and not at the next try long behind it; only that route's senders."""
    with Receiver(RCPT=LATER) as r:
        early, late = w.lane(r.place, "retry=5h warn=1h"), w.lane(r.place, "retry=1h")
        begun = w.now()
        ids = [w.send(f"warned-{i}", f"bob@{domain}") for i, domain in enumerate((early, late))]
        for leg_id in ids:
            wait_record(w.gw, leg_id, "deferred")
        assert try_again(w, ids[0], 2)
        [warned] = wait_record(w.gw, ids[0], "warned")
        assert HOUR <= seconds(warned.time) - begun <= HOUR + 5 * MINUTE
        assert len(w.notices(f"bob@{early}")) == 1 and not records(w.gw, ids[1], "warned")


def test_delay_warning_0s_is_never(w):
    w.reload(delay_warning="0s")
    try:
        with Receiver(RCPT=LATER) as r:
            domain = w.lane(r.place, "retry=1h")
            leg_id = w.send("unwarned", f"bob@{domain}")
            wait_record(w.gw, leg_id, "deferred")
            w.pass_time(30 * HOUR)
            wait_record(w.gw, leg_id, "deferred", 2)
            time.sleep(MARGIN)
            assert not w.notices_now(f"bob@{domain}") and not records(w.gw, leg_id, "warned")
    finally:
        w.reload(delay_warning="4h")


def test_flush_of_one_domain(w):
    """seki flush DOMAIN tries what waits for it, before its time, and nothing else."""
    with Receiver(RCPT=LATER) as r:
        one, other = w.lane(r.place, "retry=1d"), w.lane(r.place, "retry=1d")
        first, second = w.send("one", f"bob@{one}"), w.send("other", f"bob@{other}")
        for leg_id in (first, second):
            wait_record(w.gw, leg_id, "deferred")
        done = w.gw.seki("flush", one)
        assert done.returncode == 0, done.stderr
        wait_record(w.gw, first, "deferred", 2)
        time.sleep(MARGIN)
        assert len(records(w.gw, second, "deferred")) == 1
        r.replies.clear()
        assert w.gw.seki("flush", other.upper()).returncode == 0
        r.wait_tag("other")
        assert not r.of("one")
        assert w.gw.seki("flush").returncode == 0
        r.wait_tag("one")
        wait_sent(w.gw, first)


def test_a_flush_reaches_a_dead_destination(w):
    """deliver-dead: what could not be reached is left alone, also by mail that comes anew; a person can say otherwise."""
    dead = Receiver()
    dead.close()
    domain = w.lane(dead.place)
    first = w.send("dead-0", f"bob@{domain}")
    [record] = wait_record(w.gw, first, "deferred")
    assert record.values["status"].startswith("4.4")
    with Receiver(port=dead.port) as r:
        for n in range(1, 6):
            w.send(f"dead-{n}", f"bob@{domain}")
        time.sleep(MARGIN)
        assert r.sessions == []
        assert w.gw.seki("flush", domain).returncode == 0
        r.wait(6, seconds=10)
        assert len(r.mails) == 6


def test_a_dead_destination_is_tried_again_in_time(w):
    dead = Receiver()
    dead.close()
    domain = w.lane(dead.place)
    ids = [w.send(f"revived-{n}", f"bob@{domain}") for n in range(6)]
    wait_record(w.gw, ids[0], "deferred")
    with Receiver(port=dead.port) as r:
        for _ in range(4):
            w.pass_time(6 * MINUTE)
            time.sleep(0.1)
        r.wait(6, seconds=10)
        for leg_id in ids:
            wait_sent(w.gw, leg_id)


def test_a_restart_changes_no_timetable(w):
    """What waits still waits, and its tries go on counting."""
    with Receiver(RCPT=LATER) as r:
        domain = w.lane(r.place, "retry=1h")
        leg_id = w.send("restart", f"bob@{domain}")
        wait_record(w.gw, leg_id, "deferred")
        due = w.due(leg_id)
        restart(w.gw, "seki-deliver")
        time.sleep(MARGIN)
        assert len(r.sessions) == 1 and w.due(leg_id) == due
        assert try_again(w, leg_id, 2)
        assert about(waits(w.gw, leg_id)[1], 2 * HOUR)


def test_list_shows_the_next_try_and_the_last_reply(w):
    with Receiver(RCPT=LATER) as r:
        domain = w.lane(r.place, "retry=1h")
        leg_id = w.send("listed", f"bob@{domain}")
        wait_record(w.gw, leg_id, "deferred")
        due = w.due(leg_id)
        [row] = [line for line in w.gw.seki("list", "deliver").stdout.splitlines() if leg_id in line]
        assert "come back" in row
        assert datetime.fromtimestamp(due, timezone.utc).strftime("%Y-%m-%dT%H:%M") in row


def test_recipients_of_one_leg_have_times_of_their_own(w):
    """Two destinations, two waits: the leg stands under the earlier one, and each is tried when he is due."""
    with Receiver(RCPT=LATER) as quick, Receiver(RCPT=LATER) as slow:
        soon, late = w.lane(quick.place, "retry=1m"), w.lane(slow.place, "retry=6h")
        leg_id = w.send("two", [f"a@{soon}", f"b@{late}"])
        wait_record(w.gw, leg_id, "deferred", 2)
        assert w.due(leg_id) - w.now() < 2 * MINUTE
        w.pass_time(2 * MINUTE)
        wait_record(w.gw, leg_id, "deferred", 2, where=lambda x: x.rcpts == [1])
        assert len(slow.sessions) == 1
        w.pass_time(8 * HOUR)
        wait_record(w.gw, leg_id, "deferred", 2, where=lambda x: x.rcpts == [2])


def test_Q7_nothing_expires_while_the_clock_is_suspect():
    """Ten years forward: no warning, no end; tries go on by the clock that never jumps. Believed again, it ends."""
    w = Days()
    try:
        with Receiver(RCPT=LATER) as r:
            domain = w.lane(r.place)
            to = f"bob@{domain}"
            leg_id = w.send("frozen", to)
            wait_record(w.gw, leg_id, "deferred")
            years = 3650 * DAY
            w.gw.clock(years, 0, False)
            wait_for(lambda: "seki-deliver\t" in (out := w.gw.seki("clock").stdout) and any(
                line.startswith("seki-deliver\t") and "frozen" in line for line in out.splitlines()), 10, "frozen")
            w.gw.clock(years + 6 * DAY, 6 * DAY, False)
            wait_record(w.gw, leg_id, "deferred", 2)
            w.gw.clock(years + 7 * DAY, 7 * DAY, False)
            wait_record(w.gw, leg_id, "deferred", 3)
            time.sleep(MARGIN)
            assert not w.notices_now(to) and [s for s, _ in files(w.gw, leg_id)] == ["deliver"]
            assert not records(w.gw, leg_id, "failed")

            w.ahead = 8 * DAY
            w.gw.clock(w.ahead, w.ahead, True)
            wait_sent(w.gw, leg_id)
            notices = w.notices(to)
            assert [n.of(to)["action"] for n in notices].count("failed") == 1
        no_crash(w.gw)
    finally:
        w.stop()
