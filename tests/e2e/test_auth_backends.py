"""seki-auth and what it asks: the file, a real Dovecot, a real Postfix, PAM, foreign programs. S2-39, S2-43:
credentials are verified against the existing mail server, whichever it is. S4: a login that is not there
costs the same time."""
import grp
import os
import pty
import pwd
import secrets
import shutil
import signal
import stat
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import wait_for
from test_auth_kit import (LATER, RIGHT, ROOT, WRONG, Auth, Certificates, Dovecot, Listener, Postfix, question,
                           seconds)

ALICE, BOB = "alice@example.co.jp", "bob@lab.example.co.jp"
WORD = "Korrekt, Pferd: \u9a6c \"{7}\\"
root_only = pytest.mark.skipif(not ROOT, reason="other users need root")


@pytest.fixture
def auth(gateway) -> Iterator[Auth]:
    """seki-auth, not started; the gateway's users and programs are there."""
    made = Auth(gateway.root / "bin")
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="sekisho-mail-", dir="/var/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def certificates(place: Path) -> Certificates:
    return Certificates(place / "tls")


@pytest.fixture(scope="module")
def dovecot(place: Path, certificates: Certificates) -> Iterator[Dovecot]:
    if not ROOT or shutil.which("dovecot") is None:
        pytest.skip("Dovecot (package dovecot-imapd) and root are needed")
    made = Dovecot(place / "dovecot", certificates, {ALICE: "alice's word", BOB: "bob's word"})
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture(scope="module")
def postfix(place: Path, certificates: Certificates, dovecot: Dovecot) -> Iterator[Postfix]:
    if shutil.which("postfix") is None:
        pytest.skip("Postfix (package postfix) is needed")
    made = Postfix(place / "postfix", certificates, dovecot.sasl)
    try:
        yield made.start()
    finally:
        made.stop()


# ---- the file ----


def test_passwd_round_trip(auth: Auth) -> None:
    """seki passwd sets, lists, changes and deletes; seki-auth sees each at once, in spite of its cache."""
    auth.passwd(BOB, "bob's word")
    auth.passwd(ALICE, WORD)
    auth.start()
    assert auth.ask(ALICE, WORD) == "Y"
    assert auth.ask(ALICE.upper(), WORD) == "Y"
    assert auth.ask(ALICE, WORD + " ") == "N"
    assert auth.ask(BOB, WORD) == "N"
    assert auth.ask("carol@example.co.jp", WORD) == "N"
    assert auth.seki("passwd", "-l").stdout == f"{BOB}\n{ALICE}\n"

    auth.passwd(ALICE.capitalize(), "another")
    assert auth.ask(ALICE, WORD) == "N"
    assert auth.ask(ALICE, "another") == "Y"
    assert auth.seki("passwd", "-d", ALICE).returncode == 0
    assert auth.ask(ALICE, "another") == "N"
    assert auth.ask(BOB, "bob's word") == "Y"
    assert auth.seki("passwd", "-d", ALICE).returncode == 1
    for word in (WORD, "another", "bob's word"):
        assert word not in auth.log() and word not in (auth.root / "etc/passwd").read_text()


def test_passwd_file_is_the_daemons_alone(auth: Auth) -> None:
    """Mode and owner of the new file, kept by a change; a file that others may read is refused."""
    path = auth.root / "etc/passwd"
    auth.passwd(ALICE, "word")
    first = path.stat()
    assert stat.S_IMODE(first.st_mode) == 0o640
    if ROOT:
        assert (path.owner(), path.group()) == ("root", "sekia")
    path.chmod(0o400)
    auth.passwd(ALICE, "other")
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert path.stat().st_ino != first.st_ino
    assert not (auth.root / "etc/passwd.new").exists()

    path.chmod(0o644)
    assert auth.back_end("seki-auth-file", password="other")[0] == LATER
    assert "chmod 0640" in auth.seki("passwd", "-l").stderr
    assert auth.seki("passwd", BOB, stdin="word\n").returncode == 111


def test_passwd_no_file_is_for_now(auth: Auth) -> None:
    code, said = auth.back_end("seki-auth-file", password="word")
    assert code == LATER and "auth-trouble" in said


def test_passwd_refuses(auth: Auth) -> None:
    for login, word in ((ALICE, ""), (ALICE, "\n"), (ALICE, "x" * 512 + "\n"), (ALICE, "a\0b\n"), (ALICE, "a\r\n")):
        assert auth.seki("passwd", login, stdin=word).returncode == 1
    for words in ((), ("a:b",), ("#a",), ("",), ("a\nb",), ("x" * 256,), (ALICE, "secret"), ("-d",), ("-x", ALICE)):
        assert auth.seki("passwd", *words, stdin="word\n").returncode == 100
    assert not (auth.root / "etc/passwd").exists()


def test_passwd_of_many_writers_at_once(auth: Auth) -> None:
    logins = [f"user{i}@example.co.jp" for i in range(12)]
    running = [subprocess.Popen([str(auth.programs / "seki"), "--root", str(auth.root), "passwd", login],
                                stdin=subprocess.PIPE) for login in logins]
    for process in running:
        process.stdin.write(b"word\n")
        process.stdin.close()
    assert [p.wait(60) for p in running] == [0] * len(logins)
    assert sorted(auth.seki("passwd", "-l").stdout.split()) == sorted(logins)


def test_passwd_killed_leaves_a_whole_file(auth: Auth) -> None:
    """At whatever moment: the logins of before are there, the one that was set is or is not."""
    before = [f"user{i:05}@example.co.jp" for i in range(20000)]
    path = auth.root / "etc/passwd"
    auth.passwd("first", "word")
    path.write_text("".join(f"{login}:*\n" for login in before))
    outcomes = set()
    for n in range(24):
        process = subprocess.Popen([str(auth.programs / "seki"), "--root", str(auth.root), "passwd", "new"],
                                   stdin=subprocess.PIPE)
        process.stdin.write(b"word\n")
        process.stdin.close()
        time.sleep(n * 0.004)
        process.kill()
        process.wait(20)
        logins = auth.seki("passwd", "-l").stdout.split()
        assert logins[:len(before)] == before and logins[len(before):] in ([], ["new"])
        outcomes.add(len(logins))
        path.write_text("".join(f"{login}:*\n" for login in before))
    print(outcomes)
    auth.passwd("new", "word")
    assert auth.back_end("seki-auth-file", login="new", password="word")[0] == RIGHT


def terminal(auth: Auth, *answers: str) -> tuple[int, str]:
    """seki passwd on a terminal: its exit code and what the terminal showed."""
    pid, fd = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever runs the tests in the background ignores it
        os.execv(str(auth.programs / "seki"), ["seki", "--root", str(auth.root), "passwd", ALICE])
    shown = ""
    for answer in answers:
        while not shown.endswith(": "):
            shown += os.read(fd, 1000).decode()
        os.write(fd, answer.encode())
        shown += "|"
    try:
        while got := os.read(fd, 1000):
            shown += got.decode()
    except OSError:
        pass
    os.close(fd)
    return os.waitpid(pid, 0)[1], shown


def test_passwd_on_a_terminal(auth: Auth) -> None:
    """Asked twice, shown never; two different words change nothing; a signal ends it."""
    status, shown = terminal(auth, "the word\n", "the word\n")
    assert os.waitstatus_to_exitcode(status) == 0 and "word" not in shown.replace("password", "")
    assert auth.back_end("seki-auth-file", password="the word")[0] == RIGHT
    status, shown = terminal(auth, "one\n", "two\n")
    assert os.waitstatus_to_exitcode(status) == 1 and "different" in shown
    status, shown = terminal(auth, "hal\x03")
    assert os.waitstatus_to_exitcode(status) == -2
    assert auth.back_end("seki-auth-file", password="the word")[0] == RIGHT


def test_s4_unknown_login_costs_the_same_time(auth: Auth) -> None:
    auth.passwd(ALICE, "word")
    auth.settings(auth_failures_source="100000", auth_failures_login="100000")
    auth.start()
    logins = {"known": ALICE, "unknown": "nobody@example.co.jp"}
    taken: dict[str, list[float]] = {name: [] for name in logins}
    for _ in range(15):
        for name, login in logins.items():
            answer, spent = seconds(lambda: auth.ask(login, "wrong"))
            assert answer == "N"
            taken[name].append(spent)
    known, unknown = (statistics.median(taken[name]) for name in ("known", "unknown"))
    print(f"medians: known {known * 1000:.1f} ms, unknown {unknown * 1000:.1f} ms")
    assert known > 0.005 and abs(known - unknown) < 0.3 * known


# ---- the question and the process ----

TELL = """#!/usr/bin/python3
import os, sys, time
given = b""
while got := os.read(3, 4096):
    given += got
out = "%s/out/" % os.path.dirname(os.path.abspath(sys.argv[0]))
open(out + "given", "wb").write(given)
open(out + "environ", "wb").write(open("/proc/self/environ", "rb").read())
open(out + "cmdline", "wb").write(open("/proc/self/cmdline", "rb").read())
open(out + "fds", "w").write(" ".join(sorted(os.listdir("/proc/self/fd"))))
open(out + "stdin", "w").write(os.readlink("/proc/self/fd/0"))
open(out + "pid", "w").write(str(os.getpid()))
login, word = given.split(b"\\0")[:2]
if word.startswith(b"sleep"):
    time.sleep(float(word[5:]))
if word.startswith(b"exit"):
    os._exit(int(word[4:]))
if word == b"kill":
    os.kill(os.getpid(), 9)
if word != b"right":
    os._exit(1)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def foreign(auth: Auth, **settings: str) -> Auth:
    """A foreign program with the checkpassword interface, which becomes what its arguments name."""
    program = auth.script("foreign", TELL)
    auth.table(f"* {program} /bin/true\n")
    auth.settings(**settings)
    return auth.start()


def test_foreign_checkpassword(auth: Auth) -> None:
    """Descriptor 3, exit codes, a clean environment; the password is nowhere else."""
    foreign(auth, auth_cache="0s")
    assert auth.ask(ALICE, "right", source="2001:db8::7") == "Y"
    out = auth.root / "out"
    login, word, stamp, rest = (out / "given").read_bytes().split(b"\0")
    assert (login, word, rest) == (ALICE.encode(), b"right", b"") and abs(int(stamp) - time.time()) < 100
    environ = dict(e.split(b"=", 1) for e in (out / "environ").read_bytes().split(b"\0") if e)
    assert environ == {b"PATH": b"/usr/bin:/bin", b"LC_ALL": b"C.UTF-8", b"TCPREMOTEIP": b"2001:db8::7"}
    assert b"right" not in (out / "cmdline").read_bytes()
    assert (out / "stdin").read_text() == "/dev/null"
    # 0 to 3, and those of the look itself.
    assert len((out / "fds").read_text().split()) <= 6
    assert auth.ask(ALICE, "no") == "N"
    for word in ("exit2", "exit111", "exit3", "kill"):
        assert auth.ask(ALICE, word) == "L"
    assert len(auth.wait_log("event=auth-failed", 4)) == 4
    assert "code=111" in auth.log() and "killed+20by" in auth.log()


def test_a_program_that_is_not_there(auth: Auth) -> None:
    auth.table("* /nonexistent/checkpassword\n")
    auth.start()
    assert auth.ask(ALICE, "word") == "L"
    assert "auth-unstarted" in auth.wait_log("alarm=yes")[0]


def test_longest_and_strangest_words(auth: Auth) -> None:
    foreign(auth)
    login, word = "\u5c71" * 85, "p" * 1024
    assert auth.ask(login, word) == "N"
    assert (auth.root / "out/given").read_bytes().startswith(f"{login}\0{word}\0".encode())
    for text in ("$(touch x)", "-rf", "%n%s", "a'b\"c\\", "\u00a0", "a=b c"):
        assert auth.ask(text, text) == "N"
        assert (auth.root / "out/given").read_bytes().startswith(f"{text}\0{text}\0".encode())
    auth.wait_log("login=a+3Db+20c")
    assert word not in auth.log()


def test_broken_questions(auth: Auth) -> None:
    """None of them reaches a back end, and the next client is served."""
    foreign(auth)
    good = question(ALICE, "right")
    bad = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\x08\x01" + b"x" * 2049, b"GET / HTTP/1.0\r\n\r\n",
           question("", "x"), question(ALICE, ""), question("a\nb", "x"), question("a" * 256, "x"),
           question(ALICE, "x" * 1025), question(b"\xff\xfe", "x"), question(ALICE, "x", service="SM TP"),
           question(ALICE, "x", source="nowhere"), good[:3] + bytes([good[3] + 1]) + good[4:] + b"x"]
    for text in bad:
        with auth.connect() as s:
            s.sendall(text)
            try:
                assert s.recv(10) == b"L", text
            except ConnectionResetError:
                pass  # it did not read all of it
    assert not (auth.root / "out/given").exists()
    assert auth.ask(ALICE, "right") == "Y"
    auth.wait_log("event=auth-malformed", 10)


def test_a_question_byte_by_byte(auth: Auth) -> None:
    foreign(auth)
    with auth.connect() as s:
        for byte in question(ALICE, "right"):
            s.sendall(bytes([byte]))
            os.sched_yield()
        assert s.recv(2) == b"Y"
        assert s.recv(2) == b""


def test_time_is_bounded(auth: Auth) -> None:
    """auth-timeout: for half a question, for a back end, for a place among the checks; what was started is
    killed."""
    foreign(auth, auth_timeout="2s", auth_checks="1")
    half = auth.connect()
    half.sendall(question(ALICE, "right")[:9])
    slow = auth.begin(ALICE, "sleep60")
    pid_file = auth.root / "out/pid"
    wait_for(lambda: pid_file.exists() and pid_file.read_text(), 20, "the back end")
    behind = auth.begin(BOB, "right")
    (answers, spent) = seconds(lambda: [s.recv(1) for s in (half, slow, behind)])
    assert answers[:2] == [b"L", b"L"] and answers[2] in (b"L", b"Y") and spent < 10
    wait_for(lambda: not Path(f"/proc/{pid_file.read_text()}").exists(), 20, "the end of the back end")
    assert auth.ask(ALICE, "right") == "Y"
    for s in (half, slow, behind):
        s.close()


def test_checks_at_once_are_bounded(auth: Auth) -> None:
    """auth-checks back ends run; the others wait for their turn, and all are answered."""
    foreign(auth, auth_checks="2")
    program = auth.root / "foreign"
    clients = [auth.begin(f"user{i}", "sleep0.3") for i in range(8)]
    most = 0
    while len(auth.log().split("event=auth-wrong")) <= 8:
        running = [p for p in Path("/proc").glob("[0-9]*/cmdline") if str(program).encode() in _read(p)]
        most = max(most, len(running))
    assert [s.recv(1) for s in clients] == [b"N"] * 8
    assert 1 <= most <= 2
    for s in clients:
        s.close()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_clients_at_once_are_bounded(auth: Auth) -> None:
    """auth-clients: who comes then waits, and is heard when a silent one has used up its time."""
    foreign(auth, auth_clients="2", auth_timeout="2s")
    silent = [auth.connect() for _ in range(2)]
    answer, spent = seconds(lambda: auth.ask(ALICE, "right"))
    assert answer == "Y" and spent > 1
    assert [s.recv(1) for s in silent] == [b"L", b"L"]
    for s in silent:
        s.close()


def test_reload(auth: Auth) -> None:
    """A good configuration is taken, a bad one refused with its place; what was cached is forgotten."""
    foreign(auth)
    assert auth.ask(ALICE, "right") == "Y"
    auth.table("* seki-auth-fiel\n")
    assert auth.reload().startswith("refused - etc/auth:1:3: ")
    assert auth.ask(ALICE, "right") == "Y"
    auth.table(f"@example.co.jp {auth.root}/foreign /bin/false\n* {auth.root}/foreign /bin/true\n")
    assert auth.reload() == "taken -\n"
    assert auth.ask(ALICE, "right") == "N"
    assert auth.ask(BOB, "right") == "Y"


def test_a_bad_configuration_does_not_start(auth: Auth) -> None:
    auth.table("alice seki-auth-file\n")
    done = subprocess.run(["bin/seki-auth"], cwd=auth.root, capture_output=True, text=True, timeout=20)
    assert done.returncode == 102 and "etc/auth:1:1:" in done.stderr


def test_stop_lets_a_check_end(auth: Auth) -> None:
    foreign(auth)
    with auth.begin(ALICE, "sleep1") as s:
        wait_for(lambda: (auth.root / "out/pid").exists(), 20, "the back end")
        code, spent = seconds(auth.stop)
        assert code == 0 and spent < 8
        assert s.recv(1) == b"N"


def test_killed_and_started_again(auth: Auth) -> None:
    foreign(auth)
    auth.process.kill()
    auth.process.wait(20)
    auth.start()
    assert auth.ask(ALICE, "right") == "Y"


@root_only
def test_nobody_reads_its_memory(auth: Auth) -> None:
    """Not even a process of the same user: it is not dumpable, so its files in /proc are root's."""
    foreign(auth)
    with auth.begin(ALICE, "sleep2"):
        wait_for(lambda: (auth.root / "out/pid").exists(), 20, "the back end")
        for user in ("sekia", "sekid", "nobody"):
            for name in ("mem", "environ", "fd"):
                tried = subprocess.run(["s6-setuidgid", user, "ls" if name == "fd" else "head", *(
                    [] if name == "fd" else ["-c1"]), f"/proc/{auth.process.pid}/{name}"], capture_output=True, timeout=20)
                assert tried.returncode != 0, f"{user} reads {name}"
            if user != "sekia":
                seen = subprocess.run(["s6-setuidgid", user, "cat", str(auth.root / "etc/passwd")], capture_output=True)
                assert seen.returncode != 0


# ---- guessing ----


def test_source_is_capped(auth: Auth) -> None:
    """S4: after so many wrong passwords nothing from there is checked, right ones neither; others are."""
    auth.passwd(ALICE, "word")
    auth.settings(auth_failures_source="3")
    auth.start()
    assert [auth.ask(f"user{i}", "x", "198.51.100.7") for i in range(3)] == ["N"] * 3
    assert auth.ask(ALICE, "word", "198.51.100.7") == "C"
    assert auth.ask(ALICE, "word", "198.51.100.8") == "Y"
    assert [auth.ask(f"user{i}", "x", f"2001:db8:5:6::{i}") for i in range(4)] == ["N", "N", "N", "C"]
    assert auth.ask(ALICE, "word", "2001:db8:5:7::1") == "Y"
    alarms = [line for line in auth.log().splitlines() if "event=auth-capped" in line]
    assert len(alarms) == 2 and all("alarm=yes" in a and "by=source" in a for a in alarms)
    assert "source=198.51.100.7" in alarms[0]


def test_login_is_capped_and_its_owner_is_not_locked_out(auth: Auth) -> None:
    auth.passwd(ALICE, "word")
    auth.settings(auth_failures_login="4", auth_cache="0s")
    auth.start()
    assert auth.ask(ALICE, "word", "192.0.2.77") == "Y"
    assert [auth.ask(ALICE, "x", f"203.0.113.{i}") for i in range(6)] == ["N"] * 4 + ["C"] * 2
    assert auth.ask(ALICE.upper(), "word", "203.0.113.99") == "C"
    assert auth.ask(ALICE, "word", "192.0.2.77") == "Y"
    assert auth.ask(ALICE, "x", "192.0.2.77") == "N"
    # A login that is not there is treated as any other.
    assert [auth.ask("nobody", "x", f"203.0.113.{100 + i}") for i in range(5)] == ["N"] * 4 + ["C"]
    auth.wait_log("by=login")


def test_wrong_answers_are_withheld_and_block_nobody(auth: Auth) -> None:
    auth.passwd(ALICE, "word")
    auth.settings(auth_delay="1s", auth_delay_longest="3s")
    auth.start()
    begun = time.monotonic()
    known, unknown = auth.begin(ALICE, "x", "203.0.113.1"), auth.begin("nobody", "x", "203.0.113.2")
    answer, spent = seconds(lambda: auth.ask(ALICE, "word"))
    assert answer == "Y" and spent < 0.9
    for s in (known, unknown):
        assert s.recv(1) == b"N"
        assert 0.95 <= time.monotonic() - begun < 1.9
        s.close()
    assert seconds(lambda: auth.ask("nobody", "x", "203.0.113.3"))[1] > 1.95
    assert 2.95 < seconds(lambda: auth.ask("nobody", "x", "203.0.113.4"))[1] < 3.9


def test_hanging_up_does_not_undo_a_failure(auth: Auth) -> None:
    foreign(auth, auth_failures_source="2", auth_cache="0s")
    for n in (1, 2):
        pid = auth.root / "out/pid"
        pid.unlink(missing_ok=True)
        with auth.begin(ALICE, "sleep0.3"):
            wait_for(pid.exists, 20, "the back end")
        auth.wait_log("event=auth-wrong", n)
    assert auth.ask(ALICE, "right") == "C"


def test_a_back_end_that_fails_counts_for_nothing(auth: Auth) -> None:
    foreign(auth, auth_failures_source="2", auth_failures_login="2")
    assert [auth.ask(ALICE, "exit111") for _ in range(5)] == ["L"] * 5
    assert auth.ask(ALICE, "right") == "Y"


# ---- real servers ----


def imap(dovecot: Dovecot, certificates: Certificates) -> str:
    return f"seki-auth-imap --ca {certificates.ca} localhost:{dovecot.imaps}"


def test_s2_43_several_domains_by_different_servers(
        auth: Auth, dovecot: Dovecot, postfix: Postfix, certificates: Certificates) -> None:
    """S2-43, S2-39: one domain by the IMAP server, one by the mail server, everybody else by the file."""
    auth.table(f"@example.co.jp {imap(dovecot, certificates)}\n"
               f"@lab.example.co.jp seki-auth-smtp --ca {certificates.ca} localhost:{postfix.implicit}\n")
    auth.passwd("carol", "carol's word")
    auth.passwd(ALICE, "not asked for her")
    auth.start()
    assert auth.ask(ALICE, "alice's word") == "Y"
    assert auth.ask(BOB, "bob's word") == "Y"
    assert auth.ask("carol", "carol's word") == "Y"
    assert auth.ask(ALICE, "bob's word") == "N"
    assert auth.ask(ALICE, "not asked for her") == "N"
    assert auth.ask(BOB, "alice's word") == "N"
    assert auth.ask("carol@example.co.jp", "carol's word") == "N"


@pytest.mark.parametrize("way", ["tls", "starttls"])
def test_imap_dovecot(auth: Auth, dovecot: Dovecot, certificates: Certificates, way: str) -> None:
    words = ["--ca", certificates.ca, *(["--starttls", f"localhost:{dovecot.imap}"] if way == "starttls"
                                        else [f"127.0.0.1:{dovecot.imaps}"])]
    def check(login: str, word: str) -> tuple[int, str]:
        return auth.back_end("seki-auth-imap", *words, login=login, password=word)
    assert check(ALICE, "alice's word") == (RIGHT, "")
    assert check(ALICE, "Alice's word") == (WRONG, "")
    assert check("nobody@example.co.jp", "alice's word") == (WRONG, "")
    assert check(ALICE, "x\r\nc LOGIN a b")[0] == WRONG
    assert auth.back_end("seki-auth-imap", *words, "/bin/sh", "-c", "exit 7", password="alice's word")[0] == 7


@pytest.mark.parametrize("way", ["tls", "starttls", "login"])
def test_smtp_postfix(auth: Auth, postfix: Postfix, certificates: Certificates, way: str) -> None:
    words = {"tls": [f"localhost:{postfix.implicit}"], "starttls": ["--starttls", f"localhost:{postfix.starttls}"],
             "login": ["--starttls", f"localhost:{postfix.login_only}"]}[way]
    def check(login: str, word: str) -> tuple[int, str]:
        return auth.back_end("seki-auth-smtp", "--ca", certificates.ca, *words, login=login, password=word)
    assert check(ALICE, "alice's word") == (RIGHT, "")
    assert check(ALICE, "wrong") == (WRONG, "")
    assert check("nobody", "alice's word") == (WRONG, "")
    code, said = auth.back_end("seki-auth-smtp", "--ca", certificates.ca, f"localhost:{postfix.starttls}",
                               password="alice's word")
    assert code == LATER and "auth-trouble" in said  # no TLS from the first byte there


def test_cache_outlives_the_server(auth: Auth, dovecot: Dovecot, certificates: Certificates) -> None:
    """A password that was right is believed for auth-cache without its server; a wrong one never is."""
    auth.table(f"* {imap(dovecot, certificates)}\n")
    auth.settings(auth_cache="4s")
    auth.start()
    assert auth.ask(ALICE, "alice's word") == "Y"
    dovecot.stop()
    try:
        begun = time.monotonic()
        assert auth.ask(ALICE, "alice's word") == "Y"
        assert auth.ask(ALICE, "alice's wore") == "L"
        assert auth.ask(ALICE, "alice's word") == "Y"
        assert auth.ask(BOB, "bob's word") == "L"
        while auth.ask(ALICE, "alice's word") == "Y":
            assert time.monotonic() - begun < 8
            time.sleep(0.1)
        auth.wait_log("auth-failed")
    finally:
        dovecot.start()
    assert auth.ask(ALICE, "alice's word") == "Y"


def test_a_wrong_password_does_not_touch_the_cache(auth: Auth) -> None:
    foreign(auth)
    given = auth.root / "out/given"
    assert auth.ask(ALICE, "right") == "Y"
    assert auth.ask(ALICE, "wrong") == "N"
    given.unlink()
    assert auth.ask(ALICE, "right") == "Y"
    assert not given.exists()


@pytest.mark.parametrize("crt", ["other", "stranger", "expired"])
@pytest.mark.parametrize("program", ["seki-auth-imap", "seki-auth-smtp"])
def test_no_password_without_a_good_certificate(
        auth: Auth, certificates: Certificates, program: str, crt: str) -> None:
    """N6: another name, an unknown authority, an expired certificate: the server hears nothing of us."""
    greeting = b"* OK [CAPABILITY AUTH=PLAIN] go on\r\n" if "imap" in program else b"220 mail.example ESMTP\r\n"
    server = Listener(certificates.path / f"{crt}.crt", greeting)
    try:
        code, said = auth.back_end(program, "--ca", certificates.ca, f"localhost:{server.port}", password="alice's word")
    finally:
        server.close()
    assert server.connections == 1 and server.heard == b""
    assert code == LATER
    reason = {"other": "hostname+20mismatch", "stranger": "self-signed", "expired": "expired"}[crt]
    assert reason in said and "alice's" not in said


@pytest.mark.parametrize("program", ["seki-auth-imap", "seki-auth-smtp"])
def test_no_password_in_clear(auth: Auth, certificates: Certificates, program: str) -> None:
    """S3: a server (or somebody between) that does not begin TLS hears no password, with or without --starttls."""
    greeting = (b"* OK go\r\na OK go\r\nb OK x\r\n" if "imap" in program
                else b"220 x\r\n250-x\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n220 go\r\n250 AUTH PLAIN\r\n235 in\r\n")
    for words in (["--starttls"], []):
        server = Listener(None, greeting)
        try:
            code, _ = auth.back_end(program, "--ca", certificates.ca, *words, f"localhost:{server.port}",
                                    password="alice's word")
        finally:
            server.close()
        assert code == LATER and server.connections == 1
        assert b"alice" not in server.heard and b"AGFsaWNl" not in server.heard and b"AUTH" not in server.heard


def test_the_systems_authorities_by_default(auth: Auth, dovecot: Dovecot) -> None:
    code, said = auth.back_end("seki-auth-imap", f"localhost:{dovecot.imaps}", password="alice's word")
    assert code == LATER and "certificate" in said


def test_nobody_listens(auth: Auth, certificates: Certificates) -> None:
    server = Listener(None)
    server.close()
    assert auth.back_end("seki-auth-imap", f"localhost:{server.port}", password="x")[0] == LATER
    assert auth.back_end("seki-auth-smtp", "--ca", "/nonexistent", f"localhost:{server.port}", password="x")[0] == LATER


def test_a_server_that_says_nothing(auth: Auth, certificates: Certificates) -> None:
    """Within auth-timeout the session has its answer, and the back end is gone."""
    server = Listener(certificates.path / "good.crt")
    auth.table(f"* seki-auth-imap --ca {certificates.ca} localhost:{server.port}\n")
    auth.settings(auth_timeout="1s")
    auth.start()
    try:
        answer, spent = seconds(lambda: auth.ask(ALICE, "alice's word"))
        assert answer == "L" and 0.9 < spent < 5
    finally:
        server.close()
    assert server.heard == b""
    auth.wait_log("too+20long")


@pytest.mark.parametrize("words", [
    ["seki-auth-imap"], ["seki-auth-imap", "--tls", "h"], ["seki-auth-imap", "h:0"], ["seki-auth-smtp", "h:99999"],
    ["seki-auth-smtp", "--ca"], ["seki-auth-smtp", "[::1"], ["seki-auth-pam"], ["seki-auth-pam", "../x"],
])
def test_wrong_words(auth: Auth, words: list[str]) -> None:
    code, said = auth.back_end(*words, password="x")
    assert code == 2 and "event=usage" in said


@pytest.mark.parametrize("program", [["seki-auth-file"], ["seki-auth-imap", "localhost:1"],
                                     ["seki-auth-smtp", "localhost:1"], ["seki-auth-pam", "other"]])
def test_questions_that_are_none(auth: Auth, program: list[str]) -> None:
    for text in (b"", b"alice", b"alice\0word", b"a" * 5000):
        assert auth.back_end(*program, question=text)[0] == 2
    for text in (b"\0word\0\0", b"alice\0\0\0", b"a\nb\0word\0\0", b"alice\0wo\rrd\0\0"):
        assert auth.back_end(*program, question=text)[0] == WRONG


# ---- PAM ----


@pytest.fixture
def pam_user() -> Iterator[tuple[str, str, str]]:
    """A user of the system with a password, and a service that asks pam_unix: name, password, service."""
    name = f"sekitest{os.getpid()}"
    service = Path("/etc/pam.d") / name
    subprocess.run(["useradd", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", name],
                   check=True, capture_output=True)
    try:
        word = secrets.token_urlsafe(12)
        subprocess.run(["chpasswd"], input=f"{name}:{word}\n", text=True, check=True, capture_output=True)
        service.write_text("auth required pam_unix.so\naccount required pam_unix.so\n")
        yield name, word, name
    finally:
        service.unlink(missing_ok=True)
        subprocess.run(["userdel", name], check=True, capture_output=True)


@root_only
def test_pam_unix(auth: Auth, pam_user: tuple[str, str, str]) -> None:
    """The system's users by a seki-auth that may read their hashes (group shadow) and is not root."""
    name, word, service = pam_user
    sekia = pwd.getpwnam("sekia")
    auth.drop = ["s6-applyuidgid", "-u", str(sekia.pw_uid), "-g", str(sekia.pw_gid), "-G",
                 str(grp.getgrnam("shadow").gr_gid)]
    auth.table(f"* seki-auth-pam {service}\n")
    auth.start()
    assert auth.ask(name, word) == "Y"
    assert auth.ask(name, word + "x") == "N"
    assert auth.ask("no-such-user", word) == "N"
    assert auth.back_end("seki-auth-pam", service, login=name, password="")[0] == WRONG
    assert auth.back_end("seki-auth-pam", service, "/bin/sh", "-c", "exit 7", login=name, password=word)[0] == 7
    subprocess.run(["usermod", "--expiredate", "1", name], check=True, capture_output=True)
    assert auth.back_end("seki-auth-pam", service, login=name, password=word)[0] == WRONG
    assert word not in auth.log()


@root_only
def test_pam_that_cannot_tell_is_for_now(auth: Auth, pam_user: tuple[str, str, str]) -> None:
    """Without that group pam_unix knows nothing: a temporary failure, whatever the password."""
    name, word, service = pam_user
    for text in (word, word + "x"):
        code, said = auth.back_end("seki-auth-pam", service, login=name, password=text)
        assert code == LATER and "auth-trouble" in said and word not in said
