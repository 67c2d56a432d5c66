"""Repeated runs: how the coverage of intervals is counted, and what the page says."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "benchmarks" / "coverage_of_intervals.py"
RECORDED = ROOT / "docs" / "coverage.csv"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("coverage_of_intervals", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def row(run, middle, low=None, high=None, case="a"):
    found = {"run": run, "case": case, "load": 1.0, "unstable": 0, "roof": 0.5}
    return {**found, "seconds": middle, "seconds_low": low, "seconds_high": high}


def test_intervals_are_compared_with_the_other_runs_of_their_case(script):
    rows = [row(0, 1.0, 0.9, 1.1), row(1, 1.05, 1.0, 1.08), row(2, 2.0, 1.9, 2.1)]
    rows += [row(3, 1.0), row(0, 5.0, 4.0, 6.0, case="alone")]
    found = script.counted(rows, "seconds")
    # Medians of the others: 1.05 for run 0, and 1.0 for the runs 1 and 2.
    assert found["intervals"] == 3 and found["covered"] == pytest.approx(2 / 3)
    assert found["disjoint"] == pytest.approx(2 / 3)
    assert found["blank"] == pytest.approx(1 / 5)
    assert found["width"] == pytest.approx(0.05)
    assert math.isnan(script.counted(rows, "ratio")["covered"])


def test_normal_samples_of_six_processes_are_covered_as_the_binomial_law_says(script):
    rng = np.random.default_rng(0)
    rows = []
    for case in range(40):
        for run in range(50):
            draws = np.exp(0.02 * rng.standard_normal(6))
            rows.append(
                row(run, float(np.median(draws)), draws.min(), draws.max(), str(case))
            )
    found = script.counted(rows, "seconds")
    assert 0.95 < found["covered"] < 0.985 and found["disjoint"] < 0.01


def test_rows_are_written_and_read_back(script, tmp_path):
    rows = [row(0, 1.0, 0.9, 1.1), row(1, 1.25)]
    path = tmp_path / "rows.csv"
    script.write(path, rows)
    assert [
        {k: v for k, v in r.items() if k in rows[0]} for r in script.read(path)
    ] == [
        rows[0],
        rows[1],
    ]


def test_the_page_shows_what_the_recorded_runs_say(script):
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    for line in script.table(script.read(RECORDED)):
        assert line in page


def test_recorded_intervals_hold_and_no_case_exceeds_its_roof(script):
    rows = script.read(RECORDED)
    for name in ("seconds", "ratio"):
        found = script.counted(rows, name)
        assert found["intervals"] > 100 and found["covered"] >= 0.9
    assert max(r["roof"] for r in rows if r["roof"] is not None) <= 1.05
