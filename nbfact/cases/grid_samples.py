"""The cells of the grid that the suite measures, as attributes without their dtype."""

from .grid_cases import VECTOR

ALWAYS = [
    ("butterfly", "forward", 64, 1, VECTOR),
    ("butterfly", "forward", 1024, 64, "rows C"),
]
"""Products, cells without their dtype, that are measured on every change."""

CALLED = [
    ("butterfly", "forward", 128, 1, VECTOR),
    ("butterfly", "forward", 128, 4, "columns C"),
    ("circulant", "forward", 1024, 1, VECTOR),
    ("dct", "adjoint", 729, 1, VECTOR),
    *(("haar", side, 1024, 1, VECTOR) for side in ("forward", "adjoint")),
    *(("haar", side, 1024, 64, "columns C") for side in ("forward", "adjoint")),
    ("butterfly", "forward", 2048, 64, "rows C"),
    ("dense blocks", "forward", 1024, 1, VECTOR),
    ("dense blocks", "adjoint", 1024, 16, "rows C"),
    ("dense blocks", "forward", 1024, 4, "columns C"),
    ("kronecker", "forward", 1024, 4, "columns C"),
    ("circulant", "forward", 1024, 64, "columns C"),
    ("sparse 4 x 4", "forward", 64, 16, "columns C"),
    ("sparse 4 x 4", "forward", 64, 4, "columns F"),
    ("dct", "forward", 256, 8, "columns C"),
]
"""Products whose calls are compared: some layouts, and short vectors, were slow."""

FORMER = [
    ("butterfly", "forward", 4096, 1, VECTOR),
    *(("butterfly", "forward", 4096, batch, "columns C") for batch in (2, 4, 8)),
    *(("dct", "forward", 4096, batch, "columns C") for batch in (2, 4, 8)),
    ("butterfly", "forward", 16384, 256, "columns C"),
    *(("dense blocks", "forward", 4096, batch, "columns C") for batch in (16, 256)),
    *(("kronecker", "forward", 4096, batch, "columns C") for batch in (16, 256)),
    *(("radix 8", "adjoint", 4096, batch, "columns C") for batch in (3, 8, 64)),
    ("kronecker", "adjoint", 64, 3, "columns F"),
    ("kronecker", "adjoint", 4096, 2, "columns C"),
    ("kronecker", "adjoint", 16384, 3, "rows C"),
    *(("sparse 4 x 4", "adjoint", 4096, batch, "columns C") for batch in (2, 64)),
    ("sparse 4 x 4", "adjoint", 4096, 1, VECTOR),
    *(("circulant", "forward", n, 64, "columns C") for n in (64, 128)),
    ("butterfly", "forward", 64, 2, "rows C"),
    *(("rank 2", "adjoint", 64, batch, "rows F") for batch in (3, 64)),
    ("rank 2", "forward", 256, 4, "columns F"),
    ("rank 2", "adjoint", 256, 8, "rows C"),
    ("haar", "forward", 64, 2, "rows F"),
    ("haar", "forward", 4096, 16, "columns F"),
    ("hartley", "forward", 1024, 64, "rows C"),
    *(("dft", "forward", *one) for one in ((64, 16, "columns F"), (256, 4, "rows C"))),
    ("dct", "forward", 256, 256, "columns F"),
    *(("circulant", "forward", 1024, batch, "rows F") for batch in (4, 64)),
    ("sparse 4 x 4", "adjoint", 256, 16, "columns C"),
    *(("sparse 4 x 4", "adjoint", n, b, "columns F") for n, b in ((4096, 2), (64, 8))),
    ("dense blocks", "adjoint", 4096, 4, "columns C"),
    *(("dense blocks", "forward", n, 8, "rows C") for n in (256, 4096)),
    ("radix 8", "adjoint", 16384, 8, "columns C"),
    *(("dst", "adjoint", n, b, "rows C") for n, b in ((1024, 2), (16384, 8))),
    *(("dct", "forward", n, b, "columns C") for n, b in ((256, 4), (64, 64))),
    ("sparse 2 x 16", "forward", 64, 4, "columns C"),
    ("dense blocks", "forward", 1024, 64, "columns C"),
    ("rank 2", "adjoint", 256, 256, "columns C"),
    ("radix 8", "forward", 1024, 256, "columns C"),
    ("radix 8", "forward", 16384, 256, "columns C"),
    ("dft", "forward", 360, 64, "rows C"),
    ("dct", "forward", 1703, 2, "columns C"),
]
"""Products in which others, or nbfact with one vector at a time, were faster once."""
