"""Butterflies in the layouts of other libraries, in copies and in files."""

import copy
import pickle
import warnings

import naive
import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp
from chains import CHAINS, operator_of, values_of
from samples import DTYPES, close, random

import nbfact as nf
from nbfact import Butterfly, Chain

# --------------------------------------------------------------------------------------
# Layouts of other libraries
# --------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_stacks", [1, 3])
@pytest.mark.parametrize("n_blocks", [1, 2, 3])
@pytest.mark.parametrize("n", [2, 4, 16])
@pytest.mark.parametrize("increasing", [True, False])
def test_twiddles(n_stacks, n_blocks, n, increasing):
    n_levels = n.bit_length() - 1
    shape = (n_stacks, n_blocks, n_levels, n // 2, 2, 2)
    # Sums of small integers are exact in any order.
    twiddle = np.random.default_rng(n).integers(-2, 3, shape).astype(float)
    operator = Butterfly.from_twiddle(twiddle, increasing)
    assert operator.shape == (n_stacks * n, n)
    applied = naive.torch_butterfly(twiddle, np.eye(n), increasing)
    np.testing.assert_array_equal(operator.toarray(), applied.reshape(n, -1).T)
    back, direction = operator.to_twiddle()
    np.testing.assert_array_equal(back, twiddle)
    assert direction == increasing or n == 2


def test_random_twiddles():
    twiddle = random((2, 2, 3, 4, 2, 2), "complex128")
    x = random((5, 8), "complex128", 1)
    operator = Butterfly.from_twiddle(twiddle, False)
    expected = naive.torch_butterfly(twiddle, x, False).reshape(5, 16)
    close((operator @ x.T).T, expected)
    np.testing.assert_array_equal(operator.to_twiddle()[0], twiddle)


def test_what_is_no_twiddle():
    for shape in ((1, 1, 2, 2, 2), (1, 1, 2, 3, 2, 2), (0, 1, 2, 2, 2, 2), (1,)):
        with pytest.raises(ValueError, match="twiddle has shape"):
            Butterfly.from_twiddle(np.zeros(shape))
    for chain in (
        Chain.rank2(8),
        Chain.mixed_radix([2, 3]),
        Chain.square_dyadic(8)[:2],
        Chain.square_dyadic(8) @ Chain.square_dyadic(8),
        Chain([(1, 1, 1, 1)]),
    ):
        with pytest.raises(ValueError, match="not butterflies"):
            operator_of(chain)[0].to_twiddle()
    stacked = Butterfly.from_twiddle(np.ones((3, 1, 2, 2, 2, 2))) * 2
    with pytest.raises(ValueError, match="not a stack of identities"):
        Butterfly(
            stacked.chain, [*stacked.values[:-1], 2 * stacked.values[-1]]
        ).to_twiddle()
    permuted, _ = operator_of(Chain.square_dyadic(8), permuted=True)
    for what in (permuted.to_twiddle, lambda: permuted.ks_values):
        with pytest.raises(ValueError, match="rows or columns are permuted"):
            what()


def test_ks_values():
    values = values_of(CHAINS["mixed"], "complex128")
    operator = Butterfly.from_ks_values(values)
    assert operator.chain == CHAINS["mixed"]
    expected = np.eye(len(operator.toarray()))
    for value in values:
        expected = expected @ naive.kronecker_matrix(value)
    np.testing.assert_allclose(operator.toarray(), expected, atol=1e-12)
    for got, value in zip(operator.ks_values, values, strict=True):
        np.testing.assert_array_equal(got, value)


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
@pytest.mark.parametrize("permuted", [False, True])
def test_factors(chain, permuted):
    operator, dense = operator_of(chain, "complex128", permuted)
    factors = operator.to_factors()
    assert isinstance(factors, nf.FactorProduct) and factors.nnz == operator.nnz
    close(factors.toarray(), dense)
    if not permuted:
        for factor, value in zip(factors.factors, operator.values, strict=True):
            expected = naive.kronecker_matrix(value)
            np.testing.assert_array_equal(factor.toarray(), expected)
        for same in (
            factors,
            factors.factors,
            [f.toarray() for f in factors.factors],
            [sp.coo_array(f) for f in factors.factors],
            [sp.csc_matrix(f) for f in factors.factors],
        ):
            back = Butterfly.from_factors(same, chain)
            for got, value in zip(back.values, operator.values, strict=True):
                np.testing.assert_array_equal(got, value)
        scaled = Butterfly.from_factors(factors * 2.0, list(chain))
        close(scaled.toarray(), 2 * dense)


def test_factors_that_are_not_in_a_chain():
    chain = Chain.square_dyadic(4)
    good = [f.toarray() for f in operator_of(chain)[0].to_factors().factors]
    with pytest.raises(ValueError, match="1 factors for 2 patterns"):
        Butterfly.from_factors(good[:1], chain)
    with pytest.raises(ValueError, match=r"factors\[1\] has shape \(4, 3\)"):
        Butterfly.from_factors([good[0], good[1][:, :3]], chain)
    with pytest.raises(ValueError, match=r"factors\[0\] has entries.*outside"):
        Butterfly.from_factors([np.ones((4, 4)), good[1]], chain)
    with pytest.raises(ValueError, match=r"factors\[1\] has entries.*outside"):
        Butterfly.from_factors([good[0], good[1] + np.eye(4)[::-1]], chain)


# --------------------------------------------------------------------------------------
# Copies, files, SciPy
# --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("permuted", [False, True])
def test_copies_and_files(dtype, permuted, tmp_path):
    operator, _ = operator_of(CHAINS["mixed"], dtype, permuted)
    expected = operator.toarray()
    path = tmp_path / "butterfly.npz"
    operator.save(path)
    for same in (
        nf.load(path),
        nf.load(str(path)),
        pickle.loads(pickle.dumps(operator)),
        copy.deepcopy(operator),
        copy.copy(operator),
    ):
        assert isinstance(same, Butterfly) and same.chain == operator.chain
        assert same.dtype == dtype and same.shape == operator.shape
        np.testing.assert_array_equal(same.toarray(), expected)
        np.testing.assert_array_equal(same.H.toarray(), operator.H.toarray())
    assert list(tmp_path.iterdir()) == [path]


def test_padded_butterflies_in_files(tmp_path):
    operator = nf.transforms.toeplitz([1.0, 2.0, 3.0], [1.0, 4.0])
    operator.save(tmp_path / "toeplitz.npz")
    same = nf.load(tmp_path / "toeplitz.npz")
    np.testing.assert_array_equal(same.toarray(), operator.toarray())
    operator.save(tmp_path / "a.mat")
    close(nf.load(tmp_path / "a.mat").toarray(), operator.toarray())
    for name in ("a.npy", "a"):
        with pytest.raises(ValueError, match="save an operator to"):
            operator.save(tmp_path / name)
    with pytest.raises(OSError):
        operator.save(tmp_path / "missing" / "a.npz")


def test_damaged_files(tmp_path):
    operator, _ = operator_of(CHAINS["mixed"], permuted=True)
    path, damaged = tmp_path / "good.npz", tmp_path / "damaged.npz"
    operator.save(path)
    content = path.read_bytes()
    expected = operator.toarray()
    for length in [0, 1, 3, 21, *range(30, len(content), 97), len(content) - 1]:
        damaged.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"damaged\.npz"):
            nf.load(damaged)
    for place in range(0, len(content), 23):
        changed = bytearray(content)
        changed[place] ^= 0x55
        damaged.write_bytes(changed)
        try:  # a byte that is not read may change
            np.testing.assert_array_equal(nf.load(damaged).toarray(), expected)
        except ValueError as error:
            assert "damaged.npz" in str(error)
    arrays = dict(np.load(path))
    for name, value in {
        "n_factors": np.array(99),
        "version": np.array(99),
        "format": np.array("another"),
        "rows": np.array([0, 0]),
        "columns": arrays["columns"] + 1,
        "values_0": np.ones((2, 2)),
        "values_1": np.ones((1, 2, 3, 4)),
        "values_2": np.full(arrays["values_2"].shape, np.nan),
    }.items():
        np.savez(damaged, **{**arrays, name: value})
        with pytest.raises(ValueError, match=r"damaged\.npz"):
            nf.load(damaged)
    for name in ("values_0", "n_factors", "format", "version"):
        np.savez(damaged, **{k: v for k, v in arrays.items() if k != name})
        with pytest.raises(ValueError, match=r"damaged\.npz"):
            nf.load(damaged)
    np.savez(damaged, **{**arrays, "values_0": np.array([{}])}, allow_pickle=True)
    with pytest.raises(ValueError, match=r"damaged\.npz"):
        nf.load(damaged)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        nf.load(tmp_path / "nowhere.npz")


# What an editor may do to the arrays of a product of three factors.
EDITS = {
    "fewer factors": lambda a: a.update(n_factors=np.array(2)),
    "more factors": lambda a: a.update(n_factors=np.array(4)),
    "as many as fill the memory": lambda a: a.update(n_factors=np.array(10**15)),
    "factors that are no integer": lambda a: a.update(n_factors=np.array(3.0)),
    "factors in a row": lambda a: a.update(n_factors=np.array([3])),
    "no array": lambda a: a.pop("indices_1"),
    "another name": lambda a: a.update(data_3=a.pop("data_2")),
    "one more array": lambda a: a.update(more=np.ones(2)),
    "an operator inside": lambda a: a.update(n_operators=np.array(1)),
    "no operator inside": lambda a: a.update({"0/format": np.array("x")}),
    "a scale that is text": lambda a: a.update(scale=np.array("2")),
    "an index of 10**9": lambda a: a["indices_0"].__setitem__(1, 10**9),
    "a negative index": lambda a: a["indices_0"].__setitem__(1, -1),
    "indptr beyond the end": lambda a: a["indptr_0"].__setitem__(-1, 10**9),
    "indptr that falls": lambda a: a["indptr_0"].__setitem__(1, 5),
    "another shape": lambda a: a["shape_0"].__setitem__(1, 9),
}
VALUES = {
    "another scale": lambda a: a.update(scale=np.array(2.0)),
    "another value": lambda a: a["data_1"].__setitem__(0, 7.0),
    "another index": lambda a: a["indices_1"].__setitem__(0, 2),
}


@pytest.mark.parametrize("edit", [*EDITS, *VALUES])
def test_an_edited_file_is_refused(tmp_path, edit):
    path = tmp_path / "edited.npz"
    nf.FactorProduct([np.eye(4), 2 * np.eye(4), np.ones((4, 4))], 0.5).save(path)
    arrays = dict(np.load(path))
    {**EDITS, **VALUES}[edit](arrays)
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=r"path .*edited\.npz .*checksum is another"):
        nf.load(path)
    del arrays["checksum"]
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=r"edited\.npz .*it has no checksum"):
        nf.load(path)
    arrays["version"] = np.array(1)  # of which no file has one
    np.savez(path, **arrays)
    if edit in VALUES:
        assert nf.load(path).shape == (4, 4)
        return
    with pytest.raises(ValueError, match=r"path .*edited\.npz"):
        nf.load(path)


def test_a_matlab_file_of_nbfact_carries_a_checksum(tmp_path):
    path = tmp_path / "a.mat"
    product = nf.FactorProduct([[[1.0, 2.0], [0.0, 3.0]], np.eye(2)], 0.5)
    product.save(path)
    with warnings.catch_warnings():  # of SciPy 1.18, about the class of the factors
        warnings.simplefilter("ignore")
        content = scipy.io.loadmat(path)
    close(nf.load(path).toarray(), product.toarray())
    cells = content["faust_factors"]
    cells[0, 0] = 2 * cells[0, 0]
    own = {k: v for k, v in content.items() if not k.startswith("__")}
    scipy.io.savemat(path, own)
    with pytest.raises(ValueError, match=r"a\.mat .*checksum is another"):
        nf.load(path)
    del own["nbfact_checksum"]  # now it is the file of another program
    scipy.io.savemat(path, own)
    close(nf.load(path).toarray(), 2 * product.toarray())
    scipy.io.savemat(path, {"other": np.eye(2)})
    with pytest.raises(ValueError, match="holds no cell array faust_factors"):
        nf.load(path)


def test_a_path_that_is_none_is_named(tmp_path):
    operator = nf.FactorProduct([np.eye(2)])
    for wrong in (1.5, None, b"a.npz", np.zeros(2)):
        for act in (nf.load, operator.save, operator.export):
            with pytest.raises(TypeError, match="path must be a str"):
                act(wrong)
    for act in (nf.load, operator.save, operator.export):
        with pytest.raises(ValueError, match=r"path .* holds a null character"):
            act("a\0b.npz")
