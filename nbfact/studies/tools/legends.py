"""Where the legend of a picture stands: below all panels, so that it covers none."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


def legend_below(
    figure: "FigureBase", panels: Iterable["Axes"], ncols: int = 4
) -> None:
    """Draw one legend for all panels below them, in which each label stands once.

    Parameters
    ----------
    figure : Figure or SubFigure
        The part of the picture that the legend belongs to, in constrained layout.
    panels : iterable of Axes
        The panels whose labels are shown, in this order.
    ncols : int, default 4
        Number of labels beside one another.

    Examples
    --------
    >>> from .result_files import new_figure
    >>> figure = new_figure()
    >>> panels = figure.subplots(1, 2)
    >>> for axes in panels:
    ...     _ = axes.plot([1, 2], label="error")
    >>> legend_below(figure, panels)
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['error']
    """
    handles = {
        label: handle
        for axes in panels
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    if handles:
        figure.legend(
            list(handles.values()),
            list(handles),
            loc="outside lower center",
            ncols=ncols,
            fontsize="small",
        )
