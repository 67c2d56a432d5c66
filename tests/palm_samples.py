"""What the tests of palm4msa share: words of its options, and sets of factors."""

import nbfact as nf

SCALINGS = ["balanced", "factor", "sweep"]
ORDERS = ["right-to-left", "left-to-right"]


def sets(n=8, k=3):
    return [
        nf.constraints.SpLin((n, n), k),
        nf.constraints.Sp((n, n), k * n),
        nf.constraints.SpCol((n, n), k),
    ]
