"""Matrices that are products of butterfly factors, permuted or with noise."""

import numpy as np
from samples import random

import nbfact as nf

DYADIC = nf.Chain.square_dyadic(16)


def planted(chain, dtype="float64", seed=0):
    """Return the product of random factors of a chain."""
    values = [random(p, dtype, seed + j) for j, p in enumerate(chain)]
    return nf.Butterfly(chain, values).toarray()


def hadamard(n, rng):
    """Return the Hadamard matrix."""
    return nf.targets.hadamard(n)


def fourier(n, rng):
    """Return the unitary Fourier matrix."""
    return np.fft.fft(np.eye(n), norm="ortho")


def rotations(n, rng):
    """Return a real orthogonal butterfly, whose blocks are rotations."""
    values = []
    for a, _, _, d in nf.Chain.square_dyadic(n):
        angle = rng.uniform(0, 2 * np.pi, (a, d))
        turn = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        values.append(np.moveaxis(np.array(turn), 2, 0))
    return nf.Butterfly(nf.Chain.square_dyadic(n), values).toarray()


def gaussian(n, rng):
    """Return a butterfly with Gaussian values."""
    chain = nf.Chain.square_dyadic(n)
    values = [rng.standard_normal(pattern) for pattern in chain]
    return nf.Butterfly(chain, values).toarray()


def unitary(n, rng):
    """Return a complex unitary butterfly."""
    values = []
    for a, _, _, d in nf.Chain.square_dyadic(n):
        blocks = random((a, d, 2, 2), "complex128", rng.integers(1 << 30))
        values.append(np.linalg.qr(blocks)[0].transpose(0, 2, 3, 1))
    return nf.Butterfly(nf.Chain.square_dyadic(n), values).toarray()


KINDS = (hadamard, fourier, rotations, gaussian, unitary)


def shuffled(kind, n, seed=0, noise=0.0):
    """Return a permuted butterfly without noise, and with noise of a relative norm."""
    rng = np.random.default_rng(seed)
    clean = kind(n, rng)[rng.permutation(n)][:, rng.permutation(n)]
    more = random((n, n), clean.dtype, seed + 1000)
    return clean, clean + noise * np.linalg.norm(clean) / np.linalg.norm(more) * more
