"""The tables and claims of the study of a real gain matrix."""

import functools
from collections.abc import Sequence

import numpy as np

from ..tools.claims import claim_row, in_words
from ..tools.rows import Row, select, values
from .approximations import HIERARCHICAL, LEARNED, RECODED

_claim = functools.partial(claim_row, command="nbfact study meg")


def best_row(rows: Sequence[Row], gain: float) -> Row | None:
    """Return the row with the least spectral error among those of at least a gain."""
    enough = [row for row in rows if row["rcg"] >= gain]
    return min(enough, key=lambda row: row["spectral"], default=None)


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the claims, the best of each method at the gains, and the whole grid."""
    grid = select(rows, method=HIERARCHICAL)
    others = [row for row in rows if row["gain"] is not None]
    found = {
        "Claims": claims(rows),
        "The best at each gain": _best_lines(rows),
        "Other methods": [_shown(row) for row in others],
        "Settings that no other setting beats in both": [
            _shown(r) for r in front(grid)
        ],
        "All settings": [_shown(row) for row in sorted(grid, key=lambda r: -r["rcg"])],
    }
    return {caption: lines for caption, lines in found.items() if lines}


def opening(rows: Sequence[Row]) -> str:
    """Return what was found, in a few sentences for the head of the page."""
    grid = select(rows, method=HIERARCHICAL)
    if not grid:
        return ""
    parts = [
        f"`{HIERARCHICAL}` is the algorithm of the paper, here in its best setting at "
        "each gain.",
        *(_beside_the_paper(rows, method) for method in (LEARNED, RECODED)),
    ]
    ratios = [row["svd_spectral"] / row["spectral"] for row in grid]
    parts.append(
        "The truncated SVD with as many parameters has "
        f"{min(ratios):.1f} to {max(ratios):.1f} times the spectral error of "
        f"`{HIERARCHICAL}`, in each of its {len(grid)} settings."
    )
    share = _driven_by_k(grid)["found"]
    parts.append(
        "The number k of non-zeros in each column of the last factor decides the cost: "
        f"it explains {share} of the variance of the number of non-zeros."
    )
    return " ".join(filter(None, [*parts, in_words(claims(rows))]))


WHAT = {
    LEARNED: "nbfact's search",
    RECODED: f"which fits a result of `{HIERARCHICAL}` anew",
}
"""What the methods beside that of the paper are."""


def _beside_the_paper(rows: Sequence[Row], method: str) -> str:
    """Return a sentence on the errors of a method, beside those of the paper's."""
    lines = [line for line in _best_lines(rows) if f"{method}, spectral" in line]
    if not lines:
        return ""
    ends = " and ".join(
        f"{line[f'{method}, spectral']:.2g} at a gain of {line['gain']}"
        for line in lines[:: max(1, len(lines) - 1)]
    )
    over = [
        line[f"{method}, spectral"] / line[f"{HIERARCHICAL}, spectral"]
        for line in lines
    ]
    return (
        f"`{method}`, {WHAT[method]}, leaves a spectral error of {ends}: "
        f"{min(over):.2f} to {max(over):.2f} times that of `{HIERARCHICAL}`."
    )


def _shown(row: Row) -> Row:
    """Return the columns of a row that tables show."""
    hidden = ("matrix", "rank", "gain")
    return {name: value for name, value in row.items() if name not in hidden}


def _gains(rows: Sequence[Row]) -> list[float]:
    """Return the nominal gains of the other methods, in increasing order."""
    return sorted(gain for gain in values(rows, "gain") if gain is not None)


def _best_lines(rows: Sequence[Row]) -> list[Row]:
    """Return a line for each gain: the best setting, and what other methods reach."""
    grid = select(rows, method=HIERARCHICAL)
    methods = [one for one in values(rows, "method") if one != HIERARCHICAL]
    lines = []
    for gain in _gains(rows):
        best = best_row(grid, gain)
        if best is None:
            continue
        line: Row = {"gain": gain, **{one: best[one] for one in ("J", "k", "s", "rcg")}}
        for norm in ("spectral", "frobenius"):
            line[f"hierarchical, {norm}"] = best[norm]
            for method in methods:
                for row in select(rows, method=method, gain=gain):
                    line[f"{method}, {norm}"] = row[norm]
            line[f"svd, {norm}"] = best[f"svd_{norm}"]
        lines.append(line)
    return lines


def front(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with less error than all rows of at least their gain.

    Parameters
    ----------
    rows : sequence of dict
        Rows with the columns ``rcg`` and ``spectral``.

    Returns
    -------
    list of dict
        In order of decreasing gain.

    Examples
    --------
    >>> a, b = {"rcg": 9.0, "spectral": 0.1}, {"rcg": 8.0, "spectral": 0.2}
    >>> front([b, a]) == [a]
    True
    """
    found: list[Row] = []
    for row in sorted(rows, key=lambda row: (-row["rcg"], row["spectral"])):
        if not found or row["spectral"] < found[-1]["spectral"]:
            found.append(row)
    return found


def claims(rows: Sequence[Row]) -> list[Row]:
    """Return a row for each claim: the published one, what was found, if it holds."""
    grid = select(rows, method=HIERARCHICAL)
    found = []
    if grid:
        found += [_two_factors(grid), _svd(grid), _driven_by_k(grid), _seconds(grid)]
    for gain in _gains(rows):
        best = best_row(grid, gain)
        for row in select(rows, gain=gain):
            if best is None or row["method"] not in (RECODED, LEARNED):
                continue
            for norm in ("spectral", "frobenius"):
                found.append(
                    _claim(
                        f"RCG {gain}: {norm} error of {row['method']}",
                        f"at most hierarchical's (goal of nbfact): {best[norm]:.4f}",
                        f"{row[norm]:.4f}",
                        row[norm] <= best[norm] and row["rcg"] >= gain,
                    )
                )
    return found


def _two_factors(grid: Sequence[Row]) -> Row:
    """Check that J = 2 is never the best compromise."""
    some = front(grid)
    two = len(select(some, J=2))
    return _claim(
        "J = 2 among the settings that no other beats in error and gain",
        "never (the paper)",
        f"{two} of {len(some)}",
        two == 0,
    )


def _svd(grid: Sequence[Row]) -> Row:
    """Check that the truncated SVD is far worse at equal parameters."""
    ratios = [row["svd_spectral"] / row["spectral"] for row in grid]
    return _claim(
        "spectral error of the SVD with as many parameters, over hierarchical's",
        "far above 1 (the paper)",
        f"{min(ratios):.1f} to {max(ratios):.1f}, median {np.median(ratios):.1f}",
        min(ratios) > 1,
    )


def _driven_by_k(grid: Sequence[Row]) -> Row:
    """Check that k decides most of the complexity."""
    nnz = np.array([row["nnz"] for row in grid], float)
    means = {
        k: np.mean([row["nnz"] for row in select(grid, k=k)]) for k in values(grid, "k")
    }
    between = np.var([means[row["k"]] for row in grid])
    share = float(between / np.var(nnz))
    return _claim(
        "share of the variance of the number of non-zeros that k explains",
        "k drives the complexity (the paper)",
        f"{share:.3f}",
        share > 0.5,
    )


def _seconds(grid: Sequence[Row]) -> Row:
    """Check the time of the whole grid."""
    last = max(values(grid, "J"))
    seconds = sum(row["CPU s"] for row in select(grid, J=last))
    return _claim(
        f"CPU minutes of all {len(grid)} settings",
        "20 (goal); more than 6000 (the paper)",
        f"{seconds / 60:.1f}; each alone {sum(row['CPU s'] for row in grid) / 60:.1f}",
        seconds <= 1200,
    )
