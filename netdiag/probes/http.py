"""One HTTP request to one address, or through the proxy: what the vendor (or whoever is in between) answers."""

from collections.abc import Iterator
from typing import Literal

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.probes.asking import ask
from netdiag.probes.base import Probe, Request, World
from netdiag.probes.reach import mss_of

_LIMIT_MS = 10_000
"""The first request waits as long as people do."""

CHECK_LIMIT_MS = 3000
"""The check at the end only asks whether it is still so."""

_AGENTS: dict[str, Literal["netdiag", "customer", "browser"]] = {"customer": "customer", "browser": "browser"}


def _run(step: Step, world: World) -> Iterator[Observation]:
    url = step.params["url"]
    agent = _AGENTS.get(step.params.get("user_agent", ""), "netdiag")
    is_check_page = step.params.get("use") == "portal" or (step.role == "control" and url.startswith("http:"))
    request = Request(
        url=url,
        address=step.address if step.proxy is None else None,
        proxy=None if step.proxy is None else f"http://{step.proxy}",
        user_agent=agent,
        # The repeat with another name must not be known by ours (design.md, Manners).
        identify=agent == "netdiag",
        keep_page=is_check_page,
        mss_clamp=mss_of(step),
        limit_ms=_LIMIT_MS if step.round == 1 else CHECK_LIMIT_MS,
    )
    yield from ask(step, world, request, what="the request")


PROBE = Probe(name="http", version=1, run=_run)
