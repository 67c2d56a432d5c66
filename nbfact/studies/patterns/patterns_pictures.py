"""The pictures of the study of patterns: one for the first screen, one of all parts."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..tools.legends import legend_below
from ..tools.rows import Row, select, values
from . import approximation, approximation_tables, recovery
from .patterns_page import against_targets

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw our error beside the least other one, target by target.

    Without rows of the approximation the picture is that of the details.
    """
    lines = against_targets(rows)
    if not lines:
        draw_details(rows, figure)
        return
    lines = sorted(lines, key=lambda line: line["best other"])
    figure.set_size_inches(9, 1.5 + 0.36 * len(lines))
    axes = figure.subplots()
    places = range(len(lines))
    others = [line["best other"] for line in lines]
    ours = [line[approximation.OURS] for line in lines]
    above, below = ([one + shift for one in places] for shift in (0.2, -0.2))
    axes.barh(above, others, 0.38, color="0.7", label="best other method, named at it")
    axes.barh(below, ours, 0.38, color="C0", label=approximation.OURS)
    for place, line in zip(above, lines, strict=True):
        axes.annotate(
            line["by"],
            (line["best other"], place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
        )
    orders = values(lines, "n")
    several = len(orders) > 1
    names = [line["target"] + f", n = {line['n']}" * several for line in lines]
    axes.set_yticks(places, names, fontsize=9)
    axes.margins(y=0.01)
    label = "relative error" + f", n = {orders[0]}" * (not several)
    axes.set(xlabel=label, xlim=(0, 1.4 * max(others) or 1))
    legend_below(figure, [axes], 2)


def draw_details(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw success against noise, n and radices, and error against compute.

    The legend of a line of panels stands below it.
    """
    found = select(rows, part=recovery.PART)
    dyadic = [one for one in recovery.TARGETS if one in values(found, "target")]
    radix = [n for n in ("orthogonal", "Gaussian") if recovery.of_radices(found, n)]
    orders = values(select(rows, part=approximation.PART), "n")
    lines: list[tuple[Callable[..., None], list[Any], str]] = [
        (recovery.draw_noise, dyadic, "success"),
        (recovery.draw_order, dyadic, "success"),
        (recovery.draw_radices, radix, "success"),
        (
            approximation_tables.draw_course,
            orders,
            "error, over that of learn_transform",
        ),
    ]
    lines = [line for line in lines if line[1]]
    across = max((len(names) for _, names, _ in lines), default=1)
    figure.set_size_inches(5 * across, 4.5 * max(len(lines), 1))
    parts = figure.subfigures(max(len(lines), 1), 1, squeeze=False)[:, 0]
    for part, (drawing, names, label) in zip(parts, lines, strict=False):
        panels = part.subplots(1, len(names), squeeze=False)[0]
        for axes, name in zip(panels, names, strict=True):
            drawing(axes, rows, name)
        panels[0].set_ylabel(label)
        legend_below(part, panels, 3)
