"""The API does what its OpenAPI document says, whatever it is asked."""

from __future__ import annotations

from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.browser.conftest import Pages

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 30


def test_each_operation_answers_as_its_document_says(pages: Pages) -> None:
    headers = {"Authorization": f"Bearer {pages.token}", "X-Trialwatch": "1"}
    found = requests.get(f"{pages.base}/api/v1/openapi.json", headers=headers, timeout=60)
    schema = schemathesis.openapi.from_dict(found.json())
    names = []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        names.append(operation.definition.raw["operationId"])

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def call(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(base_url=pages.base, headers=headers, checks=CHECKS)

        call()

    assert "getCurves" in names
    assert "tryMetricsFormat" in names


def test_each_operation_answers_for_a_real_experiment(pages: Pages) -> None:
    headers = {"Authorization": f"Bearer {pages.token}"}
    api = f"{pages.base}/api/v1"
    listed = requests.get(f"{api}/experiments", headers=headers, timeout=60).json()
    row = listed["experiments"][0]
    path = f"{api}/experiments/{row['namespace']}/{row['name']}"

    for part in ("", "/trials", "/importance", "/curves?metric=loss", "/yaml", "/trials.csv"):
        answer = requests.get(f"{path}{part}", headers=headers, timeout=60)
        assert answer.status_code == 200, part
    trial = f"{path}/trials/{row['best_trial']}"
    for part in ("", "/curves", "/log"):
        assert requests.get(f"{trial}{part}", headers=headers, timeout=60).status_code == 200, part
