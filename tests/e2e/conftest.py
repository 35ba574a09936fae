"""Real instances of the gateway for the tests: started by services/instance, spoken to by SMTP and
by its shell tool, stopped and removed at the end. What a test needs to know about one is Gateway."""
import os
import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent.parent
INSTANCE = REPO / "services" / "instance"
SERVICES = [
    "seki-auth", "seki-login", "seki-smtpd", "seki-queue", "seki-scan", "seki-hold", "seki-encrypt", "seki-stagger", "seki-deliver",
    "seki-audit", "seki-resolve", "seki-remote", "seki-notice", "seki-convert", "seki-seal", "seki-inspect", "seki-view", "seki-db", "seki-rules",
    "seki-web", "seki-front",
]
RELAY = "127.0.0.0/8 @example.co.jp quota=none\n"  # what "make up" writes
STEP = 0.03  # between two looks at a file that somebody else writes
LOG_LINES = 25

_up: "list[Gateway]" = []  # for the report of a test that failed
_ports: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on, and that no other instance of this run was given."""
    while True:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        if port not in _ports:
            _ports.add(port)
            return port


def wait_for(what: Callable[[], object], seconds: float = 30, why: str = "") -> object:
    """Looks until `what` gives something true, and returns that; fails after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        seen = what()
        if seen:
            return seen
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds} seconds: {why or what}")
        time.sleep(STEP)


def clean_env(**more: str) -> dict[str, str]:
    """The caller's environment without what an outer make would say to an inner one."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k not in (
        "MFLAGS", "RUN", "SMTP_PORT", "SUBMISSION_PORT", "WEB_PORT", "ROUTE", "PRESET", "BUILD", "SAMPLE")}
    env.update(more)
    return env


_built: set[str] = set()


def build_once(build: str) -> None:
    """Builds a variant at its first use; then no instance of this run has to ask make again."""
    if build in _built:
        return
    words = (["TESTING=1"] if "testing" in build else []) + (["SANITIZE=1"] if "sanitize" in build else [])
    (REPO / "build").mkdir(exist_ok=True)
    done = subprocess.run(["flock", "build/.lock", "make", "-s", "-j2", "all", *words], cwd=REPO, env=clean_env(),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    _built.add(build)


_kill = os.kill


def _kill_one(number: int, signal_number: int) -> None:
    """s6 says -1 of a service that is down, which would be every process of the machine."""
    assert number > 1, f"{number} is no process of a test"
    _kill(number, signal_number)


os.kill = _kill_one


class Gateway:
    """One instance. `root` is its directory, `port` its SMTP port on 127.0.0.1, `submission_port` where users
    hand in mail (0: nowhere); what they are shown is `certificate`."""

    def __init__(self, root: Path, port: int, build: str = "build", sample: bool = True,
                 submission: bool = True, web: bool = False) -> None:
        self.root = root
        self.port = port
        self.submission_port = free_port() if submission else 0
        self.web_port = free_port() if web else 0  # 0: no pages are served
        self.web_url = f"http://127.0.0.1:{self.web_port}" if web else ""
        self.certificate = root / "etc/tls/default.crt"
        self.build = build
        self.sample = sample
        self.before: set[str] = set()

    # ---- starting and stopping ----

    def instance(self, action: str, timeout: float = 300, **more: str) -> subprocess.CompletedProcess:
        """services/instance, as make calls it."""
        build_once(self.build)
        env = clean_env(RUN=str(self.root), SMTP_PORT=str(self.port), PRESET="none", BUILD=self.build,
                        SAMPLE="yes" if self.sample else "no", MAKE="true")
        if self.submission_port:
            env["SUBMISSION_PORT"] = str(self.submission_port)
        if self.web_port:
            env["WEB_PORT"] = str(self.web_port)
        env.update(more)
        return subprocess.run([str(INSTANCE), action], cwd=REPO, env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout)

    def start(self) -> "Gateway":
        done = self.instance("up")
        assert done.returncode == 0, f"up failed:\n{done.stdout}{done.stderr}"
        self.before = set(self._delivered_files())
        if self not in _up:
            _up.append(self)
        return self

    def down(self) -> None:
        done = self.instance("down", timeout=120)
        assert done.returncode == 0, f"down failed:\n{done.stdout}{done.stderr}"

    def stop(self) -> None:
        """Down, and away with it."""
        if self in _up:
            _up.remove(self)
        try:
            self.down()
        finally:
            shutil.rmtree(self.root, ignore_errors=True)

    # ---- the shell tool ----

    def seki(self, *args: str, stdin: str | None = None, timeout: float = 60) -> subprocess.CompletedProcess:
        return subprocess.run([str(self.root / "bin/seki"), *args], env=clean_env(SEKISHO_ROOT=str(self.root)),
                              input=stdin if stdin is not None else "", capture_output=True, text=True,
                              timeout=timeout)

    # ---- SMTP ----

    def connect(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.port, timeout=60)

    def send(self, raw: bytes | str, sender: str = "alice@example.co.jp",
             to: tuple[str, ...] | list[str] | str = ("bob@partner.example",), mail_options: tuple[str, ...] = (),
             rcpt_options: tuple[str, ...] = ()) -> dict:
        recipients = [to] if isinstance(to, str) else list(to)
        with self.connect() as smtp:
            return smtp.sendmail(sender, recipients, raw, list(mail_options), list(rcpt_options))

    # ---- what came out ----

    def _delivered_files(self) -> list[str]:
        box = self.root / "outbox"
        return [str(p) for folder in ("new", "cur") for p in (box / folder).iterdir()]

    def delivered(self) -> list[bytes]:
        """What has been delivered since the start, the sample message left out, oldest first."""
        found = []
        for name in set(self._delivered_files()) - self.before:
            try:
                found.append((os.stat(name).st_mtime_ns, name, Path(name).read_bytes()))
            except FileNotFoundError:
                pass
        return [content for _, _, content in sorted(found)]

    def wait_delivered(self, predicate: Callable[[bytes], object] = lambda mail: True, n: int = 1,
                       timeout: float = 30) -> list[bytes]:
        """The delivered mails for which `predicate` holds, as soon as there are `n`."""
        def look() -> list[bytes]:
            found = [mail for mail in self.delivered() if predicate(mail)]
            return found if len(found) >= n else []
        return wait_for(look, timeout, f"{n} delivered")

    # ---- the inside ----

    def spool(self, state: str) -> list[Path]:
        """The files of a state directory, dot files and the ballast left out."""
        return sorted(p for p in (self.root / "spool" / state).iterdir()
                      if not p.name.startswith(".") and p.name != "ballast")

    def log(self, service: str) -> str:
        """Everything that the service has logged and that rotation has kept."""
        folder = self.root / "log" / service
        files = sorted(p for p in folder.iterdir() if p.name.startswith("@")) + [folder / "current"]
        return "".join(p.read_text(errors="replace") for p in files if p.exists())

    def wait_log(self, service: str, text: str, timeout: float = 30) -> str:
        return wait_for(lambda: [line for line in self.log(service).splitlines() if text in line], timeout,
                        f"{text} in the log of {service}")[-1]

    def svc(self, *args: str) -> None:
        """s6-svc: the last word names the service, as in svc("-k", "seki-queue")."""
        subprocess.run(["s6-svc", *args[:-1], str(self.root / "service" / args[-1])], check=True, timeout=60)

    def state(self, service: str, field: str) -> str:
        """One field of s6-svstat: up, ready, pid, exitcode, wantedup ..."""
        done = subprocess.run(["s6-svstat", "-o", field, str(self.root / "service" / service)],
                              capture_output=True, text=True, timeout=60, check=True)
        return done.stdout.strip()

    def pid(self, service: str) -> int:
        """-1 if it is down."""
        return int(self.state(service, "pid"))

    def wait_ready(self, *services: str, seconds: int = 30) -> None:
        paths = [str(self.root / "service" / s) for s in services or SERVICES]
        subprocess.run(["s6-svwait", "-U", "-t", str(seconds * 1000), *paths], check=True, timeout=seconds + 10)

    def setting(self, **values: str) -> None:
        """Writes settings into etc/settings (smtp_timeout for smtp-timeout); does not reload."""
        path = self.root / "etc/settings"
        names = {name.replace("_", "-"): value for name, value in values.items()}
        kept = [line for line in path.read_text().splitlines() if (line.split() or [""])[0] not in names]
        replace(path, "\n".join(kept + [f"{n} {v}" for n, v in names.items()]) + "\n")

    def clock(self, wall_seconds: int, boot_seconds: int, synchronised: bool) -> None:
        """Moves both clocks of a test build: seconds to add to each."""
        (self.root / "run").mkdir(exist_ok=True)
        replace(self.root / "run/clock", f"{wall_seconds} {boot_seconds} {int(synchronised)}\n")

    def last_lines(self) -> str:
        """The end of every log, for the report of a failure."""
        texts = []
        for name in SERVICES:
            try:
                lines = self.log(name).splitlines()[-LOG_LINES:]
            except OSError:
                continue
            if lines:
                texts.append(f"-- {name}\n" + "\n".join(lines))
        return f"{self.root}\n" + "\n".join(texts)


def replace(path: Path, text: str) -> None:
    """A file is whole for whoever reads it."""
    new = path.with_name("." + path.name + ".new")
    new.write_text(text)
    os.chmod(new, 0o644)
    os.replace(new, path)


def prepare(settings: dict[str, str] | None = None, relay: str = RELAY, testing: bool = False,
            files: dict[str, str | bytes] | None = None, submission: bool = True, web: bool = False) -> Gateway:
    """The directory of an instance with its configuration; nothing is started. Without `submission` it takes mail
    nowhere else than on its port, and gets no certificate. With `web` people's pages are at gw.web_url."""
    root = Path(tempfile.mkdtemp(prefix="sekisho-test-", dir="/var/tmp"))
    os.chmod(root, 0o711)
    port = free_port()
    values = {"trial": "yes", "hostname": "gw.example.co.jp", "smtp-listen": f"127.0.0.1:{port}",
              "route": "maildir:outbox", "ballast": "1MB"}
    values.update(settings or {})
    (root / "etc").mkdir()
    (root / "etc/settings").write_text("".join(f"{name} {value}\n" for name, value in values.items()))
    (root / "etc/relay").write_text(relay)
    for name, content in (files or {}).items():
        # Below etc/ or run/: nothing else can be there before an instance has been made.
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Gateway(root, port, build="build/testing" if testing else "build", sample=False, submission=submission,
                   web=web)


@pytest.fixture(scope="session")
def gateway() -> Iterator[Gateway]:
    """One instance for all tests that leave it as they found it."""
    made = prepare()
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def fresh_gateway() -> Iterator[Callable[..., Gateway]]:
    """Makes instances of one's own: fresh_gateway(settings={...}, relay="...", testing=True, files={...},
    submission=False, web=True).

    testing=True is the build with the virtual clock, which then runs as the real one, but counts as
    synchronised. start=False: only prepared."""
    made: list[Gateway] = []

    def make(settings: dict[str, str] | None = None, relay: str = RELAY, testing: bool = False,
             files: dict[str, str | bytes] | None = None, start: bool = True, submission: bool = True,
             web: bool = False) -> Gateway:
        gw = prepare(settings, relay, testing, files, submission, web)
        made.append(gw)
        if testing:
            gw.clock(0, 0, True)
        return gw.start() if start else gw

    yield make
    for gw in made:
        if gw.root.exists():
            gw.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """A test that failed shows the last lines of the logs of the instances that are up."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for gw in _up:
            try:
                report.sections.append((f"logs of {gw.root.name}", gw.last_lines()))
            except OSError:
                pass
