"""Hypothesis makes facts: every field of every type, known or not, from small pools so that values meet."""

import typing
from functools import cache

import msgspec
from hypothesis import strategies as st

from netdiag.evidence.record import Icmp
from netdiag.evidence.tls import Certificate
from netdiag.facts import ConnectState, Fact, Facts, HttpState, TlsState, seen

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
