"""The cells of the grid: every implementation is right, in every layout."""

import numpy as np
import pytest
from samples import LATER

from nbfact.cases import grid_cases as grid
from nbfact.cases.grid_operators import ADJOINT, FORWARD, KINDS
from nbfact.cases.grid_samples import ALWAYS
from nbfact.harness.case import DENSE
from nbfact.studies import grid as study

EVERY = (("vector", 1), *((layout, 3) for layout in grid.LAYOUTS))


def cells():
    """Yield a cell of each kind for each layout; dtypes and sides rotate."""
    for number, name in enumerate(KINDS):
        dtypes = KINDS[name].dtypes
        for place, (layout, batch) in enumerate(EVERY):
            dtype = dtypes[(number + place) % len(dtypes)]
            side = (FORWARD, ADJOINT)[(number + place) // 2 % 2]
            yield grid.Cell(name, side, 16, batch, layout, dtype)


def name_of(cell):
    return "-".join(map(str, vars(cell).values()))


@pytest.mark.parametrize(
    "cell", [pytest.param(cell, marks=LATER, id=name_of(cell)) for cell in cells()]
)
def test_every_implementation_is_right_and_a_wrong_result_is_not(cell):
    task = list(grid.cell_cases(cell))
    assert {grid.AT, DENSE} < {case.impl for case in task}
    inputs = task[0].make(np.random.default_rng(0))
    want = task[0].reference(inputs)
    assert inputs.array.shape == want.shape
    for case in task:
        call = case.prepare(inputs)
        for _ in range(2):  # memory made beforehand is used again
            got = call()
            assert case.error(got, want) <= case.bound, case.name
        assert case.bound < case.error(got * np.array(1.01).astype(got.dtype), want)


@pytest.mark.parametrize("dtype", [pytest.param("float32", marks=LATER), "complex128"])
def test_calls_of_one_vector_are_compared_with_one_another(dtype):
    names = [case.impl for case in grid.own_cells(ALWAYS[:1], dtype)]
    assert names[:3] == [grid.AT, grid.OUT, DENSE]
    assert names[3:] == list(grid.FORMS[: 3 if dtype == "complex128" else 2])
    task = list(grid.own_cells([("butterfly", "forward", 16, 1, "vector")], dtype))
    inputs = task[0].make(np.random.default_rng(0))
    want = task[0].reference(inputs)
    for case in task:
        assert case.error(case.prepare(inputs)(), want) <= case.bound, case.name
    assert not list(grid.own_cells([("dct", "forward", 16, 1, "vector")], "complex64"))


def row(name, ratio, n=64, batch=1, layout="vector"):
    cell = grid.Cell(name, FORWARD, n, batch, layout, "float32")
    return {
        **vars(cell),
        **{"form": grid.AT, "ours": 1e-6, "best rival": DENSE, "rival": ratio * 1e-6},
        **{"ratio": ratio, "ratio of @": ratio, "roof": 0.5, "flops": 500, "load": 2.0},
    }


def test_the_page_lists_each_cell_below_one_and_the_time_of_an_operation():
    rows = [row("dct", 2.0), row("haar", 0.5), row("haar", 8.0, n=256)]
    tables = study.tables(rows)
    (lost,) = tables["Below 1: 1 of 3 cells"]
    assert (lost["operator"], lost["ratio"], lost["% of roof"]) == ("haar", 0.5, 50)
    (whole,) = tables[f"{study.TITLE}: all cells"]
    assert whole["cells"] == 3 and whole["below 1"] == 1
    assert whole["geometric mean"] == pytest.approx(2.0)
    assert [line["operator"] for line in tables["By operator"]] == ["dct", "haar"]
    dct, haar = tables[study.SCALING]
    assert dct["n=64"] == pytest.approx(2000) and dct["n=256"] is None
    assert haar["n=256"] == pytest.approx(2000)


def test_a_quick_grid_is_the_first_part_of_the_whole_one():
    quick, full = (list(study.cells(one)) for one in (study.QUICK, study.FULL))
    assert quick == full[: len(quick)] and 0.01 < len(quick) / len(full) < 0.03
    assert len(set(full)) == len(full) == 12760
    assert {cell.operator for cell in quick} == set(KINDS)
    assert {cell.n for cell in full[:100]} == set(study.FULL.sizes)
