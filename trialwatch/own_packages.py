"""Imported for its effect: the packages of trialwatch come first on `sys.path` of this process.

An installed trialwatch has one package at the top, so a user's project may have packages with the
names of the others (`api`, `filters`, `collector`): the others are below `trialwatch/_packages`. In
a clone they are at the top of the repository.

Entry points import this module before any other of our packages. No module that a user imports may
import it, and it changes nothing outside of this process.
"""

from __future__ import annotations

import os.path
import sys
from typing import Final

_HERE = os.path.dirname(os.path.abspath(__file__))
_INSTALLED = os.path.join(_HERE, "_packages")

FOLDER: Final = _INSTALLED if os.path.isdir(_INSTALLED) else os.path.dirname(_HERE)
"""The directory of the packages."""

if sys.path[:1] != [FOLDER]:
    sys.path.insert(0, FOLDER)
