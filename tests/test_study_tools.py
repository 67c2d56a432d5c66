"""The tools that studies share: rows, tables and confidence intervals."""

import pytest

from nbfact.studies.tools import intervals, result_files, rows


def test_cells_and_columns():
    assert result_files.columns([{"a": 1}, {"b": 1}]) == ["a", "b"]
    assert "| x |" in result_files.markdown({"T": [{"a": "x"}, {"a": None}]})


def test_wilson_intervals():
    # Newcombe (Statistics in Medicine 17, 1998), table I, method 3.
    for (good, trials), ends in {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }.items():
        assert intervals.wilson(good, trials) == pytest.approx(ends, abs=6e-5)
    low, high = intervals.wilson(48, 50)
    assert (1 - high, 1 - low) == pytest.approx(intervals.wilson(2, 50))


def test_intervals_of_means():
    # Student's hours of sleep (Biometrika 6, 1908); the half width is that which R's
    # t.test prints for the paired samples.
    sleep = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    assert intervals.half_width(sleep) == pytest.approx(0.8798858, abs=1e-7)
    assert intervals.mean_text(sleep) == "1.58 ± 0.88"
    assert intervals.mean_text([3, 3]) == "3"
    assert intervals.mean_text([128000, 128000]) == "128000"
    assert intervals.mean_text([0.5, 0.500001]) == "0.5000 ± 0.0000"
    assert intervals.mean_text([16000, 16400]) == "16200 ± 2541"


def test_rows_are_selected_and_failures_counted():
    table = [
        {"method": "a", "n": 1, "error": 0.5, "failure": None},
        {"method": "b", "n": 1, "error": None, "failure": "ValueError: first"},
        {"method": "b", "n": 2, "error": None, "failure": "ValueError: second"},
    ]
    assert rows.select(table, method="b", n=2) == table[2:]
    assert rows.values(table, "method") == ["a", "b"]
    assert rows.known(table, "error") == [0.5]
    failures = [{"method": "b", "failures": 2, "first": "ValueError: first"}]
    assert rows.failure_table(table) == {"Failures": failures}
