"""The command line: flags -> one call -> print -> exit code. ``app`` knows the flags; one file per command the rest.

Nothing imports this package but ``netdiag.__main__``, tests and benchmarks. ``app`` loads the file of a command only
when that command runs, so that no command pays for what another needs.
"""
