"""Drawings of supports: one picture for each factor, side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .._core.checks import shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
