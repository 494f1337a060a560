"""What closer looks showed, in sentences: inside connections, sizes, several flows, rewrites, speed."""

import pytest
from msgspec.structs import replace

from netdiag.facts import Facts, seen
from netdiag.facts.flow import FlowFacts, FlowState
from netdiag.facts.members import FlowSeen, Members
from netdiag.facts.path import PathFacts
from netdiag.facts.rewrites import Rewrite
from netdiag.facts.sizes import SizeFacts, SizeWalk, Stall, Told
from netdiag.facts.speed import Bucket, Download, SpeedFacts
from netdiag.reports.observed import observed

TARGET = "198.51.100.7"
DEAD = Members(
    host="api.vendor.test", address=TARGET, family=4, port=443, protocol="tcp", nodes=(), links=(), far=7,
    flows=(
        FlowSeen(source_port=40_001, tries=2, answered=2, last_seen=7),
        FlowSeen(source_port=40_002, tries=2, answered=0, last_seen=4),
    ),
    dead_member=True, last_seen=4, last_seen_addresses=("203.0.113.65",), first_missing=5,
)  # fmt: skip
ALIVE = Members(
    host="api.vendor.test", address=TARGET, family=4, port=443, protocol="udp", nodes=(), links=(), far=7,
    flows=(DEAD.flows[0],), dead_member=False,
)  # fmt: skip
VANISHING = SizeWalk(
    role="target", host="api.vendor.test", address=TARGET, family=4, asked=1500, size=1500, small_last_seen=7,
    large_last_seen=3, last_address="203.0.113.1", first_missing=4, missing_address="203.0.113.65",
    largest_passed=1400, smallest_lost=1472,
)  # fmt: skip
DOWNLOAD = Download(
    host="api.vendor.test", address=TARGET, status=200, received=900_000, complete=False, rate=90_000.0,
    server_ms=2400.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        (
            Facts(
                flow=FlowFacts(
                    states=seen(
                        (
                            FlowState(
                                address=TARGET, family=4, payload="client_hello", vendor="reset", neutral="data",
                                neutral_name="www.example.com", passed=2, passed_address="203.0.113.1", stopped_at=3,
                            ),
                        ),
                        (),
                    )
                )
            ),
            (
                "A TLS greeting inside a connection to 198.51.100.7: with the vendor's name it was reset, with the name"
                " www.example.com it was answered. What ended it stands between hop 2 (203.0.113.1) and hop 3."
            ),
        ),
        (
            Facts(flow=FlowFacts(accepts_for_nobody=seen(("192.0.2.1",), ()))),
            (
                "A connection to 192.0.2.1, where nobody is, was accepted: something on the way accepts for others."
            ),
        ),
        (
            Facts(
                sizes=SizeFacts(
                    stalls=seen((Stall(address=TARGET, family=4, layer="tls", small="works", for_whom="target"),), ())
                )
            ),
            (
                "198.51.100.7: TLS stalls; with small packets it works; large packets of other hosts come through."
            ),
        ),
        (
            Facts(sizes=SizeFacts(walks=seen((VANISHING,), ()))),
            (
                "Packets of 1472 bytes to 198.51.100.7 vanish between hop 3 (203.0.113.1) and hop 4 (203.0.113.65),"
                " where small ones are answered, of 1400 bytes they pass."
            ),
        ),
        (
            Facts(
                sizes=SizeFacts(
                    walks=seen(
                        (
                            SizeWalk(
                                role="target", host="h", address=TARGET, family=4, asked=1500, size=1492, whole=True,
                                small_last_seen=7, large_last_seen=7,
                                told=(Told(ttl=2, router="203.0.113.1", place="path", next_mtu=1492),),
                            ),
                        ),
                        (),
                    )
                )
            ),
            (
                "Packets of 1492 bytes come through to 198.51.100.7. 203.0.113.1 at hop 2 said that a packet is too big"
                " for its next link (at most 1492 bytes)."
            ),
        ),
        (
            Facts(path=PathFacts(members=seen((DEAD,), ()))),
            (
                "2 flows to 198.51.100.7 over TCP: one never gets beyond hop 4 (203.0.113.65) (from port 40002), and"
                " one always gets through (from port 40001)."
            ),
        ),
        (
            Facts(path=PathFacts(members=seen((ALIVE,), ()))),
            "1 flow to 198.51.100.7 over UDP: all of them get to hop 7.",
        ),
        (
            Facts(path=PathFacts(members=seen((ALIVE, replace(ALIVE, protocol="icmp")), ()))),
            "1 flow each to 198.51.100.7 over UDP and ICMP: all of them get to hop 7.",
        ),
        (
            Facts(
                path=PathFacts(
                    rewrites=seen(
                        (
                            Rewrite(
                                part="mss", address=TARGET, protocol="tcp", mode="raw", sent="1460", seen="1452",
                                last_kept=0, first_changed=2, first_changed_by="203.0.113.1",
                            ),
                        ),
                        (),
                    )
                )
            ),
            (
                "The MSS option of TCP packets to 198.51.100.7 is changed from 1460 to 1452 between this machine and"
                " hop 2 (203.0.113.1)."
            ),
        ),
        (
            Facts(
                speed=SpeedFacts(
                    target=seen(DOWNLOAD, ()),
                    slow=seen(True, ()),
                    waiting_for=seen("server", ()),
                    bucket=seen(Bucket(knee=256_000, before=5e6, after=64_000.0, policed=True), ()),
                    limited_by=seen("path", ()),
                    held_between=seen(("203.0.113.1", "203.0.113.65"), ()),
                )
            ),
            (
                "900 kB of the URL came from 198.51.100.7 at 90 kB/s; first byte 2.4 s after the request had"
                " arrived. It took long each time,"
                " most of all for the first byte, though the request was acknowledged. It came at 5.0 MB/s for the"
                " first 256 kB, then at 64 kB/s. It was held up by round trips on the way, which grew"
                " (between 203.0.113.1 and 203.0.113.65)."
            ),
        ),
    ],
)  # fmt: skip
def test_a_closer_look_in_words(facts: Facts, told: str) -> None:
    said = " ".join(one.says for section in observed(facts) for one in section.sights)
    assert told in said


def test_nothing_looked_at_is_nothing_said() -> None:
    assert observed(Facts()) == ()
