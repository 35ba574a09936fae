"""What a rule asks and nobody can answer, senders whom nobody knows, and who is not judged at all: the mail waits, and
says why (law: any fault means that the mail waits; S0-34, S2-34, S2-35, S4-01; shipped rules for machines)."""
import contextlib
from collections.abc import Iterator

import pytest

import conftest
from conftest import Gateway, wait_for
from facts_kit import attached, mail, sealed_zip, text
from rules_kit import (
    ALICE, OWN, Client, delivered_to, instance, kill, legs, notices, one, outbox, put_rules, reload, rest, send,
)
from test_spool_kit import NEVER

OUTSIDE, STRANGER = "p1@partner.example", f"stranger@{OWN}"
ASKS_WORDS = '''rule secret
    to      external
    words   "secret"
    do      refuse "no"
'''
ASKS_PAST = '''rule first
    to      first-time
    do      hold 60m
'''


@pytest.fixture(scope="module")
def gw() -> Iterator[Gateway]:
    it = instance(settings={"inspect-time": "2s", "past-time": "2s"}, relay="127.0.0.0/8 any quota=none\n")
    try:
        yield it.start()
    finally:
        it.stop()


@contextlib.contextmanager
def down(gw: Gateway, *services: str) -> Iterator[None]:
    for name in services:
        gw.svc("-wD", "-d", name)
    try:
        yield
    finally:
        for name in services:
            gw.svc("-wU", "-u", name)


@contextlib.contextmanager
def settings(gw: Gateway, **values: str) -> Iterator[None]:
    path = gw.root / "etc/settings"
    before = path.read_text()
    gw.setting(**values)
    reload(gw)
    try:
        yield
    finally:
        conftest.replace(path, before)
        reload(gw)


def missed(gw: Gateway, program: str, before: str) -> None:
    """seki-scan says that it is not there, more often than it had said `before`."""
    def said(log: str) -> int:
        return sum("event=not-there" in line and program in line for line in log.splitlines())
    wait_for(lambda: said(gw.log("seki-scan")) > said(before), 30, f"{program} is missed")


def sealed(tag: str) -> bytes:
    return mail(text("here"), attached(sealed_zip(), "a.zip"), head=f"From: {ALICE}\r\nTo: {OUTSIDE}\r\n", subject=tag)


# ---- facts that are missing --------------------------------------------------------------------


def waits_for_the_operator(gw: Gateway, leg_id: str, where: str) -> None:
    """It never leaves by itself, and its plan says why; an operator lets it go."""
    leg = one(gw, leg_id, "hold")
    assert leg.name.startswith(NEVER)
    step = leg.step("hold")
    assert step.startswith("hold operator why=facts") and f"rule={where}" in step, step
    assert delivered_to(gw, leg_id) == []
    done = gw.seki("release", leg_id)
    assert done.returncode == 0, done.stderr
    one(gw, leg_id, "sent")
    assert delivered_to(gw, leg_id) == [OUTSIDE]


def test_what_cannot_be_looked_into_waits_if_a_rule_looks_there(gw: Gateway) -> None:
    put_rules(gw, {"must/50-words": ASKS_WORDS})
    waits_for_the_operator(gw, send(gw, "sealed", OUTSIDE, raw=sealed("sealed")), "must/50-words:1")


def test_what_no_rule_asks_about_is_not_missed(gw: Gateway) -> None:
    put_rules(gw, {"must/50-to": 'rule x\n    to @nowhere.example\n    do refuse "no"\n'})
    with down(gw, "seki-inspect"):
        one(gw, send(gw, "sealed-and-free", OUTSIDE, raw=sealed("sealed-and-free")), "sent")


def test_it_is_refused_anyway_if_another_recipient_has_it_so(gw: Gateway) -> None:
    put_rules(gw, {"must/50-words": ASKS_WORDS + 'rule y\n    to @other.example\n    do refuse "never there"\n'})
    leg_id = send(gw, "refused-anyway", [OUTSIDE, "x1@other.example"], raw=sealed("refused-anyway"))
    one(gw, leg_id, "refused")


@pytest.mark.parametrize("how", ["down", "killed"])
def test_without_an_inspector_mail_waits_and_is_not_delivered(gw: Gateway, how: str) -> None:
    """Down: in new/ or for the operator, as seki-inspect could be back or not; never past the rule."""
    put_rules(gw, {"must/50-words": ASKS_WORDS})
    before = gw.log("seki-scan")
    with down(gw, "seki-inspect") if how == "down" else contextlib.nullcontext():
        ids = []
        with Client(gw) as client:
            for n in range(10):
                raw = mail(text("secret" if n % 2 else "plain"), attached(b"x" * 3000, "a.txt"),
                           head=f"From: {ALICE}\r\nTo: {OUTSIDE}\r\n", subject=f"{how}-{n}")
                ids.append(client.send(raw, ALICE, OUTSIDE))
                if how == "killed":
                    kill(gw, "seki-inspect")
        if how == "down":
            missed(gw, "seki-inspect", before)
            assert all(delivered_to(gw, leg_id) == [] for leg_id in ids)
    gw.wait_ready("seki-inspect")
    for n, leg_id in enumerate(ids):
        [leg] = rest(gw, leg_id, 60)
        assert leg.state in ({"refused", "hold"} if n % 2 else {"sent", "hold"}), (n, leg)
        assert n % 2 == 0 or delivered_to(gw, leg_id) == []


# ---- the past ----------------------------------------------------------------------------------


def test_S1_20_without_seki_db_mail_waits_in_new_until_it_is_back(gw: Gateway) -> None:
    put_rules(gw, {"must/50-first": ASKS_PAST})
    before = gw.log("seki-scan")
    with down(gw, "seki-db"):
        leg_id = send(gw, "past", "never@first.example")
        missed(gw, "seki-db", before)
        [leg] = legs(gw, leg_id)
        assert leg.state == "new" and not leg.plan
        other = send(gw, "past-still", OUTSIDE)
    one(gw, leg_id, "hold", 90)
    rest(gw, other, 90)


def test_without_seki_db_mail_that_no_such_rule_concerns_goes_on(gw: Gateway) -> None:
    put_rules(gw, {"must/50-first": "rule first\n    to @only.example\n    to first-time\n    do hold 60m\n"})
    with down(gw, "seki-db"):
        leg_id = send(gw, "free-of-past", OUTSIDE)
        one(gw, leg_id, "sent")


def test_S1_20_the_first_waits_and_the_second_does_not(gw: Gateway) -> None:
    """Counted when it was really delivered."""
    put_rules(gw, {"must/50-first": ASKS_PAST})
    to = "once@count.example"
    first = send(gw, "first", to)
    one(gw, first, "hold")
    one(gw, send(gw, "second", to), "hold")
    assert gw.seki("release", first).returncode == 0
    one(gw, first, "sent")

    def passes() -> bool:
        return [leg.state for leg in rest(gw, send(gw, "third", to))] == ["sent"]
    wait_for(passes, 60, "the third to pass")


# ---- who is not judged, and who is -------------------------------------------------------------


def test_S4_01_null_senders_are_judged_like_any_other(gw: Gateway) -> None:
    put_rules(gw, {"must/50-all": "rule all\n    to external\n    do hold 60m\n"})
    one(gw, send(gw, "null", OUTSIDE, sender=""), "hold")
    put_rules(gw, {"must/40-null": "rule null\n    from <>\n    do hold no\n",
                   "must/50-all": "rule all\n    to external\n    do hold 60m\n"})
    one(gw, send(gw, "null-exempt", OUTSIDE, sender=""), "sent")
    one(gw, send(gw, "not-null", OUTSIDE), "hold")


def test_the_gateways_own_mail_is_not_judged(gw: Gateway) -> None:
    """Else a rule that refuses everything would refuse the notice about it, for ever."""
    put_rules(gw, {"must/50-all": 'rule all\n    always\n    do refuse "nothing passes"\n'})
    leg_id = send(gw, "refused-all", OUTSIDE)
    one(gw, leg_id, "refused")
    [notice] = wait_for(lambda: notices(gw, "refused-all"), 30, "a notice")
    assert notice
    assert len(legs(gw, leg_id)) == 1


UNKNOWN = {"relay": "sent", "enrol": "sent", "hold": "hold", "refuse": "refused"}


@pytest.mark.parametrize("way", UNKNOWN)
def test_S2_34_unknown_senders(gw: Gateway, way: str) -> None:
    """Four ways; somebody who stands in etc/people is never concerned."""
    put_rules(gw, {})
    with settings(gw, unknown_senders=way):
        stranger = f"stranger-{way}@{OWN}"
        leg = one(gw, send(gw, f"unknown-{way}", OUTSIDE, sender=stranger), UNKNOWN[way])
        assert way != "hold" or leg.step("hold").startswith("hold operator")
        one(gw, send(gw, f"known-{way}", OUTSIDE), "sent")
    if way == "refuse":
        wait_for(lambda: notices(gw, f"unknown-{way}", stranger), 30, "told")


def test_a_rule_may_ask_whether_the_sender_is_registered(gw: Gateway) -> None:
    put_rules(gw, {"must/50-x": "rule x\n    from unregistered\n    do hold for operator\n"})
    one(gw, send(gw, "unregistered", OUTSIDE, sender=STRANGER), "hold")
    one(gw, send(gw, "registered", OUTSIDE), "sent")


# ---- watch-only --------------------------------------------------------------------------------


def test_watch_only_changes_nothing_and_tells_everything(gw: Gateway) -> None:
    rules = {"must/50-x": 'rule refuse-all\n    to @other.example\n    do refuse "no"\n\n'
                          "rule hold-all\n    to external\n    do hold 60m\n    do approve by boss\n"}
    with settings(gw, watch_only="yes"):
        put_rules(gw, rules)
        leg_id = send(gw, "watched", [OUTSIDE, "x1@other.example", f"dave@{OWN}"])
        found = rest(gw, leg_id)
        assert {leg.state for leg in found} == {"sent"} and all(leg.plan == ["deliver"] for leg in found)
        assert delivered_to(gw, leg_id) == sorted([OUTSIDE, "x1@other.example", f"dave@{OWN}"])
        would = {(d["function"], d["rule"]) for leg in found for d in leg.of("decided") if d.get("watch") == "yes"}
        assert {("refuse", "must/50-x:1"), ("hold", "must/50-x:5"), ("approve", "must/50-x:5")} <= would
        assert all(j["watch"] == "yes" for leg in found for j in leg.of("judged"))
        said = wait_for(lambda: s if "must/50-x:5" in (s := gw.seki("report").stdout) else "", 60,
                        "the report")
        assert [line.split("\t")[0] for line in said.splitlines() if "\trefuse-all" in line] == ["watch"], said
    assert not notices(gw, "watched")
    one(gw, send(gw, "no-more", OUTSIDE), "approve")


def test_a_shadow_changes_nothing(gw: Gateway) -> None:
    put_rules(gw, {"must/50-x": "rule x shadow\n    to external\n    do hold 60m\n"})
    leg = one(gw, send(gw, "shadowed", OUTSIDE), "sent")
    [decided] = leg.of("decided")
    assert decided["shadow"] == "yes" and decided["rule"] == "must/50-x:1"


# ---- legs --------------------------------------------------------------------------------------


def test_legs_max_is_reached(gw: Gateway) -> None:
    """A message that is to become more legs than may be waits whole, where it is, and no part of it leaves."""
    rules = "".join(f"rule r{n}\n    to @d{n}.example\n    do hold {n + 10}m\n\n" for n in range(8))
    put_rules(gw, {"must/50-x": rules})
    to = [f"a@d{n}.example" for n in range(8)]
    found = rest(gw, send(gw, "eight", to))
    assert len(found) == 8 and sorted(r for leg in found for r in leg.rcpts) == to
    with settings(gw, legs_max="4"):
        leg_id = send(gw, "too-many", to)
        gw.wait_log("seki-scan", f"event=stopped alarm=yes id={leg_id}")
        assert [(leg.state, leg.rcpts) for leg in legs(gw, leg_id)] == [("new", to)]
    assert delivered_to(gw, leg_id) == []


def test_each_function_that_is_not_carried_out_yet_waits_and_says_so(gw: Gateway) -> None:
    """Law 4: a word of the plan that no program of this version knows stops the leg where its turn comes."""
    actions = {"approve by boss": "approve", "hold until confirmed": "hold", "zip": "encrypt", "link": "encrypt",
               "bcc all": "encrypt", "stagger 60m": "stagger", "tls verified": "deliver", "sign example.co.jp": "deliver"}
    for n, (action, state) in enumerate(actions.items()):
        put_rules(gw, {"must/50-x": f"rule x\n    to external\n    do {action}\n"})
        leg_id = send(gw, f"waits-{n}-end", OUTSIDE)
        leg = one(gw, leg_id, state)
        assert leg.words()[0] == state, (action, leg)
        assert delivered_to(gw, leg_id) == []
    assert not [1 for rcpts, content in outbox(gw) for n in range(len(actions)) if f"waits-{n}-end".encode() in content]


def test_S1_17_nobody_approves_his_own_mail(gw: Gateway) -> None:
    """Where nobody else could approve, it waits for the operator; who lets it go ends that, and no other wait."""
    put_rules(gw, {"must/50-x": f"rule x\n    to external\n    do approve by {ALICE}\n    do hold 60m\n"})
    leg_id = send(gw, "own-approval", OUTSIDE)
    leg = one(gw, leg_id, "hold")
    assert leg.name.startswith(NEVER) and leg.plan[0].startswith("hold operator why=no-approver"), leg.plan
    assert gw.seki("release", leg_id).returncode == 0
    leg = wait_for(lambda: next((g for g in legs(gw, leg_id) if not g.name.startswith(NEVER)), None), 30, "moved on")
    assert leg.state == "hold" and [r["ended"] for r in leg.of("held")] == ["released"]
    assert delivered_to(gw, leg_id) == []
