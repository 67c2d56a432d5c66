"""What a benchmark is: one implementation of one computation at one size."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

DENSE = "dense A @ X"
"""The implementation that products are compared with."""


@dataclass(frozen=True, eq=False)
class Case:
    """One implementation of one computation.

    Parameters
    ----------
    group : str
        The computation; one table each.
    impl : str
        The implementation.
    params : dict
        Sizes and ``dtype``, as shown in the table.
    make : callable
        ``make(rng)``: the inputs, the same for all cases of the task.
    prepare : callable
        ``prepare(inputs)``: a call without arguments that returns the result; what
        runs here is not timed.
    reference : callable
        ``reference(inputs)``: the result in a wider dtype.
    bound : float
        The largest relative error allowed; infinite where no exact result exists.
    size, flops : int
        Bytes that any such implementation moves, each once; real operations.
    nnz : int or None
        Entries stored by the operator; ``None`` when it stores none.
    yardstick : str
        The implementation of the same task that ratios are taken to.
    fallbacks : tuple of str
        What the yardstick is where it is left out, best first.
    rival : bool
        Whether a failure is someone else's: it is shown, and does not fail the run.
    slack : float or None
        Where errors are of approximation (the reference is the matrix approximated):
        how many times the least error of the others in the task is still right,
        infinite to show the ratio and not to judge by it. ``None`` elsewhere.
    """

    group: str
    impl: str
    params: dict[str, Any]
    make: Callable[[np.random.Generator], Any]
    prepare: Callable[[Any], Callable[[], np.ndarray]]
    reference: Callable[[Any], np.ndarray]
    bound: float
    size: int
    flops: int
    nnz: int | None
    yardstick: str = DENSE
    fallbacks: tuple[str, ...] = ()
    rival: bool = False
    slack: float | None = None

    @property
    def task(self) -> str:
        """The name shared by all implementations, ``dft n=8 batch=1 complex64``."""
        sizes = [f"{k}={v}" for k, v in self.params.items() if k != "dtype"]
        return " ".join([self.group, *sizes, self.params["dtype"]])

    @property
    def name(self) -> str:
        """The name of the case, unique in the registry."""
        return f"{self.task} [{self.impl}]"

    def error(self, got: np.ndarray, want: np.ndarray) -> float:
        """Return ‖got − want‖ / ‖want‖ in the dtype of want; NaN counts as infinite.

        Where the result should be zero, anything else is infinitely wrong.

        Raises
        ------
        ValueError
            When the shapes differ, or the dtype is not that of the case.
        """
        if got.shape != want.shape:
            raise ValueError(f"result of shape {got.shape}; expected {want.shape}")
        if got.dtype != self.params["dtype"]:
            raise ValueError(
                f"result of dtype {got.dtype}; expected {self.params['dtype']}"
            )
        with np.errstate(invalid="ignore", over="ignore"):
            error, norm = np.linalg.norm(got - want), np.linalg.norm(want)
        if norm == 0:
            return 0.0 if error == 0 else math.inf
        return float(error / norm) if math.isfinite(error) else math.inf


def leave_out(task: Sequence[Case], impls: Collection[str]) -> list[Case]:
    """Return the other cases of a task; its yardstick falls to the next choice.

    Where no choice is left, the yardstick stays the one that has no times: there are
    no ratios then.

    Parameters
    ----------
    task : sequence of Case
        All implementations of one computation.
    impls : collection of str
        Implementations to leave out.

    Returns
    -------
    list of Case

    Examples
    --------
    >>> leave_out([], ["pyfaust"])
    []
    """
    kept = [case for case in task if case.impl not in impls]
    names = {case.impl for case in kept}
    fallen = []
    for case in kept:
        ranked = (case.yardstick, *case.fallbacks)
        best = next((i for i, name in enumerate(ranked) if name in names), 0)
        fallen.append(
            replace(case, yardstick=ranked[best], fallbacks=ranked[best + 1 :])
        )
    return fallen
