"""Grey images from installed packages, their patches, and how near they are."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

MISSING = '{name} is missing; pip install "nbfact[denoising]" brings it'

SCIKIT_IMAGE = ("camera", "moon", "brick", "grass", "gravel", "astronaut")
"""Images of scikit-image; the last one is in colour."""

PYWAVELETS = ("ascent", "aero")
"""Images of PyWavelets. Its camera is that of scikit-image."""

IMAGES = ("camera", "ascent", "brick", "astronaut", "aero", "gravel", "moon", "grass")
"""All images, in the order in which the study takes them."""

SIDE = 8
"""Rows and columns of a patch."""

LUMA = (0.2126, 0.7152, 0.0722)
"""Weights of red, green and blue in the luminance (Rec. 709)."""


def load_image(name: str) -> np.ndarray:
    """Return an image as a grey image.

    Parameters
    ----------
    name : str
        One of :data:`IMAGES`.

    Returns
    -------
    ndarray of float64, (512, 512)
        Grey levels from 0 to 255.

    Raises
    ------
    ModuleNotFoundError
        When one of the packages that have images is not installed.
    """
    theirs, others = _imported("skimage.data"), _imported("pywt.data")
    return grey(name, getattr(theirs if name in SCIKIT_IMAGE else others, name)())


def _imported(module: str) -> Any:
    """Return a module of an image library, or raise with the way to install it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        names = {"skimage": "scikit-image", "pywt": "PyWavelets"}
        missing = names[module.split(".")[0]]
        raise ModuleNotFoundError(MISSING.format(name=missing)) from None


def grey(name: str, image: Any) -> np.ndarray:
    """Return an image as grey levels in float64.

    Parameters
    ----------
    name : str
        What the image is called in messages.
    image : array_like, (h, w), (h, w, 3) or (h, w, 4)
        Integers or real numbers, of any range. Colours become luminance, and an opacity
        is dropped.

    Returns
    -------
    ndarray of float64, (h, w)

    Raises
    ------
    TypeError
        For what holds no real numbers.
    ValueError
        For another shape, sides below those of a patch, NaN or infinity.

    Examples
    --------
    >>> image = grey("image", np.full((8, 8, 3), 255, np.uint8))
    >>> image.shape, bool(np.allclose(image, 255))
    ((8, 8), True)
    """
    array = np.asarray(image)
    if array.dtype.kind not in "buif":
        raise TypeError(f"{name} has dtype {array.dtype}: expected real numbers")
    colour = array.ndim == 3 and array.shape[2] in (3, 4)
    if not colour and array.ndim != 2:
        raise ValueError(
            f"{name} has shape {array.shape}: expected (h, w), or (h, w, 3) in colour"
        )
    if min(array.shape[:2]) < SIDE:
        raise ValueError(f"{name} has shape {array.shape}: a side is below {SIDE}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} contains NaN or infinity")
    return array[:, :, :3] @ LUMA if colour else array


class Patches:
    """The patches of an image, their means apart, and the image of changed patches.

    Parameters
    ----------
    image : ndarray, (h, w)
    stride : int
        Rows, and columns, from one patch to the next, at most SIDE. The last patch of a
        row or column ends at the border, whatever the stride is.

    Attributes
    ----------
    means : ndarray, (p, 1)
        Mean of each patch.
    centered : ndarray, (p, SIDE²)
        The patches less their means.
    """

    def __init__(self, image: np.ndarray, stride: int = 1) -> None:
        windows = np.lib.stride_tricks.sliding_window_view(image, (SIDE, SIDE))
        self._rows, self._columns = (_places(n, stride) for n in windows.shape[:2])
        self._shape = image.shape
        patches = windows[np.ix_(self._rows, self._columns)].reshape(-1, SIDE**2)
        self.means = patches.mean(axis=1, keepdims=True)
        self.centered = patches - self.means

    def image_of(self, centered: np.ndarray) -> np.ndarray:
        """Return the mean of all patches over each pixel, their means added again."""
        patches = centered + self.means
        patches = patches.reshape(self._rows.size, self._columns.size, SIDE, SIDE)
        total, count = np.zeros(self._shape), np.zeros(self._shape)
        for i in range(SIDE):
            for j in range(SIDE):
                place = np.ix_(self._rows + i, self._columns + j)
                total[place] += patches[:, :, i, j]
                count[place] += 1
        return total / count


def _places(count: int, stride: int) -> np.ndarray:
    """Return every stride-th index below a count, and the last one."""
    return np.unique(np.append(np.arange(0, count, stride), count - 1))


def psnr(image: np.ndarray, clean: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio in dB, for a peak of 255.

    Examples
    --------
    >>> round(psnr(np.zeros((2, 2)), np.full((2, 2), 25.5)), 12)
    20.0
    """
    return float(10 * np.log10(255**2 / np.mean((image - clean) ** 2)))


def non_local_means(noisy: np.ndarray, sigma: float) -> np.ndarray:
    """Return an image denoised by the non-local means of scikit-image."""
    restore: Callable = _imported("skimage.restoration").denoise_nl_means
    options = {"patch_size": 5, "patch_distance": 6, "fast_mode": True}
    return restore(noisy, h=0.8 * sigma, sigma=sigma, **options)
