"""With which variables MLflow's client in a trainer finds the sidecar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from api import names
from api.types import JsonObject
from webhook.model.pods import Container

_LOOPBACK = "127.0.0.1"
_PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_EXCEPTIONS = ("NO_PROXY", "no_proxy")


def mlflow_variables(trainer: Container, address: str) -> Iterator[JsonObject]:
    """Yield the variables with which MLflow's client in the trainer finds the sidecar.

    `address` is the sidecar's, `HOST:PORT`. A proxy of the image, or of a ConfigMap, is unknown
    here.
    """
    yield {"name": names.MLFLOW_TRACKING_URI_ENV, "value": f"http://{address}"}
    for name, value in proxy_exceptions(trainer.variables).items():
        yield {"name": name, "value": value}


def proxy_exceptions(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep requests to 127.0.0.1 away from a proxy, as far as they lack.

    Programs read one of the two, so each gets what the other has.
    """
    hosts = next((variables[name] for name in _EXCEPTIONS if variables.get(name)), "")
    if not hosts and not any(name in variables for name in _PROXIES):
        return {}
    changed = {}
    for name in _EXCEPTIONS:
        if variables.get(name) == "":
            continue  # its value is elsewhere
        listed = variables.get(name) or hosts
        if _LOOPBACK not in map(str.strip, listed.split(",")):
            listed = f"{listed},{_LOOPBACK}".lstrip(",")
        if listed != variables.get(name):
            changed[name] = listed
    return changed
