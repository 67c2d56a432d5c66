"""The report: what it draws, what it says of damage, and that it is one whole page."""

import html.parser
import itertools
import json
import math
import re
import shutil
import sys

import numpy as np
import pytest

pytest.importorskip("typer")

from nbfact import cli
from nbfact.bench import (
    asvfiles,
    charts,
    curves,
    fields,
    figures,
    pages,
    report,
    store,
    summaries,
    timelines,
)
from nbfact.bench.case import DENSE

NASTY = "</script><script>alert(1)</script> & \"'<img src=x onerror=alert(2)>"


def around(middle, share):
    """Return a ratio with its interval, or whatever else it should be."""
    if not isinstance(middle, int | float):
        return middle
    low, high = middle * (1 - share), middle * (1 + share)
    return {"median": middle, "low": low, "high": high}


def bench(impl="nbfact chain", seconds=1e-6, ratio=0.5, error=1e-7, **more):
    params = {"n": 64, "batch": 1, "dtype": "float32", **more.pop("params", {})}
    sizes = " ".join(f"{k}={v}" for k, v in params.items() if k != "dtype")
    group = more.get("group", "hadamard")
    task = f"{group} {sizes} {params['dtype']}"
    row = {
        "kind": "bench",
        "run": "r1",
        "started": "2026-11-20T10:00:00+00:00",
        "threads": 1,
        "machine": {"name": "epyc-2c", "cpu": "EPYC", "flags": "avx avx2", "load": 0.1},
        "calibration": {"bandwidth": [[262144, 9e10]], "gemm": {"float32": 1e11}},
        "case": f"{task} [{impl}]",
        "task": task,
        "group": group,
        "impl": impl,
        "params": params,
        "yardstick": DENSE,
        "rival": False,
        "ok": True,
        "message": None,
        "error": error,
        "time": {"median": seconds, "q1": seconds, "q3": seconds, "rounds": 9},
        "ratio": around(ratio, 0.1),
        "roof": 0.25,
    }
    return {**row, **more}


def dense(**more):
    return bench(DENSE, 2e-6, **{"ratio": None, **more})


def verdict(word="same", middle=1.0, **more):
    side = {"name": "v1", "commit": "a" * 40, "dirty": True}
    return {
        **{k: bench()[k] for k in ("run", "started", "threads", "machine", "case")},
        "kind": "verdict",
        "group": "hadamard",
        "impl": "nbfact chain",
        "base": side,
        "head": {**side, "name": "tree", "commit": "b" * 40},
        "ratio": around(middle, 0.02),
        "control": {"median": 1.0, "low": 0.99, "high": 1.01},
        "floor": 0.01,
        "threshold": 0.05,
        "seconds": {"base": 1e-6, "head": middle * 1e-6},
        "error": {"base": 1e-7, "head": 1e-7, "bound": 1e-6},
        "allocations": {
            "base": {"count": 1, "peak": 64},
            "head": {"count": 2, "peak": 128},
        },
        "same_bits": True,
        "verdict": word,
        "message": None,
        **more,
    }


def write_asv(folder, *, last=None, columns=13):
    """Write what asv writes: three commits, two implementations."""
    machine = folder / "epyc"
    machine.mkdir(parents=True)
    (machine / "machine.json").write_text('{"machine": "epyc", "version": 1}')
    name = "bench_products.ButterflyOurs.track_ratio_to_dense"
    values = [["'1024'"], ["'float32'"], ["'nbfact chain'", "'nbfact butterfly'"]]
    about = {
        "param_names": ["n", "dtype", "impl"],
        "params": values,
        "unit": "x dense time",
        "version": "1",
    }
    benchmarks = {name: about, "bench_coldstart.time_import": {"unit": "seconds"}}
    (folder / "benchmarks.json").write_text(json.dumps({"version": 2, **benchmarks}))
    titles = ["result", "params", "version", "started_at", "duration"]
    titles += ["stats_ci_99_a", "stats_ci_99_b", "stats_q_25", "stats_q_75"]
    for i, commit in enumerate(("cc", "aa", "bb")):  # names in another order than dates
        row = [[0.2 - i / 100, math.nan], values, "1", 0, 1.0, None, None, [0.1, None]]
        content = {
            "commit_hash": commit * 20,
            "env_name": "env",
            "date": 1.7e12 + i * 1e8,
            "params": {"machine": "epyc"},
            "result_columns": titles,
            "results": {name: row, "bench_coldstart.time_import": [[0.4], []]},
            "version": 2,
        }
        if i == 2 and last:
            content.update(last)
        (machine / f"{commit * 4}-env.json").write_text(json.dumps(content))
    return name


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
    told = [cells[-1] for cells in summaries.crossings(rows).rows]
    assert told[0] == "faster from n ≈ 128"
    assert told[2] == "slower everywhere, batch = 1 to 16"
    figure = figures.breakeven(rows, "n")[0]
    assert "is faster than dense from n = 128" in figure["label"]
    assert {row["mark"] for row in figure["rows"]} == {"float32", charts.CROSSING}
    assert curves.breakeven(rows[:1], "n") == []  # one point is no line


def test_palm_rows_are_one_curve_for_each_implementation():
    rows = [
        bench(impl, t * sweeps, group=curves.PALM, error=1 / sweeps, ratio=1, **more)
        for impl, t in (("numpy", 2.0), ("nbfact", 1.0))
        for sweeps in (10, 1, 2)
        for more in [{"params": {"sweeps": sweeps}, "yardstick": "pyfaust"}]
    ]
    (panel,) = curves.convergence(rows)
    order = [(p["impl"], p["sweeps"]) for p in panel["points"]]
    assert order == [(i, s) for i in ("nbfact", "numpy") for s in (1, 2, 10)]
    assert curves.ranking(rows) == []


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
    kinds = [figure["kind"] for figure in figures.timelines(found)]
    assert kinds == ["timeline", "timeline", "timeline", "steps"]
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


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return a directory of results with everything in them, damage too."""
    folder = tmp_path_factory.mktemp("results")
    path = folder / "a.jsonl"
    sizes = itertools.product((64, 256), (1, 16))
    rows = [
        row
        for n, batch in sizes
        for params in [{"n": n, "batch": batch}]
        for row in (bench(params=params, ratio=100 / n), dense(params=params))
    ]
    failed = {"ok": False, "time": None, "ratio": None, "error": None, "roof": None}
    rows += [
        bench(NASTY, group=NASTY, case=NASTY, message=NASTY, **failed),
        bench(NASTY, params={"dtype": NASTY}),
        bench(group=curves.PALM, params={"sweeps": 1}, yardstick="pyfaust"),
        bench(machine={"name": NASTY, "commit": "1" * 40, "versions": {"x": NASTY}}),
        verdict("slower", 1.3, message=NASTY),
    ]
    store.append_rows(path, rows)
    with open(path, "a", encoding="utf-8") as file:
        file.write('{"schema": 2, "kind": "bench", "ca\n')
    write_asv(folder / "asv")
    return folder


@pytest.fixture(scope="module")
def written(results, tmp_path_factory):
    """Return the page and its summary, as text, with the problems found."""
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    output = tmp_path_factory.mktemp("page") / "report.html"
    files, problems = report.write_report([results], output, results / "asv")
    assert files == [output, output.with_suffix(".md")]
    assert [path.name for path in sorted(output.parent.iterdir())] == [
        "report.html",
        "report.md",
    ]
    return *(path.read_text(encoding="utf-8") for path in files), problems


class Links(html.parser.HTMLParser):
    """What the elements of a page lead to or load."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        """Keep what an element leads to."""
        loading = ("src", "href", "srcset", "action", "data", "poster")
        self.found += [value for name, value in attributes if name in loading]


def data_of(page):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page)
    return json.loads(found[1])


def test_the_page_is_whole_and_asks_for_nothing(written):
    page = written[0]
    assert page.count("window.vegaEmbed=") == 1
    assert page.count("</script>") == page.count("<script") == 3
    outside = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    links = Links()
    links.feed(outside)
    assert links.found and all(link.startswith("#") for link in links.found)
    assert "http:" not in outside and "https:" not in outside
    assert "url(" not in outside and "@import" not in outside
    assert "default-src 'none'" in outside
    for name in ("pareto", "ranking", "breakeven", "convergence", "history"):
        assert f'<section id="{name}"' in page and f'href="#{name}"' in page
    for told in ("No data yet", "undefined"):
        assert told not in outside


def test_nothing_of_a_row_becomes_markup(written):
    page, summary, _ = written
    outside = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "<img" not in outside and "<img" not in summary
    assert "alert(1)</script>" not in page and "<script>alert" not in page
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in page
    shown = [
        row["impl"]
        for f in data_of(page)["figures"].values()
        for row in f["rows"]
        if "impl" in row
    ]
    assert NASTY in shown


def test_every_chart_has_words_a_table_and_rows(written):
    page = written[0]
    data = data_of(page)
    labels = re.findall(
        r'<div class="chart" role="img" aria-label="([^"]{20,})">', page
    )
    ids = re.findall(r'<figure id="([\w-]+)"', page)
    assert len(labels) == len(ids) == page.count('<details class="data">')
    assert sorted(ids) == sorted(data["figures"])
    kinds = {figure["kind"] for figure in data["figures"].values()}
    assert kinds == set(data["specs"]) - {"steps"} | {"timeline"}
    for figure in data["figures"].values():
        assert figure["rows"] and all(row["colour"] for row in figure["rows"])
        assert {key for key, _ in figure["columns"]} <= set(figure["rows"][0])


def test_damage_and_failures_are_told_with_their_place(written):
    page, summary, problems = written
    assert len(problems) == 1 and "line 14: not a row" in problems[0]
    for text in (page, summary):
        assert "line 14: not a row of nbfact results" in text
        assert "Cases without a time" in text
    assert "| slower |" in summary and "1 slower" in summary


def test_rows_that_lack_everything_are_no_crash(monkeypatch):
    monkeypatch.setattr(charts, "javascript", str)
    monkeypatch.setattr(charts, "specifications", dict)
    odd = [None, 3, "x", [], math.nan, {"median": None}, {"median": "fast"}]
    rows = [{"kind": "bench"}, {"kind": "verdict"}, {"kind": "other"}, {}]
    keys = [*bench(), *verdict(), "samples"]
    for make, key, value in itertools.product((bench, verdict), keys, odd):
        rows.append({**make(), key: value, "kind": make()["kind"]})
    for part in ("median", "low", "q1"):
        rows.append(bench(time={part: 1.0}, ratio={part: 0.5}))
    rows += [bench(params={"n": value}) for value in odd]
    rows += [bench(calibration={"bandwidth": [value], "gemm": value}) for value in odd]
    rows = json.loads(json.dumps(rows))
    shown = pages.sections(rows, [], {"a.jsonl": len(rows)}, [])
    head = pages.overview(rows, shown)
    assert pages.html(head, shown) and pages.markdown(head, shown)


def test_an_empty_section_names_the_command_that_fills_it(monkeypatch):
    monkeypatch.setattr(charts, "javascript", str)
    monkeypatch.setattr(charts, "specifications", dict)
    rows = [bench(yardstick="numpy", roof=None, error=None)]
    shown = pages.sections(rows, [], {"a.jsonl": 1}, [])
    page = pages.html(pages.overview(rows, shown), shown)
    assert page.count("No data yet") == 7
    for command in ("asv run", "nbfact compare", f"nbfact bench -k &#34;{curves.PALM}"):
        assert f"<code>{command}" in page


def test_a_report_that_fails_leaves_the_old_one(results, tmp_path, monkeypatch):
    monkeypatch.setattr(charts, "javascript", str)
    monkeypatch.setattr(charts, "specifications", dict)
    output = tmp_path / "report.html"
    output.write_text("old")

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(pages, "markdown", broken)
    with pytest.raises(OSError, match="disk full"):
        report.write_report([results], output)
    assert output.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "argv", ["nbfact", "report", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    return exit_.value.code, *capsys.readouterr()


def test_no_row_and_wrong_names_exit_with_2(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(monkeypatch, capsys)
    assert code == 2 and "runs: no such file or directory" in err
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "x.jsonl").write_text("nonsense\n")
    code, _, err = run(monkeypatch, capsys)
    assert code == 2 and "no result in runs" in err and "line 1" in err
    code, _, err = run(monkeypatch, capsys, "runs", "-o", "report.pdf")
    assert code == 2 and "report.pdf: expected a name in .html" in err
    code, _, err = run(monkeypatch, capsys, "runs", "-o", "none/report.html")
    assert code == 2 and "none is not a writable directory" in err
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


@pytest.mark.parametrize("module", ["altair", "vl_convert", "jinja2"])
def test_a_missing_extra_exits_with_2(module, results, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, module, None)
    code, _, err = run(monkeypatch, capsys, results)
    assert code == 2 and 'pip install "nbfact[report]" brings it' in err
    assert list(tmp_path.iterdir()) == []


def test_the_command_reads_runs_and_writes_both_files(
    results, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(charts, "javascript", str)
    monkeypatch.setattr(charts, "specifications", dict)
    shutil.copytree(results, tmp_path / "runs")
    shutil.copytree(results / "asv", tmp_path / "benchmarks" / "results")
    code, out, err = run(monkeypatch, capsys)
    assert (code, out.split()) == (0, ["report.html", "report.md"])
    assert "line 14" in err
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "asv bench_products" in page and str(tmp_path) not in page


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_browser_draws_the_page(written, width, scheme, tmp_path):
    sync = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium")
    path = tmp_path / "report.html"
    path.write_text(written[0], encoding="utf-8")
    told, asked = [], []
    with sync.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        for figure in page.query_selector_all("figure:not([hidden])"):
            figure.scroll_into_view_if_needed()
            figure.wait_for_selector(".chart svg")
        wide = page.evaluate("document.documentElement.scrollWidth")
        page.click("details.data summary >> visible=true")
        assert page.query_selector("details.data table td").inner_text()
        other = {"light": "dark", "dark": "light"}[scheme]
        before = page.inner_html("figure:not([hidden]) .chart")
        page.emulate_media(color_scheme=other)
        page.wait_for_timeout(500)
        assert page.inner_html("figure:not([hidden]) .chart") != before
        browser.close()
    assert (told, asked, wide) == ([], [path.as_uri()], width)
