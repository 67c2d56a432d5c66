"""How often `identify_butterfly` finds permuted chains again: a table for docs/.

    python benchmarks/permuted_chains.py                 # 20 seeds, noise 0, 0.01, 0.1
    python benchmarks/permuted_chains.py --search        # the radices are not known
    python benchmarks/permuted_chains.py --only "dft" --seeds 5 --noise 0 0.03 0.3

A target has its rows and columns in random orders. Noise is Gaussian; its norm is
relative to that of the target. A run succeeds if its error is at most 1.1 times that of
least squares on the true supports, or rounding. Seeds count from 5000 on. The script
prints successes, and the median seconds of CPU of one call, for each target and noise.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import nbfact as nf
from nbfact.algorithms.permutations.radix_search import RANK
from nbfact.operators.reorderings import digit_reversal

FIRST_SEED = 5000
"""The first seed: no option was chosen by results of seeds from here on."""

ROUNDING = 1e-10
"""Error up to which a result counts as exact."""

MARGIN = 1.1
"""Largest error of a success, relative to that of the true supports."""

Maker = Callable[[np.random.Generator], np.ndarray]


class Permuted(NamedTuple):
    """A kind of targets: a product in a chain, before it is permuted."""

    name: str
    chain: nf.Chain
    make: Maker


def gaussian(chain: nf.Chain, scaled: bool = False, imaginary: bool = False) -> Maker:
    """Return a maker of products of Gaussian factors, with rows and columns scaled."""

    def make(rng: np.random.Generator) -> np.ndarray:
        values = [drawn(rng, one, imaginary) for one in chain.patterns]
        matrix = nf.Butterfly(chain, values).toarray()
        if scaled:
            left, right = (np.exp(rng.standard_normal(n)) for n in chain.shape)
            matrix = left[:, None] * matrix * right
        return matrix

    return make


def drawn(rng: np.random.Generator, shape: tuple[int, ...], imaginary: bool):
    """Return Gaussian numbers, real or complex."""
    values = rng.standard_normal(shape)
    return values + 1j * rng.standard_normal(shape) if imaginary else values


def fourier(n: int) -> Maker:
    """Return a maker of the Fourier matrix."""
    return lambda rng: nf.targets.dft(n)


def kronecker(*orders: int) -> Maker:
    """Return a maker of Kronecker products of random orthogonal matrices."""

    def make(rng: np.random.Generator) -> np.ndarray:
        matrix = np.ones((1, 1))
        for n in orders:
            matrix = np.kron(matrix, np.linalg.qr(rng.standard_normal((n, n)))[0])
        return matrix

    return make


def kinds() -> list[Permuted]:
    """Return the kinds of targets of the table."""
    square, found = nf.Chain.mixed_radix, []
    for radices in ((2, 2, 3), (2, 2, 3, 3), (2, 2, 5, 5)):
        n = int(np.prod(radices))
        found.append(Permuted(f"dft {n}", square(radices), fourier(n)))
    for orders in ((3, 4), (8, 4)):
        name = "Kronecker " + " x ".join(map(str, orders))
        found.append(Permuted(name, square(orders), kronecker(*orders)))
    for radices in ((2, 2, 3), (3, 3, 2, 2), (3, 3, 3, 3), (5, 7), (4, 4, 4)):
        name = "Gaussian " + " x ".join(map(str, radices))
        found.append(Permuted(name, square(radices), gaussian(square(radices))))
    for rows, columns in (((4, 4), (4, 8)), ((2, 2, 2, 2), (2, 2, 2, 4))):
        chain = square(rows, columns)
        name = "16 x 32, radices " + ", ".join(
            map(str, zip(rows, columns, strict=True))
        )
        found.append(Permuted(name, chain, gaussian(chain)))
    chain = square((3, 3, 2, 2))
    found.append(Permuted("scaled 3 x 3 x 2 x 2", chain, gaussian(chain, True)))
    complex_ones = gaussian(chain, imaginary=True)
    found.append(Permuted("complex 3 x 3 x 2 x 2", chain, complex_ones))
    found += [ranked(*one) for one in RANKED]
    chain = square((10, 10, 10))
    found.append(Permuted("Gaussian 10 x 10 x 10", chain, gaussian(chain)))
    return found


RANKED = (
    ((4, 4), None, 2),
    ((4, 8), None, 2),
    ((8, 8), None, 2),
    ((5, 6), None, 3),
    ((4, 4), (4, 6), 2),
    ((3, 3, 3), None, 2),
    ((4, 4, 4), None, 2),
    ((2, 2, 2, 2, 2), None, 2),
    ((4, 4), None, 2, True),
)
"""Radices of rows and columns, ranks, and whether the numbers are complex."""


def ranked(
    rows: tuple[int, ...],
    columns: tuple[int, ...] | None,
    rank: int,
    imaginary: bool = False,
) -> Permuted:
    """Return Gaussian targets in a chain whose blocks have a rank above one."""
    chain = nf.Chain.mixed_radix(rows, columns, rank)
    words = " x ".join(map(str, rows))
    if columns:
        words += " of rows, " + " x ".join(map(str, columns)) + " of columns"
    kind = "complex" if imaginary else "Gaussian"
    return Permuted(
        f"{kind} {words}, rank {rank}", chain, gaussian(chain, imaginary=imaginary)
    )


def shuffled(kind: Permuted, seed: int, noise: float):
    """Return a target, and the rows and columns that put it in order again."""
    rng = np.random.default_rng(seed)
    matrix = kind.make(rng)
    if kind.name.startswith("dft"):
        radices = [pattern[1] for pattern in kind.chain.patterns]
        matrix = matrix[:, digit_reversal(radices)]
    rows, columns = (rng.permutation(n) for n in matrix.shape)
    target = matrix[rows][:, columns]
    error = drawn(rng, target.shape, target.dtype.kind == "c")
    target = target + noise * np.linalg.norm(target) / np.linalg.norm(error) * error
    return target, (np.argsort(rows), np.argsort(columns))


def true_error(target: np.ndarray, chain: nf.Chain, order) -> float:
    """Return the error of least squares on the true supports."""
    found = nf.butterfly_factorize(target, chain, permutation=order, transpose=False)
    if found.relative_error <= ROUNDING:
        return found.relative_error
    return min(found.relative_error, nf.refine(found, target).relative_error)


def run(kind: Permuted, noise: float, n_seeds: int, search: bool) -> tuple[int, float]:
    """Return the number of successes, and the median CPU seconds of a call."""
    successes, seconds = 0, []
    for seed in range(FIRST_SEED, FIRST_SEED + n_seeds):
        target, order = shuffled(kind, seed, noise)
        began = time.process_time()
        if search:
            nnz = kind.chain.n_parameters
            found = nf.identify_butterfly(target, "search", nnz=nnz, random_state=0)
        else:
            found = nf.identify_butterfly(target, kind.chain, random_state=0)
        seconds.append(time.process_time() - began)
        limit = MARGIN * true_error(target, kind.chain, order) + ROUNDING
        successes += found.relative_error <= limit
    return successes, statistics.median(seconds)


def searchable(chain: nf.Chain) -> bool:
    """Return whether a chain is among those that are looked for.

    Chains with as many values as a dense matrix are not, nor are those of high ranks.
    """
    m, n = chain.shape
    return chain.n_parameters < m * n and max(chain.ranks) <= RANK


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.01, 0.1])
    parser.add_argument("--only", default="", help="part of the names")
    parser.add_argument(
        "--without", default="\0", help="part of the names to leave out"
    )
    parser.add_argument("--search", action="store_true", help="unknown radices")
    options = parser.parse_args()
    print(
        "| target | " + " | ".join(f"noise {noise:g}" for noise in options.noise), "|"
    )
    print("|:--|" + ":--|" * len(options.noise))
    for kind in kinds():
        if options.only not in kind.name or options.without in kind.name:
            continue
        if options.search and not searchable(kind.chain):
            continue
        cells = []
        for noise in options.noise:
            count, seconds = run(kind, noise, options.seeds, options.search)
            cells.append(f"{count}/{options.seeds}, {seconds:.2g} s")
        print(f"| {kind.name} | " + " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
