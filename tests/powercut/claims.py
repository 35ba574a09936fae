"""What must hold of an image, given what had been promised when the power went (Q2).

I1  an accepted message stands in exactly one state, whole, or is provably delivered
I2  nothing partial is visible outside the places where mail is being written
I3  nothing is sent whose way through its plan is not proven
"""
from collections import Counter

from legs import Spool, sha256


class Promises:
    """accepted ID SHA256 LENGTH RECIPIENT,…  and  delivered ID.K"""

    def __init__(self, texts):
        self.accepted, self.delivered = {}, set()
        for word, ident, *more in (text.split() for text in texts):
            if word == "accepted":
                self.accepted[ident] = (more[0], int(more[1]), more[2].split(","))
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


def at_once(root, promises):
    spool = Spool(root)
    return (i2_nothing_partial(spool, promises) + i1_accepted_stands(spool, promises)
            + finish_is_kept(spool, promises))


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
    mails = Counter("%s.%s" % (mail.id, mail.k) for mail in spool.mails)
    faults = []
    for name in promises.delivered:
        leg = legs.get(name)
        if leg is None or leg.place not in ("sent", "deliver") or not leg.done():
            faults.append("delivered %s: %s" % (name[26:], "no record of it in " + leg.label()
                                                if leg else "no leg"))
        if mails[name] != 1:
            faults.append("delivered %s: %d mails" % (name[26:], mails[name]))
    return faults


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


def i3_way_is_proven(spool, mails):
    sent = {(leg.id, leg.k): leg for leg in spool.legs if leg.place == "sent"}
    faults = ["%s: mail without a leg in sent/" % mail.path.name for mail in mails
              if (mail.id, mail.k) not in sent]
    faults += ["%s: not delivered to all" % leg.label() for leg in sent.values() if not leg.done()]
    faults += ["%s: a delivery that its plan does not prove" % leg.label() for leg in sent.values()
               if False in leg.proofs]
    return faults
