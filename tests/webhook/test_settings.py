"""The command line of `python -m webhook`, and its variables."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from api.errors import SetupError, UserError
from serving.addresses import Address
from webhook.certificates.issued import Service
from webhook.settings import Settings, read_settings

MOUNTED = ["--cert-dir", "/certs"]
SELF_SIGNED = ["--self-signed", "--service", "trialwatch-webhook.kubeflow"]


def test_all_but_the_certificate_may_be_left_out() -> None:
    assert read_settings(MOUNTED, {}) == Settings(cert_dir=Path("/certs"))


def test_the_design_s_own_command_line_is_taken() -> None:
    line = "--listen 0.0.0.0:8443 --self-signed --service hook.ns --kubeconfig F"

    assert read_settings(line.split(), {}) == Settings(
        self_signed=True, service=Service(name="hook", namespace="ns"), kubeconfig=Path("F")
    )


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--listen", "127.0.0.1:9443"], {"listen": Address(host="127.0.0.1", port=9443)}),
        (["--plain-listen", ":8080"], {"plain_listen": Address(host="::", port=8080)}),
        (["--plain-listen", "off"], {"plain_listen": None}),
        (["--katib-config=/etc/katib.yaml"], {"katib_config": Path("/etc/katib.yaml")}),
        (["--db-manager-ca", "ca.crt"], {"db_manager_ca": Path("ca.crt")}),
        (
            ["--db-manager-ca", "a", "--suggestion-ca", "b"],
            {"db_manager_ca": Path("a"), "suggestion_ca": Path("b")},
        ),
        (
            ["--issue-for", "store.ns, search.ns"],
            {
                "issue_for": (
                    Service(name="store", namespace="ns"),
                    Service(name="search", namespace="ns"),
                )
            },
        ),
        (["--linger", "0s"], {"linger": timedelta(0)}),
        (["--grace", "1m"], {"grace": timedelta(minutes=1)}),
        (["--log-level", "debug"], {"log_level": logging.DEBUG}),
        (["--port-file", "port"], {"port_file": Path("port")}),
        (["--log-level", "debug", "--log-level", "error"], {"log_level": logging.ERROR}),
    ],
)
def test_each_flag_sets_one_setting(words: list[str], wanted: dict[str, object]) -> None:
    given = read_settings([*MOUNTED, *words], {})

    assert {name: getattr(given, name) for name in wanted} == wanted


@pytest.mark.parametrize("text", ["hook.ns", "hook.ns.svc"])
def test_a_service_is_named_as_the_cluster_names_it(text: str) -> None:
    given = read_settings(["--self-signed", "--service", text], {})

    assert given.service == Service(name="hook", namespace="ns")


def test_katibs_variables_choose_namespace_and_db_manager() -> None:
    environ = {"KATIB_CORE_NAMESPACE": "katib", "HOME": "/", "KATIB_DB_MANAGER_SERVICE_PORT": "1"}

    given = read_settings(MOUNTED, environ)

    assert given.core_namespace == "katib"
    assert given.environment == {
        "KATIB_CORE_NAMESPACE": "katib",
        "KATIB_DB_MANAGER_SERVICE_PORT": "1",
    }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "either --cert-dir DIR, .* or --self-signed"),
        ([*MOUNTED, *SELF_SIGNED], "not both"),
        (["--self-signed"], "--self-signed needs --service"),
        (["--self-signed=false"], "either --cert-dir"),
        ([*MOUNTED, "--issue-for=a.b", "--db-manager-ca=c"], "either --issue-for or --db"),
        ([*MOUNTED, "--suggestion-ca=c"], "--suggestion-ca needs --db-manager-ca"),
    ],
)
def test_a_certificate_must_come_from_somewhere(words: list[str], says: str) -> None:
    with pytest.raises(SetupError, match=says):
        read_settings(words, {})


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--self-signed=maybe"], "--self-signed: .*maybe"),
        (["--service", "hook"], "--service: .*hook.* NAME.NAMESPACE"),
        (["--service", "a.b.c"], "--service: .*a.b.c"),
        (["--service", ".ns"], "--service: "),
        (["--issue-for", "a.b,c"], "--issue-for: .*c.* NAME.NAMESPACE"),
        (["--listen", "8443"], "--listen: .*8443"),
        (["--linger", "-1s"], "--linger: "),
        (["--grace", "soon"], "--grace: "),
        (["--log-level", "loud"], "--log-level: .*loud.* debug, info, warning, error"),
        (["--lisen", ":1"], "unknown flag .*--listen"),
        (["run"], "is not a flag"),
    ],
)
def test_an_invalid_value_is_named(words: list[str], says: str) -> None:
    with pytest.raises(UserError, match=says):
        read_settings([*MOUNTED, *words], {})
