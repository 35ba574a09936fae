"""What the tests of seki-auth and its back ends share: seki-auth alone in a directory of its own, a
client of its socket, certificates, and a real Dovecot and a real Postfix beside it."""
import os
import pwd
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from conftest import clean_env, free_port, wait_for

ROOT = os.geteuid() == 0
SOURCE = "192.0.2.1"
LATER, WRONG, RIGHT = 111, 1, 0


# ---- seki-auth ----


class Auth:
    """seki-auth as its service runs it, in the least of an instance."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        self.root = Path(tempfile.mkdtemp(prefix="sekisho-auth-", dir="/var/tmp"))
        os.chmod(self.root, 0o711)
        for name in ("etc", "run", "run/auth", "run/taken"):
            (self.root / name).mkdir()
        (self.root / "run/taken/seki-auth").touch()
        (self.root / "bin").symlink_to(programs)
        if ROOT:
            for name in ("run/auth", "run/taken/seki-auth"):
                shutil.chown(self.root / name, "sekia", "sekia")
        self.values: dict[str, str] = {"trial": "yes", "auth-delay": "0s"}
        self.settings()
        self.process: subprocess.Popen | None = None
        self.drop = ["s6-setuidgid", "sekia"] if ROOT else []

    def settings(self, **values: str) -> None:
        """Settings (auth_delay for auth-delay) beyond those of before; taken at the next start or reload."""
        self.values.update({name.replace("_", "-"): value for name, value in values.items()})
        (self.root / "etc/settings").write_text("".join(f"{n} {v}\n" for n, v in self.values.items()))

    def table(self, text: str) -> None:
        (self.root / "etc/auth").write_text(text)

    def script(self, name: str, text: str) -> Path:
        """A back end of the test's own; it may write into the directory "out"."""
        out = self.root / "out"
        if not out.exists():
            out.mkdir()
            out.chmod(0o777)
        path = self.root / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def start(self) -> "Auth":
        with open(self.root / "log", "ab") as log:
            read, write = os.pipe()
            self.process = subprocess.Popen(
                as_3(write, ">", *self.drop, "bin/seki-auth"),
                cwd=self.root, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, pass_fds=(write,))
        os.close(write)
        ready, _, _ = select.select([read], [], [], 20)
        said = os.read(read, 1) if ready else b""
        os.close(read)
        assert said == b"\n", self.log()
        return self

    def stop(self) -> int:
        """Its exit code."""
        if self.process is None:
            return 0
        self.process.terminate()
        code = self.process.wait(20)
        self.process = None
        return code

    def remove(self) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self.root)

    def log(self) -> str:
        path = self.root / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait_log(self, text: str, n: int = 1) -> list[str]:
        def look() -> list[str]:
            found = [line for line in self.log().splitlines() if text in line]
            return found if len(found) >= n else []
        return wait_for(look, 20, text)

    def reload(self) -> str:
        """The answer to SIGHUP."""
        answer = self.root / "run/taken/seki-auth"
        answer.write_text("")
        self.process.send_signal(signal.SIGHUP)
        return wait_for(lambda: answer.read_text() if answer.read_text().endswith("\n") else "", 20, "an answer")

    # ---- the socket ----

    def connect(self) -> socket.socket:
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(30)
        s.connect(str(self.root / "run/auth/socket"))
        return s

    def begin(self, login: str | bytes, password: str | bytes, source: str = SOURCE) -> socket.socket:
        """A question whose answer is not waited for."""
        s = self.connect()
        s.sendall(question(login, password, source))
        return s

    def ask(self, login: str | bytes, password: str | bytes, source: str = SOURCE) -> str:
        with self.begin(login, password, source) as s:
            return s.recv(1).decode()

    # ---- seki passwd ----

    def seki(self, *args: str, stdin: str = "") -> subprocess.CompletedProcess:
        return subprocess.run([str(self.programs / "seki"), *args], env=clean_env(SEKISHO_ROOT=str(self.root)),
                              input=stdin, capture_output=True, text=True, timeout=60)

    def passwd(self, login: str, password: str) -> None:
        done = self.seki("passwd", login, stdin=password + "\n")
        assert done.returncode == 0, done.stderr

    # ---- a back end alone ----

    def back_end(self, program: str, *args: str, login: str | bytes = "alice@example.co.jp",
                 password: str | bytes = "", question: bytes | None = None) -> tuple[int, str]:
        """Starts it as seki-auth would: its exit code, and what it said."""
        if question is None:
            login, password = (w.encode() if isinstance(w, str) else w for w in (login, password))
            question = login + b"\0" + password + b"\0" + b"1\0"
        read, write = os.pipe()
        os.write(write, question)
        os.close(write)
        done = subprocess.run(
            as_3(read, "<", *self.drop, f"bin/{program}", *args),
            cwd=self.root, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TCPREMOTEIP": SOURCE},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=(read,), timeout=60)
        os.close(read)
        return done.returncode, done.stdout.decode(errors="replace")


def as_3(fd: int, way: str, *words: str) -> list[str]:
    """The words of a program that finds our descriptor `fd` as its 3 (bash knows descriptors above 9)."""
    move = f"exec 3{way}&{fd} {fd}{way}&-; " if fd != 3 else ""
    return ["/bin/bash", "-c", move + 'umask 007; exec "$@"', "bash", *words]


def question(login: str | bytes, password: str | bytes, source: str = SOURCE, service: str = "smtp") -> bytes:
    parts = [p.encode() if isinstance(p, str) else p for p in (service, source, login, password)]
    body = b"".join(p + b"\0" for p in parts)
    return struct.pack(">I", len(body)) + body


# ---- certificates ----


def openssl(*args: str, cwd: Path) -> None:
    subprocess.run(["openssl", *args], cwd=cwd, check=True, capture_output=True, timeout=60)


class Certificates:
    """An authority and what it has signed: good (localhost), other (another name), expired; and stranger,
    which it has not."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        path.chmod(0o755)
        (path / "ca.cnf").write_text(
            "[ca]\ndefault_ca=c\n[c]\ndir=.\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\n"
            "policy=p\nunique_subject=no\ncopy_extensions=copy\n[p]\ncommonName=supplied\n"
            "[req]\ndistinguished_name=dn\n[dn]\n")
        (path / "index").touch()
        (path / "serial").write_text("01\n")
        self.key("ca")
        openssl("req", "-new", "-x509", "-key", "ca.key", "-subj", "/CN=test authority", "-days", "30",
                "-addext", "basicConstraints=critical,CA:TRUE", "-out", "ca.crt", "-config", "ca.cnf", cwd=path)
        self.signed("good", "DNS:localhost,IP:127.0.0.1", "20200101000000Z", "20491231235959Z")
        self.signed("other", "DNS:other.example", "20200101000000Z", "20491231235959Z")
        self.signed("expired", "DNS:localhost,IP:127.0.0.1", "20200101000000Z", "20200201000000Z")
        self.key("stranger")
        openssl("req", "-new", "-x509", "-key", "stranger.key", "-subj", "/CN=localhost", "-days", "30",
                "-addext", "subjectAltName=DNS:localhost", "-out", "stranger.crt", "-config", "ca.cnf", cwd=path)
        self.ca = str(path / "ca.crt")

    def key(self, name: str) -> None:
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key", cwd=self.path)

    def signed(self, name: str, names: str, begins: str, ends: str) -> None:
        self.key(name)
        openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}",
                "-out", f"{name}.csr", "-config", "ca.cnf", cwd=self.path)
        openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.crt", "-keyfile", "ca.key",
                "-startdate", begins, "-enddate", ends, "-in", f"{name}.csr", "-out", f"{name}.crt", cwd=self.path)


# ---- a server that only listens ----


class Listener:
    """Accepts connections, begins TLS with a certificate (None: none), says `greeting`, and keeps whatever
    it hears, both as it came and decrypted."""

    def __init__(self, crt: Path | None, greeting: bytes = b"") -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.context = None
        if crt is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(crt, crt.with_suffix(".key"))
        self.greeting = greeting
        self.heard = b""
        self.connections = 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.settimeout(20)
            try:
                if self.context is not None:
                    connection = self.context.wrap_socket(connection, server_side=True)
                connection.sendall(self.greeting)
                while got := connection.recv(4096):
                    self.heard += got
            except OSError:
                pass
            finally:
                connection.close()

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(20)


# ---- Dovecot and Postfix ----

DOVECOT = """base_dir = {w}/run
state_dir = {w}/state
log_path = {w}/dovecot.log
protocols = imap
ssl = required
ssl_cert = <{c}/good.crt
ssl_key = <{c}/good.key
auth_mechanisms = plain login
auth_failure_delay = 0
auth_cache_size = 0
mail_location = maildir:{w}/mail/%u
first_valid_uid = 1
default_client_limit = 100
default_process_limit = 20
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {w}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={w}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {imaps}
    ssl = yes
  }}
}}
# Dovecot would slow us down for the failures of all our tests.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {w}/sasl {{
    mode = 0666
  }}
}}
"""


class Dovecot:
    """A real Dovecot with a configuration of its own; users is {login: password}."""

    def __init__(self, work: Path, certificates: Certificates, users: dict[str, str]) -> None:
        self.work = work
        work.mkdir()
        work.chmod(0o755)
        (work / "mail").mkdir()
        (work / "mail").chmod(0o777)
        self.imap, self.imaps, self.sasl = free_port(), free_port(), work / "sasl"
        (work / "users").write_text("".join(f"{name}:{word}\n" for name, word in users.items()))
        (work / "users").chmod(0o644)
        nobody = pwd.getpwnam("nobody")
        (work / "dovecot.conf").write_text(DOVECOT.format(
            w=work, c=certificates.path, imap=self.imap, imaps=self.imaps, user=nobody.pw_uid, group=nobody.pw_gid))
        self.process: subprocess.Popen | None = None

    def start(self) -> "Dovecot":
        self.process = subprocess.Popen(["dovecot", "-F", "-c", str(self.work / "dovecot.conf")],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        wait_for(lambda: speaks(self.imap), 30, "Dovecot")
        return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None


MAIN_CF = """compatibility_level = 3.6
queue_directory = {w}/queue
data_directory = {w}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
maillog_file = {w}/mail.log
maillog_file_prefixes = {w}
myhostname = mail.example.test
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
inet_protocols = ipv4
inet_interfaces = loopback-only
smtpd_peername_lookup = no
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {sasl}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = {c}/good.crt
smtpd_tls_key_file = {c}/good.key
smtpd_delay_open_until_valid_rcpt = yes
"""
MASTER_CF = """127.0.0.1:{starttls} inet n - n - - smtpd
127.0.0.1:{implicit} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
127.0.0.1:{login_only} inet n - n - - smtpd
  -o smtpd_sasl_mechanism_filter=login
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """A real Postfix whose AUTH is Dovecot's."""

    def __init__(self, work: Path, certificates: Certificates, sasl: Path) -> None:
        self.work = work
        self.starttls, self.implicit, self.login_only = free_port(), free_port(), free_port()
        for name in ("", "conf", "queue", "data"):
            (work / name).mkdir(exist_ok=True)
            (work / name).chmod(0o755)
        user = pwd.getpwnam("postfix")
        os.chown(work / "data", user.pw_uid, user.pw_gid)
        (work / "conf/main.cf").write_text(MAIN_CF.format(w=work, c=certificates.path, sasl=sasl))
        (work / "conf/master.cf").write_text(MASTER_CF.format(
            starttls=self.starttls, implicit=self.implicit, login_only=self.login_only))
        self.process: subprocess.Popen | None = None

    def start(self) -> "Postfix":
        subprocess.run(["postfix", "-c", str(self.work / "conf"), "check"], check=True, capture_output=True, timeout=60)
        env = dict(os.environ, MAIL_CONFIG=str(self.work / "conf"))
        self.process = subprocess.Popen(["/usr/lib/postfix/sbin/master", "-c", str(self.work / "conf"), "-d"], env=env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True)
        wait_for(lambda: speaks(self.starttls), 30, "Postfix")
        return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None


def speaks(port: int) -> bool:
    """Whether a server there has said something."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
            return s.recv(1) != b""
    except OSError:
        return False


def seconds(call) -> tuple[object, float]:
    """What it gives, and how long it took."""
    begun = time.monotonic()
    got = call()
    return got, time.monotonic() - begun
