"""Outputs of many frameworks: all that is claimed is found, and nothing else (corpus/README.md)."""

from __future__ import annotations

import pytest

from filters.extractor import Extractor, extraction_spec
from tests.filters.corpus_files import CORPUS, CorpusEntry, corpus, without_repeats

ENTRIES = corpus()


def values(entry: CorpusEntry, *metrics: str) -> dict[str, tuple[str, ...]]:
    extractor = Extractor(extraction_spec(metrics))
    points = extractor.feed(entry.output) + extractor.finish()
    return {
        metric: without_repeats(point.value for point in points if point.name == metric)
        for metric in metrics
    }


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
def test_each_output_gives_its_true_values(entry: CorpusEntry) -> None:
    assert values(entry, *entry.metrics) == entry.metrics


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
def test_each_metric_has_the_same_values_alone(entry: CorpusEntry) -> None:
    for metric, expected in entry.metrics.items():
        assert values(entry, metric) == {metric: expected}


def test_the_corpus_has_many_real_outputs_and_many_without_a_value() -> None:
    assert sum(entry.made == "run" and not entry.negative for entry in ENTRIES) >= 60
    assert sum(not entry.negative for entry in ENTRIES) >= 120
    assert sum(entry.negative for entry in ENTRIES) >= 40


def test_each_output_has_its_facts_and_each_fact_its_output() -> None:
    logs = {path.stem for path in CORPUS.glob("*.log")}
    assert logs == {entry.name for entry in ENTRIES}
    assert {entry.made for entry in ENTRIES} == {"run", "written"}
