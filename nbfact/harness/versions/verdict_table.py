"""The table of a comparison in a terminal: a line for each case, with its verdict."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from . import verdicts


def verdict_table(rows: Sequence[dict]) -> Table:
    """Return the table of a comparison: a line for each case.

    Parameters
    ----------
    rows : sequence of dict
        Rows of kind ``verdict`` from
        :func:`nbfact.harness.versions.comparison.compare`.

    Returns
    -------
    rich.table.Table
        Ratios are times of the head over those of the base, with an interval at 99 %.
        ``A/A`` is the noise floor: how far from 1 the ratio of the base to a copy of
        itself comes out. The sign ``!=`` marks results that differ in some bit, and an
        arrow allocations that changed.
    """
    shown = Table(
        box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0)
    )
    shown.add_column("case", overflow="fold", ratio=1)
    for title in ("ratio", "interval", "A/A", "error", "allocs", "verdict"):
        shown.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        ratio, style = row["ratio"], _VERDICT_STYLES.get(row["verdict"], "")
        figures = [""] * 5
        if ratio:
            figures = [
                f"{ratio['median']:.3f}",
                f"{ratio['low']:.2f}-{ratio['high']:.2f}",
                f"{row['floor']:.1%}",
                _before_after(row["error"], _error)
                + ("" if row["same_bits"] else " !="),
                _before_after(
                    {k: v["count"] for k, v in row["allocations"].items()}, str
                ),
            ]
        shown.add_row(escape(row["case"]), *figures, row["verdict"], style=style)
    return shown


_VERDICT_STYLES = {
    verdicts.FASTER: "green",
    **dict.fromkeys(verdicts.AGAINST, "bold red"),
    verdicts.INCONCLUSIVE: "yellow",
}


def _before_after(values, show):
    """Return the value of the base and, where it differs, that of the head."""
    base, head = show(values["base"]), show(values["head"])
    return base if base == head else f"{base}→{head}"


def _error(value):
    """Return an error as text; None is one that is not finite."""
    return "inf" if value is None else f"{value:.0e}"
