"""What pyfaust 3.42.2 says of a product of factors, where the file is at hand."""

import numpy as np
import pytest
from samples import faust_cases

import nbfact as nf


@pytest.mark.parametrize("case", faust_cases("faust"), ids=lambda case: case["id"])
def test_product(case):
    factors = []
    for i, shape in enumerate([(6, 5), (5, 7), (7, 4)]):
        values = np.random.default_rng(50 + i).standard_normal(shape)
        factors.append(values * (np.random.default_rng(60 + i).random(shape) < 0.4))
    operator, expect = nf.FactorProduct(factors), case["expect"]
    np.testing.assert_allclose(operator.toarray(), expect["matrix"], atol=1e-10)
    assert operator.nnz == expect["nnz_sum"]
    assert operator.density == pytest.approx(expect["density"])
    assert operator.rcg == pytest.approx(expect["rcg"])
