"""Sizes beyond what fits are refused at once, with the argument and the size."""

import re

import numpy as np
import pytest

import nbfact as nf
from nbfact._core import limits
from nbfact.operators import block_diag, reorderings

HUGE = (2**31, 2**40, 2**60, 2**62)
ORDERS = {
    f"{room.__name__}.{name}": getattr(room, name)
    for room, names in (
        (nf.transforms, "dct dft dst haar hadamard hartley idft legendre slant"),
        (
            nf.targets,
            "convolution dct dft dst graph_fourier haar hadamard hartley hilbert "
            "legendre permuted_butterfly randn slant",
        ),
        (reorderings, "bit_reversal makhoul"),
    )
    for name in names.split()
}


@pytest.fixture(autouse=True)
def small_machine(monkeypatch, request):
    """Let the machine have 16 GiB, whatever it has."""
    if "memory" not in request.node.name:
        monkeypatch.setattr(limits, "machine_memory", lambda: 1 << 34)


@pytest.mark.parametrize("name", ORDERS)
def test_orders_that_do_not_fit(name):
    for n in HUGE:
        with pytest.raises(ValueError, match=f"^n={n} is too large: it needs .*iB"):
            ORDERS[name](n)
    for n in (2**63, 10**400):
        with pytest.raises(ValueError, match=r"^n="):
            ORDERS[name](n)


@pytest.mark.parametrize("type", [1, 2, 3, 4])
def test_orders_of_cosine_and_sine_transforms(type):
    for transform in (nf.transforms.dct, nf.transforms.dst):
        for n in (2**40, 2**61 - 1, 10**9 + 7):
            with pytest.raises(ValueError, match=f"^n={n} is too large"):
                transform(n, type=type)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nf.targets.named("dct", 2**40), "n=1099511627776 is too large"),
        (lambda: nf.targets.leadfield(5, 10**18), "n_sensors=5 by n_sources=10"),
        (lambda: nf.targets.leadfield(10**10, 10**10), "n_sensors=10000000000 by"),
        (lambda: nf.targets.planted(2**40, 2, 2), "n=1099511627776 is too large"),
        (lambda: nf.targets.planted(4, 10**9, 2), "n_factors=1000000000: expected at"),
        (lambda: nf.targets.pair_rotations(2**40, 1), "n=1099511627776 is too large"),
        (lambda: nf.targets.pair_rotations(4, 10**9), "n_factors=1000000000: expected"),
        (lambda: nf.transforms.legendre(8, 10**9), "n=8 with rank=1000000000 is too"),
        (lambda: nf.transforms.dft(999_983 * 2), "n=1999966 is too large"),
        (lambda: nf.transforms.circulant(np.ones(999_983)), "c of length 999983 is"),
        (lambda: nf.transforms.kronecker(*[np.ones((999, 999))] * 3), "matrices with"),
        (
            lambda: nf.transforms.kronecker(*[nf.FactorProduct([np.eye(999)])] * 9),
            "matrices with",
        ),
        (lambda: nf.Chain.smallest(2**61 - 1), "shape: the order 2305843009213693951"),
        (lambda: nf.Chain.monarch(2**61 - 1), "shape: the order 2305843009213693951"),
        (lambda: nf.Chain.square_dyadic(2**100), "n="),
        (lambda: nf.Chain.mixed_radix([2] * 10**5), "factors of 100000 radices"),
        (lambda: nf.Chain.square_dyadic(2**40).toarray(), "the support of a product"),
        (lambda: nf.Chain.square_dyadic(2**40).support(0), "the support of (1, 2, 2"),
        (lambda: nf.transforms.hadamard(2**18).toarray(), "a dense array of shape"),
        (lambda: nf.transforms.dct(4) ** 10**9, "exponent=1000000000: expected"),
        (lambda: nf.transforms.dct(4) ** -(10**9), "exponent=-1000000000: expected"),
    ],
)
def test_other_sizes_that_do_not_fit(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        call()


def test_memory_is_that_of_the_machine(monkeypatch):
    assert limits.machine_memory() >= 1 << 28
    monkeypatch.setattr(limits, "machine_memory", lambda: 3000)
    limits.check_memory("n=10", 375)
    with pytest.raises(ValueError, match=r"^n=19 is too large: it needs 2.97 KiB"):
        limits.check_memory("n=19", 380)
    with pytest.raises(ValueError, match=r"this machine has 2.93 KiB$"):
        limits.check_memory("n", 10**400)


def test_memory_of_other_systems(monkeypatch, tmp_path):
    plain = limits.machine_memory.__wrapped__
    monkeypatch.setattr(limits, "_CGROUPS", (tmp_path / "max", tmp_path / "limit"))
    (tmp_path / "max").write_text("max\n")
    whole = plain()
    (tmp_path / "limit").write_text("4096\n")
    assert plain() == 4096 < whole
    monkeypatch.delattr(limits.os, "sysconf")
    (tmp_path / "limit").unlink()
    assert plain() == limits.UNKNOWN


def test_large_orders_that_fit_are_made_at_once():
    B = nf.transforms.slant(1 << 14)
    x = np.zeros(1 << 14)
    x[0] = 1.0
    first = B @ x  # the first column: entry 1 is the largest slope
    slope = np.sqrt(3 * (B.shape[0] - 1) / (B.shape[0] * (B.shape[0] + 1)))
    np.testing.assert_allclose(first[:2], [2.0**-7, slope], rtol=1e-12)
    assert nf.Chain.square_dyadic(2**60).n_parameters == 60 * 2**61
    power = block_diag([nf.transforms.haar(2), nf.transforms.dct(2)]) ** 1000
    np.testing.assert_allclose(power.toarray(), np.eye(4), atol=1e-12)
