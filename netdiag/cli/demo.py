"""``netdiag demo``: the main job on this machine alone. What it shows is in ``netdiag.demo``."""

import importlib
import importlib.util

from netdiag.cli.problem import usage


def demo(scenario: str | None, *, list_only: bool) -> int:
    """Play ``scenario`` (the default one when None), or list them; the exit code is the demo's."""
    if importlib.util.find_spec("netdiag.demo") is None:
        raise usage("the demo is not available yet in this version")
    code: int = importlib.import_module("netdiag.demo").main(scenario, list_only=list_only)
    return code
