"""Where a router stands: the customer's, the way's, or the vendor's (fault-signatures 9; design.md, Judging)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from netdiag.facts.derivation.book import Book
from netdiag.facts.derivation.forged import spoken_for
from netdiag.facts.derivation.near import Near
from netdiag.facts.derivation.owners import hop_names, routers_named_after
from netdiag.facts.derivation.walks import RawWalk
from netdiag.facts.path import Hop, HopPlace
from netdiag.facts.places import classify, family, inside, plain, same_announcement
from netdiag.facts.target import SenderPlace

VendorRouters = Mapping[str, frozenset[str]]
"""Per address of the target: routers that a walk of another line shows to be the vendor's."""


class Placing:
    """Places hops and senders, from the walks together.

    A public router is the vendor's by the profile's prefixes, or by a second sign: it lies in the target's own /24 or
    /48, or has a confirmed name under the target's domain (``named``), or stands directly before the target, as the
    target's own answer to some walk shows. A router that a walk to a control passes, too, carries others' traffic, so
    no second sign makes it the vendor's; and where no walk shows what carries others' traffic, names count for nothing:
    a customer in a network of the vendor's own name has routers of that name around him. The target's own answer may
    have come to another line (``vendors``): what stands directly before it stands there for every line. Private and
    shared addresses beyond the first public hop are somebody's inner numbering and say nothing of the customer's side
    (trap 28).
    """

    def __init__(
        self,
        walks: Sequence[RawWalk],
        near: Near,
        prefixes: tuple[str, ...],
        vendors: VendorRouters,
        *,
        named: frozenset[str] = frozenset(),
        spoken_for: frozenset[str] = frozenset(),
    ) -> None:
        self._spoken_for = spoken_for
        self._near = near
        self._prefixes = prefixes
        shown = {walk.family for walk in walks if walk.role == "control" and any(hop.repliers for hop in walk.hops)}
        self._named = {router for router in named if family(router) in shown}
        self._vendors = vendors
        self._walks = walks
        self._on_control_paths = {
            router for walk in walks if walk.role == "control" for hop in walk.hops for router in hop.repliers
        }
        self._placed: dict[int, tuple[Hop, ...]] = {}
        self._distance = {
            walk.address: found for walk in walks if (found := _distance(walk.address, walks)) is not None
        }

    def hops(self, walk: RawWalk) -> tuple[Hop, ...]:
        """The walk's hops with their places."""
        if id(walk) not in self._placed:
            self._placed[id(walk)] = self._place(walk)
        return self._placed[id(walk)]

    def _place(self, walk: RawWalk) -> tuple[Hop, ...]:
        placed = []
        beyond_public = False
        for hop in walk.hops:
            place = self._of_hop(walk, hop, beyond_public=beyond_public)
            beyond_public = beyond_public or place in ("public", "vendor")
            placed.append(
                Hop(
                    ttl=hop.ttl,
                    repliers=hop.repliers,
                    place=place,
                    asked=hop.asked,
                    answered=hop.answered,
                    rtt_ms=hop.rtt_ms,
                )
            )
        return tuple(placed)

    def _of_hop(self, walk: RawWalk, hop: Hop, *, beyond_public: bool) -> HopPlace | None:
        if not hop.repliers:
            return None
        router = hop.repliers[0]
        if router == walk.address:
            return "target"
        if inside(router, self._prefixes):
            return "vendor"
        if hop.ttl == 1 or router in self._near.first_hops:
            return "gateway"
        kind = classify(router)
        if kind in ("private", "shared") and not beyond_public:
            return "private" if kind == "private" else "shared"
        if walk.role == "target" and router not in self._on_control_paths:
            before = self._distance.get(walk.address, 0) - 1 == hop.ttl
            if before or self._is_vendors(router, walk.address):
                return "vendor"
        return "public"

    def sender(self, sender: str, target: str) -> SenderPlace:
        """Where the sender of an ICMP error about a packet to ``target`` stands: by the hop that it is on a walk there,
        else by its address."""
        who = plain(sender)
        if self._near.is_own(who):
            return "self"
        if who == plain(target):
            return "in_its_name" if who in self._spoken_for else "target"
        for walk in self._walks:
            if walk.address == plain(target):
                place = next((hop.place for hop in self.hops(walk) if who in hop.repliers), None)
                if place is not None:
                    return "path" if place == "public" else place
        if inside(who, self._prefixes):
            return "vendor"
        if who in self._near.first_hops:
            return "gateway"
        kind = classify(who)
        if kind in ("private", "shared"):
            return "private" if kind == "private" else "shared"
        if who not in self._on_control_paths and self._is_vendors(who, plain(target)):
            return "vendor"
        return "path"

    def _is_vendors(self, router: str, target: str) -> bool:
        """By a sign that does not depend on the walk; counts only off the controls' paths."""
        known = self._vendors.get(target, frozenset()) | self._named
        return router in known or same_announcement(router, target)


def _distance(address: str, walks: Sequence[RawWalk]) -> int | None:
    """How far the address is. A connection can be accepted for it nearer by (a transparent proxy), so TCP counts only
    where nothing else got an answer of the address; the least distance, since such answers are rate-limited."""
    reached = [
        (walk.reached, walk.protocol == "tcp" and walk.end != "icmp") for walk in walks if walk.address == address
    ]
    sure = [ttl for ttl, doubtful in reached if ttl is not None and not doubtful]
    return min(sure or [ttl for ttl, _ in reached if ttl is not None], default=None)


class Scene(NamedTuple):
    """What the derivations of the target share."""

    book: Book
    near: Near
    walks: Sequence[RawWalk]
    placing: Placing


def set_scene(book: Book, near: Near, walks: Sequence[RawWalk], vendors: VendorRouters) -> Scene:
    """The scene of one bundle."""
    named = routers_named_after(book.bundle.target.host, hop_names(book))
    placing = Placing(walks, near, book.prefixes, vendors, named=named, spoken_for=spoken_for(walks, book))
    return Scene(book, near, walks, placing)
