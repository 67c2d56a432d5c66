"""Cases of rivals that crash, hang, exit and raise, for tests of isolation."""

import ctypes
import os
import sys
import time

from nbfact.harness.case import Case

PID_FILE = "NBFACT_TEST_PID_FILE"
"""Environment variable with the file in which a hanging case writes its process id."""

seen = []


def right(x):
    seen.append(1)
    return lambda: 2 * x


def segfault(x):
    """Crash after the result is checked, while it is timed."""
    calls = []

    def call():
        calls.append(1)
        return 2 * x if len(calls) < 20 else ctypes.string_at(0)

    return call


def leave(x):
    return lambda: os._exit(3)


def hang(x):
    def call():
        if PID_FILE in os.environ:
            with open(os.environ[PID_FILE], "w") as file:
                file.write(str(os.getpid()))
        time.sleep(100)

    return call


def fail(x):
    raise ArithmeticError("no luck")


def noisy(x):
    def call():
        os.write(1, b"as C++ does")
        print("chatter", file=sys.stderr)
        return x + x

    return call


def case(prepare, n=4, **changes):
    options = {
        "group": "double",
        "impl": prepare.__name__,
        "params": {"n": n, "dtype": "float64"},
        "make": lambda rng: rng.standard_normal(n),
        "prepare": prepare,
        "reference": lambda x: 2 * x,
        "bound": 0.0,
        "size": 16 * n,
        "flops": n,
        "nnz": None,
        "yardstick": "pyfaust",
        "fallbacks": ("right",),
        "rival": prepare is not right,
    }
    return Case(**{**options, **changes})


def every():
    """Return a task with every kind of failure; the first case is the yardstick."""
    kinds = (right, leave, hang, fail, noisy)
    return [case(segfault, impl="pyfaust"), *map(case, kinds)]


def good(profile="quick", peers=False):
    """Return two tasks of sizes 4 and 5, without and with a rival."""
    return [case(right), case(right, n=5), case(noisy, n=5, impl="pyfaust")]


def hanging(profile="quick", peers=False):
    """Return these tasks and a third one that hangs."""
    return [*good(), case(right, n=6), case(hang, n=6, impl="pyfaust")]


def counted(profile="quick", peers=False):
    """Return a task with a rival that crashes, and writes down each time it does."""

    def crash(x):
        def call():
            with open(os.environ[PID_FILE], "a") as file:
                file.write(f"{os.getpid()}\n")
            os._exit(3)

        return call

    return [case(right), case(crash, impl="leave")]


def stale(x):
    """Crash in a process that has run another case before."""
    if seen:
        os.abort()
    return lambda: 2 * x


def after():
    """Return a task, no rival, that crashes because of what was done before."""
    return [case(stale, 8, rival=False)]


def missing():
    raise ModuleNotFoundError("no cases here")
