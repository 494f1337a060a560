"""The test session's own walls: it runs in an empty network namespace, so that no test can reach any network.

Every lab is built inside that emptiness. Where the machine gives no network namespaces, tests marked ``lab`` are
skipped with the reason; with ``NETDIAG_LAB=required`` in the environment they fail instead.
"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.netns import kernel
from tests.netns import lab as labs
from tests.netns.lab import Lab

# No test asserts an absolute time: a busy machine makes any example slow.
hypothesis.settings.register_profile("netdiag", deadline=None)
hypothesis.settings.load_profile("netdiag")

LabFactory = Callable[..., Lab]

_REQUIRED = os.environ.get("NETDIAG_LAB") == "required"
_reason: dict[str, str | None] = {}


def pytest_configure(config: pytest.Config) -> None:
    """Leave the machine's network before any test is even collected (in every worker of pytest-xdist too)."""
    try:
        # A worker of pytest-xdist is born inside its controller's walls; having threads, it could not build its own.
        if not (os.environ.get("PYTEST_XDIST_WORKER") and _only_loopback()):
            uid = os.getuid()
            kernel.unshare_as_root(kernel.CLONE_NEWNET)
            if os.getuid() != uid:
                # In a user namespace everybody is "root", and pytest would want the real root's temporary folder.
                own = Path(tempfile.gettempdir(), f"netdiag-pytest-{uid}")
                own.mkdir(mode=0o700, exist_ok=True)
                os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(own))
            kernel.loopback_up()
        _reason["isolation"] = None
    except OSError as error:
        _reason["isolation"] = f"this machine gives no network namespaces: {error}"


def _only_loopback() -> bool:
    return [name for _, name in socket.if_nameindex()] == ["lo"]


def pytest_report_header() -> str:
    """Say which walls stand."""
    reason = _reason["isolation"]
    return "network: none but this session's own loopback" if reason is None else f"network: NOT isolated, {reason}"


def _refusal() -> str | None:
    """Why lab tests cannot run here; asked once."""
    if "lab" not in _reason:
        _reason["lab"] = _reason["isolation"] or labs.missing()
    return _reason["lab"]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip (or fail) lab tests where there is no lab, and root tests where nobody is root."""
    if item.get_closest_marker("lab") is not None:
        reason = _refusal()
        if reason is not None and _REQUIRED:
            pytest.fail(f"NETDIAG_LAB=required, but {reason}", pytrace=False)
        if reason is not None:
            pytest.skip(reason)
    if item.get_closest_marker("root") is not None and not _is_real_root():
        pytest.skip("needs real root, not a user namespace")


def _is_real_root() -> bool:
    """Root who may become anybody: uid 0 with more than one uid mapped (user_namespaces(7))."""
    mapped = sum(int(line.split()[2]) for line in Path("/proc/self/uid_map").read_text().splitlines())
    return os.geteuid() == 0 and mapped > 1


@pytest.fixture
def lab() -> Iterator[LabFactory]:
    """Opens labs that end with the test: ``lab("healthy", network="office")`` or ``lab(toml="…", network="home")``."""
    with contextlib.ExitStack() as stack:

        def open_lab(name: str = "test", *, network: str = "home", toml: str | None = None) -> Lab:
            made = Lab.load(name, network=network) if toml is None else Lab(name, toml, network=network)
            return stack.enter_context(made)

        yield open_lab
