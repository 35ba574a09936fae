"""A small instance in a directory of its own, and one supervisor for its programs."""
import hashlib
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import leg

STATES = ("tmp", "new", "approve", "hold", "encrypt", "stagger", "deliver", "sent", "trash", "refused", "bad")
SPLITS = ("scan", "hold", "encrypt", "deliver")
MOVING = ("tmp", "new", "approve", "hold", "encrypt", "stagger", "deliver")
OWNED = {"seki-queue": ("tmp",), "seki-scan": ("new",), "seki-hold": ("approve", "hold"),
         "seki-encrypt": ("encrypt",), "seki-stagger": ("stagger",), "seki-deliver": ("deliver",)}
PROGRAMS = tuple(OWNED)
ORDERED = ("seki-hold", "seki-encrypt", "seki-stagger", "seki-deliver")
FULL = "approve hold encrypt stagger deliver"
SETTINGS = ("trial yes\nhostname gate.example\nsmtp-listen 127.0.0.1:2525\nroute maildir:outbox\n"
            "ballast 64KB\nretry-first 1s\nretry-longest 1s\naudit no\n")
RELAY = "127.0.0.0/8 any\n"
OWN_DOMAIN = "example.co.jp"
NAP = 0.003
STEP = 6        # seconds that the virtual clock is put forward when nothing happens
STEP_AFTER = 0.06
RESTARTS_MAX = 8


def compiled(build: Path, libraries: Path, rules: str, people: str = "") -> Path:
    """What "seki compile" makes of these rules and people, who are at OWN_DOMAIN; made once for each build."""
    key = f"{(build / 'bin/seki').stat().st_mtime_ns} {rules} {people}"
    made = libraries / f"compiled-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    if not made.exists():
        with tempfile.TemporaryDirectory(prefix="sekisho-crash-", dir=libraries) as folder:
            for place in ("etc/policy/must", "lib/compiled"):
                os.makedirs(f"{folder}/{place}")
            Path(folder, "etc/settings").write_text(SETTINGS)
            Path(folder, "etc/relay").write_text(RELAY)
            if rules:
                Path(folder, "etc/policy/must/50-rules").write_text(rules)
            if people:
                Path(folder, "etc/people").write_text(people)
                Path(folder, "etc/groups").write_text("staff\n")
                Path(folder, "etc/domains").write_text(f"{OWN_DOMAIN} internal\n")
            done = subprocess.run([build / "bin/seki", "compile"], check=False, capture_output=True, text=True,
                                  env={"PATH": "/usr/bin:/bin", "SEKISHO_ROOT": folder})
            if done.returncode:
                raise RuntimeError(f"seki compile: {done.stderr}")
            try:
                os.rename(f"{folder}/lib/compiled", made)
            except OSError:  # another one was first
                if not made.exists():
                    raise
    return made


class Instance:
    def __init__(self, build: Path, libraries: Path, settings: str = ""):
        self.build, self.libraries = build, libraries
        self.root = Path(tempfile.mkdtemp(prefix="sekisho-crash-", dir=os.environ.get("TMPDIR", "/var/tmp")))
        self.programs = PROGRAMS  # those that are kept running
        self.pids: dict = {}
        self.exits: list = []
        self.ahead = 0
        self.may_stay_full = False  # a body in sent/ is kept until its end is known to be durable
        for place in ("etc", "lib/clock", "lib/quota", "lib/loop", "lib/gate", "lib/hold", "lib/audit/log", "lib/audit/trays",
                      "run/gate", "run/queue", "run/own", "run/taken", "run/remote", "run/notice", "run/letter", "run/resolve", "run/audit",
                      "run/seal",
                      *(f"run/order/{p}" for p in ORDERED), "outbox/cur", "outbox/new", "outbox/tmp",
                      *(f"spool/{s}" for s in STATES), *(f"spool/split/{s}" for s in SPLITS)):
            os.makedirs(self.root / place)
        named = {line.split(" ")[0] for line in settings.splitlines()}
        kept = [line for line in SETTINGS.splitlines() if line.split(" ")[0] not in named]
        (self.root / "etc/settings").write_text("\n".join(kept) + "\n" + settings)
        (self.root / "etc/relay").write_text(RELAY)
        self.in_force("")
        for program in PROGRAMS:
            self.root.joinpath("lib/clock", program).write_text(f"seen={leg.stamp(time.time() - 1)} state=running reason=\n")
        self.set_clock(0)

    def remove(self) -> None:
        self.stop_all()
        shutil.rmtree(self.root, ignore_errors=True)

    def in_force(self, rules: str, people: str = "") -> None:
        """These rules judge from the next start on. Programs may tell seki-db of what they do; it is not there."""
        shutil.rmtree(self.root / "lib/compiled", ignore_errors=True)
        shutil.copytree(compiled(self.build, self.libraries, rules, people), self.root / "lib/compiled", symlinks=True)
        for program in ("seki-scan", "seki-deliver"):
            os.makedirs(self.root / "lib/history/trays", exist_ok=True)
            (self.root / "lib/history/trays" / program).touch()

    # ---- files ----

    def put(self, state: str, name: str, data: bytes) -> None:
        """As a stage puts it there: whole, by a rename."""
        made = self.root / "run" / name
        made.write_bytes(data)
        made.rename(self.root / "spool" / state / name)

    def names(self, place: str) -> list:
        return [n for n in os.listdir(self.root / "spool" / place) if n != "ballast"]

    def read(self, state: str, name: str) -> bytes:
        return (self.root / "spool" / state / name).read_bytes()

    def set_clock(self, ahead: int) -> None:
        """The virtual clock of a testing build; other builds know nothing of it."""
        self.ahead = ahead
        (self.root / "run/clock.new").write_text(f"{ahead} {ahead} 1\n")
        (self.root / "run/clock.new").rename(self.root / "run/clock")

    def log(self) -> str:
        return (self.root / "log").read_text(errors="replace") if (self.root / "log").exists() else ""

    # ---- processes ----

    def start(self, program: str, fault: str | None = None, wrong: str = "", testing: bool = True,
              net: bool = False, also: bool = False, ready: int | None = None) -> None:
        """`fault`: "" counts the calls only; None does not even that. `ready`: where it says so, a descriptor."""
        binary = self.build / ("testing/bin" if testing else "bin") / program
        env = {"PATH": "/usr/bin:/bin"}
        preload = [self.libraries / "wrong.so"] if wrong else []
        if fault is not None:
            preload.append(self.libraries / "fault.so")
            env |= {"FAULT": fault, "FAULT_ROOT": str(self.root), "FAULT_LOG": str(self.root / "calls")}
            env |= ({"FAULT_NET": "yes"} if net else {}) | ({"FAULT_ALSO": "yes"} if also else {})
        if preload:
            env |= {"LD_PRELOAD": " ".join(map(str, preload)), "WRONG": wrong}
        os.chdir(self.root)
        actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDWR, 0),
                   (os.POSIX_SPAWN_OPEN, 1, "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                   (os.POSIX_SPAWN_DUP2, 1, 2), (os.POSIX_SPAWN_DUP2, 0 if ready is None else ready, 3)]
        self.pids[program] = os.posix_spawn(binary, [program], env, file_actions=actions)

    def start_ready(self, program: str, **more) -> None:
        """Returns when it is ready, or has ended."""
        said, tell = os.pipe()
        try:
            self.start(program, ready=tell, **more)
            os.close(tell)
            tell = -1
            select.select([said], [], [], 5)
        finally:
            os.close(said)
            if tell >= 0:
                os.close(tell)

    def alive(self, program: str) -> bool:
        pid = self.pids.get(program)
        if pid is None:
            return False
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            del self.pids[program]
            self.exits.append((program, status))
        return not done

    @contextmanager
    def standing_still(self, program: str):
        """Stopped meanwhile, if it is there: what is looked at does not move."""
        pid = self.pids.get(program) if self.alive(program) else None
        if pid is not None:
            os.kill(pid, signal.SIGSTOP)
            _, status = os.waitpid(pid, os.WUNTRACED)
            if not os.WIFSTOPPED(status):  # it was about to end
                self.exits.append((program, status))
                del self.pids[program]
                pid = None
        try:
            yield
        finally:
            if pid is not None:
                os.kill(pid, signal.SIGCONT)

    def stop(self, program: str, how: int = signal.SIGKILL) -> None:
        pid = self.pids.pop(program, None)
        if pid is not None:
            os.kill(pid, how)
            os.waitpid(pid, 0)

    def stop_all(self) -> None:
        for program in list(self.pids):
            self.stop(program)

    def calls(self, word: str = "call") -> list:
        """(call, path) of the program that was run with a fault or a count: "write.2" and its file."""
        path = self.root / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [tuple(line.split(" ", 2)[1:]) for line in lines if line.startswith(word + " ")]

    # ---- rest ----

    def splits_empty(self) -> bool:
        return not any(self.names(f"split/{s}") for s in SPLITS)

    def emptied(self) -> bool:
        """Whether every body in sent/ has been given back."""
        if self.may_stay_full:
            return True
        try:
            return all(b" emptied from=" in self.read("sent", name)[-4096:] for name in self.names("sent"))
        except FileNotFoundError:
            return False  # it was taken out while we looked

    def at_rest(self) -> bool:
        # Forwards and backwards: nothing that moves while we look is missed.
        both_ways = (*MOVING, *reversed(MOVING))
        return self.splits_empty() and not any(self.names(s) for s in both_ways) and self.splits_empty() and self.emptied()

    def supervise(self, until, seconds: float, wrong: dict | None = None, testing: bool = True, steps: bool = True, nap: float = NAP) -> bool:
        """Runs every program, starting again what ends, until `until()`. False: not in time."""
        deadline = time.monotonic() + seconds
        moved = time.monotonic()
        self.exits = []
        while time.monotonic() < deadline and len(self.exits) < RESTARTS_MAX:
            for program in self.programs:
                if not self.alive(program):
                    self.start(program, wrong=(wrong or {}).get(program, ""), testing=testing)
            if until():
                return True
            if steps and testing and time.monotonic() - moved > STEP_AFTER:
                self.set_clock(self.ahead + STEP)
                moved = time.monotonic()
            time.sleep(nap)
        return False


# ---- the door ----------------------------------------------------------------------------------


class Door:
    """A session's side of queue/intake.h."""

    def __init__(self, inst: Instance, seconds: float = 5):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(seconds)
        deadline = time.monotonic() + seconds
        while True:
            try:
                os.chdir(inst.root)
                self.socket.connect("run/queue/socket")
                return
            except OSError:
                if not inst.alive("seki-queue") or time.monotonic() > deadline:
                    raise
                time.sleep(NAP)

    def send(self, rcpts: list, content: bytes) -> str:
        """The letter that ended it; "" if the connection was lost."""
        envelope = "from alice@example.co.jp\n" + "".join(f"to {r}\n" for r in rcpts)
        envelope += "client 127.0.0.1 helo=crash proto=esmtp\n"
        try:
            self.socket.sendall(b"E" + struct.pack(">I", len(envelope)) + envelope.encode())
            letter = self.socket.recv(1)
            if letter != b"G":
                return letter.decode()
            self.socket.recv(32, socket.MSG_WAITALL)
            for at in range(0, len(content), 65536):
                piece = content[at:at + 65536]
                self.socket.sendall(b"D" + struct.pack(">I", len(piece)) + piece)
            self.socket.sendall(b".")
            return self.socket.recv(1).decode()
        except OSError:
            return ""


def order(inst: Instance, program: str, line: str, seconds: float = 5) -> str:
    """What the program answers to an operator's order; "" if it did not."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(seconds)
                os.chdir(inst.root)
                s.connect(f"run/order/{program}/socket")
                s.sendall(line.encode() + b"\n")
                return s.recv(1024).decode().rstrip("\n")
        except (FileNotFoundError, ConnectionRefusedError):
            if not inst.alive(program) or time.monotonic() > deadline:
                return ""
            time.sleep(NAP)
        except OSError:
            return ""
