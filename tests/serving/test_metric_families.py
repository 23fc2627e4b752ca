"""The declarations of metrics, and what is exported before anything is counted."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import generate_latest

from serving.certificate_expiry import expiry_of
from serving.metric_families import ANY, DeclaredMetric, MetricFamilies, MetricType
from tests.certificate_authority import Authority

ENDS = ("good", "bad")


def exported(families: MetricFamilies) -> list[str]:
    """Return the samples of our own metrics, without the moments of their creation."""
    lines = generate_latest(families.registry).decode().splitlines()
    return [line for line in lines if line.startswith("own_") and "_created" not in line]


def test_each_series_whose_labels_are_known_begins_at_zero() -> None:
    families = MetricFamilies("own")
    families.counter("calls", "Calls.", end=ENDS)
    families.counter("refusals", "Refusals.", end=ENDS, caller=ANY)

    assert exported(families) == [
        'own_calls_total{end="good"} 0.0',
        'own_calls_total{end="bad"} 0.0',
    ]


def test_a_declaration_has_the_name_that_prometheus_shows() -> None:
    families = MetricFamilies("own")
    families.counter("calls", "Calls.", end=ENDS)
    families.scraped_gauge("depth", "Depth.", kind=ANY)
    families.histogram("seconds", "Seconds.", buckets=(1, 2))

    assert families.declared == (
        DeclaredMetric(
            name="own_calls_total",
            type=MetricType.COUNTER,
            sentence="Calls.",
            labels={"end": ENDS},
        ),
        DeclaredMetric(
            name="own_depth", type=MetricType.GAUGE, sentence="Depth.", labels={"kind": ANY}
        ),
        DeclaredMetric(
            name="own_seconds", type=MetricType.HISTOGRAM, sentence="Seconds.", labels={}
        ),
    )


def test_two_prefixes_share_one_registry_and_declare_their_own() -> None:
    first = MetricFamilies("own")
    second = MetricFamilies("other", first.registry)
    second.gauge("size", "Size.")

    assert first.declared == ()
    assert second.registry is first.registry
    assert b"other_size 0.0" in generate_latest(first.registry)


def test_a_late_gauge_has_no_value_until_it_is_shown() -> None:
    families = MetricFamilies("own")
    gauge = families.late_gauge("expires", "When.")
    before = exported(families)
    gauge.show(lambda: 7.0)

    assert before == []
    assert exported(families) == ["own_expires 7.0"]


def test_the_expiry_is_that_of_the_file_as_it_is_now(tmp_path: Path) -> None:
    path = tmp_path / "tls.crt"
    missing = expiry_of(path)
    path.write_text("no certificate")
    broken = expiry_of(path)
    Authority().signed("localhost").write(tmp_path)

    assert missing == broken == 0.0
    assert expiry_of(path) > 1_800_000_000
