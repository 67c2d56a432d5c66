"""What a notebook shows of operators, chains and results."""

from xml.etree import ElementTree

import numpy as np
import pytest
import scipy.sparse as sp

import nbfact as nf
from nbfact.operators import drawings


@pytest.mark.parametrize(
    "shown",
    [
        nf.transforms.hadamard(8),
        nf.Chain.square_dyadic(8),
        nf.transforms.hadamard(8) + nf.transforms.haar(8),
        nf.transforms.kronecker(np.eye(2), np.ones((4, 4))),
        nf.transforms.hadamard(8)[:4],
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_notebook_shows_the_text_and_a_picture_of_each_support(shown):
    root = ElementTree.fromstring(shown._repr_html_())
    factors = len(shown) if isinstance(shown, nf.Chain) else shown.to_factors().factors
    expected = factors if isinstance(factors, int) else len(factors)
    assert root.find("pre").text.startswith(repr(shown))
    assert len(root.findall("figure")) == min(expected, drawings.PICTURES)


def test_a_notebook_shows_the_error_of_a_result():
    result = nf.hierarchical(nf.targets.hadamard(4), "hadamard")
    root = ElementTree.fromstring(result._repr_html_())
    assert "relative error" in root.find("pre").text
    assert len(root.findall("figure")) == 2


def test_a_notebook_shows_the_size_of_a_chain_and_makes_no_dense_support():
    text = nf.Chain.square_dyadic(1 << 14)._repr_html_()
    assert "16384x16384, 458752 parameters, rcg 585.1" in text and "<svg" in text
    assert "<svg" not in nf.Chain.square_dyadic(1 << 17)._repr_html_()


def test_a_picture_has_a_cell_for_each_entry_and_a_bounded_size():
    support = np.zeros((2, 3), bool)
    support[0, 1:] = support[1, 0] = True
    assert 'd="M1 0h2v1h-2zM0 1h1v1h-1z"' in drawings.picture(support)
    assert 'd="M1 0h2v1h-2zM0 1h1v1h-1z"' in drawings.picture(sp.csr_array(support))
    large = drawings.picture(sp.eye_array(10_000, format="csr"))
    assert large.count("M") == drawings.CELLS


def test_a_notebook_shows_no_picture_of_what_has_no_factors_or_too_many():
    class Own(nf.FastOperator):
        nnz = 4

        def __init__(self):
            super().__init__(float, (2, 2))

    assert "<svg" not in Own()._repr_html_()
    large = nf.transforms.hadamard(1 << 17)
    assert large.nnz > drawings.LARGEST
    assert "<svg" not in large._repr_html_()
