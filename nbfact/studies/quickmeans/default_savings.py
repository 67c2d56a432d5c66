"""What `nbfact.QuicKMeans` saves by default: where it factors, and with what result."""

from collections.abc import Iterator, Sequence

import numpy as np

from ..tools.claims import claim_row
from ..tools.intervals import mean_text, rate_text
from ..tools.rows import Row, known, select, values
from .clusterings import DEFAULT

MOST = 1.03
"""Largest inertia that the default allows, as a multiple of that of dense centres."""

NOT_SLOWER = 1.05
"""Largest time of assignment by default, as a multiple of K-means'."""


def lines(rows: Sequence[Row]) -> list[Row]:
    """Return a line for each data set and K, and one for all data sets together."""
    found: list[Row] = []
    factored: list[bool] = []
    for data, n_clusters, some in _groups(rows):
        runs = [bool(one) for one in known(some, "factored")]
        chosen = [row for row in some if row["factored"]]
        saved = [1 - 1 / row["compression"] for row in chosen]
        size = n_clusters * some[0]["D"]
        less = [1 - row["bytes"] / (4 * size) for row in chosen]
        factored.append(2 * sum(runs) > len(runs))
        found.append(
            {
                "data": data,
                "K": n_clusters,
                "D": some[0]["D"],
                "factored": f"{sum(runs)}/{len(runs)}",
                "values saved": mean_text(saved) or "none",
                "bytes saved": mean_text(less) or "none",
                "inertia over K-means'": mean_text(known(some, "relative")),
                "assignment faster": mean_text(known(some, "ratio")),
            }
        )
    if found:
        share = rate_text(sum(factored), len(factored))
        found.append({"data": "all", "factored": share})
    return found


def opening(rows: Sequence[Row]) -> str:
    """Return what the default saves, in a few sentences for the head of the page."""
    products: list[tuple[str, float, float]] = []
    dense: list[tuple[str, float, float]] = []
    for data, n_clusters, some in _groups(rows):
        factored = 2 * sum(bool(row["factored"]) for row in some) > len(some)
        ratio, relative = (
            float(np.mean(known(some, name))) for name in ("ratio", "relative")
        )
        line = f"{data}, K = {n_clusters}", ratio, relative
        (products if factored else dense).append(line)
    if not products + dense:
        return ""
    parts = [
        "`nf.QuicKMeans` decides by itself whether a product is worth it. It factors "
        f"in most runs on {len(products)} of {len(products) + len(dense)} pairs of a "
        "data set and K"
    ]
    if products:
        name, most, _ = max(products, key=lambda one: one[1])
        above = [100 * (inertia - 1) for *_, inertia in products]
        parts[0] += (
            f": there it assigns points {min(one[1] for one in products):.1f} to "
            f"{most:.1f} times as fast as K-means, most on {name}, with an inertia "
            f"{min(above):.1f} to {max(above):.1f} percent above"
        )
    parts[0] += "."
    if dense:
        names = "; ".join(name for name, *_ in dense)
        parts.append(f"It keeps the centers dense in most runs on {names}.")
    return " ".join(parts)


def claims(rows: Sequence[Row]) -> Iterator[Row]:
    """Check the inertia and the time of assignment of the default, data by data."""
    for data, n_clusters, some in _groups(rows):
        relative = known(some, "relative")
        command = f"nbfact study quickmeans --data {data}"
        yield claim_row(
            f"inertia of the default on {data}, K = {n_clusters}",
            f"at most {MOST:g} times K-means'",
            mean_text(relative),
            np.mean(relative) <= MOST,
            command,
        )
        times = [1 / one for one in known(some, "ratio")]
        yield claim_row(
            f"assignment by the default on {data}, K = {n_clusters}",
            f"at most {NOT_SLOWER:g} times K-means' time",
            mean_text(times),
            np.mean(times) <= NOT_SLOWER,
            command,
        )


def _groups(rows: Sequence[Row]) -> Iterator[tuple[str, int, list[Row]]]:
    """Yield the rows of the default, by data set and number of clusters."""
    rows = select(rows, method=DEFAULT, failure=None)
    for data in values(rows, "data"):
        for n_clusters in sorted(values(select(rows, data=data), "K")):
            yield data, n_clusters, select(rows, data=data, K=n_clusters)
