"""What the report shows: fronts, winners, break-evens, histories, verdicts."""

import itertools
import json

import numpy as np
import pytest

pytest.importorskip("typer")

from results import bench, dense, verdict, write_asv

from nbfact.cases.nbfact_project import NBFACT
from nbfact.harness.case import DENSE
from nbfact.harness.report import (
    asvfiles,
    charts,
    curves,
    fields,
    figures,
    summaries,
    timelines,
)


def test_a_front_is_what_no_point_beats():
    rng = np.random.default_rng(0)
    for _ in range(20):
        points = [tuple(p) for p in rng.integers(0, 6, (12, 2)).tolist()]
        kept = curves.front(points)
        for i, (x, y) in enumerate(points):
            beaten = any(a <= x and b <= y and (a, b) != (x, y) for a, b in points)
            first = points.index((x, y)) == i
            assert (i in kept) == (first and not beaten)
        assert [points[i] for i in kept] == sorted(points[i] for i in kept)


def test_pareto_panels_hold_products_and_their_dense_yardstick():
    rows = [
        dense(),
        bench(),
        bench("svd r=8", ratio=0.1, error=0.3),
        bench("slow", ratio=3.0, error=0.5),
        bench(yardstick="numpy"),
        bench(group="dft", ok=False, time=None),
        bench(params={"n": 8}),
    ]
    small, panel = curves.pareto(rows)
    assert (small["n"], panel["n"], panel["batch"]) == ("8", "64", "1")
    assert {p["impl"]: p["ratio"] for p in panel["points"]}[DENSE] == 1.0
    front = {p["impl"] for p in panel["points"] if p["front"]}
    assert front == {"nbfact chain", "svd r=8"}
    assert {p["method"] for p in panel["points"]} >= {"svd", "nbfact chain"}
    double = {"params": {"dtype": "float64"}}
    both = [*rows[:2], dense(error=1e-16, **double), bench(ratio=0.1, **double)]
    marked = [p["front"] for p in curves.pareto(both)[0]["points"]]
    assert marked == [False, True, True, True]  # each dtype has its own dense product
    assert curves.pareto([dense(error=0.0)])[0]["points"][0]["drawn"] == curves.LEAST


def test_a_budget_names_the_fastest_and_the_runner_up():
    rows = [
        bench("rough", 1e-7, error=1e-3),
        bench("single", 2e-7, error=1e-7),
        bench("double", 3e-7, error=1e-15, params={"dtype": "float64"}),
        bench("double", 9e-7, error=1e-7),
        bench("wrong", 1e-9, error=1e-15, ok=False),
        bench("complex", 1e-8, error=1e-15, params={"dtype": "complex128"}),
    ]
    real, other = curves.ranking(rows)
    named = [[p["impl"] for p in best] for best in real["best"]]
    assert named == [["rough", "single"], ["single", "double"], ["double"]]
    assert other["field"] == "complex"
    cells = summaries.ranking(rows).rows[0]
    assert cells == (
        "hadamard n=64 batch=1",
        "rough float32, 100 ns\nthen single float32, 2.00x slower",
        "single float32, 200 ns\nthen double float64, 1.50x slower",
        "double float64, 300 ns",
    )


def test_crossings_are_interpolated_between_powers():
    assert curves.crossings([1, 4], [2.0, 0.5]) == [(2.0, "faster")]
    assert curves.crossings([1, 2, 4], [0.5, 1.0, 2.0]) == [(2.0, "slower")]
    assert curves.crossings([1, 2, 4], [3.0, 2.0, 1.5]) == []
    assert [to for _, to in curves.crossings([1, 2, 4], [2.0, 0.5, 2.0])] == [
        "faster",
        "slower",
    ]


def test_break_even_is_along_n_and_along_the_batch():
    sizes = itertools.product((64, 256), (1, 16))
    rows = [bench(ratio=128 / n, params={"n": n, "batch": batch}) for n, batch in sizes]
    by_n = curves.breakeven(rows, "n")
    assert [panel["fixed"] for panel in by_n] == ["1", "16"]
    assert [m["at"] for m in by_n[0]["crossings"]] == [pytest.approx(128)]
    assert not any(panel["crossings"] for panel in curves.breakeven(rows, "batch"))
    words = [cells[-1] for cells in summaries.crossings(rows).rows]
    assert words[0] == "faster from n ≈ 128"
    assert words[2] == "slower everywhere, batch = 1 to 16"
    figure = figures.breakeven(rows, "n", NBFACT)[0]
    assert "is faster than dense from n = 128" in figure["label"]
    assert {row["mark"] for row in figure["rows"]} == {"float32", charts.CROSSING}
    assert curves.breakeven(rows[:1], "n") == []  # one point is no line


def test_palm_rows_are_one_curve_for_each_implementation():
    rows = [
        bench(
            impl,
            t * sweeps,
            group=f"palm4msa {curves.CURVE}",
            error=1 / sweeps,
            ratio=1,
            **more,
        )
        for impl, t in (("numpy", 2.0), ("nbfact", 1.0))
        for sweeps in (10, 1, 2)
        for more in [{"params": {"sweeps": sweeps}, "yardstick": "pyfaust"}]
    ]
    (panel,) = curves.convergence(rows)
    order = [(p["impl"], p["sweeps"]) for p in panel["points"]]
    assert order == [(i, s) for i in ("nbfact", "numpy") for s in (1, 2, 10)]
    assert curves.ranking(rows) == []
    (figure,) = figures.convergence(rows, NBFACT)
    assert figure["caption"] == "n = 64 float32"
    assert figure["rows"][0]["colour"] == "var(--c1)"  # nbfact is first


def test_the_newest_row_of_a_case_counts_on_each_machine():
    later = bench(ratio=0.4, started="2026-11-21T10:00:00+00:00")
    other = bench(machine={"name": "m2"})
    undated = bench(ratio=0.3, started=None)
    kept = fields.newest([later, bench(), other, undated, bench(threads=2)])
    assert [row["ratio"]["median"] for row in kept] == [0.4, 0.5, 0.5]


def test_asv_columns_expand_to_points_by_date(tmp_path):
    name = write_asv(tmp_path)
    points, problems, files = asvfiles.read_points(tmp_path)
    assert problems == [] and len(files) == 3
    ratios = [p for p in points if p["benchmark"] == name]
    assert [p["commit"][:2] for p in ratios] == ["cc", "aa", "bb"]  # skipped: none
    assert ratios[0]["params"] == {
        "n": "1024",
        "dtype": "float32",
        "impl": "nbfact chain",
    }
    assert [ratios[0][k] for k in ("value", "low", "high")] == [0.2, 0.1, None]
    imports = [p for p in points if p["benchmark"] != name]
    assert [p["value"] for p in imports] == [0.4] * 3 and imports[0]["params"] == {}


@pytest.mark.parametrize(
    "damage",
    [{"version": 1}, {"results": {"x": 3}}, {"date": None}, {"results": None}],
    ids=str,
)
def test_a_damaged_asv_file_is_a_problem_and_the_rest_is_read(tmp_path, damage):
    write_asv(tmp_path, last=damage)
    points, problems, files = asvfiles.read_points(tmp_path)
    assert len(files) == 2 and len(points) == 4
    assert len(problems) == 1 and "bbbbbbbb-env.json: " in problems[0]


def test_asv_drops_values_of_another_version_of_a_benchmark(tmp_path):
    name = write_asv(tmp_path)
    path = tmp_path / "benchmarks.json"
    content = json.loads(path.read_text())
    content[name]["version"] = "2"
    path.write_text(json.dumps(content))
    assert {p["benchmark"] for p in asvfiles.read_points(tmp_path)[0]} == {
        "bench_coldstart.time_import"
    }


def test_timelines_need_two_commits_and_take_their_band_from_the_control(tmp_path):
    write_asv(tmp_path)
    points = asvfiles.read_points(tmp_path)[0]
    noise = timelines.floors([verdict(), verdict(case="other", floor=0.03)])
    assert noise == {bench()["case"]: 0.01, "other": 0.03, "": 0.02}
    old = bench(machine={"name": "m", "commit": "1" * 40})
    new = bench(
        machine={"name": "m", "commit": "2" * 40, "dirty": True},
        started="2026-11-22T10:00:00+00:00",
    )
    found = timelines.timelines([new, old], points, noise)
    assert [panel["unit"] for panel in found] == [
        "x dense time",
        "seconds",
        f"time / {DENSE}",
        "relative error",
    ]
    ratio = found[0]["points"][0]
    assert (ratio["least"], ratio["most"]) == (pytest.approx(0.2 / 1.02), 0.2 * 1.02)
    ours = found[2]["points"]
    assert [p["commit"] for p in ours] == ["11111111", "22222222+"]
    assert ours[0]["most"] == pytest.approx(0.505)
    assert not any(p["banded"] for p in found[3]["points"])
    kinds = [figure["kind"] for figure in figures.timelines(found, NBFACT)]
    assert kinds == ["timeline", "seconds", "timeline", "steps"]
    assert timelines.timelines([new], [], {}) == []


def test_verdicts_come_from_the_newest_run_the_bad_ones_first():
    old = verdict("broken", run="r0", started="2026-11-01T00:00:00+00:00")
    rows = [old, verdict(), verdict("faster", 0.5), verdict("slower", 1.3)]
    rows.append(verdict("missing", ratio=None, control=None, error=None))
    shown = summaries.verdicts(rows)
    assert [v["verdict"] for v in shown] == ["slower", "missing", "faster", "same"]
    assert [v["tone"] for v in shown] == ["bad", "bad", "good", "plain"]
    slower, missing = shown[:2]
    assert slower["ratio"] == "1.300 [1.274, 1.326]" and slower["bar"]["high"] == 100
    assert slower["allocations"] == "1 → 2 (64 → 128 B)"
    assert missing["ratio"] == missing["error"].split()[0] == "-"
    assert missing["bar"] is None
    assert summaries.counts(shown) == "1 slower, 1 missing, 1 faster, 1 same"
