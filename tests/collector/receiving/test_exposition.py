"""Which sample of an answer is a metric's value: by name, by labels, in both formats."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from api.errors import UserError
from api.prometheus_names import sample_selector
from collector.receiving.exposition import MOST_LINES, scraped

_TEXT = "text/plain; version=0.0.4"


def values(answer: bytes | str, *metrics: str, kind: str = _TEXT) -> dict[str, str]:
    body = answer.encode() if isinstance(answer, str) else answer
    found = scraped(body, kind, {name: sample_selector(name) for name in metrics})
    return {point.name: point.value for point in found.points}


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    loss = Gauge("loss", "with \\ and \n in its help", ["split", "fold"], registry=registry)
    loss.labels("val", "1").set(0.25)
    loss.labels("train", "1").set(0.125)
    Counter("steps", "steps", registry=registry).inc(7)
    Histogram("seconds", "time", registry=registry).observe(2.5)
    Gauge("score", "not a number yet", registry=registry).set(float("nan"))
    return registry


@pytest.mark.parametrize("is_open", [False, True], ids=["text", "OpenMetrics"])
def test_gauges_counters_and_sums_of_the_real_client_are_found(*, is_open: bool) -> None:
    registry = _registry()
    answer = openmetrics.generate_latest(registry) if is_open else generate_latest(registry)  # type: ignore[no-untyped-call]  # it has no types
    kind = openmetrics.CONTENT_TYPE_LATEST if is_open else _TEXT
    wanted = ('loss{split="val"}', "steps_total", "steps", "seconds_sum", "seconds_count", "score")
    assert values(answer, *wanted, kind=kind) == {
        'loss{split="val"}': "0.25",
        "steps_total": "7.0",
        "steps": "7.0",
        "seconds_sum": "2.5",
        "seconds_count": "1.0",
        "score": "nan",
    }


def test_several_samples_that_fit_are_none_and_the_message_names_them() -> None:
    answer = 'loss{split="val"} 1\nloss{split="train"} 2\n'
    found = scraped(answer.encode(), _TEXT, {"loss": sample_selector("loss")})
    assert found.points == ()
    assert found.unclear == (
        '2 samples fit loss: loss{split="val"}, loss{split="train"}; name its labels',
    )


def test_a_sample_without_further_labels_comes_before_others() -> None:
    assert values('loss 3\nloss{split="val"} 1\n', "loss") == {"loss": "3.0"}


def test_a_time_stamp_is_kept() -> None:
    found = scraped(b"loss 3 1500\n", _TEXT, {"loss": sample_selector("loss")})
    assert [point.timestamp for point in found.points] == ["1970-01-01T00:00:01.5Z"]


@pytest.mark.parametrize("answer", ["<html>no</html>", "loss three\n", 'loss{split="val 1\n'])
def test_an_answer_of_another_format_is_a_fault(answer: str) -> None:
    with pytest.raises(ValueError, match="is not Prometheus' text format"):
        values(answer, "loss")


def test_a_selector_may_have_escapes_blanks_and_a_comma_at_its_end() -> None:
    selector = sample_selector('loss{ a = "x\\"y" , b="{,}" ,}')
    assert (selector.name, selector.labels) == ("loss", {"a": 'x"y', "b": "{,}"})


@pytest.mark.parametrize(
    "name", ["", "1loss", "loss{", "loss{split}", "loss{split='val'}", "val/loss", 'loss{a="b"}x']
)
def test_a_name_that_is_not_one_of_prometheus_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="not one of Prometheus"):
        sample_selector(name)


def test_an_answer_has_a_bounded_number_of_lines() -> None:
    lines = "".join(f'loss{{step="{number}"}} 1\n' for number in range(MOST_LINES + 1))
    with pytest.raises(ValueError, match="more than 20000 lines"):
        values(lines, "loss")
