"""Drawings of supports: pictures of factors side by side, for figures and notebooks."""

import html
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._core.checks import shown
from .._core.limits import check_memory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELLS = 64
"""Most rows and columns of the picture of a factor in a notebook: of a larger factor,
several entries share a cell, which is filled where one of them is not zero."""

PICTURES = 12
"""Most factors that a notebook shows; it says how many more there are."""

LARGEST = 1 << 20
"""Most non-zeros of an operator that a notebook shows pictures of: they are made anew
whenever it is displayed."""


class Drawable:
    """Base class of what has supports: it is drawn in figures and in notebooks.

    A subclass implements ``_supports``, and may have `nnz` or `n_parameters`, which
    limit the pictures.
    """

    __slots__ = ()

    def _supports(self) -> Sequence[tuple[str, Any]]:
        """Return a title and a matrix, sparse or boolean, for each factor."""
        raise NotImplementedError

    def plot(self, figure: "Figure | None" = None) -> "Figure":
        """Draw the supports of the factors, side by side.

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
        TypeError
            When `figure` is no figure, or when an operator is not made of sparse
            factors.

        Examples
        --------
        >>> import nbfact as nf
        >>> len(nf.transforms.hadamard(8).plot().axes)
        3
        """
        supports = []
        for title, matrix in self._supports():
            check_memory(f"the picture of {title}", math.prod(matrix.shape), 1)
            if not isinstance(matrix, np.ndarray):
                matrix = matrix.toarray() != 0
            supports.append((title, matrix))
        return drawn(supports, figure)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the text, and pictures of the supports."""
        return notebook_html(repr(self), self)


def notebook_html(text: str, of: Drawable) -> str:
    """Return HTML of a text and, below it, of pictures of supports.

    There are none where the supports are too large, or where an operator of a user's
    own class has no factors.

    Examples
    --------
    >>> from nbfact.operators import hadamard
    >>> text = notebook_html("A < B", hadamard(4))
    >>> text.startswith('<div><pre style="white-space:pre-wrap">A &lt; B</pre>')
    True
    >>> text.count("<svg"), "8 of 4x4" in text
    (2, True)
    """
    supports: Sequence[tuple[str, Any]] = ()
    if getattr(of, "nnz", getattr(of, "n_parameters", 0)) <= LARGEST:
        try:
            supports = of._supports()
        except (TypeError, ValueError, MemoryError):
            pass
    pictures = "".join(
        f'<figure style="display:inline-block;margin:4px;text-align:center">'
        f"{picture(matrix)}<figcaption>{html.escape(title)}</figcaption></figure>"
        for title, matrix in supports[:PICTURES]
    )
    more = len(supports) - PICTURES
    rest = f"<p>and {more} more</p>" if more > 0 else ""
    style = "white-space:pre-wrap"
    return f'<div><pre style="{style}">{html.escape(text)}</pre>{pictures}{rest}</div>'


def picture(matrix: Any) -> str:
    """Return the support of a matrix, sparse or boolean, as an SVG element.

    Examples
    --------
    >>> 'd="M0 0h2v1h-2z"' in picture(np.array([[True, True], [False, False]]))
    True
    """
    rows, columns = matrix.shape
    i, j = places(matrix)
    height, width = min(rows, CELLS), min(columns, CELLS)
    cells = np.zeros((height, width + 1), bool)  # the last column ends each run
    if i.size:
        cells[i * height // rows, j * width // columns] = True
    edges = np.flatnonzero(np.diff(cells.ravel().astype(np.int8), prepend=0))
    path = "".join(
        f"M{start % (width + 1)} {start // (width + 1)}"
        f"h{stop - start}v1h-{stop - start}z"
        for start, stop in edges.reshape(-1, 2).tolist()
    )
    scale = 96 / max(height, width, 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * scale:.0f}" '
        f'height="{height * scale:.0f}" viewBox="0 0 {width} {height}" '
        f'style="border:1px solid currentColor" role="img">'
        f'<path d="{path}" fill="currentColor"/></svg>'
    )


def places(matrix: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and the columns of the entries that are not zero."""
    if isinstance(matrix, np.ndarray):
        rows, columns = np.nonzero(matrix)
        return rows, columns
    entries = matrix.tocoo()
    kept = entries.data != 0
    return entries.row[kept].astype(np.int64), entries.col[kept].astype(np.int64)


def drawn(
    supports: Sequence[tuple[str, np.ndarray]], figure: "Figure | None"
) -> "Figure":
    """Draw boolean matrices, each under its title, in a figure or in a new one.

    A ModuleNotFoundError says how to install matplotlib where it is missing, and a
    TypeError that `figure` is no figure.
    """
    if figure is None:
        size = (3 * len(supports), 3.2)
        figure = figure_class()(figsize=size, layout="constrained")
    if not hasattr(figure, "subplots"):
        raise TypeError(f"figure={shown(figure)}: expected a figure of matplotlib")
    places = np.ravel(figure.subplots(1, len(supports)))
    for axes, (title, support) in zip(places, supports, strict=True):
        axes.imshow(~support, cmap="gray", interpolation="nearest")
        axes.set(title=title, xticks=[], yticks=[])
    return figure


def figure_class() -> "type[Figure]":
    """Return the class of figures, or raise a ModuleNotFoundError that says more."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            'matplotlib is missing; pip install "nbfact[study]" brings it'
        ) from None
    return Figure
