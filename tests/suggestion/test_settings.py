"""The command line of `python -m suggestion`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from api.errors import SetupError, UserError
from serving.access.refusals import Mode
from serving.access.settings import AccessSettings
from serving.addresses import Address, parse_address
from serving.client_security import ClientSecurity
from suggestion.__main__ import main
from suggestion.settings import PROGRAM, Settings, read_settings


def test_without_flags_it_listens_on_katibs_port() -> None:
    settings = read_settings([])

    assert str(settings.listen) == "0.0.0.0:6789"
    assert settings == Settings()


def test_every_flag_is_read() -> None:
    settings = read_settings(
        ["--listen", "[::1]:6788", "--kubeconfig=k", "--namespace", "ns", "--grace=3s", "--port-file", "p",
         "--db-manager", "db:1", "--db-manager-ca", "ca", "--db-manager-token", "t",
         "--tls-cert", "c", "--tls-key", "k", "--plain-listen", "127.0.0.1:1",
         "--auth", "required", "--auth-keys", "keys", "--auth-managers", "a/b"]
    )  # fmt: skip

    assert settings == Settings(
        listen=Address(host="::1", port=6788),
        kubeconfig=Path("k"),
        namespace="ns",
        grace=timedelta(seconds=3),
        port_file=Path("p"),
        db_manager=Address(host="db", port=1),
        db_manager_security=ClientSecurity(ca=Path("ca"), token=Path("t")),
        tls_cert=Path("c"),
        tls_key=Path("k"),
        plain_listen=Address(host="127.0.0.1", port=1),
        access=AccessSettings(mode=Mode.REQUIRED, keys="keys", managers=("a/b",)),
    )
    assert str(settings.listen) == "[::1]:6788"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--listen", "6789"], '--listen: "6789" is not an address; write HOST:PORT'),
        (["--listen", "x:70000"], "is not an address"),
        (["--grace", "soon"], "--grace: "),
        (["--grace", "-1s"], "must not be negative"),
        (["--algorithm", "tpe"], 'unknown flag "--algorithm"'),
        (["tpe"], "is not a flag"),
    ],
)
def test_wrong_values_are_refused(argv: list[str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        read_settings(argv)


@pytest.mark.parametrize("mode", ["permissive", "required"])
def test_tokens_need_tls_keys_and_one_db_manager(mode: str) -> None:
    tls, keys = ("--tls-cert", "c", "--tls-key", "k"), ("--auth-keys", "keys")
    with pytest.raises(SetupError, match=f"--auth {mode} needs --tls-cert"):
        read_settings(("--auth", mode, *keys, "--db-manager", "db:1"))
    with pytest.raises(SetupError, match=f"--auth {mode} needs --auth-keys"):
        read_settings(("--auth", mode, *tls, "--db-manager", "db:1"))
    with pytest.raises(SetupError, match=f"--auth {mode} needs --db-manager"):
        read_settings(("--auth", mode, *tls, *keys))
    assert read_settings(("--auth", mode, *tls, *keys, "--db-manager", "db:1")).access.mode == mode


def test_by_default_only_the_controller_is_a_manager() -> None:
    assert read_settings([]).access.managers == ("kubeflow/trialwatch-controller",)


@pytest.mark.parametrize("text", ["", "db", "db:", ":x", "a:b:1", "http://db:1"])
def test_a_text_that_is_not_an_address_is_refused(text: str) -> None:
    assert parse_address(text) is None


def test_a_wrong_flag_is_one_line_and_status_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lisen", "x"]) == 2

    assert capsys.readouterr().err == (
        'suggestion: unknown flag "--lisen"; did you mean "--listen"?\n'
    )


def test_help_is_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0

    assert capsys.readouterr().out == PROGRAM.usage()
