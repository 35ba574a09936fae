"""Tests run side by side in processes of their own; one that is stuck is shown and does not stop the rest."""
import ctypes
import faulthandler
import os
import pickle
import select
import signal
import struct
import sys
import time
import traceback
from typing import Callable, Iterator

STUCK_AFTER = 150  # seconds; the longest test takes 60
LENGTH = struct.Struct(">I")


class Worker:
    """One process; it is told the number of a job and answers with the pickled result."""

    def __init__(self, work: Callable, jobs: list):
        to_read, self.to = os.pipe()
        self.fro, to_write = os.pipe()
        self.job: int | None = None
        self.since = 0.0
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.to)
            os.close(self.fro)
            serve(work, jobs, to_read, to_write)
        os.close(to_read)
        os.close(to_write)

    def give(self, job: int) -> None:
        self.job, self.since = job, time.monotonic()
        os.write(self.to, LENGTH.pack(job))

    def result(self):
        """What the job returned; EOFError if the process ended instead."""
        self.job = None
        return pickle.loads(read_all(self.fro, LENGTH.unpack(read_all(self.fro, LENGTH.size))[0]))

    def end(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.to)
        os.close(self.fro)


def read_all(fd: int, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = os.read(fd, length - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def serve(work: Callable, jobs: list, to_read: int, to_write: int) -> None:
    """Never returns. When the runner is gone it ends too, and `work` takes its instance away."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    faulthandler.register(signal.SIGUSR1)
    try:
        while number := os.read(to_read, LENGTH.size):
            answer = pickle.dumps(work(jobs[LENGTH.unpack(number)[0]]))
            os.write(to_write, LENGTH.pack(len(answer)))
            for at in range(0, len(answer), 65536):
                os.write(to_write, answer[at:at + 65536])
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def run(work: Callable, jobs: list, workers: int) -> Iterator:
    """Yields (job, result) in the order in which they end.

    A job whose process is stuck or dies is done once more; then its result is None.
    """
    waiting = list(range(len(jobs)))[::-1]
    again: set = set()
    crew = [Worker(work, jobs) for _ in range(workers)]
    try:
        while waiting or any(w.job is not None for w in crew):
            for w in crew:
                if w.job is None and waiting:
                    w.give(waiting.pop())
            ready = select.select([w.fro for w in crew if w.job is not None], [], [], 5)[0]
            for n, w in enumerate(crew):
                if w.job is None:
                    continue
                job = w.job
                if w.fro in ready:
                    try:
                        yield jobs[job], w.result()
                        continue
                    except EOFError:
                        what = "its process ended"
                elif time.monotonic() - w.since > STUCK_AFTER:
                    what = f"stuck for {STUCK_AFTER} s"
                    os.kill(w.pid, signal.SIGUSR1)  # it says where
                    time.sleep(1)
                else:
                    continue
                print(f"    {jobs[job]}: {what}", flush=True)
                w.end()
                crew[n] = Worker(work, jobs)
                if job in again:
                    yield jobs[job], None
                else:
                    again.add(job)
                    waiting.append(job)
    finally:
        for w in crew:
            w.end()
