"""The command line of `python -m controller`, and its variables."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from api.errors import SetupError, UserError
from controller.reconcile.views import Policy
from controller.settings import Settings, read_settings
from kube.leader_election import LeaseTimes
from serving.addresses import Address
from serving.client_security import ClientSecurity


def test_all_may_be_left_out() -> None:
    assert read_settings([], {}) == Settings()


def test_each_default_is_that_of_the_policy() -> None:
    assert read_settings([], {}).policy == Policy()


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--kubeconfig", "F"], {"kubeconfig": Path("F")}),
        (["--namespace", "team-1"], {"namespace": "team-1"}),
        (["--katib-config=/etc/katib.yaml"], {"katib_config": Path("/etc/katib.yaml")}),
        (["--db-manager", "db.ns:1"], {"db_manager": "db.ns:1"}),
        (["--suggestion", "search.ns:2"], {"suggestion": "search.ns:2"}),
        (["--listen", "127.0.0.1:1"], {"listen": Address(host="127.0.0.1", port=1)}),
        (["--leader-elect=false"], {"leader_elect": False}),
        (["--leader-elect"], {"leader_elect": True}),
        (
            ["--leader-elect-lease-duration", "30s"],
            {"lease_times": LeaseTimes(duration=30)},
        ),
        (
            ["--leader-elect-renew-deadline=8s", "--leader-elect-retry-period=1s"],
            {"lease_times": LeaseTimes(renew_deadline=8, retry=1)},
        ),
        (["--metrics-grace", "5m"], {"policy": Policy(metrics_grace=timedelta(minutes=5))}),
        (["--metrics-poll", "2s"], {"policy": Policy(metrics_poll=timedelta(seconds=2))}),
        (["--live-interval", "0s"], {"policy": Policy(live_interval=None)}),
        (["--pending-patience", "9s"], {"policy": Policy(pending_patience=timedelta(seconds=9))}),
        (["--stop-grace", "1s"], {"policy": Policy(stop_grace=timedelta(seconds=1))}),
        (["--deletion-grace", "0s"], {"policy": Policy(deletion_grace=timedelta(0))}),
        (["--start-deadline", "1h"], {"policy": Policy(start_deadline=timedelta(hours=1))}),
        (["--start-deadline", "0s"], {"policy": Policy(start_deadline=None)}),
        (["--room-deadline", "2h"], {"policy": Policy(room_deadline=timedelta(hours=2))}),
        (["--template-retry", "1m"], {"policy": Policy(template_retry=timedelta(minutes=1))}),
        (["--stop-at-end=false"], {"policy": Policy(stop_at_end=False)}),
        (["--grace", "1m"], {"grace": timedelta(minutes=1)}),
        (["--log-level", "debug"], {"log_level": logging.DEBUG}),
        (["--port-file", "port"], {"port_file": Path("port")}),
        (
            ["--db-manager-ca", "ca", "--db-manager-token", "t"],
            {"db_manager_security": ClientSecurity(ca=Path("ca"), token=Path("t"))},
        ),
        (
            ["--suggestion-ca", "ca", "--suggestion-token", "t"],
            {
                "suggestion_security": ClientSecurity(
                    flags="--suggestion", ca=Path("ca"), token=Path("t")
                )
            },
        ),
    ],
)
def test_each_flag_says_one_thing(words: list[str], wanted: dict[str, object]) -> None:
    given = read_settings(words, {})

    assert {name: getattr(given, name) for name in wanted} == wanted


def test_katibs_variables_choose_namespace_and_services() -> None:
    given = read_settings([], {"KATIB_CORE_NAMESPACE": "katib", "HOME": "/"})

    assert given.core_namespace == "katib"
    assert given.usual_db_manager == "katib-db-manager.katib:6789"
    assert given.suggestion == "trialwatch-suggestion.katib:6789"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--namespace", "Team"], "--namespace: .* is not the name of a namespace"),
        (["--db-manager", "db"], "--db-manager: .* is not an address"),
        (["--leader-elect=maybe"], "--leader-elect: "),
        (["--leader-elect-lease-duration", "5s"], "--leader-elect-lease-duration must be"),
        (["--leader-elect-retry-period", "6s"], "more than twice --leader-elect-retry-period"),
        (["--leader-elect-retry-period", "0s"], "--leader-elect-lease-duration must be"),
        (["--template-retry", "0s"], "--template-retry: 0s would ask again without a pause"),
        (["--metrics-grace", "-1s"], "--metrics-grace: .* must not be negative"),
        (["--log-level", "loud"], "--log-level: "),
        (["--leader-election"], "unknown flag"),
    ],
)
def test_what_means_nothing_is_refused_and_named(words: list[str], says: str) -> None:
    with pytest.raises(UserError, match=says):
        read_settings(words, {})


def test_a_token_is_never_sent_without_tls() -> None:
    with pytest.raises(SetupError, match="--db-manager-token needs --db-manager-ca"):
        read_settings(["--db-manager-token", "t"], {})
    with pytest.raises(SetupError, match="--suggestion-token needs --suggestion-ca"):
        read_settings(["--suggestion-token", "t"], {})
