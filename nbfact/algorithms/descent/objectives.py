"""Squared errors of butterflies with permutations, and their gradients.

An objective is a function of one vector of real parameters: the twiddles of its
butterflies, in planes of real and imaginary parts, then the logits of relaxed
permutations. It is called with the parameters and an array for the gradient, and
returns the mean over all entries of the target of the squared error. The kernels of
:mod:`nbfact.kernels.dyadic_gradient` compute both.
"""

import abc
from collections.abc import Sequence

import numpy as np

from ...kernels import (
    butterfly_backward,
    butterfly_expand,
    butterfly_fit,
    butterfly_fit_columns,
    butterfly_total,
    mixture_fit,
)

TILE = 128
"""Number of columns that go through all levels of the left butterfly together, or of
rows that go through all stages of a relaxed permutation: the fastest at n = 256 and
n = 1024."""


class Objective(abc.ABC):
    """What the objectives share: the sizes, the planes of the target, random starts.

    Parameters
    ----------
    target : ndarray, (n, n)
        Of a norm of about √n; real, or complex if the twiddles are.
    tied : bool
        Whether all blocks of a level use the same 2 × 2 block at the same position.
    planes : int
        1 for real twiddles, 2 for complex ones. For a real target and complex twiddles,
        the real part of the product is fitted.
    dtype : numpy.dtype
        Dtype of the parameters, float32 or float64.

    Attributes
    ----------
    n : int
        Order of the target.
    size, n_twiddles, n_logits : int
        Number of parameters, and how many of them are values and logits.
    """

    n_butterflies = 1
    n_logits = 0

    def __init__(
        self, target: np.ndarray, tied: bool, planes: int, dtype: np.dtype
    ) -> None:
        self.n = len(target)
        self.n_levels = self.n.bit_length() - 1
        self.tied, self.planes, self.dtype = tied, planes, np.dtype(dtype)
        size = self.n - 1 if tied else self.n_levels * (self.n // 2)
        self.twiddle_shape = (self.n_butterflies, planes, 4, size)
        self.n_twiddles = int(np.prod(self.twiddle_shape))
        self.size = self.n_twiddles + self.n_logits
        parts = [target.real, target.imag] if target.dtype.kind == "c" else [target]
        # In C order, which target[:, columns] is not: loops over rows vectorise.
        self.target = np.array(parts, dtype, order="C")

    @abc.abstractmethod
    def __call__(self, x: np.ndarray, gradient: np.ndarray) -> float:
        """Return the mean squared error, and write its gradient."""

    def twiddles(self, x: np.ndarray) -> np.ndarray:
        """Return the values as a view (butterflies, planes, 4, size) of parameters."""
        return x[: self.n_twiddles].reshape(self.twiddle_shape)

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """Return random unitary blocks (rotations if real), and logits of 0."""
        count, planes, _, size = self.twiddle_shape
        if planes == 1:
            angle = rng.uniform(0, 2 * np.pi, (count, size))
            cos, sin = np.cos(angle), np.sin(angle)
            blocks = np.stack([cos, -sin, sin, cos], axis=1)[:, None]
        else:
            normal = rng.standard_normal((2, count, size, 2, 2))
            unitary = np.linalg.qr(normal[0] + 1j * normal[1])[0]
            phases = np.exp(1j * rng.uniform(0, 2 * np.pi, (count, size, 1, 2)))
            unitary = (unitary * phases).reshape(count, size, 4).swapaxes(1, 2)
            blocks = np.stack([unitary.real, unitary.imag], axis=1)
        x = np.zeros(self.size, self.dtype)
        self.twiddles(x)[:] = blocks
        return x

    def _level_scratch(self, n_levels: int) -> np.ndarray:
        """Return scratch for the blocks of the first levels: (planes, total)."""
        total = butterfly_total(n_levels, self.n, self.tied)
        return np.empty((self.planes, total), self.dtype)


class OneButterfly(Objective):
    """The model B P for a fixed permutation P: ``target[:, columns] ≈ B``."""

    def __init__(
        self,
        target: np.ndarray,
        columns: np.ndarray,
        tied: bool,
        planes: int,
        dtype: np.dtype,
    ) -> None:
        super().__init__(target[:, columns], tied, planes, dtype)
        self._blocks = self._level_scratch(self.n_levels)
        self._slopes = np.empty_like(self._blocks)

    def __call__(self, x: np.ndarray, gradient: np.ndarray) -> float:
        """Return the mean squared error, and write its gradient."""
        twiddle, slope = self.twiddles(x)[0], self.twiddles(gradient)[0]
        total = butterfly_fit(
            twiddle, self.tied, self.target, self._blocks, self._slopes, slope
        )
        gradient *= self.dtype.type(2 / self.n**2)
        return total / self.n**2


class TwoButterflies(Objective):
    """The model B P' B' P: ``target[:, columns] ≈ B B'[inner]``, for fixed P and P'."""

    n_butterflies = 2

    def __init__(
        self,
        target: np.ndarray,
        inner: np.ndarray,
        columns: np.ndarray,
        tied: bool,
        planes: int,
        dtype: np.dtype,
    ) -> None:
        super().__init__(target[:, columns], tied, planes, dtype)
        n, self._inner = self.n, inner
        self._tile = min(TILE, n)
        self._blocks = self._level_scratch(self.n_levels + 1)
        self._slopes = np.empty_like(self._blocks)
        self._x_slope = np.empty((planes, n, n), self.dtype)
        states = (planes, (self.n_levels + 1) * n * self._tile)
        self._states = np.empty(states, self.dtype)
        self._tiles = np.empty((2, planes, n * self._tile), self.dtype)

    def __call__(self, x: np.ndarray, gradient: np.ndarray) -> float:
        """Return the mean squared error, and write its gradient."""
        left, right = self.twiddles(x)
        left_slope, right_slope = self.twiddles(gradient)
        n, last = self.n, (self.planes, self.n, self.n)
        butterfly_expand(right, self.tied, n, self.n_levels, self._blocks)
        product = self._blocks[:, -n * n :].reshape(last)
        total = butterfly_fit_columns(
            left,
            self.tied,
            np.take(product, self._inner, 1),
            self.target,
            self._states,
            self._tiles,
            left_slope,
            self._x_slope,
        )
        slopes = np.empty(last, self.dtype)
        slopes[:, self._inner] = self._x_slope
        self._slopes[:, -n * n :] = slopes.reshape(self.planes, -1)
        right_slope[:] = 0
        butterfly_backward(
            right,
            self.tied,
            n,
            self.n_levels,
            self._blocks,
            self._slopes,
            right_slope,
        )
        gradient *= self.dtype.type(2 / n**2)
        return total / n**2


class RelaxedButterfly(Objective):
    """The model B P with a relaxed P, whose stages mix permutations.

    The weight of each stage is the sigmoid of a logit. ``parts`` says of which
    permutations P is composed, the first one applied first: "step" is one step on all n
    entries, and "all" is one on blocks of n, n / 2, ..., 2. Each of them has three
    logits: even entries first, first half reversed, second half reversed. All steps of
    "all" share the three.
    """

    def __init__(
        self,
        target: np.ndarray,
        parts: Sequence[str],
        tied: bool,
        planes: int,
        dtype: np.dtype,
    ) -> None:
        self.n_logits = 3 * len(parts)
        super().__init__(target, tied, planes, dtype)
        self._index, self._which = relaxed_stages(self.n, parts)
        self._tile = min(TILE, self.n)
        self._blocks = self._level_scratch(self.n_levels + 1)
        self._slopes = np.empty_like(self._blocks)
        shape = (len(self._index) + 2, self.n, self._tile)
        self._states = np.empty(shape, self.dtype)

    def logits(self, x: np.ndarray) -> np.ndarray:
        """Return the logits as a view of the parameters."""
        return x[self.n_twiddles :]

    def __call__(self, x: np.ndarray, gradient: np.ndarray) -> float:
        """Return the mean squared error, and write its gradient."""
        n, total = self.n, 0.0
        twiddle, slope = self.twiddles(x)[0], self.twiddles(gradient)[0]
        weights = 1 / (1 + np.exp(-self.logits(x)))
        gradient[:] = 0
        butterfly_expand(twiddle, self.tied, n, self.n_levels, self._blocks)
        self._slopes[:, -n * n :] = 0
        for plane, target in enumerate(self.target):
            rows = self._blocks[plane, -n * n :].reshape(n, n).copy()
            total += mixture_fit(
                self._index,
                self._which,
                weights,
                rows,
                target,
                self._tile,
                self._states,
                self.logits(gradient),
            )
            self._slopes[plane, -n * n :] = rows.ravel()
        butterfly_backward(
            twiddle, self.tied, n, self.n_levels, self._blocks, self._slopes, slope
        )
        self.logits(gradient)[:] *= weights * (1 - weights)
        gradient *= self.dtype.type(2 / n**2)
        return total / n**2


def relaxed_stages(n: int, parts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the stages of a relaxed permutation, for `nbfact.kernels.mixture_fit`.

    Parameters
    ----------
    n : int
        A power of two, at least 2.
    parts : sequence of "all" or "step"
        See `RelaxedButterfly`.

    Returns
    -------
    index, which : ndarray of intp, (K, n)
        Where each of the K stages takes each entry from, and which logit weighs it.

    Examples
    --------
    >>> relaxed_stages(4, ["step"])[0]
    array([[0, 2, 1, 3],
           [1, 0, 3, 2]])
    """
    place, index, which = np.arange(n), [], []
    for number, part in enumerate(parts):
        size = n
        while size >= (n if part == "step" else 2):
            half, own = size // 2, place % size
            base, second = place - own, own >= half
            index.append(base + np.where(second, 2 * (own - half) + 1, 2 * own))
            which.append(np.full(n, 3 * number))
            if half > 1:
                index.append(base + np.where(second, size + half, half) - 1 - own)
                which.append(3 * number + 1 + second)
            size = half
    return np.array(index, np.intp), np.array(which, np.intp)
