"""Where the mail ends that tests/bench/relay sends: servers that count what they get, and some that do not
want it."""
import collections, os, re, selectors, socket, subprocess, threading, time

import bench_kit as kit


class SmtpSink:
    """smtp-sink, and what it counts. It is one process, and the fastest sink there is here."""

    def __init__(self):
        self.port, self.count, self.changed = kit.free_port(), 0, 0.0
        self.news = threading.Condition()
        self.process = subprocess.Popen(["smtp-sink", "-c", "-m", "1000", "-u", "nobody", "127.0.0.1:%d" % self.port, "500"],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        threading.Thread(target=self.read, daemon=True).start()
        kit.wait_banner(self.port)

    def read(self):
        """It writes "sess=3 quit=2 mesg=1\\r" whenever that changes; only whole ones count."""
        rest = b""
        while got := os.read(self.process.stdout.fileno(), 65536):
            now, rest = time.monotonic(), (rest + got)[-200:]
            counts = re.findall(rb"mesg=(\d+)\r", rest)
            if counts and int(counts[-1]) != self.count:
                with self.news:
                    self.count, self.changed = int(counts[-1]), now
                    self.news.notify_all()

    def wait(self, n, seconds):
        """Returns when message n came; None if it does not come in time."""
        with self.news:
            return self.changed if self.news.wait_for(lambda: self.count >= n, seconds) else None

    def cpu(self):
        return kit.cpu_of([self.process.pid])

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Server:
    """Listens on several ports of 127.0.0.1 in a thread of its own."""

    def __init__(self, ports):
        self.poll, self.halt, self.accepted = selectors.DefaultSelector(), False, 0
        self.ports = []
        for _ in range(ports):
            s = socket.socket()
            s.bind(("127.0.0.1", 0))
            s.listen(1024)
            s.setblocking(False)
            self.poll.register(s, selectors.EVENT_READ, self.accept)
            self.ports.append(s.getsockname()[1])
        self.port = self.ports[0]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.halt:
            for key, _ in self.poll.select(0.2):
                key.data(key.fileobj)

    def accept(self, listener):
        s, _ = listener.accept()
        self.accepted += 1
        s.setblocking(False)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.opened(s, listener.getsockname()[1])

    def drop(self, s):
        self.poll.unregister(s)
        s.close()

    def stop(self):
        self.halt = True
        self.thread.join()
        for key in list(self.poll.get_map().values()):
            self.drop(key.fileobj)


class Silent(Server):
    """Takes every connection and never says a word."""

    def __init__(self):
        super().__init__(1)

    def opened(self, s, port):
        self.poll.register(s, selectors.EVENT_READ, self.listen)

    def listen(self, s):
        try:
            if s.recv(65536):
                return
        except OSError:
            pass
        self.drop(s)


class Refusing:
    """A port at which nobody listens, and that nobody else takes."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def stop(self):
        self.socket.close()


class Domains(Server):
    """Servers of several domains, a port each, that remember which recipient got how many messages."""

    def __init__(self, ports):
        self.got, self.changed, self.messages = collections.Counter(), 0.0, 0
        super().__init__(ports)

    def opened(self, s, port):
        self.poll.register(s, selectors.EVENT_READ, Talk(self, port).read)
        s.sendall(b"220 sink.example.test ESMTP\r\n")

    def take(self, port, rcpts):
        self.got.update((port, rcpt) for rcpt in rcpts)
        self.messages += 1
        self.changed = time.monotonic()


class Talk:
    """One session with Domains."""

    def __init__(self, server, port):
        self.server, self.port = server, port
        self.rcpts, self.rest, self.content = [], b"", False

    def read(self, s):
        try:
            got = s.recv(65536)
        except OSError:
            got = b""
        *lines, self.rest = (self.rest + got).split(b"\r\n")
        replies = b"".join(self.reply(line) for line in lines)
        try:
            s.sendall(replies)
        except OSError:
            got = b""
        if not got or replies.endswith(b"221 bye\r\n"):
            self.server.drop(s)

    def reply(self, line):
        if self.content:
            if line != b".":
                return b""
            self.content = False
            self.server.take(self.port, self.rcpts)
            return b"250 taken\r\n"
        verb = line[:4].upper()
        if verb == b"EHLO":
            return b"250-sink.example.test\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        if verb in (b"MAIL", b"RSET"):
            self.rcpts = []
        elif verb == b"RCPT":
            self.rcpts.append(re.search(rb"<(.*?)>", line).group(1).decode())
        elif verb == b"DATA":
            self.content = True
            return b"354 go on\r\n"
        elif verb == b"QUIT":
            return b"221 bye\r\n"
        return b"250 fine\r\n"
