"""A script with types, as a user writes it: `test_types.py` checks it and runs it."""

from pathlib import Path
from typing import assert_type

import numba
import numpy as np

import nbfact as nf
from nbfact.constraints import Constraint, FastConstraint, SkPerm


class Box:
    """A constraint of the user's own: the matrices of entries between -1 and 1."""

    shape = (16, 16)

    def project(self, x: np.ndarray) -> np.ndarray:
        """Return the nearest matrix of the set."""
        nearest: np.ndarray = np.clip(x, -1, 1)
        return nearest


@numba.njit
def transform_rows(x: np.ndarray) -> None:
    """Transform each row by a kernel of nbfact, called from compiled code."""
    for i in range(len(x)):
        nf.kernels.fwht(x[i])


def main(folder: Path) -> float:
    """Factor, multiply, save, load and cluster; return the last error."""
    target = nf.targets.hadamard(16)
    assert_type(nf.targets.planted(16, 2, 4), np.ndarray)
    _, planted = nf.targets.planted(16, 2, 4, return_factors=True)
    assert len(planted) == 2

    two = SkPerm((16, 16), 2)
    assert_type(two, SkPerm)
    fast: FastConstraint = nf.constraints.Supp([[1, 0], [1, 1]], nonneg=True)
    assert fast.memory() is None
    constraints: list[Constraint] = [SkPerm((16, 16), 8, tie_tol=2**-20), two]
    result = nf.palm4msa(target, constraints, n_iter=20, order="left-to-right")
    assert_type(result, nf.Factorization)
    assert_type(result.relative_error, float)
    nf.palm4msa(target, [Box(), two], n_iter=2)
    assert_type(nf.hierarchical(target, "hadamard"), nf.Factorization)
    better: nf.Factorization = nf.refine(nf.explore(target, constraints, n_iter=20))
    learned = nf.learn_transform(target, rcg=2.0, effort="quick")
    assert_type(learned.operator, nf.FastOperator)
    found = nf.butterfly_factorize(target)
    assert_type(found.operator, nf.Butterfly)
    operator: nf.FastOperator = found.operator
    nf.palm4msa(target, constraints, n_iter=2, init=found.operator.fuse([2, 2]))
    results: list[nf.Factorization[nf.FastOperator]] = [result, better, learned, found]
    assert_type(results[0].target, np.ndarray | None)

    dct = nf.transforms.dct(16)
    assert_type(dct, nf.Butterfly)
    assert_type(dct @ target, np.ndarray)
    assert_type(dct.T.rcg, float)
    assert_type(dct.chain.fuse([2, 2]), nf.Chain)
    product = better.operator @ dct.to_factors()
    assert_type(product, nf.FactorProduct)

    better.operator.save(folder / "operator.npz")
    loaded = nf.load(folder / "operator.npz")
    assert_type(loaded, nf.FastOperator)
    assert_type(-loaded, nf.FastOperator)
    assert_type(dct.inverse().conj() ** 2, nf.FastOperator)
    stack = nf.operators.vstack([dct, product @ dct])
    assert_type(stack, nf.FastOperator)
    assert_type(nf.operators.kronecker(dct, dct), nf.Butterfly)
    stack.export(folder / "plain.npz")
    rows = loaded.toarray()
    transform_rows(rows)
    labels, _ = nf.NearestRows(operator)(rows)
    assert_type(labels, np.ndarray)
    model = nf.QuicKMeans(n_clusters=4, random_state=0).fit(rows)
    assert_type(model, nf.QuicKMeans)
    return nf.relative_error(target, loaded) + 0 * learned.relative_error
