"""Files are written as a whole, and those of killed writers are removed."""

import os
import signal
import subprocess
import sys

import pytest

from nbfact._core import files
from nbfact._core.files import atomic_path
from nbfact.harness import store
from nbfact.harness.report import asvfiles


def test_atomic_path_replaces_whole_files_only(tmp_path):
    path = tmp_path / "a.txt"
    with atomic_path(path) as temporary:
        temporary.write_text("first")
        assert temporary.parent == path.parent
        assert temporary.suffix == ".txt"
        assert not path.exists()
    path.chmod(0o640)
    with pytest.raises(KeyboardInterrupt), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "first"
    with atomic_path(path) as temporary:
        temporary.write_text("second")
    assert path.read_text() == "second"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_atomic_path_follows_links_and_names_bad_places(tmp_path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.txt"
    link.symlink_to(tmp_path / "real" / "a.txt")
    with atomic_path(link) as temporary:
        temporary.write_text("x")
    assert link.is_symlink()
    assert (tmp_path / "real" / "a.txt").read_text() == "x"
    with (
        pytest.raises(FileNotFoundError, match="nowhere"),
        atomic_path(tmp_path / "nowhere" / "a.txt"),
    ):
        pass
    with pytest.raises(IsADirectoryError, match="real"), atomic_path(tmp_path / "real"):
        pass


WRITER = """
import runpy, sys
writers = runpy.run_path(sys.argv[1])  # faster than to import the package
with writers["atomic_path"](sys.argv[2]) as temporary:
    temporary.write_text(sys.argv[3])
    print("writing", flush=True)
    sys.stdin.readline()
"""


def writing(path, text):
    """Start a process that writes a file and waits for a line; return it."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, files.__file__, path, text],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "writing\n"
    return process


def end(process):
    """Let a process that writes a file end, or wait for one that was killed."""
    process.communicate("go on\n")
    return process.returncode


@pytest.mark.skipif(files.fcntl is None, reason="no lock on this system")
def test_writers_remove_the_files_of_dead_ones_alone(tmp_path):
    path = tmp_path / "rows.jsonl"
    row = '{"schema": 2, "case": "%s"}\n'
    path.write_text(row % "a")
    dead, alive = writing(path, row % "dead"), writing(tmp_path / "b.jsonl", row % "b")
    dead.send_signal(signal.SIGKILL)
    assert end(dead) == -signal.SIGKILL
    assert len(list(tmp_path.glob(".*.jsonl"))) == 2
    rows, problems = store.read_rows(tmp_path)
    assert [row["case"] for row in rows] == ["a"] and problems == []
    store.append_rows(path, [{"case": "c"}])
    (left,) = tmp_path.glob(".*.jsonl")
    assert left.name.startswith(".b-")
    assert end(alive) == 0
    rows, problems = store.read_rows(tmp_path)
    assert [row["case"] for row in rows] == ["b", "a", "c"] and problems == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.jsonl", "rows.jsonl"]


@pytest.mark.skipif(files.fcntl is None, reason="no lock on this system")
def test_what_is_no_temporary_file_stays(tmp_path):
    names = [f".a-{'0' * 31}.txt", f"a-{'0' * 32}.txt", f".a-{'g' * 32}.txt", ".hidden"]
    for name in [*names, f".a.b-{'1' * 32}", f".a-{'2' * 32}.npz"]:
        (tmp_path / name).touch()
    (tmp_path / f".a-{'3' * 32}.npz").mkdir()
    (tmp_path / f".a-{'4' * 32}.npz").symlink_to(tmp_path / ".hidden")
    files.remove_dead(tmp_path)
    kept = {*names, f".a-{'3' * 32}.npz", f".a-{'4' * 32}.npz"}
    assert {path.name for path in tmp_path.iterdir()} == kept
    files.remove_dead(tmp_path / "missing")


def test_where_locks_are_missing_age_decides(tmp_path, monkeypatch):
    old, new = (tmp_path / f".a-{digit * 32}.txt" for digit in "01")
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    monkeypatch.setattr(files, "fcntl", None)
    with atomic_path(tmp_path / "b.txt") as temporary:
        temporary.write_text("b")
    assert {path.name for path in tmp_path.iterdir()} == {new.name, "b.txt"}


def test_the_report_skips_what_asv_was_writing(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / f".0-{'0' * 32}.json").write_text("{")
    assert asvfiles.read_points(tmp_path) == ([], [], [])
