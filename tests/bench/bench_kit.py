"""What the measuring programs of tests/bench share: the two servers that are measured, Postfix and the
gateway, on one fresh ext4 image; the generator; what processes use."""
import contextlib, glob, importlib.machinery, importlib.util, os, pwd, re, shutil, signal, socket, statistics
import subprocess, time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SENDER, RCPT = "bench@src.example.test", "sink@dst.example.test"
IMAGE_SIZE = 6 << 30
MADE_ID = "01a0000000"      # what the ids of the legs begin with that tests/bench/legs makes
TICKS = os.sysconf("SC_CLK_TCK")


def load(name):
    """A program of this directory, as a module."""
    loader = importlib.machinery.SourceFileLoader(name, os.path.join(HERE, name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def write(path, text, mode=0o644):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def files_in(folder):
    return sum(len(files) for _, _, files in os.walk(folder))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_banner(port, seconds=20):
    end = time.monotonic() + seconds
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 2) as s:
                if s.recv(3) == b"220":
                    s.sendall(b"QUIT\r\n")
                    return
        except OSError:
            pass
        if time.monotonic() > end:
            raise SystemExit("nobody listens on port %d" % port)
        time.sleep(0.05)


def quartile(values):
    """The lower one."""
    return statistics.quantiles(values, n=4, method="inclusive")[0] if len(values) > 1 else values[0]


# ---- what processes use ----

def cpu_of(pids):
    total = 0
    for pid in pids:
        try:
            fields = open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()
            total += sum(int(x) for x in fields[11:15])
        except OSError:
            pass
    return total / TICKS


def tree(pid):
    """pid and all its descendants."""
    out, todo = [], [pid]
    while todo:
        p = todo.pop()
        out.append(p)
        for t in glob.glob("/proc/%d/task/*/children" % p):
            try:
                todo += [int(x) for x in open(t).read().split()]
            except OSError:
                pass
    return out


def memory(pids):
    """PSS of processes, MiB, and the largest private memory of one."""
    pss = most = 0
    for pid in pids:
        try:
            text = open("/proc/%d/smaps_rollup" % pid).read()
        except OSError:
            continue
        get = lambda key: int(re.search(r"^%s:\s+(\d+)" % key, text, re.M).group(1))
        pss += get("Pss")
        most = max(most, get("Private_Clean") + get("Private_Dirty"))
    return pss / 1024, most / 1024


class Group:
    """A control group: the CPU time of everything that was started in it, ended processes too."""

    def __init__(self, name):
        second = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
        self.above = "/sys/fs/cgroup" if second else "/sys/fs/cgroup/cpuacct"
        self.path = "%s/sekisho-bench-%d-%s" % (self.above, os.getpid(), name)
        self.figure = ("cpu.stat", r"^usage_usec (\d+)", 1e6) if second else ("cpuacct.usage", r"(\d+)", 1e9)
        try:
            os.mkdir(self.path)
        except OSError as error:
            raise SystemExit("no control group to count CPU time by: %s" % error)

    def enter(self):
        """For a child, before it becomes what it is to be."""
        with open(self.path + "/cgroup.procs", "w") as f:
            f.write(str(os.getpid()))

    def pids(self):
        return [int(x) for x in open(self.path + "/cgroup.procs").read().split()]

    def cpu(self):
        name, pattern, unit = self.figure
        return int(re.search(pattern, open("%s/%s" % (self.path, name)).read(), re.M).group(1)) / unit

    def remove(self, seconds=10):
        """Ends what is left in it."""
        end = time.monotonic() + seconds
        while True:
            for pid in self.pids():
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            try:
                os.rmdir(self.path)
                return
            except OSError:
                if time.monotonic() > end:
                    raise SystemExit("processes in %s do not end" % self.path)
            time.sleep(0.05)


# ---- the servers ----

class Postfix:
    """Complete, its limits as shipped; no chroot, DNS and TLS off. It delivers to a Maildir."""

    name = "postfix"
    master = None

    def __init__(self, hold=False):
        self.hold = hold

    def settings(self):
        """What main.cf has beyond MAIN_CF."""
        user = pwd.getpwnam("postfix")
        write(self.work + "/conf/virtual", "%s sink/\n" % RCPT)
        text = MAILDIR_CF % dict(w=self.work, uid=user.pw_uid, gid=user.pw_gid)
        return text + ("smtpd_client_restrictions = check_client_access static:HOLD\n" if self.hold else "")

    def start(self, work, group=None):
        self.work, self.port = work, free_port()
        for d in "conf queue data log mail".split():
            os.mkdir("%s/%s" % (work, d))
        user = pwd.getpwnam("postfix")
        os.chown(work + "/data", user.pw_uid, user.pw_gid)
        os.chown(work + "/mail", user.pw_uid, user.pw_gid)
        write(work + "/conf/main.cf", MAIN_CF % dict(w=work) + self.settings())
        write(work + "/conf/master.cf", MASTER_CF % self.port)
        subprocess.run(["postfix", "-c", work + "/conf", "check"], check=True, capture_output=True)
        env = dict(os.environ, MAIL_CONFIG=work + "/conf")
        self.master = subprocess.Popen(["/usr/lib/postfix/sbin/master", "-c", work + "/conf", "-d"], env=env,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, start_new_session=True,
                                       preexec_fn=group.enter if group else None)
        wait_banner(self.port)

    def pids(self):
        return tree(self.master.pid)

    def delivered(self):
        return files_in(self.work + "/queue/hold") if self.hold else files_in(self.work + "/mail/sink/new")

    def queued(self):
        """Messages that it still has to deliver."""
        return sum(files_in("%s/queue/%s" % (self.work, d)) for d in ("maildrop", "incoming", "active", "deferred"))

    def stop(self):
        if self.master:
            self.master.terminate()
            self.master.wait(20)


class Gateway:
    """The whole tree under s6, started by "make up", its settings as shipped."""

    name = "sekisho"
    relay = "127.0.0.0/8"
    work = None

    def __init__(self, build, settings="", hold=False, route="maildir:outbox", routes=""):
        self.build, self.settings, self.hold, self.route, self.routes = build, settings, hold, route, routes
        if hold:
            self.settings += "plan-states hold deliver\nplan-hold 1d\n"

    def make(self, verb, group=None):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
        r = subprocess.run(["make", "-s", "-C", TOP, verb, "B=" + self.build, "RUN=" + self.work,
                            "ROUTE=" + self.route, "SMTP_PORT=%d" % self.port, "SUBMISSION_PORT=%d" % self.other[0],
                            "WEB_PORT=%d" % self.other[1]], env=dict(env, SAMPLE="no"), capture_output=True, text=True,
                           preexec_fn=group.enter if group else None)
        if r.returncode:
            raise SystemExit("make %s: %s" % (verb, r.stderr))

    def configure(self):
        """What else is to stand in etc/ before it starts."""

    def start(self, work, group=None):
        self.work, self.port, self.other = work, free_port(), (free_port(), free_port())
        os.chmod(work, 0o711)
        os.mkdir(work + "/etc")
        shutil.copy(TOP + "/etc/settings", work + "/etc/settings")
        with open(work + "/etc/settings", "a") as f:
            f.write("hostname bench.example.test\nmessage-size 400MB\ntrial yes\n" + self.settings)
        write(work + "/etc/relay", "%s any quota=none\n" % self.relay)
        write(work + "/etc/routes", self.routes)
        self.configure()
        self.make("up", group)
        wait_banner(self.port)

    def pids(self, program=""):
        """Our own processes, without s6's; those of one program."""
        out = []
        for exe in glob.glob("/proc/[0-9]*/exe"):
            try:
                if os.readlink(exe).startswith(self.work + "/bin/" + program):
                    out.append(int(exe.split("/")[2]))
            except OSError:
                pass
        return out

    def service(self, program, up, seconds=60):
        """Takes a service down, or starts it and waits until it is ready. Returns the seconds that took."""
        order = ["-wU", "-u"] if up else ["-wD", "-d"]
        t = time.monotonic()
        subprocess.run(["s6-svc", order[0], "-T", str(seconds * 1000), order[1], "%s/service/%s" % (self.work, program)],
                       check=True)
        return time.monotonic() - t

    def folder(self, state):
        return "%s/spool/%s" % (self.work, state)

    def make_legs(self, state, n, options=()):
        """Puts n legs into the directory of a state, as its owner would."""
        at = os.stat(self.folder(state))
        subprocess.run([HERE + "/legs", state, str(n), "--owner", "%d:%d" % (at.st_uid, at.st_gid), *options],
                       cwd=self.folder(state), check=True)

    def delivered(self):
        return files_in(self.folder("hold") if self.hold else self.work + "/outbox/new")

    def queued(self):
        """Legs that it still has to deliver, without those that were made."""
        names = [name for state in ("new", "deliver") for name in os.listdir(self.folder(state))]
        return sum(MADE_ID not in name for name in names)

    def made(self, state):
        """The ids of the legs that were made and stand in a state."""
        return {name.split(".")[-2] for name in os.listdir(self.folder(state)) if MADE_ID in name}

    def stop(self):
        if self.work:
            self.make("down")


MAIN_CF = """compatibility_level = 3.6
queue_directory = %(w)s/queue
data_directory = %(w)s/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
maillog_file = %(w)s/log/mail.log
maillog_file_prefixes = %(w)s
myhostname = bench.example.test
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
mynetworks = 127.0.0.0/8
inet_protocols = ipv4
inet_interfaces = loopback-only
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtpd_tls_security_level = none
message_size_limit = 400000000
"""
MAILDIR_CF = """mailbox_size_limit = 0
virtual_mailbox_limit = 0
virtual_mailbox_domains = dst.example.test
virtual_mailbox_base = %(w)s/mail
virtual_mailbox_maps = texthash:%(w)s/conf/virtual
virtual_uid_maps = static:%(uid)d
virtual_gid_maps = static:%(gid)d
virtual_minimum_uid = 1
"""
MASTER_CF = """127.0.0.1:%d inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
virtual unix - n n - - virtual
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


# ---- the load ----

def size_of(text):
    return int(text[:-1]) * {"K": 1 << 10, "M": 1 << 20}[text[-1]]


def parse_case(text):
    size, n, sessions = re.fullmatch(r"(\d+[KM])x(\d+)@(\d+)", text).groups()
    return text, size_of(size), int(n), int(sessions)


def generate(port, size, n, sessions, options=(), sender=SENDER, rcpt=RCPT, file=None):
    """Runs the generator; returns seconds until its last 250. `file`: a message that is sent as it is, `size` or not."""
    t = time.monotonic()
    content = ["-F", file] if file else ["-l", str(size)]
    r = subprocess.run(["smtp-source", "-4", *options, "-s", str(sessions), "-m", str(n), *content, "-f", sender,
                        "-t", rcpt, "-M", "gen.example.test", "127.0.0.1:%d" % port], capture_output=True, text=True)
    if r.returncode or r.stderr:
        raise SystemExit("smtp-source: " + r.stderr)
    return time.monotonic() - t


def settle(target, n, seconds):
    end = time.monotonic() + seconds
    while target.delivered() < n and time.monotonic() < end:
        time.sleep(0.02)
    return target.delivered()


# ---- the disk ----

def make_image(top):
    """A fresh ext4 file system on a preallocated image, mounted at top/mnt."""
    image, mnt = top + "/image", top + "/mnt"
    with open(image, "wb") as f:
        os.posix_fallocate(f.fileno(), 0, IMAGE_SIZE)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image], check=True)
    os.mkdir(mnt)
    loop = subprocess.run(["losetup", "--find", "--show", "--direct-io=on", image], check=True,
                          capture_output=True, text=True).stdout.strip()
    subprocess.run(["mount", loop, mnt], check=True)
    subprocess.run(["losetup", "-d", loop], check=True)    # it goes when the mount goes
    os.chmod(mnt, 0o755)
    return mnt


def drop_image(top):
    subprocess.run(["umount", "-l", top + "/mnt"], stderr=subprocess.DEVNULL)
    shutil.rmtree(top, ignore_errors=True)
