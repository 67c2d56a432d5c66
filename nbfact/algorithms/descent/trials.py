"""Trials of gradient descent: random starts that are trained, compared and refined.

A trial is trained by Adam. Of several trials, successive halving trains the better ones
on. Relaxed permutations are rounded, and the candidates trained on in the same way.
The best trial is refined by L-BFGS.
"""

import copy
import functools
import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...kernels import adam_step
from ..common.result import CallbackState, Part
from .descent_options import DescentOptions
from .descent_result import LearningHistory
from .objectives import Objective, OneButterfly, RelaxedButterfly, TwoButterflies
from .permutation_choices import Permutations, candidate_permutations
from .twiddles import twiddle_operator

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult

Phase = Literal["search", "relaxed", "descent", "refine"]
"""What a step belongs to: the comparison of several trials, the descent with a relaxed
permutation, the descent of the last trial that is left, or L-BFGS."""

UNDECIDED = 2.0
"""Modulus of a logit up to which it is rounded both ways, and the better one is kept:
logits that do not matter, or that are stuck between two optima, end near 0, and the
others end beyond 3."""

FIRST_RUNG = 1 / 8
"""Share of the steps of a trial after which the first trials of a search are given
up."""


class DescentTrial:
    """One start: an objective, its parameters, the moments of Adam, the best so far.

    Attributes
    ----------
    objective : Objective
    permutations : tuple of ndarray
        Those of the objective; empty while they are relaxed.
    x, best : ndarray, (size,)
        The present parameters, and those of the smallest error so far.
    mse : float
        Mean squared error of an entry at `best`.
    gradient, mean, square : ndarray, (size,)
        The gradient, and Adam's running means of it and of its square.
    step : int
        Number of steps made.
    done : bool
        Whether the error has reached the tolerance, or is not finite.
    history : LearningHistory
    """

    def __init__(
        self,
        objective: Objective,
        permutations: Permutations,
        x: np.ndarray,
        history: LearningHistory | None = None,
    ) -> None:
        self.objective, self.permutations = objective, permutations
        self.x, self.best, self.mse = x, x.copy(), math.inf
        self.gradient, self.mean = np.zeros_like(x), np.zeros_like(x)
        self.square, self.step, self.done = np.zeros_like(x), 0, False
        self.history = LearningHistory() if history is None else history

    def look(self) -> float:
        """Begin a step: return the mean squared error, with its gradient at hand."""
        self.step += 1
        return self.objective(self.x, self.gradient)

    def judge(self, mse: float, tol: float) -> None:
        """Keep the present parameters if they are the best; say whether to go on."""
        if mse < self.mse:
            self.mse = mse
            self.best[:] = self.x
        self.done = not math.isfinite(mse) or float(mse) <= tol * tol

    def move(self, rate: float) -> None:
        """Make a step of Adam of the given rate along the gradient."""
        real = self.objective.dtype.type
        # The scaled gradient is of order 1 for every n, far above Adam's epsilon.
        self.gradient *= real(self.objective.n)
        adam_step(self.x, self.gradient, self.mean, self.square, real(rate), self.step)

    def restart(self, mse: float, x: np.ndarray) -> None:
        """Take other parameters as the best, whatever their error is."""
        self.mse, self.best = mse, x


class DescentSearch:
    """All trials of one call of `learn_butterfly`.

    Parameters
    ----------
    target : ndarray, (n, n)
        The target scaled to a norm of about √n.
    permutation : "search", "learned" or tuple of ndarray
        Search among the roundings of the relaxation, learn the relaxation, or use the
        given permutations.
    options : DescentOptions
    began : float
        Reading of ``time.perf_counter()`` when the call began.
    scale : float
        What the scaled target is multiplied by to be the target itself; 0 for a zero
        target.

    Attributes
    ----------
    n_steps : int
        Steps of Adam of all trials together.
    """

    def __init__(
        self,
        target: np.ndarray,
        permutation: Literal["search", "learned"] | Permutations,
        options: DescentOptions,
        began: float,
        scale: float,
    ) -> None:
        self.target, self.options = target, options
        self.n_steps = 0
        self._permutation = permutation
        self._began, self._scale = began, scale
        self._stopped = False
        self._errors = np.geterr()  # what the caller, and so a callback, is warned of

    def best(self, rng: np.random.Generator) -> DescentTrial:
        """Train n_restarts + 1 starts of each permutation; return the best trial."""
        n_starts = self.options.n_restarts + 1
        if self._permutation == "learned":
            return self._learn_permutation(n_starts, rng)
        if self._permutation == "search":
            n = len(self.target)
            listed = candidate_permutations(n, self.options.model)
        else:
            listed = [self._permutation]
        trials = []
        for permutations in listed:
            objective = self._objective(permutations, self.options.dtype)
            for _ in range(n_starts):
                x = objective.start(rng)
                trials.append(DescentTrial(objective, permutations, x))
        return self._halve(trials, "search", "descent")

    def refine(self, trial: DescentTrial) -> None:
        """Improve a trial by at most n_refine_iter iterations of L-BFGS in float64."""
        if self.options.n_refine_iter == 0 or self._stopped:
            return
        objective = self._objective(trial.permutations, np.dtype(np.float64))
        gradient = np.empty(objective.size)

        def value(x: np.ndarray) -> tuple[float, np.ndarray]:
            return objective(x, gradient), gradient

        # SciPy finds out from the name of the argument what it passes.
        def record(intermediate_result: "OptimizeResult") -> None:
            mse = intermediate_result.fun
            self._record(trial, intermediate_result.x, mse, "refine")
            if mse < trial.mse:
                trial.restart(mse, intermediate_result.x.copy())
            if self._stopped:
                raise StopIteration

        first = trial.best[: objective.size].astype(np.float64)
        trial.restart(objective(first, gradient), first)
        # The default tolerances are for values near 1, and here 0 is looked for.
        options = {
            "maxiter": self.options.n_refine_iter,
            "maxcor": 20,
            "ftol": 0.0,
            "gtol": 0.0,
        }
        from scipy.optimize import minimize  # slow to import, and only needed here

        with np.errstate(all="ignore"):
            minimize(
                value,
                first,
                method="L-BFGS-B",
                jac=True,
                options=options,
                callback=record,
            )

    def _objective(self, permutations: Permutations, dtype: np.dtype) -> Objective:
        """Return the objective for fixed permutations."""
        tied, planes = self.options.tied, self.options.planes
        if self.options.model == "BPBP":
            inner, columns = permutations
            return TwoButterflies(self.target, inner, columns, tied, planes, dtype)
        (columns,) = permutations
        return OneButterfly(self.target, columns, tied, planes, dtype)

    def _train(self, trial: DescentTrial, until: int, phase: Phase) -> None:
        """Make steps of Adam until the trial has made `until` of them, or is done."""
        options = self.options
        with np.errstate(all="ignore"):  # where the learning rate is far too large
            while trial.step < until and not (trial.done or self._stopped):
                self.n_steps += 1
                mse = trial.look()
                self._record(trial, trial.x, mse, phase)
                trial.judge(mse, options.tol)
                if not trial.done:
                    turn = 1 + math.cos(math.pi * trial.step / options.n_iter)
                    trial.move(options.learning_rate * 0.5 * turn)

    def _record(
        self, trial: DescentTrial, x: np.ndarray, mse: float, phase: Phase
    ) -> None:
        """Record a step of a trial at x, and pass it on to the callback."""
        rmse = math.sqrt(mse) if math.isfinite(mse) else math.inf
        error = rmse * math.sqrt(len(self.target)) if self._scale else 0.0
        history = trial.history
        history.errors.append(error)
        history.scales.append(self._scale)
        history.seconds.append(time.perf_counter() - self._began)
        history.support_changes.append(0)
        history.rmse.append(rmse)
        history.phases.append(phase)
        callback = self.options.callback
        if callback is not None:
            # Adam changes x in place, and a callback may keep its state: x is copied.
            twiddles = trial.objective.twiddles(x).astype(np.float64)
            real = self.target.dtype.kind != "c" and self.options.planes == 2
            parts = functools.partial(
                learned_factors, twiddles, self.options.tied, trial.permutations, real
            )
            state = CallbackState(
                self.n_steps,
                error,
                self._scale,
                parts,
                phase=phase,
                permutations=trial.permutations,
            )
            with np.errstate(**self._errors):
                self._stopped = bool(callback(state)) or self._stopped

    def _halve(
        self, trials: Sequence[DescentTrial], compared: Phase, last: Phase
    ) -> DescentTrial:
        """Return the best trial by successive halving.

        The better half of the trials, or the best quarter if there are more than eight,
        goes on for twice as many steps, and so on. `compared` is the phase while
        there are several trials, and `last` the phase of the one that is left.
        """
        n_iter = self.options.n_iter
        steps = max(1, round(n_iter * FIRST_RUNG))
        while len(trials) > 1 and not self._stopped:
            for trial in trials:
                self._train(trial, steps, compared)
            trials = sorted(trials, key=lambda trial: trial.mse)
            if trials[0].done or steps >= n_iter:
                return trials[0]
            trials = trials[: len(trials) // (4 if len(trials) > 8 else 2)]
            steps *= 2
        self._train(trials[0], n_iter, last)
        return trials[0]

    def _learn_permutation(
        self, n_starts: int, rng: np.random.Generator
    ) -> DescentTrial:
        """Train with a relaxed permutation, round it, and train the roundings on."""
        options = self.options
        parts = ["step", "all"] if options.model == "BPP" else ["all"]
        relaxed = RelaxedButterfly(
            self.target, parts, options.tied, options.planes, options.dtype
        )
        starts = [relaxed.start(rng) for _ in range(n_starts)]
        trials = [DescentTrial(relaxed, (), x) for x in starts]
        before = self._halve(trials, "relaxed", "relaxed")
        bits = [
            (logit > 0,) if abs(logit) > UNDECIDED else (logit > 0, logit <= 0)
            for logit in relaxed.logits(before.best).tolist()
        ]
        trials = []
        for permutations in candidate_permutations(
            len(self.target), options.model, bits
        ):
            objective = self._objective(permutations, options.dtype)
            trained = before.best[: objective.size].copy()
            for x in (trained, objective.start(rng)):
                history = copy.deepcopy(before.history)
                trials.append(DescentTrial(objective, permutations, x, history))
        return self._halve(trials, "search", "descent")


def learned_factors(
    twiddles: np.ndarray, tied: bool, permutations: Permutations, real: bool
) -> Sequence[Part]:
    """Return the factors of a trial as a callback reads them.

    There are none while permutations are relaxed. `real` says whether the real part of
    complex values is fitted.
    """
    if not permutations:
        return []
    dtype = np.dtype(np.complex128 if twiddles.shape[1] == 2 else np.float64)
    operator = twiddle_operator(twiddles, tied, permutations, dtype, real)
    return list(operator.to_factors().factors)
