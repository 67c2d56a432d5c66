"""Cases of learning supports: a Hadamard matrix with permuted rows and columns.

Each call starts from the dense matrix and ends with an operator, whose error is
computed outside the clock. palm4MSA and leaky exploration start from the same random
factors and make the same number of sweeps; they look for a product of an n/2-regular
and a 2-regular factor (k-regular means k entries in each row and column). The third
implementation identifies the permutations instead. It does so in chains of other
radices too, square and rectangular, with noise and with radices that are not known.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence

from .. import targets
from ..algorithms import explore, identify_butterfly, palm4msa
from ..constraints import SkPerm
from ..harness.case import Case
from ..operators import Butterfly, Chain
from .butterflies import FactorizeCase

PALM, EXPLORE, IDENTIFY = "nbfact palm4msa", "nbfact explore", "nbfact identify"
SEARCH = "nbfact identify, radices searched"
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


CHAINS = {
    "3 x 3 x 2 x 2": Chain.mixed_radix([3, 3, 2, 2]),
    "3 x 3 x 3 x 3": Chain.mixed_radix([3, 3, 3, 3]),
    "4 x 4, 4 x 8": Chain.mixed_radix([4, 4], [4, 8]),
}
"""The chains of permuted Gaussian products, by what their cases call them."""


def permuted_chain_cases(
    names: Sequence[str] = tuple(CHAINS), noises: Sequence[float] = (0.0, 0.1)
) -> Iterator[Case]:
    """Yield the cases of permuted products in chains of any radices.

    An error is at most that of the noise, or rounding. Radices are searched for where
    there is no noise.

    Parameters
    ----------
    names : sequence of str
        Keys of `CHAINS`.
    noises : sequence of float
        Norms of the noise, relative to that of the product.

    Yields
    ------
    Case
    """
    for name, noise in itertools.product(names, noises):
        chain = CHAINS[name]
        m, n = chain.shape
        made: dict[str, Callable] = {
            IDENTIFY: functools.partial(_identify_chain, chain, None)
        }
        if not noise:
            nnz = chain.n_parameters
            made[SEARCH] = functools.partial(_identify_chain, "search", nnz)
        for impl, prepare in made.items():
            yield FactorizeCase(
                group="permuted chains",
                impl=impl,
                params={"radices": name, "noise": noise, "dtype": "float64"},
                make=functools.partial(_product, chain, noise),
                prepare=prepare,
                reference=lambda target: target,
                bound=noise or 1e-10,
                size=8 * m * n,
                flops=2 * m * n * max(m, n),
                nnz=chain.n_parameters,
                yardstick=IDENTIFY,
            )


def _product(chain, noise, rng):
    """Return a permuted product of Gaussian factors, with noise."""
    values = [rng.standard_normal(pattern) for pattern in chain.patterns]
    target = targets.permuted(Butterfly(chain, values).toarray(), rng)
    return targets.noisy(target, noise, random_state=rng) if noise else target


def _identify_chain(chain, nnz, target):
    return lambda: identify_butterfly(target, chain, nnz=nnz, random_state=0).operator


def _target(n, rng):
    return targets.permuted(targets.hadamard(n), rng)


def _split(algorithm, target):
    n = len(target)
    sets = [SkPerm((n, n), n // 2), SkPerm((n, n), 2)]
    options = {"n_iter": SWEEPS, "init": "random", "random_state": 1}
    return lambda: algorithm(target, sets, **options).operator


def _identify(target):
    return lambda: identify_butterfly(target, random_state=0).operator
