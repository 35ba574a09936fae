"""An nbdkit plugin: a disk in a file, which writes every write and every flush down.

Parameters: image=FILE, what the disk holds; log=FILE, appended to, in the order of the disk:
"W OFFSET LENGTH\n" and the bytes; "F\n" for a flush. Promises are appended to the same log by those
who hear them ("A TEXT\n"), so one file says what the disk had got when something was promised.
"""
import os

import nbdkit

API_VERSION = 2
paths = {}


def config(key, value):
    paths[key] = value


def config_complete():
    if set(paths) != {"image", "log"}:
        raise RuntimeError("parameters: image=FILE log=FILE")


def thread_model():
    return nbdkit.THREAD_MODEL_SERIALIZE_ALL_REQUESTS


def open(readonly):
    return os.open(paths["image"], os.O_RDWR), os.open(paths["log"], os.O_WRONLY | os.O_APPEND)


def get_size(handle):
    return os.fstat(handle[0]).st_size


def pread(handle, into, offset, flags):
    into[:] = os.pread(handle[0], len(into), offset)


def pwrite(handle, data, offset, flags):
    if os.pwrite(handle[0], data, offset) != len(data):
        raise OSError("the image took a part of a write")
    note(handle, b"W %d %d\n" % (offset, len(data)), data)
    if flags & nbdkit.FLAG_FUA:
        note(handle, b"F\n")


def can_flush(handle):
    return True


def flush(handle, flags):
    note(handle, b"F\n")


def note(handle, *parts):
    """One record is one write, before the answer: others append to the log at the same time."""
    if os.writev(handle[1], parts) != sum(map(len, parts)):
        raise OSError("the log took a part of a record")
