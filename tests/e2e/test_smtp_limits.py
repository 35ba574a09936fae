"""S12, Q6 and who may relay: numbers, strangers, processes, signals."""
import os
import signal
import socket
import subprocess
import time

import pytest

from test_smtp_talk import MAIL, RCPT, RELAY, Talk, eventually, processes, server_pid


@pytest.fixture
def own(fresh_gateway):
    return fresh_gateway(settings={}, relay=RELAY)


@pytest.mark.parametrize("method", [b"GET / HTTP/1.1", b"POST /x HTTP/1.0", b"HEAD / HTTP/1.1",
                                    b"PUT / HTTP/1.1", b"CONNECT a:25 HTTP/1.1"])
def test_S12_http(gateway, method):
    with Talk(gateway, helo=None) as talk:
        reply = talk.say(method + b"\r\nHost: x\r\n\r\n" + b"EHLO x\r\n" + MAIL)
        assert reply[:3] in (b"421", b"554")
        assert talk.closed()


def test_S12_recipients(gateway):
    """The 1,001st gets 452, which is no error to count; the first 1,000 get the message."""
    with Talk(gateway) as talk:
        talk.send(MAIL + b"".join(b"RCPT TO:<r%d@partner.example>\r\n" % n for n in range(1030)))
        assert talk.reply().startswith(b"250")
        codes = [talk.reply()[:9] for _ in range(1030)]
        assert codes == [b"250 2.1.5"] * 1000 + [b"452 4.5.3"] * 30
        assert talk.say(b"DATA\r\n").startswith(b"354")
        assert talk.say(b"Subject: many\r\n\r\n.\r\n").startswith(b"250")


def test_S12_loop(gateway):
    with Talk(gateway) as talk:
        talk.to_data()
        hops = b"".join(b"Received: from h%d\r\n\tby x\r\n" % n for n in range(31))
        assert talk.say(hops + b"\r\n.\r\n").startswith(b"554 5.4.6")
        assert talk.mail(b"fine").startswith(b"250")


def test_S12_sessions(fresh_gateway):
    """Beyond the bounds 421 at once, and room again when somebody leaves."""
    gw = fresh_gateway(settings={"smtp-sessions": 6, "smtp-sessions-source": 4}, relay=RELAY)
    talks = [Talk(gw) for _ in range(4)]
    with Talk(gw, greet=False) as talk:
        assert talk.reply().startswith(b"421 4.7.0")
        assert talk.closed()
    talks += [Talk(gw, source="127.0.0.2") for _ in range(2)]
    with Talk(gw, source="127.0.0.3", greet=False) as talk:
        assert talk.reply().startswith(b"421 4.7.0")
    for talk in talks:
        assert talk.say(b"NOOP\r\n").startswith(b"250")
    talks.pop().sock.close()

    def room():
        with Talk(gw, source="127.0.0.3", greet=False) as again:
            return again.reply().startswith(b"220")
    assert eventually(room)
    for talk in talks:
        talk.sock.close()


def test_S12_idle_processes_make_room(fresh_gateway):
    """A process kept for one source never keeps another source out."""
    gw = fresh_gateway(settings={"smtp-sessions": 2, "smtp-sessions-source": 2}, relay=RELAY)
    for last in range(1, 6):
        with Talk(gw, source=f"127.0.0.{last}") as talk:
            assert talk.say(b"QUIT\r\n").startswith(b"221")
            assert talk.closed()


def test_errors_are_counted(fresh_gateway):
    gw = fresh_gateway(settings={"smtp-errors": 3}, relay=RELAY)
    with Talk(gw) as talk:
        assert talk.say(b"XYZ\r\n").startswith(b"500")
        assert talk.say(b"NOOP\r\n").startswith(b"250")
        assert talk.say(RCPT).startswith(b"503")
        assert talk.say(b"XYZ\r\n").startswith(b"500")
        assert talk.reply().startswith(b"421 4.7.0")
        assert talk.closed()


def test_relay_sources_and_their_domains(fresh_gateway):
    gw = fresh_gateway(settings={}, relay="127.0.0.1 @example.co.jp @.example.co.jp\n")
    with Talk(gw) as talk:
        for sender, code in ((b"a@example.co.jp", b"250"), (b"a@x.EXAMPLE.co.jp", b"250"),
                             (b"", b"250"), (b"a@elsewhere.example", b"550 5.7.1"),
                             (b"a@badexample.co.jp", b"550 5.7.1"), (b"a@[127.0.0.1]", b"550")):
            assert talk.say(b"MAIL FROM:<" + sender + b">\r\n").startswith(code), sender
            assert talk.say(b"RSET\r\n").startswith(b"250")
    with Talk(gw, source="127.0.0.2") as talk:
        assert talk.say(MAIL).startswith(b"550 5.7.1")
        assert talk.say(RCPT).startswith(b"503")
        assert talk.say(b"DATA\r\n").startswith(b"503")


def test_a_process_serves_the_same_source_again(own):
    """One after another from one address: the same process. Never for another address."""
    pids = []
    for n in range(5):
        with Talk(own) as talk:
            pids.append(server_pid(own, talk))
            assert talk.mail(b"reuse-%d" % n).startswith(b"250")
            talk.say(b"QUIT\r\n")
        time.sleep(0.1)
    assert len(set(pids)) == 1
    with Talk(own, source="127.0.0.2") as talk:
        assert server_pid(own, talk) not in pids
    own.wait_delivered(lambda mail: b"Subject: reuse-" in mail, 5)


def test_a_stranger_gets_a_process_of_its_own(fresh_gateway):
    gw = fresh_gateway(settings={}, relay="127.0.0.1 any\n")
    pids = []
    for _ in range(3):
        with Talk(gw, source="127.0.0.2") as talk:
            pids.append(server_pid(gw, talk))
        time.sleep(0.1)
    assert len(set(pids)) == 3


def test_reuse_is_bounded(fresh_gateway):
    gw = fresh_gateway(settings={"smtp-reuse": 2}, relay=RELAY)
    pids = []
    for _ in range(6):
        with Talk(gw) as talk:
            pids.append(server_pid(gw, talk))
            talk.say(b"QUIT\r\n")
        time.sleep(0.1)
    assert max(pids.count(pid) for pid in pids) == 2


def test_no_connection_is_lost_between_sessions(own):
    """Many short sessions of several sources at once: each gets its banner and its answer."""
    for n in range(300):
        with Talk(own, source=f"127.0.0.{n % 3 + 1}") as talk:
            assert talk.say(b"QUIT\r\n").startswith(b"221")


def test_nothing_of_a_session_is_left_for_the_next(own):
    with Talk(own) as talk:
        first = server_pid(own, talk)
        talk.send(MAIL + RCPT + b"NOOP half a li")
        for _ in range(2):
            talk.reply()
    time.sleep(0.1)
    with Talk(own, helo=None) as talk:
        assert server_pid(own, talk) == first
        assert talk.say(RCPT).startswith(b"503")
        assert talk.say(MAIL).startswith(b"503")


def test_confined(gateway):
    """No descriptor but the connection, the parent's socket and the queue's; no new privileges."""
    with Talk(gateway) as talk:
        pid = server_pid(gateway, talk)
        fds = {int(fd): os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        beyond = [link for fd, link in fds.items() if fd > 2]
        assert len(beyond) in (2, 3) and all(link.startswith("socket:") for link in beyond)
        status = open(f"/proc/{pid}/status").read()
        assert "NoNewPrivs:\t1" in status
        limits = open(f"/proc/{pid}/limits").read()
        assert "Max core file size        0" in limits
        assert "Max processes             0" in limits
        assert talk.mail(b"confined").startswith(b"250"), "the queue's socket can be reached"
        if "asan" in open(f"/proc/{pid}/maps").read():
            return
        private = 0
        for line in open(f"/proc/{pid}/smaps_rollup"):
            if line.startswith("Private_"):
                private += int(line.split()[1])
        assert private < 300


def test_hangup_reloads(own):
    """P: a good configuration is taken, a bad one refused with its place; the old one stays."""
    parent, _ = processes(own)
    relay = own.root / "etc" / "relay"
    answer = own.root / "run" / "taken" / "seki-smtpd"
    answer.parent.mkdir(exist_ok=True)
    answer.touch()
    (own.root / "run" / "reload").write_text("nonce1\n")
    relay.write_text("127.0.0.1/8 any\n")
    os.kill(parent, signal.SIGHUP)
    assert eventually(lambda: answer.read_text().startswith("refused nonce1 ") and answer.read_text().endswith("\n"))
    assert "relay:1:1:" in answer.read_text()
    with Talk(own) as talk:
        assert talk.say(MAIL).startswith(b"250")

    (own.root / "run" / "reload").write_text("nonce2\n")
    relay.write_text("127.0.0.2 any\n")
    os.kill(parent, signal.SIGHUP)
    assert eventually(lambda: answer.read_text() == "taken nonce2\n")
    with Talk(own) as talk:
        assert talk.say(MAIL).startswith(b"550 5.7.1")


def test_term_lets_transactions_finish(own):
    parent, _ = processes(own)
    with Talk(own) as idle, Talk(own) as busy:
        busy.to_data()
        os.kill(parent, signal.SIGTERM)
        assert idle.reply().startswith(b"421 4.3.2")
        assert idle.closed()
        assert busy.say(b"Subject: finished\r\n\r\n.\r\n").startswith(b"250 2.0.0 kept")
        assert busy.reply().startswith(b"421 4.3.2")
    own.wait_delivered(lambda mail: b"Subject: finished" in mail)


def set_descriptors(pid, soft, hard):
    """As the process's own user, who may do this also where root is not let."""
    status = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status"))
    uid, gid = (int(status[key].split()[0]) for key in ("Uid", "Gid"))
    as_user = {"user": uid, "group": gid} if uid != os.geteuid() else {}
    done = subprocess.run(["prlimit", "--pid", str(pid), f"--nofile={soft}:{hard}"], check=False,
                          capture_output=True, text=True, timeout=30, **as_user)
    if done.returncode != 0:
        pytest.skip(f"limits of {pid} cannot be set: {done.stderr}")


def test_Q6_no_descriptors(own):
    """EMFILE at accept: it waits, does not spin, and goes on when there are descriptors again."""
    parent, _ = processes(own)
    set_descriptors(parent, 3, 500)
    with socket.create_connection(("127.0.0.1", own.port), 10) as waiting:
        time.sleep(0.5)
        before = cpu_ticks(parent)
        time.sleep(1.5)
        assert cpu_ticks(parent) - before <= 5
        set_descriptors(parent, 400, 500)
        assert waiting.recv(100).startswith(b"220")


def test_Q6_no_descriptor_for_a_process(own):
    """A connection can be accepted, but no process be given to it: 421."""
    parent, _ = processes(own)
    time.sleep(6)  # until no idle process is kept
    free = next(fd for fd in range(3, 1000) if not os.path.lexists(f"/proc/{parent}/fd/{fd}"))
    set_descriptors(parent, free + 1, 500)
    with Talk(own, greet=False) as talk:
        assert talk.reply().startswith(b"421 4.7.0")
    set_descriptors(parent, 400, 500)
    with Talk(own) as talk:
        assert talk.say(b"NOOP\r\n").startswith(b"250")


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return int(words[11]) + int(words[12])
