"""Read the results of asv 0.6.6: a point for each commit, benchmark and parameters.

The files are ``MACHINE/COMMIT-ENVIRONMENT.json`` beside ``benchmarks.json``, which has
the names of the parameters and the units of the values. In a file, each benchmark is a
list of columns, named in ``result_columns``, of which empty ones at the end are left
out. A column is a list over the product of the parameters, or ``null``. A value of
``null`` is that of a benchmark that failed, ``NaN`` that of one that was skipped.
"""

import ast
import itertools
import json
import math
import os
from pathlib import Path
from typing import Any

from ..._core.files import is_temporary

API_VERSION = 2
"""Version of the format of the files that can be read."""


def read_points(
    directory: str | os.PathLike[str],
) -> tuple[list[dict], list[str], list[Path]]:
    """Return what asv measured, and the files that could not be read.

    Parameters
    ----------
    directory : str or path-like
        The ``results_dir`` of asv.

    Returns
    -------
    points : list of dict
        Points sorted by date: ``machine``, ``environment``, ``commit``, ``date``
        (seconds since 1970), ``benchmark``, ``file``, ``unit``, ``params`` (by name,
        values as text), ``value`` (None if the benchmark failed), ``low`` and ``high``
        (quartiles, or None). Points of a benchmark that has another version today are
        left out, as asv does.
    problems : list of str
        A message for each file that is not one of asv's results.
    files : list of Path
        The files that were read.

    Examples
    --------
    >>> read_points("no-such-directory")
    ([], [], [])
    """
    directory = Path(directory)
    points, problems, files = [], [], []
    try:
        known = _load(directory / "benchmarks.json")
    except FileNotFoundError:
        known = {}
    except (OSError, ValueError) as error:
        known = {}
        problems.append(str(error))
    for path in sorted(directory.glob("*/*.json")):
        if path.name == "machine.json" or is_temporary(path):
            continue
        try:
            points += _points(_load(path), known, path)
        except (OSError, ValueError) as error:
            problems.append(str(error))
        else:
            files.append(path)
    return sorted(points, key=lambda p: p["date"]), problems, files


def _load(path):
    """Return the JSON object in a file; raise ValueError if it holds none."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise ValueError(f"{path}: not a JSON file") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path}: not a file of asv results")
    return content


def _points(content, known, path):
    """Return the points in one file of results."""
    if content.get("version") != API_VERSION:
        raise ValueError(
            f"{path}: asv results of version {content.get('version')}; "
            f"this nbfact reads version {API_VERSION}"
        )
    try:
        shared = {
            "machine": str(content["params"]["machine"]),
            "environment": str(content["env_name"]),
            "commit": str(content["commit_hash"]),
            "date": float(content["date"]) / 1000,
        }
        found = []
        for name, row in content["results"].items():
            columns = dict(zip(content["result_columns"], row or [], strict=False))
            about = known.get(name) or {}
            if columns.get("version") == about.get("version", columns.get("version")):
                found += _expand(
                    {**shared, "benchmark": name, "file": path}, columns, about
                )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{path}: not a file of asv results ({type(error).__name__}: {error})"
        ) from None
    return found


def _expand(shared, columns, about):
    """Yield a point for each combination of parameters of one benchmark."""
    values = columns.get("params") or []
    names = about.get("param_names") or [f"p{i + 1}" for i in range(len(values))]
    combinations = list(itertools.product(*values))
    lists = [
        columns.get(key) or [None] * len(combinations)
        for key in ("result", "stats_q_25", "stats_q_75")
    ]
    for chosen, value, low, high in zip(combinations, *lists, strict=True):
        if isinstance(value, float) and math.isnan(value):
            continue  # skipped, because there is no such case
        yield {
            **shared,
            "unit": str(about.get("unit") or ""),
            "params": dict(zip(names, map(_plain, chosen), strict=True)),
            "value": _finite(value),
            "low": _finite(low),
            "high": _finite(high),
        }


def _finite(value: Any) -> float | None:
    """Return a value as float, None if it is no finite number."""
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None


def _plain(value):
    """Return as plain text a parameter, which asv writes as its ``repr``.

    Examples
    --------
    >>> _plain("'float32'"), _plain("1024"), _plain("<function f>")
    ('float32', '1024', '<function f>')
    """
    try:
        return str(ast.literal_eval(value))
    except (ValueError, SyntaxError, TypeError):
        return str(value)
