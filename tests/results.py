"""Rows and files of results, for the tests of the report."""

import json
import math

from nbfact.harness.case import DENSE


def around(middle, share):
    """Return a ratio with its interval; what is no number is returned unchanged."""
    if not isinstance(middle, int | float):
        return middle
    low, high = middle * (1 - share), middle * (1 + share)
    return {"median": middle, "low": low, "high": high}


def bench(impl="nbfact chain", seconds=1e-6, ratio=0.5, error=1e-7, **more):
    params = {"n": 64, "batch": 1, "dtype": "float32", **more.pop("params", {})}
    sizes = " ".join(f"{k}={v}" for k, v in params.items() if k != "dtype")
    group = more.get("group", "hadamard")
    task = f"{group} {sizes} {params['dtype']}"
    row = {
        "kind": "bench",
        "run": "r1",
        "started": "2026-11-20T10:00:00+00:00",
        "threads": 1,
        "machine": {"name": "epyc-2c", "cpu": "EPYC", "flags": "avx avx2", "load": 0.1},
        "calibration": {"bandwidth": [[262144, 9e10]], "gemm": {"float32": 1e11}},
        "case": f"{task} [{impl}]",
        "task": task,
        "group": group,
        "impl": impl,
        "params": params,
        "yardstick": DENSE,
        "rival": False,
        "ok": True,
        "message": None,
        "error": error,
        "time": {"median": seconds, "q1": seconds, "q3": seconds, "rounds": 9},
        "ratio": around(ratio, 0.1),
        "roof": 0.25,
    }
    return {**row, **more}


def dense(**more):
    return bench(DENSE, 2e-6, **{"ratio": None, **more})


def verdict(word="same", middle=1.0, **more):
    side = {"name": "v1", "commit": "a" * 40, "dirty": True}
    return {
        **{k: bench()[k] for k in ("run", "started", "threads", "machine", "case")},
        "kind": "verdict",
        "group": "hadamard",
        "impl": "nbfact chain",
        "base": side,
        "head": {**side, "name": "tree", "commit": "b" * 40},
        "ratio": around(middle, 0.02),
        "control": {"median": 1.0, "low": 0.99, "high": 1.01},
        "floor": 0.01,
        "threshold": 0.05,
        "seconds": {"base": 1e-6, "head": middle * 1e-6},
        "error": {"base": 1e-7, "head": 1e-7, "bound": 1e-6},
        "allocations": {
            "base": {"count": 1, "peak": 64},
            "head": {"count": 2, "peak": 128},
        },
        "same_bits": True,
        "verdict": word,
        "message": None,
        **more,
    }


def ratio(commit, median=1.0, against="a", day=1, **more):
    """Return a row of one commit beside another one."""
    row = {k: bench()[k] for k in ("run", "started", "threads", "machine", "case")}
    return {
        **row,
        "kind": "ratio",
        "commit": commit * 40,
        "commit_date": f"2026-01-{day:02}T00:00:00+00:00",
        "against": against * 40,
        "ratio": around(median, 0.01),
        "floor": 0.002,
        "seconds": median * 1e-6,
        "error": 1e-7,
        "blocks": 1,
        "peak": 4096,
        "compile": 1.0,
        **more,
    }


def write_asv(folder, *, last=None, columns=13):
    """Write results as asv does, for three commits and two implementations."""
    machine = folder / "epyc"
    machine.mkdir(parents=True)
    (machine / "machine.json").write_text('{"machine": "epyc", "version": 1}')
    name = "bench_products.ButterflyOurs.track_ratio_to_dense"
    values = [["'1024'"], ["'float32'"], ["'nbfact chain'", "'nbfact butterfly'"]]
    about = {
        "param_names": ["n", "dtype", "impl"],
        "params": values,
        "unit": "x dense time",
        "version": "1",
    }
    benchmarks = {name: about, "bench_coldstart.time_import": {"unit": "seconds"}}
    (folder / "benchmarks.json").write_text(json.dumps({"version": 2, **benchmarks}))
    titles = ["result", "params", "version", "started_at", "duration"]
    titles += ["stats_ci_99_a", "stats_ci_99_b", "stats_q_25", "stats_q_75"]
    for i, commit in enumerate(("cc", "aa", "bb")):  # names in another order than dates
        row = [[0.2 - i / 100, math.nan], values, "1", 0, 1.0, None, None, [0.1, None]]
        content = {
            "commit_hash": commit * 20,
            "env_name": "env",
            "date": 1.7e12 + i * 1e8,
            "params": {"machine": "epyc"},
            "result_columns": titles,
            "results": {name: row, "bench_coldstart.time_import": [[0.4], []]},
            "version": 2,
        }
        if i == 2 and last:
            content.update(last)
        (machine / f"{commit * 4}-env.json").write_text(json.dumps(content))
    return name
