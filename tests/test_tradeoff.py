"""tradeoff: errors against non-zeros and measured times."""

import re

import numpy as np
import pytest

import nbfact as nf
from nbfact.algorithms.learn.product_timing import product_seconds


def low_rank_and_noise():
    x = np.random.default_rng(0).standard_normal((3, 12, 12))
    return x[0][:, :2] @ x[1][:2] + 0.01 * x[2]


def test_the_front_has_less_error_for_more_non_zeros():
    options = {"families": ["low rank", "chains"], "random_state": 0}
    found = nf.tradeoff(low_rank_and_noise(), [1.5, 2, 3, 6], batch=3, **options)
    assert found.batch == 3 and len(found.all_points) == 4
    sizes = [point.nnz for point in found.points]
    errors = [point.error for point in found.points]
    assert sizes == sorted(sizes) and errors == sorted(errors, reverse=True)
    for point in found.all_points:
        assert point.nnz <= point.result.budget
        assert point.seconds > 0 and point.dense_seconds > 0
        assert np.isclose(point.speedup * point.seconds, point.dense_seconds)
        assert any(p.nnz <= point.nnz and p.error <= point.error for p in found.points)
    assert "rank 2" in str(found) and len(str(found).splitlines()) == 1 + len(sizes)


def test_the_front_is_drawn():
    pytest.importorskip("matplotlib")
    found = nf.tradeoff(low_rank_and_noise(), [2, 4], families=["low rank"])
    figure = found.plot()
    left, right = figure.axes
    assert list(left.lines[0].get_xdata()) == [point.nnz for point in found.points]
    assert "one vector" in right.get_xlabel()


def test_products_are_timed():
    x = np.ones(300)
    small, large = product_seconds([np.eye(3, 300), np.ones((3000, 300))], x)
    assert 0 < small < large


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rcg": []}, "rcg"),
        ({"rcg": [0]}, "rcg=0: expected a finite number, above 0"),
        ({"batch": 0}, "batch=0: expected at least 1"),
        ({"effort": "huge"}, "effort='huge': expected one of"),
    ],
)
def test_wrong_arguments_of_tradeoff(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        nf.tradeoff(np.eye(4), **arguments)
    with pytest.raises(ValueError, match="target is zero"):
        nf.tradeoff(np.zeros((3, 3)))
