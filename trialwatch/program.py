"""`python -I -m trialwatch.program MODULE ...`: one of our modules, as `python -m MODULE ...`.

`python -m MODULE` itself does not find the modules of an installed trialwatch (`own_packages`).
"""

from __future__ import annotations

import runpy
import sys

from trialwatch import own_packages  # noqa: F401 - finds the module

if __name__ == "__main__":
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
