"""S1-07: temporary staff sends no files outside unless an employee reads along; the message that is refused goes to
nobody, its sender hears why, and "seki why" names the line that decided."""
from collections.abc import Iterator

import pytest

from conftest import Gateway, wait_for
from facts_kit import attached, mail, text
from rules_kit import OWN, delivered_to, instance, notices, one, put_rules, rest, send

TEMP, EMPLOYEE, OUTSIDE = f"t@{OWN}", f"e@{OWN}", "bob@partner.example"
REASON = "派遣社員は社外へファイルを送れません。"
RULES = f'''# Who may send files outside.
rule temps-no-files
    from    group temps
    to      external
    file    any
    unless  header Cc group employees
    do      refuse "{REASON}"
'''
WHERE = "must/50-temps:2"


@pytest.fixture(scope="module")
def gw() -> Iterator[Gateway]:
    it = instance()
    try:
        it.start()
        for who, group in ((TEMP, "temps"), (EMPLOYEE, "employees")):
            done = it.seki("people", "add", who, "--group", group)
            assert done.returncode == 0, done.stderr
        put_rules(it, {"must/50-temps": RULES})
        yield it
    finally:
        it.stop()


def with_file(tag: str, cc: str = "", sender: str = TEMP) -> bytes:
    return mail(text("See attached."), attached(b"a,b\r\n", "a.csv"),
                head=f"From: {sender}\r\nTo: {OUTSIDE}\r\n{f'Cc: {cc}' + chr(13) + chr(10) if cc else ''}", subject=tag)


def test_S1_07_alone_it_is_refused_and_the_sender_told_why(gw: Gateway) -> None:
    leg_id = send(gw, "alone", OUTSIDE, TEMP, with_file("alone"))
    leg = one(gw, leg_id, "refused")
    [refused] = leg.of("refused")
    assert refused["where" if "where" in refused else "rule"] == WHERE and refused["why"] == REASON
    [notice] = wait_for(lambda: notices(gw, "alone", TEMP), 30, "a notice")
    assert REASON.encode() in notice or b"base64" in notice
    assert delivered_to(gw, leg_id) == []


def test_S1_07_with_an_employee_in_cc_it_passes(gw: Gateway) -> None:
    leg_id = send(gw, "watched", [OUTSIDE, EMPLOYEE], TEMP, with_file("watched", EMPLOYEE))
    assert {leg.state for leg in rest(gw, leg_id)} == {"sent"}
    assert delivered_to(gw, leg_id) == sorted([OUTSIDE, EMPLOYEE])


@pytest.mark.parametrize("tag, sender, to, raw", [
    ("no-file", TEMP, OUTSIDE, b""),
    ("employee", EMPLOYEE, OUTSIDE, with_file("employee", sender=EMPLOYEE)),
    ("inside", TEMP, EMPLOYEE, with_file("inside")),
])
def test_S1_07_whom_it_does_not_concern(gw: Gateway, tag: str, sender: str, to: str, raw: bytes) -> None:
    leg_id = send(gw, tag, to, sender, raw)
    assert [leg.state for leg in rest(gw, leg_id)] == ["sent"]


def test_S1_07_in_to_instead_of_cc_is_not_enough(gw: Gateway) -> None:
    raw = with_file("in-to").replace(f"To: {OUTSIDE}".encode(), f"To: {OUTSIDE}, {EMPLOYEE}".encode())
    one(gw, send(gw, "in-to", [OUTSIDE, EMPLOYEE], TEMP, raw), "refused")


def test_S1_32_seki_why_names_the_line(gw: Gateway) -> None:
    leg_id = send(gw, "why", OUTSIDE, TEMP, with_file("why"))
    one(gw, leg_id, "refused")
    for name in (leg_id, leg_id[:16]):
        done = gw.seki("why", name)
        assert done.returncode == 0, done.stderr
        [line] = [line for line in done.stdout.splitlines() if "refuse" in line.split()[:1]]
        assert WHERE in line and "temps-no-files" in line, done.stdout
        assert OUTSIDE in done.stdout
