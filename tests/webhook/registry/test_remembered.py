from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from webhook.registry.lru_cache import Remembered


def test_a_value_is_good_until_its_moment_and_old_afterwards() -> None:
    memory = Remembered[str, int](8)
    memory.put("tag", 1, until=10.0)

    assert memory.get("tag", 9.9) == 1
    assert memory.get("tag", 10.0) is None
    assert memory.get_old("tag") == 1
    assert memory.get_old("another") is None


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9))), st.integers(1, 4))
def test_the_least_recently_used_goes_first(uses: list[tuple[bool, int]], most: int) -> None:
    memory = Remembered[int, str](most)
    model: list[int] = []  # keys, the most recently used last
    for puts, key in uses:
        if puts:
            memory.put(key, str(key))
        found = memory.get(key, 0.0)
        assert (found is not None) == (puts or key in model)
        if puts or key in model:
            model = [*(one for one in model if one != key), key][-most:]
    assert len(memory) == len(model)
