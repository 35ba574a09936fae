"""Law 4: what this version cannot carry out waits where its turn has come, and an operator can end it."""
import pytest

from conftest import prepare, wait_for

RULES = {
    "encrypt": "rule zipped\n    to external\n    do zip\n",
    "stagger": "rule later\n    to external\n    do stagger 60m\n",
}


@pytest.fixture(scope="module", params=sorted(RULES))
def stopped(request):
    state = request.param
    gw = prepare(files={"etc/policy/must/50-stop": RULES[state], "etc/domains": "example.co.jp internal\n"})
    try:
        yield gw.start(), state
    finally:
        gw.stop()


def test_it_waits_and_can_be_discarded(stopped):
    gw, state = stopped
    gw.send(b"From: alice@example.co.jp\r\nTo: bob@partner.example\r\nSubject: stopped\r\n\r\nhi\r\n")
    [leg] = wait_for(lambda: gw.spool(state), why=f"a leg in {state}/")
    leg_id = leg.name.split(".")[1]
    wait_for(lambda: gw.spool(state)[0].name.startswith("9999"), why="it is stopped")
    why = gw.seki("why", leg_id)
    assert "waits:" in why.stdout and "this version cannot" in why.stdout

    released = gw.seki("release", leg_id)
    assert released.returncode == 1 and "seki why" in released.stdout + released.stderr
    assert gw.seki("bounce", leg_id).returncode == 1
    discarded = gw.seki("discard", leg_id)
    assert discarded.returncode == 0, discarded.stdout + discarded.stderr
    wait_for(lambda: not gw.spool(state) and len(gw.spool("trash")) == 1, why="it is in trash/")
    assert gw.delivered() == []
