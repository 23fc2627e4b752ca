"""An entry of Katib's webhook configuration that steps aside, and comes back."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trialwatch.migration.katib_webhooks import (
    ASIDE,
    EXPERIMENT_ENTRIES,
    POD_ENTRIES,
    are_aside,
    set_aside,
)

LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"), min_size=1)
EXPRESSION = st.fixed_dictionaries({"key": st.sampled_from("abc"), "operator": st.just("Exists")})
SELECTORS = st.fixed_dictionaries(
    {},
    optional={"matchLabels": LABELS, "matchExpressions": st.lists(EXPRESSION, min_size=1)},
)
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from((*POD_ENTRIES, *EXPERIMENT_ENTRIES, "other.example")),
            "namespaceSelector": SELECTORS,
        }
    )
)


@given(ENTRIES)
def test_what_stepped_aside_comes_back_as_katib_wrote_it(entries: list[Any]) -> None:
    written: Any = {"metadata": {"name": "katib.kubeflow.org"}, "webhooks": entries}

    aside = set_aside(written, POD_ENTRIES, aside=True)

    assert are_aside(aside, POD_ENTRIES)
    assert set_aside(aside, POD_ENTRIES, aside=True) == aside
    assert set_aside(aside, POD_ENTRIES, aside=False) == written


def test_the_expression_matches_no_namespace_because_each_has_this_label() -> None:
    selector = {"matchLabels": {"a": "b"}}
    written: Any = {"webhooks": [{"name": POD_ENTRIES[0], "namespaceSelector": selector}]}

    aside: Any = set_aside(written, POD_ENTRIES, aside=True)

    expected = {**selector, "matchExpressions": [ASIDE]}
    assert aside["webhooks"][0]["namespaceSelector"] == expected
    assert ASIDE == {"key": "kubernetes.io/metadata.name", "operator": "DoesNotExist"}
