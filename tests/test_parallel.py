"""Parallel twins give what the serial kernels do, to the last bit."""

import threading

import naive
import numba
import numpy as np
import pytest
from samples import SINGLE, close, random

from nbfact import Butterfly, Chain
from nbfact.kernels import (
    PackedCenters,
    fwht_columns,
    fwht_columns_parallel,
    fwht_rows,
    fwht_rows_parallel,
    kronecker_chain_apply_columns,
    kronecker_chain_apply_columns_parallel,
    nearest_rows,
    nearest_rows_parallel,
)
from nbfact.kernels.registers import BYTES
from nbfact.kernels.tiles import LANES

# Threads take seconds to compile: one dtype here, the others in `.ci/run`.
THREADED = [
    pytest.param("float32", marks=SINGLE),
    "float64",
    pytest.param("complex128", marks=pytest.mark.slow),
]


@pytest.fixture(params=[1, 2])
def threads(request):
    """Run a test on one thread, and on two."""
    if request.param > numba.config.NUMBA_NUM_THREADS:
        pytest.skip("NUMBA_NUM_THREADS allows one thread")
    before = numba.get_num_threads()
    numba.set_num_threads(request.param)
    yield request.param
    numba.set_num_threads(before)


@pytest.mark.parametrize("dtype", THREADED)
@pytest.mark.parametrize("batch", [1, 3, 257])
@pytest.mark.compiled
def test_chain(batch, dtype, threads):
    layout = np.array([(4, 4, 4, 1), (1, 4, 4, 4), (2, 3, 2, 4)])
    values = random(sum(np.prod(layout, axis=1)), dtype)
    x = random((16, batch), dtype, 1)
    for tile in (1, 64):
        expected, out = (np.full((24, batch), np.nan, dtype) for _ in range(2))
        scratch = np.empty((threads, 2, 24, tile), dtype)
        kronecker_chain_apply_columns(values, layout, x, scratch[0], expected)
        kronecker_chain_apply_columns_parallel(values, layout, x, scratch, out)
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", THREADED)
@pytest.mark.parametrize("batch", [1, 3, 257])
@pytest.mark.parametrize("n", [8, 64, 1024])
@pytest.mark.compiled
def test_hadamard(n, batch, dtype, threads):
    x = random((batch, n), dtype)
    for count in (1, threads, 5):
        fwht_rows(expected := x.copy())
        fwht_rows_parallel(rows := x.copy(), count)
        np.testing.assert_array_equal(rows, expected)
        if batch > 1:
            fwht_columns(expected := x.T.copy())
            fwht_columns_parallel(columns := x.T.copy())
            np.testing.assert_array_equal(columns, expected)


def test_interpreted_too():
    """The sizes are small enough for NUMBA_DISABLE_JIT=1."""
    x = random((3, 8), "float64")
    fwht_rows(expected := x.copy())
    fwht_rows_parallel(rows := x.copy(), 2)
    fwht_columns_parallel(columns := x.T.copy())
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_array_equal(columns, expected.T)
    layout, values = np.array([(2, 2, 2, 2)]), random(16, "float64")
    out, scratch = (np.empty(s, "float64") for s in ((8, 3), (2, 2, 8, 1)))
    kronecker_chain_apply_columns(values, layout, x.T.copy(), scratch[0], out)
    expected = out.copy()
    out[:] = np.nan
    kronecker_chain_apply_columns_parallel(values, layout, x.T.copy(), scratch, out)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(
    "dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("n_points", [1, 40, 300])
@pytest.mark.compiled
def test_nearest(n_points, dtype, threads):
    compare_nearest(n_points, dtype, threads)


def test_nearest_interpreted_too():
    compare_nearest(40, "float32", 2)


def compare_nearest(n_points, dtype, threads):
    """Compare both kernels, and the naive one, on one dense factor with all columns."""
    size = BYTES // np.dtype(dtype).itemsize
    matrix, bias = random((11, size), dtype), random(11, dtype, 1)
    x, columns = random((n_points, size), dtype, 2), np.arange(size, dtype=np.uint32)
    ends = np.arange(12, dtype=np.uint32) * np.uint32(size)
    blocks = np.zeros(1, np.uint64)
    factors = (-2 * matrix).ravel(), np.tile(columns, 11), ends, np.array([11])
    centers = PackedCenters(*factors, bias, blocks)
    scratch = np.empty((threads, 2, LANES // x.itemsize * max(11, size)), dtype)
    labels, scores = np.empty((2, n_points), np.int32), np.empty((2, n_points), dtype)
    nearest_rows(centers, x, scratch[0], labels[0], scores[0])
    nearest_rows_parallel(centers, x, scratch, labels[1], scores[1])
    np.testing.assert_array_equal(labels[1], labels[0])
    np.testing.assert_array_equal(scores[1], scores[0])
    expected = naive.nearest_rows(matrix, bias, x)
    np.testing.assert_array_equal(labels[0], expected[0])
    close(scores[0], expected[1])


def monarch(dtype):
    """Return an operator whose product with columns is one chain."""
    chain = Chain.monarch((64, 64))
    permuted = np.random.default_rng(0).permutation(64)
    values = [random(pattern, dtype, i) for i, pattern in enumerate(chain)]
    return Butterfly(chain, values, rows=permuted)


@pytest.mark.parametrize("dtype", THREADED)
@pytest.mark.compiled
def test_apply(dtype, threads):
    operator = monarch(dtype)
    for shape in ((64,), (64, 1), (64, 3), (64, 257), (64, 0)):
        for x in (random(shape, dtype), random(shape, "float32")):
            expected = operator @ x
            got = operator.apply(x, parallel=True)
            np.testing.assert_array_equal(got, expected)
            out = np.full_like(expected, np.nan)
            assert operator.apply(x, out, parallel=True) is out
            np.testing.assert_array_equal(out, expected)


@pytest.mark.compiled
def test_apply_from_several_threads():
    """The layer "workqueue" would end the process, without the lock."""
    operator, x = monarch("float64"), random((64, 257), "float64")
    expected, got = operator @ x, []

    def work():
        for _ in range(20):
            got.append(operator.apply(x, parallel=True))

    team = [threading.Thread(target=work) for _ in range(4)]
    for thread in team:
        thread.start()
    for thread in team:
        thread.join()
    assert len(got) == 80
    for found in got:
        np.testing.assert_array_equal(found, expected)
