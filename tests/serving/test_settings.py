"""One row makes a setting: its flag, its value and its default."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from api.errors import UserError
from serving.flag_values import ADDRESS, ADDRESS_OR_OFF, DURATION, PATH, SECONDS, SWITCH, Kind
from serving.settings import Row, from_environment, part, setting, settings_of

WORD = Kind(placeholder="WORD", read=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    first: float = 1.0
    second: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    name: str = setting(Row("--name", WORD, "A name.", alias="-n"), "none")
    place: str = from_environment(lambda environ: environ.get("PLACE", "here"))
    store: str = from_environment(
        lambda environ: environ.get("STORE", "memory"), Row("--store", WORD, "A store.")
    )
    times: Times = part(Times(), second=Row("--second", SECONDS, "The second time."))


def test_nothing_given_is_the_default_of_each_row() -> None:
    assert settings_of(Settings, [], {}) == Settings()
    assert Settings().store == "memory"


def test_a_flag_wins_over_the_environment_and_the_environment_over_the_default() -> None:
    environ = {"STORE": "disk", "PLACE": "there"}

    assert settings_of(Settings, [], environ) == Settings(store="disk", place="there")
    assert settings_of(Settings, ["--store", "wire"], environ).store == "wire"
    assert settings_of(Settings, ["--store="], environ).store == "disk"


def test_the_row_of_a_part_replaces_one_of_its_fields() -> None:
    assert settings_of(Settings, ["--second=3s"], {}).times == Times(first=1.0, second=3.0)


def test_a_flags_own_name_wins_over_its_alias_wherever_it_stands() -> None:
    assert settings_of(Settings, ["-n", "a"], {}).name == "a"
    assert settings_of(Settings, ["--name", "b", "-n", "a"], {}).name == "b"


def test_a_wrong_value_names_its_flag() -> None:
    with pytest.raises(UserError, match=r'^--second: "-1s" must not be negative; write 0s or more'):
        settings_of(Settings, ["--second", "-1s"], {})


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        (ADDRESS, "[::1]:80", "[::1]:80"),
        (ADDRESS_OR_OFF, "off", "off"),
        (ADDRESS_OR_OFF, "", "off"),
        (DURATION, "60s", "1m"),
        (DURATION, "1h0m30s", "1h0m30s"),
        (DURATION, "3600s", "1h"),
        (DURATION, "10s", "10s"),
        (SECONDS, "1.5s", "1.5s"),
        (SWITCH, "true", "on"),
        (PATH, "", ""),
    ],
)
def test_a_value_is_shown_as_a_user_would_write_it(
    kind: Kind[object], text: str, shown: str
) -> None:
    assert kind.show(kind.read(text)) == shown
