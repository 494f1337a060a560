"""A handshake that begins well and gets no further: whether the rest of it arrived decides what may be said."""

import msgspec
import pytest

from netdiag.evidence.observation import Observation
from netdiag.evidence.tls import Handshake
from netdiag.facts import derive
from netdiag.verdict import Verdict, decide
from tests.fakes.records import CONTROL, CONTROL_HOST, GATEWAY, ISP, SILENT, TARGET, TCP, Story

OTHER_LINE_SERVED = pytest.mark.parametrize("with_control", [False, True])


def after_hello(*, unacked: int, with_control: bool) -> Verdict:
    """The ServerHello came, then nothing; ``unacked`` segments of what was sent after it were repeated in vain."""

    def stuck(record: Observation) -> Observation:
        if not isinstance(record, Handshake) or record.failure is None:
            return record
        info = msgspec.structs.replace(TCP, unacked=unacked, retransmits=4 if unacked else 0)
        return msgspec.structs.replace(record, tcp=info)

    told = Story()
    told.surroundings()
    told.connect(TARGET)
    told.handshake(TARGET, SILENT, acked=True, server_hello=True)
    told.walk(TARGET)
    told.walk(CONTROL, (GATEWAY, ISP), role="control", host=CONTROL_HOST)
    told._records = [stuck(record) for record in told._records]
    other = Story()
    other.surroundings()
    other.well()
    return decide(derive(told.bundle(), [other.bundle()] if with_control else []))


@OTHER_LINE_SERVED
def test_what_was_never_acknowledged_makes_nobody_of_the_vendors_silent(with_control: bool) -> None:
    """A filter that looks at later packets of a connection drops them on the way."""
    verdict = after_hello(unacked=1, with_control=with_control)
    assert verdict.side == "inconclusive"
    standings = {one.fault: one.standing for one in verdict.hypotheses}
    assert standings["host.service.silent"] == "opposed"


@OTHER_LINE_SERVED
def test_what_was_acknowledged_and_not_answered_is_not_opposed(with_control: bool) -> None:
    verdict = after_hello(unacked=0, with_control=with_control)
    standings = {one.fault: one.standing for one in verdict.hypotheses}
    expected = "host.block.source_address" if with_control else "host.service.silent"
    assert standings[expected] in ("likely", "possible")
