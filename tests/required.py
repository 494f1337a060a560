"""What a test needs of the machine: without it the test is left out, and fails where everything is required.

``NETDIAG_LAB=required`` says that everything is (``.ci/run``): there a test that was left out would count as good.
"""

import os
import shutil
from typing import NoReturn

import pytest

REQUIRED = os.environ.get("NETDIAG_LAB") == "required"


def needs(tool: str) -> pytest.MarkDecorator:
    """The test runs ``tool``. Where all is required it is run without looking, and fails by itself."""
    return pytest.mark.skipif(shutil.which(tool) is None and not REQUIRED, reason=f"{tool} is not installed")


def leave_out(reason: str) -> NoReturn:
    """This machine does not show what the test is about."""
    if REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)
