"""The MEG operator, and forward solutions of MNE, with mne and without it."""

import sys
import types

import numpy as np
import pytest

from nbfact import targets

NEEDED = r"mne; pip install \"nbfact\[meg\]\""


@pytest.fixture
def no_mne(monkeypatch):
    monkeypatch.setitem(sys.modules, "mne", None)  # importing it fails


@pytest.mark.usefixtures("no_mne")
def test_a_missing_mne_is_named(tmp_path):
    with pytest.raises(ModuleNotFoundError, match=NEEDED):
        targets.meg()
    path = tmp_path / "x-fwd.fif"
    path.write_bytes(b"anything")
    with pytest.raises(ModuleNotFoundError, match=NEEDED):
        targets.load_matrix(path)


@pytest.mark.parametrize(
    ("spacing", "error"), [(0, ValueError), (100.0, ValueError), ("9", TypeError)]
)
def test_a_bad_spacing_is_refused(spacing, error):
    with pytest.raises(error, match="spacing="):
        targets.meg(spacing)


def test_a_matrix_that_was_kept_is_read_and_a_damaged_file_is_not(
    tmp_path, monkeypatch
):
    fake = types.SimpleNamespace(__version__="0.0")
    monkeypatch.setitem(sys.modules, "mne", fake)
    monkeypatch.setitem(sys.modules, "nibabel", types.SimpleNamespace())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    computed = []

    def compute(mne, spacing):
        assert mne is fake
        computed.append(spacing)
        return np.full((204, 3), spacing), np.zeros((3, 3))

    monkeypatch.setattr("nbfact.targets.meg_operator._computed", compute)
    for _ in range(2):
        matrix, positions = targets.meg(20, return_positions=True)
        assert matrix.shape == (204, 3) and positions.shape == (3, 3)
        assert (matrix == 20).all()
    assert targets.meg(25)[0, 0] == 25 and computed == [20, 25]
    (path,) = (tmp_path / "nbfact" / "meg").glob("*spacing-20.npz")
    path.write_bytes(path.read_bytes()[:100])
    assert targets.meg(20)[0, 0] == 20 and computed == [20, 25, 20]


@pytest.mark.slow
def test_the_operator_of_mne(tmp_path, monkeypatch):
    mne = pytest.importorskip("mne")
    pytest.importorskip("nibabel")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    matrix, positions = targets.meg(30, return_positions=True)
    assert matrix.shape == (204, len(positions)) and len(positions) % 3 == 0
    assert np.isfinite(matrix).all() and 1 < abs(matrix).max() < 100
    np.testing.assert_array_equal(positions[::3], positions[2::3])
    assert np.linalg.norm(positions, axis=1).max() < 0.13
    (path,) = (tmp_path / "nbfact" / "meg").glob("*.npz")
    path.unlink()
    np.testing.assert_allclose(targets.meg(30), matrix, rtol=1e-12)
    assert mne.get_config("MNE_LOGGING_LEVEL") is None
