"""What an object must have, and what it may have, to constrain a factor.

The algorithms accept any object with the two members of `Constraint`. The members of
`FastConstraint` are optional: they make an algorithm faster or let it do more. The
algorithms look for them only on subclasses of `nbfact.constraints.sets.Set` that keep
its method `project`, so that an attribute of the same name on an unrelated object is
never mistaken for one of them.
"""

from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Constraint(Protocol):
    """A set of matrices: the shape of its elements, and the projection onto it.

    See Also
    --------
    FastConstraint : What a set may have besides, to be projected onto faster.

    Examples
    --------
    Any object with these two members is a set, such as the diagonal matrices:

    >>> import numpy as np, nbfact as nf
    >>> class Diagonal:
    ...     shape = (4, 4)
    ...
    ...     def project(self, x):
    ...         return np.diag(np.diag(x))
    >>> isinstance(Diagonal(), nf.constraints.Constraint)
    True
    >>> float(Diagonal().project(np.ones((4, 4))).sum())
    4.0
    >>> r = nf.palm4msa(np.diag([1.0, 2.0, 3.0, 4.0]), [Diagonal()])
    >>> bool(r.relative_error < 1e-12)
    True
    """

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrices of the set."""

    def project(self, x: np.ndarray, /) -> np.ndarray:
        """Return the matrix of the set nearest to x, as a new array.

        Parameters
        ----------
        x : ndarray, (m, n)
            A finite matrix of the shape of the set, float32, float64, complex64 or
            complex128. It is not modified.

        Returns
        -------
        ndarray, (m, n)
            The algorithms check that it is finite, of the shape of x, and real when x
            is real.
        """


class FastConstraint(Constraint, Protocol):
    """The optional members that the algorithms use where a set of nbfact has them.

    See Also
    --------
    Constraint : What a set must have.

    Examples
    --------
    The sets of nbfact have all members:

    >>> import numpy as np, nbfact as nf
    >>> rows, x = nf.constraints.SpLin((1, 2), 1), np.array([[3.0, 4.0]])
    >>> rows.normalized, rows.nonneg, rows.memory() is None, rows.transposed()
    (True, False, True, SpCol((2, 1), k=1))
    >>> rows.project_in_place(x)
    >>> x
    array([[0., 1.]])
    """

    @property
    def normalized(self) -> bool:
        """Whether `project` scales its result to unit Frobenius norm.

        Only sets that derive from `nbfact.constraints.sets.Options` may set it. They
        are closed under scaling apart from this norm, so that PALM with
        ``scaling="balanced"`` projects onto the set with ``normalized=False`` and
        distributes the scale among the factors itself.
        """

    @property
    def nonneg(self) -> bool:
        """Whether all entries must be non-negative.

        `nbfact.explore` does not solve for the values of such a factor by least
        squares, because the solution could be negative.
        """

    def project_in_place(
        self, x: np.ndarray, memory: np.ndarray | None = None, /
    ) -> None:
        """Overwrite x with the nearest matrix of the set, without checking x.

        The algorithms call it instead of `project` on an array of their own, which
        saves a copy and the checks. `memory` is the array that the method `memory`
        returned; each call may read it and write to it.

        Parameters
        ----------
        x : ndarray, (m, n)
            C-contiguous, writable and finite, of one of the four dtypes.
        memory : ndarray, optional
            The array that the method `memory` returned, as the earlier calls left it.
        """

    def memory(self) -> np.ndarray | None:
        """Return an array that saves time between calls of `project_in_place`, or None.

        One array serves one sequence of similar matrices, such as the iterates of one
        factor. It changes the time of a projection and never its result.

        Returns
        -------
        ndarray or None
            None where no memory would save time.
        """

    def transposed(self) -> "FastConstraint | None":
        """Return the set of the transposed matrices, or None when there is none.

        The projection onto it must be the transpose of the projection onto this set,
        the choice among tied entries included. The algorithms use it in sweeps from
        left to right, which work on transposes.

        Returns
        -------
        FastConstraint or None
        """
