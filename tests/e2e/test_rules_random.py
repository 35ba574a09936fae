"""A thousand random messages under random rules: what happened to every recipient, what the leg wrote down, what
"seki why" says and what a second reading of the rules (rules_model.py) comes to are one and the same (S1, S0-37; the
property: one plan, each recipient in exactly one leg, or a refusal; no later layer weakens `must`)."""
import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import rules_model as model
from conftest import Gateway
from rules_kit import Client, Leg, delivered_to, instance, legs, moment, put_rules, raw_of, rests

SETS = int(os.environ.get("RULES_SETS", "20"))
EACH = 50
DAILY = 20261123
SEED = int(os.environ.get("RULES_SEED", DAILY))
CLIENTS = 4
OPERATED = "hold operator why=rule"


@pytest.fixture(scope="module")
def gw() -> Iterator[Gateway]:
    it = instance()
    try:
        yield it.start()
    finally:
        it.stop()


def sent(gw: Gateway, messages: list[model.Message]) -> list[str]:
    """The ids of the messages, sent by several sessions at once."""
    def some(n: int) -> list[str]:
        with Client(gw) as client:
            return [client.send(raw_of(m), m.sender, m.rcpts) for m in messages[n::CLIENTS]]
    with ThreadPoolExecutor(CLIENTS) as pool:
        shares = list(pool.map(some, range(CLIENTS)))
    return [shares[n % CLIENTS][n // CLIENTS] for n in range(len(messages))]


def why(gw: Gateway, ids: list[str]) -> dict[tuple[str, str], dict[str, str]]:
    """(id, recipient) -> function -> where it was decided, as "seki why" tells it; shadows left out."""
    done = gw.seki("-j", "why", *ids)
    assert done.returncode == 0, done.stderr
    told: dict[tuple[str, str], dict[str, str]] = {}
    for line in done.stdout.splitlines():
        it = json.loads(line)
        by = told.setdefault((it["leg"].split(".")[0], it["rcpt"]), {})
        if it["function"] is not None and not it.get("would"):
            by[it["function"]] = it["rule"]
    return told


def decided(leg: Leg, n: int) -> dict[str, str]:
    """function -> where, of the leg's recipient number n, by its records."""
    return {d["function"]: d["rule"] for d in leg.of("decided")
            if not {"shadow", "watch"} & set(d) and ("rcpt" not in d or n in numbers(d["rcpt"]))}


def numbers(text: str) -> set[int]:
    found: set[int] = set()
    for piece in text.split(","):
        first, _, last = piece.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def hold_seconds(leg: Leg) -> float:
    """What its plan says about waiting; -1: for the operator."""
    step = leg.step("hold")
    if not step:
        return 0
    if step.startswith(OPERATED):
        return -1
    until = re.search(r"\buntil=(\S+)", step)
    if until is None:
        return float("nan")
    return (moment(until.group(1)) - leg.accepted).total_seconds()


def faults_of(gw: Gateway, leg_id: str, m: model.Message, rules: model.Rules, set_digest: str) -> list[str]:
    """In how many ways a message went another way than the rules say."""
    wanted, found, out = model.judge(rules, m), legs(gw, leg_id), []
    standing = [rcpt for leg in found for rcpt in leg.rcpts]
    if sorted(standing) != sorted(m.rcpts):
        return [f"in the legs stand {standing}, not {m.rcpts}"]
    for leg in found:
        judged = leg.of("judged")
        if [j["rules"] for j in judged] != [set_digest]:
            out.append(f"judged by {judged}, in force was {set_digest}")
        for n, rcpt in enumerate(leg.rcpts, 1):
            out += [f"{rcpt}: {fault}" for fault in faults_of_one(leg, n, wanted[rcpt])]
    through = sorted(rcpt for rcpt, o in wanted.items() if o.plan == ["deliver"])
    if delivered_to(gw, leg_id) != through:
        out.append(f"delivered to {delivered_to(gw, leg_id)}, not {through}")
    return out


def faults_of_one(leg: Leg, n: int, wanted: model.Outcome) -> list[str]:
    out = []
    state = "refused" if wanted.refused else "sent" if wanted.plan == ["deliver"] else wanted.plan[0]
    if leg.state != state:
        out.append(f"stands in {leg.state}/, not {state}/")
    if not wanted.refused and leg.words() != wanted.plan:
        out.append(f"planned {leg.words()}, not {wanted.plan}")
    if not wanted.refused and hold_seconds(leg) != wanted.hold:
        out.append(f"held {hold_seconds(leg)} s, not {wanted.hold}: {leg.plan}")
    expected = {function: d.rule.where for function, d in wanted.by.items()}
    if decided(leg, n) != expected:
        out.append(f"decided {decided(leg, n)}, not {expected}")
    return out


@pytest.mark.parametrize("n", range(SETS))
def test_what_happened_is_what_the_rules_say_and_why_tells(gw: Gateway, n: int) -> None:
    """RULES_SEED, RULES_SETS: others than those of every day."""
    maker = model.Maker(SEED + n)
    rules = maker.rules()
    text = rules.files()
    set_digest = put_rules(gw, text)
    messages = [maker.message(f"m{n}-{i}") for i in range(EACH)]
    ids = sent(gw, messages)
    rests(gw, ids)
    told = why(gw, ids)
    bad = []
    for leg_id, m in zip(ids, messages):
        faults = faults_of(gw, leg_id, m, rules, set_digest)
        for rcpt, wanted in model.judge(rules, m).items():
            expected = {function: d.rule.where for function, d in wanted.by.items()}
            if told.get((leg_id, rcpt)) != expected:
                faults.append(f"{rcpt}: seki why says {told.get((leg_id, rcpt))}, not {expected}")
        if faults:
            bad.append("\n  ".join([m.brief(), *faults]))
    assert not bad, f"{len(bad)} of {EACH} messages:\n" + "\n".join(bad[:3]) + "\n" + "\n".join(
        f"== {path}\n{content}" for path, content in text.items())


def test_the_sets_are_of_every_kind() -> None:
    """A generator that makes everything refused, or nothing held, would compare nothing."""
    seen: dict[str, int] = {}
    for n in range(20):
        maker = model.Maker(DAILY + n)
        rules = maker.rules()
        for i in range(EACH):
            for o in model.judge(rules, maker.message(f"{i}")).values():
                kind = "refused" if o.refused else o.plan[0]
                seen[kind] = seen.get(kind, 0) + 1
    assert set(seen) == {"refused", "approve", "hold", "encrypt", "stagger", "deliver"}, seen
    assert min(seen.values()) > sum(seen.values()) * 0.02, seen
