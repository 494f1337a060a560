"""What must hold for any bundle: derive never raises, and one record less makes nothing its own opposite."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netdiag.evidence.bundle import Bundle, Step, encode
from netdiag.evidence.observation import Observation
from netdiag.facts import Fact, Facts, derive
from netdiag.facts.base import Value
from tests.fakes.bundles import one_of_each, sample_bundle
from tests.fakes.records import (
    CARRIER,
    CONTROL,
    CONTROL6,
    EXCHANGE,
    GATEWAY,
    ISP,
    OWN,
    RESOLVER,
    SILENT,
    TARGET,
    TARGET6,
    Story,
)

# Words that mean something somewhere, and some that mean nothing anywhere.
WORDS = (
    "", "-", "x", "api.vendor.test", "A", "AAAA", "NS", TARGET, TARGET6, CONTROL, CONTROL6, GATEWAY, ISP, OWN,
    "10.0.0.1", "100.64.0.1", "fe80::1%eth0", "64:ff9b::/96", "64:ff9b::c633:6407", "eth0", "GET", "CONNECT",
    "https://api.vendor.test/", "http://[::1", "date", "Sat, 14 Mar 2026 09:26:53 GMT", "age", "9" * 30,
    "retry-after", "cf-ray", "error code: 1020",
)  # fmt: skip
NUMBERS = (0, 1, 2, 3, 4, 10, 13, 20, 62, 96, 101, 113, 200, 204, 403, 443, 503, 10**9, 10**12, 2**62)


def story() -> Story:
    told = Story()
    told.surroundings(ipv6=True)
    told.well()
    told.connect(TARGET6, SILENT)
    told.echo(TARGET, "!!.")
    told.echo(GATEWAY, "!!!", role="gateway")
    told.walk(TARGET, (GATEWAY, ISP, CARRIER), end="silent")
    told.walk(TARGET, (GATEWAY, ISP, CARRIER, EXCHANGE), protocol="icmp")
    told.walk(CONTROL, (GATEWAY, ISP, EXCHANGE), role="control")
    told.route()
    told.nat64(None)
    told.canary()
    told.proxy_setting()
    told.http(None, 200, proxy="10.1.1.1:3128")
    return told


PLAN = story().bundle().plan


def any_of(info: msgspec.inspect.Type) -> st.SearchStrategy[Any]:
    """Builtins that decode as ``info``."""
    if isinstance(info, msgspec.inspect.UnionType):
        return st.one_of([any_of(one) for one in info.types])
    if isinstance(info, msgspec.inspect.StructType):
        held: dict[str, st.SearchStrategy[Any]] = {
            field.encode_name: (
                st.sampled_from([step.id for step in PLAN]) if field.encode_name == "step" else any_of(field.type)
            )
            for field in info.fields
        }
        tag = {} if info.tag_field is None else {info.tag_field: st.just(info.tag)}
        return st.fixed_dictionaries({**held, **tag})
    if isinstance(info, msgspec.inspect.VarTupleType):
        return st.lists(any_of(info.item_type), max_size=3)
    if isinstance(info, msgspec.inspect.IntType):
        low, high = info.ge or 0, 2**62 if info.le is None else info.le
        return st.sampled_from([number for number in NUMBERS if low <= number <= high])
    if isinstance(info, msgspec.inspect.LiteralType):
        return st.sampled_from(info.values)
    if isinstance(info, msgspec.inspect.EnumType):
        return st.sampled_from([member.value for member in info.cls])
    simple: dict[type, st.SearchStrategy[Any]] = {
        msgspec.inspect.StrType: st.sampled_from(WORDS),
        msgspec.inspect.BoolType: st.booleans(),
        msgspec.inspect.NoneType: st.none(),
    }
    return simple[type(info)]


ANYTHING = any_of(msgspec.inspect.type_info(Observation))


def with_ids(records: list[dict[str, Any]]) -> tuple[Observation, ...]:
    named = [{**record, "id": f"o{n}"} for n, record in enumerate(records)]
    return msgspec.convert(named, tuple[Observation, ...])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(records=st.lists(ANYTHING, max_size=12), mixed=st.booleans(), literal=st.booleans())
def test_derive_never_raises(records: list[dict[str, Any]], mixed: bool, literal: bool) -> None:
    base = story().bundle()
    observations = with_ids(records) + (base.observations if mixed else ())
    target = msgspec.structs.replace(base.target, is_literal=literal)
    bundle = msgspec.structs.replace(base, observations=observations, target=target)
    bundle = msgspec.json.decode(encode(bundle), type=Bundle)
    derive(bundle, [bundle, base])
    derive(base, [bundle])


def test_every_kind_of_record() -> None:
    bundle = sample_bundle(observations=one_of_each())
    assert derive(bundle, [bundle]).host == "api.vendor.test"


def test_records_without_a_step_are_left_out() -> None:
    bundle = msgspec.structs.replace(story().bundle(), plan=())
    assert not derive(bundle).target.addresses.known


def truths(facts: Facts) -> dict[str, bool]:
    """The known facts that are true or false, by their dotted names."""
    found = {}
    for part in facts.__struct_fields__:
        group = getattr(facts, part)
        if isinstance(group, Value):
            for name in group.__struct_fields__:
                fact = getattr(group, name)
                if isinstance(fact, Fact) and isinstance(fact.value, bool):
                    found[f"{part}.{name}"] = fact.value
    return found


def healthy() -> Story:
    told = Story()
    told.surroundings(ipv6=True)
    told.reach()
    told.http()
    told.reach(TARGET6)
    told.http(TARGET6)
    told.walk()
    told.walk(CONTROL, (GATEWAY, ISP, EXCHANGE), role="control")
    return told


def dropped() -> Story:
    told = Story()
    told.surroundings()
    told.connect(TARGET, SILENT)
    told.walk(TARGET, (GATEWAY, ISP, CARRIER), end="silent")
    told.walk(CONTROL, (GATEWAY, ISP, EXCHANGE), role="control")
    return told


def offline() -> Story:
    told = Story()
    told.machine()
    told.lookup(RESOLVER, failure=SILENT)
    told.connect(CONTROL, SILENT, role="control")
    told.connect("192.0.2.81", SILENT, role="control", host="check.example")
    told.connect(TARGET, SILENT)
    told.walk(TARGET, (GATEWAY,), end="silent")
    return told


@pytest.mark.parametrize("tell", [healthy, dropped, offline, story])
def test_one_record_less_makes_nothing_its_opposite(tell: Callable[[], Story]) -> None:
    """A missing record may leave a fact unknown; it never turns "yes" into "no", or the other way round."""
    bundle = tell().bundle()
    whole = truths(derive(bundle))
    for gone in bundle.observations:
        rest = tuple(record for record in bundle.observations if record is not gone)
        less = truths(derive(msgspec.structs.replace(bundle, observations=rest)))
        flipped = {name for name in whole.keys() & less.keys() if whole[name] != less[name]}
        assert not flipped - MAY_CHANGE, (gone, flipped)


MAY_CHANGE = frozenset({"target.works"})
"""A failing address that is no longer measured no longer fails: that is not about absence."""


@pytest.mark.parametrize("tell", [healthy, dropped, offline, story])
def test_every_known_fact_has_a_witness(tell: Callable[[], Story]) -> None:
    bundle = tell().bundle()
    facts = derive(bundle)
    names = {f"main:{record.id}" for record in bundle.observations}
    for part in facts.__struct_fields__:
        group = getattr(facts, part)
        for name in getattr(group, "__struct_fields__", ()):
            fact = getattr(group, name)
            if isinstance(fact, Fact) and fact.known and (part, name) not in FROM_THE_PLAN:
                assert fact.witnesses, (part, name)
                assert names.issuperset(fact.witnesses)


FROM_THE_PLAN = {("names", "needed"), ("target", "scheme")}


def test_the_same_bundle_gives_the_same_facts() -> None:
    bundle = story().bundle()
    again = msgspec.json.decode(encode(bundle), type=Bundle)
    assert derive(bundle) == derive(again)


def test_a_step_of_no_interest_changes_nothing() -> None:
    bundle = story().bundle()
    extra = Step(id=PLAN[0].id + "x", probe="walk", role="target")  # type: ignore[arg-type]
    assert derive(msgspec.structs.replace(bundle, plan=(*bundle.plan, extra))) == derive(bundle)
