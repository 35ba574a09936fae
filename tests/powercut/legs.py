"""Reading a spool as queue/README.md describes it, independently of the programs."""
import hashlib
import os
import re

from gate import STAGES, STATES

LEG = re.compile(r"(?:\d{8}T\d{6}Z\.)?([0-9a-f]{32})\.([\d.]+)")
MAIL = re.compile(r"\d+\.([0-9a-f]{32})\.([\d.]+)\.\d+")
RECORD = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z ([a-z]+)((?: [^\n]*)?)\n")
PLAN = re.compile(rb"plan (\d+) sha256=([0-9a-f]{16})\n")
CLOSING = {b"approve": b"approved", b"hold": b"held", b"encrypt": b"sealed", b"stagger": b"staggered"}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def arguments(text):
    return dict(word.split(b"=", 1) for word in text.split() if b"=" in word)


def numbers(text):
    """b"1,3-5" as a set."""
    out = set()
    for part in filter(None, text.split(b",")):
        first, _, last = part.partition(b"-")
        out |= set(range(int(first), int(last or first) + 1))
    return out


class Leg:
    """One file of the spool. `fault` says why it is not whole; None: it proves itself."""

    def __init__(self, path, place):
        self.path, self.place = path, place
        name = LEG.fullmatch(path.name.removeprefix("."))
        self.id, self.k = name.groups() if name else ("", "")
        self.recipients, self.content, self.delivered = [], b"", set()
        self.plan, self.closed, self.emptied, self.proofs = None, [], False, set()
        self.words, self.dropped = [], set()
        self.fault = self.read(path.read_bytes()) if name else "no leg's name"

    def read(self, data):
        head, end, rest = data.partition(b"\n\n")
        proven, _, digest = (head + b"\n").rpartition(b"head ")
        if not end or sha256(proven) != digest.strip().decode(errors="replace"):
            return "head damaged"
        words = [line.split(b" ") for line in proven.split(b"\n")]
        self.recipients = [w[1].decode() for w in words if w[0] == b"to"]
        field = {w[0]: w[1] for w in words if w[0] in (b"id", b"leg", b"size", b"sha256")}
        if (field[b"id"].decode(), field[b"leg"].decode()) != (self.id, self.k):
            return "another leg's head"
        size, separator = int(field[b"size"]), b"\n-- %s\n" % field[b"id"]
        self.content = rest[:size]
        if rest[size:size + len(separator)] != separator:
            return "no separator after %d bytes" % size
        self.read_trailer(rest[size + len(separator):])
        if sha256(self.content) == field[b"sha256"].decode():
            return None
        # A body is punched out when every recipient has got the mail; that "emptied" is written
        # down too, nobody promises.
        self.emptied = self.place == "sent" and self.done()
        return None if self.emptied else "content damaged"

    def read_trailer(self, data):
        """Whole records up to the first that is not one (law 2)."""
        while b"\n" in data and b"\0" not in data[:data.index(b"\n")]:
            plan, record = PLAN.match(data), RECORD.match(data)
            if plan:
                data = self.read_plan(data[plan.end():], int(plan[1]), plan[2])
            elif record:
                self.read_record(record[1], arguments(record[2]))
                data = data[record.end():]
            else:
                return

    def read_plan(self, data, count, digest):
        lines = data.split(b"\n")[:count]
        text = b"".join(line + b"\n" for line in lines)
        if b"\0" in text or not data.startswith(text) or any(line[:1] != b" " for line in lines):
            return b""
        if sha256(b"%s.%s\n" % (self.id.encode(), self.k.encode()) + text)[:16].encode() == digest:
            self.plan, self.closed = (digest, [line.split()[0] for line in lines]), []
        return data[len(text):]

    def read_record(self, word, args):
        self.words.append(word.decode())
        ours = self.plan is not None and args.get(b"plan") == self.plan[0]
        if word == b"delivered":
            self.delivered |= numbers(args.get(b"rcpt", b""))
            # Who sends must have seen every other word of the plan closed.
            self.proofs.add(ours and [CLOSING[w] for w in self.plan[1][:-1]] == self.closed)
        elif word == b"drop":
            self.dropped |= numbers(args.get(b"rcpt", b""))
        elif word in CLOSING.values() and ours:
            self.closed.append(word)

    def done(self):
        return len(self.delivered | self.dropped) == len(self.recipients) > 0

    def verdict(self):
        """The last word about the whole leg: discarded, restored; "" for none."""
        return next((w for w in reversed(self.words) if w in ("discarded", "restored")), "")

    def label(self):
        return "%s.%s in %s/" % (self.id[-6:], self.k, self.place)


class Mail:
    """A file of the Maildir."""

    def __init__(self, path):
        name = MAIL.fullmatch(path.name)
        self.path = path
        self.id, self.k = name.groups() if name else ("", "")
        self.data = path.read_bytes()
        top = self.data[:65536].split(b"\r\nReceived:")[0]
        self.recipients = [r.decode() for r in re.findall(rb"^Delivered-To: (\S+)\r?$", top, re.M)]


class Spool:
    """All that stands in an instance."""

    def __init__(self, root):
        places = [(s, root / "spool" / s) for s in STATES]
        places += [("split/" + s, root / "spool/split" / s) for s in STAGES]
        self.legs = [Leg(path, place) for place, folder in places
                     for path in sorted(folder.iterdir()) if path.name != "ballast"]
        self.mails = [Mail(path) for path in sorted((root / "outbox/new").iterdir())]

    def of(self, ident):
        return [leg for leg in self.legs if leg.id == ident]


def moving(root):
    """The same where some may wait for people."""
    return under_way(root, ("sent", "bad", "hold", "approve", "trash"))


def under_way(root, rests=("sent", "bad")):
    """The legs that some program has something to do about."""
    places = ["spool/" + s for s in STATES if s not in rests]
    places += ["spool/split/" + s for s in STAGES]
    left = [p + "/" + name for p in places for name in os.listdir(root / p) if name != "ballast"]
    if left:
        return left
    try:
        return ["sent/" + path.name for path in (root / "spool/sent").iterdir()
                if not Leg(path, "sent").done()]
    except FileNotFoundError:  # it has just been moved back
        return ["sent/"]
