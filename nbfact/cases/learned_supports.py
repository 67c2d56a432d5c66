"""Cases of learning supports: a Hadamard matrix with permuted rows and columns.

Each call starts from the dense matrix and ends with an operator, whose error is
computed outside the clock. palm4MSA and leaky exploration start from the same random
factors and make the same number of sweeps; they look for a product of an n/2-regular
and a 2-regular factor (k-regular means k entries in each row and column). The third
implementation identifies the permutations instead.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence

from .. import targets
from ..algorithms import explore, identify_butterfly, palm4msa
from ..constraints import SkPerm
from ..harness.case import Case
from .butterflies import FactorizeCase

PALM, EXPLORE, IDENTIFY = "nbfact palm4msa", "nbfact explore", "nbfact identify"
SWEEPS = 300
"""Number of sweeps of palm4MSA and of the exploration."""


def pattern_cases(sizes: Sequence[int]) -> Iterator[Case]:
    """Yield the cases of learning the supports of permuted Hadamard matrices.

    The error of palm4MSA is not bounded, because it does not find the supports; the
    other implementations must be exact.

    Parameters
    ----------
    sizes : sequence of int
        Orders of the matrices, powers of two.

    Yields
    ------
    Case
    """
    made: dict[str, Callable] = {
        PALM: functools.partial(_split, palm4msa),
        EXPLORE: functools.partial(
            _split, functools.partial(explore, leak=0.9, safeguard=False)
        ),
        IDENTIFY: _identify,
    }
    for n in sizes:
        for impl, prepare in made.items():
            yield FactorizeCase(
                group="patterns learned",
                impl=impl,
                params={"target": "permuted hadamard", "n": n, "dtype": "float64"},
                make=functools.partial(_target, n),
                prepare=prepare,
                reference=lambda target: target,
                bound=math.inf if impl == PALM else 1e-10,
                size=8 * n * n,
                flops=2 * n**3,
                nnz=2 * n * (n.bit_length() - 1) if impl == IDENTIFY else n * n // 2,
                yardstick=PALM,
            )


def _target(n, rng):
    return targets.permuted(targets.hadamard(n), rng)


def _split(algorithm, target):
    n = len(target)
    sets = [SkPerm((n, n), n // 2), SkPerm((n, n), 2)]
    options = {"n_iter": SWEEPS, "init": "random", "random_state": 1}
    return lambda: algorithm(target, sets, **options).operator


def _identify(target):
    return lambda: identify_butterfly(target, random_state=0).operator
