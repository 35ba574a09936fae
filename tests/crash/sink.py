"""Mail servers in one thread, which keep what was handed to them, and when."""
import os
import re
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

OFFERS = b"250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"
ADDRESS = re.compile(rb"<([^>]*)>")


@dataclass
class Mail:
    """What came whole: the server has it, whether or not its answer was heard."""
    late: bool  # by a connection that was made behind the mark
    sender: str
    rcpts: list
    content: bytes


@dataclass
class Connection:
    socket: socket.socket
    late: bool
    heard: bytes = b""
    within: bool = False  # the content
    sender: str = ""
    rcpts: list = field(default_factory=list)


class Sink:
    """`reply`: of a recipient's address, what is said to it; "" is 250. `taken`: told of a mail before its
    sender is."""

    def __init__(self, servers: int, reply: Callable[[str], str], taken: Callable[[Mail], None] = lambda mail: None):
        self.reply, self.taken = reply, taken
        self.mails: list = []
        self.faults: list = []
        self.marked: set = set()  # servers
        self.markers: dict = {}   # a connection's own port -> the event that tells of it
        self.selector = selectors.DefaultSelector()
        # An address of its own: ports are used again, and whoever looks for another's server is not heard.
        self.host = "127.%d.%d.%d" % tuple(1 + byte % 254 for byte in os.urandom(3))
        self.listeners = [socket.create_server((self.host, 0), backlog=50) for _ in range(servers)]
        self.ports = [listener.getsockname()[1] for listener in self.listeners]
        self.places = [f"host:[{self.host}]:{port}" for port in self.ports]  # as routes say it
        self.ended, end = socket.socketpair()
        self.end = end
        for n, listener in enumerate(self.listeners):
            listener.setblocking(False)
            self.selector.register(listener, selectors.EVENT_READ, n)
        self.selector.register(self.ended, selectors.EVENT_READ, None)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.end.close()
        self.thread.join(5)
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    def mark(self) -> None:
        """Connections from now on are late ones. Servers take them in their order: none is mistaken."""
        for port in self.ports:
            told = threading.Event()
            with socket.socket() as marker:
                marker.bind((self.host, 0))
                self.markers[marker.getsockname()[1]] = told
                marker.connect((self.host, port))
                told.wait(5)

    # ---- the thread ----

    def _serve(self) -> None:
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    return
                if isinstance(key.data, int):
                    self._accept(key.fileobj, key.data)
                else:
                    self._hear(key.data)

    def _accept(self, listener: socket.socket, server: int) -> None:
        got, peer = listener.accept()
        told = self.markers.pop(peer[1], None)
        if told is not None:
            self.marked.add(server)
            got.close()
            told.set()
            return
        connection = Connection(got, server in self.marked)
        self.selector.register(got, selectors.EVENT_READ, connection)
        self._say(connection, b"220 sink.example ESMTP\r\n")

    def _drop(self, c: Connection) -> None:
        self.selector.unregister(c.socket)
        c.socket.close()

    def _say(self, c: Connection, text: bytes) -> None:
        try:
            c.socket.sendall(text)
        except OSError:
            pass  # it has gone; that is seen at the next read

    def _hear(self, c: Connection) -> None:
        try:
            got = c.socket.recv(65536)
        except OSError:
            got = b""
        c.heard += got
        going = bool(got)
        while going and (end := c.heard.find(b"\r\n.\r\n" if c.within else b"\r\n")) >= 0:
            line, c.heard = c.heard[:end], c.heard[end + (5 if c.within else 2):]
            going = self._content(c, line + b"\r\n") if c.within else self._command(c, line)
        if not going:
            self._drop(c)

    def _content(self, c: Connection, text: bytes) -> bool:
        if text.count(b"\r\n") != text.count(b"\n") or text.count(b"\r\n") != text.count(b"\r"):
            self.faults.append("S2: a CR or LF stands alone in what was sent")
        content = text.replace(b"\r\n..", b"\r\n.")
        self.mails.append(Mail(c.late, c.sender, c.rcpts, content))
        self.taken(self.mails[-1])
        c.within, c.rcpts = False, []
        self._say(c, b"250 2.0.0 kept\r\n")
        return True

    def _command(self, c: Connection, line: bytes) -> bool:
        verb = line.split(b" ")[0].split(b":")[0].upper()
        address = (m.group(1).decode() if (m := ADDRESS.search(line)) else "")
        answer = b"250 2.0.0 ok\r\n"
        if verb == b"EHLO":
            answer = OFFERS
        elif verb == b"MAIL":
            c.sender, c.rcpts = address, []
        elif verb == b"RCPT":
            said = self.reply(address)
            if not said:
                c.rcpts.append(address)
            answer = said.encode() + b"\r\n" if said else answer
        elif verb == b"DATA":
            c.within = bool(c.rcpts)
            answer = b"354 go on\r\n" if c.rcpts else b"503 5.5.1 nobody to send it to\r\n"
        elif verb == b"RSET":
            c.rcpts = []
        elif verb == b"QUIT":
            self._say(c, b"221 2.0.0 bye\r\n")
            return False
        else:
            self.faults.append(f"S2: {line[:60]!r} is no command")
        self._say(c, answer)
        return True
