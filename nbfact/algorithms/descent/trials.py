"""Trials of gradient descent: Adam, successive halving, rounding, L-BFGS."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from ...kernels import adam_step
from ..common.result import LearningHistory, LearningState
from . import twiddles as tw
from .objectives import Objective, OneButterfly, RelaxedButterfly, TwoButterflies

# Logits within this of 0 are rounded both ways, and the better one is kept: those that
# do not matter, or are stuck between two optima, end near 0, the others beyond 3.
UNDECIDED = 2.0
# Part of the steps of a trial before the first candidates of a search are given up.
FIRST_RUNG = 1 / 8


class DescentTrial:
    """One start: an objective, its parameters, the moments of Adam, the best so far."""

    def __init__(
        self, objective: Objective, permutations: tw.Permutations, x: np.ndarray
    ) -> None:
        self.objective, self.permutations = objective, permutations
        self.x, self.best, self.mse = x, x.copy(), math.inf
        self.gradient, self.mean = np.zeros_like(x), np.zeros_like(x)
        self.square, self.step, self.done = np.zeros_like(x), 0, False
        self.history = LearningHistory()


@dataclass
class Descent:
    """What the trials of a call share; the target has norm about √n."""

    target: np.ndarray
    model: str
    permutation: str | tw.Permutations
    tied: bool
    planes: int
    dtype: np.dtype
    learning_rate: float
    n_iter: int
    tol: float
    callback: Callable[[LearningState], Any] | None
    start: float
    n_steps: int = 0
    stopped: bool = False

    def best(self, starts: int, rng: np.random.Generator) -> DescentTrial:
        """Train from so many starts of each permutation, return the best trial."""
        if self.permutation == "learned":
            return self._learned(starts, rng)
        listed = [self.permutation]
        if self.permutation == "search":
            listed = tw.candidates(len(self.target), self.model)
        trials = []
        for permutations in listed:
            objective = self._objective(permutations, self.dtype)
            for _ in range(starts):
                trials.append(
                    DescentTrial(objective, permutations, objective.start(rng))
                )
        return self._search(trials)

    def refine(self, trial: DescentTrial, n_iter: int) -> None:
        """Improve a trial by L-BFGS in float64."""
        if n_iter == 0 or self.stopped:
            return
        objective = self._objective(trial.permutations, np.dtype(np.float64))
        gradient, last = np.empty(objective.size), [math.inf]

        def value(x):
            last[0] = objective(x, gradient)
            return last[0], gradient

        def told(intermediate_result):
            mse = intermediate_result.fun
            self._record(trial, mse, "refine")
            if mse < trial.mse:
                trial.mse, trial.best = mse, intermediate_result.x.copy()
            if self.stopped:
                raise StopIteration

        first = trial.best[: objective.size].astype(np.float64)
        trial.mse, trial.best = objective(first, gradient), first
        # The default tolerances are for values near 1: here 0 is what is looked for.
        options = {"maxiter": n_iter, "maxcor": 20, "ftol": 0.0, "gtol": 0.0}
        with np.errstate(all="ignore"):
            minimize(
                *(value, first),
                method="L-BFGS-B",
                jac=True,
                options=options,
                callback=told,
            )

    def _objective(self, permutations, dtype):
        """Return the objective for fixed permutations."""
        kind = TwoButterflies if self.model == "BPBP" else OneButterfly
        return kind(self.target, *permutations, self.tied, self.planes, dtype)

    def _run(self, trial, until, phase):
        """Make steps until the trial has made so many, or is done."""
        one, scale = trial.objective, trial.objective.dtype.type(trial.objective.n)
        while trial.step < until and not (trial.done or self.stopped):
            trial.step, self.n_steps = trial.step + 1, self.n_steps + 1
            mse = one(trial.x, trial.gradient)
            self._record(trial, mse, phase)
            if mse < trial.mse:
                trial.mse = mse
                trial.best[:] = trial.x
            if not math.isfinite(mse) or mse <= self.tol**2:
                trial.done = True
                return
            rate = (
                self.learning_rate
                * 0.5
                * (1 + math.cos(math.pi * trial.step / self.n_iter))
            )
            trial.gradient *= scale  # of order 1 whatever n, far above Adam's epsilon
            adam_step(
                *(trial.x, trial.gradient, trial.mean, trial.square),
                *(one.dtype.type(rate), trial.step),
            )

    def _record(self, trial, mse, phase):
        """Note a step, and tell the caller."""
        rmse = math.sqrt(mse) if math.isfinite(mse) else math.inf
        trial.history.rmse.append(rmse)
        trial.history.seconds.append(time.perf_counter() - self.start)
        trial.history.phases.append(phase)
        if self.callback is not None:
            state = LearningState(self.n_steps, rmse, phase, trial.permutations)
            self.stopped = bool(self.callback(state)) or self.stopped

    def _search(self, trials, search="search", descent="descent"):
        """Successive halving: the best trials go on, twice as long each time."""
        steps = max(1, round(self.n_iter * FIRST_RUNG))
        while len(trials) > 1 and not self.stopped:
            for trial in trials:
                self._run(trial, steps, search)
            trials = sorted(trials, key=lambda trial: trial.mse)
            if trials[0].done or steps >= self.n_iter:
                return trials[0]
            trials = trials[: len(trials) // (4 if len(trials) > 8 else 2)]
            steps *= 2
        self._run(trials[0], self.n_iter, descent)
        return trials[0]

    def _learned(self, starts, rng):
        """Train with a relaxed permutation, round it, train on."""
        parts = ["step", "all"] if self.model == "BPP" else ["all"]
        relaxed = RelaxedButterfly(
            *(self.target, parts, self.tied, self.planes, self.dtype)
        )
        trials = [DescentTrial(relaxed, (), relaxed.start(rng)) for _ in range(starts)]
        before = self._search(trials, "relaxed", "relaxed")
        bits = [
            (logit > 0,) if abs(logit) > UNDECIDED else (logit > 0, logit <= 0)
            for logit in relaxed.logits(before.best).tolist()
        ]
        trials = []
        for permutations in tw.candidates(len(self.target), self.model, bits):
            fixed = self._objective(permutations, self.dtype)
            for x in (before.best[: fixed.size].copy(), fixed.start(rng)):
                trial = DescentTrial(fixed, permutations, x)
                for name, values in vars(before.history).items():
                    getattr(trial.history, name).extend(values)
                trials.append(trial)
        return self._search(trials)
