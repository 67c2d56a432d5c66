"""The command ``python -m tests.fuzz``."""

import argparse
import contextlib
import sys
import tempfile
import time

from . import entries  # noqa: F401  (fills ENTRIES)
from .campaign import UNNAMED, campaign, grouped, table
from .cases import ENTRIES
from .runner import Runner


def main(arguments=None):
    """Run a campaign and print its tables; return 1 when there are faults."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "--cases", type=int, default=3000, help="number of cases in all"
    )
    parser.add_argument("--each", type=int, help="number of cases of each callable")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="only the entries whose names contain NAME",
    )
    parser.add_argument("--compiled", action="store_true", help="compile the kernels")
    parser.add_argument(
        "--timeout", type=float, default=60.0, help="seconds for a case"
    )
    parser.add_argument(
        "--bounds",
        action="store_true",
        help="compile the kernels with bounds checked, in a cache of their own",
    )
    parser.add_argument(
        "--double", action="store_true", help="draw cases in float64 alone"
    )
    options = parser.parse_args(arguments)
    names = [
        name
        for name in sorted(ENTRIES)
        if not options.only or any(part in name for part in options.only)
    ]
    if not names:
        parser.error(f"no entry has {' or '.join(options.only)} in its name")
    each = options.each or max(1, -(-options.cases // len(names)))
    begin = time.perf_counter()
    with contextlib.ExitStack() as stack:
        variables = {}
        if options.bounds:  # kernels of another cache would be taken as they are
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            variables = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": folder}
        compiled = options.compiled or options.bounds
        runner = stack.enter_context(
            Runner("fuzz.judge:judged", interpreted=not compiled, variables=variables)
        )
        counts = campaign(
            names,
            each,
            options.seed,
            runner,
            timeout=options.timeout,
            double=options.double,
        )
    print(table(counts.by_entry, "callable"), end="\n\n")
    print(table(counts.by_kind, "kind"))
    for title, faults in (
        ("faults", counts.faults),
        ("messages that name no argument", counts.unnamed),
    ):
        print(f"\n{len(faults)} {title}")
        for group in grouped(faults):
            print(f"[{group[0].case.entry}, {len(group)} cases] {group[0]}")
    seconds = time.perf_counter() - begin
    print(
        f"\n{counts.total} cases of {len(names)} callables in {seconds:.0f} s: "
        f"{len(counts.faults)} faults, {len(counts.unnamed)} messages without a name"
    )
    return 1 if counts.faults or len(counts.unnamed) > UNNAMED else 0


if __name__ == "__main__":
    sys.exit(main())
