"""seki freeze, thaw, flush, check, reload, config and clock: what an operator does to a running gateway."""
import os
import pty
import re
import subprocess
import time

import pytest

from conftest import SERVICES, Gateway, clean_env, replace, wait_for


def mail(subject: str) -> bytes:
    return f"From: a@example.co.jp\r\nTo: b@partner.example\r\nSubject: {subject}\r\n\r\nhi\r\n".encode()


def about(subject: str):
    return lambda content: f"Subject: {subject}\r\n".encode() in content.replace(b"\n", b"\r\n").replace(b"\r\r", b"\r")


def fine(gw: Gateway, *args: str) -> str:
    done = gw.seki(*args)
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---- the red button ------------------------------------------------------------------------------


def test_frozen_mail_waits(fresh_gateway):
    gw = fresh_gateway()
    fine(gw, "freeze", "sender", "Robot@Example.co.jp", "looping", "since nine")
    fine(gw, "freeze", "recipient", "@closed.example")
    listed = [line.split("\t") for line in fine(gw, "freeze").splitlines()]
    assert [row[:2] for row in listed] == [["sender", "Robot@Example.co.jp"], ["recipient", "@closed.example"]]
    assert listed[0][4] == "looping since nine"

    gw.send(mail("robot"), sender="robot@example.co.jp")
    gw.send(mail("closed"), to="x@CLOSED.example")
    gw.send(mail("free"))
    gw.wait_delivered(about("free"))
    time.sleep(1)
    assert not [m for m in gw.delivered() if about("robot")(m) or about("closed")(m)]
    assert len(gw.seki("list", "deliver").stdout.splitlines()) == 2
    assert "frozen\t2" in fine(gw, "stats")

    fine(gw, "thaw", "sender", "robot@example.co.jp")
    fine(gw, "flush")
    gw.wait_delivered(about("robot"))
    assert not [m for m in gw.delivered() if about("closed")(m)]
    fine(gw, "thaw", "recipient", "@closed.example")
    fine(gw, "flush")
    gw.wait_delivered(about("closed"))


def test_a_bad_freeze_file_freezes_everything(fresh_gateway):
    gw = fresh_gateway()
    replace(gw.root / "lib/freeze", "sender a@b\n")
    gw.send(mail("waits"))
    wait_for(lambda: gw.spool("deliver"))
    time.sleep(1)
    assert gw.delivered() == []
    for words in (["freeze"], ["freeze", "all"], ["thaw", "all"]):
        done = gw.seki(*words)
        assert done.returncode == 102 and "lib/freeze:1" in done.stderr
    assert "everything" in fine(gw, "stats")
    replace(gw.root / "lib/freeze", "")
    fine(gw, "flush")
    gw.wait_delivered(about("waits"))


def test_freeze_and_thaw_say_what_they_did(fresh_gateway):
    gw = fresh_gateway()
    fine(gw, "freeze", "all")
    assert gw.seki("freeze", "all").returncode == 1
    fine(gw, "thaw", "all")
    assert gw.seki("thaw", "all").returncode == 1
    assert (gw.root / "lib/freeze").read_text() == "" and not (gw.root / "lib/freeze.new").exists()
    fine(gw, "freeze", "sender", "#odd =x@b", "a=b\nc\x1b")
    assert (gw.root / "lib/freeze").read_text().startswith("sender #odd+20+3Dx@b since=")
    assert r"a=b\x0ac\x1b" in fine(gw, "freeze")
    for words in (["sender"], ["sender", ""], ["everyone"], ["sender", "x" * 5000]):
        assert gw.seki("freeze", *words).returncode == 100, words
    assert gw.seki("thaw", "sender", "a@b", "why").returncode == 100


# ---- configuration -------------------------------------------------------------------------------


def test_check_names_the_place(gateway):
    path = gateway.root / "etc/settings"
    before = path.read_text()
    assert gateway.seki("check").returncode == 0
    try:
        replace(path, before + "queue-client 5\n")
        done = gateway.seki("check")
        line = before.count("\n") + 1
        assert done.returncode == 102 and done.stderr.startswith(f"etc/settings:{line}:1: ")
        assert "queue-clients" in done.stderr
        replace(path, before)
        relay = (gateway.root / "etc/relay").read_text()
        replace(gateway.root / "etc/relay", relay + "300.0.0.0/8 @x.example\n")
        done = gateway.seki("check")
        assert done.returncode == 102 and re.match(r"etc/relay:2:\d+: ", done.stderr)
        replace(gateway.root / "etc/relay", relay)
    finally:
        replace(path, before)
    assert gateway.seki("check").returncode == 0


@pytest.mark.parametrize("name, wrong", [
    ("partners", "alpha.example 株式会社アルファ\n"),
    ("words/secret", "機密\n" + "x" * 2000 + "\n"),
])
def test_check_and_reload_refuse_what_the_inspector_could_not_read(fresh_gateway, name, wrong):
    gw = fresh_gateway()
    path = gw.root / "etc" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(wrong)
    for command in ("check", "reload"):
        done = gw.seki(command)
        assert done.returncode == 102 and f"etc/{name}:" in done.stderr, done.stderr
    path.write_text("")
    assert gw.seki("reload").returncode == 0


def test_config_shows_what_is_in_force(gateway):
    rows = {row[0]: row[1:] for line in fine(gateway, "config").splitlines() if (row := line.split("\t"))}
    assert rows["smtp-listen"][0] == f"127.0.0.1:{gateway.port}"
    assert rows["smtp-listen"][1].startswith("etc/settings:")
    assert rows["retry-first"] == ["5m", "default"]


def test_reload_returns_when_all_have_it(fresh_gateway):
    gw = fresh_gateway()
    gw.setting(message_size="70000B")
    done = gw.seki("reload")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == [f"{name}\ttaken" for name in sorted(SERVICES)]
    with gw.connect() as smtp:
        smtp.ehlo()
        assert smtp.esmtp_features["size"] == "70000"


def test_reload_of_a_bad_configuration_signals_nobody(fresh_gateway):
    gw = fresh_gateway()
    good = (gw.root / "etc/settings").read_text()
    pids = [gw.pid(name) for name in SERVICES]
    replace(gw.root / "etc/settings", good + "retry-first 5\n")
    done = gw.seki("reload")
    assert done.returncode == 102 and done.stdout == "" and "etc/settings:" in done.stderr
    assert [gw.pid(name) for name in SERVICES] == pids
    assert not (gw.root / "run/reload").exists()
    gw.send(mail("still"))
    gw.wait_delivered(about("still"))


def test_reload_says_who_refused(fresh_gateway):
    """A program that finds fault with what seki found good: simulated by another who answers for it."""
    gw = fresh_gateway()
    gw.svc("-p", "seki-hold")  # stopped: it does not answer
    pid = gw.pid("seki-hold")
    run = subprocess.Popen([gw.root / "bin/seki", "reload"], env=clean_env(SEKISHO_ROOT=str(gw.root)),
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        asked = gw.root / "run/reload"
        wait_for(lambda: asked.exists() and asked.read_text().strip())
        nonce = asked.read_text().strip()
        wait_for(lambda: f"taken {nonce}" in (gw.root / "run/taken/seki-stagger").read_text())
        (gw.root / "run/taken/seki-hold").write_text(f"refused {nonce} etc/settings:3:1: not this\n")
        out, err = run.communicate(timeout=30)
    finally:
        gw.svc("-c", "seki-hold")
    assert pid == gw.pid("seki-hold")
    assert run.returncode == 1 and "seki-hold\trefused\tetc/settings:3:1: not this" in out
    assert "seki-hold" in err and "not this" in err


def test_reload_names_who_is_silent(fresh_gateway):
    gw = fresh_gateway()
    gw.svc("-p", "seki-encrypt")
    (gw.root / "run/taken/seki-encrypt").write_text("taken 0123456789abcdef\n")  # of another time
    began = time.monotonic()
    done = gw.seki("reload")
    gw.svc("-c", "seki-encrypt")
    assert done.returncode == 111 and "seki-encrypt: no answer" in done.stderr
    assert done.stdout.count("\ttaken") == len(SERVICES) - 1
    assert time.monotonic() - began < 20


def test_reload_starts_what_a_bad_configuration_stopped(fresh_gateway):
    gw = fresh_gateway()
    good = (gw.root / "etc/settings").read_text()
    replace(gw.root / "etc/settings", good + "nonsense 1\n")
    gw.svc("-t", "seki-scan")
    wait_for(lambda: gw.state("seki-scan", "up") == "false" and gw.state("seki-scan", "wantedup") == "false")
    gw.svc("-d", "seki-stagger")  # and this one an operator has stopped
    wait_for(lambda: gw.state("seki-stagger", "up") == "false")
    replace(gw.root / "etc/settings", good)
    done = gw.seki("reload")
    assert done.returncode == 0, done.stderr
    assert "seki-scan\tstarted" in done.stdout and "seki-stagger\tdown" in done.stdout
    assert gw.state("seki-scan", "ready") == "true" and gw.state("seki-stagger", "up") == "false"


def test_flush_without_a_deliverer(fresh_gateway):
    gw = fresh_gateway()
    gw.svc("-d", "seki-deliver")
    wait_for(lambda: gw.state("seki-deliver", "up") == "false")
    done = gw.seki("flush")
    assert (done.returncode, done.stderr) == (111, "seki: seki-deliver is not running\n")


# ---- the clock -----------------------------------------------------------------------------------


def test_clock_ok_ends_the_frost(fresh_gateway):
    gw = fresh_gateway(testing=True)
    assert all(line.split("\t")[2] == "running" for line in fine(gw, "clock").splitlines())
    gw.clock(-86400, 0, False)

    def stages() -> list[list[str]]:
        return [line.split("\t") for line in gw.seki("clock").stdout.splitlines()]

    wait_for(lambda: all(row[2] == "frozen" for row in stages()), why="frozen timers")
    assert gw.seki("clock").returncode == 1 and all(row[3] != "-" for row in stages())
    assert "clock\tseki-hold\tfrozen" in fine(gw, "stats")
    fine(gw, "clock", "ok")
    line = (gw.root / "lib/clock/ok").read_text()
    assert re.fullmatch(r"ok=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z boot=\d+ by=\S+\n", line)
    wait_for(lambda: gw.seki("clock").returncode == 0, why="running timers")


def test_a_mark_that_says_nothing_is_not_trusted(gateway, tmp_path):
    (tmp_path / "lib/clock").mkdir(parents=True)
    (tmp_path / "lib/clock/seki-hold").write_text("\0" * 256)
    done = gateway.seki("--root", str(tmp_path), "clock")
    assert done.returncode == 1 and done.stdout == "seki-hold\t-\t-\t-\n"


# ---- the tool itself -----------------------------------------------------------------------------


@pytest.mark.parametrize("words,code", [
    ([], 100), (["--frob"], 100), (["lsit"], 100), (["help"], 0), (["version"], 0), (["--help"], 0),
    (["check", "x"], 100), (["stats", "x"], 100), (["reload", "x"], 100), (["flush", "a_b"], 100),
    (["clock", "wrong"], 100), (["config", "x"], 100),
])
def test_usage(gateway, words, code):
    assert gateway.seki(*words).returncode == code


def test_the_near_command(gateway):
    assert "near: list" in gateway.seki("lsit").stderr


def test_root_by_option(gateway):
    tool = str(gateway.root / "bin/seki")
    for words in (["--root", str(gateway.root)], [f"--root={gateway.root}"]):
        done = subprocess.run([tool, *words, "check"], env=clean_env(SEKISHO_ROOT="/nonexistent"))
        assert done.returncode == 0
    done = subprocess.run([tool, "check"], env=clean_env(SEKISHO_ROOT="/nonexistent"), capture_output=True, text=True)
    assert done.returncode == 111 and "SEKISHO_ROOT" in done.stderr


def test_a_terminal_gets_a_heading(gateway):
    ours, theirs = pty.openpty()
    subprocess.run([gateway.root / "bin/seki", "config"], env=clean_env(SEKISHO_ROOT=str(gateway.root)),
                   stdout=theirs, check=True)
    os.close(theirs)
    assert os.read(ours, 4096).startswith(b"NAME\tVALUE\tSOURCE\r\n")
    os.close(ours)
