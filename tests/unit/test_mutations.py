"""Thousands of messages that nobody meant, through "seki facts" as a user runs it, with sanitizers: no
crash, no hang, every message ends with facts (M1 to M9, M12, S1-13, S1-22). And messages made to be
expensive (M2), without.

SEKISHO_MUTATIONS=N makes another number of mutants, SEKISHO_MUTATION_SEED=N other ones. Programs are those of
build/ and build/sanitize/, made where they are missing; SEKISHO_BUILD=DIR, another folder than build."""

import base64
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIME = ROOT / "tests" / "mime"
sys.path.insert(0, str(MIME))

import mutate  # noqa: E402

COUNT = int(os.environ.get("SEKISHO_MUTATIONS", "4000"))
SEED = int(os.environ.get("SEKISHO_MUTATION_SEED", str(mutate.SEED)))
BUILD = pathlib.Path(os.environ.get("SEKISHO_BUILD", ROOT / "build"))
PROGRAMS = ("seki", "seki-inspect", "seki-convert")
JOBS = 2
KEPT = ROOT / "build" / "check" / "mutations"  # what failed, for whoever looks into it

# Why a mutant may be uninspectable: what is in it. Not: what became of the process that looked.
OURS_ALONE = {"crashed", "failed", "killed", "cpu", "time", "memory", "dictionary", "source", "unreachable", "refused", "stopped"}


def programs(variant):
    where = BUILD / variant / "bin"
    if "SEKISHO_BUILD" not in os.environ:
        made = subprocess.run(
            ["make", "-s", "-j2", *(["SANITIZE=1"] if variant else []),
             *(str((where / name).relative_to(ROOT)) for name in PROGRAMS)],
            cwd=ROOT, capture_output=True, text=True, timeout=1200,
            env={k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))})
        assert made.returncode == 0, made.stdout + made.stderr
    return where


def keep(files):
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir(parents=True)
    for file in files:
        shutil.copy(file, KEPT)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A root without an instance: no lists, no partners."""
    return tmp_path_factory.mktemp("root")


def facts(where, files, empty, seconds):
    """What is told, an object a message; what it took of the processor; what was said besides."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [where / "seki", "facts", "--json", *files], capture_output=True, timeout=seconds,
        env={"PATH": "/usr/bin:/bin", "SEKISHO_ROOT": str(empty), "LANG": "C.UTF-8", "ASAN_OPTIONS": "detect_leaks=0"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [json.loads(line) for line in done.stdout.splitlines()], spent, done.stderr.decode("utf-8", "replace")


# ---- mutants -----------------------------------------------------------------------------------


def faults_of(batch, told, said):
    """(file, what is wrong)."""
    faults = []
    if re.search(r"runtime error|ERROR: AddressSanitizer", said):
        faults.append((None, "\n".join(said.splitlines()[:40])))
    if [pathlib.Path(one["path"]) for one in told] != batch:
        return [*faults, (None, f"{len(told)} told of {len(batch)}: {said[:2000]}")]
    for file, one in zip(batch, told):
        reasons = {why["reason"] for why in one["uninspectable"]}
        if reasons & OURS_ALONE:
            faults.append((file, f"uninspectable: {sorted(reasons)}"))
        elif not reasons and one["message"]["size"] != file.stat().st_size:
            faults.append((file, "neither all facts nor uninspectable"))
    return faults


def test_a_fault_would_be_seen(tmp_path):
    file = tmp_path / "a.eml"
    file.write_bytes(b"\r\n")
    fine = {"path": str(file), "uninspectable": [], "message": {"size": 2}}
    assert faults_of([file], [fine], "") == []
    assert faults_of([file], [{**fine, "uninspectable": [{"reason": "damaged"}]}], "") == []
    assert faults_of([file], [], "")
    assert faults_of([file], [{**fine, "message": {"size": 0}}], "")
    assert faults_of([file], [{**fine, "uninspectable": [{"reason": "crashed"}]}], "")
    assert faults_of([file], [fine], "lib/x.c:1:1: runtime error: of some kind")
    assert faults_of([file], [fine], "==1==ERROR: AddressSanitizer: heap-buffer-overflow")


def test_mutants_end_with_facts(tmp_path, empty):
    """M1 to M9, M12: no crash, no hang, nothing in silence, whatever the bytes are."""
    where = programs("sanitize")
    assert mutate.main([str(tmp_path), str(COUNT), str(SEED)]) == 0
    files = sorted(tmp_path.glob("*.eml"))
    assert len(files) == COUNT
    batches = [files[i::JOBS] for i in range(JOBS)]  # preparing takes the sanitizers long
    with ThreadPoolExecutor(JOBS) as pool:
        results = list(pool.map(lambda batch: facts(where, batch, empty, 600), batches))

    faults = [fault for batch, (told, _, said) in zip(batches, results) for fault in faults_of(batch, told, said)]
    if faults:
        keep([file for file, _ in faults if file is not None])
    assert faults == [], f"kept in {KEPT}"
    everything = [one for told, _, _ in results for one in told]
    assert sum(1 for one in everything if one["uninspectable"]) > COUNT // 50
    assert sum(1 for one in everything if one["ambiguous"]) > COUNT // 10
    assert sum(1 for one in everything if one["files"]) > COUNT // 4
    assert sum(1 for one in everything if one["detectors"]) > COUNT // 50


# ---- expensive messages ------------------------------------------------------------------------

HEAD = b"From: a@example.co.jp\r\nTo: b@alpha.example\r\nMIME-Version: 1.0\r\n"
MANY = 100_000


def nested_multiparts(depth):
    head = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(depth))
    return HEAD + head + b"\r\n\r\ntext\r\n" + b"".join(b"--b%d--\r\n" % i for i in reversed(range(depth)))


def multipart(parts, kind=b"mixed"):
    return HEAD + b"Content-Type: multipart/" + kind + b"; boundary=b\r\n\r\n" + parts + b"--b--\r\n"


def single(fields, body):
    return HEAD + fields + b"\r\n\r\n" + body


def within_base64(content):
    return b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(content)


HTML = b"Content-Type: text/html; charset=utf-8"
PLAIN = b"Content-Type: text/plain; charset=utf-8"
FILE = b"Content-Type: application/octet-stream\r\nContent-Disposition: attachment"

# What reliability asks of M1 and M2, and more of the kind.
EXPENSIVE = {
    "depth-101": lambda: nested_multiparts(101),
    "depth-10000": lambda: nested_multiparts(10_000),
    "messages-101-deep": lambda: (HEAD + b"Content-Type: message/rfc822\r\n\r\n") * 101 + HEAD + b"\r\ntext\r\n",
    "messages-10000-deep": lambda: b"Content-Type: message/rfc822\r\n\r\n" * 10_000 + b"\r\ntext\r\n",
    "parts": lambda: multipart(b"--b\r\n\r\nx\r\n" * MANY),
    "parts-empty": lambda: multipart(b"--b\r\n" * MANY),
    "messages": lambda: multipart(b"--b\r\n\r\nSubject: x\r\n\r\nx\r\n" * MANY, b"digest"),
    "files": lambda: multipart((b"--b\r\n" + FILE + b"; filename=a.txt\r\n\r\nx\r\n") * MANY),
    "headers": lambda: HEAD + b"X: y\r\n" * 500_000 + b"\r\ntext\r\n",
    "headers-to": lambda: HEAD + b"To: b@alpha.example\r\n" * 500_000 + b"\r\ntext\r\n",
    "headers-type": lambda: HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n" * MANY + b"\r\n--b\r\n\r\nx\r\n--b--\r\n",
    "parameters": lambda: single(b"Content-Type: text/plain" + b"".join(b";\r\n p%d=x" % i for i in range(MANY)), b"x\r\n"),
    "parameters-same": lambda: single(FILE + b"; filename=a" * MANY, b"x\r\n"),
    "parameters-pieces": lambda: single(FILE + b"".join(b";\r\n filename*%d*=%%41" % i for i in range(MANY)), b"x\r\n"),
    "parameters-boundary": lambda: single(b"Content-Type: multipart/mixed" + b"".join(
        b"; boundary=b%d" % i for i in range(MANY)), b"".join(b"--b%d\r\n\r\nx\r\n" % i for i in range(MANY))),
    "words-begun": lambda: single(b"Subject: " + b"=?" * 1_000_000, b"x\r\n"),
    "words-begun-folded": lambda: single(b"Subject: " + b"=?utf-8?B?\r\n " * MANY, b"x\r\n"),
    "words": lambda: single(b"Subject: " + b"=?utf-8?Q?a?= " * MANY, b"x\r\n"),
    "words-in-to": lambda: single(b"Cc: " + b"=?" * 1_000_000, b"x\r\n"),
    "words-in-name": lambda: single(FILE + b'; filename="' + b"=?" * 1_000_000 + b'"', b"x\r\n"),
    "comments-open": lambda: single(b"Cc: " + b"(" * 1_000_000, b"x\r\n"),
    "quotes-open": lambda: single(b"Cc: " + b'"<' * 500_000, b"x\r\n"),
    "groups": lambda: single(b"Cc: " + b"g:" * 500_000, b"x\r\n"),
    "addresses": lambda: single(b"Cc: " + b"a@example.co.jp, " * MANY, b"x\r\n"),
    "delimiters-prefix": lambda: multipart(b"--b\r\n\r\n" + b"--bx\r\n" * MANY),
    "delimiters-bare-cr": lambda: multipart(b"--b\r\n\r\n" + b"x\r--b\r" * MANY),
    "header-blanks": lambda: HEAD + b" \r\nX: y\r\n" * MANY + b"\r\ntext\r\n",
    "long-line": lambda: single(PLAIN, b"x" * 10_000_000),
    "lines-empty": lambda: single(PLAIN, b"\r\n" * 2_000_000),
    "quotes-of-replies": lambda: single(PLAIN, b">" * 2_000_000 + b"\r\n" + b"> x\r\n" * MANY),
    "soft-breaks": lambda: single(PLAIN + b"\r\nContent-Transfer-Encoding: quoted-printable", b"=\r\n" * 1_000_000),
    "base64-junk": lambda: single(PLAIN + b"\r\nContent-Transfer-Encoding: base64", b"!A\r\n=" * 1_000_000),
    "escapes": lambda: single(b"Content-Type: text/plain; charset=iso-2022-jp", b"\x1b$B\x1b(B" * 500_000),
    "uuencode-begun": lambda: single(PLAIN, b"begin 644 a.txt\r\n" * MANY),
    "uuencode": lambda: single(PLAIN, b"begin 644 a\r\n$=&5X=```\r\n`\r\nend\r\n" * MANY),
    "html-deep": lambda: single(HTML, b"<div>" * 500_000),
    "html-attributes": lambda: single(HTML, b"<p " + b"".join(b"a%d=x " % i for i in range(MANY)) + b">x"),
    "html-tables": lambda: single(HTML, b"<table><tr><td>" * MANY),
    "html-format": lambda: single(HTML, b"<b><i><a href=x>" * MANY),
    "html-entities": lambda: single(HTML, b"&#x26;&amp;&notanentity" * MANY),
    "html-styles": lambda: single(HTML, b"<style>" + b".a{display:none}" * MANY + b"</style>x"),
    "digits": lambda: single(PLAIN, b"4111 1111 1111 1111 03-1234-5678 " * 30_000),
    "digits-alone": lambda: single(PLAIN, b"1" * 2_000_000),
    "digits-apart": lambda: single(PLAIN, b"0-" * 1_000_000),
    "mails": lambda: single(PLAIN, b"a@" * 1_000_000 + b"b.c"),
    "prefectures": lambda: single(PLAIN, "東京都千代田区".encode() * MANY),
    "honorifics": lambda: single(PLAIN, "様".encode() * 500_000),
    "soft-hyphens": lambda: single(PLAIN, "\u00ad\u200b".encode() * 500_000),
    "marks": lambda: single(PLAIN, b"a" + "\u3099".encode() * 500_000),
    "rtf-deep": lambda: single(FILE + b"; filename=a.rtf", b"{\\rtf1" + b"{" * 1_000_000),
    "xml-deep": lambda: single(FILE + b"; filename=a.xml", b"<?xml version='1.0'?>" + b"<a>" * 500_000),
}


@pytest.fixture(scope="module")
def plain():
    return programs("")


@pytest.fixture(scope="module")
def preparing(plain, empty, tmp_path_factory):
    """What "seki facts" spends before it looks at anything."""
    file = tmp_path_factory.mktemp("plain") / "plain.eml"
    file.write_bytes(HEAD + b"\r\ntext\r\n")
    return min(facts(plain, [file], empty, 60)[1] for _ in range(3))


@pytest.mark.parametrize("name", EXPENSIVE)
def test_expensive_messages_end_soon(name, plain, preparing, empty, tmp_path):
    """M1, M2: less than a second of the processor, or cut off and told."""
    file = tmp_path / f"{name}.eml"
    file.write_bytes(EXPENSIVE[name]())
    begun = time.monotonic()
    told, spent, said = facts(plain, [file], empty, 60)
    assert len(told) == 1 and time.monotonic() - begun < 30, said
    reasons = {why["reason"] for why in told[0]["uninspectable"]}
    assert not reasons & (OURS_ALONE - {"cpu", "time"}), reasons
    assert spent - preparing < 1.0 or reasons, f"{spent - preparing:.2f} s"
    print(f"{name}: {spent - preparing:.2f} s {sorted(reasons)}")
