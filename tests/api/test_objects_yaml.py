"""YAML text as Kubernetes reads it, from people of good and of bad will."""

from __future__ import annotations

import time
from typing import Any

import pytest

from api.errors import SpecError
from api.objects.yamlout import dump_objects
from api.objects.yamltext import MAX_BYTES, load_objects


def refusal_of(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        load_objects(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("plain", "meaning"),
    [
        ("1e-3", 0.001),
        ("0.01", 0.01),
        (".5", 0.5),
        ("8.", 8.0),
        ("08", 8.0),
        ("0777", 511),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", 3),
        ("-12", -12),
        ("1_000", 1000),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", float(2**64)),
        ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("1.2.3", "1.2.3"),
        ("1e", "1e"),
        ("nan", "nan"),
        ("y", True),
        ("off", False),
        ("True", True),
        ("tRUE", "tRUE"),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("!!float 1", 1.0),
        ("=", "="),
    ],
)
def test_a_plain_scalar_means_what_it_means_to_kubernetes(plain: str, meaning: object) -> None:
    ((value,),) = (document.values() for document in load_objects(f"a: {plain}"))
    assert value == meaning
    assert type(value) is type(meaning)


def test_keys_become_strings() -> None:
    assert load_objects("1: a\ntrue: b\n1.5: c\n") == [{"1": "a", "true": "b", "1.5": "c"}]


def test_several_documents_are_read_and_empty_ones_passed_over() -> None:
    assert load_objects("---\n---\na: 1\n---\n# nothing\n---\nb: 2\n") == [{"a": 1}, {"b": 2}]


def test_json_is_yaml() -> None:
    assert load_objects('{\n\t"a": [1, 2.5, null, true, "x"]\n}') == [
        {"a": [1, 2.5, None, True, "x"]}
    ]


def test_aliases_and_merge_keys_are_written_out() -> None:
    text = "b: &b {x: 1, y: 2}\nc: {<<: *b, x: 3}\nd: {<<: [*b, {y: 5, z: 6}]}\n"
    assert load_objects(text) == [
        {"b": {"x": 1, "y": 2}, "c": {"x": 3, "y": 2}, "d": {"x": 1, "y": 2, "z": 6}}
    ]


def test_a_key_twice_is_refused_with_its_line() -> None:
    text = "spec:\n  maxTrialCount: 1\n  other: 2\n  maxTrialCount: 3\n"
    assert refusal_of(text) == (
        'line 4, column 3: the key "maxTrialCount" appears twice; delete one'
    )


def test_the_same_key_in_quotes_is_the_same_key() -> None:
    assert "twice" in refusal_of("a: 1\n'a': 2\n")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a: [b\nc: d", "line 2, column 2: is not valid YAML"),
        ("a: b: c", "line 1, column 5: is not valid YAML"),
        ("a: *b", "is not valid YAML"),
        ("- a", "line 1, column 1: a list of 1 item is not an object"),
        ("just words", '"just words" is not an object'),
        ("a: .nan", 'line 1, column 4: JSON cannot hold the number ".nan"'),
        ("a: 1e999", "JSON cannot hold the number"),
        ("a: !!python/object/apply:os.system [id]", "the tag"),
        ("a: !!python/name:os.system ''", "the tag"),
        ("a: !!binary aGk=", "the tag"),
        ("a: !!set {b}", "the tag"),
        ("a: !!bool maybe", "does not match"),
        ("a: {<<: 1}", "needs a mapping"),
        ("? [a]\n: b", "a key must be a string"),
        ("~: b", "a key must be a string"),
        ("a: \x00", "is not valid YAML"),
        ("a: b\nc: \ud800", "line 2: is not valid Unicode"),
        ('a: "\\ud800"', "is not valid YAML"),
        ("x: " + "9" * 5000, "JSON cannot hold the number"),
    ],
    ids=lambda value: value[:12].encode("ascii", "backslashreplace").decode(),
)
def test_bad_yaml_is_refused_with_its_place(text: str, part: str) -> None:
    assert part in refusal_of(text)


SEQUENCES = "a0: &a0 [x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 40)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 40)
)
CHAIN = "a0: &a0 x\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 2000))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param(SEQUENCES, "aliases", id="bomb of lists"),
        pytest.param(MERGES, "aliases", id="bomb of merges"),
        pytest.param(CHAIN, "levels deep", id="chain"),
        pytest.param("a: &a [*a]", "a value that contains the alias", id="list in itself"),
        pytest.param("a: &a {b: *a}", "a value that contains the alias", id="mapping in itself"),
        pytest.param("[" * 1_000_000, "levels deep", id="brackets"),
        pytest.param(
            "a:\n" + "".join(" " * i + "- \n" for i in range(1, 500)), "levels deep", id="indents"
        ),
        pytest.param("{a: " * 500_000, "levels deep", id="braces"),
        pytest.param("a: " + "b" * MAX_BYTES, "bytes, and Kubernetes accepts at most", id="large"),
    ],
)
def test_a_bomb_is_refused_at_once(text: str, part: str) -> None:
    started = time.process_time()
    assert part in refusal_of(text)
    assert time.process_time() - started < 2


@pytest.mark.parametrize("text", ["y", "1e-3", "12:30:45", "0o17", "<<", "08", "null", "\x85"])
def test_a_text_that_some_reader_would_misread_is_quoted(text: str) -> None:
    document: dict[str, Any] = {"a": text, text: "a"}
    written = dump_objects([document])
    assert f"a: {text}\n" not in written
    assert load_objects(written) == [document]


def test_a_script_is_written_as_a_block() -> None:
    assert dump_objects([{"args": ["set -e\npython train.py\n"]}]) == (
        "args:\n- |\n  set -e\n  python train.py\n"
    )


ONE_TEXT = "x" * 300_000
"""The attack: a text of 480 KB, whose aliases stand for 12 GB."""
MANY_ALIASES = f"a: &a {ONE_TEXT}\nb: [{', '.join(['*a'] * 40_000)}]\n"
KEYS = f"a: {{? &a {ONE_TEXT} : 1}}\n" + "".join(f"b{i}: *a\n" for i in range(20))
DOCUMENTS = "".join(
    f"---\na: &a {'x' * 30_000}\nb: [{', '.join(['*a'] * 50)}]\n" for _ in range(60)
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(MANY_ALIASES, id="a value"),
        pytest.param(KEYS, id="a key"),
        pytest.param(DOCUMENTS, id="all documents together"),
    ],
)
def test_aliases_count_with_the_characters_that_they_stand_for(text: str) -> None:
    assert len(text) < MAX_BYTES
    assert f"more than {MAX_BYTES} characters after its aliases are expanded" in refusal_of(text)


def test_aliases_of_a_text_are_written_out_within_the_limit() -> None:
    text = f"a: &a {ONE_TEXT}\nb: [{', '.join(['*a'] * 8)}]\n"
    assert load_objects(text) == [{"a": ONE_TEXT, "b": [ONE_TEXT] * 8}]


def test_values_are_counted_before_nodes_are_made_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def composed(*_: object, **__: object) -> None:
        raise AssertionError("the text was composed")

    monkeypatch.setattr("yaml.compose_all", composed)
    assert "is behind the first 100000 values" in refusal_of("{" + "?," * 1_000_000 + "}")


def test_a_caller_may_allow_fewer_values() -> None:
    assert load_objects("a: [1, 2]", most_values=5) == [{"a": [1, 2]}]
    with pytest.raises(SpecError, match="behind the first 4 values and keys"):
        load_objects("a: [1, 2]", most_values=4)
