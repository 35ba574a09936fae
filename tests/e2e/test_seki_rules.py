"""seki test, try, why, replay, rules, and the rule tests of check and reload: what rules would do, what they did, and which
line of which file it was. The first half needs no running instance: etc/ and the programs are enough (S2-38, to beat: a
trial before anything is in force)."""
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import conftest
from conftest import REPO, Gateway, clean_env, prepare, replace, wait_for
from test_spool_kit import STATES

BUILD = os.environ.get("SEKI_RULES_BUILD", "build")  # a tree of one's own while others build
ALICE, BOB, CAROL = "alice@example.co.jp", "bob@partner.example", "carol@example.co.jp"
TEMP, STAFF = "t@example.co.jp", "e@example.co.jp"
CARD = "4111111111111111"

ETC = {
    "etc/domains": "example.co.jp internal\ngroup.example affiliated\n",
    "etc/groups": "temps\nemployees\n",
    "etc/people": f"{ALICE}\n{CAROL}\n{TEMP} group=temps\n{STAFF} group=employees\n",
}
RULES = """# line 1
rule outsiders-wait
    to      external
    do      hold 60m

rule our-own-do-not-wait
    to      internal, affiliated
    do      hold no
"""
TEMPS = """rule temps-no-files
    from    group temps
    to      external
    file    any
    unless  header Cc group employees
    do      refuse "no files"
"""
CARDS = """rule card-numbers
    pii     card >= 1   in files
    do      hold for operator
"""
NIGHT = """rule not-at-night
    to      external
    when    19:00-09:30
    do      refuse "too late"
"""


def mail(subject: str = "a", sender: str = ALICE, to: str = BOB, head: str = "", body: str = "hi\r\n",
         files: dict[str, str] | None = None) -> bytes:
    top = f"From: <{sender}>\r\nTo: <{to}>\r\n{head}Subject: {subject}\r\nMIME-Version: 1.0\r\n"
    if not files:
        return f"{top}\r\n{body}".encode()
    parts = "".join(f"--b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename={name}\r\n\r\n{text}\r\n"
                    for name, text in files.items())
    return (f"{top}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n{body}{parts}"
            "--b--\r\n").encode()


def seki(root: Path, *args: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
    return subprocess.run([str(REPO / BUILD / "bin/seki"), "--root", str(root), *args], env=clean_env(), input="",
                          capture_output=True, text=True, timeout=120, cwd=cwd)


def write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, content)


@pytest.fixture
def office(tmp_path: Path) -> Callable[..., Path]:
    """The directory of an instance that was never started: etc/ alone."""
    if BUILD == "build":
        conftest.build_once(BUILD)

    def make(rules: dict[str, str], settings: str = "", **more: str) -> Path:
        root = tmp_path / "instance"
        shutil.rmtree(root, ignore_errors=True)
        write(root, {"etc/settings": "trial yes\ntime-zone Asia/Tokyo\n" + settings,
                     "etc/relay": conftest.RELAY} | ETC)
        (root / "etc/policy/must").mkdir(parents=True, exist_ok=True)
        write(root, {f"etc/policy/{name}": text for name, text in rules.items()} | more)
        return root
    return make


def put(folder: Path, raw: bytes, name: str = "mail.eml") -> str:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(raw)
    return str(folder / name)


def objects(done: subprocess.CompletedProcess) -> list[dict]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def tree(root: Path) -> dict[str, tuple]:
    return {str(p.relative_to(root)): (p.lstat().st_mtime_ns, p.lstat().st_mode, p.read_bytes() if p.is_file() else b"")
            for p in sorted(root.rglob("*"))}


# ---- test ------------------------------------------------------------------------------------------------


def test_every_recipient_is_told_with_class_outcome_line_and_rule(office: Callable[..., Path], tmp_path: Path) -> None:
    """S1-03, S0-37: the format of the manual: address, class, when it leaves; function, outcome, FILE:LINE, rule."""
    root = office({"must/50-external": RULES})
    done = seki(root, "test", "--at", "2026-11-22 18:35:01",
                put(tmp_path, mail(head=f"Cc: {CAROL}\r\nBcc: x@group.example\r\n")))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].endswith(f"mail.eml   from {ALICE}, 2026-11-22 18:35:01 +0900")
    assert lines[1] == f"{BOB}   external, leaves 2026-11-22 19:35:01 +0900"
    assert re.fullmatch(r"  hold  60m  must/50-external:2  outsiders-wait *", lines[2])
    assert lines[3] == f"{CAROL}   internal, leaves at once"
    assert re.fullmatch(r"  hold  no  must/50-external:6  our-own-do-not-wait *", lines[4])
    assert lines[5] == "x@group.example   affiliated, leaves at once"
    assert len(lines) == 7


def test_json_has_an_object_for_each_decision(office: Callable[..., Path], tmp_path: Path) -> None:
    root = office({"must/50-external": RULES})
    path = put(tmp_path, mail())
    for words in (["-j", "test"], ["test", "-j"]):
        found = objects(seki(root, *words, "--to", BOB, "--to", "y@elsewhere.example", "--to", CAROL, path))
        assert [(o["rcpt"], o["class"], o["function"], o["outcome"], o["rule"], o["name"], o["would"]) for o in found] == [
            (BOB, "external", "hold", "60m", "must/50-external:2", "outsiders-wait", None),
            ("y@elsewhere.example", "external", "hold", "60m", "must/50-external:2", "outsiders-wait", None),
            (CAROL, "internal", "hold", "no", "must/50-external:6", "our-own-do-not-wait", None)]
        assert {o["path"] for o in found} == {path}


def test_content_is_looked_into_and_evidence_is_masked(office: Callable[..., Path], tmp_path: Path) -> None:
    """S1-28, S4-03: a card number in a file; what was found is shown, and not as itself."""
    root = office({"must/60-cards": CARDS})
    found = objects(seki(root, "test", "-j", put(tmp_path, mail(files={"list.csv": f"card,{CARD}"}))))
    assert [(o["function"], o["outcome"], o["rule"]) for o in found] == [("hold", "for operator", "must/60-cards:1")]
    assert "card" in found[0]["evidence"] and CARD not in found[0]["evidence"]
    assert found[0]["fate"].startswith("waits: an operator")
    assert objects(seki(root, "test", "-j", put(tmp_path, mail(body=CARD + "\r\n"))))[0]["function"] is None


def test_time_is_the_sites_and_to_the_second(office: Callable[..., Path], tmp_path: Path) -> None:
    """S1-23: 19:00:00 is in, 18:59:59 is not, 09:29:59 is in, 09:30:00 is not, in the zone of the site."""
    root = office({"must/10-night": NIGHT})
    path = put(tmp_path, mail())
    for at, refused in (("2026-11-24 18:59:59", False), ("2026-11-24 19:00:00", True), ("2026-11-24 00:00:00", True),
                        ("2026-11-24 09:29:59", True), ("2026-11-24 09:30:00", False), ("2026-11-24T10:00:00Z", True),
                        ("2026-11-24 09:59:59Z", False)):
        done = seki(root, "test", "--at", at, path)
        assert done.returncode == 0, done.stderr
        assert ("refused: too late" in done.stdout) == refused, at
    assert seki(root, "test", "--at", "tomorrow", path).returncode == 100


def test_shadow_and_watch_only_are_told_as_would(office: Callable[..., Path], tmp_path: Path) -> None:
    root = office({"must/50-external": RULES.replace("outsiders-wait", "outsiders-wait shadow")})
    path = put(tmp_path, mail())
    found = objects(seki(root, "test", "-j", path))
    assert [(o["outcome"], o["would"], o["fate"]) for o in found] == [("60m", "shadow", "leaves at once")]
    assert re.search(r"^  would hold  60m .*\(shadow\)", seki(root, "test", path).stdout, flags=re.M)
    root = office({"must/50-external": RULES}, "watch-only yes\n")
    found = objects(seki(root, "test", "-j", path))
    assert [(o["outcome"], o["would"], o["fate"]) for o in found] == [("60m", "watch-only", "leaves at once")]


def test_other_rules_in_the_place_of_etc_policy_and_nothing_is_changed(office: Callable[..., Path], tmp_path: Path) -> None:
    root = office({"must/50-external": RULES})
    write(tmp_path, {"other/must/50-external": RULES.replace("60m", "5m")})
    put(tmp_path, mail())
    before, left = tree(root), set(Path("/tmp").glob("seki-*"))
    done = seki(root, "test", "-j", "--policy", "other", "mail.eml", cwd=tmp_path)
    assert [o["outcome"] for o in objects(done)] == ["5m"], done.stderr
    assert [o["outcome"] for o in objects(seki(root, "test", "-j", "mail.eml", cwd=tmp_path))] == ["60m"]
    assert tree(root) == before
    assert set(Path("/tmp").glob("seki-*")) == left


def test_faults_are_named_with_file_line_and_near_word(office: Callable[..., Path], tmp_path: Path) -> None:
    root = office({"must/20-temps": TEMPS.replace("group temps", "group temp")})
    for words in (["test", put(tmp_path, mail())], ["check"]):
        done = seki(root, *words)
        assert done.returncode == 102
        assert re.search(r"must/20-temps:2:\d+: .*temp.*near: temps", done.stderr), done.stderr


def test_what_cannot_be_tested_is_said(office: Callable[..., Path], tmp_path: Path) -> None:
    root = office({"must/50-external": RULES})
    done = seki(root, "test", str(tmp_path / "missing"), put(tmp_path, mail()))
    assert done.returncode == 1 and "missing" in done.stderr and BOB in done.stdout
    done = seki(root, "test", put(tmp_path, b"From: <a@b>\r\nSubject: nobody\r\n\r\nhi\r\n"))
    assert done.returncode == 1 and "--to" in done.stderr
    assert seki(tmp_path / "no-instance", "test", put(tmp_path, mail())).returncode == 111
    assert seki(root, "test").returncode == 100
    assert seki(root, "test", "--form", "x", "y").returncode == 100


def test_history_that_nobody_tells_is_unknown_and_the_mail_would_wait(office: Callable[..., Path], tmp_path: Path) -> None:
    """S1-20: seki-db does not run here."""
    root = office({"must/50-first": "rule first-time\n    to first-time\n    do hold 60m\n"})
    done = seki(root, "test", put(tmp_path, mail()))
    assert done.returncode == 0
    assert "waits: an operator" in done.stdout and "seki-db" in done.stderr


# ---- try -------------------------------------------------------------------------------------------------


def test_try_attaches_files_under_their_names(office: Callable[..., Path], tmp_path: Path) -> None:
    """S1-07, S1-13: without an .eml; a name in Japanese, as mail programs write it."""
    rules = 'rule names\n    file name *名簿*.xlsx\n    do refuse "名簿は送れません。"\n'
    root = office({"must/20-names": rules})
    (tmp_path / "社員名簿 1.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    (tmp_path / "a.txt").write_text("hello\n")
    done = seki(root, "try", ALICE, BOB, "社員名簿 1.xlsx", "a.txt", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "refused: 名簿は送れません。" in done.stdout and "must/20-names:1" in done.stdout
    done = seki(root, "try", ALICE, BOB, "a.txt", cwd=tmp_path)
    assert "leaves at once" in done.stdout, done.stdout + done.stderr


def test_try_takes_cc_bcc_subject_and_text(office: Callable[..., Path], tmp_path: Path) -> None:
    """S1-07: an employee in Cc lets temporary staff send files; one in Bcc does not."""
    root = office({"must/20-temps": TEMPS,
                   "must/30-words": 'rule secret\n    words "機密", "secret" in subject, body\n    do hold for operator\n'})
    (tmp_path / "a.csv").write_text("a,b\n")
    refused = seki(root, "try", TEMP, BOB, "a.csv", cwd=tmp_path)
    assert "refused: no files" in refused.stdout, refused.stderr
    assert "refused" not in seki(root, "try", "--cc", STAFF, TEMP, BOB, "a.csv", cwd=tmp_path).stdout
    done = seki(root, "try", "--bcc", STAFF, TEMP, BOB, "a.csv", cwd=tmp_path)
    assert "refused" in done.stdout and STAFF in done.stdout
    for words in (["--subject", "これは機密です。" * 20], ["--text", "top secret\n"]):
        assert "waits: an operator" in seki(root, "try", *words, ALICE, BOB).stdout
    assert "waits" not in seki(root, "try", ALICE, BOB).stdout


def test_try_says_what_is_wrong(office: Callable[..., Path], tmp_path: Path) -> None:
    root = office({})
    assert seki(root, "try", ALICE).returncode == 100
    assert seki(root, "try", ALICE, BOB, "missing.txt", cwd=tmp_path).returncode == 1
    assert seki(root, "try", "<>", BOB).returncode == 0


# ---- rule tests ------------------------------------------------------------------------------------------

GREEN = f"""# S1-07
test temps-send-no-files
    from     {TEMP}
    to       {BOB}
    attach   a.csv
    expect   refused "no files"

test with-an-employee
    from     {TEMP}
    to       {BOB}
    cc       {STAFF}
    attach   a.csv
    expect   passed
    expect   {BOB} hold 60m rule outsiders-wait
    expect   {STAFF} hold no

test inline
    message
        From: {ALICE}
        To: {BOB}
        Subject: a

        hi
    expect   all hold 60m
    expect   all refuse nothing

test beside
    message  m.eml
    expect   passed
"""


def with_tests(office: Callable[..., Path], text: str, extra: dict[str, str] | None = None) -> Path:
    root = office({"must/20-temps": TEMPS, "must/50-external": RULES, "tests/10-temps.test": text} | (extra or {}))
    (root / "etc/policy/tests/a.csv").write_text("a,b\n")
    (root / "etc/policy/tests/m.eml").write_bytes(mail())
    return root


def test_green_rule_tests_pass_check(office: Callable[..., Path]) -> None:
    root = with_tests(office, GREEN)
    done = seki(root, "check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_red_rule_test_says_expected_got_and_the_rule(office: Callable[..., Path]) -> None:
    root = with_tests(office, f"test red\n    from {ALICE}\n    to {BOB}\n    expect {BOB} hold 5m\n    expect refused\n"
                              f"    expect {CAROL} nothing\n    expect {BOB} zip\n    expect {BOB} would hold 60m\n")
    done = seki(root, "check")
    assert done.returncode == 1
    said = done.stderr.splitlines()
    assert said[0] == f"etc/policy/tests/10-temps.test:4: test red: expected {BOB} hold 5m"
    assert said[1] == f"    for {BOB}"
    assert re.fullmatch(r"    got hold 60m, by must/50-external:2 outsiders-wait.*", said[2])
    assert said[3:5] == ["etc/policy/tests/10-temps.test:5: test red: expected refused",
                         "    got passed: no rule refuses it"]
    assert said[5:7] == [f"etc/policy/tests/10-temps.test:6: test red: expected {CAROL} nothing",
                         "    no such recipient"]
    assert said[7:10] == [f"etc/policy/tests/10-temps.test:7: test red: expected {BOB} zip", f"    for {BOB}",
                          "    got nothing: no rule decides it"]
    assert "would hold 60m" in said[10]


def test_a_rule_test_knows_the_past_that_it_says(office: Callable[..., Path]) -> None:
    """S1-20, S2-38: first mail, a look-alike; nothing is asked of seki-db, which does not run."""
    rules = ("rule first-time\n    to first-time\n    do hold 60m\n"
             "rule look-alike\n    to lookalike\n    do approve by boss\n")
    test = (f"test past\n    from {ALICE}\n    to {BOB} x@new.example y@partner.exarnple\n    known {BOB}\n"
            f"    lookalike y@partner.exarnple\n    expect {BOB} hold nothing\n    expect x@new.example hold 60m\n"
            "    expect x@new.example approve nothing\n    expect y@partner.exarnple approve by boss\n")
    root = office({"must/50-first": rules, "tests/a.test": test})
    done = seki(root, "check")
    assert done.returncode == 0, done.stderr


def test_a_rule_test_is_of_its_own_time(office: Callable[..., Path]) -> None:
    """S1-23: at the second; without a time it is noon of a Wednesday."""
    test = "".join(f"test t{i}\n    from {ALICE}\n    to {BOB}\n    {at}\n    expect {what}\n" for i, (at, what) in enumerate([
        ("", "passed"), ("at 2026-11-24 18:59:59", "passed"), ("at 2026-11-24 19:00:00", 'refused "too late"'),
        ("at 2026-11-24 09:29:59", "refused"), ("at 2026-11-24 09:30:00", "passed")]))
    root = office({"must/10-night": NIGHT, "tests/a.test": test})
    done = seki(root, "check")
    assert done.returncode == 0, done.stderr


def test_a_faulty_rule_test_is_named_with_line_and_column(office: Callable[..., Path]) -> None:
    root = with_tests(office, "test a\n    form x@y\n")
    done = seki(root, "check")
    assert done.returncode == 102
    assert 'etc/policy/tests/10-temps.test:2:5: no line of a test begins with "form"; near: from' in done.stderr
    root = with_tests(office, f"test a\n    from {ALICE}\n    to {BOB}\n    attach gone.csv\n    expect passed\n")
    done = seki(root, "check")
    assert done.returncode == 102 and "gone.csv" in done.stderr


# ---- in a running instance -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gw() -> Iterator[Gateway]:
    if BUILD != "build":
        conftest._built.add(BUILD)
    made = prepare({"time-zone": "Asia/Tokyo", "foreign-sender": "allow"}, submission=False,
                   files=ETC | {"etc/policy/must/50-external": RULES, "etc/policy/must/20-temps": TEMPS})
    made.build = BUILD
    try:
        yield made.start()
    finally:
        made.stop()


def legs_of(gw: Gateway, subject: str) -> dict[str, str]:
    """Of the mail with that subject: ID.K and the state of each leg."""
    found = gw.seki("-j", "find", "--subject", subject)
    return {o["leg"]: o["state"] for o in map(json.loads, found.stdout.splitlines())}


def sent(gw: Gateway, subject: str, states: set[str], **more) -> dict[str, str]:
    """Sends it, and waits until its legs stand in just these states."""
    to = more.pop("rcpt", [BOB])
    gw.send(mail(subject, **more), sender=more.get("sender", ALICE), to=to)
    return wait_for(lambda: (legs := legs_of(gw, subject)) if set((legs := legs_of(gw, subject)).values()) == states else None,
                    why=f"{subject} in {states}")


def test_why_tells_each_leg_by_which_line(gw: Gateway) -> None:
    """S0-37: held and delivered legs of one message, with the time of the site."""
    legs = sent(gw, "why-two", {"hold", "sent"}, head=f"Cc: {CAROL}\r\n", rcpt=[BOB, CAROL])
    identity = next(iter(legs)).split(".")[0]
    done = gw.seki("why", identity)
    assert done.returncode == 0, done.stderr
    assert re.search(rf"^{BOB}   external, leaves \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d \+0900$", done.stdout, flags=re.M)
    assert re.search(r"^  hold  60m  must/50-external:2  outsiders-wait", done.stdout, flags=re.M)
    assert re.search(rf"^{CAROL}   internal, delivered \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d \+0900$", done.stdout, flags=re.M)
    assert re.search(r"^  hold  no  must/50-external:6  our-own-do-not-wait", done.stdout, flags=re.M)
    digest = re.search(r"by rules ([0-9a-f]{16})", done.stdout).group(1)
    assert os.readlink(gw.root / "lib/compiled/current").rpartition("/")[2].startswith(digest)
    held = next(leg for leg, state in legs.items() if state == "hold")
    one = [json.loads(line) for line in gw.seki("-j", "why", held).stdout.splitlines()]
    assert [(o["leg"], o["rcpt"], o["outcome"], o["rule"]) for o in one] == [(held, BOB, "60m", "must/50-external:2")]


def test_why_tells_a_refusal_and_who_was_told(gw: Gateway) -> None:
    """S1-07, S0-35: which rule refused it, why, and the notice that the sender got."""
    legs = sent(gw, "why-refused", {"refused"}, sender=TEMP, files={"a.csv": "a,b"})
    leg = next(iter(legs))
    wait_for(lambda: "(notice " in gw.seki("why", leg).stdout, why="a notice")
    said = gw.seki("why", leg).stdout
    assert re.search(r"^refused by must/20-temps:1 temps-no-files; the sender is told \(notice \S+\)$", said, flags=re.M)
    assert re.search(rf"^{BOB}   external, refused [-0-9: ]+\+0900: no files$", said, flags=re.M)
    assert re.search(r"^  refuse .*must/20-temps:1 +temps-no-files", said, flags=re.M)


def test_why_of_what_is_not_there(gw: Gateway) -> None:
    assert gw.seki("why", "0" * 32).returncode == 1
    assert gw.seki("why").returncode == 100


def test_rules_of_an_old_decision_are_kept(gw: Gateway) -> None:
    """A leg names the set of rules that decided; its very lines can be read after they have changed."""
    leg = next(iter(sent(gw, "old-rules", {"hold"})))
    digest = re.search(r"by rules ([0-9a-f]{16})", gw.seki("why", leg).stdout).group(1)
    try:
        write(gw.root, {"etc/policy/must/50-external": "# other\n" + RULES})
        assert gw.seki("reload").returncode == 0
        rows = [line.split("\t") for line in gw.seki("rules").stdout.splitlines()]
        assert [row[3] for row in rows if row[0] == digest] == ["kept"] and [row[3] for row in rows].count("current") == 1
        assert "must/50-external:2\trule outsiders-wait" in gw.seki("rules", digest).stdout.splitlines()
        assert "must/50-external:2" in gw.seki("why", leg).stdout
    finally:
        write(gw.root, {"etc/policy/must/50-external": RULES})
        assert gw.seki("reload").returncode == 0
    assert gw.seki("rules", "ffff0000").returncode == 1


def test_what_is_not_reloaded_is_tested_and_not_in_force(gw: Gateway, tmp_path: Path) -> None:
    path = put(tmp_path, mail())
    try:
        write(gw.root, {"etc/policy/must/50-external": RULES.replace("60m", "7m")})
        assert [o["outcome"] for o in objects(gw.seki("test", "-j", path))] == ["7m"]
        leg = next(iter(sent(gw, "not-reloaded", {"hold"})))
        assert " 60m " in gw.seki("why", leg).stdout
        done = gw.seki("replay", path)
        assert done.returncode == 0, done.stderr
        assert "  - hold  60m" in done.stdout and "  + hold  7m" in done.stdout
        assert done.stdout.splitlines()[-1] == "1 of 1 messages change fate"
    finally:
        write(gw.root, {"etc/policy/must/50-external": RULES})


def test_a_red_rule_test_blocks_a_reload(gw: Gateway) -> None:
    """Nothing is compiled, nobody is told: the rules in force stay in force."""
    current, nonce = os.readlink(gw.root / "lib/compiled/current"), (gw.root / "run/reload")
    before = nonce.read_text() if nonce.exists() else None
    kept = set(os.listdir(gw.root / "lib/compiled"))
    try:
        write(gw.root, {"etc/policy/must/50-external": RULES.replace("60m", "7m"),
                        "etc/policy/tests/a.test": f"test a\n    from {ALICE}\n    to {BOB}\n    expect {BOB} hold 60m\n"})
        for words in (["check"], ["compile"], ["reload"]):
            done = gw.seki(*words)
            assert done.returncode == 1, words
            assert "expected bob@partner.example hold 60m" in done.stderr and "got hold 7m" in done.stderr
        assert os.readlink(gw.root / "lib/compiled/current") == current
        assert set(os.listdir(gw.root / "lib/compiled")) == kept
        assert (nonce.read_text() if nonce.exists() else None) == before
    finally:
        (gw.root / "etc/policy/tests/a.test").unlink()
        write(gw.root, {"etc/policy/must/50-external": RULES})
    assert gw.seki("reload").returncode == 0


def test_replay_of_folders_legs_and_what_is_gone(gw: Gateway, tmp_path: Path) -> None:
    """S2-38: what would change, and no more; a delivered leg has no content any more."""
    box = tmp_path / "box"
    put(tmp_path, b"", "unused")
    for folder in ("new", "cur", "tmp"):
        (box / folder).mkdir(parents=True)
    for n in range(3):
        put(box / "cur", mail(f"n{n}", to=BOB if n == 0 else CAROL), f"{n}.eml")
    put(box / "tmp", mail("unfinished"), "x")
    os.symlink(box / "cur", box / "again")
    other = tmp_path / "other"
    write(tmp_path, {"other/must/50-external": RULES.replace("60m", "5m")})
    done = gw.seki("replay", "--policy", str(other), str(box))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "1 of 3 messages change fate"
    assert CAROL not in done.stdout and "0.eml" in done.stdout

    legs = sent(gw, "replay-leg", {"hold", "sent"}, head=f"Cc: {CAROL}\r\n", rcpt=[BOB, CAROL])
    wait_for(lambda: all("removed" in gw.seki("show", leg).stdout for leg, state in legs.items() if state == "sent"),
             why="a sent leg without its content")
    done = gw.seki("replay", "-j", "--policy", str(other), next(iter(legs)).split(".")[0])
    found = objects(done)
    assert [(o["change"], o["outcome"]) for o in found[:-1]] == [("-", "60m"), ("+", "5m")]
    assert (found[-1]["messages"], found[-1]["changed"], found[-1]["unknown"]) == (2, 1, 0)

    write(tmp_path, {"other/must/40-cards": CARDS})
    done = gw.seki("replay", "--policy", str(other), *legs)
    assert done.stdout.splitlines()[-1] == "1 of 2 messages change fate; of 1 it cannot be known: no content"
    assert "content was removed" in done.stderr


def test_legs_in_files_are_replayed_as_legs(gw: Gateway, tmp_path: Path) -> None:
    write(tmp_path, {"other/must/50-external": RULES.replace("60m", "5m")})
    leg = next(iter(sent(gw, "leg-file", {"hold"})))
    path = next(p for state in STATES for p in gw.spool(state) if leg in p.name)
    done = gw.seki("replay", "--policy", str(tmp_path / "other"), str(path))
    assert done.stdout.splitlines()[-1] == "1 of 1 messages change fate", done.stderr
