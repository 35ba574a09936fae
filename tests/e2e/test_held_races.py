"""People and time that act on one mail at the same instant: one outcome each time, in the spool and in the outbox, and
everyone is told the same."""
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from conftest import wait_for
from held_kit import ALICE, BOB, CAROL, DAVE, Desk, at, desk_open

ROUNDS = 20


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with desk_open(settings={"hold-notice": "never"}, rules=RULES) as made:
        yield made


RULES = """rule waits
    to      @hour.example
    do      hold 60m

rule colleagues
    to      @any.example
    do      approve by any of group staff

rule two
    to      @two.example
    do      approve by 2 of group staff
"""


def together(*acts: Callable[[], object]) -> list:
    """All of them at one instant; what each gave, in order."""
    gate, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(n: int) -> None:
        gate.wait()
        results[n] = acts[n]()
    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def waiting(desk: Desk, way: str, state: str, n: int = ROUNDS) -> list[str]:
    sent = [desk.mail(way) for _ in range(n)]
    for one in sent:
        desk.leg(one, at(way), state)
    return sent


def token(desk: Desk, sent: str, *who: str) -> str:
    return "cap=" + desk.link(sent, *who).rpartition("?")[2]


def act(desk: Desk, credential: str, word: str, **keys: str) -> Callable[[], dict]:
    return lambda: desk.door(credential, "act", word=word, **keys)


def ended(desk: Desk, sent: str) -> str:
    """"sent" or "trash": where all of it is in the end; and the outbox says the same."""
    wait_for(lambda: desk.states(sent) in ({"sent"}, {"trash"}), why=f"{sent} at rest: {desk.states(sent)}")
    (state,) = desk.states(sent)
    assert bool(desk.got(sent)) == (state == "sent"), sent
    return state


def test_S2_08_S2_27_release_and_discard_at_one_instant(desk: Desk) -> None:
    """S2-08, S2-27: by the same person on two pages: one of them is told it is done, the other what was."""
    for sent in waiting(desk, "hour", "hold"):
        cap = token(desk, sent)
        release, discard = together(act(desk, cap, "release"), act(desk, cap, "discard"))
        won = [word for word, answer in (("release", release), ("discard", discard)) if answer["result"] == "done"]
        assert len(won) == 1, (release, discard)
        lost = discard if won == ["release"] else release
        assert lost["result"] in ("no", "gone") and lost["last"]["by"] == ALICE, lost
        assert lost["last"]["what"] == {"release": "held", "discard": "discarded"}[won[0]], lost
        assert ended(desk, sent) == {"release": "sent", "discard": "trash"}[won[0]]
        records = [r.words[1] for leg in desk.legs(sent) for r in leg.records]
        assert records.count("held") + records.count("discarded") == 1, records


def test_S2_08_time_against_a_discard(desk: Desk) -> None:
    """S2-08: the hold is over at the instant at which it is thrown away: who is told "done" is right, and who is not hears
    that it has left."""
    sent = waiting(desk, "hour", "hold")
    first = desk.now().replace(microsecond=0) + timedelta(hours=2)
    ends = [first + timedelta(seconds=10 * n) for n in range(ROUNDS)]
    for one, end in zip(sent, ends):
        desk.does(ALICE, "extend", one, until=end.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    caps = [token(desk, one) for one in sent]
    for n, (one, end, cap) in enumerate(zip(sent, ends, caps)):
        desk.later(int((end - desk.now()).total_seconds()))  # to its last second
        moment = end + timedelta(milliseconds=2 * n - 10)
        while desk.now() < moment:  # spinning: it is about milliseconds
            pass
        answer = desk.door(cap, "act", word="discard")
        state = ended(desk, one)
        if answer["result"] == "done":
            assert state == "trash"
        else:
            assert answer["result"] in ("no", "gone") and state == "sent", answer
            assert answer["last"] is None or answer["last"]["what"] == "held", answer
            late = desk.door(cap, "show")
            assert late["result"] == "gone" and late["last"]["what"] == "held" and late["last"]["ended"] == "due", late


def test_S1_17_two_approvers_who_disagree(desk: Desk) -> None:
    """S1-17: one approves, one rejects: the first is followed, and the second, and its sender, hear who it was."""
    for sent in waiting(desk, "any", "approve"):
        yes, no = together(act(desk, token(desk, sent, BOB), "approve"), act(desk, token(desk, sent, CAROL), "reject"))
        assert [yes["result"], no["result"]].count("done") == 1, (yes, no)
        won, lost, who = (yes, no, BOB) if yes["result"] == "done" else (no, yes, CAROL)
        assert lost["result"] in ("no", "gone") and lost["last"]["by"] == who, lost
        assert ended(desk, sent) == ("sent" if won is yes else "trash")
        shown = desk.door(token(desk, sent), "show")
        assert shown["result"] == "gone" and shown["last"]["by"] == who or shown["legs"][0]["last"]["by"] == who, shown


def test_S0_36_two_votes_at_one_instant(desk: Desk) -> None:
    """n of m: both count, and it leaves once; a third comes too late."""
    for sent in waiting(desk, "two", "approve", 10):
        answers = together(*(act(desk, token(desk, sent, who), "approve") for who in (BOB, CAROL, DAVE)))
        done = [who for who, answer in zip((BOB, CAROL, DAVE), answers) if answer["result"] == "done"]
        assert len(done) == 2, answers
        (late,) = [answer for answer in answers if answer["result"] != "done"]
        assert late["result"] in ("no", "gone"), late
        assert ended(desk, sent) == "sent"
        assert set(desk.record(sent, "approved")["by"].split(",")) == set(done)


def test_one_person_twice_is_one_vote(desk: Desk) -> None:
    """S0-36: the same link opened twice: of two people it still waits for the other."""
    for sent in waiting(desk, "two", "approve", 10):
        cap = token(desk, sent, BOB)
        answers = together(act(desk, cap, "approve"), act(desk, cap, "approve"))
        assert [answer["result"] for answer in answers].count("done") == 1, answers
        (late,) = [answer for answer in answers if answer["result"] != "done"]
        assert late["result"] == "no" and "has no second vote" in late["why"], late
        assert desk.states(sent) == {"approve"} and not desk.got(sent)


def test_an_operator_and_the_sender(desk: Desk) -> None:
    """S2-27: "seki release" and the sender's discard: one outcome, and the shell says it, too."""
    for sent in waiting(desk, "hour", "hold", 10):
        cap = token(desk, sent)
        shell, page = together(lambda: desk.gw.seki("release", sent), act(desk, cap, "discard"))
        assert (shell.returncode == 0) != (page["result"] == "done"), (shell, page)
        assert ended(desk, sent) == ("sent" if shell.returncode == 0 else "trash")
        assert ("released" if shell.returncode == 0 else "no") in shell.stdout.split("\t"), shell.stdout
