"""Legs as queue/README.md section 1 says: written whole, with right digests, and read again."""
import hashlib
import os
import re
import time

SECOND = 1_000_000
TIMED = ("approve", "hold", "encrypt", "stagger", "deliver")
CLOSING = {"approve": "approved", "hold": "held", "encrypt": "sealed", "stagger": "staggered"}
RECORD = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [a-z]+[ \n]")
PLAN = re.compile(rb"plan (\d+) sha256=([0-9a-f]{16})\n")


def stamp(seconds: float) -> str:
    whole = int(seconds)
    micro = int(round((seconds - whole) * SECOND)) % SECOND
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{micro:06d}Z"


def due(seconds: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(int(seconds)))


def new_id() -> str:
    return f"{int(time.time() * 1000):012x}" + os.urandom(10).hex()


def name(state: str, ident: str, k: str = "1", when: float | None = None) -> str:
    """The file's name in that state."""
    return f"{due(time.time() if when is None else when)}.{ident}.{k}" if state in TIMED else f"{ident}.{k}"


# ---- writing -----------------------------------------------------------------------------------


def head(ident: str, k: str, rcpts: list, content: bytes, accepted: float) -> bytes:
    lines = ["sekisho-leg 1", f"id {ident}", f"leg {k}", "from alice@example.co.jp"]
    lines += [f"to {rcpt}" for rcpt in rcpts]
    lines += ["client 127.0.0.1 helo=crash proto=esmtp", f"accepted {stamp(accepted)}",
              f"size {len(content):012d}", f"sha256 {hashlib.sha256(content).hexdigest()}"]
    text = ("\n".join(lines) + "\n").encode()
    return text + b"head " + hashlib.sha256(text).hexdigest().encode() + b"\n\n"


def leg(ident: str, k: str, rcpts: list, content: bytes, trailer: bytes = b"", accepted: float | None = None) -> bytes:
    when = time.time() if accepted is None else accepted
    return head(ident, k, rcpts, content, when) + content + f"\n-- {ident}\n".encode() + trailer


def plan_digest(ident: str, k: str, lines: str) -> str:
    return hashlib.sha256(f"{ident}.{k}\n{lines}".encode()).hexdigest()[:16]


def plan(ident: str, k: str, steps: list) -> tuple:
    """A plan's record and its digest."""
    lines = "".join(f" {step}\n" for step in steps)
    digest = plan_digest(ident, k, lines)
    return f"plan {len(steps)} sha256={digest}\n{lines}".encode(), digest


def record(word: str, details: str = "") -> bytes:
    return f"{stamp(time.time())} {word}{' ' if details else ''}{details}\n".encode()


# ---- reading -----------------------------------------------------------------------------------


class Leg:
    """What a whole leg says; ValueError if it is none."""

    def __init__(self, data: bytes):
        end = data.find(b"\n\n") + 2
        if end < 2 or not data.startswith(b"sekisho-leg 1\n"):
            raise ValueError("no head")
        text, proof = data[:end - 1].rsplit(b"head ", 1)
        if hashlib.sha256(text).hexdigest().encode() != proof.strip():
            raise ValueError("head digest")
        words = [line.split(" ", 1) for line in text.decode().splitlines()]
        self.rcpts = [rest.split(" ")[0] for key, rest in words if key == "to"]
        fields = dict(pair for pair in words if pair[0] != "to")
        self.id, self.k, self.sha256 = fields["id"], fields["leg"], fields["sha256"]
        size = int(fields["size"])
        self.content = data[end:end + size]
        separator = f"\n-- {self.id}\n".encode()
        if data[end + size:end + size + len(separator)] != separator:
            raise ValueError("separator")
        self.trailer = data[end + size + len(separator):]
        self.records, self.rest = split_trailer(self.trailer)

    def words(self) -> list:
        return [r.split()[1].decode() for r in self.records if not r.startswith(b"plan ")]

    def last_plan(self) -> tuple:
        """The steps of the last whole plan, and the words closed behind it in its name."""
        steps, digest, closed = [], "", []
        for one in self.records:
            match = PLAN.match(one)
            if match:
                lines = one[match.end():].decode()
                if plan_digest(self.id, self.k, lines) != match.group(2).decode():
                    continue
                steps = [line.strip() for line in lines.splitlines()]
                digest, closed = match.group(2).decode(), []
            elif f" plan={digest} ".encode() in one.replace(b"\n", b" "):
                closed.append(one.split()[1].decode())
        return steps, closed

    def unproven(self) -> list:
        """The steps before deliver that have no closing record."""
        steps, closed = self.last_plan()
        return [s for s in steps if s != "deliver" and CLOSING.get(s.split()[0]) not in closed]


def split_trailer(trailer: bytes) -> tuple:
    """Its whole records, and what is behind them."""
    records, at = [], 0
    while at < len(trailer):
        end = trailer.find(b"\n", at) + 1
        match = PLAN.match(trailer, at)
        for _ in range(int(match.group(1)) if match else 0):
            end = trailer.find(b"\n", end) + 1 if end and trailer[end:end + 1] == b" " else 0
        if end == 0 or b"\0" in trailer[at:end] or not (match or RECORD.match(trailer, at)):
            break
        records.append(trailer[at:end])
        at = end
    return records, trailer[at:]
