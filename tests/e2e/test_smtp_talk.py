"""What the SMTP tests share: a client that says exactly the bytes it is told to. No tests here."""
import os
import pathlib
import socket
import time

import pytest

RELAY = "127.0.0.0/8 @example.co.jp @.example.co.jp\n::1 any\n"
MAIL = b"MAIL FROM:<alice@example.co.jp>\r\n"
RCPT = b"RCPT TO:<bob@partner.example>\r\n"


class Talk:
    """A raw connection. `source` is the address it comes from."""

    def __init__(self, gateway, source="127.0.0.1", greet=True, helo=b"EHLO client.example\r\n"):
        self.sock = socket.create_connection(("127.0.0.1", gateway.port), 20, (source, 0))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""
        if greet:
            assert self.reply().startswith(b"220 ")
            if helo:
                assert self.say(helo).startswith(b"250")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def reply(self):
        """One whole reply, or what came before the connection ended."""
        got = b""
        while True:
            while b"\n" not in self.rest:
                try:
                    more = self.sock.recv(65536)
                except ConnectionError:
                    more = b""
                if not more:
                    return got
                self.rest += more
            line, self.rest = self.rest.split(b"\n", 1)
            got += line + b"\n"
            if line[3:4] != b"-":
                return got

    def say(self, data):
        try:
            self.send(data)
        except ConnectionError:
            pass
        return self.reply()

    def closed(self):
        """Whether the server closes now, saying nothing more."""
        return self.reply() == b""

    def to_data(self, rcpts=1):
        assert self.say(MAIL).startswith(b"250 2.1.0")
        for _ in range(rcpts):
            assert self.say(RCPT).startswith(b"250 2.1.5")
        assert self.say(b"DATA\r\n").startswith(b"354 ")

    def mail(self, tag, body=b""):
        """A whole message whose subject is `tag`; the reply to its dot."""
        self.to_data()
        return self.say(b"Subject: " + tag + b"\r\n\r\n" + body + b"\r\n.\r\n")


def processes(gateway):
    """The parent and the session processes of this instance's seki-smtpd."""
    mine = {}
    for proc in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if (proc / "comm").read_text().strip() != "seki-smtpd":
                continue
            if os.path.realpath(proc / "cwd") != os.path.realpath(gateway.root):
                continue
            mine[int(proc.name)] = int((proc / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except FileNotFoundError:
            continue
        except PermissionError:
            pytest.skip("only root may look into the processes")
    parents = [pid for pid, ppid in mine.items() if ppid not in mine]
    assert len(parents) == 1
    return parents[0], [pid for pid in mine if pid != parents[0]]


def server_pid(gateway, talk):
    """The process that serves this connection."""
    port = talk.sock.getsockname()[1]
    inode = None
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in pathlib.Path(table).read_text().splitlines()[1:]:
            words = line.split()
            if (int(words[1].rsplit(":", 1)[1], 16) == gateway.port
                    and int(words[2].rsplit(":", 1)[1], 16) == port):
                inode = words[9]
    assert inode is not None
    for pid in processes(gateway)[1]:
        for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            if os.readlink(fd) == f"socket:[{inode}]":
                return pid
    raise AssertionError("nobody serves this connection")


def eventually(check, seconds=10):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if check():
            return True
        time.sleep(0.05)
    return False
