"""The examples that hold mail for a time, and those that ask for the time of day (etc/examples): the test build, whose
clock only goes forward here."""
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from conftest import wait_for
from examples_kit import (
    AFFILIATED, ALPHA, CUSTOMER, EXAMPLES, HANAKO, HOUR, MINUTE, OUTSIDER, TARO, TOKYO, Office, letter, office_open)

NIGHT = "社外への送信は9:30から19:00までです。"


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    with office_open(testing=True) as made:
        yield made


def states(office: Office, sent: str) -> list[str]:
    return [leg.state for leg in office.legs(sent)]


# ---- S1-03, S0-09, S2-62 -------------------------------------------------------------------------

@pytest.mark.parametrize("example", ["S1-03-outsiders-wait", "S2-62-outsiders-wait"])
def test_S1_03_S0_09_S2_62_two_at_once_and_one_after_an_hour(office: Office, example: str) -> None:
    """S1-03, S0-09, S2-62: one message to somebody inside, an affiliated company and an outsider."""
    office.rules(example)
    sent = office.send(letter(to=[HANAKO, AFFILIATED, OUTSIDER]))
    office.delivered(sent, HANAKO, AFFILIATED)
    office.held(sent, OUTSIDER, HOUR, "outsiders-wait")
    # Who need not wait stands together in one leg.
    assert office.leg(sent, HANAKO).to == [HANAKO, AFFILIATED]
    office.later(HOUR - 20)
    office.held(sent, OUTSIDER, HOUR, "outsiders-wait")
    office.later(25)
    office.delivered(sent, OUTSIDER)


def test_S0_09_discarded_before_that_it_stops_only_the_outsider(office: Office) -> None:
    """S0-09: the leg that waits is discarded; the others have theirs, and he never gets it."""
    office.rules("S1-03-outsiders-wait")
    sent = office.send(letter(to=[HANAKO, AFFILIATED, OUTSIDER]))
    office.delivered(sent, HANAKO, AFFILIATED)
    leg = office.held(sent, OUTSIDER, HOUR, "outsiders-wait")
    done = office.gw.seki("discard", leg.name)
    assert done.returncode == 0, done.stderr
    wait_for(lambda: office.leg(sent, OUTSIDER).state == "trash", why="in trash/")
    office.later(2 * HOUR)
    other = office.send(letter(to=HANAKO))
    office.delivered(other, HANAKO)
    assert office.leg(sent, OUTSIDER).state == "trash"


def test_S1_03_released_it_leaves_at_once(office: Office) -> None:
    """S2-27: what is released does not wait any longer."""
    office.rules("S1-03-outsiders-wait")
    sent = office.send(letter())
    leg = office.held(sent, OUTSIDER, HOUR, "outsiders-wait")
    assert office.gw.seki("release", leg.name).returncode == 0
    office.delivered(sent, OUTSIDER)


# ---- S1-20 ---------------------------------------------------------------------------------------

def test_S1_20_never_written_to_before(office: Office) -> None:
    """S1-20: the first mail is held, the second passes; one that was discarded does not count; it is the sender's own
    history that is asked."""
    office.rules("S1-20-first-time")
    to = "new1@partner.example"
    first = office.send(letter(to=to))
    leg = office.held(first, to, HOUR, "first-time")
    assert office.gw.seki("discard", leg.name).returncode == 0
    second = office.send(letter(to=to))
    leg = office.held(second, to, HOUR, "first-time")
    assert office.gw.seki("release", leg.name).returncode == 0
    office.delivered(second, to)

    def known() -> bool:
        sent = office.send(letter(to=to))
        return office.leg(sent, to).step("hold") is None
    wait_for(known, why="the history has the delivered mail")
    # In another case it is the same one; for another sender he is a stranger.
    office.passes(office.send(letter(to="NEW1@Partner.example")), "NEW1@Partner.example")
    office.held(office.send(letter(sender=HANAKO, to=to)), to, HOUR, "first-time")
    # One message to a known one and a stranger: two legs.
    both = office.send(letter(to=[to, "new2@partner.example"]))
    office.delivered(both, to)
    office.held(both, "new2@partner.example", HOUR, "first-time")


def test_S1_20_for_site(office: Office) -> None:
    """S1-20: of the sender or of the company (features 1.7, 12): "for site" asks about everybody's mail."""
    office.rules()
    to = "site1@partner.example"
    office.delivered(office.send(letter(to=to)), to)
    office.rules(text="rule strangers\n    to first-time for site\n    do hold 60m\n")

    def known() -> bool:
        return office.leg(office.send(letter(sender=HANAKO, to=to)), to).step("hold") is None
    wait_for(known, why="the history has the delivered mail")
    office.held(office.send(letter(to="site2@partner.example")), "site2@partner.example", HOUR, "strangers")


# ---- S1-24, S0-07, S0-08: administrator and user -------------------------------------------------

def test_S1_24c_the_longer_hold_of_two(office: Office) -> None:
    """S1-24c, S0-03, S0-04, S0-05, S0-07, S0-08: 30 minutes for the user's own customer, 5 for others, never less; other
    users have the administrator's alone."""
    layers = {f"user/{TARO}": (EXAMPLES / "S1-24-user-taro").read_text()}
    office.rules("S1-24-hint-and-two-holds", layers=layers)
    sent = office.send(letter(to=[CUSTOMER, OUTSIDER, HANAKO]))
    office.held(sent, CUSTOMER, 30 * MINUTE, "my-customers")
    office.held(sent, OUTSIDER, 5 * MINUTE, "company-hold")
    office.delivered(sent, HANAKO)
    office.held(office.send(letter(sender=HANAKO, to=CUSTOMER)), CUSTOMER, 5 * MINUTE, "company-hold")

    # A user who asks for less gets what must/ says.
    for weaker in ("hold no", "hold 1m"):
        layers = {f"user/{TARO}": f"rule less\n    to external\n    do {weaker}\n"}
        office.rules("S1-24-hint-and-two-holds", layers=layers)
        office.held(office.send(letter(to=CUSTOMER)), CUSTOMER, 5 * MINUTE, "company-hold")


def test_S0_05_group_then_user_then_default(office: Office) -> None:
    """S0-05, S2-23: the strictest of must, group and user; default speaks where nobody did."""
    layers = {
        "group/sales": "rule sales-wait\n    to external\n    do hold 10m\n",
        f"user/{TARO}": "rule taro-waits\n    to @customer.example\n    do hold 20m\n",
        "default/90-rest": "rule rest\n    to external\n    do hold 7m\n",
    }
    office.rules(layers=layers)
    office.held(office.send(letter()), OUTSIDER, 10 * MINUTE, "sales-wait")
    office.held(office.send(letter(to=CUSTOMER)), CUSTOMER, 20 * MINUTE, "taro-waits")
    office.held(office.send(letter(sender=HANAKO)), OUTSIDER, 7 * MINUTE, "rest")


def test_S0_34_users_do_not_refuse(office: Office) -> None:
    """S0-34, S0-04: what etc/allow does not give to users is an error that names the file; what was in force stays."""
    office.rules("S1-03-outsiders-wait")
    with pytest.raises(AssertionError, match=rf"user/{TARO}"):
        office.rules("S1-03-outsiders-wait", layers={f"user/{TARO}": 'rule mine\n    always\n    do refuse "no"\n'})
    office.rules("S1-03-outsiders-wait")
    office.held(office.send(letter()), OUTSIDER, HOUR, "outsiders-wait")


# ---- holds of other kinds ------------------------------------------------------------------------

def test_for_operator(office: Office) -> None:
    """An operator's hold ends with "seki release"."""
    office.rules(text="rule stop\n    to external\n    do hold for operator\n")
    sent = office.send(letter(to=[OUTSIDER, HANAKO]))
    office.delivered(sent, HANAKO)
    leg = office.waits(sent, OUTSIDER, "hold", "stop", "hold", "operator", why="rule")
    assert leg.due.startswith("9999")
    assert office.gw.seki("release", leg.name).returncode == 0
    office.delivered(sent, OUTSIDER)


# ---- S1-23, S2-67: the time of day ---------------------------------------------------------------
# From here on the clock is set, one case after the other; a Friday is the first.

FRIDAY = datetime(2026, 11, 27)


def begin_of(office: Office) -> datetime:
    """A Friday's midnight that the clock of the test build has not reached yet."""
    offset = int((office.gw.root / "run/clock").read_text().split()[0])
    now = datetime.now(timezone.utc).astimezone(TOKYO).replace(tzinfo=None) + timedelta(seconds=offset)
    day = FRIDAY
    while day < now:
        day += timedelta(days=7)
    return day


def send_at(office: Office, local: datetime) -> str:
    """A message that was accepted within this very second of the site's time."""
    office.at(local)
    sent = office.send(letter(to=[OUTSIDER, HANAKO]))
    accepted = wait_for(lambda: office.legs(sent), why="a leg")[0].accepted().astimezone(TOKYO).replace(tzinfo=None)
    assert accepted.replace(microsecond=0) == local, "it took too long"
    return sent


@pytest.mark.parametrize("example, rule, end, why", [
    ("S1-23-not-at-night", "not-at-night", (9, 30), NIGHT),
    ("S2-67-not-at-night", "not-at-night", (9, 0), "営業時間外です。"),
])
def test_S1_23_S2_67_not_at_night(office: Office, example: str, rule: str, end: tuple[int, int], why: str) -> None:
    """S1-23, S2-67: half open to the second, across midnight, on Saturdays, too. Those inside are not concerned, but
    for what one message has in common: nobody gets one that is refused."""
    office.rules(example)
    day = begin_of(office)
    morning = day + timedelta(days=1, hours=end[0], minutes=end[1])
    cases = [
        (day + timedelta(hours=18, minutes=59, seconds=59), False),
        (day + timedelta(hours=19), True),
        (day + timedelta(hours=23, minutes=59), True),
        (day + timedelta(days=1), True),
        (morning - timedelta(seconds=1), True),
        (morning, False),
        (day + timedelta(days=1, hours=15), False),
        (day + timedelta(days=1, hours=19), True),  # Saturday night
    ]
    for local, night in cases:
        sent = send_at(office, local)
        if night:
            office.refused(sent, rule, why)
        else:
            office.passes(sent, OUTSIDER, HANAKO)
    inside = office.send(letter(to=HANAKO))
    office.passes(inside, HANAKO)


def test_hold_until_the_next_workday(office: Office) -> None:
    """Late mail leaves in the morning: at 09:00 of the next day that is neither a weekend nor in etc/holidays."""
    day = begin_of(office)
    monday = day + timedelta(days=3, hours=9)
    (office.gw.root / "etc/holidays").write_text(f"{monday.date()} example\n")
    office.rules(text="rule late\n    to external\n    when 22:00-07:00, Sat-Sun, holiday\n    do hold until 09:00 workday\n")
    sent = send_at(office, day + timedelta(hours=22))
    office.delivered(sent, HANAKO)
    leg = office.leg(sent, OUTSIDER, "hold")
    assert leg.until().astimezone(TOKYO).replace(tzinfo=None) == monday + timedelta(days=1)
    office.why(sent, "hold", "late")
    # On the holiday itself, by day.
    sent = send_at(office, monday + timedelta(hours=3))
    assert office.leg(sent, OUTSIDER, "hold").until().astimezone(TOKYO).replace(tzinfo=None) == monday + timedelta(days=1)
    office.at(monday + timedelta(days=1, seconds=2))
    office.delivered(sent, OUTSIDER)
    office.passes(office.send(letter(to=ALPHA)), ALPHA)


def test_S1_23_held_mail_does_not_leave_at_night(office: Office) -> None:
    """S1-23, S1-03: judged at acceptance, by day; its hour is over at night, and it leaves in the morning."""
    office.rules("S1-03-outsiders-wait", "S1-23-not-at-night")
    day = begin_of(office)
    sent = send_at(office, day + timedelta(hours=18, minutes=30))
    office.delivered(sent, HANAKO)
    leg = office.held(sent, OUTSIDER, HOUR, "outsiders-wait")
    assert [s.keys["window"] for s in leg.steps("hold") if "window" in s.keys] == ["19:00-09:30"]
    assert "19:00-09:30" in office.gw.seki("why", sent).stdout
    office.at(day + timedelta(hours=20))
    other = office.send(letter(to=HANAKO))
    office.delivered(other, HANAKO)
    assert office.leg(sent, OUTSIDER).state == "hold"
    office.at(day + timedelta(days=1, hours=9, minutes=30, seconds=2))
    office.delivered(sent, OUTSIDER)
