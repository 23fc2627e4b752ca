"""`python -m tests.architecture`: each folder of the tree, and the folders that it imports.

`python -m tests.architecture summary` draws the map's second half in ARCHITECTURE.md.
"""

from __future__ import annotations

import sys

from tests.architecture.imports import summary, table

sys.stdout.write(summary() if sys.argv[1:] == ["summary"] else table())
