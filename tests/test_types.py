"""Types: a script of a user passes mypy, and mistakes in one are reported."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nbfact

HERE = Path(__file__).parent
SCRIPT, MISTYPED = HERE / "typed_script.py", HERE / "mistyped_script.py"
REPORT = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+): error: .*\[(?P<code>[\w-]+)\]$")


@pytest.fixture(scope="module")
def errors(tmp_path_factory):
    """Return the errors that mypy reports in the two scripts: {file: {line: code}}."""
    folder = tmp_path_factory.mktemp("mypy")
    environment = dict(os.environ)
    place = Path(nbfact.__file__).parents[1]
    if place.name != "site-packages":  # mypy finds what is installed by itself
        environment["MYPYPATH"] = str(place)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--no-pretty"),
            # numba, SciPy and scikit-learn ship no types.
            *("--ignore-missing-imports", "--allow-subclassing-any"),
            *("--allow-untyped-decorators", "--allow-untyped-calls"),
            # What mypy thinks of the package itself is another check.
            *("--follow-imports", "silent", "--config-file", ""),
            *("--cache-dir", str(folder), str(SCRIPT), str(MISTYPED)),
        ],
        cwd=HERE,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    found = {SCRIPT.name: {}, MISTYPED.name: {}}
    for line in done.stdout.splitlines():
        if match := REPORT.match(line):
            name = Path(match["file"]).name
            found[name][int(match["line"])] = match["code"]
    return found


@pytest.mark.slow
def test_a_script_with_types_has_no_error(errors):
    assert errors[SCRIPT.name] == {}


@pytest.mark.slow
def test_mistakes_are_errors(errors):
    lines = MISTYPED.read_text(encoding="utf-8").splitlines()
    expected = {
        number: line.partition("# expected: ")[2]
        for number, line in enumerate(lines, start=1)
        if "# expected: " in line
    }
    assert len(expected) == 8
    assert errors[MISTYPED.name] == expected


def test_the_script_runs(tmp_path):
    pytest.importorskip("sklearn")
    from typed_script import main

    assert main(tmp_path) < 0.5
