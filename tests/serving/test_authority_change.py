"""A program ends when the authorities that it trusts have changed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from serving.authority_change import until_authorities_change
from serving.client_security import ClientSecurity


async def ends(file: Path, *texts: str | None) -> bool:
    """Return whether the program ends while the file has these contents, one after the other."""
    waiting = asyncio.create_task(
        until_authorities_change(ClientSecurity(), ClientSecurity(ca=file), look_seconds=0.001)
    )
    try:
        for text in texts:
            await asyncio.sleep(0.05)
            if text is None:
                file.unlink()
            else:
                file.write_text(text)
        async with asyncio.timeout(0.2):
            await asyncio.shield(waiting)
    except TimeoutError:
        return False
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    return True


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ca.crt"
    path.write_text("old")
    return path


async def test_a_changed_file_ends_it(file: Path) -> None:
    assert await ends(file, "old new")


@pytest.mark.parametrize("texts", [(), ("old",), (None,), ("",), ("", "old")])
async def test_the_same_content_an_empty_and_a_missing_file_do_not(
    file: Path, texts: tuple[str | None, ...]
) -> None:
    assert not await ends(file, *texts)


async def test_a_file_that_comes_back_changed_ends_it(file: Path) -> None:
    assert await ends(file, None, "new")


async def test_a_file_that_is_being_written_ends_it_once_it_stays(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([b"old", b"", b"", b"n", b"ne", None, b"ne", b"new", b"new"])
    monkeypatch.setattr("serving.authority_change._read", lambda _: next(looks))

    await until_authorities_change(ClientSecurity(), ClientSecurity(ca=file), look_seconds=0)

    assert list(looks) == []


async def test_a_program_without_tls_waits_for_ever() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await until_authorities_change(ClientSecurity(), look_seconds=0.001)
