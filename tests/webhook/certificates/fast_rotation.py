"""`python -m webhook` with a rotation of its certificate that takes seconds.

A certificate's successor is begun five seconds after it was made itself; the assumptions of the
rotation are as tight as a busy machine allows.
"""

from __future__ import annotations

import os
import sys
from functools import partial

from webhook import app
from webhook.__main__ import main
from webhook.certificates.rotation import Timing
from webhook.certificates.self_signed import SelfSignedCertificate

PERIOD = float(os.environ.get("ROTATION_SECONDS", "5"))
TIMING = Timing(
    lifetime=3600, renew=3600 - PERIOD, settle=0.4 * PERIOD, skew=0.02 * PERIOD, look=0.1
)

if __name__ == "__main__":
    # The only difference from the real program.
    setattr(app, "SelfSignedCertificate", partial(SelfSignedCertificate, timing=TIMING))  # noqa: B010 - mypy would object
    sys.exit(main(sys.argv[1:]))
