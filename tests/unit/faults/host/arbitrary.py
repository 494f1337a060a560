"""Hypothesis makes facts. ``FACTS``: every field of every type, known or not, from small pools so that values meet.
``TROUBLED``: a line on which other hosts work, and a target that fails in some coherent way."""

import typing
from functools import cache

import msgspec
from hypothesis import strategies as st

from netdiag.evidence.record import Icmp
from netdiag.evidence.tls import Certificate
from netdiag.facts import (
    AddressState,
    ConnectState,
    ControlFacts,
    ControlState,
    Fact,
    Facts,
    HttpState,
    MachineFacts,
    NameFacts,
    PathFacts,
    TargetFacts,
    TlsState,
    Walk,
    seen,
)
from netdiag.facts.agent import AgentFacts, AgentRun

ADDRESSES = ("198.51.100.7", "198.51.100.8", "203.0.113.1", "192.168.1.1", "2001:db8:7::7", "64.233.160.1")
WITNESSES = ("main:o1", "main:o2", "control1:o3")
NUMBERS = (0, 1, 2, 3, 7, 9, 10, 13, 18, 19, 20, 40, 62, 70, 116, 200, 403, 429, 500, 502, 503, 3000)

# Connections that have something to say, far more often than chance would make them.
ICMP = st.builds(
    Icmp,
    type=st.sampled_from((1, 3, 11)),
    code=st.sampled_from((0, 1, 3, 4, 9, 10, 13)),
    sender=st.sampled_from(ADDRESSES),
    version=st.sampled_from((4, 6)),
)


@cache
def strategy(hint: typing.Any) -> st.SearchStrategy[typing.Any]:
    """Values of one type hint."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Fact:
        return st.one_of(st.just(Fact()), st.builds(seen, strategy(arguments[0]), st.just(WITNESSES[:1])))
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is typing.Annotated:
        return strategy(arguments[0])
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return st.lists(strategy(arguments[0]), max_size=2).map(tuple)
        return st.tuples(*(strategy(argument) for argument in arguments))
    if arguments:
        return st.one_of(*(strategy(argument) for argument in arguments))
    return plain(hint)


def plain(hint: typing.Any) -> st.SearchStrategy[typing.Any]:
    """Values of a type without arguments."""
    pools: dict[typing.Any, st.SearchStrategy[typing.Any]] = {
        type(None): st.none(),
        bool: st.booleans(),
        int: st.sampled_from(NUMBERS),
        float: st.sampled_from((0.0, 0.1, 0.9)),
        str: st.sampled_from(ADDRESSES),
        Icmp: ICMP,
    }
    if hint in pools:
        return pools[hint]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return struct(hint)
    raise AssertionError(f"no values for {hint}")


def struct(kind: type[msgspec.Struct]) -> st.SearchStrategy[typing.Any]:
    """A struct with every field drawn, or any of the optional ones left as it is."""
    hints = typing.get_type_hints(kind, include_extras=False)
    required = {field.name for field in msgspec.structs.fields(kind) if field.required}
    if kind in (ConnectState, TlsState, HttpState, Certificate):
        required |= set(hints)  # details without which few faults speak
    return st.fixed_dictionaries(
        {name: strategy(hints[name]) for name in hints if name in required},
        optional={name: strategy(hints[name]) for name in hints if name not in required},
    ).map(lambda values: kind(**values))


FACTS = strategy(Facts)


SEEN = WITNESSES[:1]
TARGETS = ("198.51.100.7", "198.51.100.8", "64.233.160.1", "2001:db8:7::7")


def maybe(value: object) -> st.SearchStrategy[typing.Any]:
    """This fact known, or not."""
    return st.sampled_from((Fact(), seen(value, SEEN)))


@st.composite
def address_states(draw: st.DrawFn, address: str) -> AddressState:
    """One address, later layers only where the earlier one worked."""
    connect = draw(strategy(ConnectState))
    opened = connect.how == "open"
    tls = draw(struct(TlsState)) if opened else None
    http = draw(struct(HttpState)) if tls is not None and tls.how == "ok" else None
    works = http is not None and http.how == "answered" and http.status == 200
    return AddressState(
        address=address,
        family=6 if ":" in address else 4,
        source=("configured", "system"),
        genuine=draw(st.sampled_from((True, True, None, False))),
        connect=connect,
        tls=tls,
        http=http,
        answers_otherwise=draw(st.sampled_from((None, True, False))),
        works=works,
        failed_at=None if works else "connect" if not opened else "tls" if http is None else "http",
        witnesses=SEEN,
    )


@st.composite
def walks(draw: st.DrawFn, state: AddressState) -> Walk:
    """A walk to the service port that agrees with how the connection went."""
    how = "silent" if state.connect is None else state.connect.how
    seen_until = draw(st.integers(0, 9))
    end = {"open": "open", "refused": "refused", "icmp": "icmp", "local": "local"}.get(how, "silent")
    made: Walk = draw(
        st.builds(
            Walk,
            role=st.just("target"),
            host=st.just("api.vendor.test"),
            address=st.just(state.address),
            family=st.just(state.family),
            port=st.just(443),
            protocol=st.just("tcp"),
            hops=st.just(()),
            end=st.just(end),
            end_ttl=st.just(None if end == "silent" else seen_until + 1),
            last_seen=st.just(seen_until),
            last_seen_address=st.just("203.0.113.1" if seen_until else None),
            last_seen_place=st.sampled_from(("gateway", "private", "shared", "public", "vendor")),
            first_missing=st.just(seen_until + 1 if end == "silent" else None),
            same_flow=st.booleans(),
            shared_until=st.sampled_from((None, 1, 4)),
            witnesses=st.just(SEEN),
        )
    )
    return made


@st.composite
def troubled(draw: st.DrawFn) -> Facts:
    """A healthy line and an ill target, with or without an agent's run."""
    states = tuple(
        draw(address_states(one)) for one in draw(st.lists(st.sampled_from(TARGETS), min_size=1, unique=True))
    )
    walk4 = next((draw(walks(state)) for state in states if state.family == 4), None)
    walk6 = next((draw(walks(state)) for state in states if state.family == 6), None)
    works = all(state.works is True for state in states)
    control = ControlState(
        host="control.example",
        address="192.0.2.80",
        port=443,
        family=4,
        connect=ConnectState(how="open", attempts=1, worked=1),
        tls=draw(st.sampled_from((None, TlsState(how="ok", verify_code=0), TlsState(how="untrusted", verify_code=20)))),
        healthy=True,
        witnesses=SEEN,
    )
    runs = draw(st.lists(struct(AgentRun), max_size=1).map(tuple))
    fails = next((run.fails_same for run in runs if run.usable and not run.caps), None)
    return Facts(
        host="api.vendor.test",
        profile_given=draw(st.booleans()),
        machine=MachineFacts(
            link_up=seen(True, SEEN),
            default_route4=seen(True, SEEN),
            gateway_answers=seen(True, SEEN),
            beyond_gateway_answers=seen(True, SEEN),
            target_leaves=draw(st.sampled_from((Fact(), seen(True, SEEN), seen(True, SEEN), seen(False, SEEN)))),
            clock_offset_s=draw(st.sampled_from((Fact(), seen(0, SEEN), seen(0, SEEN), seen(86400, SEEN)))),
            hosts_override=draw(maybe(())),
            global_ipv6=draw(maybe(True)),
        ),
        names=NameFacts(
            needed=seen(True, SEEN),
            system_resolves=draw(maybe(True)),
            configured_resolve=draw(maybe(True)),
            independent_resolve=draw(maybe(True)),
            configured_lies=draw(maybe(())),
            answer_is_private=draw(maybe(False)),
        ),
        controls=ControlFacts(
            states=draw(st.sampled_from((Fact(), seen((control,), SEEN), seen((control,), SEEN)))),
            any_healthy=seen(True, SEEN),
            any_healthy4=seen(True, SEEN),
            any_healthy6=draw(maybe(True)),
            all_failed=seen(False, SEEN),
            any_open_port=seen(True, SEEN),
            port_443_fails=seen(False, SEEN),
            intercepting_issuer=draw(
                st.sampled_from((Fact(), seen("", SEEN), seen("", SEEN), seen("198.51.100.7", SEEN)))
            ),
            tls_time_errors=draw(st.sampled_from((Fact(), seen(False, SEEN), seen(False, SEEN), seen(True, SEEN)))),
            portal=draw(maybe("")),
        ),
        target=TargetFacts(
            scheme=seen("https", SEEN),
            addresses=seen(states, SEEN),
            works=seen(works, SEEN),
            works_somewhere=seen(any(state.works is True for state in states), SEEN),
        ),
        path=PathFacts(
            target4=Fact() if walk4 is None else draw(maybe(walk4)),
            target6=Fact() if walk6 is None else draw(maybe(walk6)),
            proxy_in_path=draw(st.sampled_from((Fact(), seen(False, SEEN), seen(False, SEEN), seen(True, SEEN)))),
        ),
        agent=AgentFacts(
            runs=seen(runs, SEEN) if runs else Fact(), fails_elsewhere=seen(True, SEEN) if fails is True else Fact()
        ),
    )


TROUBLED = troubled()
