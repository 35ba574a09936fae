"""P: a wrong configuration, given to a running gateway and to one that starts."""
import pytest

from conftest import SERVICES, replace, wait_for
from test_spool_kit import mail


@pytest.fixture(scope="module")
def gw():
    from conftest import prepare
    made = prepare()
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def good(gw):
    """What stands in etc/settings, brought back afterwards."""
    path = gw.root / "etc/settings"
    text = path.read_text()
    yield text
    replace(path, text)
    assert gw.seki("reload").returncode == 0


def still_works(gw, tag: str) -> None:
    gw.send(mail(tag))
    gw.wait_delivered(lambda m: tag.encode() in m)


@pytest.mark.parametrize("line,column,near", [
    ("sweep-every 5", 13, "5m"),
    ("sweep-evry 5m", 1, "sweep-every"),
    ("plan-divide domian", 13, "domain"),
    ("queue-clients 0", 15, ""),
    ("message-size 1TB", 14, ""),
    ("plan-states hold encript deliver", 18, "encrypt"),
])
def test_P_bad_settings_at_reload(gw, good, line, column, near):
    """The old ones stay, and who asked is told the place and the near word."""
    pids = {name: gw.pid(name) for name in SERVICES}
    number = good.count("\n") + 1
    replace(gw.root / "etc/settings", good + line + "\n")
    done = gw.seki("reload")
    assert done.returncode != 0
    assert f"settings:{number}:{column}:" in done.stdout + done.stderr
    assert near in done.stdout + done.stderr
    check = gw.seki("check")
    assert check.returncode != 0 and f"settings:{number}:{column}:" in check.stdout + check.stderr
    assert {name: gw.pid(name) for name in SERVICES} == pids
    still_works(gw, f"bad-reload-{column}-{near}")


def test_P_half_written_file(gw, good):
    replace(gw.root / "etc/settings", good + "sweep-every 5")
    assert gw.seki("reload").returncode != 0
    replace(gw.root / "etc/settings", "")  # an empty one is whole: all defaults, and another port
    replace(gw.root / "etc/settings", good)
    still_works(gw, "half-written")


def test_P_daemons_refuse_bad_settings(gw, good):
    """Each program keeps the old settings on a hangup, and says so."""
    replace(gw.root / "etc/settings", good + "no-such-setting 1\n")
    for name in SERVICES:
        gw.svc("-h", name)
        assert "no-such-setting" in gw.wait_log(name, "event=reload-refused")
    still_works(gw, "hangup-refused")


@pytest.mark.parametrize("program", SERVICES)
def test_P_bad_settings_at_start(gw, good, program):
    """A program that is started with them ends with 102 and stays down; mended and reloaded it comes back."""
    replace(gw.root / "etc/settings", good + "no-such-setting 1\n")
    gw.svc("-t", program)
    wait_for(lambda: (gw.state(program, "up"), gw.state(program, "exitcode")) == ("false", "102"), 15, "down with 102")
    wait_for(lambda: gw.state(program, "wantedup") == "false", why="it is not wanted any more")
    assert "settings:" in gw.wait_log(program, "no-such-setting")
    replace(gw.root / "etc/settings", good)
    done = gw.seki("reload")
    assert done.returncode == 0, done.stdout + done.stderr
    assert gw.state(program, "ready") == "true"
    still_works(gw, f"back-{program}")


def test_P_reload_is_taken(gw, good):
    """When reload returns, every program has the new settings."""
    replace(gw.root / "etc/settings", good + "plan-divide recipient\n")
    assert gw.seki("reload").returncode == 0
    gw.send(mail("taken"), to=["a@x.example", "b@x.example"])
    assert len(gw.wait_delivered(lambda m: b"Subject: taken" in m, 2)) == 2
