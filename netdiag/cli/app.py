"""The flags of every command, and how each way of ending becomes an exit code.

The body of a command is in its own file and loaded only when it runs: analysing a bundle must not load what measures,
nor ``--help`` either of them.
"""
# ruff: noqa: PLC0415, PLR0917, A002 - lazy on purpose; arguments are flags, typer passes them by their names

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from netdiag import __version__
from netdiag.cli.output import complain
from netdiag.cli.problem import ExitCode, Problem

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 80}
_CLICK_ERROR = typer.BadParameter.__mro__[2]
"""Click's base of wrong usage, which typer carries along without a public name."""

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=_HELP,
    help="""
Find out which side of a connection is at fault, with evidence.

A customer runs `netdiag collect URL` and sends the bundle that it writes. Support runs `netdiag analyze BUNDLE` and
reads which side is at fault, what shows it and what to answer.
""",
    epilog="""
Exit codes: 0 done (collect: a bundle was written; analyze: a verdict, also inconclusive), 1 nothing could be written,
2 wrong usage, 3 unreadable, unsigned or newer bundle, 4 a signature, hash or the trust asked for does not hold,
130 and 143 interrupted.
""",
)

BundlePath = Annotated[
    Path, typer.Argument(metavar="BUNDLE", help="A bundle: the .zip file, or the folder it was unpacked into.")
]
Trust = Annotated[
    Path | None,
    typer.Option("--trust", metavar="FILE", help="Trust only keys of this OpenSSH allowed-signers file."),
]
Ticket = Annotated[
    str | None, typer.Option("--ticket", metavar="ID", help="The ticket that the bundle should have been made for.")
]
Profile = Annotated[
    Path | None,
    typer.Option(
        "--profile",
        metavar="FILE",
        help="What the vendor says of its own service: endpoints, networks, hosts to compare with (TOML).",
    ),
]
PlainFormat = Annotated[Literal["text", "json"], typer.Option("--format", help="How to print the result.")]


@app.callback(invoke_without_command=True)
def _netdiag(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        sys.stdout.write(f"netdiag {__version__}\n")
    elif context.invoked_subcommand is None:
        sys.stderr.write(context.get_help() + "\n")
        raise typer.Exit(ExitCode.USAGE)


@app.command(short_help="Measure why URL cannot be reached; write a bundle.")
def collect(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="What cannot be reached: http(s)://host[:port][/path], or a host.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar="PATH", help="Where to write the bundle.  [default: netdiag-<host>-<UTC>.zip]"
        ),
    ] = None,
    profile: Profile = None,
    ticket: Annotated[
        str | None, typer.Option("--ticket", metavar="ID", help="The support ticket; it is sealed into the bundle.")
    ] = None,
    rate_limit: Annotated[
        bool,
        typer.Option("--rate-limit", help="Measure how much the service lets pass, too: at most 30 quick requests."),
    ] = False,
    slow: Annotated[
        bool, typer.Option("--slow", help="Measure what is slow, too: a download of at most 1 MB of the URL.")
    ] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Send up to three times as many packets.")] = False,
    capture: Annotated[
        bool, typer.Option("--capture", help="Put the headers of this run's own packets into the bundle (needs root).")
    ] = False,
    via: Annotated[
        list[str] | None,
        typer.Option(
            "--via",
            metavar="WAY",
            help="Ask by a second way out, too: an interface, an own address, or a proxy (http://host:port).",
        ),
    ] = None,
    watch_recovery: Annotated[
        str | None,
        typer.Option(
            "--watch-recovery",
            metavar="DURATION",
            help="If it is refused, look seldom for that long (10m, 2h at most) when it works again.",
        ),
    ] = None,
    user_agent: Annotated[
        str | None,
        typer.Option("--user-agent", metavar="UA", help="The User-Agent of the program that is refused."),
    ] = None,
    budget: Annotated[
        int, typer.Option("--budget", metavar="SECONDS", min=5, max=600, help="Stop after this time.")
    ] = 60,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before measuring.")] = False,
    format: PlainFormat = "text",
) -> int:
    """Measure why URL cannot be reached, and write a signed bundle to send to support.

    Before it begins it lists what will be contacted and what the bundle will hold, and asks. Nothing is sent to
    anybody: the bundle stays on this machine until you send it.
    """
    from netdiag.cli import collect as command

    return command.collect(
        url,
        command.Flags(
            output=output,
            profile=profile,
            ticket=ticket,
            deep=deep,
            slow=slow,
            capture=capture,
            via=tuple(via or ()),
            watch_recovery=watch_recovery,
            user_agent=user_agent,
            budget_s=budget,
            yes=yes,
            format=format,
            rate_limit=rate_limit,
        ),
    )


@app.command(short_help="Repeat what failed in a bundle, later.")
def recheck(
    bundle: BundlePath,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar="PATH", help="Where to write the new bundle.  [default: netdiag-<host>-<UTC>.zip]"
        ),
    ] = None,
    profile: Profile = None,
    ticket: Annotated[
        str | None, typer.Option("--ticket", metavar="ID", help="The support ticket.  [default: that of BUNDLE]")
    ] = None,
    budget: Annotated[
        int, typer.Option("--budget", metavar="SECONDS", min=5, max=600, help="Stop after this time.")
    ] = 60,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before measuring.")] = False,
    format: PlainFormat = "text",
) -> int:
    """Repeat only what failed in BUNDLE, and write a new bundle that refers to it.

    Says of each address that failed whether it is still refused, works again, or fails in another way now.
    """
    from netdiag.cli import recheck as command

    return command.recheck(
        bundle,
        command.Flags(output=output, profile=profile, ticket=ticket, budget_s=budget, yes=yes, format=format),
    )


@app.command(short_help="Judge a bundle: which side is at fault, and why.")
def analyze(
    bundle: BundlePath,
    control: Annotated[
        list[Path] | None,
        typer.Option("--control", metavar="BUNDLE", help="A bundle of your own run for the same URL; may be repeated."),
    ] = None,
    profile: Profile = None,
    trust: Trust = None,
    ticket: Ticket = None,
    as_data: Annotated[
        Path | None,
        typer.Option(
            "--as-data",
            metavar="FILE",
            envvar="NETDIAG_AS_DATA",
            help="Your own file of whose addresses are, for the report.",
        ),
    ] = None,
    format: Annotated[
        Literal["text", "markdown", "html", "json"] | None,
        typer.Option("--format", help="How to print the report.  [default: by the name of --output, else text]"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="PATH", help="Write the report to this new file.")
    ] = None,
) -> None:
    """Judge a bundle: the side at fault, what shows it, what is ruled out, what to ask next, and a reply to send.

    Uses no network: the same bundle gives the same verdict on any machine.
    """
    from netdiag.cli import analyze as command

    command.analyze(
        bundle,
        control or (),
        profile=profile,
        trust=trust,
        ticket=ticket,
        as_data=as_data,
        format=format,
        output=output,
    )


@app.command(short_help="Check a bundle's signature; say what it proves.")
def verify(bundle: BundlePath, trust: Trust = None, ticket: Ticket = None, format: PlainFormat = "text") -> None:
    """Check a bundle's signature and hashes, and say what they prove and what they do not."""
    from netdiag.cli import verify as command

    command.verify(bundle, trust=trust, ticket=ticket, format=format)


@app.command(short_help="Say in words what is inside a bundle.")
def show(bundle: BundlePath, format: PlainFormat = "text") -> None:
    """Say in words what is inside a bundle: records, addresses and names, and what was removed."""
    from netdiag.cli import show as command

    command.show(bundle, format=format)


@app.command(short_help="List the faults that netdiag knows, or show one.")
def faults(
    code: Annotated[
        str | None, typer.Argument(metavar="CODE", help="A fault, or a group of them, such as host.block.")
    ] = None,
    format: PlainFormat = "text",
) -> None:
    """List the faults that netdiag knows, or show the page of one."""
    from netdiag.cli import faults as command

    command.faults(code, format=format)


@app.command(short_help="Walk the path to TARGET, router by router.")
def trace(
    target: Annotated[
        str,
        typer.Argument(metavar="TARGET[:PORT]", help="A host, an address, [v6]:port or a URL; port 443 by default."),
    ],
    flows: Annotated[
        int | None,
        typer.Option(
            "--flows",
            metavar="N",
            min=1,
            max=32,
            help="Send N flows to each router: equal paths.  [default: 1, and 8 around a silent end]",
        ),
    ] = None,
    protocol: Annotated[
        Literal["tcp", "udp", "icmp"], typer.Option("--protocol", help="What to send; tcp goes to the port.")
    ] = "tcp",
    ipv4: Annotated[bool, typer.Option("-4", help="IPv4 only.")] = False,
    ipv6: Annotated[bool, typer.Option("-6", help="IPv6 only.")] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Make and read the packets without the kernel (needs root).")
    ] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Send up to three times as many packets.")] = False,
    budget: Annotated[
        int, typer.Option("--budget", metavar="SECONDS", min=1, max=600, help="Stop after this time.")
    ] = 30,
    format: PlainFormat = "text",
) -> int:
    """Walk the path to TARGET: which routers answer, where it ends, and what that shows.

    Needs no privilege. Of TCP at most two SYNs reach the host (three times as many with --deep).
    """
    from netdiag.cli import trace as command

    return command.trace(
        target,
        command.Flags(
            protocol=protocol,
            family=_family(ipv4=ipv4, ipv6=ipv6),
            flows=flows,
            raw=raw,
            deep=deep,
            budget_s=budget,
            format=format,
        ),
    )


def _family(*, ipv4: bool, ipv6: bool) -> Literal[4, 6] | None:
    if ipv4 and ipv6:
        raise Problem("-4 and -6 exclude each other", ExitCode.USAGE)
    return 4 if ipv4 else 6 if ipv6 else None


@app.command(short_help="Find out how much URL lets pass, and what it refuses.")
def limits(
    url: Annotated[str, typer.Argument(metavar="URL", help="The service: http(s)://host[:port][/path], or a host.")],
    operator: Annotated[
        bool,
        typer.Option("--i-operate-this", help="You run this service: allow more, and up to six further refusals."),
    ] = False,
    expect: Annotated[
        str | None,
        typer.Option("--expect", metavar="LIMIT", help="What the limit is meant to be, such as '10r/s burst 20'."),
    ] = None,
    profile: Profile = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="PATH", help="Keep what was found in this new bundle, signed."),
    ] = None,
    ipv4: Annotated[bool, typer.Option("-4", "--ipv4", help="IPv4 only.")] = False,
    ipv6: Annotated[bool, typer.Option("-6", "--ipv6", help="IPv6 only.")] = False,
    budget: Annotated[
        int, typer.Option("--budget", metavar="SECONDS", min=5, max=3600, help="Stop after this time.")
    ] = 120,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before measuring.")] = False,
    format: PlainFormat = "text",
) -> int:
    """Find out how much URL lets pass: requests, connections, and both at the same time.

    It ends with the first refusal, unless you operate the service. The exit code is 0 where the limit is the one that
    you expect, and 1 where it is another, or was not found.
    """
    from netdiag.cli import limits as command

    return command.limits(
        url,
        command.Flags(
            budget_s=budget,
            operator=operator,
            expect=expect,
            profile=profile,
            yes=yes,
            format=format,
            family=_family(ipv4=ipv4, ipv6=ipv6),
            output=output,
        ),
    )


@app.command(short_help="Play the whole job on this machine alone.")
def demo(
    scenario: Annotated[str | None, typer.Argument(metavar="SCENARIO", help="Which one to play.")] = None,
    list_only: Annotated[bool, typer.Option("--list", help="List the scenarios.")] = False,
) -> int:
    """Play the whole job on this machine alone: a vendor that blocks a customer, both screens."""
    from netdiag.cli.demo import main

    return main(scenario, list_only=list_only)


def run(arguments: Sequence[str]) -> int:
    """Run one command. Never raises; every error is one line on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a letter must not stop a run
    try:
        code = app(args=list(arguments), prog_name="netdiag", standalone_mode=False)
        sys.stdout.flush()
    except Problem as problem:
        complain(str(problem))
        return problem.code
    except BrokenPipeError:
        # The reader (head, less) has seen enough; the interpreter must not complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except OSError as error:
        complain(f"the result could not be written: {error.strerror or error}")
        return ExitCode.FAILED
    except Exception as error:  # noqa: BLE001 - a person must never see a traceback
        return _unexpected(error)
    if code in {ExitCode.INTERRUPTED, ExitCode.TERMINATED}:
        complain("interrupted")
    return code if isinstance(code, int) else ExitCode.DONE


def _unexpected(error: Exception) -> int:
    if isinstance(error, _CLICK_ERROR | typer.Abort):
        words = getattr(error, "format_message", lambda: "stopped")()
        command = getattr(getattr(error, "ctx", None), "command_path", "netdiag")
        complain(f"{' '.join(words.split()).rstrip('.')} (see `{command} --help`)")
        return ExitCode.USAGE
    if os.environ.get("NETDIAG_DEBUG"):
        raise error
    complain(f"this is a bug in netdiag: {type(error).__name__}: {error} (NETDIAG_DEBUG=1 shows where)")
    return ExitCode.FAILED
