"""Cases of rivals that crash, hang, exit and raise, for a process of their own."""

import ctypes
import os
import sys
import time

from nbfact.harness.case import Case

TELL = "NBFACT_TEST_TELL"
"""Names the file where one that hangs writes the id of its process."""


seen = []


def right(x):
    seen.append(1)
    return lambda: 2 * x


def segfault(x):
    """Crash once it has been checked and is timed."""
    calls = []

    def call():
        calls.append(1)
        return 2 * x if len(calls) < 20 else ctypes.string_at(0)

    return call


def leave(x):
    return lambda: os._exit(3)


def hang(x):
    def call():
        if TELL in os.environ:
            with open(os.environ[TELL], "w") as file:
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
    """Return a task of all that can go wrong, the first of them the yardstick."""
    kinds = (right, leave, hang, fail, noisy)
    return [case(segfault, impl="pyfaust"), *map(case, kinds)]


def good(profile="quick", peers=False):
    """Return two tasks, of sizes 4 and 5, without and with something of peers."""
    return [case(right), case(right, n=5), case(noisy, n=5, impl="pyfaust")]


def hanging(profile="quick", peers=False):
    """Return the same, and a third that hangs."""
    return [*good(), case(right, n=6), case(hang, n=6, impl="pyfaust")]


def stale(x):
    """Crash in a process that has run something before."""
    if seen:
        os.abort()
    return lambda: 2 * x


def after():
    """Return a task of ours that crashes for what was done before."""
    return [case(stale, 8, rival=False)]


def missing():
    raise ModuleNotFoundError("no cases here")
