"""Starts programs in a process group of their own, and ends the whole group: what they started goes with them."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time

ENDS_WITHIN = 10


def start(command, environment, folder, output):
    """Starts a program. It ends with this process too, should that die without a chance to clean up."""
    return subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=end_with_parent,
    )


def end(process):
    """Ends a program and everything that it started: first politely, then for certain."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, signal_number)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + ENDS_WITHIN
        while group_is_alive(process) and time.monotonic() < deadline:
            time.sleep(0.02)
    process.wait()


def group_is_alive(leader):
    """Whether any process of the group still runs; a leader that ended must be waited for, or it counts as there."""
    leader.poll()
    try:
        os.killpg(leader.pid, 0)
    except ProcessLookupError:
        return False
    return True


def end_with_parent():
    """Runs in the child, before the program."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def wait_until_ready(process, is_ready, within):
    """Waits until a program is ready; an error if it ends first, or takes too long."""
    deadline = time.monotonic() + within
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args[0]} did not get ready within {within} s, as its log may say")
        time.sleep(0.05)


def free_port():
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    """Whether somebody listens on a port of the loopback interface."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
