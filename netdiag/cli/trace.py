"""``netdiag trace``: the walk alone, for engineers."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from netdiag.cli.output import put
from netdiag.cli.problem import ExitCode, Problem, usage
from netdiag.cli.url import parse_url
from netdiag.evidence.addresses import family_of
from netdiag.facts import derive
from netdiag.reports.trace import trace_json, trace_text

if TYPE_CHECKING:
    from netdiag.probes.trace import Tracing


@dataclass(frozen=True, kw_only=True)
class Flags:
    """What was asked for."""

    protocol: Literal["tcp", "udp", "icmp"]
    family: Literal[4, 6] | None
    flows: int | None
    raw: bool
    deep: bool
    budget_s: int
    format: Literal["text", "json"]


def trace(target: str, flags: Flags) -> ExitCode:
    """Walk to ``target`` and tell. Like traceroute it asks nobody: it sends to the host that it was given, and no
    login, no name and no page is asked for there."""
    typed = parse_url(target)
    host, port = typed.target.host, typed.target.port
    if typed.target.is_literal and flags.family not in {None, family_of(host)}:
        raise usage(f"{host} is not an IPv{flags.family} address")

    from netdiag.probes import trace as probes  # noqa: PLC0415  # wrong usage is told before all this is loaded

    try:
        address = host if typed.target.is_literal else probes.resolve(host, flags.family)[0]
    except (OSError, IndexError):
        version = f"IPv{flags.family} " if flags.family else ""
        raise Problem(f"this machine finds no {version}address for {host}", ExitCode.FAILED) from None
    tracing = probes.Tracing(
        probes.TraceRequest(
            host=host,
            address=address,
            port=port,
            protocol=flags.protocol,
            flows=flags.flows,
            raw=flags.raw,
            deep=flags.deep,
            budget_s=flags.budget_s,
        )
    )
    with _shown(tracing):
        tracing.run()
    bundle = tracing.bundle()
    facts = derive(bundle)
    put(trace_json(bundle, facts) if flags.format == "json" else trace_text(bundle, facts))
    return ExitCode.INTERRUPTED if tracing.interrupted == "signal" else ExitCode.DONE


@contextmanager
def _shown(tracing: "Tracing") -> Iterator[None]:
    """On a terminal the table grows on stderr while the block runs, and is gone after it."""
    if not sys.stderr.isatty():
        yield
        return
    from netdiag.cli.trace_screen import TraceScreen  # noqa: PLC0415  # rich is for terminals alone

    with TraceScreen(tracing):
        yield
