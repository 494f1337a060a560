"""``netdiag demo``: the main job on this machine alone. What it shows is in ``netdiag.cli.demo``."""

import importlib

from netdiag.cli.problem import usage


def play(scenario: str | None, *, list_only: bool) -> int:
    """Play ``scenario`` (the default one when None), or list them; the exit code is the demo's."""
    main = getattr(importlib.import_module("netdiag.cli.demo"), "main", None)
    if main is None:
        raise usage("the demo is not available yet in this version")
    code: int = main(scenario, list_only=list_only)
    return code
