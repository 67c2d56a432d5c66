"""tradeoff: errors against non-zeros and measured times, for choosing a budget."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..._core.checks import RandomState, real_number, sequence, size
from ..._core.streams import stream
from ...operators.drawings import figure_class
from ..common.problem import TargetLike, problem_of
from ..common.result import Callback
from .budget_search import BudgetSearch
from .learn_options import EffortName, LearnOptions
from .outcomes import LearnedTransform
from .product_timing import operand, product_seconds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GAINS = (1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
"""The relative complexity gains that are tried by default."""


@dataclass(frozen=True)
class TradeoffPoint:
    """The best factorization under one budget, and how fast it multiplies.

    Attributes
    ----------
    result : LearnedTransform
    seconds, dense_seconds : float
        Measured time of one product with the operator and with the dense matrix, for
        the batch that was asked for.
    """

    result: LearnedTransform
    seconds: float
    dense_seconds: float

    @property
    def error(self) -> float:
        """The relative error."""
        return self.result.relative_error

    @property
    def nnz(self) -> int:
        """Number of non-zeros."""
        return self.result.operator.nnz

    @property
    def speedup(self) -> float:
        """How many times as fast as the dense product."""
        return self.dense_seconds / self.seconds


@dataclass(frozen=True)
class Tradeoff:
    """The result of `nbfact.tradeoff`: the best product found for each budget.

    Attributes
    ----------
    points : tuple of TradeoffPoint
        The Pareto front: by increasing number of non-zeros, each with less error than
        the ones before it.
    batch : int
        Number of columns that products were measured with; 1 for a vector.
    all_points : tuple of TradeoffPoint
        What was found for each budget, the largest first.

    See Also
    --------
    nbfact.tradeoff : The function that returns it.
    nbfact.learn_transform : The search for one budget.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.random.default_rng(0).standard_normal((2, 16, 3))
    >>> front = nf.tradeoff(x[0] @ x[1].T, [2], families=["low rank"])
    >>> len(front.points), len(front.all_points), len(front.plot().axes)
    (1, 1, 2)
    """

    points: tuple[TradeoffPoint, ...]
    batch: int
    all_points: tuple[TradeoffPoint, ...] = field(repr=False)

    def __str__(self) -> str:
        lines = ["non-zeros     RCG  relative error  times as fast  structure"]
        for point in self.points:
            operator = point.result.operator
            words = point.result.structure.split(", relative error")[0]
            lines.append(
                f"{point.nnz:9} {operator.rcg:7.3g} {point.error:15.3g} "
                f"{point.speedup:14.2f}  {words}"
            )
        return "\n".join(lines)

    def plot(self, figure: "Figure | None" = None) -> "Figure":
        """Draw the error against the number of non-zeros, and against measured time.

        Parameters
        ----------
        figure : matplotlib.figure.Figure, optional
            Figure to draw in; a new one by default.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ModuleNotFoundError
            When matplotlib is not installed; the message says how to install it.

        See Also
        --------
        nbfact.tradeoff : Finds the points.
        """
        if figure is None:
            figure = figure_class()(figsize=(9, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        errors = [max(point.error, 1e-16) for point in self.points]
        left.loglog([point.nnz for point in self.points], errors, "o-")
        left.set(xlabel="non-zeros", ylabel="relative error")
        times = [point.seconds * 1e6 for point in self.points]
        right.loglog(times, errors, "o", label="operators")
        if self.points:
            dense = self.points[0].dense_seconds * 1e6
            right.axvline(dense, color="gray", linestyle="--", label="dense matrix")
            figure.legend(
                *right.get_legend_handles_labels(), loc="outside lower center"
            )
        columns = "one vector" if self.batch == 1 else f"{self.batch} columns"
        right.set(xlabel=f"measured time for {columns} (µs)")
        return figure


def tradeoff(
    target: TargetLike,
    rcg: Sequence[float] = GAINS,
    *,
    batch: int = 1,
    effort: EffortName = "quick",
    families: Sequence[str] | None = None,
    n_jobs: int | None = None,
    callback: Callback | None = None,
    random_state: RandomState = None,
) -> Tradeoff:
    """Learn fast transforms of one matrix under several budgets, and time each.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (m, n)
        The matrix A, see `learn_transform`.
    rcg : sequence of float
        Budgets as relative complexity gains, m n / nnz.
    batch : int
        Number of columns of the products that are measured; 1 for a vector.
    effort, families, n_jobs, callback, random_state
        See `learn_transform`.

    Returns
    -------
    Tradeoff
        The Pareto front: errors, non-zeros, measured times. It prints as a table, and
        its method `plot` draws it.

    Raises
    ------
    TypeError, ValueError
        As `learn_transform`; no gain, or one that is not positive; batch < 1.

    See Also
    --------
    learn_transform : One budget, with more effort.

    Notes
    -----
    Cost: a search of `learn_transform` for each gain; what depends on no budget is
    looked for once. Times are the shortest of several samples, on as many threads as
    the libraries use at the moment.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.random.default_rng(0).standard_normal((2, 16, 3))
    >>> front = nf.tradeoff(x[0] @ x[1].T, [2, 4], families=["low rank", "chains"])
    >>> [(point.nnz, point.result.structure) for point in front.points[-1:]]
    [(90, 'rank 3')]
    """
    listed = sequence("rcg", rcg, "relative complexity gains", 1)
    gains = [real_number("rcg", one, above=0) for one in listed]
    batch = size("batch", batch)
    options = LearnOptions(
        effort=effort, families=families, n_jobs=n_jobs, callback=callback
    )
    problem = problem_of(target)
    rng = stream("random_state", random_state, "learn_transform")
    if problem.zero:
        raise ValueError("target is zero: there is nothing to trade")
    search = BudgetSearch(problem, options, rng)
    rows, columns = problem.shape
    points = []
    for gain in sorted(gains):
        try:
            found = search.best(max(1, int(rows * columns / gain)))
            points.append(_timed(found, problem.array, batch))
        except KeyboardInterrupt:  # what earlier budgets had is not lost
            if not points:
                raise
            break
        if search.stopped:
            break
    return Tradeoff(_front(points), batch, tuple(points))


def _front(points: list[TradeoffPoint]) -> tuple[TradeoffPoint, ...]:
    """Return the points that no other one beats in both error and non-zeros."""
    kept: list[TradeoffPoint] = []
    for point in sorted(points, key=lambda one: (one.nnz, one.error)):
        if not kept or point.error < kept[-1].error:
            kept.append(point)
    return tuple(kept)


def _timed(found: LearnedTransform, matrix: np.ndarray, batch: int) -> TradeoffPoint:
    """Return the point of a result, with the times of operator and matrix."""
    x = operand(matrix, batch)
    fast, dense = product_seconds([found.operator, matrix], x)
    return TradeoffPoint(found, fast, dense)
