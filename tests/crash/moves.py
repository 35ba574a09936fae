"""Laws 3 to 5: a leg moved by hand from every state to every other, and copied by hand."""
import hashlib
import time

import held
import leg
import oracle
from instance import STATES, Instance
from oracle import Message
from points import NEVER, PLAN_FULL, RCPTS

KINDS = ("held", "bare", "proven", "discarded", "refused", "finished")
# What waits for people: nobody, or one of two, has approved it; to be confirmed; a draft is owed; brought back; an address
# is to be taken out of a leg that could leave otherwise. Nobody is there who would take it out.
PEOPLES = ("unapproved", "half-voted", "unconfirmed", "drafted", "restored", "removed")
HOUR = 3600
LONG_AGO = 1_000_000_000
REST_SECONDS = 40
SETTINGS = PLAN_FULL + "plan-hold 1h\n"
PLANNED = ("approve", "hold", "encrypt", "stagger", "deliver")


class Moved:
    """One leg, where a hand put it, and where it belongs."""

    def __init__(self, kind: str, origin: str, target: str, long_ago: bool):
        self.kind, self.origin, self.target = kind, origin, target
        self.id = leg.new_id()
        self.message = Message(self.id[-8:], RCPTS[:1], oracle.body(self.id[-8:], 400))
        self.accepted = float(int(time.time()))
        self.until = self.accepted + HOUR
        when = LONG_AGO if long_ago else self.until if kind == "held" else self.accepted
        self.name = leg.name(origin, self.id, when=when)

    def data(self) -> bytes:
        approve = {"unapproved": f"approve by=address:{held.BOSS} notice=digest",
                   "half-voted": "approve by=2:staff notice=digest"}.get(self.kind, "approve no")
        hold = "hold confirmed notice=never" if self.kind == "unconfirmed" else f"hold until={leg.stamp(self.until)}"
        steps = [approve, hold, "encrypt keep", "stagger no", "deliver"]
        text, digest = leg.plan(self.id, "1", steps)
        closed = {"held": 1, "discarded": 1, "refused": 1, "unconfirmed": 1, "drafted": 1, "proven": 4, "finished": 4,
                  "restored": 4, "removed": 4}.get(self.kind, 0)
        trailer = b"" if self.kind == "bare" else text
        for step in steps[:closed]:
            trailer += leg.record(leg.CLOSING[step.split()[0]], f"plan={digest} by=alice")
        if self.kind in ("discarded", "refused"):
            trailer += leg.record(self.kind, "by=alice")
        trailer += self.said(digest)
        content = self.message.body
        if self.kind == "finished":
            trailer += leg.record("delivered", f"plan={digest} rcpt=1 host=maildir reply=ok") + leg.record("emptied", "from=100")
        data = leg.leg(self.id, "1", RCPTS[:1], content, trailer, self.accepted)
        if self.kind == "finished":
            data = data.replace(content, content[:100] + bytes(len(content) - 100))
        return data

    def said(self, digest: str) -> bytes:
        """What people said."""
        vote = f"plan={digest} content={hashlib.sha256(self.message.body).hexdigest()[:16]} step=1 say=yes by={held.ERIN} via=web"
        return {"half-voted": leg.record("vote", vote),
                "drafted": leg.record("discarded", f"by={held.ALICE} via=web cause=person tell=draft"),
                "restored": leg.record("discarded", "by=x via=shell") + leg.record("restored", "by=x via=shell"),
                "removed": leg.record("removed", f"address={RCPTS[1]} by={held.ALICE} via=web")}.get(self.kind, b"")

    def belongs(self) -> str:
        """The state in which the laws bring it to rest; "" where nothing of it is left."""
        if self.target == "bad":
            return "bad"
        if self.kind in ("discarded", "refused", "drafted"):
            return "refused" if self.kind == "refused" else "trash"
        if self.kind == "finished":
            # Its body is gone: what stands in tmp/ and is not whole was never acknowledged.
            return "" if self.target == "tmp" else "sent"
        if self.target in PLANNED and self.kind in ("unapproved", "half-voted", "removed"):
            return "encrypt" if self.kind == "removed" else "approve"  # elsewhere it is judged anew
        return "sent" if self.delivered() else "hold"

    def due(self) -> tuple:
        """How its name in hold/ may begin. What was brought back waits as of then."""
        if self.kind == "unconfirmed" and self.target in PLANNED:
            return (NEVER,)
        return tuple(leg.due(self.until + n) for n in range(30 if self.kind == "restored" else 1))

    def delivered(self) -> bool:
        """Only what is proven, and stands where its plan leads, goes out within the hour."""
        return self.kind == "proven" and self.target in PLANNED


def every_move(kinds: tuple) -> list:
    found = []
    for kind in kinds:
        for origin in STATES:
            for target in STATES:
                if origin != target:
                    found.append(Moved(kind, origin, target, False))
                    if origin in PLANNED and kind in KINDS:
                        found.append(Moved(kind, origin, target, True))
    return found


def places(inst: Instance) -> dict:
    """Where each leg stands, by its id: a list, for it may stand twice."""
    found: dict = {}
    for state in STATES:
        for name in inst.names(state):
            ident = name.split(".")[1] if name[8:9] == "T" else name.split(".")[0]
            found.setdefault(ident, []).append((state, name))
    return found


def wrong_places(inst: Instance, moved: list) -> list:
    now, faults = places(inst), []
    for m in moved:
        stands = now.get(m.id, [])
        want = [m.belongs()] if m.belongs() else []
        if [state for state, _ in stands] != want:
            faults.append(f"law 3: {m.kind} from {m.origin}/ to {m.target}/ ({m.name}): stands in {stands}, not in {want}")
        elif want == ["hold"] and not stands[0][1].startswith(m.due()):
            faults.append(f"law 3: {m.kind} in hold/ as {stands[0][1]}, not due {m.due()}")
    return faults


def wrong_deliveries(inst: Instance, moved: list) -> list:
    faults = []
    files = list((inst.root / "outbox/new").iterdir())
    for m in moved:
        times = sum(m.id in f.name for f in files)
        if times != int(m.delivered()):
            faults.append(f"I3: {m.kind} from {m.origin}/ to {m.target}/ was delivered {times} times")
    return faults


def settle(inst: Instance, moved: list, wrong: dict | None, seconds: float) -> None:
    """Until all stands where it belongs; then older, restarted, and looked at again."""
    def all_right() -> bool:
        return not wrong_places(inst, moved)
    inst.supervise(all_right, seconds, wrong, nap=0.05, steps=False)
    inst.set_clock(inst.ahead + HOUR // 3)
    inst.stop_all()
    settled = time.monotonic() + 0.7
    inst.supervise(lambda: time.monotonic() > settled and all_right(), min(seconds, 10), wrong, nap=0.05, steps=False)
    inst.stop_all()


def run_moves(build, libraries, running: bool, wrong: dict | None = None, seconds: float = REST_SECONDS,
              kinds: tuple = KINDS) -> tuple:
    """`running`: the legs appear; otherwise they are found at the start. (moves, violations)"""
    inst = Instance(build, libraries, SETTINGS)
    try:
        inst.in_force("", held.PEOPLE if kinds is PEOPLES else "")
        if running:
            ready = time.monotonic() + 0.3
            inst.supervise(lambda: time.monotonic() > ready, 5, wrong, nap=0.05, steps=False)
        moved = every_move(kinds)
        for m in moved:
            inst.put(m.target, m.name, m.data())
        if running:  # seki-queue looks into tmp/ when it starts
            inst.stop("seki-queue")
        settle(inst, moved, wrong, seconds)
        return len(moved), wrong_places(inst, moved) + wrong_deliveries(inst, moved)
    finally:
        inst.remove()


# ---- copies ------------------------------------------------------------------------------------


def run_copies(build, libraries, wrong: dict | None = None) -> list:
    """cp: a second file of the same leg, made in place. Nothing goes out twice; copies go to bad/."""
    inst = Instance(build, libraries, SETTINGS)
    try:
        ready = time.monotonic() + 0.3
        inst.supervise(lambda: time.monotonic() > ready, 5, wrong, steps=False)
        ended, held, twins = (Moved(kind, "deliver", "deliver", False) for kind in ("finished", "held", "proven"))
        bare = Moved("proven", "deliver", "deliver", False)
        inst.put("sent", f"{ended.id}.1", ended.data())
        inst.put("hold", leg.name("hold", held.id, when=held.until), held.data())
        (inst.root / "spool/deliver" / ended.name).write_bytes(ended.data())
        (inst.root / "spool/deliver" / held.name).write_bytes(held.data())
        for when in (LONG_AGO, twins.accepted):
            (inst.root / "spool/deliver" / leg.name("deliver", twins.id, when=when)).write_bytes(twins.data())
        delivered_before(inst, bare)
        want = {ended.id: ["sent", "bad"], held.id: ["hold", "bad"], twins.id: ["sent", "bad"], bare.id: ["sent", "bad"]}

        def stand() -> dict:
            return {i: sorted((s for s, _ in where), key=STATES.index) for i, where in places(inst).items()}
        inst.supervise(lambda: stand() == want, 15, wrong)
        inst.stop_all()
        faults = [f"law 3: copies stand in {stand()}, not in {want}"] if stand() != want else []
        files = [f.name for f in (inst.root / "outbox/new").iterdir()]
        for one, times in ((ended, 0), (held, 0), (twins, 1), (bare, 0)):
            if sum(one.id in name for name in files) != times:
                faults.append(f"I1: a copied leg ({one.kind}) was not delivered {times} times: {files}")
        if inst.log().count("event=quarantined alarm=yes") < 4:
            faults.append("bad/ without an alarm")
        return faults
    finally:
        inst.remove()


def delivered_before(inst: Instance, m: Moved) -> None:
    """The unended leg in deliver/, and in sent/ the same leg with its end: a restored backup."""
    data = m.data()
    digest = leg.Leg(data).records[1].split(b"plan=")[1][:16].decode()
    ends = leg.record("delivered", f"plan={digest} rcpt=1 host=maildir reply=ok")
    inst.put("sent", f"{m.id}.1", data + ends)
    (inst.root / "spool/deliver" / m.name).write_bytes(data)
