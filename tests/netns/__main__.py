"""``python -m tests.netns``: run a scenario by hand. See README.md."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from tests.netns import scenario as scenarios
from tests.netns.lab import Lab, missing
from tests.netns.namespaces import LabError
from tests.netns.networks import NETWORKS


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.netns", description="The network lab.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every scenario with its title")
    run = commands.add_parser("run", help="bring a scenario up; then a command after --, or a shell, inside it")
    run.add_argument("scenario", help="a folder of bundles/, or a path to a scenario.toml")
    run.add_argument("--network", choices=sorted(NETWORKS), default="home")
    run.add_argument("--role", default="customer", help="which machine to be on (default: customer)")
    run.add_argument("--privileged", action="store_true", help="keep the capabilities of root")
    run.add_argument("--shell", action="store_true", help="a shell (the default without a command)")
    run.add_argument("--quiet", action="store_true", help="no word of the lab's own")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Run the command line; returns the exit status (that of the command inside, where there is one)."""
    inside: list[str] = []
    if "--" in argv:
        at = argv.index("--")
        argv, inside = argv[:at], argv[at + 1 :]
    arguments = _arguments(argv)
    if arguments.command == "list":
        for name in scenarios.names():
            print(f"{name:45} {scenarios.load(name).title}")
        return 0
    reason = missing()
    if reason is not None:
        print(f"no lab here: {reason}", file=sys.stderr)
        return 1
    try:
        return _run(arguments, inside)
    except (LabError, scenarios.ScenarioError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(arguments: argparse.Namespace, inside: list[str]) -> int:
    began = time.monotonic()
    with Lab.load(arguments.scenario, network=arguments.network) as lab:
        if not arguments.quiet:
            print(
                f"lab: {lab.name} on {lab.network}, up in {time.monotonic() - began:.2f} s; "
                f"URL {lab.url}; logs and configuration in {lab.run_folder}",
                file=sys.stderr,
            )
        command = (
            inside
            if inside and not arguments.shell
            else [os.environ.get("SHELL", "/bin/sh"), *(["-i"] if sys.stdin.isatty() else [])]
        )
        with lab.popen(arguments.role, command, ordinary=not arguments.privileged) as process:
            while True:
                try:
                    return process.wait()
                except KeyboardInterrupt:  # the program inside got it too and decides itself
                    continue
                except subprocess.SubprocessError:
                    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
