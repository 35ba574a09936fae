"""N17, I1: a message on its way through every state, and divided."""
from conftest import wait_for
from test_spool_kit import digest, leg, mail, new_id, plan, places, put, stamp, later, due, wait_in, waiting, words

ALL = "approve hold encrypt stagger deliver"
BODY = (b"Subject: states\r\nX-Odd: \x80\xff\r\n\r\n.dot\r\n\r\n-- 0196c0ffee4f2c1d8a31b7e09c55d210\r\n"
        b"plan 1 sha256=0000000000000000\r\n deliver\r\n" + b"x" * 70000 + b"\r\n")


def content_of(delivered: bytes) -> bytes:
    """A delivered mail without the lines of its delivery and without Received."""
    return delivered.split(b" +0000\r\n", 1)[1]


def test_N17_through_all_states(fresh_gateway):
    """Every stage closes its step before it moves the leg on, and the bytes stay the same (I1)."""
    gw = fresh_gateway(settings={"plan-states": ALL})
    gw.send(BODY)
    got = gw.wait_delivered(lambda m: b"Subject: states" in m)
    assert [content_of(m) for m in got] == [BODY]

    sent = waiting(gw, "sent")
    assert len(sent) == 1
    wait_for(lambda: b" emptied " in sent[0].read_bytes(), why="emptied")
    whole = sent[0].read_bytes()
    leg_id = sent[0].name.split(".")[0]
    assert words(whole, leg_id) == ["plan", "approved", "held", "sealed", "staggered", "delivered", "emptied"]
    lines = " approve no\n hold no\n encrypt keep\n stagger no\n deliver\n"
    assert whole.count(f" plan={digest(leg_id, '1', lines)}".encode()) == 5
    assert b"x" * 100 not in whole and b"Subject: states" in whole
    assert places(gw, leg_id) == [("sent", f"{leg_id}.1")]


def test_N17_divided(fresh_gateway):
    """A leg for each recipient, or for each domain; each bears its own recipients and no other."""
    gw = fresh_gateway(settings={"plan-divide": "recipient", "plan-states": ALL, "legs-max": "5"})
    to = ["a@one.example", "b@two.example", "c@ONE.example", "d@three.example"]
    gw.send(mail("by-recipient"), to=to)
    got = gw.wait_delivered(lambda m: b"by-recipient" in m, 4)
    assert sorted(m.split(b"Delivered-To: ")[1].split(b"\r\n")[0].decode() for m in got) == sorted(to)
    assert all(m.count(b"Delivered-To: ") == 1 for m in got)
    names = sorted(p.name.split(".", 1)[1] for p in waiting(gw, "sent", 4))
    assert names == ["1.1", "1.2", "1.3", "1.4"]
    wait_for(lambda: not any((gw.root / "spool/split/scan").iterdir()), why="split/ empty")

    gw.setting(plan_divide="domain")
    assert gw.seki("reload").returncode == 0
    gw.send(mail("by-domain"), to=to)
    got = gw.wait_delivered(lambda m: b"by-domain" in m, 3)
    assert sorted(m.count(b"Delivered-To: ") for m in got) == [1, 1, 2]

    # Above legs-max the message waits for the operator: an alarm, and nothing is sent.
    gw.setting(plan_divide="recipient")
    assert gw.seki("reload").returncode == 0
    gw.send(mail("too-many"), to=[f"r{n}@x.example" for n in range(6)])
    line = gw.wait_log("seki-scan", "legs-max")
    assert "alarm=yes" in line
    leg_id = line.split("id=")[1].split(".")[0]
    assert [state for state, _ in places(gw, leg_id)] == ["new"]
    assert not any(b"too-many" in m for m in gw.delivered())
    assert not any((gw.root / "spool/split/scan").iterdir())

    # The limit raised and looked at again: all of them.
    gw.setting(legs_max="50")
    assert gw.seki("reload").returncode == 0
    gw.svc("-t", "seki-scan")
    gw.wait_delivered(lambda m: b"too-many" in m, 6)


def test_I3_judged_again(fresh_gateway):
    """What a leg cannot prove about itself sends it back, never on."""
    gw = fresh_gateway(settings={"plan-states": ALL, "plan-hold": "1h"})
    lines = f" hold until={stamp(later(hours=2))}\n deliver\n"

    def standing(trailer: str, state: str) -> str:
        """A leg of two recipients put into `state`; where it must come to rest is hold/."""
        leg_id = new_id()
        put(gw, state, f"{due()}.{leg_id}.1", leg(leg_id, mail("I3-" + leg_id), trailer.replace("ID", leg_id)))
        return leg_id

    legs = [standing("", state) for state in ("approve", "hold", "encrypt", "stagger", "deliver")]
    other = new_id()
    legs.append(standing(plan(other, lines), "deliver"))  # a plan of another leg
    own = new_id()
    whole = plan(own, lines)
    for cut in range(1, len(whole), 7):  # a plan that is not whole
        leg_id = new_id()
        put(gw, "hold", f"{due()}.{leg_id}.1", leg(leg_id, mail("I3-cut"), plan(leg_id, lines)[:cut]))
        legs.append(leg_id)
    leg_id = new_id()  # a whole one, whose hold has not been closed
    put(gw, "deliver", f"{due()}.{leg_id}.1", leg(leg_id, mail("I3-open"), plan(leg_id, lines)))
    legs.append(leg_id)
    leg_id = new_id()  # closed, but for another plan
    put(gw, "deliver", f"{due()}.{leg_id}.1",
        leg(leg_id, mail("I3-forged"), plan(leg_id, lines) + f"{stamp()} held plan=0123456789abcdef\n"))
    legs.append(leg_id)
    for leg_id in legs:
        wait_in(gw, leg_id, "hold")
    assert gw.delivered() == []
