"""A function that goes wrong, for the tests of the child processes."""

import os
import time


def called(argument):
    """Do what the argument says: what a child calls."""
    if argument == "abort":
        os.abort()
    if argument == "leave":
        os._exit(3)
    if argument == "hang":
        time.sleep(600)
    if argument == "print":
        print("chatter")
        os.write(1, b"as C does\n")
    return [argument, os.environ.get("NUMBA_DISABLE_JIT", "")]
