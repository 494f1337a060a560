"""The classic kit: what a support desk asks a customer to run today, one tool after the other."""

from typing import NamedTuple

from benchmarks.measure import Took, in_lab
from tests.netns.lab import Lab

CUT_SECONDS = 20
"""Where curl and openssl are cut off; left alone they wait for the kernel, two minutes and more."""


class Tool(NamedTuple):
    """One tool of the kit, as it was called."""

    name: str
    argv: tuple[str, ...]


class KitTook(NamedTuple):
    """One tool's time; ``refused``: it said at once that it needs privilege."""

    name: str
    seconds: float
    refused: bool


def tools(host: str, port: str, url: str) -> tuple[Tool, ...]:
    """The kit against one URL, in the order in which people run it."""
    return (
        Tool("traceroute", ("traceroute", "-T", "-n", "-p", port, host)),
        Tool("mtr", ("mtr", "-r", "-n", "-c", "10", host)),
        Tool("dig", ("dig", host, "A", host, "AAAA")),
        Tool("curl", ("curl", "-m", str(CUT_SECONDS), "-s", "-o", "/dev/null", url)),
        Tool(
            "openssl",
            ("timeout", str(CUT_SECONDS), "openssl", "s_client", "-connect", f"{host}:{port}", "-servername", host),
        ),
    )


def run_kit(lab: Lab, *, ordinary: bool) -> list[KitTook]:
    """Every tool on the customer's machine, one after the other; standard input is empty."""
    kit = tools(lab.values["vendor_name"], lab.values["vendor_port"], lab.url)
    return [KitTook(tool.name, *_outcome(in_lab(lab, "customer", tool.argv, ordinary=ordinary))) for tool in kit]


def _outcome(took: Took) -> tuple[float, bool]:
    return took.seconds, refused(took.exit, took.err)


def refused(status: int, err: str) -> bool:
    """Whether a tool gave up for want of privilege, by its own words."""
    words = ("not permitted", "not have enough privileges", "Permission denied")
    return status != 0 and any(word in err for word in words)
