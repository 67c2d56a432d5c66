"""Dask arrays: products, passes over blocks of rows, and clusters that lose workers."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from samples import close, random

import nbfact as nf
from nbfact._core.dask import is_dask, map_blocks, row_blocks, sum_blocks
from nbfact._core.jobs import each
from nbfact.operators import OperatorSum

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

OPERATORS = {
    "product": lambda: nf.FactorProduct([random((5, 3), "float64")], 0.5),
    "complex": lambda: nf.FactorProduct([random((5, 3), "complex128")]),
    "sum": lambda: OperatorSum([nf.transforms.hadamard(4), nf.transforms.dct(4)]),
    "hadamard": lambda: nf.transforms.hadamard(4),
    "dft": lambda: nf.transforms.dft(6),
    "idft": lambda: nf.transforms.idft(4),
    "hartley": lambda: nf.transforms.hartley(4),
    "dct": lambda: nf.transforms.dct(6),
    "dst": lambda: nf.transforms.dst(4),
    "haar": lambda: nf.transforms.haar(4),
    "permutation": lambda: nf.transforms.permutation([2, 0, 1]),
    "circulant": lambda: nf.transforms.circulant(np.arange(5.0)),
    "toeplitz": lambda: nf.transforms.toeplitz(np.arange(4.0), np.arange(3.0)),
    "hankel": lambda: nf.transforms.hankel(np.arange(4.0), np.arange(3.0, 6.0)),
    "kronecker": lambda: nf.transforms.kronecker(np.ones((2, 3)), np.ones((2, 1))),
}


@pytest.fixture(autouse=True)
def serial():
    """Run computations in this thread, unless a test names another scheduler."""
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_of_all_kinds(name):
    operator = OPERATORS[name]()
    m, n = operator.shape
    x = random((n, 5), "float64")
    chunks = da.from_array(x, chunks=(2, 2))
    got = operator @ chunks
    assert is_dask(got)
    assert (got.shape, got.chunks) == ((m, 5), ((m,), (2, 2, 1)))
    expected = operator @ x
    for scheduler in ("synchronous", "threads"):
        close(got.compute(scheduler=scheduler), expected)
    assert got.dtype == got._meta.dtype == got.compute().dtype == expected.dtype
    twin = pickle.loads(pickle.dumps(operator))
    np.testing.assert_array_equal(twin @ x, expected)
    assert (operator @ chunks).name == got.name  # equal products have one name


def test_products_are_those_of_arrays():
    operator = nf.FactorProduct([random((6, 5), "float32")])
    x = random((5, 4), "float32")
    chunks = da.from_array(x, chunks=(2, 3))
    for got, expected in (
        (operator @ chunks, operator @ x),
        (operator * chunks, operator @ x),
        (operator.dot(chunks), operator @ x),
        (operator @ chunks[:, 0], operator @ x[:, 0]),
        (operator @ chunks.astype(int), operator @ x.astype(int)),
        (operator @ chunks[:, :0], operator @ x[:, :0]),
        (chunks.T @ operator.T, x.T @ operator.T),
        (chunks.T * operator.T, x.T @ operator.T),
        (chunks[:, 0] @ operator.T, x[:, 0] @ operator.T),
    ):
        assert is_dask(got)
        assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
        close(got.compute(), expected)
    assert (chunks.T @ operator.T).chunks == ((3, 1), (6,))


def test_nothing_is_computed_before_it_is_asked_for():
    def fails(block):
        raise AssertionError("computed")

    meta = np.empty((0, 0))
    x = da.ones((4, 6), chunks=(2, 3)).map_blocks(fails, meta=meta)
    lazy = nf.transforms.hadamard(4) @ x + (x.T @ nf.transforms.hadamard(4)).T
    row_blocks(x)
    with pytest.raises(AssertionError, match="computed"):
        lazy.compute()


def test_misuse():
    operator = nf.FactorProduct([np.ones((6, 5))])
    x = da.ones((5, 4), chunks=2)
    for wrong in (np.ones((4, 5)), np.ones(4), np.ones((5, 2, 2)), np.ones(())):
        with pytest.raises(ValueError) as of_array:
            operator @ wrong
        with pytest.raises(ValueError) as of_chunks:
            operator @ da.from_array(wrong)
        assert str(of_chunks.value) == str(of_array.value)
        with pytest.raises(ValueError, match=r"^other has shape .*batch, 6\)"):
            da.from_array(wrong) @ operator
    with pytest.raises(TypeError, match="object"):
        operator @ x.astype(object)
    with pytest.raises(ValueError, match=r"\(4,\)"):
        row_blocks(x[0])


def test_chunks_of_unknown_sizes():
    operator, x = nf.transforms.hadamard(4), random((4, 6), "float64")
    chunks = da.from_array(x, chunks=(2, 3))
    some = chunks[:, chunks[0] > 0]
    close((operator @ some).compute(), operator @ x[:, x[0] > 0])
    close((some.T @ operator).compute(), x[:, x[0] > 0].T @ operator)
    for refused in (
        lambda: operator @ some.T,
        lambda: some @ operator,
        lambda: row_blocks(some),
    ):
        with pytest.raises(ValueError, match=r"call x\.compute_chunk_sizes\(\)"):
            refused()
    assert len(row_blocks(some.T.compute_chunk_sizes())) == 2


def _rows(block, factor, options):
    return len(block) * factor, block.shape, options


def test_blocks_keep_their_order():
    blocks = row_blocks(da.ones((7, 5), chunks=(3, 2)))
    expected = [(2 * n, (n, 5), {"key": "x"}) for n in (3, 3, 1)]
    for scheduler in ("synchronous", "threads"):
        with dask.config.set(scheduler=scheduler):
            assert map_blocks(_rows, blocks, 2, {"key": "x"}) == expected


def _entry(block):
    return block[0, 0], block


def test_blocks_are_summed_in_one_order():
    values = np.array([1e16, 1.0, -1e16, 1.0, 3.0])
    a, b, c, d, e = values
    assert ((a + b) + (c + d)) + e != values.sum()
    blocks = row_blocks(da.from_array(values[:, None], chunks=(1, 1)))
    for scheduler in ("synchronous", "threads"):
        with dask.config.set(scheduler=scheduler):
            number, array = sum_blocks(_entry, blocks)
        assert number == array.item() == ((a + b) + (c + d)) + e
    assert sum_blocks(_entry, blocks[:1]) == (1e16, np.array([[1e16]]))


def test_dask_is_not_imported_for_arrays():
    code = (
        "import sys, numpy as np, nbfact as nf\n"
        "F = nf.FactorProduct([np.eye(2)])\n"
        "F @ np.ones(2), np.ones(2) @ F\n"
        "assert not {'dask', 'distributed', 'joblib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_products_on_a_cluster(on_cluster):
    operator, x = nf.transforms.dft(6), random((6, 5), "float64")
    chunks = da.from_array(x, chunks=(3, 2))
    close((operator @ chunks).compute(), operator @ x)
    close((chunks.T @ operator).compute(), x.T @ operator)


def _statistics(block, operator, graves):
    """Return sums over rows; each worker is killed at its first call.

    A worker that is killed leaves a file in the folder `graves`, so that the one in its
    place is not.
    """
    if graves:
        from distributed import get_worker

        try:
            Path(graves, str(get_worker().name)).touch(exist_ok=False)
        except FileExistsError:
            pass
        else:
            os._exit(1)
    return len(block), (operator @ block.T).sum(axis=1), block.sum(axis=0)


@pytest.mark.slow  # half a minute of waiting
def test_killed_workers_change_nothing(on_cluster, tmp_path):
    operator = nf.FactorProduct([random((7, 6), "float64")])
    x = da.from_array(random((50, 6), "float64"), chunks=(3, 4)).persist()
    expected = sum_blocks(_statistics, row_blocks(x), operator, None)
    got = sum_blocks(_statistics, row_blocks(x), operator, str(tmp_path))
    assert any(tmp_path.iterdir())
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def _process(operator, x):
    return os.getpid(), operator @ x


@pytest.mark.parametrize("ordered", [True, False])
def test_jobs_run_on_the_cluster(on_cluster, ordered):
    joblib = pytest.importorskip("joblib")
    operator, x = nf.FactorProduct([random((7, 6), "float64")]), np.ones(6)
    calls = [(operator, place * x) for place in range(4)]
    with joblib.parallel_config("dask"):
        done = list(each(_process, calls, n_jobs=2, ordered=ordered))
        ((alone, _),) = each(_process, calls[:1])
    workers = on_cluster.run(os.getpid).values()
    assert {process for process, _ in done} <= set(workers)
    assert alone == os.getpid()
    found = sorted((result for _, result in done), key=np.linalg.norm)
    close(np.array(found), np.array([operator @ y for _, y in calls]))


@pytest.mark.slow
def test_jobs_run_on_the_backend_of_joblib():
    joblib = pytest.importorskip("joblib")
    calls = [(nf.FactorProduct([np.eye(2)]), np.ones(2))] * 2
    with joblib.parallel_config("threading"):
        assert {process for process, _ in each(_process, calls, 2)} == {os.getpid()}
    assert os.getpid() not in {process for process, _ in each(_process, calls, 2)}
