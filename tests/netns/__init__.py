"""The lab: real networks out of Linux network namespaces, described by short ``scenario.toml`` files.

Start with ``README.md`` beside this file. Nothing here is imported by netdiag itself, and no packet of a lab ever
leaves the machine: every address lives in a network namespace that the lab made for itself.
"""
