"""The command ``python -m tests.fuzz.file_command``: damage files of every format."""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.file_damage import kinds_of, whole
from fuzz.runner import Runner


def campaign(words, each, runner, kinds=None, seed=0):
    """Read each file after damage of each kind.

    Parameters
    ----------
    words : iterable of str
        Files of `fuzz.file_samples.samples`.
    each : int
        Number of damages of each kind for each file.
    runner : Runner
        Of ``"fuzz.file_damage:judged"``.
    kinds : sequence of str, optional
        By default all kinds of each file.
    seed : int
        Number of the first damage.

    Returns
    -------
    counts : dict of str to Counter
        Number of outcomes, by file.
    faults : list of str
        A line for each fault, crash and hang: the case, and what happened.
    """
    counts, faults = {}, []
    for word in words:
        counts[word] = count = Counter()
        for kind in kinds or kinds_of(word):
            for number in range(seed, seed + each):
                case = {"file": word, "kind": kind, "number": number}
                reply = runner.call(case, timeout=60)
                answer = reply.value or {"outcome": reply.status}
                count[answer["outcome"]] += 1
                if answer["outcome"] not in ("right", "refused", "unnoticed"):
                    detail = answer.get("detail", reply.detail)
                    faults.append(f"fuzz.file_damage.judged({case}): {detail}")
    return counts, faults


def main(arguments=None):
    """Run a campaign, print a table of outcomes; return 1 when there are faults."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.file_command", description=__doc__
    )
    parser.add_argument(
        "--each", type=int, default=100, help="damages of each kind for each file"
    )
    parser.add_argument("--kind", action="append", help="only damages of this kind")
    parser.add_argument(
        "--only", default="", metavar="NAME", help="only files whose names contain NAME"
    )
    parser.add_argument("--seed", type=int, default=0, help="number of the first one")
    options = parser.parse_args(arguments)
    begin = time.perf_counter()
    words = [word for word in whole() if options.only in word]
    outcomes = ("right", "refused", "unnoticed", "fault", "crash", "hang")
    print("".join([f"{'file':24}", *(f"{one:>11}" for one in outcomes)]))
    total, faults = 0, []
    with Runner("fuzz.file_damage:judged") as runner:
        for word in words:
            counts, found = campaign(
                [word], options.each, runner, options.kind, options.seed
            )
            count = counts[word]
            row = [f"{word:24}", *(f"{count[one]:11}" for one in outcomes)]
            print("".join(row), flush=True)
            total, faults = total + count.total(), faults + found
    print(*faults, sep="\n")
    seconds = time.perf_counter() - begin
    print(f"{total} damaged files in {seconds:.0f} s, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
