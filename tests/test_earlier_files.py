"""Files that nbfact 0.1.0 wrote are still read.

They lie in ``tests/data`` and were written by commit 636e71c, before the modules and
classes of the package moved and changed their names.
"""

from pathlib import Path

import numpy as np
import pytest

import nbfact as nf
from nbfact.harness import store

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("factors-0.1.0.npz", nf.FactorProduct),
        ("factors-0.1.0.mat", nf.FactorProduct),
        ("butterfly-0.1.0.npz", nf.Butterfly),
        ("complex-0.1.0.npz", nf.Butterfly),
    ],
)
def test_operators(name, kind):
    operator = nf.load(DATA / name)
    expected = np.load(DATA / "expected-0.1.0.npz")[name.partition("-")[0]]
    assert type(operator) is kind
    np.testing.assert_allclose(operator.toarray(), expected, rtol=1e-14, atol=1e-15)


def test_results():
    rows, problems = store.read_rows(DATA / "rows-0.1.0.jsonl")
    assert problems == []
    assert len(rows) == 2
    for row in rows:
        assert row["task"].startswith("fwht n=256") and row["ok"]
        assert row["machine"]["versions"]["nbfact"] == "0.1.0"
