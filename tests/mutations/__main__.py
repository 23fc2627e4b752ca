"""`make mutate`: breaks the product one line at a time; a named test must fail each time.

    python -m tests.mutations [--sample N] [--seed S] [--only WORDS]

The table is in `promises/`. The work is done in a copy of the tree. First the tests run without a
mutation: a test that fails anyway shows nothing. The exit status is 0 if all mutations are killed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.mutations.mutated_tree import MutatedTree, Result, Run
from tests.mutations.table import Mutation, StaleRow, mutations

_MOST_SECONDS = 300.0
"""For the tests of one mutation; they take seconds, but a build machine may be busy."""
_VERDICTS = {
    Result.FAILED: "killed",
    Result.PASSED: "SURVIVED",
    Result.HUNG: "HUNG",
    Result.BROKEN: "BROKEN",
}


def main(words: Sequence[str]) -> int:
    """Run the mutations; return the exit status."""
    options = _options(words)
    rows = [row for row in mutations() if options.only in f"{row.promise}: {row.name}"]
    if options.sample and options.sample < len(rows):
        rows = random.Random(options.seed).sample(rows, options.sample)
        print(f"{len(rows)} mutations, drawn with --seed {options.seed}")
    if not rows:
        print(f"mutations: no row has {options.only!r} in its name", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        tree = MutatedTree(Path(folder, "tree"))
        return _unmutated(tree, rows) or _all(tree, rows)


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="run so many rows; 0: all")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="draws them")
    parser.add_argument("--only", default="", help="run the rows with these words")
    return parser.parse_args(words)


def _unmutated(tree: MutatedTree, rows: Sequence[Mutation]) -> int:
    tests = sorted({test for row in rows for test in row.tests})
    run = tree.run(tests, most_seconds=_MOST_SECONDS * len(rows))
    if run.result is Result.PASSED:
        print(f"without a mutation, their tests pass in {run.seconds:.0f} s", flush=True)
        return 0
    print(f"{run.output}\nmutations: tests fail without a mutation, so they show nothing")
    return 1


def _all(tree: MutatedTree, rows: Sequence[Mutation]) -> int:
    counts: Counter[str] = Counter()
    for row in rows:
        try:
            with tree.with_mutation(row):
                run = tree.run(row.tests, most_seconds=_MOST_SECONDS)
        except StaleRow as stale:
            print(f"mutations: {stale}", file=sys.stderr)
            counts["stale"] += 1
            continue
        verdict = _VERDICTS[run.result]
        counts[verdict] += 1
        print(f"{verdict:9} {run.seconds:6.1f} s  {row.promise}: {row.name}", flush=True)
        _explain(run, row)
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    return 0 if counts.keys() == {"killed"} else 1


def _explain(run: Run, row: Mutation) -> None:
    """Print what helps to kill a mutation that was not killed."""
    if run.result is not Result.FAILED:
        print(f"  in {row.file}: {row.old}\n  became: {row.new}\n  tests: {' '.join(row.tests)}")
    if run.result in (Result.HUNG, Result.BROKEN):
        print(run.output)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
