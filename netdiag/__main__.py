"""The command ``netdiag``. Its version is told before anything else is loaded."""

import sys

from netdiag import __version__


def main() -> int:
    """Run the command line; the exit code is that of the contract in README.md."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"netdiag {__version__}\n")
        return 0
    from netdiag.cli.app import run  # noqa: PLC0415  # --version answers without loading it

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
