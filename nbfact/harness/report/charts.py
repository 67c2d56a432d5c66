"""The charts of the report: one Vega-Lite specification for each kind of plot.

A page has many panels of a few kinds. Each kind is described here once, without data
and without colours. The script of the page inserts the rows of a panel, replaces names
such as ``var(--ink)`` by the colours of the present theme, and draws the chart again
when the theme changes. The page has its own legends, one for all panels of a section.
"""

from typing import Any

MISSING = '{name} is missing; pip install "nbfact[report]" brings it'
"""Message for a module that is not installed."""

DTYPES = ("float32", "float64", "complex64", "complex128")
SHAPES = ("circle", "square", "triangle-up", "diamond")
DASHES = ((1, 0), (6, 3), (2, 2), (8, 3, 2, 3))
"""Shapes of points and dashes of lines, in the order of the dtypes."""

CROSSING = "breaks even"
"""Word in place of the dtype in the mark of a break-even."""

HEIGHT = 230
"""Height of a chart in pixels, unless its figure has another."""


def specifications() -> dict[str, dict[str, Any]]:
    """Return the specifications of the charts, by kind.

    Returns
    -------
    dict of str to dict
        ``pareto``, ``n``, ``batch``, ``convergence``, ``timeline``, ``seconds``,
        ``steps`` and ``roof``; each reads its rows from the data set ``rows``.

    Raises
    ------
    ModuleNotFoundError
        When altair is not installed; the message says how to install it.
    """
    try:
        import altair as alt
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(MISSING.format(name=error.name)) from None
    charts = {
        "pareto": _pareto(alt),
        "n": _breakeven(alt, "n", "n"),
        "batch": _breakeven(alt, "batch", "columns of X"),
        "convergence": _convergence(alt),
        "timeline": _timeline(alt, "linear", "~g"),
        "seconds": _timeline(alt, "linear", ".3~s"),
        "steps": _timeline(alt, "step-after", ".1~e"),
        "roof": _roof(alt),
    }
    return {kind: _plain(chart) for kind, chart in charts.items()}


def javascript() -> str:
    """Return the script that draws all charts: Vega, Vega-Lite and Vega-Embed.

    Raises
    ------
    ModuleNotFoundError
        When vl-convert-python, which contains them, is not installed.
    """
    try:
        import vl_convert
    except ModuleNotFoundError:
        raise ModuleNotFoundError(MISSING.format(name="vl-convert-python")) from None
    # The types of vl_convert do not know that the argument is optional.
    return vl_convert.javascript_bundle()  # type: ignore[call-arg]


def _plain(chart):
    """Return the specification of a chart, as wide as its box and without a theme."""
    spec = chart.to_dict(validate=True)
    for key in ("$schema", "config"):
        spec.pop(key, None)
    return {**spec, "width": "container", "height": HEIGHT}


def _rows(alt):
    """Return a chart of the data set that the page fills."""
    return alt.Chart(alt.NamedData(name="rows"))


def _log(alt, channel, field, title, nice=False, base=10, **axis):
    """Return a channel with a logarithmic axis, whose labels fit on a telephone."""
    scale = alt.Scale(type="log", base=base, nice=nice, padding=12)
    grid = {"condition": {"test": "datum.label === ''", "value": 0}, "value": 0.7}
    axis = {"tickCount": 5, "labelOverlap": True, "gridOpacity": grid, **axis}
    axis = alt.Axis(**axis)
    return channel(field, type="quantitative", title=title, scale=scale, axis=axis)


def _colour(alt):
    """Return the channel of the colour that the row of a point names."""
    return alt.Color("colour:N", scale=None, legend=None)


def _shape(alt):
    """Return the channel that gives each dtype a shape."""
    scale = alt.Scale(domain=list(DTYPES), range=list(SHAPES))
    return alt.Shape("dtype:N", scale=scale, legend=None)


def _dash(alt):
    """Return the channel that gives each dtype a dash."""
    scale = alt.Scale(domain=list(DTYPES), range=[list(dash) for dash in DASHES])
    return alt.StrokeDash("dtype:N", scale=scale, legend=None)


def _tips(alt, *fields):
    """Return tooltips for some (field, title, format)."""
    return [
        alt.Tooltip(field, title=title, **({"format": form} if form else {}))
        for field, title, form in fields
    ]


_IMPL = ("impl:N", "implementation", None)
_DTYPE = ("dtype:N", "dtype", None)
_TIME = ("time:Q", "seconds", ".3~s")
_RATIO = ("ratio:Q", "time / dense", ".3~g")
_ERROR = ("error:Q", "relative error", ".2~e")


def _rule(alt, **where):
    """Return the line at the ratio 1, where the dense product is."""
    mark = alt.Chart(alt.InlineData(values=[{}])).mark_rule(
        color="var(--ink)", strokeDash=[3, 3], strokeWidth=1
    )
    return mark.encode(**where)


def _pareto(alt):
    """Return the chart of the error against the time over that of the dense product."""
    rows = _rows(alt)
    x = _log(alt, alt.X, "ratio", "time / dense")
    y = _log(alt, alt.Y, "drawn", "relative error", True, format=".1~e")
    front = rows.transform_filter("datum.front")
    order = alt.Order("ratio:Q")
    return alt.layer(
        _rule(alt, x=alt.datum(1)),
        front.mark_line(
            color="var(--muted)", interpolate="step-after", strokeWidth=1.5
        ).encode(x=x, y=y, order=order, strokeDash=_dash(alt), detail="dtype:N"),
        rows.mark_rule(strokeWidth=1.5, opacity=0.7).encode(
            x=_log(alt, alt.X, "low", "time / dense"),
            x2="high",
            y=y,
            color=_colour(alt),
        ),
        rows.mark_point(filled=True, strokeWidth=1.5, opacity=1).encode(
            x=x,
            y=y,
            color=_colour(alt),
            shape=_shape(alt),
            size=alt.condition("datum.front", alt.value(110), alt.value(42)),
            stroke=alt.condition(
                "datum.front", alt.value("var(--ink)"), alt.value("transparent")
            ),
            tooltip=_tips(alt, _IMPL, _DTYPE, _RATIO, _ERROR, _TIME),
        ),
    )


def _breakeven(alt, along, title):
    """Return the chart of the time over that of the dense product against a size."""
    rows = _rows(alt)
    values = rows.transform_filter("!datum.crossing")
    x = _log(alt, alt.X, along, title, base=2, format="d")
    y = _log(alt, alt.Y, "ratio", "time / dense", format="~g")
    low = _log(alt, alt.Y, "low", "time / dense", format="~g")
    impl = alt.Detail(["impl:N", "dtype:N"])
    shapes = alt.Scale(domain=[*DTYPES, CROSSING], range=[*SHAPES, "cross"])
    size = alt.condition("datum.crossing", alt.value(75), alt.value(30))
    angle = alt.condition("datum.crossing", alt.value(45), alt.value(0))
    tips = _tips(alt, _IMPL, _DTYPE, (f"{along}:Q", title, ".4~g"), _RATIO, _TIME)
    return alt.layer(
        _rule(alt, y=alt.datum(1)),
        values.mark_line(strokeWidth=1.5).encode(
            x=x, y=y, color=_colour(alt), strokeDash=_dash(alt), detail=impl
        ),
        values.mark_rule(opacity=0.7).encode(x=x, y=low, y2="high", color=_colour(alt)),
        rows.mark_point(filled=True, opacity=1).encode(
            x=x,
            y=y,
            color=_colour(alt),
            shape=alt.Shape("mark:N", scale=shapes, legend=None),
            size=size,
            angle=angle,
            tooltip=tips,
        ),
    )


def _convergence(alt):
    """Return the chart of the error against the time of an iteration."""
    rows = _rows(alt)
    x = _log(alt, alt.X, "time", "seconds", format="~s")
    y = _log(alt, alt.Y, "drawn", "relative error", format=".3~g")
    order = alt.Order("sweeps:Q")
    tips = _tips(alt, _IMPL, ("sweeps:Q", "sweeps", "d"), _TIME, _ERROR)
    line = rows.mark_line(strokeWidth=2).encode(
        x=x, y=y, color=_colour(alt), detail="impl:N", order=order
    )
    points = rows.mark_point(filled=True, size=45, opacity=1).encode(
        x=x, y=y, color=_colour(alt), tooltip=tips
    )
    return alt.layer(line, points)


def _timeline(alt, interpolate, form):
    """Return the chart of a value over commits."""
    rows = _rows(alt)
    x = alt.X(
        "commit:N",
        sort=None,
        title="commit, in the order of dates",
        axis=alt.Axis(labelAngle=-40, labelOverlap=True),
    )
    y = _log(alt, alt.Y, "value", None, format=form)
    tips = _tips(
        alt,
        _IMPL,
        ("commit:N", "commit", None),
        ("day:N", "date", None),
        ("value:Q", "value", ".4~g"),
    )
    colour = _colour(alt)
    band = rows.mark_area(opacity=0.13)
    low = _log(alt, alt.Y, "least", None, format=form)
    line = rows.mark_line(strokeWidth=1.8, interpolate=interpolate)
    bars = rows.mark_rule(opacity=0.7)
    # A filter that leaves no row would make Vega warn of an empty axis.
    ringed = alt.condition("isValid(datum.change)", alt.value(1), alt.value(0))
    ring = rows.mark_point(size=170, strokeWidth=2, color="var(--ink)")
    return alt.layer(
        band.encode(x=x, y=low, y2="most", color=colour, detail="impl:N"),
        line.encode(x=x, y=y, color=colour, detail="impl:N"),
        bars.encode(
            x=x, y=_log(alt, alt.Y, "low", None, format=form), y2="high", color=colour
        ),
        ring.encode(x=x, y=y, opacity=ringed),
        rows.mark_point(filled=True, size=45, opacity=1).encode(
            x=x, y=y, color=colour, tooltip=tips
        ),
    )


def _roof(alt):
    """Return the chart of shares of the roof."""
    x = alt.X(
        "share:Q",
        title="share of the roof",
        scale=alt.Scale(zero=True, nice=True),
        axis=alt.Axis(format="%", tickCount=5, orient="top"),
    )
    y = alt.Y("task:N", sort=None, title=None, axis=alt.Axis(labelLimit=190))
    tips = _tips(
        alt,
        ("machine:N", "machine", None),
        ("task:N", "case", None),
        ("share:Q", "share of the roof", ".1%"),
        _TIME,
    )
    rows = _rows(alt)
    rule = _rule(alt, x=alt.datum(1))
    points = rows.mark_point(filled=True, size=60, opacity=1).encode(
        x=x, y=y, color=_colour(alt), tooltip=tips
    )
    return alt.layer(rule, points)
