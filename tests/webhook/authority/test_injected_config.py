"""The injection gets the authorities that fit the DB manager's address."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.polling import beside, eventually
from tests.webhook.authority.authority_secrets import NOW
from tests.webhook.running_webhook import Settings
from webhook.authority.authorities import make_authority
from webhook.authority.injected_config import InjectedConfig
from webhook.authority.mounted import MountedAuthorities
from webhook.model.config import Config

CERT, OTHER = (make_authority(NOW, 1e6).cert for _ in range(2))


@dataclass
class Known:
    """Authorities of one host."""

    host: str = "katib-db-manager.kubeflow"
    bundle: str = CERT
    trouble: str = ""

    def bundle_for(self, host: str) -> str:
        return self.bundle if host == self.host else ""

    issued_to = bundle_for

    async def run(self) -> None:
        return


def test_the_settings_have_the_authorities_of_the_address() -> None:
    known = Known()
    config = InjectedConfig(Settings(), known)

    assert config.config.db_manager_ca == CERT
    assert config.config is config.config
    known.bundle = OTHER
    assert config.config.db_manager_ca == OTHER


def test_another_db_manager_gets_no_token_from_here() -> None:
    base = Settings(config=Config(db_manager="elsewhere.example:6789"))

    assert InjectedConfig(base, Known()).config is not None
    assert InjectedConfig(base, Known()).config.db_manager_ca == ""


def test_authorities_in_katib_config_win() -> None:
    base = Settings(config=Config(db_manager_ca=OTHER, suggestion_ca=OTHER))

    assert InjectedConfig(base, Known()).config is base.config


def test_the_suggestion_service_gets_tokens_over_tls_if_its_certificate_is_from_here() -> None:
    known = Known(host="trialwatch-suggestion.kubeflow")
    config = InjectedConfig(Settings(), known).config
    assert (config.db_manager_ca, config.suggestion_ca) == ("", CERT)

    base = Settings(config=Config(suggestion_ca=OTHER))
    assert InjectedConfig(base, known).config is base.config


def test_the_file_for_the_db_manager_is_not_for_the_suggestion_service(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text(CERT)
    known = MountedAuthorities(tmp_path / "ca.crt")
    config = InjectedConfig(Settings(), known).config

    assert (config.db_manager_ca, config.suggestion_ca) == (CERT, "")


def test_no_pod_is_injected_before_the_authorities_are_known() -> None:
    known = Known(trouble="not looked up yet")

    assert InjectedConfig(Settings(), known).trouble == "not looked up yet"
    assert InjectedConfig(Settings(trouble="no settings"), known).trouble == "no settings"


def test_the_suggestion_service_has_a_file_of_its_own(tmp_path: Path) -> None:
    store, search = tmp_path / "store.crt", tmp_path / "search.crt"
    store.write_text(CERT)

    known = MountedAuthorities(store, search)
    assert "--suggestion-ca" in known.trouble
    search.write_text(OTHER)
    known.look()

    assert known.trouble == ""
    assert (known.bundle_for("a"), known.issued_to("b")) == (CERT, OTHER)
    assert MountedAuthorities(store).issued_to("b") == ""


async def test_a_file_is_read_again_and_its_last_valid_text_stays(tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    known = MountedAuthorities(file, look_seconds=0.01)
    assert "--db-manager-ca" in known.trouble

    async with beside(known.run()):
        file.write_text(CERT)
        await eventually(lambda: known.bundle_for("any") == CERT)
        assert known.trouble == ""
        file.write_text("nonsense")
        known.look()
        assert (known.bundle_for("any"), known.trouble) == (CERT, "")
        file.write_text(CERT + OTHER)
        await eventually(lambda: known.bundle_for("any") == CERT + OTHER)
