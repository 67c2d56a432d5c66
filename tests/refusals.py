"""How tests look at a command line that is refused."""

import sys

import pytest

from nbfact.cli import app as cli


def refused(monkeypatch, capsys, *arguments):
    """Run ``nbfact study`` with arguments that it refuses, and return its stderr."""
    monkeypatch.setattr(sys, "argv", ["nbfact", "study", *arguments])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    out, err = capsys.readouterr()
    assert exit_.value.code == 2 and "Traceback" not in out + err
    return err
