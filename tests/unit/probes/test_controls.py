"""The table of controls: who stands behind it, and what it promises."""

import ipaddress

from netdiag.probes.controls import DEFAULT_CONTROLS, PUBLIC_RESOLVERS, controls_for


def test_the_controls_stand_in_different_networks_and_ways() -> None:
    assert len({control.operator for control in DEFAULT_CONTROLS}) >= 4
    assert len({control.host for control in DEFAULT_CONTROLS}) == len(DEFAULT_CONTROLS)
    assert sum(control.is_page for control in DEFAULT_CONTROLS) >= 3
    assert sum(not control.is_page for control in DEFAULT_CONTROLS) >= 3
    assert all(control.source for control in DEFAULT_CONTROLS)
    for control in DEFAULT_CONTROLS:
        assert control.port == (80 if control.is_page else 443)
        assert [ipaddress.ip_address(address).version for address in control.addresses] in ([], [4, 6])


def test_public_resolvers_are_independent_and_of_both_families() -> None:
    versions = [ipaddress.ip_address(address).version for address in PUBLIC_RESOLVERS]
    assert versions.count(4) >= 2
    assert versions.count(6) >= 2


def test_a_profile_replaces_the_controls() -> None:
    assert controls_for(()) is DEFAULT_CONTROLS
    (own,) = controls_for(["https://status.vendor.test:8443/x"])
    assert (own.host, own.port, own.is_page, own.addresses) == ("status.vendor.test", 8443, False, ())
    assert own.expect_body_sha256 is None
