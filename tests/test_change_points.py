"""Changes over commits: their rules, and how the report and the command show them."""

import sys

import numpy as np
import pytest
from results import bench, ratio

from nbfact.cases.nbfact_project import NBFACT
from nbfact.cli import app
from nbfact.harness import store
from nbfact.harness.report import change_list, charts, fields, trends, write
from nbfact.harness.surroundings import tell_apart
from nbfact.harness.versions import change_points


def series(seed, *levels, noise=0.03):
    """Return values around some levels, each a pair of a level and a number."""
    rng = np.random.default_rng(seed)
    means = np.concatenate([np.full(count, np.log(level)) for level, count in levels])
    return np.exp(means + rng.normal(0, noise, len(means)))


def places(values):
    return [change.index for change in change_points.shifts(values)]


def test_steps_are_found_where_they_are_and_soon():
    delays = []
    for seed in range(20):
        values = series(seed, (1.0, 40), (1.08, 12))
        found = [c for c in change_points.shifts(values) if abs(c.index - 40) <= 2]
        delays.append(found[0].found - 39 if found else 99)
        assert all(c.confidence >= 1 - change_points.LEVEL for c in found)
    assert np.median(delays) <= 3 and delays.count(99) == 0


def test_noise_and_single_outliers_are_no_changes():
    assert sum(len(places(series(seed, (1.0, 60)))) for seed in range(10)) <= 1
    values = series(3, (2.0, 60))
    for outlier in (20, 40, 59):
        values[outlier] *= 3
    assert places(values) == []


def test_several_changes_and_a_way_back_are_found():
    levels = (1.0, 30), (1.3, 10), (1.0, 20), (0.5, 20)
    assert places(series(0, *levels, noise=0.02)) == [30, 40, 60]
    few = series(0, (1.0, 5), (2.0, 5))
    assert places(few) == []  # too few commits to know their noise


def test_ratios_need_the_threshold_of_the_gate_and_two_commits():
    def found(*medians, share=0.01, floor=0.001):
        ratios = [
            {"median": m, "low": m * (1 - share), "high": m * (1 + share)}
            for m in medians
        ]
        changes = change_points.jumps(ratios, [floor] * len(ratios))
        return [(c.index, round(c.ratio, 3)) for c in changes]

    assert found(1, 1.2) == [(1, 1.2)]
    assert found(1, 1.01, 1.06, 1.01, 0.8, 0.81) == [(4, 0.797)]
    assert found(1, 1.2, share=0.1) == found(1, 1.2, floor=0.07) == []


def test_values_without_noise_change_beyond_a_factor():
    found = change_points.steps([1e-16, 3e-16, 5e-15, 6e-15, 1e-16], 4.0, 1e-15)
    assert [c.index for c in found] == [2, 4]
    assert change_points.steps([0, 0, 3], 1.25, 2.0)[0].ratio == np.inf


ROWS = [
    ratio("a", 1.0, "a", 1),
    ratio("b", 0.8, "a", 2),
    ratio("c", 1.0, "c", 3, case="x [nbfact]"),
    ratio("d", 0.5, "b", 4, error=1e-3, blocks=9, peak=10**6, compile=4.0),
    ratio("e", 2.0, "c", 5, case="x [nbfact]"),
]


def test_ratios_lead_back_to_the_baseline():
    by_name = {(p["measure"], p["case"]): p for p in trends.panels(ROWS)}
    first = by_name["time", bench()["case"]]
    assert [p["value"] for p in first["points"]] == [1.0, 0.8, 0.4]
    assert (first["baseline"], first["points"][2]["commit"]) == ("a" * 8, "d" * 8)
    assert first["points"][2]["low"] == pytest.approx(0.8 * 0.495)
    second = by_name["time", "x [nbfact]"]
    assert [p["value"] for p in second["points"]] == [1.0, 2.0]
    found = {c["measure"]: c["ratio"] for c in trends.changes(first)}
    assert found == {"time": 0.5} or found == {"time": pytest.approx(0.5)}
    for measure, size in (
        ("error", 1e4),
        ("blocks allocated", 5),
        ("peak of memory", 10**6 / 4096),
        ("first call", 4.0),
    ):
        (change,) = trends.changes(by_name[measure, bench()["case"]])
        assert change["ratio"] == pytest.approx(size)
        assert (change["before"], change["commit"]) == ("b" * 8, "d" * 8)


def test_versions_of_packages_are_lines_of_their_own(tmp_path, monkeypatch):
    def row(commit, median, numba, day):
        about = {"name": "m", "versions": {"python": "3.12.1", "numba": numba}}
        return ratio(commit, median, day=day, machine=about)

    rows = [row("a", 1.0, "0.68.1", 1), row("b", 2.0, "0.68.1", 2)]
    rows += [row("a", 1.0, "0.60.0", 1), row("b", 1.0, "0.60.0", 2)]
    tell_apart(rows)
    names = {"m, 1 thread, Numba 0.68", "m, 1 thread, Numba 0.60"}
    assert {fields.machine(row) for row in rows} == names
    (panel,) = (p for p in trends.panels(rows) if p["measure"] == "time")
    assert {p["impl"] for p in panel["points"]} == names
    (change,) = trends.changes(panel)
    assert change["machine"] == "m, 1 thread, Numba 0.68"
    monkeypatch.setattr(charts, "javascript", str)
    monkeypatch.setattr(charts, "specifications", dict)
    folder = tmp_path / "asv" / "m"
    store.append_rows(folder / "ratios.jsonl", rows)
    written, problems = write.write_report(
        NBFACT, [], tmp_path / "report.html", tmp_path / "asv"
    )
    assert problems == []
    page, summary = (path.read_text(encoding="utf-8") for path in written)
    for text in (page, summary):
        assert "aaaaaaaa..bbbbbbbb" in text and "Numba 0.60" in text


def test_the_command_lists_changes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    store.append_rows(tmp_path / "runs" / "a.jsonl", ROWS)
    monkeypatch.setattr(sys, "argv", ["nbfact", "history", "--changes"])
    with pytest.raises(SystemExit) as ended:
        app.main()
    out = capsys.readouterr().out
    assert ended.value.code == 0
    assert (
        "bbbbbbbb..dddddddd" in out
        and "\N{MULTIPLICATION SIGN} 0.5" in out
        and "certain" in out
    )
    assert "7 changes in" in out


def test_no_change_is_said(tmp_path, capsys):
    store.append_rows(tmp_path / "a.jsonl", [bench()])
    assert change_list.run_changes(NBFACT, [tmp_path]) == 0
    assert capsys.readouterr().out == "0 changes in 0 lines over commits\n"
