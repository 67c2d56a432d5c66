"""Cost of calling a compiled kernel from Python, beside one sweep of palm4MSA.

``python benchmarks/dispatch_cost.py`` prints the three tables of
``docs/architecture.md``, which say why algorithms are Python loops over kernels. It
takes about a minute. The clock counts the time that this process ran, so that work
of other processes beside it moves the figures little.
"""

import statistics
import subprocess
import sys
from time import process_time
from typing import NamedTuple

import numba
import numpy as np

import nbfact as nf
from nbfact.kernels import project_splin

Arrays = NamedTuple("Arrays", [(name, np.ndarray) for name in "abcdefgh"])

SIZES = (32, 64, 256)
"""Orders n of the square targets whose sweeps are timed."""


@numba.njit(cache=True)
def one(a):
    """Do nothing with one array."""


@numba.njit(cache=True)
def four(a, b, c, d):
    """Do nothing with four arrays."""


@numba.njit(cache=True)
def eight(a, b, c, d, e, f, g, h):
    """Do nothing with eight arrays."""


@numba.njit(cache=True)
def compiled_loop(project, x, n_iter):
    """Project x again and again: a loop that takes the projection as an argument."""
    for _ in range(n_iter):
        project(x, 2, 0.0)


def nanoseconds(call, *arguments, repeats=20_000):
    """Return the median time of one call in ns, over batches of calls."""
    call(*arguments)
    batches = []
    for _ in range(15):
        start = process_time()
        for _ in range(repeats):
            call(*arguments)
        batches.append((process_time() - start) / repeats * 1e9)
    return statistics.median(batches)


class Prices(NamedTuple):
    """Nanoseconds of a dispatch, and of each array passed, alone or in a NamedTuple."""

    call: float
    array: float
    packed: float

    def of(self, arguments):
        """Return the nanoseconds that a dispatch with these arguments takes."""
        alone = sum(isinstance(a, np.ndarray) for a in arguments)
        packed = sum(count_arrays(a) for a in arguments if isinstance(a, tuple))
        return self.call + alone * self.array + packed * self.packed


def count_arrays(argument):
    """Return how many arrays a NamedTuple, or one in another, holds."""
    if isinstance(argument, tuple):
        return sum(count_arrays(part) for part in argument)
    return int(isinstance(argument, np.ndarray))


def dispatches(call):
    """Return the arguments of each kernel that Python calls while ``call`` runs."""
    found, replaced = [], []

    def recording(kernel):
        def recorded(*arguments):
            found.append(arguments)
            return kernel(*arguments)

        return recorded

    for module in [m for name, m in sys.modules.items() if name.startswith("nbfact.")]:
        for name, value in list(vars(module).items()):
            kernel = isinstance(value, numba.core.dispatcher.Dispatcher)
            if kernel and not module.__name__.startswith("nbfact.kernels"):
                setattr(module, name, recording(value))
                replaced.append((module, name, value))
    try:
        call()
    finally:
        for module, name, value in replaced:
            setattr(module, name, value)
    return found


def sweep_row(n, prices):
    """Return the row of one size: the time of a sweep, and its share of dispatches."""
    target = nf.targets.planted(n, 3, 4, random_state=0)
    sets = [nf.constraints.SpLin((n, n), 4)] * 3

    def run(n_iter):
        return nf.palm4msa(target, sets, n_iter=n_iter)

    run(2)  # compile
    few, many = (dispatches(lambda k=k: run(k)) for k in (2, 12))
    calls = (len(many) - len(few)) / 10
    cost = (sum(map(prices.of, many)) - sum(map(prices.of, few))) / 10
    few, many = (nanoseconds(run, k, repeats=1) for k in (5, 105))
    sweep = (many - few) / 100
    return f"| {n} | {sweep / 1e3:.0f} µs | {calls:.0f} | {cost / sweep:.0%} |"


def first_call(name):
    """Return the seconds of a first call, in a new process with a warm cache."""
    command = [sys.executable, __file__, name]
    for _ in range(2):  # the first of the two fills the cache
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def print_first_call(name):
    """Print the seconds that the first call of a kernel or of the loop takes."""
    x, start = np.ones((4, 4)), process_time()
    if name == "kernel":
        project_splin(x, 2, 0.0)
    else:
        compiled_loop(project_splin, x, 1)
    print(process_time() - start)


def main():
    """Print the three tables."""
    arrays = [np.ones((4, 4)) for _ in range(8)]
    costs = {
        "1 array": nanoseconds(one, *arrays[:1]),
        "4 arrays": nanoseconds(four, *arrays[:4]),
        "8 arrays": nanoseconds(eight, *arrays),
        "a plain tuple of 8 arrays": nanoseconds(one, tuple(arrays)),
        "a NamedTuple of 8 arrays": nanoseconds(one, Arrays(*arrays)),
    }
    print("| arguments of the kernel | one dispatch |\n|:--|--:|")
    for name, cost in costs.items():
        print(f"| {name} | {cost:.0f} ns |")
    array = (costs["8 arrays"] - costs["1 array"]) / 7
    call = costs["1 array"] - array
    packed = (costs["a plain tuple of 8 arrays"] - call) / 8  # as palm4MSA passes them
    print("\n| n | one sweep | kernels dispatched | share of the dispatches |")
    print("|--:|--:|--:|--:|")
    for n in SIZES:
        print(sweep_row(n, Prices(call, array, packed)))
    print("\n| first call in a new process, all caches filled | seconds |\n|:--|--:|")
    kernel, loop = first_call("kernel"), first_call("loop")
    print(f"| the kernel `project_splin` | {kernel:.2f} |")
    print(f"| a compiled loop that takes `project_splin` as an argument | {loop:.2f} |")


if __name__ == "__main__":
    # asv imports this file, with older versions of nbfact too, which have no harness.
    from nbfact.harness.measure import limited_threads

    with limited_threads(1):
        print_first_call(sys.argv[1]) if sys.argv[1:] else main()
