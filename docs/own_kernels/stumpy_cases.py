"""Cases of stumpy, which computes matrix profiles of time series with Numba.

stumpy needs no installation: `nbfact compare` takes its releases from their wheels.
"""

import numpy as np
import stumpy

from nbfact.harness import Case, Project, register

PROJECT = Project("stumpy", slowdown=0.1)  # from 10 % on, a slowdown counts

WINDOW = 50


def walk(n, dimensions=None):
    """Return the `make` of a case: random walks of n steps."""
    shape = n if dimensions is None else (dimensions, n)
    return lambda rng: np.cumsum(rng.standard_normal(shape), axis=-1)


def normalized(x):
    """Return all windows of a series, of mean 0 and standard deviation 1."""
    wide = x.astype(np.longdouble)
    windows = np.lib.stride_tricks.sliding_window_view(wide, WINDOW)
    windows = windows - windows.mean(axis=1, keepdims=True)
    return windows / np.sqrt((windows**2).mean(axis=1, keepdims=True))


def squared(windows):
    """Return the squared distance of any two windows, infinite where they overlap."""
    squares = (windows**2).sum(axis=1)
    squares = squares[:, None] + squares - 2 * windows @ windows.T
    number = np.arange(len(windows))
    near = np.abs(number[:, None] - number) <= int(np.ceil(WINDOW / 4))
    squares[near] = np.inf
    return squares


def to_first(x):
    """Return the distance of each window of a series to the first one."""
    windows = normalized(x)
    return np.sqrt(((windows - windows[0]) ** 2).sum(axis=1))


def raw(x):
    """Return all windows of a series as they are."""
    return np.lib.stride_tricks.sliding_window_view(x.astype(np.longdouble), WINDOW)


def profile(function, x):
    """Return the distances in the table of numbers and indices that stumpy makes."""
    return function(x, WINDOW)[:, 0].astype(np.float64)


register(
    Case(
        group="matrix profile",
        impl="stumpy.stump",
        params={"n": 1_000, "window": WINDOW, "dtype": "float64"},
        make=walk(1_000),
        prepare=lambda x: lambda: profile(stumpy.stump, x),
        reference=lambda x: np.sqrt(squared(normalized(x)).min(axis=1)),
        bound=1e-6,
    ),
    Case(
        group="matrix profile, not normalized",
        impl="stumpy.aamp",
        params={"n": 300, "window": WINDOW, "dtype": "float64"},
        make=walk(300),
        prepare=lambda x: lambda: profile(stumpy.aamp, x),
        reference=lambda x: np.sqrt(squared(raw(x)).min(axis=1)),
        bound=1e-6,
    ),
    Case(
        group="distance profile",
        impl="stumpy.mass",
        params={"n": 10_000, "window": WINDOW, "dtype": "float64"},
        make=walk(10_000),
        prepare=lambda x: lambda: stumpy.mass(x[:WINDOW].copy(), x).astype(np.float64),
        reference=to_first,
        bound=1e-6,
    ),
    Case(
        group="matrix profile, three series",
        impl="stumpy.mstump",
        params={"n": 200, "window": WINDOW, "dtype": "float64"},
        make=walk(200, 3),
        prepare=lambda x: lambda: stumpy.mstump(x, WINDOW)[0][0].astype(np.float64),
        # The first row: the distance in the series where the nearest one is nearest.
        reference=lambda x: np.sqrt(
            np.min([squared(normalized(one)) for one in x], axis=0).min(axis=1)
        ),
        bound=1e-6,
    ),
)
