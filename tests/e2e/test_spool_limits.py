"""Q6, P: out of descriptors and processes, and a log that nobody reads."""
import os
import signal
import subprocess

import pytest

from conftest import wait_for
from test_spool_kit import mail, reply_code

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="another user's limits need root")


@pytest.fixture(scope="module")
def gw():
    from conftest import prepare
    made = prepare({"smtp-timeout": "4s"})  # so long a session waits for the queue, too
    try:
        yield made.start()
    finally:
        made.stop()


def cpu(pid: int) -> float:
    """Seconds of processor time so far."""
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def prlimit(pid: int, *options: str) -> str:
    """As the user of the process: root need not have the right to do it."""
    done = subprocess.run(["prlimit", "--pid", str(pid), *options], user="sekiq", group="seki-in", extra_groups=[],
                          capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def refused_for_now(gw, limit: str, tag: str, low: int = 3) -> None:
    """With so low a limit: 4xx, no death, no spinning; and back to work afterwards."""
    pid = gw.pid("seki-queue")
    before = prlimit(pid, f"--{limit}", "--noheadings", "--raw", "--output=SOFT")
    prlimit(pid, f"--{limit}={low}:")
    begun = cpu(pid)
    try:
        code = reply_code(gw, tag, timeout=120)
    finally:
        prlimit(pid, f"--{limit}={before}:")
    assert 400 <= code < 500
    assert cpu(pid) - begun < 1
    assert gw.pid("seki-queue") == pid
    wait_for(lambda: reply_code(gw, tag + "-after") == 250, why="new mail")
    assert gw.pid("seki-queue") == pid
    gw.wait_delivered(lambda m: tag.encode() + b"-after" in m)


def end_sessions(gw) -> None:
    """Sessions keep their connection to the queue for the next client: away with them."""
    restart_smtpd = gw.pid("seki-smtpd")
    gw.svc("-t", "seki-smtpd")
    wait_for(lambda: gw.pid("seki-smtpd") not in (restart_smtpd, -1), why="seki-smtpd")
    gw.wait_ready("seki-smtpd")


def test_Q6_no_descriptors_for_clients(gw):
    end_sessions(gw)
    refused_for_now(gw, "nofile", "EMFILE-accept")


def test_Q6_no_descriptor_for_the_message(gw):
    """The client is there already; what fails is tmp/ID.1."""
    assert reply_code(gw, "warm") == 250
    refused_for_now(gw, "nofile", "EMFILE-open")


def test_Q6_no_threads(gw):
    """No thread for a client (EAGAIN of the process limit)."""
    end_sessions(gw)
    refused_for_now(gw, "nproc", "EAGAIN-thread", low=1)


# ---- the log -----------------------------------------------------------------------------------


def logger_pid(gw) -> int:
    return int(gw.state("seki-queue/log", "pid"))


def fill_the_pipe(gw) -> None:
    """As if the program had said a great deal that nobody reads."""
    fd = os.open(f"/proc/{gw.pid('seki-queue')}/fd/2", os.O_WRONLY | os.O_NONBLOCK)
    try:
        for size in (4096, 1):
            try:
                while True:
                    os.write(fd, b"\n" * size)
            except BlockingIOError:
                pass
    finally:
        os.close(fd)


def test_P_log_that_nobody_reads(gw):
    """While the log cannot be written nothing can be proved about new mail: 451 until it can."""
    pid = logger_pid(gw)
    os.kill(pid, signal.SIGSTOP)
    try:
        fill_the_pipe(gw)
        assert reply_code(gw, "unlogged") == 451
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: reply_code(gw, "logged-again") == 250, why="new mail")
    gw.wait_delivered(lambda m: b"logged-again" in m)
    assert not any(b"Subject: unlogged" in m for m in gw.delivered())


def test_P_logger_killed(gw):
    """It comes back, and no line is lost in between: the supervisor holds the pipe."""
    before = logger_pid(gw)
    os.kill(before, signal.SIGKILL)
    assert reply_code(gw, "killed-logger") == 250
    wait_for(lambda: logger_pid(gw) not in (before, -1), why="the logger")
    got = gw.wait_delivered(lambda m: b"killed-logger" in m)[0]
    leg_id = got.split(b" id ")[1].split()[0].rstrip(b";").decode()
    gw.wait_log("seki-queue", f"event=accepted id={leg_id}")


def test_P_log_lines_cannot_be_forged(gw):
    """What a stranger writes reaches the log escaped."""
    gw.send(mail("forged"), to=['"a b=c event=x"@partner.example'])
    gw.wait_delivered(lambda m: b"Subject: forged" in m)
    for service in ("seki-smtpd", "seki-queue", "seki-scan", "seki-deliver"):
        assert " event=x" not in gw.log(service)
    assert subprocess.run(["kill", "-0", str(gw.pid("seki-queue"))], check=False).returncode == 0
