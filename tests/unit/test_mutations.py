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

COUNT = int(os.environ.get("SEKISHO_MUTATIONS", "1500"))
SEED = int(os.environ.get("SEKISHO_MUTATION_SEED", str(mutate.SEED)))
BUILD = pathlib.Path(os.environ.get("SEKISHO_BUILD", ROOT / "build"))
PROGRAMS = ("seki", "seki-inspect", "seki-convert")
JOBS = 2
BATCH = 250
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


def test_mutants_end_with_facts(tmp_path, empty):
    """M1 to M9, M12: no crash, no hang, nothing in silence, whatever the bytes are."""
    where = programs("sanitize")
    assert mutate.main([str(tmp_path), str(COUNT), str(SEED)]) == 0
    files = sorted(tmp_path.glob("*.eml"))
    assert len(files) == COUNT
    batches = [files[i:i + BATCH] for i in range(0, COUNT, BATCH)]
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
