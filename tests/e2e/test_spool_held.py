"""S0-10: what is held is stored on the gateway, and outlives every program of it."""
import re

from conftest import wait_for

MAIL = b"From: alice@example.co.jp\r\nTo: bob@partner.example\r\nSubject: held\r\n\r\n" + b"line of the body\r\n" * 500
SERVICES = ("seki-smtpd", "seki-queue", "seki-scan", "seki-hold", "seki-encrypt", "seki-stagger", "seki-deliver")


def held(gateway) -> list[str]:
    return re.findall(r"\b[0-9a-f]{32}\b", gateway.seki("list", "hold").stdout)


def test_S0_10_held_mail_outlives_the_programs(fresh_gateway):
    gateway = fresh_gateway(settings={"plan-states": "hold deliver", "plan-hold": "1h"})
    gateway.send(MAIL)
    wait_for(lambda: held(gateway))
    ids = held(gateway)
    before = gateway.seki("cat", ids[0]).stdout
    assert "Subject: held" in before

    pids = {name: gateway.pid(name) for name in SERVICES}
    for name in SERVICES:
        gateway.svc("-k", name)
    wait_for(lambda: all(gateway.pid(name) not in (None, 0, pids[name]) for name in SERVICES))

    gateway.wait_ready()
    assert held(gateway) == ids
    assert gateway.seki("cat", ids[0]).stdout == before
    assert gateway.delivered() == []
