"""What `nbfact bench --cases ripple.bench` measures: the five kernels of ripple."""

import numpy as np

from nbfact.harness import Case, Project, calling, register

from .kernels import Smoother, autocorrelation, distances, moving_mean, running_maximum

# Read without running this file: the arguments are written out. A slowdown counts from
# 8 % on, unless a case says otherwise.
PROJECT = Project("ripple", slowdown=0.08)

WIDTH, LAGS = 64, 16


def signal(n):
    """Return the `make` of a case: a signal of n values, the same in every run."""
    return lambda rng: rng.standard_normal(n)


def windows(x):
    """Return all windows of a signal, in a wider dtype."""
    return np.lib.stride_tricks.sliding_window_view(x.astype(np.longdouble), WIDTH)


def mean_by_numpy(x):
    """Prepare the same mean with NumPy alone, for comparison."""
    ones = np.full(WIDTH, 1 / WIDTH)
    return lambda: np.convolve(x, ones, "valid")


def largest_by_numpy(x):
    """Prepare the same maximum with NumPy alone."""
    view = np.lib.stride_tricks.sliding_window_view(x, WIDTH)
    return lambda: view.max(axis=1)


def smoothed(x):
    """Return the levels of exponential smoothing in a wider dtype."""
    levels = [np.longdouble(x[0])]
    for value in x:
        levels.append(levels[-1] + 0.1 * (value - levels[-1]))
    return np.array(levels[1:])


SIZES = (1_000, 100_000)

for n in SIZES:
    mean = {
        "group": "moving mean",
        "params": {"n": n, "width": WIDTH, "dtype": "float64"},
        "make": signal(n),
        "reference": lambda x: windows(x).mean(axis=1),
        "bound": 1e-11,
        "size": 16 * n,  # bytes that any implementation reads and writes
        "flops": 3 * n,
        "yardstick": "numpy convolve",  # whose time the others are divided by
    }
    register(
        Case(impl="ripple", prepare=lambda x: lambda: moving_mean(x, WIDTH), **mean),
        Case(impl="numpy convolve", prepare=mean_by_numpy, **mean),
    )

for n in SIZES:
    largest = {
        "group": "running maximum",
        "params": {"n": n, "width": WIDTH, "dtype": "float64"},
        "make": signal(n),
        "reference": lambda x: windows(x).max(axis=1),
        "bound": 0.0,  # one of the values, bit for bit
        "yardstick": "numpy windows",
    }
    register(
        Case(
            impl="ripple",
            prepare=lambda x: lambda: running_maximum(x, WIDTH),
            **largest,
        ),
        Case(impl="numpy windows", prepare=largest_by_numpy, **largest),
    )

register(
    Case(
        group="distances",
        impl="ripple",
        params={"n": 200, "d": 8, "dtype": "float64"},
        make=lambda rng: rng.standard_normal((200, 8)),
        prepare=calling(distances),  # its one argument is what `make` returns
        reference=lambda points: np.linalg.norm(
            points[:, None].astype(np.longdouble) - points, axis=2
        ),
        bound=1e-14,
    ),
    Case(
        group="autocorrelation",
        impl="ripple",
        params={"n": 10_000, "lags": LAGS, "dtype": "float64"},
        make=lambda rng: (rng.standard_normal(10_000), LAGS),
        prepare=calling(autocorrelation),  # a tuple: one argument each
        reference=lambda inputs: autocorrelation(
            inputs[0].astype(np.longdouble), inputs[1]
        ),
        bound=1e-12,
        slowdown=0.15,  # NumPy's products vary more than our loops
    ),
    Case(
        group="smoothing",
        impl="ripple",
        params={"n": 10_000, "dtype": "float64"},
        make=signal(10_000),
        prepare=calling(Smoother(0.1).apply),
        reference=smoothed,
        bound=1e-13,
        looser=2.0,  # twice the error of the earlier version is a loss already
    ),
)
