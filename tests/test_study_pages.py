"""The pages of the studies: made from rows of earlier runs, by hand kept, folded."""

import re
from types import SimpleNamespace

import pytest

from nbfact.studies.tools import result_files, study_page
from nbfact.studies.tools import run_study as run

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    # matplotlib and its dependencies warn while they are imported.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]


def test_a_page_is_written_from_the_rows_of_earlier_runs(tmp_path, capsys):
    rows = [
        {"part": "recovery", "target": "Hadamard, permuted", "n": 16, "noise": 0.0}
        | {"method": "identify_butterfly", "seed": seed, "error": error, "task": None}
        | {"success": 1, "exact": 1, "failure": None, "made by": made}
        for seed, error, made in ((1, 1e-15, "a"), (2, 2e-15, "a"), (1, 0.5, "b"))
    ]
    for name, some in (("new.csv", rows[:2]), ("old.csv", rows[2:])):
        result_files.write_csv(tmp_path / name, some)
    assert result_files.read_csv(tmp_path / "new.csv") == rows[:2]
    files = [tmp_path / "new.csv", tmp_path / "old.csv"]
    assert run.run_study("patterns", output=tmp_path, rows_of=files) == 0
    page = (tmp_path / "patterns.md").read_text()
    said = "\n\n`nbfact study patterns --rows new.csv --rows old.csv`: 2 rows"
    assert "permutations of 2 of 2" in page.partition(said)[0] != page
    assert result_files.read_csv(tmp_path / "patterns.csv") == rows[:2]
    assert (tmp_path / "patterns.png").exists()


def test_what_a_person_wrote_and_the_machine_stay_when_a_page_is_written_anew(
    tmp_path, capsys
):
    rows = [
        {"transform": "DFT", "N": n, "published": 0.1, "learned": 0.2, "exact": 1e-16}
        | {"exact_seconds": 0.1, "learned_seconds": 1.0, "steps": 10}
        for n in (8, 16)
    ]
    result_files.write_csv(tmp_path / "dao.csv", rows)
    made = "`nbfact study dao`: a machine, 1 thread."
    hand = f"{study_page.BY_HAND}\n\n## By me\n\nWritten.\n\n{study_page.END}"
    (tmp_path / "dao.md").write_text(f"# Title\n\n{made}\n\n{hand}\n\nOld.\n")
    for _ in range(2):
        files = [tmp_path / "dao.csv"]
        assert run.run_study("dao", output=tmp_path, rows_of=files) == 0
        page = (tmp_path / "dao.md").read_text()
        assert f"\n\n{made}\n\n{hand}\n\n" in page and "Old." not in page
    assert "kept what was written by hand" in capsys.readouterr().out


def test_long_tables_are_folded_and_few_short_ones_open():
    lines = {
        f"table {size}": [{"x": i} for i in range(size)] for size in (30, 1, 2, 3, 4)
    }
    study = SimpleNamespace(
        TITLE="T", QUESTION="Q?", PICTURE="P.", NOTES="N.", tables=lambda rows: lines
    )
    page = study_page.page(study, "name", [], "`nbfact study name`: here.")
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        *(f"## table {size}" for size in (1, 2, 3)),
        *("## What the columns mean", "## All tables"),
    ]
    folded = re.findall("<summary>(.*)</summary>\n\n[|] x", page)
    assert folded == ["table 30 (30 rows)", "table 4 (4 rows)"]
    assert page.count("</details>") == 2
