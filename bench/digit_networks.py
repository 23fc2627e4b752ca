"""The networks of `examples/nas/enas.yaml`, each really trained once.

    python -m bench.digit_networks      train those that are not in the file yet (an hour)

The file `bench/digit_networks.json` has, by architecture, the last Validation-Accuracy that
`examples/nas/enas_child.py` prints with its defaults.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from api.objects.experiments import parse_experiment
from api.objects.yamltext import load_objects
from api.types import ExperimentSpec
from suggestion.core.search_task import search_task_of

_ROOT = Path(__file__).parents[1]
_EXAMPLE = _ROOT / "examples" / "nas"
_FILE = Path(__file__).with_suffix(".json")
_EPOCHS = 5

Accuracies = dict[str, float]
"""By architecture, as the search writes it."""


def accuracies() -> Accuracies:
    """Read the file."""
    found: Accuracies = json.loads(_FILE.read_text())
    return found


def example() -> ExperimentSpec:
    """Return the example, without the settings of its search."""
    [document] = load_objects((_EXAMPLE / "enas.yaml").read_text())
    return parse_experiment(document).spec


def architectures() -> Iterator[list[list[int]]]:
    """Yield every architecture of the example."""
    network = search_task_of(example()).space.network
    if network is None:
        return
    layers = [
        [
            [number, *skips]
            for number in range(len(network.operations))
            for skips in itertools.product((0, 1), repeat=layer)
        ]
        for layer in range(network.layers)
    ]
    yield from map(list, itertools.product(*layers))


def main() -> int:
    """Train what is missing; an interrupted call goes on where it was."""
    sys.path.insert(0, str(_EXAMPLE))
    spec = importlib.util.spec_from_file_location("enas_child", _EXAMPLE / "enas_child.py")
    if spec is None or spec.loader is None:
        return 1
    child: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(child)
    network = search_task_of(example()).space.network
    if network is None:
        return 1
    graph = network.config.graph
    config = {
        "num_layers": network.layers,
        "input_sizes": list(graph.input_sizes),
        "output_sizes": list(graph.output_sizes),
        "embedding": {
            str(number): {"opt_type": one.type, "opt_params": dict(one.parameters)}
            for number, one in enumerate(network.operations)
        },
    }
    found = accuracies() if _FILE.exists() else {}
    with threadpool_limits(1):
        for architecture in architectures():
            if json.dumps(architecture) in found:
                continue
            *_, (accuracy, _) = child.train(architecture, config, _EPOCHS, 0)
            found[json.dumps(architecture)] = round(accuracy, 4)
            lines = ",\n".join(f'"{name}": {one}' for name, one in sorted(found.items()))
            _FILE.write_text(f"{{\n{lines}\n}}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
