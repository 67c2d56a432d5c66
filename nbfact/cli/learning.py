"""What ``nbfact factorize`` does while `learn_transform` runs: report, keep, stop."""

import contextlib
import math
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .. import learn_transform, tradeoff
from .._core.dtypes import common_dtype
from ..algorithms.common.result import CallbackState
from ..algorithms.learn.learn_options import EffortName, LearnOptions
from ..algorithms.learn.outcomes import LearnedTransform
from ..operators import FactorProduct


class Keeper:
    """A callback that writes the best operator so far to a file.

    What is written is lost by no kill of the process, and each file is written whole or
    not at all.

    Parameters
    ----------
    output : path
    options : LearnOptions
        The budget: among what fits it the least error is the best; with an error to
        reach, the fewest non-zeros that reach it.
    shape : (int, int)
    dtype : numpy.dtype
        Those of the target.
    """

    def __init__(
        self,
        output: Path,
        options: LearnOptions,
        shape: tuple[int, int],
        dtype: np.dtype,
    ) -> None:
        self._output, self._error = output, options.error
        self._budget = options.budget(shape)
        self._product = options.product_budget(shape, dtype)
        self._best = (math.inf, math.inf)

    def __call__(self, state: CallbackState) -> None:
        """Write the factors of a trial if they are the best so far."""
        if not math.isfinite(state.error) or state.nnz > self._budget:
            return
        rank = state.error, float(state.nnz)
        if self._error is not None:
            rank = max(state.error, self._error), float(state.nnz)
        if rank < self._best:
            found = FactorProduct(state.factors, state.scale)
            if self._product is None or self._product.admits(found):
                self._best = rank
                found.save(self._output)


def learn(
    target: np.ndarray,
    output: Path,
    *,
    effort: EffortName,
    seed: int,
    time_limit: float | None,
    batch: int,
    budget: dict[str, Any],
) -> LearnedTransform:
    """Run `learn_transform`, print a line for each trial, and keep the best in a file.

    A termination (SIGTERM) ends it as Ctrl-C does: with the best so far.
    """
    from rich.console import Console

    console, start = Console(stderr=True), time.monotonic()
    options = LearnOptions(batch=batch, **budget)
    keep = Keeper(output, options, target.shape, common_dtype(target.dtype))

    def callback(state: CallbackState) -> None:
        found = f"error {state.error:.3g}  RCG {target.size / max(state.nnz, 1):.2f}"
        name = f"{state.phase} ({state.n_factors})"
        outcome = state.failure or found
        elapsed = time.monotonic() - start
        total = ""
        if not math.isnan(state.remaining):
            total = f" of about {elapsed + state.remaining:.0f} s"
        console.print(f"{elapsed:6.1f} s{total:16} {name:45} {outcome}")
        keep(state)

    with _terminations_interrupt():
        return learn_transform(
            target,
            effort=effort,
            callback=callback,
            random_state=seed,
            time_limit=time_limit,
            batch=batch,
            **budget,
        )


def show_tradeoff(
    target: np.ndarray, *, effort: Any, seed: int, plot: Path | None
) -> None:
    """Print what budgets cost and yield, for a vector, and draw it where asked to."""
    found = tradeoff(target, effort=effort, random_state=seed)
    print(found)
    if not any(point.speedup > 1 for point in found.points):
        print("Nothing that was found is faster than the dense product of a vector.")
    if plot is not None:
        found.plot().savefig(plot)


@contextlib.contextmanager
def _terminations_interrupt() -> Iterator[None]:
    """Let SIGTERM raise KeyboardInterrupt, where signals can be handled."""

    def interrupt(number, frame):
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
