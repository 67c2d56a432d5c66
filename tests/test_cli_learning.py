"""nbfact factorize while it learns: what it keeps, when it stops, what it draws."""

import signal

import numpy as np
import pytest

import nbfact as nf
from nbfact.algorithms.common.factors import Dense
from nbfact.algorithms.common.result import CallbackState
from nbfact.algorithms.learn.learn_options import LearnOptions
from nbfact.cli import learning


def test_factorize_draws_the_supports(run, tmp_path):
    pytest.importorskip("matplotlib")
    np.save(tmp_path / "a.npy", nf.targets.haar(8))
    options = ("--nnz", "32", "--seed", "3", "--plot")
    assert run("factorize", "a.npy", *options, "a.png")[0] == 0
    assert (tmp_path / "a.png").read_bytes()[1:4] == b"PNG"
    code, _, err = run("factorize", "a.npy", *options, "a.txt")
    assert code == 2 and "expected a name in .png" in err


@pytest.mark.usefixtures("hearing_ctrl_c")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_learn_found_is_saved_when_it_is_interrupted(
    run, tmp_path, monkeypatch, number
):
    target = np.random.default_rng(0).standard_normal((8, 8))
    np.save(tmp_path / "a.npy", target)
    learn_transform, seen = nf.learn_transform, []

    def interrupted(*args, callback, **options):
        def pressed(state):
            callback(state)
            seen.append(nf.load(tmp_path / "a.nbfact.npz").nnz)  # kept while it runs
            if len(seen) == 3:
                signal.raise_signal(number)

        return learn_transform(*args, callback=pressed, **options)

    monkeypatch.setattr(learning, "learn_transform", interrupted)
    code, out, err = run("factorize", "a.npy", "--nnz", "40")
    assert code == 130, err
    assert "sparse matrix, relative error" in out and len(seen) == 3
    operator = nf.load(tmp_path / "a.nbfact.npz")
    assert operator.nnz <= 40 and nf.relative_error(target, operator) < 0.5


def test_factorize_shows_a_tradeoff(run, tmp_path):
    pytest.importorskip("matplotlib")
    np.save(tmp_path / "a.npy", np.diag(np.arange(1.0, 17)))  # exact at each budget
    code, out, err = run("factorize", "a.npy", "--tradeoff", "--plot", "t.png")
    assert code == 0, err
    assert "relative error" in out and "sparse matrix" in out
    assert (tmp_path / "t.png").exists() and not (tmp_path / "a.nbfact.npz").exists()


def test_time_limit_ends_the_search(run, tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).standard_normal((8, 8)))
    code, out, err = run("factorize", "a.npy", "--nnz", "40", "--time-limit", "0.001")
    assert code == 0, err
    assert "sparse matrix, relative error" in out


def test_factorize_says_that_nothing_is_faster(run, tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).standard_normal((8, 8)))
    code, out, err = run("factorize", "a.npy", "--speedup", "2", "--batch", "4")
    assert code == 0, err
    assert "4 columns: " in out and "times as fast (expected 0." in out
    assert "dense matrix: nothing is expected" in " ".join(out.split())
    code, _, err = run("factorize", "a.npy", "--speedup", "2", "--rcg", "2")
    assert code == 2 and "--rcg, --speedup: give one of them" in err


def test_what_is_kept_is_fast_enough(tmp_path):
    """The last of two trials is better, but a product with it takes too long."""
    path, shape = tmp_path / "a.nbfact.npz", (256, 256)
    options = LearnOptions(speedup=2.0)
    keep = learning.Keeper(path, options, shape, np.dtype(float))
    for rank, error in ((4, 0.5), (200, 0.1)):
        factors = [np.ones((256, rank)), np.ones((rank, 256))]
        parts = [Dense(factor) for factor in factors]
        keep(CallbackState(1, error, 1.0, lambda parts=parts: parts))
    assert nf.load(path).nnz == 2 * 4 * 256


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--tradeoff", "--speedup", "2"), "--speedup: not for --tradeoff"),
        (("--tradeoff", "--time-limit", "2"), "--time-limit: not for --tradeoff"),
        (("--tradeoff", "--method", "palm4msa"), "--method: not for --tradeoff"),
        (("--tradeoff", "--batch", "2"), "--batch: not for --tradeoff"),
        (("--rcg", "2", "--batch", "4"), "--batch: only for --speedup"),
        (("--method", "palm4msa", "--batch", "4"), "--batch: only for --speedup"),
    ],
)
def test_no_option_is_left_out_without_a_word(run, tmp_path, options, message):
    np.save(tmp_path / "a.npy", np.eye(4))
    code, _, err = run("factorize", "a.npy", *options)
    assert code == 2 and message in err
