"""The report: a whole page whatever the rows hold, and the command that writes it."""

import html.parser
import itertools
import json
import math
import re
import shutil
import sys

import pytest

pytest.importorskip("typer")

from results import bench, dense, ratio, verdict, write_asv

from nbfact.cases.nbfact_project import NBFACT
from nbfact.cli import app as cli
from nbfact.harness import store
from nbfact.harness.report import charts, curves, pages, summaries, timelines, write

NASTY = "</script><script>alert(1)</script> & \"'<img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return a directory with results of every kind, and a damaged line."""
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
        bench(
            group=f"palm4msa {curves.CURVE}", params={"sweeps": 1}, yardstick="pyfaust"
        ),
        bench(machine={"name": NASTY, "commit": "1" * 40, "versions": {"x": NASTY}}),
        verdict("slower", 1.3, message=NASTY),
        verdict(NASTY, machine={"name": NASTY}, base={"name": NASTY}),
        *(ratio(c, m, day=d, case=NASTY) for c, m, d in (("a", 1, 1), ("b", 1.5, 2))),
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
    files, problems = write.write_report(NBFACT, [results], output, results / "asv")
    assert files == [output, output.with_suffix(".md")]
    assert [path.name for path in sorted(output.parent.iterdir())] == [
        "report.html",
        "report.md",
    ]
    return *(path.read_text(encoding="utf-8") for path in files), problems


class Links(html.parser.HTMLParser):
    """The addresses that the elements of a page lead to or load."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        """Keep the addresses of an element."""
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
    for text in ("No data yet", "undefined"):
        assert text not in outside


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
    assert kinds == set(data["specs"])
    for figure in data["figures"].values():
        assert figure["rows"] and all(row["colour"] for row in figure["rows"])
        assert {key for key, _ in figure["columns"]} <= set(figure["rows"][0])


def test_damage_and_failures_are_reported_with_their_place(written):
    page, summary, problems = written
    assert len(problems) == 1 and "line 17: not a row" in problems[0]
    for text in (page, summary):
        assert "line 17: not a row of nbfact results" in text
        assert "Cases without a time" in text
    assert "| slower |" in summary and "1 slower" in summary


def test_rows_that_lack_everything_are_no_crash(monkeypatch):
    monkeypatch.setattr(charts, "javascript", str)
    monkeypatch.setattr(charts, "specifications", dict)
    odd = [None, 3, "x", [], math.nan, {"median": None}, {"median": "fast"}]
    rows = [{"kind": "bench"}, {"kind": "verdict"}, {"kind": "other"}, {}]
    keys = [*bench(), *verdict(), *ratio("a"), "samples"]
    makers = bench, verdict, lambda: ratio("a")
    for make, key, value in itertools.product(makers, keys, odd):
        rows.append({**make(), key: value, "kind": make()["kind"]})
    for part in ("median", "low", "q1"):
        rows.append(bench(time={part: 1.0}, ratio={part: 0.5}))
    rows += [bench(params={"n": value}) for value in odd]
    rows += [bench(calibration={"bandwidth": [value], "gemm": value}) for value in odd]
    rows = json.loads(json.dumps(rows))
    shown = pages.sections(NBFACT, rows, [], {"a.jsonl": len(rows)}, [])
    head = pages.overview(NBFACT, rows, shown)
    assert pages.html(head, shown) and pages.markdown(head, shown)


def test_an_empty_section_names_the_command_that_fills_it(monkeypatch):
    monkeypatch.setattr(charts, "javascript", str)
    monkeypatch.setattr(charts, "specifications", dict)
    rows = [bench(yardstick="numpy", roof=None, error=None)]
    shown = pages.sections(NBFACT, rows, [], {"a.jsonl": 1}, [])
    page = pages.html(pages.overview(NBFACT, rows, shown), shown)
    assert page.count("No data yet") == 9
    filling = f"nbfact bench -k &#34;{curves.CURVE}"
    for command in ("nbfact history", "nbfact compare", filling):
        assert f"<code>{command}" in page


def test_a_page_opens_on_what_there_is_and_names_unstable_runs(monkeypatch):
    monkeypatch.setattr(charts, "javascript", str)
    monkeypatch.setattr(charts, "specifications", dict)
    shown = pages.sections(NBFACT, [verdict()], [], {"a.jsonl": 1}, [])
    assert shown[0]["id"] == "verdicts" and shown[-1]["id"] == "provenance"
    head = pages.overview(NBFACT, [verdict()], shown)
    assert "unstable" not in pages.html(head, shown)
    (waived,) = summaries.verdicts([verdict("slower", waived="it does more")])
    assert (waived["tone"], waived["message"]) == ("plain", "waived: it does more")
    busy = bench(calibration={"unstable": True, "spread": 0.35})
    shown = pages.sections(NBFACT, [busy], [], {"a.jsonl": 1}, [])
    head = pages.overview(NBFACT, [busy], shown)
    for text in (pages.html(head, shown), pages.markdown(head, shown)):
        assert "unstable runs" in text and "two halves differ by 35%" in text


def test_cold_times_and_unstable_cases_stand_in_the_data_of_a_chart():
    cold = {"median": 3e-6, "low": None, "high": None, "copies": 9}
    row = bench(cold=cold, unstable=True, ratio={"median": 0.5, "low": None})
    shown = pages.sections(NBFACT, [row], [], {"a.jsonl": 1}, [])
    (figure,) = shown[0]["figures"]
    (point,) = figure["rows"]
    assert (point["cold"], point["doubt"], point["low"]) == (3e-6, "unstable", 0.5)
    assert {"cold", "doubt"} < {key for key, _ in figure["columns"]}


def test_rows_that_cannot_be_shown_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(charts, "javascript", str)
    monkeypatch.setattr(charts, "specifications", dict)
    path = tmp_path / "a.jsonl"
    rows = [bench(), bench(machine={}), bench("x", time={"median": "1 ms"})]
    store.append_rows(path, [*rows, bench("y", time="1 ms"), {"kind": "other"}])
    _, problems = write.write_report(NBFACT, [path], tmp_path / "r.html")
    assert problems == [
        f"{path}: 1 row without a machine: shown under the machine '?'",
        f"{path}: 2 rows with a time that is no number: not drawn",
        f"{path}: 1 row of the kind 'other', which is not shown",
    ]


def test_history_is_ordered_by_the_commits_and_not_by_the_runs():
    def row(commit, run, made):
        about = {"name": "m", "commit": commit * 40, "commit_date": made}
        return bench(machine=about, started=f"2026-11-{run}T10:00:00+00:00")

    rows = [
        row("a", 22, "2026-01-01T00:00:00+01:00"),
        row("b", 21, "2026-01-02T00:00:00+01:00"),
        row("c", 20, None),  # of an earlier version: asv knows its date
    ]
    point = {"commit": "c" * 40, "date": 1.7e9, "value": None, "environment": "e"}
    for panel in timelines.timelines(rows, [point], {}):
        assert [p["commit"][0] for p in panel["points"]] == ["c", "a", "b"]


def test_a_report_that_fails_leaves_the_old_one(results, tmp_path, monkeypatch):
    monkeypatch.setattr(charts, "javascript", str)
    monkeypatch.setattr(charts, "specifications", dict)
    output = tmp_path / "report.html"
    output.write_text("old")

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(pages, "markdown", broken)
    with pytest.raises(OSError, match="disk full"):
        write.write_report(NBFACT, [results], output)
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
    code, _, err = run(monkeypatch, capsys, "runs", "--asv", "none")
    assert code == 2 and "--asv none: not a directory" in err
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
    code, out, _ = run(monkeypatch, capsys, results, "-o", "summary.md")
    assert (code, out) == (0, "summary.md\n")  # the summary needs no extra
    assert [path.name for path in tmp_path.iterdir()] == ["summary.md"]


def test_the_command_reads_runs_and_writes_both_files(
    results, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(charts, "javascript", str)
    monkeypatch.setattr(charts, "specifications", dict)
    shutil.copytree(results, tmp_path / "runs")
    shutil.copytree(results / "asv", tmp_path / "benchmarks" / "results")
    code, out, err = run(monkeypatch, capsys)
    assert (code, out.split()) == (0, ["runs/report.html", "runs/report.md"])
    assert "line 17" in err
    (tmp_path / "runs").rename(tmp_path / "kept")  # as in a fresh clone
    assert run(monkeypatch, capsys)[:2] == (0, "runs/report.html runs/report.md\n")
    shutil.rmtree(tmp_path / "runs")
    (tmp_path / "kept").rename(tmp_path / "runs")
    assert run(monkeypatch, capsys)[0] == 0
    page = (tmp_path / "runs" / "report.html").read_text(encoding="utf-8")
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
    messages, asked = [], []
    with sync.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
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
    assert (messages, asked, wide) == ([], [path.as_uri()], width)
