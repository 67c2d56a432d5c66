"""Products with factors of large blocks: kernels, orders of memory, equal bits."""

import naive
import numpy as np
import pytest
from samples import DTYPES, close, random

import nbfact as nf
from nbfact._core import threads as rule
from nbfact.kernels import blocks, blocks_apply, transpose
from nbfact.operators import plan as plans

PATTERNS = [
    *((1, 1, 1, 1), (1, 5, 3, 1), (3, 4, 6, 1), (2, 3, 5, 4), (1, 4, 7, 16)),
    *((2, 5, 2, 17), (1, 2, 3, 33)),
]
CHAINS = {
    "d = 1": [(3, 40, 48, 1)],
    "a = 1": [(1, 48, 40, 5)],
    "both": [(2, 36, 44, 3)],
    "monarch": [(1, 33, 36, 32), (36, 32, 33, 1)],
    "aliased": [(1, 24, 26, 64)],
}


def butterfly(name, dtype):
    """Return an operator with Gaussian values on one of the chains."""
    chain = nf.Chain(CHAINS[name])
    values = [random(p, dtype, j) / np.sqrt(p[2]) for j, p in enumerate(chain)]
    return nf.Butterfly(chain, [value.astype(dtype) for value in values])


def product(values, x):
    """Return the product of the factors with columns, in double precision."""
    for value in reversed(values):
        a, _, c, d = value.shape
        x = np.einsum("ijkl,iklz->ijlz", value, x.reshape(a, c, d, -1), optimize=True)
    return x.reshape(-1, x.shape[-1])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_one_vector(pattern, dtype):
    a, b, c, d = pattern
    values, x = random((a, d, b, c), dtype), random(a * c * d, dtype, 1)
    for arrays in (values, values.view()):
        arrays.setflags(write=False)
        scratch = np.full((2, min(d, blocks.WIDTH) * max(b, c)), np.nan, dtype)
        blocks_apply(arrays, x, scratch, out := np.full(a * b * d, np.nan, dtype))
        close(out, naive.blocks_apply(values, x))


@pytest.mark.parametrize("name", ("CACHED", "LONG"))
def test_rows_one_by_one(name, monkeypatch):
    """Blocks of 1 x 3000 values have long rows; a million of rows are slow to make."""
    shape = {"LONG": (1, 1, 5, 600), "CACHED": (2, 1, 1025, 512)}[name]
    values, x = random(shape, "float64"), random(shape[0] * shape[3], "float64", 1)
    if name == "CACHED":
        assert values.nbytes > blocks.CACHED
    else:
        assert values[0, 0, 0].nbytes > blocks.LONG
    out = np.empty(shape[0] * shape[2])
    blocks_apply(values, x, np.empty((2, 0)), out)
    close(out, (values[:, 0] @ x.reshape(shape[0], -1, 1)).ravel())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (8, 5), (17, 24), (0, 3)])
def test_transpose(shape, dtype):
    x = random(shape, dtype)
    transpose(x, out := np.empty(shape[::-1], dtype))
    np.testing.assert_array_equal(out, naive.transpose(x))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CHAINS)
def test_columns_and_rows_of_every_layout(name, dtype):
    B = butterfly(name, dtype)
    for operator in (B, B.H, B.T):
        for batch in (1, 3, 16):
            x = random((operator.shape[1], batch), dtype)
            expected = product(operator.values, x)
            columns = operator @ x
            close(columns, expected)
            close(operator @ x[::-1][::-1], expected)
            rows = np.ascontiguousarray(x.T)
            found = rows @ operator.T
            close(found, expected.T)
            assert found.flags.c_contiguous  # laid out as the operand
            out = np.empty_like(columns)
            assert operator.apply(x, out) is out
            np.testing.assert_array_equal(out, columns)
            if batch == 1:
                np.testing.assert_array_equal(operator @ x[:, 0], columns[:, 0])


@pytest.mark.parametrize("name", ("monarch", "aliased"))
def test_history_changes_no_bit(name):
    """The same call gives the same bits, whatever was multiplied before."""
    x = random((butterfly(name, "float64").shape[1], 70), "float64")
    batches = (1, 2, 3, 16, 70)
    first = {n: butterfly(name, "float64") @ x[:, :n].copy() for n in batches}
    for order in (batches, batches[::-1]):
        B = butterfly(name, "float64")
        B @ x[:, 0].copy()
        for n in order:
            for one in (x[:, :n].copy(), x[:, :n]):
                np.testing.assert_array_equal(B @ one, first[n])
            np.testing.assert_array_equal(B.matmat(x[:, :n]), first[n])
            vector = B.apply(x[:, :1].copy(), np.empty((B.shape[0], 1)))
            np.testing.assert_array_equal(vector, first[1])


def test_programs_share_what_they_pack():
    B = butterfly("monarch", "float32")
    for batch in (1, 2, 4, 8, 16, 64, 256):
        B @ np.ones((B.shape[1], batch), np.float32)
    packed = [step for _, step in B._packed]
    assert len(packed) == len(set(packed))
    assert [step.kind for step in packed].count(plans.BLOCKS) == len(B.chain)
    # Where d = 1 the values are not even copied.
    call = B._packed[np.dtype("float32"), plans.Step(plans.BLOCKS, 1, 2)]
    cells = [cell.cell_contents for cell in call.columns.__closure__]
    assert any(np.shares_memory(B.values[1], one) for one in cells if _is_array(one))


def _is_array(value):
    return isinstance(value, np.ndarray)


@pytest.mark.parametrize("name", ("d = 1", "a = 1", "monarch"))
def test_threads_change_no_bit(name, monkeypatch):
    B = butterfly(name, "float64")
    x = random((B.shape[1], 33), "float64")
    expected = B @ x
    monkeypatch.setattr(rule, "LEAST_WORK", 1)
    C = butterfly(name, "float64")  # which is shared from one column on
    with nf.threads(2) if rule._most() > 1 else nf.threads(1):
        np.testing.assert_array_equal(C @ x, expected)


@pytest.mark.parametrize("dtype", ("float64", "complex128"))
def test_infinite_entries_travel_without_a_warning(dtype):
    B = butterfly("d = 1", dtype)
    for batch in (1, 3):
        x = np.zeros((B.shape[1], batch), dtype)
        x[0] = np.inf
        found = B @ x
        assert not np.isfinite(found[: B.values[0].shape[1]]).any()
        assert (found[B.values[0].shape[1] :] == 0).all()
