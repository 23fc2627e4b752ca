"""Markdown tables: cells, code and rows."""

from __future__ import annotations

from collections.abc import Iterable


def row(*cells: str) -> str:
    """Write a row; a bar in a cell stays in the cell."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def code(text: str) -> str:
    """Write a text as code."""
    return f"`{text}`"


def joined(parts: Iterable[str]) -> str:
    """Join the parts of a cell."""
    return "; ".join(parts)
