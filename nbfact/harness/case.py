"""A case: one implementation of one computation at one size, and how cases are chosen.

Cases of one computation with the same inputs form a *task*; their times are compared
with one another, and with one of them, the *yardstick*.
"""

import fnmatch
import functools
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Pattern = str | Sequence[str] | None
"""What chooses tasks by their names, see :func:`matches`."""

DENSE = "dense A @ X"
"""Name of the implementation that products are compared with: NumPy's product with the
dense matrix."""


@dataclass(frozen=True, eq=False)
class Case:
    """One implementation of one computation at one size.

    Parameters
    ----------
    group : str
        Name of the computation; each group is shown in a table of its own.
    impl : str
        Name of the implementation.
    params : dict
        Sizes and ``dtype``, the dtype of the result, as shown in the table.
    make : callable
        ``make(rng)`` returns the inputs, which are the same for all cases of the task.
    prepare : callable
        ``prepare(inputs)`` returns a function without arguments that computes the
        result. The time of `prepare` itself is not measured.
    reference : callable
        ``reference(inputs)`` returns the result, computed in a wider dtype.
    bound : float
        Largest relative error of a right result; infinite where no exact result
        exists.
    size, flops : int
        What every implementation needs at least: bytes moved, each counted once, and
        real floating-point operations. Where both are 0, they are unknown, and no share
        of the machine's roof is shown.
    nnz : int or None
        Number of entries that the operator stores; ``None`` when it stores none.
    yardstick : str
        Name of the implementation of the same task by whose time the others are
        divided.
    fallbacks : tuple of str
        Yardsticks to use instead where the yardstick is left out, best first.
    rival : bool
        Whether the implementation belongs to another project: its failure is shown,
        and does not fail the run.
    slack : float or None
        ``None`` where `reference` is the exact result. Where it is the matrix that is
        approximated, an error is one of approximation: it is right up to `slack` times
        the least error of the other implementations of the task, and an infinite
        `slack` shows that ratio without judging by it.
    slowdown : float or None
        Least relative slowdown between two versions that counts, as 0.1 for 10 %;
        ``None`` for that of the project.
    looser : float or None
        Largest error of a later version, in units of the error of the earlier one, that
        is no loss of accuracy; ``None`` for that of the project.

    Raises
    ------
    ValueError
        When `params` has no dtype, or `bound`, `slowdown` or `looser` is out of range.

    See Also
    --------
    register : Adds cases to a registry.
    calling : Makes `prepare` of one function.

    Examples
    --------
    >>> import numpy as np
    >>> from nbfact.harness import Case, calling
    >>> case = Case(
    ...     group="sort", impl="numpy", params={"dtype": "float64"}, bound=0.0,
    ...     make=lambda rng: rng.random(9), prepare=calling(np.sort), reference=sorted,
    ... )
    >>> x = case.make(np.random.default_rng(0))
    >>> case.name, case.error(case.prepare(x)(), np.array(case.reference(x)))
    ('sort float64 [numpy]', 0.0)
    """

    group: str
    impl: str
    params: dict[str, Any]
    make: Callable[[np.random.Generator], Any]
    prepare: Callable[[Any], Callable[[], np.ndarray]]
    reference: Callable[[Any], np.ndarray]
    bound: float
    size: int = 0
    flops: int = 0
    nnz: int | None = None
    yardstick: str = DENSE
    fallbacks: tuple[str, ...] = ()
    rival: bool = False
    slack: float | None = None
    slowdown: float | None = None
    looser: float | None = None

    def __post_init__(self) -> None:
        name = f"case {self.group!r} [{self.impl}]"
        try:
            np.dtype(self.params["dtype"])
        except (KeyError, TypeError):
            raise ValueError(
                f"{name}: params has no dtype of the result; expected one as in "
                "{'n': 8, 'dtype': 'float64'}"
            ) from None
        if not self.bound >= 0:
            raise ValueError(f"{name}: bound={self.bound}; expected at least 0")
        check_tolerances(name, self.slowdown, self.looser)

    @property
    def task(self) -> str:
        """The name that all implementations share, as ``dft n=8 batch=1 complex64``."""
        return task_name(self.group, self.params)

    @property
    def name(self) -> str:
        """The name of the case, unique in the registry."""
        return f"{self.task} [{self.impl}]"

    def error(self, got: np.ndarray, want: np.ndarray) -> float:
        """Return the relative error ‖got − want‖ / ‖want‖, in the dtype of `want`.

        Parameters
        ----------
        got : ndarray
            Result of the implementation.
        want : ndarray
            Result of the reference.

        Returns
        -------
        float
            Infinite where `got` holds NaN, or differs from a `want` of zeros.

        Raises
        ------
        ValueError
            When the shapes differ, or the dtype is not that of the case.
        """
        got, want = np.asarray(got), np.asarray(want)
        if got.shape != want.shape:
            raise ValueError(f"result of shape {got.shape}; expected {want.shape}")
        if got.dtype != self.params["dtype"]:
            raise ValueError(
                f"result of dtype {got.dtype}; expected {self.params['dtype']}"
            )
        if got.dtype.kind in "iub":  # a difference of these may wrap around
            got, want = got.astype(np.float64), want.astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            error, norm = np.linalg.norm(got - want), np.linalg.norm(want)
        if norm == 0:
            return 0.0 if error == 0 else math.inf
        return float(error / norm) if math.isfinite(error) else math.inf


def check_tolerances(name: str, slowdown: float | None, looser: float | None) -> None:
    """Raise ValueError unless two tolerances of speed and accuracy are in range.

    Examples
    --------
    >>> check_tolerances("case 'sort'", 0.0, None)
    Traceback (most recent call last):
        ...
    ValueError: case 'sort': slowdown=0.0; expected a number above 0
    """
    if slowdown is not None and not 0 < slowdown < math.inf:
        raise ValueError(f"{name}: slowdown={slowdown}; expected a number above 0")
    if looser is not None and not 1 <= looser < math.inf:
        raise ValueError(f"{name}: looser={looser}; expected a number of at least 1")


def calling(kernel: Callable[..., Any]) -> Callable[[Any], Callable[[], np.ndarray]]:
    """Return the `prepare` of a case whose inputs are the arguments of one function.

    Parameters
    ----------
    kernel : callable
        A function, a method or a dispatcher of Numba that returns the result and leaves
        its arguments as they are.

    Returns
    -------
    callable
        ``prepare(inputs)``: the inputs are a tuple of arguments, or the one argument.

    See Also
    --------
    Case : What `prepare` is a part of.

    Examples
    --------
    >>> from nbfact.harness import calling
    >>> calling(max)((1, 2))(), calling(abs)(-3)()
    (2, 3)
    """

    def prepare(inputs: Any) -> Callable[[], np.ndarray]:
        arguments = inputs if isinstance(inputs, tuple) else (inputs,)
        return functools.partial(kernel, *arguments)

    return prepare


def epsilon(dtype: str) -> float:
    """Return the machine epsilon of a dtype, 0 where its numbers are exact.

    Examples
    --------
    >>> epsilon("float64"), epsilon("int64")
    (2.220446049250313e-16, 0.0)
    """
    kind = np.dtype(dtype)
    return float(np.finfo(kind).eps) if kind.kind in "fc" else 0.0


def task_name(group: str, params: Mapping[str, Any]) -> str:
    """Return the name of the task of a group at one size.

    Examples
    --------
    >>> task_name("dft", {"n": 8, "batch": 1, "dtype": "complex64"})
    'dft n=8 batch=1 complex64'
    """
    sizes = [f"{key}={value}" for key, value in params.items() if key != "dtype"]
    return " ".join([group, *sizes, params["dtype"]])


def tasks(cases: Iterable[Case]) -> dict[str, list[Case]]:
    """Return the cases of each task, by its name, in the order of the registry.

    Examples
    --------
    >>> tasks([])
    {}
    """
    grouped: dict[str, list[Case]] = {}
    for case in cases:
        grouped.setdefault(case.task, []).append(case)
    return grouped


def select(cases: Iterable[Case], pattern: Pattern) -> list[Case]:
    """Return the cases whose task matches a pattern: whole tasks, possibly none.

    Parameters
    ----------
    cases : iterable of Case
        Cases to choose from.
    pattern : str, sequence of str, or None
        As in :func:`matches`.

    Returns
    -------
    list of Case

    Examples
    --------
    >>> select([], "dft")
    []
    """
    return [case for case in cases if matches(case.task, pattern)]


def matches(task: str, pattern: Pattern) -> bool:
    """Return whether the name of a task contains a pattern, or matches it as a glob.

    Parameters
    ----------
    task : str
        Name of a task.
    pattern : str, sequence of str, or None
        As ``"dft n=1024"`` or ``"*batch=64*"``; upper and lower case are the same. Of
        several patterns, one must match. ``None``, or no pattern, matches every task.

    Examples
    --------
    >>> matches("dft n=8", "DFT"), matches("dft n=8", "d*8"), matches("dft n=8", None)
    (True, True, True)
    >>> matches("dft n=8", ["dct", "n=8"]), matches("dft n=8", ["dct", "dst"])
    (True, False)
    """
    task = task.lower()
    wanted = [one.lower() for one in patterns(pattern)]
    return not wanted or any(
        one in task or fnmatch.fnmatch(task, one) for one in wanted
    )


def patterns(pattern: Pattern) -> list[str]:
    """Return the patterns that a user named, none where every task matches.

    Examples
    --------
    >>> patterns("dft"), patterns(("dft", "dct")), patterns(None)
    (['dft'], ['dft', 'dct'], [])
    """
    return [pattern] if isinstance(pattern, str) else list(pattern or ())


def leave_out(task: Sequence[Case], impls: Collection[str]) -> list[Case]:
    """Return the cases of a task without some implementations.

    Where the yardstick is left out, the first of the fallbacks that is still there
    takes its place. Where none is, the yardstick keeps its name although it has no
    time, and there are no ratios.

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
    found = []
    for case in kept:
        ranked = (case.yardstick, *case.fallbacks)
        best = next((i for i, name in enumerate(ranked) if name in names), 0)
        found.append(
            replace(case, yardstick=ranked[best], fallbacks=ranked[best + 1 :])
        )
    return found
