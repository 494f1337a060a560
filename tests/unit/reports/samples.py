"""A hand-made verdict with everything in it, and the same with a stranger's tricks in every text."""

from datetime import timedelta

import msgspec

from netdiag.evidence.record import Icmp
from netdiag.evidence.seal import seal, unseal
from netdiag.evidence.trust import TrustPolicy
from netdiag.facts import (
    AddressState,
    ConnectState,
    ControlFacts,
    ControlState,
    Facts,
    Hop,
    HttpState,
    MachineFacts,
    NameFacts,
    PathFacts,
    Proxy,
    ResolverState,
    Share,
    TargetFacts,
    TlsState,
    Walk,
    seen,
)
from netdiag.reports.view import Source, View, view
from netdiag.verdict import Evidence, Hypothesis, Verdict
from tests.fakes.bundles import NOW, SUMMARY, sample_bundle, sample_key

TRICKS = (
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;https://evil.example/\x1b\\click\x1b]8;;\x1b\\",
    "\x1b]0;title\x07",
    "\u202egnp.exe",
    "\u2066hidden\u2069",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![i](https://evil.example/i.png)",
    "https://evil.example/ www.evil.example <https://evil.example> @team #1",
    "[red]markup[/red] :skull:",
    "`code` **bold** _it_ ~~gone~~ | cell | \\",
    "&lt;b&gt; &#x202e;",
    "line\nbreak\r\n# heading\n- item\n\x00\x7f\x9b31m",
)

FACTS = Facts(
    host="api.vendor.test",
    port=443,
    machine=MachineFacts(
        default_route4=seen(True, ("main:o3",)),
        default_route6=seen(False, ("main:o4",)),
        gateways=seen(("192.168.1.1",), ("main:o3",)),
        gateway_answers=seen(True, ("main:o9",)),
        beyond_gateway_answers=seen(True, ("main:o15",)),
        target_leaves=seen(True, ("main:o18",)),
        clock_offset_s=seen(1, ("main:o10",)),
        proxy=seen(Proxy(where="10.0.0.5:3128", connects=True, control_ok=True, target_ok=False, refusal=503), ()),
    ),
    names=NameFacts(
        needed=seen(True, ()),
        system_resolves=seen(True, ("main:o8",)),
        resolvers=seen(
            (
                ResolverState(
                    server="192.168.1.1",
                    server_class="configured",
                    place="lan",
                    target="answers",
                    addresses=("198.51.100.7",),
                ),
                ResolverState(server="192.0.2.53", server_class="public", place="outside", target="silent"),
            ),
            ("main:o14",),
        ),
    ),
    controls=ControlFacts(
        states=seen(
            (
                ControlState(
                    host="control.example",
                    address="192.0.2.80",
                    port=443,
                    family=4,
                    connect=ConnectState(how="open", attempts=1, worked=1),
                    tls=TlsState(how="ok"),
                    healthy=True,
                    witnesses=("main:o16",),
                ),
                ControlState(
                    host="check.example",
                    address="192.0.2.81",
                    port=80,
                    family=4,
                    connect=ConnectState(how="silent", attempts=2, worked=0, span_ms=4100),
                    healthy=False,
                    witnesses=("main:o17",),
                ),
            ),
            ("main:o16", "main:o17"),
        )
    ),
    target=TargetFacts(
        addresses=seen(
            (
                AddressState(
                    address="198.51.100.7",
                    family=4,
                    source=("configured",),
                    connect=ConnectState(how="silent", attempts=3, worked=0, span_ms=14_300),
                    echo=Share(sent=2, lost=0, low=0, high=0.66),
                    answers_otherwise=True,
                    works=False,
                    failed_at="connect",
                    witnesses=("main:o12", "main:o21"),
                ),
                AddressState(
                    address="2001:db8:7::7",
                    family=6,
                    source=("configured",),
                    connect=ConnectState(
                        how="icmp",
                        attempts=1,
                        worked=0,
                        icmp=Icmp(type=1, code=1, sender="2001:db8::1", version=6),
                        sender_place="vendor",
                    ),
                ),
                AddressState(
                    address="198.51.100.8",
                    family=4,
                    source=("public",),
                    connect=ConnectState(how="open", attempts=2, worked=2),
                    tls=TlsState(how="untrusted", verify_code=10, issuer="CN=Vendor CA"),
                    http=HttpState(how="answered", status=429, retry_after_s=600, product="nginx"),
                ),
            ),
            ("main:o12",),
        )
    ),
    path=PathFacts(
        target4=seen(
            Walk(
                role="target",
                host="api.vendor.test",
                address="198.51.100.7",
                family=4,
                port=443,
                protocol="tcp",
                hops=(Hop(ttl=1, repliers=("192.168.1.1",), place="gateway", asked=2, answered=2),),
                end="silent",
                last_seen=7,
                last_seen_address="198.51.100.1",
                last_seen_place="vendor",
                first_missing=8,
            ),
            ("main:o18",),
        )
    ),
)

VERDICT = Verdict(
    side="host",
    certainty="established",
    fault="host.block.source_address",
    summary=(
        "The vendor's side drops connections from this address in silence, while the same address of the vendor"
        " answers the agent's line and everything else works from here."
    ),
    evidence=(
        Evidence(
            says="198.51.100.7 does not answer connections to port 443 from this address, 3 attempts in 14 s.",
            observations=("main:o12", "main:o21", "control1:o7"),
        ),
        Evidence(says="The walk ends at the vendor's border.", observations=tuple(f"main:o{n}" for n in range(30, 45))),
    ),
    hypotheses=(
        Hypothesis(
            fault="host.block.source_address", title="Source address blocked", standing="settled", because="It is."
        ),
        Hypothesis(fault="host.machine.down", title="Machine down", standing="opposed", because="It answers others."),
        Hypothesis(
            fault="host.port.closed",
            title="Port closed",
            standing="masked",
            because="The block explains it.",
            masked_by="host.block.source_address",
        ),
        Hypothesis(
            fault="transit.path.black_hole", title="Black hole", standing="possible", because="One end cannot tell."
        ),
        Hypothesis(
            fault="local.proxy.dead",
            title="Proxy dead",
            standing="not_assessed",
            because="No proxy was looked at.",
            missing=("machine.proxy",),
        ),
    ),
    next_evidence=("A packet capture at the vendor's border.",),
    not_tested=("Nothing beyond the first page was asked for.",),
    search_keys=(("source address", "203.0.113.9:50000"), ("time", "2026-03-14T09:26:55Z"), ("time", "2026-03-14Z")),
    reply="Hello,\n\nyour address is blocked on our side. We are lifting the block.\n",
    catalogue_version=1,
)


def source(name: str = "main", *, ticket: str | None = None, asked: str | None = None, seed: int = 1) -> Source:
    """A real bundle, sealed and unsealed again."""
    raw = seal(sample_bundle(ticket=ticket), {"summary.txt": SUMMARY}, sample_key(seed), now=NOW)
    bundle, _, provenance = unseal(raw, TrustPolicy(ticket=asked), now=NOW + timedelta(hours=2))
    return Source(name=name, bundle=bundle, provenance=provenance)


def full_view() -> View:
    return view(VERDICT, FACTS, (source(ticket="T-1", asked="T-2"), source("control1", seed=2)))


def tricky(trick: str) -> tuple[Verdict, Facts, tuple[Source, ...]]:
    """The same with ``trick`` in every text that a bundle or a server can reach."""
    verdict = msgspec.structs.replace(
        VERDICT,
        summary=f"It says {trick}.",
        evidence=(Evidence(says=trick, observations=(trick,)),),
        hypotheses=(*VERDICT.hypotheses, *_hypotheses(trick)),
        next_evidence=(trick,),
        not_tested=(trick,),
        search_keys=((trick, trick),),
        reply=f"Hello,\n{trick}\n{trick}",
    )
    states = FACTS.target.addresses.value or ()
    tls = TlsState(how="untrusted", verify_code=10, issuer=trick)
    http = HttpState(how="answered", status=302, location_host=trick, product=trick)
    bad = msgspec.structs.replace(states[0], address=trick, tls=tls, http=http)
    facts = msgspec.structs.replace(
        FACTS, host=trick, target=msgspec.structs.replace(FACTS.target, addresses=seen((bad,), (trick,)))
    )
    one = source()
    target = msgspec.structs.replace(one.bundle.target, host=trick, path=f"/{trick}")
    bundle = msgspec.structs.replace(one.bundle, target=target, run_id=trick, tool=trick)
    origin = msgspec.structs.replace(one.provenance, ticket=trick, ticket_matches=False)
    return verdict, facts, (Source(name="main", bundle=bundle, provenance=origin),)


def _hypotheses(trick: str) -> list[Hypothesis]:
    return [
        Hypothesis(fault=trick, title=trick, standing=standing, because=trick, missing=(trick,))
        for standing in ("likely", "possible", "opposed", "masked", "not_assessed")
    ]
