"""Processes that are given a job: what they answer, and how they end."""

import pytest

from nbfact.harness import worker

BODY = """
import json, os, signal, sys, time
job = json.loads(sys.stdin.readline())
print(json.dumps({"got": job}), flush=True)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(text):
        (tmp_path / "answering.py").write_text(BODY + text)
        return "answering"

    return make


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("print('{\"done\": 1}')", None),
        ("os._exit(3)", "ended with code 3"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crashed with SIGSEGV"),
        ("raise KeyError('x')", "KeyError: 'x'"),
        ("time.sleep(60)", "killed after 0.5 s of silence"),
    ],
)
def test_every_end_has_a_message(module, text, message):
    lines = list(worker.answers(module(text), {"a": 1}, 1, patience=0.5))
    died = [] if message is None else [{"died": message}]
    assert lines == [{"got": {"a": 1}}, *died]


def test_the_environment_sets_threads_and_drops_names(module, monkeypatch):
    monkeypatch.setenv("NBFACT_X", "1")
    names = "OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "NBFACT_X"
    text = (
        f"print(json.dumps([os.environ.get(n) for n in {names}]).join("
        "['{\"found\": ', '}']), flush=True); print('{\"done\": 1}')"
    )
    lines = list(worker.answers(module(text), None, 2, drop=("NBFACT_X",)))
    assert lines[1] == {"found": ["2", "2", None]}
