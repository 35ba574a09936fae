"""A small instance of the gateway: its programs, started directly, and clients of seki-queue."""
import base64
import itertools
import os
import random
import re
import select
import signal
import socket
import struct
import subprocess
import threading
import time

STATES = ("tmp", "new", "approve", "hold", "encrypt", "stagger", "deliver", "sent", "trash",
          "refused", "bad")
STAGES = ("scan", "hold", "encrypt", "deliver")  # those that may divide
ALL = ("seki-queue", "seki-scan", "seki-hold", "seki-encrypt", "seki-stagger", "seki-deliver")
TALKING = ("seki-remote", *ALL)
HELD = ("seki-audit", *ALL)
SEALED = ("seki-audit", "seki-seal", *ALL)
BOSS = "bob@example.co.jp"
SETTINGS = """trial yes
hostname gate.example
smtp-listen 127.0.0.1:2525
ballast 1MB
space-bytes 1MB
space-files 100
quota-source-hour 0
quota-source-day 0
audit no
"""
PATIENCE = 15  # a stage looks again at what failed after 5 s; its next sweep comes after 5 min
SIZES = (300, 900, 2500, 3700, 4100, 9000, 30000, 200000)


def lay_out(root, settings, route):
    """Everything that an instance has before its first program starts."""
    folders = ["spool/" + s for s in STATES] + ["spool/split/" + s for s in STAGES]
    for folder in folders + ["etc", "lib/clock", "lib/quota", "lib/loop", "lib/gate", "lib/hold", "lib/audit/log",
                             "lib/audit/trays", "run/queue", "run/own", "run/taken", "run/gate", "run/seal", "run/audit",
                             "run/remote", "run/notice", "run/letter", "run/resolve", "others",
                             *("run/order/seki-" + p for p in ("hold", "encrypt", "stagger", "deliver")),
                             "outbox/tmp", "outbox/new", "outbox/cur"]:
        (root / folder).mkdir(parents=True)
    named = {line.split(" ")[0] for line in settings.splitlines()}
    kept = "".join(line + "\n" for line in SETTINGS.splitlines() if line.split(" ")[0] not in named)
    (root / "etc/settings").write_text("%sroute %s\n%s" % (kept, route, settings))
    for name in ("run/audit/state", "lib/audit/accepted", *("lib/audit/trays/" + p for p in ("seki", *ALL))):
        (root / name).touch()
    (root / "etc/relay").write_text("127.0.0.0/8 any\n")


def put_in_force(root, build, rules):
    """The rules, or none, compiled as "seki compile" does. Where there are some the clock was seen lately, too:
    else no hold ends."""
    for folder in ("etc/policy/must", "lib/compiled", "lib/history/trays"):
        (root / folder).mkdir(parents=True)
    for program in ("seki-scan", "seki-deliver"):
        (root / "lib/history/trays" / program).touch()
    if rules:
        (root / "etc/policy/must/50-rules").write_text(rules)
        (root / "etc/people").write_text("alice@example.co.jp boss=%s\n%s\n" % (BOSS, BOSS))
        (root / "etc/domains").write_text("example.co.jp internal\n")
        seen = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() - 1))
        for program in ALL:
            (root / "lib/clock" / program).write_text("seen=%s state=running reason=\n" % seen)
    subprocess.run([build / "bin/seki", "compile"], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   env={"PATH": "/usr/bin:/bin", "SEKISHO_ROOT": str(root)})


# ---- programs ----------------------------------------------------------------------------------


class Program:
    """One daemon. Its log is read to the end: what nobody reads, seki-queue takes no mail over."""

    def __init__(self, path, root, hear=None, preload=None):
        self.name = path.name
        self.lines = []
        env = dict(os.environ, PATH="/usr/bin:/bin", **(preload or {}))
        self.ready, tell = os.pipe()
        self.process = subprocess.Popen(
            [str(path)], cwd=str(root), env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            pass_fds=(3,), preexec_fn=lambda: os.dup2(tell, 3), text=True, errors="replace")
        os.close(tell)
        self.reader = threading.Thread(target=self.read, args=(hear,), daemon=True)
        self.reader.start()

    def read(self, hear):
        for line in self.process.stderr:
            self.lines.append(line.rstrip())
            if hear is not None:
                hear(dict(word.split("=", 1) for word in line.split() if "=" in word))

    def await_ready(self):
        readable, _, _ = select.select([self.ready], [], [], PATIENCE)
        said = os.read(self.ready, 1) if readable else b""
        os.close(self.ready)
        return said == b"\n"

    def stop(self):
        """None if it ended as it should when asked to, else what it did instead."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.reader.join(timeout=PATIENCE)
        last = self.lines[-1] if self.lines else ""
        return None if status == 0 else "%s ended with %d: %s" % (self.name, status, last)


class Gate:
    """Some programs of an instance, running as long as the block lasts."""

    def __init__(self, build, root, names, hear=None, wrong=None):
        self.build, self.root, self.names, self.hear = build, root, names, hear
        self.wrong = wrong or {}  # program -> environment
        self.programs, self.faults = [], []

    def __enter__(self):
        for name in self.names:
            self.programs.append(Program(self.build / "bin" / name, self.root, self.hear,
                                         self.wrong.get(name)))
        for program in self.programs:
            if not program.await_ready():
                self.faults.append("%s does not become ready" % program.name)
        return self

    def __exit__(self, *_):
        # Who asks others ends before them: a session lasts as long as its employer.
        self.faults += filter(None, [p.stop() for p in reversed(self.programs)])

    def story(self, text):
        """What the programs said about those whose id `text` names by its end, and their alarms."""
        return [p.name + ": " + line for p in self.programs for line in p.lines
                if " alarm=yes" in line or any(end in text for end in re.findall(r"([0-9a-f]{6})\.", line))]

    def rests(self, under_way):
        """Waits until nothing is under way any more. Returns what still is, in vain."""
        until, quiet, left = time.monotonic() + PATIENCE, 0, []
        # Legs move on while one looks, back as well: once is not enough.
        while quiet < 3 and time.monotonic() < until and not self.faults:
            left = under_way(self.root)
            quiet = 0 if left else quiet + 1
            time.sleep(0.01)
        return left


# ---- clients -----------------------------------------------------------------------------------


class Client:
    """Speaks what queue/intake.h says."""

    def __init__(self, root):
        # A path below the root may be too long for an address of a socket.
        self.place = os.open(root / "run/queue", os.O_RDONLY | os.O_DIRECTORY)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect("/proc/self/fd/%d/socket" % self.place)

    def close(self):
        self.socket.close()
        os.close(self.place)

    def expect(self, letter, length):
        got = b""
        while len(got) < length:
            more = self.socket.recv(length - len(got))
            got += more
            if not more or got[:1] != letter:
                raise OSError("seki-queue said %r, not %r" % (got, letter))
        return got[1:].decode()

    def send(self, recipients, content):
        """Returns the id when the queue has said that the message is kept."""
        lines = ["from alice@example.co.jp"] + ["to " + r for r in recipients]
        lines.append("client 192.0.2.10 helo=pc1 proto=esmtp port=50412")
        envelope = ("\n".join(lines) + "\n").encode()
        self.socket.sendall(b"E" + struct.pack(">I", len(envelope)) + envelope)
        ident = self.expect(b"G", 33)
        for at in range(0, len(content), 65536):
            chunk = content[at:at + 65536]
            self.socket.sendall(b"D" + struct.pack(">I", len(chunk)) + chunk)
        self.socket.sendall(b".")
        self.expect(b"K", 1)
        return ident


def message(rnd, number, recipients):
    """A mail of a size at random, unlike every other."""
    head = b"From: alice@example.co.jp\r\nTo: %s\r\nSubject: %d\r\n\r\n" % (", ".join(recipients).encode(), number)
    size = int(rnd.choice(SIZES) * rnd.uniform(0.8, 1.1))
    text = base64.b64encode(rnd.randbytes(size * 3 // 4))
    return head + b"\r\n".join(text[i:i + 76] for i in range(0, len(text), 76)) + b"\r\n"


class Others(threading.Thread):
    """Syncs of other files, and write-back of legs, at moments at random.

    The first makes the journal commit what is half done; the second is what the kernel does
    after a while: a leg's bytes reach the disk before, or without, its new name.
    """

    def __init__(self, root, seed):
        super().__init__(daemon=True)
        self.root, self.rnd, self.ended = root, random.Random(seed), threading.Event()

    def run(self):
        while not self.ended.wait(self.rnd.uniform(0, 0.02)):
            if self.rnd.random() < 0.5:
                self.sync_another()
            else:
                self.write_back()

    def sync_another(self):
        path = self.root / "others" / str(self.rnd.randrange(5))
        with open(path, "ab", buffering=0) as f:
            f.write(b"x" * 100)
            os.fsync(f.fileno())

    def write_back(self):
        state = self.rnd.choice(STATES)
        for name in os.listdir(self.root / "spool" / state)[:5]:
            try:
                fd = os.open(self.root / "spool" / state / name, os.O_RDONLY)
            except OSError:  # it has just moved on
                continue
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)

    def end(self):
        self.ended.set()
        self.join()


class Orders(threading.Thread):
    """An operator, who orders something about each leg that waits, as soon as he sees it, and notes what was answered
    "done". `words` are his orders about the legs of a state, one after the other; each leg takes the next of them."""

    def __init__(self, root, words, promise):
        super().__init__(daemon=True)
        self.root, self.promise, self.ended = root, promise, threading.Event()
        self.words = {state: itertools.cycle(each) for state, each in words.items()}
        self.left, self.faults = {}, []  # leg -> what is still to be ordered about it
        self.place = os.open(root / "run/order/seki-hold", os.O_RDONLY | os.O_DIRECTORY)

    def order(self, line):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE)
            s.connect("/proc/self/fd/%d/socket" % self.place)
            s.sendall(line.encode() + b"\n")
            return s.recv(1024).decode().split()[0]

    def look(self):
        for state in ("hold", "approve", "trash"):
            for name in os.listdir(self.root / "spool" / state):
                leg = name if state == "trash" else name.partition(".")[2]
                if leg not in self.left:
                    self.left[leg] = list(next(self.words[state]))
                if self.left[leg]:
                    self.act(state, name, leg)

    def act(self, state, name, leg):
        """A leg that has just moved on, or is in a hand, is seen again."""
        word, _, more = self.left[leg][0].partition(" ")
        if (word == "restore") != (state == "trash"):
            return
        answer = self.order("%s %s %s by=x via=shell%s" % (word, state, name, more and " " + more))
        if answer == "done":
            self.promise("ordered %s %s" % (leg, word))
            self.left[leg].pop(0)

    def run(self):
        try:
            while not self.ended.wait(0.003):
                self.look()
        except OSError as error:
            self.faults.append("orders: %s" % error)

    def end(self, legs):
        """When everything has been ordered about so many legs."""
        until = time.monotonic() + PATIENCE
        while (len(self.left) < legs or any(self.left.values())) and time.monotonic() < until and self.is_alive():
            time.sleep(0.01)
        self.ended.set()
        self.join()
        os.close(self.place)
        return self.faults + ["%s: not ordered: %s" % each for each in self.left.items() if each[1]]
