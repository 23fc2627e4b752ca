"""The command line and the environment become settings, or a sentence that explains the mistake."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from api.errors import SetupError, UserError
from dbmanager.settings import Settings, read_settings
from serving.access.refusals import Mode
from serving.access.settings import AccessSettings
from serving.addresses import Address
from serving.server_security import TlsFiles


def test_nothing_given_is_a_file_here_and_katibs_port() -> None:
    settings = read_settings((), {})

    assert settings == Settings(database="sqlite:///trialwatch.db")
    assert str(settings.listen) == "0.0.0.0:6789"
    assert str(settings.metrics_listen) == "0.0.0.0:8080"


def test_every_flag_is_read() -> None:
    argv = [
        "--listen",
        "127.0.0.1:0",
        "--database",
        "sqlite:///x.db",
        "--connect-timeout",
        "60s",
        "--metrics-listen",
        "[::1]:9",
        "--tls-cert",
        "c",
        "--tls-key",
        "k",
        "--tls-client-ca",
        "a",
        "--plain-listen",
        "127.0.0.1:1",
        "--auth",
        "required",
        "--auth-keys",
        "https://api/openid/v1/jwks",
        "--auth-keys-ca",
        "ca",
        "--auth-keys-token",
        "",
        "--auth-users",
        "https://api",
        "--auth-issuer",
        "https://issuer",
        "--auth-audience",
        "managers",
        "--auth-managers",
        "a/b, c/d",
        "--max-reply",
        "5",
        "--grace",
        "0s",
        "--port-file",
        "p",
    ]

    assert read_settings(argv, {}) == Settings(
        database="sqlite:///x.db",
        listen=Address(host="127.0.0.1", port=0),
        metrics_listen=Address(host="::1", port=9),
        connect_timeout=timedelta(seconds=60),
        grace=timedelta(0),
        max_reply=5,
        tls_cert=Path("c"),
        tls_key=Path("k"),
        tls_client_ca=Path("a"),
        port_file=Path("p"),
        plain_listen=Address(host="127.0.0.1", port=1),
        access=AccessSettings(
            mode=Mode.REQUIRED,
            keys="https://api/openid/v1/jwks",
            keys_ca=Path("ca"),
            keys_token=None,
            issuer="https://issuer",
            audience="managers",
            managers=("a/b", "c/d"),
        ),
        auth_users="https://api",
    )


def test_katibs_flags_mean_the_same() -> None:
    katib = read_settings(["-listen-address=0.0.0.0:1", "-connect-timeout", "5s"], {})

    assert katib == read_settings(["--listen", "0.0.0.0:1", "--connect-timeout=5s"], {})


def test_gos_address_without_a_host_is_every_address() -> None:
    assert str(read_settings(["--listen", ":6789"], {}).listen) == "[::]:6789"


def test_metrics_can_be_turned_off() -> None:
    assert read_settings(["--metrics-listen", "off"], {}).metrics_listen is None


def test_a_connect_timeout_of_nothing_waits_for_ever() -> None:
    assert read_settings(["-connect-timeout=0s"], {}).connect_timeout is None


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"DB_NAME": "mysql"}, "mysql://root@katib-mysql:3306/katib"),
        ({"DB_NAME": "postgres"}, "postgresql://katib@katib-postgres:5432/katib?sslmode=disable"),
        (
            {"DB_NAME": "mysql", "DB_USER": "me", "DB_PASSWORD": "p@ss/w:rd", "KATIB_MYSQL_DB_HOST": "h",
             "KATIB_MYSQL_DB_PORT": "1", "KATIB_MYSQL_DB_DATABASE": "d"},
            "mysql://me:p%40ss%2Fw%3Ard@h:1/d",
        ),
        (
            {"DB_NAME": "postgres", "KATIB_POSTGRESQL_DB_HOST": "::1", "KATIB_POSTGRESQL_DB_PORT": "2",
             "KATIB_POSTGRESQL_DB_DATABASE": "e", "KATIB_POSTGRESQL_SSL_MODE": "require"},
            "postgresql://katib@[::1]:2/e?sslmode=require",
        ),
        ({"DB_NAME": ""}, "sqlite:///trialwatch.db"),
    ],
)  # fmt: skip
def test_katibs_variables_choose_the_database(environ: dict[str, str], url: str) -> None:
    assert read_settings((), environ).database == url


def test_the_flag_wins_over_the_variables() -> None:
    settings = read_settings(["--database", "sqlite:///x"], {"DB_NAME": "nonsense"})

    assert settings.database == "sqlite:///x"


def test_a_certificate_and_its_key_make_tls() -> None:
    settings = read_settings(["--tls-cert", "c", "--tls-key", "k", "--tls-client-ca", "a"], {})

    assert settings.tls == TlsFiles(cert=Path("c"), key=Path("k"), client_ca=Path("a"))
    assert read_settings([], {}).tls is None


def test_an_empty_database_is_that_of_the_variables() -> None:
    assert read_settings(["--database="], {"DB_NAME": "mysql"}).database.startswith("mysql:")


@pytest.mark.parametrize(("value", "initialize"), [("false", True), ("true", False), ("0", False)])
def test_anything_but_false_skips_the_initialization(value: str, *, initialize: bool) -> None:
    assert read_settings((), {"SKIP_DB_INITIALIZATION": value}).initialize is initialize


@pytest.mark.parametrize(
    ("argv", "environ", "words"),
    [
        (["--databse", "x"], {}, 'unknown flag "--databse"; did you mean "--database"'),
        (["sqlite:///x"], {}, '"sqlite:///x" is not a flag'),
        (["--database"], {}, "flag --database has no value; write --database URL"),
        (["--listen", "6789"], {}, '--listen: "6789" is not an address; write HOST:PORT, as in 127.0.0.1:6789'),
        (["--listen", "localhost:99999"], {}, '--listen: "localhost:99999" is not an address'),
        (["--listen", "http://localhost:1"], {}, "is not an address"),
        (["--metrics-listen", "none"], {}, '--metrics-listen: "none" is not an address'),
        (["--connect-timeout", "60"], {}, '--connect-timeout: "60" is not a duration'),
        (["--grace", "-1s"], {}, '--grace: "-1s" must not be negative'),
        (["--max-reply", "4MiB"], {}, '--max-reply: "4MiB" is not a whole number from 1 to 2147483647'),
        (["--max-reply", "0"], {}, "--max-reply"),
        (["--tls-cert", "c"], {}, "--tls-key is missing"),
        (["--tls-client-ca", "c"], {}, "--tls-cert is missing"),
        ([], {"DB_NAME": "postgresql"}, 'DB_NAME: "postgresql" is not a known database; write mysql or postgres'),
        ([], {"DB_NAME": "mysql", "KATIB_MYSQL_DB_PORT": "tcp://10.0.0.1:3306"}, "KATIB_MYSQL_DB_PORT"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_that_says_what_to_do(
    argv: list[str], environ: dict[str, str], words: str
) -> None:
    with pytest.raises((UserError, SetupError)) as refused:
        read_settings(argv, environ)

    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


TLS = ("--tls-cert", "c", "--tls-key", "k")


def test_without_a_flag_every_caller_is_allowed() -> None:
    assert read_settings((), {}).access.mode is Mode.OFF


@pytest.mark.parametrize("mode", ["permissive", "required"])
def test_tokens_need_tls_and_keys(mode: str) -> None:
    with pytest.raises(SetupError, match=f"--auth {mode} needs --tls-cert"):
        read_settings(("--auth", mode, "--auth-keys", "k"), {})
    with pytest.raises(SetupError, match=f"--auth {mode} needs --auth-keys"):
        read_settings(("--auth", mode, *TLS), {})
    assert read_settings(("--auth", mode, "--auth-keys", "k", *TLS), {}).access.mode == mode


def test_a_second_port_without_tls_needs_a_first_one_with_tls() -> None:
    with pytest.raises(SetupError, match="--plain-listen needs --tls-cert"):
        read_settings(("--plain-listen", "127.0.0.1:0"), {})


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("--auth", "on"), '--auth: "on" is unknown; write one of off, permissive, required'),
        (("--auth-managers", "controller"), '--auth-managers: "controller" is not a service acc'),
        (("--auth-managers", "a/b,*/c"), '--auth-managers: "\\*/c" is not a service account'),
    ],
)
def test_a_wrong_value_of_access_is_explained(argv: tuple[str, ...], why: str) -> None:
    with pytest.raises(UserError, match=why):
        read_settings(argv, {})
