"""Numbers from which Hadamard matrices of four or more circulant blocks are made.

They were found by searches of this project: rows that are constant on the orbits of a
group of multipliers were listed by their power spectra, and four rows whose spectra add
up to a constant were looked for. Turyn's construction gave the ones of orders 31, 45,
49, 51, 55 and 61. ``tests/test_hadamard_orders.py`` checks each of them exactly.
"""

WILLIAMSON = {
    3: (2, (0, 0, 0, 1)),
    5: (4, (2, 1, 0, 0)),
    7: (6, (2, 1, 4, 0)),
    9: (8, (6, 5, 1, 13)),
    11: (10, (18, 7, 14, 4)),
    13: (12, (26, 41, 13, 1)),
    15: (14, (81, 13, 90, 121)),
    17: (16, (105, 98, 224, 20)),
    19: (18, (172, 102, 448, 245)),
    21: (20, (425, 572, 279, 381)),
    23: (22, (1635, 1708, 228, 2004)),
    25: (24, (2292, 937, 3456, 2338)),
    27: (26, (1862, 2866, 2571, 6528)),
    29: (28, (9628, 13580, 12475, 8148)),
    31: (30, (18053, 14714, 9245, 9245)),
    37: (6, (312, 15, 212, 28)),
    41: (9, (849, 174, 754, 754)),
    43: (7, (28, 23, 46, 90)),
    45: (44, (2810860, 1383443, 220109, 220109)),
    49: (48, (379342, 16397873, 10745498, 10745498)),
    51: (50, (29286739, 4267692, 13385362, 13385362)),
    55: (54, (113428411, 20789316, 61505060, 61505060)),
    61: (60, (1052941338, 20800485, 146315846, 146315846)),
    63: (5, (557, 1490, 287, 287)),
}
"""Four symmetric rows of length w, by w, whose circulant matrices are Williamson's: the
sum of their squares is 4 w times the identity. A number g and four integers: entries of
a row are equal on the orbits of the multiplication by g modulo w. Bit i - 1 of an
integer says that they are 1, and not -1, on orbit i, where orbits are counted by their
least members and orbit 0, which is {0}, has entry 1."""

CIRCULANTS = {73: (2, (198, 147, 15, 131))}
"""Four rows that are not symmetric, in the same form: the sum of the products of their
circulant matrices with their transposes is 4 w times the identity."""

T_SEQUENCES = {
    1: "A",
    3: "ABC",
    5: "AaBBC",
    7: "AAabCdC",
    9: "AaaaBbBBC",
    11: "AAaAbAbbBBC",
    13: "AAAbaABCCdDCc",
    15: "AAbBbbABCCCdcCc",
    17: "AaaaaAaaBbbbBbBBC",
    19: "AbaBAababBCCCCdCccC",
    21: "AaAaaAAAbBAAbBbbBBBBC",
    27: "AAAAaAAaaAaAbAbbBbBBBbbBBBC",
    33: "AaaaaAaaaAAAaAaaBbbbbBbbBbbbBbBBC",
    41: "AaaaAaaaaAAAAaAAbBBBAaAAbBBBbBbbBbBBBbBBC",
    101: (
        "AAaAAAAAaaAAaAAAAAaaaaAaaaaaAAAAaAaAaaAAbbBbbbbbBBAAaAaAaaAAbbBbbbbbBBbbBbBb"
        "BBbbBBbBbBbbBBBBbBbBbbBBC"
    ),
}
"""Four sequences of length t, by t, whose autocorrelations cancel: place i of sequence
A, B, C or D is 1 where letter i is that capital letter, -1 where it is the small one,
and 0 elsewhere."""
