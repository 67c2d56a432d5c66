"""The command line: what it prints, writes, and exits with."""

import ast
import importlib.util
import io
import re
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from test_matrix_files import BOMBS

import nbfact as nf
from nbfact.cases.nbfact_project import NBFACT
from nbfact.cli import app as cli
from nbfact.cli import factorize as factoring
from nbfact.cli import messages
from nbfact.cli.default_constraints import default_constraints
from nbfact.studies.tools.run_study import STUDIES


def test_help_names_the_exit_codes(run):
    for arguments in (
        ["--help"],
        *([c, "--help"] for c in ("bench", "factorize", "study")),
    ):
        code, out, _ = run(*arguments)
        assert code == 0
        for text in ("0 done", "1 a result is wrong", "2 wrong usage", "130"):
            assert text in " ".join(out.split())


@pytest.mark.parametrize("arguments", [["-h"], []])
def test_the_help_exits_with_0_and_shows_flags_alone(run, arguments):
    code, out, err = run(*arguments)
    assert code == 0 and "Commands" in out and not err
    assert "bool" not in out and "--version" in out


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_the_help_of_a_command_is_readable_on_a_narrow_terminal(
    run, command, monkeypatch
):
    """Flags stand alone, and what an option takes is not broken over lines."""
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run(command, "-h")
    assert code == 0 and "--help" in out and "-h" in out
    assert "bool" not in out
    taken = [line for line in out.splitlines() if line.startswith("│") and "<" in line]
    assert taken and all(re.search(r"<[^>]*>", line) for line in taken)


def test_the_version_is_printed(run):
    assert run("--version") == (0, f"nbfact {nf.__version__}\n", "")


def ascii_streams(monkeypatch):
    """Make the standard streams those of a terminal that knows ASCII alone."""
    streams = [io.TextIOWrapper(io.BytesIO(), "ascii", "strict") for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    return streams


def test_factorize_prints_plain_characters_where_there_are_no_others(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    np.save(tmp_path / "ä.npy", nf.targets.hadamard(4))
    out, _ = ascii_streams(monkeypatch)
    command = ["nbfact", "factorize", "ä.npy", "--method", "palm4msa", "--n-iter", "3"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert exit_.value.code == 0
    text = out.buffer.getvalue().decode()
    assert " us, dense " in text and "a.nbfact.npz" in text
    assert (tmp_path / "ä.nbfact.npz").is_file()


def test_every_character_of_the_package_has_a_plain_one(monkeypatch):
    out, _ = ascii_streams(monkeypatch)
    messages.degrade_output()
    used = set()
    for path in Path(nf.__file__).parent.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        prose = {node.value for node in nodes if isinstance(node, ast.Expr)}
        for node in set(nodes) - prose:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                used |= {c for c in node.value if not c.isascii()}
    for character in sorted(used):
        print(character, end="")
    print("\udcff\N{SNOWMAN}", end="")  # a name of a file, and what nobody uses
    out.flush()
    shown = out.buffer.getvalue().decode()
    assert shown.count("?") == 2 and shown.endswith("??") and "+-" in shown


def test_the_error_handler_of_a_user_stays(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), "ascii", "xmlcharrefreplace")
    monkeypatch.setattr(sys, "stdout", stream)
    messages.degrade_output()
    assert stream.errors == "xmlcharrefreplace"


def test_a_missing_extra_is_named(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert cli.main() == 2
    assert 'pip install "nbfact[bench]"' in capsys.readouterr().err


def test_bench_passes_its_options_on(run, monkeypatch, tmp_path):
    import nbfact.harness.run as bench_run

    calls = []

    def fake(*arguments, **options):
        calls.append((arguments, options))
        return 1

    monkeypatch.setattr(bench_run, "run_bench", fake)
    assert run("bench", "--quick", "-k", "fwht", "-k", "dct", "-o", "r.jsonl")[0] == 1
    assert run("bench")[0] == 1
    assert run("bench", "--profile", "pr", "--peers", "--threads", "1")[0] == 1
    quick, default, chosen = calls
    assert quick[0] == (NBFACT, "quick", ["fwht", "dct"])
    assert quick[1]["output"].name == "r.jsonl"
    nothing = {"extra": [], "threads": 1, "output": None, "with_peers": False}
    nothing |= {"as_json": False, "processes": None}
    assert default == ((NBFACT, "full", None), nothing)
    assert chosen == ((NBFACT, "pr", None), {**nothing, "with_peers": True})
    code, _, err = run("bench", "--quick", "--profile", "full")
    assert code == 2 and "--quick with --profile full: choose one" in err
    assert len(calls) == 3


def test_bench_hands_a_matrix_over_as_cases(run, monkeypatch, tmp_path):
    import nbfact.harness.run as bench_run

    calls = []
    monkeypatch.setattr(bench_run, "run_bench", lambda *_, **o: calls.append(o) or 0)
    np.save(tmp_path / "mine.npy", nf.targets.hadamard(4))
    assert run("bench", "--matrix", "mine.npy")[0] == 0
    (source,) = calls[0]["extra"]
    assert {case.group for case in source()} == {"matrix mine.npy"}
    (tmp_path / "text.txt").write_text("hello")
    for arguments, message in (
        (["--matrix", "none.npy"], "none.npy: no such file"),
        (["--matrix", "mine.npy", "-o", "text.txt"], "not a row of nbfact results"),
        (["--matrix", "mine.npy", "-o", "."], "is a directory"),
    ):
        code, _, err = run("bench", *arguments)
        assert code == 2 and message in err
    assert len(calls) == 1


UNUSABLE = {
    "bench, missing": ("bench --matrix none.npy", "--matrix none.npy: no such file"),
    "bench, output": ("bench -o file/a.jsonl", "--output file/a.jsonl: "),
    "factorize": ("factorize none.npy --rcg 2", "nbfact: none.npy: no such file"),
    "study, missing": ("study grid --rows none.csv", "--rows none.csv: no such file"),
    "study, folder": ("study grid --rows .", "--rows .: a directory, not a file"),
    "study, output": ("study grid -o file/a", "--output file/a: "),
    "compare": ("compare --resume none.jsonl", "--resume none.jsonl: no such file"),
    "gate, waivers": ("gate main --waivers none.toml", "--waivers none.toml: No such"),
    "gate, comment": ("gate main --comment file/a.md", "--comment file/a.md: "),
    "history": ("history --measure -o file/a", "--output file/a: "),
    "report": ("report file -o file/a.html", "--output file/a.html: "),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_file_that_cannot_be_used_is_named_with_its_option(run, name, tmp_path):
    (tmp_path / "file").write_text("text")
    command, message = UNUSABLE[name]
    code, _, err = run(*command.split())
    assert code == 2 and message in err and len(err.splitlines()) == 1


SHARED = {
    "-k": {"bench", "compare", "gate", "history", "study"},
    "-o": {"bench", "compare", "gate", "factorize", "study", "report", "history"},
    "--cases": {"bench", "compare", "gate", "history", "bisect", "report"},
    "--json": {"bench", "compare", "gate"},
    "--threads": {
        *("bench", "compare", "gate", "history", "bisect", "factorize", "study")
    },
    "--profile": {"bench", "compare", "gate", "history"},
    "--quick": {"bench", "history", "study"},
    "--peers": {"bench", "study"},
    "--n-jobs": {"study"},
    "--n-factors": {"factorize"},
}


@pytest.mark.parametrize("option", SHARED)
def test_an_option_has_one_name_in_all_commands(run, option):
    measuring = ("bench", "compare", "gate", "history", "bisect")
    commands = (*measuring, "factorize", "study", "report")
    shown = {command: run(command, "--help")[1].split() for command in commands}
    assert {c for c in commands if option in shown[c]} == SHARED[option]
    long = {"-k": "--pattern", "-o": "--output"}.get(option, option)
    assert {c for c in commands if long in shown[c]} == SHARED[option]


def test_names_of_profiles_and_studies_are_those_of_their_lists(run):
    for command in ("bench", "compare", "gate", "history"):
        text = run(command, "--help")[1]
        assert f"<{'|'.join(NBFACT.profiles)}>" in text
    code, _, err = run("study", "no-such-study")
    assert code == 2 and all(f"'{name}'" in err for name in STUDIES)


def test_history_passes_its_options_on(run, monkeypatch):
    from nbfact.harness.versions import asv_history

    calls = []

    def fake(*arguments, **options):
        calls.append((arguments, options))
        return 0

    monkeypatch.setattr(asv_history, "run_history", fake)
    options = ["A..B", "--profile", "quick", "-k", "fwht", "--with", "numba=1"]
    assert run("history", *options, "--python", "3.11")[0] == 0
    ((arguments, found),) = calls
    assert arguments == (NBFACT, ["A..B"])
    assert (found["profile"], found["pattern"]) == ("quick", ["fwht"])
    assert (found["requirements"], found["pythons"]) == (["numba=1"], ["3.11"])


MISTAKES = {
    "no file": (["none.npy"], "none.npy: no such file"),
    "kind": (["a.txt"], "a.txt: unknown kind of file"),
    "nan": (["nan.npy"], "nan.npy: entry (0, 1) is nan"),
    "vector": (
        ["vector.npy"],
        "vector.npy: must be a matrix that is not empty, got shape (3,)",
    ),
    "place": (["a.npy", "--output", "no/f.npz"], "no is not a writable directory"),
    "suffix": (["a.npy", "--output", "f.txt"], "f.txt: expected a name in .npz"),
    "output": (["a.npy", "--output", "."], "--output .: a directory"),
    "threads": (["a.npy", "--threads", "100000"], "--threads 100000: this machine"),
    "k": (["a.npy", "--nnz-per-row", "0"], "--nnz-per-row"),
    "factors": (["a.npy", "--n-factors", "1"], "--n-factors"),
    "method": (["a.npy", "--method", "svd"], "--method"),
    "learn": (["a.npy", "--n-iter", "3"], "--n-iter: only for --method hierarchical"),
    "budget": (["a.npy", "--method=palm4msa", "--rcg=2"], "--rcg: only for --method"),
    "budgets": (
        ["a.npy", "--nnz=3", "--rcg=2"],
        "--nnz, --rcg: give one of them",
    ),
    "error": (
        ["a.npy", "--error=2"],
        "--error 2.0: expected a finite number, at least 0",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_reported_without_a_traceback(run, tmp_path, mistake):
    np.save(tmp_path / "a.npy", np.eye(4))
    np.save(tmp_path / "nan.npy", np.array([[1.0, np.nan]]))
    np.save(tmp_path / "vector.npy", np.ones(3))
    (tmp_path / "a.txt").write_text("1 2")
    before = sorted(tmp_path.iterdir())
    arguments, message = MISTAKES[mistake]
    code, out, err = run("factorize", *arguments)
    assert code == 2
    assert message in err
    assert "Traceback" not in out + err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", BOMBS)
def test_a_damaged_matrix_ends_in_one_line(run, tmp_path, name):
    (tmp_path / name).write_bytes(BOMBS[name][0])
    code, out, err = run("factorize", name)
    assert code == 2 and out == "" and "Traceback" not in err
    (line,) = err.splitlines()
    assert line.startswith(f"nbfact: path {name}: ")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_factorize_takes_the_name_of_a_matrix(run, tmp_path):
    np.savez(tmp_path / "a.npz", first=np.eye(4), second=nf.targets.hadamard(8))
    code, _, err = run("factorize", "a.npz")
    assert code == 2 and "found first, second" in err
    options = ("--variable", "second", "--method", "palm4msa", "--n-iter", "3")
    assert run("factorize", "a.npz", *options)[0] == 0
    assert nf.load(tmp_path / "a.nbfact.npz").shape == (8, 8)


@pytest.mark.parametrize("method", ["hierarchical", "palm4msa"])
@pytest.mark.parametrize("shape", [(8, 8), (6, 20), (20, 6)])
def test_factorize(run, tmp_path, method, shape):
    square = shape[0] == shape[1]
    target = (
        nf.targets.hadamard(8)
        if square
        else nf.targets.leadfield(*shape, random_state=0)
    )
    np.save(tmp_path / "a.npy", target)
    options = [] if square else ["--nnz-per-row", "3", "--n-factors", "3"]
    code, out, err = run(
        "factorize", "a.npy", "--method", method, "--n-iter", "20", *options
    )
    assert code == 0, err
    assert {path.name for path in tmp_path.iterdir()} == {"a.npy", "a.nbfact.npz"}
    operator = nf.load(tmp_path / "a.nbfact.npz")
    assert operator.shape == shape
    assert len(operator.factors) == 3
    error = nf.relative_error(target, operator)
    assert f"{error:.6g}" in out
    assert f"{operator.rcg:.4g}" in out
    assert "dense" in out
    assert error < 1
    if square and method == "hierarchical":
        assert error <= 1e-12
        assert operator.nnz == 3 * 16


def test_factorize_learns_by_default(run, tmp_path):
    target = np.random.default_rng(0).permutation(nf.targets.hadamard(8))
    np.save(tmp_path / "a.npy", target)
    code, out, err = run("factorize", "a.npy", "--nnz", "48", "--effort", "quick")
    assert code == 0, err
    operator = nf.load(tmp_path / "a.nbfact.npz")
    assert operator.nnz == 48 and nf.relative_error(target, operator) < 1e-12
    assert "hadamard, rows permuted" in out and "48 of 64" in out
    assert "named transform" in err


@pytest.mark.usefixtures("hearing_ctrl_c")
def test_ctrl_c_leaves_the_old_file(run, tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", np.eye(4))
    (tmp_path / "f.npz").write_text("old")
    palm4msa = nf.palm4msa

    def interrupted(*args, callback, **options):
        def pressed(state):
            callback(state)
            signal.raise_signal(signal.SIGINT)

        return palm4msa(*args, callback=pressed, **options)

    monkeypatch.setattr(factoring, "palm4msa", interrupted)
    code, _, err = run("factorize", "a.npy", "--method", "palm4msa", "--output=f.npz")
    assert code == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    assert (tmp_path / "f.npz").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_wrong_operator_exits_with_1(run, tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", nf.targets.hadamard(4))
    load = nf.load
    monkeypatch.setattr(factoring, "load", lambda path: load(path) * 2.0)
    code, _, err = run("factorize", "a.npy", "--method", "palm4msa", "--n-iter=3")
    assert code == 1
    assert "error" in err


def test_default_constraints_are_those_of_the_hadamard_experiment():
    factors, residuals, side = default_constraints((32, 32), 5, 2)
    assert [c.k for c in factors] == [2, 2, 2, 2]
    assert [c.k for c in residuals] == [16, 8, 4, 2]
    assert side == "right"


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (5, 5), (4, 30), (30, 4)])
def test_default_constraints_chain(shape):
    factors, residuals, side = default_constraints(shape, 4, 2)
    assert len(factors) == len(residuals) == 3
    rest = shape
    for factor, residual in zip(factors, residuals, strict=True):
        first, second = (residual, factor) if side == "left" else (factor, residual)
        assert first.shape[1] == second.shape[0]
        assert (first.shape[0], second.shape[1]) == rest
        rest = residual.shape
