"""What was seen of equal paths side by side, and of packets that were rewritten on the way."""

from collections.abc import Iterator, Sequence

from netdiag.facts import Facts
from netdiag.facts.members import FlowSeen, Members
from netdiag.facts.rewrites import Rewrite
from netdiag.reports.observed.sight import Sight
from netdiag.reports.words import count, listing

_PART = {
    "source_address": "source address",
    "source_port": "source port",
    "destination_address": "destination address",
    "destination_port": "destination port",
    "tos": "DSCP or ECN field",
    "mss": "MSS option",
    "checksum": "checksum",
}


def of_members(facts: Facts) -> Iterator[Sight]:
    """Flows that were compared, those that behave alike in one sentence; then what was rewritten."""
    alike: dict[str, list[Members]] = {}
    for members in facts.path.members.value or ():
        alike.setdefault(_members(members), []).append(members)
    for how, group in alike.items():
        ways: dict[str, list[str]] = {}
        for one in group:
            ways.setdefault(one.address, []).append(one.protocol.upper())
        to = listing(f"{address} over {listing(protocols)}" for address, protocols in ways.items())
        flows = max(len(one.flows) for one in group)
        each = " each" if len(group) > 1 else ""
        yield Sight(
            says=f"{count(flows, 'flow')}{each} to {to}: {how}.",
            witnesses=tuple(witness for one in group for witness in one.witnesses),
        )
    for rewrite in facts.path.rewrites.value or ():
        yield Sight(says=_rewrite(rewrite), witnesses=rewrite.witnesses)


def _members(members: Members) -> str:
    if members.dead_member is True:
        last = f"hop {members.last_seen}" if members.last_seen else "this machine"
        at = f" ({listing(members.last_seen_addresses)})" if members.last_seen_addresses else ""
        return (
            f"{_several(members.never(), 'never', f'beyond {last}{at}')},"
            f" and {_several(members.passing(), 'always', 'through')}"
        )
    if members.far == 0:
        return "none was answered"
    if members.dead_member is False:
        whole = len(members.passing()) == len(members.flows)
        return f"{'all of them get' if whole else 'none of them is singled out up'} to hop {members.far}"
    return "whether some of them never pass does not show"


def _several(flows: Sequence[FlowSeen], often: str, where: str) -> str:
    number, verb = ("one", "gets") if len(flows) == 1 else (str(len(flows)), "get")
    ports = listing(str(flow.source_port) for flow in flows if flow.source_port is not None)
    return f"{number} {often} {verb} {where}" + (f" (from port {ports})" if ports else "")


def _rewrite(rewrite: Rewrite) -> str:
    change = f" from {rewrite.sent}" if rewrite.sent else ""
    change += f" to {rewrite.seen}" if rewrite.seen else ""
    last = f"hop {rewrite.last_kept} ({rewrite.last_kept_by})" if rewrite.last_kept_by else "this machine"
    return (
        f"The {_PART[rewrite.part]} of {rewrite.protocol.upper()} packets to {rewrite.address} is changed{change}"
        f" between {last} and hop {rewrite.first_changed} ({rewrite.first_changed_by})."
    )
