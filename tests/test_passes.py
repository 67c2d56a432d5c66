"""Several processes: what one row says of them, which clock counts, cold operands."""

import functools
import time

import crashers
import numpy as np
import pytest
from test_run import CALIBRATION

from nbfact.harness import calibration, clocks, cold, measure, operands, passes, table


def case(prepare, impl="ours", n=8, **changes):
    options = {"impl": impl, "yardstick": "ours", "flops": n, "rival": False}
    return crashers.case(prepare, n, **{**options, "fallbacks": (), **changes})


def double(x):
    return lambda: x + x


@functools.cache
def one_row():
    (row,) = measure.measure_task([case(double)], 0.0, CALIBRATION)
    return row


def rows_of(*medians):
    """Return the rows of processes that found these medians of time and ratio."""
    row = one_row()
    return [
        {
            **row,
            "time": {**row["time"], "median": seconds},
            "samples": [seconds] * 3,
            "ratio": {**row["ratio"], "median": ratio},
            "cold": {"median": 2 * seconds, "low": None, "high": None, "copies": 4},
            "roof": 1.0 / seconds,
        }
        for seconds, ratio in medians
    ]


def test_intervals_are_those_of_six_processes_or_more():
    medians = [(1.0 + k / 100, 0.5 + k / 100) for k in range(6)]
    row = passes.merged(rows_of(*medians))
    assert row["processes"] == 6 and not row["unstable"]
    for key, middle, low, high in (
        ("time", 1.025, 1.0, 1.05),
        ("ratio", 0.525, 0.5, 0.55),
        ("cold", 2.05, 2.0, 2.1),
    ):
        found = [row[key][name] for name in ("median", "low", "high")]
        assert found == pytest.approx([middle, low, high])
    assert row["time"]["medians"] == [seconds for seconds, _ in medians]
    assert row["ratio"]["samples"] == [ratio for _, ratio in medians]
    assert len(row["samples"]) == row["time"]["rounds"] == 18
    assert row["roof"] == pytest.approx(1 / 1.025)
    few = passes.merged(rows_of(*medians[:5]))
    assert few["time"]["low"] is few["ratio"]["high"] is None and not few["unstable"]
    one = passes.merged(rows_of(medians[0]))
    assert one["processes"] == 1 and one["time"]["low"] is None


def test_processes_that_differ_too_much_have_no_interval():
    row = passes.merged(rows_of(*((s, 0.5) for s in (1.0, 1.0, 1.1, 1.2, 1.3, 2.0))))
    assert row["unstable"] and row["time"]["low"] is row["time"]["high"] is None
    assert row["ratio"]["low"] == row["ratio"]["high"] == pytest.approx(0.5)
    assert row["time"]["median"] == pytest.approx((1.1 * 1.2) ** 0.5, rel=1e-2)


def test_the_interval_contains_the_median_as_often_as_it_says():
    rng = np.random.default_rng(0)
    missed = 0
    for _ in range(1000):
        draws = np.exp(0.03 * rng.standard_normal(6))
        row = passes.merged(rows_of(*((float(d), 1.0) for d in draws)))
        missed += not row["time"]["low"] <= 1 <= row["time"]["high"]
    assert 15 <= missed <= 50  # 3.1 % of the intervals, as the binomial law says


def test_a_case_that_fails_in_one_process_has_failed():
    rows = rows_of((1.0, 1.0), (1.0, 1.0))
    rows[1].update(measure.UNTIMED, ok=False, message="crashed")
    row = passes.merged(rows)
    assert not row["ok"] and row["message"] == "crashed" and row["time"] is None


def test_calls_that_wait_are_timed_by_the_wall_clock():
    def slow(x):
        def call():
            time.sleep(0.002)
            return x + x

        return call

    task = [case(double), case(slow, "waiting")]
    rows = measure.measure_task(task, 0.0, CALIBRATION)
    assert {row["clock"] for row in rows} == {"wall"}
    assert rows[1]["time"]["median"] >= 0.002
    (row,) = measure.measure_task(task[:1], 0.0, CALIBRATION)
    assert row["clock"] == "cpu"
    with measure.limited_threads(1):
        assert clocks.clock() == clocks.CPU


def test_a_later_process_checks_nothing_and_reads_the_clock_of_the_first():
    def fail(x):
        raise AssertionError("called")

    turn = measure.Turn(1, 6, "wall")
    task = [case(double, reference=fail)]
    (row,) = measure.measure_task(task, 0.0, CALIBRATION, turn=turn)
    assert row["ok"] and row["error"] is row["allocations"] is None
    assert row["clock"] == "wall" and row["time"]["rounds"] == measure.FEW


def test_cold_calls_have_operands_of_their_own_and_one_operator():
    built, seen = [], []

    class Inputs:
        def __init__(self, x):
            self.x = x

    def prepare(inputs):
        operands.built_once(inputs, lambda: built.append(1))
        x = inputs.x

        def call():
            seen.append(x.ctypes.data)
            return x + x

        return call

    inputs = Inputs(np.ones(8))
    task = [case(prepare), case(double, "other")]
    ((copies, times),) = cold.cold_times(task, inputs, {"ours": 1e-5}, 2).values()
    assert copies == cold.MOST_COPIES and times.shape == (2, 2) and (times > 0).all()
    assert len(built) == 1
    addresses = set(seen)
    assert len(addresses) == copies + 1 and inputs.x.ctypes.data in addresses
    # Too long, or without an operand that the harness knows.
    assert cold.cold_times(task, inputs, {"ours": 0.1}, 2) == {}
    assert cold.cold_times(task, [inputs.x], {"ours": 1e-5}, 2) == {}


def test_the_table_has_columns_for_intervals_and_cold_operands_where_there_are_any():
    rows = [passes.merged(rows_of(*((1.0 + k / 100, 1.0) for k in range(6))))]
    shown = table.table(rows)
    cells = {column.header: [*column.cells] for column in shown.columns}
    assert cells["±"] == ["2%"] and cells["cold"] == ["2.05 s"]
    assert cells["time"] == ["1.02 s"]
    wrong = case(double, reference=np.zeros_like)
    (row,) = measure.measure_task([wrong], 0.0, CALIBRATION)
    assert not row["ok"]
    assert {"±", "cold"}.isdisjoint(c.header for c in table.table([row]).columns)


def test_calibration_has_rates_for_every_working_set_and_the_better_of_two_counts():
    found = calibration.calibrate(0.001)
    assert [size for size, _ in found["bandwidth"]] == [*calibration.WORKING_SETS]
    assert all(rate > 0 for _, rate in found["bandwidth"])
    doubled = {
        **found,
        "bandwidth": [[size, 2 * rate] for size, rate in found["bandwidth"]],
    }
    assert calibration.better(found, doubled)["bandwidth"] == doubled["bandwidth"]


def test_the_roof_has_the_best_rate_of_all_sets_that_are_not_smaller():
    rates = {"bandwidth": [[100, 1.0], [1000, 4.0], [10000, 2.0]], "gemm": {}}
    rates["gemm"] = {"float32": 1e9, "float64": 1e9}
    for size, rate in ((10, 4.0), (999, 4.0), (1000, 4.0), (10000, 2.0), (10**6, 2.0)):
        assert calibration.roof_time(rates, size, 0, "float64") == size / rate
