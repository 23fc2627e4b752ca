"""Files by tensorboardX, read by trialwatch and by tensorboard's own EventAccumulator."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_ndarray, make_tensor_proto
from tensorboardX import SummaryWriter

from filters.event_files.extractor import event_spec
from filters.extractor import Position

_TAGS = ["loss", "train/accuracy", "val/loss", "lr"]
_EVERYTHING = {"scalars": 0, "tensors": 0}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an event file with scalars among histograms, texts and pictures."""
    directory, dice = tmp_path_factory.mktemp("log"), random.Random(7)
    with SummaryWriter(str(directory), flush_secs=3600) as writer:
        for step in range(300):
            for tag in _TAGS:
                value = dice.choice((dice.gauss(0, 1), 10 ** dice.uniform(-30, 30), 0, float(step)))
                writer.add_scalar(tag, value, step, walltime=1.7e9 + step / 3)
            if step % 50 == 0:
                writer.add_histogram("weights", np.arange(step + 5), step)
                writer.add_text("note", "loss = 99", step)
                writer.add_image("loss", np.zeros((3, 8, 8), dtype=np.uint8), step)
        writer.add_scalar("loss", float("nan"), 300)
        writer.add_scalar("loss", float("inf"), 301)
    (file,) = directory.iterdir()
    return file


def test_all_scalars_are_those_of_the_event_accumulator(written: Path) -> None:
    theirs = EventAccumulator(str(written), size_guidance=_EVERYTHING)
    theirs.Reload()
    extractor = event_spec(_TAGS).extractor(Position())
    points = extractor.feed(written.read_bytes()) + extractor.finish()
    assert extractor.damage is None
    assert sorted(theirs.Tags()["scalars"]) == sorted(_TAGS)
    for tag in _TAGS:
        scalars = theirs.Scalars(tag)
        values = np.array([point.value for point in points if point.name == tag], dtype=np.float32)
        expected = np.array([scalar.value for scalar in scalars], dtype=np.float32)
        assert len(values) >= 300
        assert np.array_equal(values, expected, equal_nan=True)
        steps = [point.step for point in points if point.name == tag]
        assert steps == [scalar.step for scalar in scalars]


@pytest.mark.parametrize(
    "dtype", [np.float32, np.float64, np.float16, np.int32, np.int64, np.uint8]
)
def test_tensors_are_those_of_the_event_accumulator(tmp_path: Path, dtype: type) -> None:
    numbers: np.ndarray = np.array([0, 1, 0.1, 100], dtype=dtype)
    writer = EventFileWriter(str(tmp_path))
    for step, number in enumerate(numbers):
        value = Summary.Value(tag="loss", tensor=make_tensor_proto(number))
        writer.add_event(Event(wall_time=1.7e9, step=step, summary=Summary(value=[value])))
    writer.close()
    (file,) = tmp_path.iterdir()
    theirs = EventAccumulator(str(file), size_guidance=_EVERYTHING)
    theirs.Reload()
    points = event_spec(["loss"]).extractor(Position()).feed(file.read_bytes())
    expected = [make_ndarray(event.tensor_proto).item() for event in theirs.Tensors("loss")]
    assert [dtype(point.value) for point in points] == [dtype(value) for value in expected]


def _golden() -> bytes:
    """Return the bytes of `events.hex`."""
    lines = Path(__file__).with_name("events.hex").read_text(encoding="utf-8").splitlines()
    return bytes.fromhex(" ".join(line.partition("#")[0] for line in lines))


def test_the_golden_file_is_read() -> None:
    extractor = event_spec(["loss", "accuracy"]).extractor(Position())
    points = extractor.feed(_golden()) + extractor.finish()
    assert extractor.damage is None
    assert [(point.name, point.value, point.timestamp, point.step) for point in points] == [
        ("loss", "0.1", "2023-11-14T22:13:20.5Z", 7),
        ("accuracy", "0.75", "2023-11-14T22:13:21Z", 8),
        ("loss", "42", "2023-11-14T22:13:22.25Z", 9),
    ]


def test_the_golden_file_is_one_for_tensorboard_too(tmp_path: Path) -> None:
    file = tmp_path / "events.out.tfevents.1"
    file.write_bytes(_golden())
    theirs = EventAccumulator(str(file), size_guidance=_EVERYTHING)
    theirs.Reload()
    assert [scalar.step for scalar in theirs.Scalars("loss")] == [7]
    assert [event.step for event in theirs.Tensors("accuracy")] == [8]
