"""Cases of learning supports: a Hadamard matrix with rows and columns permuted.

Each call starts from the dense matrix and ends with an operator, whose error is taken
outside the clock: palm4MSA and leaky exploration from one random start and with the
same sweeps, in products of an n/2-regular and a 2-regular factor, and the
identification of the permutations.
"""

import functools
import math
from collections.abc import Iterator, Sequence

from .. import targets
from ..algorithms import explore, identify_butterfly, palm4msa
from ..constraints import SkPerm
from ..harness.case import Case
from .butterflies import FactorizeCase

PALM, EXPLORE, IDENTIFY = "nbfact palm4msa", "nbfact explore", "nbfact identify"
SWEEPS = 300


def pattern_cases(sizes: Sequence[int]) -> Iterator[Case]:
    """Yield the ways to learn the supports of permuted Hadamard matrices.

    palm4MSA may have any error, as it has; the others have to be exact.

    Parameters
    ----------
    sizes : sequence of int
        Orders, powers of two.

    Yields
    ------
    Case
    """
    made = {
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
