"""Print which kernels the cases of three turns of the profile pr call, as JSON.

Run with NUMBA_DISABLE_JIT=1 as ``python tests/reached_kernels.py KERNEL...``: kernels
are functions of Python then, whose calls can be seen. A case ends after `LIMIT` calls
of kernels that are named, because later sweeps call those of earlier ones, and all end
when each of these has been called.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np

from nbfact import kernels
from nbfact.cases import registry

FOLDER = str(Path(kernels.__file__).parent)
LIMIT = 500
TURNS = (0, 5, 6)  # float32 with one vector; complex128, float64 with columns


class EnoughError(Exception):
    """The case has called enough kernels."""


def called(call, wanted, missing):
    """Return the names of the wanted kernels that a call calls."""
    names, count = set(), 0

    def see(frame, event, _):
        nonlocal count
        code = frame.f_code
        if event != "call" or code.co_name not in wanted:
            return
        if code.co_filename.startswith(FOLDER):
            names.add(code.co_name)
            count += code.co_name in kernels.__all__  # others only compute sizes
            if count > LIMIT or missing <= names:
                raise EnoughError

    sys.setprofile(see)
    try:
        call()
    except EnoughError:
        pass
    finally:
        sys.setprofile(None)
    return names


def main():
    """Call the cases, those with the cheapest references first."""
    warnings.simplefilter("ignore")
    wanted, found = set(sys.argv[1:]), {}
    cases = [case for turn in TURNS for case in registry.registry("pr", turn=turn)]
    own = {case.name: case for case in cases if case.impl.startswith("nbfact")}
    for case in sorted(own.values(), key=lambda case: case.size):
        missing = wanted - found.keys()
        if not missing:
            break
        inputs = case.make(np.random.default_rng(0))

        def call(case=case, inputs=inputs):
            prepared = case.prepare(inputs)
            for _ in range(2):  # the second time by what is known for the shape
                prepared()

        for name in called(call, wanted, missing):
            found.setdefault(name, case.name)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
