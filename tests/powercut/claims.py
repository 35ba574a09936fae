"""What must hold of an image, given what had been promised when the power went (Q2).

I1  an accepted message stands in exactly one state, whole, or is provably delivered
I2  nothing partial is visible outside the places where mail is being written
I3  nothing is sent whose way through its plan is not proven
"""
from collections import Counter

from legs import Spool, sha256


class Promises:
    """accepted ID SHA256 LENGTH RECIPIENT,…   delivered ID.K   taken ID RECIPIENT,…   ordered ID.K WORD

    delivered: seki-deliver has synced the leg in sent/; taken: a server says that it has the mail; ordered: an operator
    was answered "done".
    """

    def __init__(self, texts):
        self.accepted, self.delivered, self.taken, self.ordered = {}, set(), Counter(), {}
        for word, ident, *more in (text.split() for text in texts):
            if word == "accepted":
                self.accepted[ident] = (more[0], int(more[1]), more[2].split(","))
            elif word == "taken":
                self.taken.update((ident, recipient) for recipient in more[0].split(","))
            elif word == "ordered":
                self.ordered.setdefault(ident, []).append(more[0])
            else:
                self.delivered.add(ident)

    def is_whole(self, ident, data):
        """Whether what a client sent stands at the end of `data`; it is not asked of strangers."""
        digest, length, _ = self.accepted.get(ident, (None, 0, []))
        return digest is None or sha256(data[-length:]) == digest


def hidden(leg):
    """A file that nobody takes for mail yet."""
    return leg.place == "tmp" or (leg.place.startswith("split/") and leg.path.name[0] == ".")


# ---- at once, before any program has run -------------------------------------------------------


def at_once(root, promises, talking):
    """`talking`: mail leaves by SMTP, and not into the Maildir."""
    spool = Spool(root)
    return (i2_nothing_partial(spool, promises) + i1_accepted_stands(spool, promises)
            + finish_is_kept(spool, promises)
            + (records_are_true(spool, promises) if talking else mails_are_kept(spool)))


def i2_nothing_partial(spool, promises):
    faults = ["%s: %s" % (leg.label(), leg.fault) for leg in spool.legs
              if leg.fault and not hidden(leg)]
    faults += ["%s is not what was sent" % leg.label() for leg in spool.legs
               if not leg.fault and not leg.emptied and not promises.is_whole(leg.id, leg.content)]
    faults += ["%s: mail damaged" % mail.path.name for mail in spool.mails
               if not promises.is_whole(mail.id, mail.data)]
    count = Counter((leg.id, leg.k) for leg in spool.legs)
    faults += ["%s.%s stands %d times" % (ident[-6:], k, n) for (ident, k), n in count.items() if n > 1]
    return faults


def i1_accepted_stands(spool, promises):
    return ["accepted %s: %s" % (ident[-6:], why) for ident, (_, _, recipients)
            in promises.accepted.items() if (why := missing(spool.of(ident), recipients))]


def missing(legs, recipients):
    """Why this is not the whole message, or None. Division goes one step deep here."""
    whole = [leg for leg in legs if not leg.fault and (not leg.emptied or leg.done())]
    parent = [leg for leg in whole if leg.k == "1"]
    if parent and not parent[0].place.startswith("split/"):
        return None
    # Its children are the message; without the parent, those not moved yet are nothing.
    children = [leg for leg in whole if leg.k != "1" and (parent or not hidden(leg))]
    if sorted(r for leg in children for r in leg.recipients) == sorted(recipients):
        return None
    seen = ", ".join("%s (%s)" % (leg.label(), leg.fault or "whole") for leg in legs)
    return "lost; there is %s" % (seen or "nothing")


def finish_is_kept(spool, promises):
    legs = {"%s.%s" % (leg.id, leg.k): leg for leg in spool.legs}
    faults = []
    for name in promises.delivered:
        leg = legs.get(name)
        if leg is None or leg.place not in ("sent", "deliver") or not leg.done():
            faults.append("delivered %s: %s" % (name[26:], "no record of it in " + leg.label()
                                                if leg else "no leg"))
    return faults


def mails_are_kept(spool):
    """Whoever stands in a record as delivered has the mail: it was durable before."""
    got = Counter((mail.id, mail.k, r) for mail in spool.mails for r in mail.recipients)
    return ["%s: delivered to %s, who has %d mails" % (leg.label(), r, got[leg.id, leg.k, r])
            for leg in spool.legs for n, r in enumerate(leg.recipients, 1)
            if n in leg.delivered and got[leg.id, leg.k, r] != 1]


def records_are_true(spool, promises):
    return ["%s: delivered to %s, and no server has it" % (leg.label(), r)
            for leg in spool.legs for n, r in enumerate(leg.recipients, 1)
            if n in leg.delivered and not promises.taken[leg.id, r]]


# ---- after seki-queue's recovery ---------------------------------------------------------------


def recovered(root, promises):
    spool = Spool(root)
    faults = ["%s: recovery left it" % leg.label() for leg in spool.legs if leg.place == "tmp"]
    faults += ["%s: not in new/" % leg.label() for leg in spool.legs if leg.place not in ("tmp", "new")]
    faults += ["accepted %s: not in new/" % ident[-6:] for ident in promises.accepted
               if [leg.place for leg in spool.of(ident)] != ["new"]]
    return faults + i2_nothing_partial(spool, promises) + i1_accepted_stands(spool, promises)


# ---- after all programs have brought everything to its end -------------------------------------


def fetch(root, promises):
    """Takes away the mail that is said to be delivered, as its reader does. A second delivery would
    otherwise find the first by its name and not be seen. Returns it: name -> recipients."""
    fetched = {}
    for mail in Spool(root).mails:
        if "%s.%s" % (mail.id, mail.k) in promises.delivered:
            fetched[mail.path.name] = mail
            mail.path.unlink()
    return fetched


def at_rest(root, promises, fetched):
    spool = Spool(root)
    mails = spool.mails + list(fetched.values())
    faults = ["%s: not at its end" % leg.label() for leg in spool.legs if leg.place != "sent"]
    faults += ["%s: delivered a second time" % mail.path.name for mail in spool.mails
               if mail.path.name in fetched]
    for ident, (_, _, recipients) in promises.accepted.items():
        got = Counter(r for mail in mails if mail.id == ident for r in mail.recipients)
        faults += ["accepted %s: %s got it %d times" % (ident[-6:], r, got[r])
                   for r in recipients if got[r] != 1]
    return faults + i2_nothing_partial(spool, promises) + i3_way_is_proven(spool, mails)


def at_rest_outside(root, promises, came):
    """The same where mail leaves by SMTP. `came`: what servers took since the power was there again."""
    spool = Spool(root)
    faults = ["%s: not at its end" % leg.label() for leg in spool.legs if leg.place != "sent"]
    faults += ["%s came, and is not what was sent" % ident[-6:] for ident, mail in came
               if not promises.is_whole(ident, mail.content)]
    again = Counter((ident, r) for ident, mail in came for r in mail.rcpts)
    for ident, (_, _, recipients) in promises.accepted.items():
        for r in recipients:
            before, after = promises.taken[ident, r], again[ident, r]
            # What was synced is not sent again; in between there is the window.
            most = 0 if "%s.1" % ident in promises.delivered else 1
            if before > 1 or after > most or before + after == 0:
                faults.append("accepted %s: %s got it %d times before and %d times after"
                              % (ident[-6:], r, before, after))
    return faults + i2_nothing_partial(spool, promises) + i3_way_is_proven(spool, [])


def i3_way_is_proven(spool, mails):
    sent = {(leg.id, leg.k): leg for leg in spool.legs if leg.place == "sent"}
    faults = ["%s: mail without a leg in sent/" % mail.path.name for mail in mails
              if (mail.id, mail.k) not in sent]
    faults += ["%s: not delivered to all" % leg.label() for leg in sent.values() if not leg.done()]
    faults += ["%s: a delivery that its plan does not prove" % leg.label() for leg in sent.values()
               if False in leg.proofs]
    return faults


# ---- mail that waits for people ----------------------------------------------------------------

INSERTED = "Checked.\n"
RECORDS = {"release": "held", "approve": "approved", "discard": "discarded", "reject": "discarded", "restore": "restored",
           "remove": "drop"}


def said_of(root):
    """What the audit has heard of, chained already or not: (ID.K, word)."""
    found = set()
    for path in [*(root / "lib/audit/log").iterdir(), *(root / "lib/audit/trays").iterdir()]:
        for line in path.read_bytes().split(b"\n"):
            words = dict(w.split(b"=", 1) for w in line.split() if b"=" in w)
            found.add((words.get(b"id", b"").decode(), words.get(b"what", b"").decode()))
    return found


def orders_hold(root, promises):
    """H1, H2, H4: what was answered "done" stands in the leg, and the audit has heard of it; nothing is in the outbox
    that the audit has not heard somebody release or approve."""
    spool, said = Spool(root), said_of(root)
    legs = {"%s.%s" % (leg.id, leg.k): leg for leg in spool.legs if not hidden(leg)}
    faults = []
    for name, words in promises.ordered.items():
        leg = legs.get(name)
        if leg is None:
            faults.append("ordered %s: no leg" % name[26:])
            continue
        faults += ["%s: %s was done, and is not written down" % (leg.label(), w) for w in words if RECORDS[w] not in leg.words]
        faults += ["%s: %s was done, and the audit does not know" % (leg.label(), w) for w in words if (name, w) not in said]
        if words[-1] in ("discard", "reject") and leg.verdict() != "discarded" and (name, "restore") not in said:
            faults.append("%s: was thrown away" % leg.label())
    return faults + released_only(spool, said) + rewritten_only(spool)


def released_only(spool, said):
    return ["%s: in the outbox, and nobody let it go" % mail.path.name for mail in spool.mails
            if not {(mail.id + "." + mail.k, w) for w in ("release", "approve")} & said]


def rewritten_only(spool):
    """Where a recipient was taken away he has nothing, and stands in no header; where a text was put in, once."""
    legs, faults = {(leg.id, leg.k): leg for leg in spool.legs}, []
    for mail in spool.mails:
        leg = legs.get((mail.id, mail.k))
        gone = [r for n, r in enumerate(leg.recipients, 1) if n in leg.dropped] if leg else []
        faults += ["%s: %s was taken away" % (mail.path.name, r) for r in gone
                   if r.encode() in mail.data.partition(b"\r\n\r\n")[0] or r in mail.recipients]
    for leg in spool.legs:
        times = leg.content.count(INSERTED.strip().encode())
        if not hidden(leg) and not leg.emptied and times != ("sealed" in leg.words):
            faults.append("%s: its text stands in it %d times" % (leg.label(), times))
    return faults


def at_rest_held(root, promises, fetched):
    spool = Spool(root)
    mails = spool.mails + list(fetched.values())
    faults = i2_nothing_partial(spool, promises) + i1_accepted_stands(spool, promises) + orders_hold(root, promises)
    faults += ["%s: delivered a second time" % mail.path.name for mail in spool.mails if mail.path.name in fetched]
    got = Counter((mail.id, mail.k, r) for mail in mails for r in mail.recipients)
    for leg in spool.legs:
        last = promises.ordered.get("%s.%s" % (leg.id, leg.k), ["none"])[-1]
        wanted = {"release": ("sent",), "approve": ("sent",), "restore": ("hold", "sent")}.get(last)
        # Its mail had gone, and its end was not written down yet: it is judged, and waits, anew (the duplicate window).
        gone = all(got[leg.id, leg.k, r] for n, r in enumerate(leg.recipients, 1) if n not in leg.dropped)
        if leg.place not in (wanted or ("hold", "approve", "trash", "sent")) and not (
                gone and leg.place in ("hold", "approve")):
            faults.append("%s: not at its end; ordered: %s" % (leg.label(), last))
        faults += ["%s: delivered to %s, who has %d mails" % (leg.label(), r, got[leg.id, leg.k, r])
                   for n, r in enumerate(leg.recipients, 1)
                   if leg.place == "sent" and got[leg.id, leg.k, r] != (n not in leg.dropped)]
    return faults
