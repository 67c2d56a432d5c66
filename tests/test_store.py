"""Files of results: whole at every moment, merged by copying."""

import math
import os
import subprocess
import sys

import pytest

from nbfact.harness import store


def rows_of(path):
    rows, problems = store.read_rows(path)
    assert problems == []
    return rows


def test_rows_are_appended_and_read_back(tmp_path):
    path = tmp_path / "new" / "rows.jsonl"
    store.append_rows(path, [{"a": 1}])
    store.append_rows(path, [{"a": 2}, {"a": 3}])
    assert [row["a"] for row in rows_of(path)] == [1, 2, 3]
    assert os.listdir(path.parent) == ["rows.jsonl"]


def test_a_last_line_without_its_end_does_not_swallow_the_next(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"schema": 2, "a": 1}')
    store.append_rows(path, [{"a": 2}])
    assert [row["a"] for row in rows_of(path)] == [1, 2]


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "rows.jsonl"
    store.append_rows(path, [{"a": 1}])
    before = path.read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.append_rows(path, [{"a": 2}, {"a": math.nan}])

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.append_rows(path, [{"a": 2}])
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["rows.jsonl"]


@pytest.mark.parametrize("text", [b"some text\n", b"\x93NUMPY\x01\x00", b'{"a": 1}\n'])
def test_a_file_of_something_else_is_refused_and_kept(tmp_path, text):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(text)
    for act in (store.check, lambda p: store.append_rows(p, [{}])):
        with pytest.raises(ValueError, match=r"rows\.jsonl, line 1: not a row"):
            act(path)
    assert store.read_rows(path) == (
        [],
        [f"{path}, line 1: not a row of nbfact results"],
    )
    assert path.read_bytes() == text


def test_lines_that_are_no_rows_are_reported_by_number_and_stay(tmp_path):
    path = tmp_path / "rows.jsonl"
    store.append_rows(path, [{"a": 1}])
    damage = b'{"schema": 2, "a": \n\x00\xff\n{"schema": 99}\n'
    path.write_bytes(damage + path.read_bytes())
    store.append_rows(path, [{"a": 2}])
    rows, problems = store.read_rows(path)
    assert [row["a"] for row in rows] == [1, 2]
    assert problems == [
        f"{path}, line 1: not a row of nbfact results",
        f"{path}, line 2: not a row of nbfact results",
        f"{path}, line 3: schema 99; this nbfact reads up to {store.SCHEMA}",
    ]
    assert path.read_bytes().startswith(damage)


def test_a_line_of_brackets_is_no_row(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"[" * 100_000 + b"\n")  # too deep for Python's JSON reader
    assert store.read_rows(path) == (
        [],
        [f"{path}, line 1: not a row of nbfact results"],
    )


def test_files_merge_by_copying_and_old_rows_are_read(tmp_path):
    old = b'{"schema": 1, "case": "x"}\n'
    (tmp_path / "a.jsonl").write_bytes(old)
    store.append_rows(tmp_path / "b.jsonl", [{"kind": "pair", "case": "y"}])
    both = (tmp_path / "b.jsonl").read_bytes() + old
    (tmp_path / "both.jsonl").write_bytes(both)
    rows, problems = store.read_rows(tmp_path)
    assert problems == []
    assert [(row["kind"], row["case"]) for row in rows] == [
        ("bench", "x"),
        ("pair", "y"),
    ]


def test_intervals_of_one_process_in_older_rows_are_not_read(tmp_path):
    row = (
        '{"schema": 2, "kind": "%s", "time": {"median": 1}, '
        '"ratio": {"median": 2, "low": 1, "high": 3}}\n'
    )
    path = tmp_path / "rows.jsonl"
    path.write_text(row % "bench" + row % "verdict" + '{"schema": 1, "time": null}\n')
    bench, verdict, oldest = rows_of(path)
    assert bench["ratio"] == {"median": 2, "low": None, "high": None}
    assert bench["time"] == {"median": 1, "low": None, "high": None}
    assert (bench["processes"], bench["clock"], bench["cold"]) == (1, "wall", None)
    assert verdict["ratio"]["high"] == 3 and "clock" not in verdict
    assert oldest["kind"] == "bench" and oldest["time"] is None


@pytest.mark.skipif(store.fcntl is None, reason="no lock on this system")
def test_two_processes_lose_no_row_of_each_other(tmp_path):
    path = tmp_path / "rows.jsonl"
    code = (
        "import sys; from nbfact.harness.store import append_rows\n"
        "for i in range(40): append_rows(sys.argv[1], [{'who': sys.argv[2], 'i': i}])"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, path, who]) for who in "ab"
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    rows = rows_of(path)
    for who in "ab":
        assert [row["i"] for row in rows if row["who"] == who] == list(range(40))
