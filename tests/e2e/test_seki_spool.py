"""seki list, show, cat, find and stats, over a spool that holds mail in several states."""
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

from conftest import Gateway, clean_env, prepare, wait_for

ID = re.compile(r"\b[0-9a-f]{32}\b")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def overwrite(path, content: bytes) -> None:
    """A file of a sticky directory: the kernel may forbid root to open what is another's with O_CREAT."""
    with open(path, "r+b") as file:
        file.write(content)
        file.truncate()


def mail(subject: str, extra: str = "") -> bytes:
    return (f"From: Alice <alice@header.example.co.jp>\r\nTo: Bob <bob@partner.example>\r\n{extra}"
            f"Subject: {subject}\r\nMessage-ID: <{subject.split()[0]}@mid.example>\r\n\r\nhi {subject}\r\n").encode()


@pytest.fixture(scope="module")
def held():
    """Four held mails."""
    gw = prepare({"plan-states": "hold deliver", "plan-hold": "1h"})
    try:
        gw.start()
        gw.send(mail("first"), to=["bob@partner.example", "carol@other.example"])
        gw.send(mail("second one", "Cc: dave@copy.example,\r\n\terin@copy.example\r\n"))
        gw.send(mail("third"), sender="zed@example.co.jp")
        gw.send(mail("fourth\r\n folded"), to="x@partner.example")
        wait_for(lambda: len(gw.spool("hold")) == 4, why="four held mails")
        yield gw
    finally:
        gw.stop()


@pytest.fixture(scope="module")
def passed():
    """One mail that has been delivered."""
    gw = prepare()
    try:
        gw.start()
        gw.send(mail("passed") + b"x" * 200000 + b"\r\n")
        gw.wait_delivered()
        wait_for(lambda: "emptied" in gw.seki("show", *ids(gw, "sent")).stdout if ids(gw, "sent") else "",
                 why="a sent mail without its body")
        yield gw
    finally:
        gw.stop()


def rows(gw: Gateway, *args: str) -> list[list[str]]:
    done = gw.seki(*args)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def ids(gw: Gateway, *states: str) -> list[str]:
    return [row[2] for row in rows(gw, "list", *states)]


def leg_about(gw: Gateway, subject: str) -> str:
    found = rows(gw, "find", "--subject", subject)
    assert len(found) == 1
    return found[0][2]


def test_list_is_one_line_a_leg_in_due_order(held):
    lines = rows(held, "list")
    assert len(lines) == 4
    assert all(len(row) == 7 and row[0] == "hold" and ID.search(row[2]) for row in lines)
    assert [row[1] for row in lines] == sorted(row[1] for row in lines)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", field) for row in lines for field in (row[1], row[3]))
    assert [[*row, "sent"] for row in lines] == rows(held, "list", "hold")  # which also says how the hold ends
    first = [row for row in lines if row[5] == "bob@partner.example +1"]
    assert len(first) == 1 and first[0][4] == "alice@example.co.jp"


def test_list_of_states(held):
    assert rows(held, "list", "deliver", "stagger") == []
    done = held.seki("list", "hodl")
    assert done.returncode == 100 and "hold" in done.stderr and done.stdout == ""


def test_json_lines(held):
    for line in held.seki("-j", "list").stdout.splitlines():
        row = json.loads(line)
        assert row["state"] == "hold" and row["recipients"] in (1, 2) and isinstance(row["size"], int)
    shown = [json.loads(line) for line in held.seki("-j", "show", ids(held)[0]).stdout.splitlines()]
    assert {"state", "id", "from", "to", "step", "rcpt"} <= {row["what"] for row in shown}


def test_show_takes_ids_from_a_pipe(held):
    listed = held.seki("list", "hold").stdout
    done = held.seki("show", "-", stdin="".join(line.split("\t")[2] + "\n" for line in listed.splitlines()))
    assert done.returncode == 0
    assert done.stdout.count("sekisho-leg\t1") == 4
    assert "step\topen\thold\tuntil=" in done.stdout and "step\topen\tdeliver" in done.stdout
    assert "to\tcarol@other.example" in done.stdout
    assert "rcpt\t2\tcarol@other.example\topen\t-\t0\t-" in done.stdout


def test_ids_and_prefixes(held):
    leg = ids(held)[0]
    whole = leg.split(".")[0]
    want = held.seki("show", leg).stdout
    assert want and held.seki("show", whole).stdout == want
    assert held.seki("show", held.spool("hold")[0].name).stdout == held.seki("show", ids(held)[0]).stdout
    others = {other[:n] for other in ids(held) for n in [31] if not other.startswith(whole)}
    for n in range(8, 32):
        done = held.seki("show", whole[:n])
        unique = not any(other.startswith(whole[:n]) for other in others)
        assert done.returncode == (0 if unique else 1)
        assert (done.stdout == want) if unique else ("several" in done.stderr and done.stdout == "")
    for wrong in ("0" * 32, "0" * 32 + ".1", whole + ".9", whole[:7], "../../etc/settings", "x", "\x1b[2J"):
        done = held.seki("show", wrong)
        assert done.returncode == 1 and done.stdout == "" and done.stderr and not CONTROL.search(done.stderr)
    assert held.seki("show").returncode == 100


def test_an_unknown_id_does_not_stop_the_others(held):
    done = held.seki("show", "-", stdin="0" * 32 + "\n" + ids(held)[1] + "\trest of the line\n\n")
    assert done.returncode == 1 and "sekisho-leg\t1" in done.stdout


def test_cat_is_the_mail(held):
    raw = subprocess.run([held.root / "bin/seki", "cat", leg_about(held, "second")],
                         env=clean_env(SEKISHO_ROOT=str(held.root)), capture_output=True, check=True).stdout
    assert raw.startswith(b"Received: ")
    assert raw.endswith(mail("second one", "Cc: dave@copy.example,\r\n\terin@copy.example\r\n"))


def test_cat_says_when_the_content_is_another(held):
    leg = leg_about(held, "third")
    path = [p for p in held.spool("hold") if leg in p.name][0]
    before = path.read_bytes()
    try:
        overwrite(path, before.replace(b"hi third", b"ho third"))
        done = held.seki("cat", leg)
        assert done.returncode == 1 and "digest" in done.stderr
    finally:
        overwrite(path, before)
    assert held.seki("cat", leg).returncode == 0


@pytest.mark.parametrize("words,subjects", [
    (["--from", "ALICE@example"], {"first", "second", "fourth"}),
    (["--from", "zed@example.co.jp"], {"third"}),
    (["--from", "header.example"], {"first", "second", "third", "fourth"}),
    (["--to", "carol"], {"first"}),
    (["--to=erin@copy.example"], {"second"}),
    (["--subject", "SECOND ONE"], {"second"}),
    (["--subject", "fourth folded"], {"fourth"}),
    (["--subject", "hi"], {"third"}),
    (["--message-id", "<first@mid.example>"], {"first"}),
    (["--from", "alice", "--subject", "third"], {"third"}),
    (["--from", "alice@example.co.jp", "--subject", "third"], set()),
    (["--since", "1h", "--to", "carol"], {"first"}),
    (["--since", "2099-01-01"], set()),
    (["--subject", "nothing like it"], set()),
])
def test_find(held, words, subjects):
    done = held.seki("find", *words)
    assert done.returncode == (0 if subjects else 1), done.stderr
    found = set()
    for line in done.stdout.splitlines():
        text = held.seki("cat", line.split("\t")[2]).stdout
        found.add(re.search(r"^Subject: (\w+)", text, re.M).group(1))
    assert found == subjects


def test_find_wants_sense(held):
    for words in ([], ["--foo", "x"], ["--from"], ["--since", "soon"], ["--subject", ""], ["first"]):
        assert held.seki("find", *words).returncode == 100, words


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is missing")
def test_headers_are_read_without_privileges(held, tmp_path):
    """The child has given everything up before it gets the first mail."""
    trace = tmp_path / "trace"
    done = subprocess.run(
        ["strace", "-f", "-o", trace, "-e", "trace=!write", held.root / "bin/seki", "find", "--subject", "second"],
        env=clean_env(SEKISHO_ROOT=str(held.root)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    calls = [line.split(None, 1) for line in trace.read_text().splitlines()]
    child = [pid for pid, call in calls if call.startswith("recvmsg(")][0]
    mine = [call for pid, call in calls if pid == child]
    first = next(i for i, call in enumerate(mine) if call.startswith("recvmsg("))
    before, after = "\n".join(mine[:first]), mine[first:]
    for needed in ("prctl(PR_SET_NO_NEW_PRIVS", "landlock_restrict_self(", "seccomp(SECCOMP_SET_MODE_FILTER", "RLIMIT_FSIZE"):
        assert needed in before
    if os.geteuid() == 0:
        assert "setgroups(0" in before and "setresgid(" in before and "setresuid(" in before
    assert {call.split("(")[0] for call in after if "(" in call and call[0].isalpha()} <= {
        "recvmsg", "pread64", "sendto", "close", "exit_group"}


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is missing")
def test_a_dead_reader_is_no_no(held):
    """A reader that dies over each mail: 111, never "not found"."""
    done = subprocess.run(
        ["strace", "-f", "-o", os.devnull, "-e", "inject=recvmsg:signal=SIGKILL",
         held.root / "bin/seki", "find", "--subject", "second"],
        env=clean_env(SEKISHO_ROOT=str(held.root)), capture_output=True, text=True, timeout=60)
    assert done.returncode == 111
    assert "failed over this mail" in done.stderr and "given up" in done.stderr


def test_a_stranger_cannot_act_on_the_terminal(held):
    leg = leg_about(held, "first")
    path = [p for p in held.spool("hold") if leg in p.name][0]
    before = path.read_bytes()
    bad = held.root / "spool/bad" / "what\x1b[2J\tname"
    try:
        overwrite(path, before + b"2026-11-22T09:00:00.000000Z note reply=a+1B[31m+09+E2+80+AEb+FFc\n")
        bad.write_bytes(b"junk")
        shown = held.seki("show", leg).stdout + held.seki("list", "bad").stdout
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", shown)
        assert r"reply=a\x1b[31m\x09\xe2\x80\xaeb\xffc" in shown
        assert r"what\x1b[2J\x09name" in shown
    finally:
        overwrite(path, before)
        bad.unlink()


def test_a_damaged_tail_is_shown_and_said(held):
    leg = leg_about(held, "third")
    path = [p for p in held.spool("hold") if leg in p.name][0]
    before = path.read_bytes()
    try:
        overwrite(path, before + b"2026-11-22T09:00:00.000000Z no\0\0")
        done = held.seki("show", leg)
        assert done.returncode == 0 and re.search(r"^damaged\t.*\t32$", done.stdout, re.M)
        overwrite(path, before + b"\0\0\n2026-11-22T09:00:00.000000Z note text=behind+20damage\n")
        done = held.seki("show", leg)
        assert done.returncode == 1
        assert "damaged\twhole record behind damage" in done.stdout
        assert "from\tzed@example.co.jp" in done.stdout
        assert "text=behind damage" in done.stdout
        assert held.seki("cat", leg).returncode == 1
    finally:
        overwrite(path, before)


def test_sent_mail_is_found_without_its_body(passed):
    leg = leg_about(passed, "passed")
    assert rows(passed, "find", "--to", "bob", "--message-id", "<passed@")[0][0] == "sent"
    shown = passed.seki("show", leg).stdout
    assert "body\tremoved" in shown and re.search(r"^rcpt\t1\tbob@partner.example\tdelivered\t", shown, re.M)
    done = passed.seki("cat", leg)
    assert done.returncode == 1 and "removed" in done.stderr and done.stdout == ""


def test_stats(held, passed):
    lines = {row[0]: row[1:] for row in rows(held, "stats") if row[0] != "clock"}
    assert lines["hold"][0] == "4" and int(lines["hold"][1]) >= 4096
    assert lines["hold"][2] != "-" and lines["hold"][3] == rows(held, "list")[0][1]
    assert lines["deliver"] == ["0", "0", "-", "-"]
    assert int(lines["free-bytes"][0]) > 0 and lines["frozen"] == ["0"]
    assert {row[0]: row[1:] for row in rows(passed, "stats")}["sent"][0] == "1"


def test_an_output_that_is_full_is_an_error(held):
    with open("/dev/full", "w") as full:
        done = subprocess.run([held.root / "bin/seki", "list"], env=clean_env(SEKISHO_ROOT=str(held.root)),
                              stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 111 and "written" in done.stderr


def test_it_works_where_the_settings_are_wrong(fresh_gateway):
    gw = fresh_gateway({"plan-states": "hold deliver", "plan-hold": "1h"})
    gw.send(mail("early"))
    wait_for(lambda: gw.spool("hold"))
    (gw.root / "etc/settings").write_text("hold on\n")
    done = gw.seki("list")
    assert done.returncode == 0 and ID.search(done.stdout) and "etc/settings:1:1" in done.stderr


def test_the_first_line_comes_at_once(held):
    """Even where nobody reads on: the tool dies by SIGPIPE, and not with a complaint."""
    run = subprocess.Popen([held.root / "bin/seki", "show", *(ids(held) * 200)], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, env=clean_env(SEKISHO_ROOT=str(held.root)),
                           preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL))
    run.stdout.readline()
    run.stdout.close()
    assert run.wait(60) == -signal.SIGPIPE and run.stderr.read() == b""
