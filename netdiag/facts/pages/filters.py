"""Pages that filters near the customer make: in the office, the school, the line, by a filtering resolver.

Only products whose page is served beside the user (scopes ``prod`` and ``inst`` of the OONI lists). Queries are gone
from what is recorded, so no row may need one; a redirect to a filter's page is known by its ``Location``.
"""

from netdiag.facts.pages.row import Row

_OONI = "OONI and Citizen Lab block page fingerprints, scope prod (ooni/blocking-fingerprints)"
_WAFW00F = "wafw00f, plugins (idea of the signal)"

FILTERS = (
    Row(
        "FortiGuard", "filter", _OONI, "2026-11", body=("fortiguard intrusion prevention - access blocked",),
        alone=True, note="FortiGates also stand before servers: through the vendor's own TLS the page is the vendor's.",
    ),
    Row("FortiGuard", "filter", _OONI, "2026-11", body=("powered by fortiguard",), alone=True),
    Row("FortiGuard", "filter", _WAFW00F, "2026-01", body=("fortiguard", "web filter violation")),
    Row("Palo Alto", "filter", _OONI, "2026-11", body=("/php/urlblock.php",), alone=True),
    Row("Palo Alto", "filter", _OONI, "2026-11", headers=(("location", "/php/urlblock.php"),), alone=True),
    Row(
        "Palo Alto", "filter", _WAFW00F, "2026-01", body=("has been blocked in accordance with company policy",),
        alone=True,
    ),
    Row("Blue Coat", "filter", _OONI, "2026-11", body=("notify.bluecoat.com",), alone=True),
    Row("Blue Coat", "filter", _OONI, "2026-11", headers=(("location", "notify.bluecoat.com"),), alone=True),
    Row(
        "Cisco WSA", "filter", _OONI, "2026-11", headers=(("via", "cisco-wsa"),), statuses=(403, 407, 502, 503, 504),
        note="Via is on every reply that passes it; with these statuses a relayed answer looks the same.",
    ),
    Row("Cisco Umbrella", "filter", _OONI, "2026-11", body=("block.opendns.com",), alone=True),
    Row("Cisco Umbrella", "filter", _OONI, "2026-11", headers=(("location", "block.opendns.com"),), alone=True),
    Row("Cisco Umbrella", "filter", _OONI, "2026-11", body=("opendns", "is blocked due to content filtering.")),
    Row("Meraki", "filter", _OONI, "2026-11", body=("wired.meraki.com:8090/blocked.cgi",), alone=True),
    Row("Meraki", "filter", _OONI, "2026-11", headers=(("location", "wired.meraki.com:8090/blocked.cgi"),), alone=True),
    Row("Meraki", "filter", _OONI, "2026-11", body=("this website is blocked by your network operator.",), alone=True),
    Row("Check Point", "filter", _OONI, "2026-11", body=("/usercheck/portalmain",), alone=True),
    Row("Check Point", "filter", _OONI, "2026-11", headers=(("location", "/usercheck/portalmain"),), alone=True),
    Row("Check Point", "filter", _OONI, "2026-11", body=("check point usercheck",), alone=True),
    Row("Forcepoint", "filter", _OONI, "2026-11", body=(":15871/cgi-bin/blockpage.cgi",), alone=True),
    Row("Forcepoint", "filter", _OONI, "2026-11", body=(":15871/cgi-bin/block_message.cgi",), alone=True),
    Row("Forcepoint", "filter", _OONI, "2026-11", headers=(("location", ":15871/cgi-bin/blockpage.cgi"),), alone=True),
    Row("Netsweeper", "filter", _OONI, "2026-11", body=("/webadmin/deny",), alone=True),
    Row("Netsweeper", "filter", _OONI, "2026-11", headers=(("location", "/webadmin/deny"),), alone=True),
    Row("squidGuard", "filter", _OONI, "2026-11", headers=(("location", "squidguard.cgi"),), alone=True),
    Row("squidGuard", "filter", _OONI, "2026-11", headers=(("location", "/sgerror.php"),), alone=True),
    Row(
        "Squid", "filter", _OONI, "2026-11", body=("stylesheet for squid error pages",), alone=True,
        note="Also a reverse proxy's: through the vendor's own TLS it is the vendor's.",
    ),
    Row(
        "Squid", "filter", "Squid, error pages (errorpage.cc)", "2026-11", headers=(("x-squid-error", ""),), alone=True,
    ),
    Row("ContentKeeper", "filter", _OONI, "2026-11", body=("blocked by contentkeeper",), alone=True),
    Row("Juniper", "filter", _OONI, "2026-11", body=("juniper web filtering",), alone=True),
    Row("Lightspeed", "filter", _OONI, "2026-11", body=("<title>lightspeed system - web access</title>",), alone=True),
    Row(
        "Comodo SecureDNS", "filter", _OONI, "2026-11", headers=(("location", "warn.recursive.dnsbycomodo.com"),),
        alone=True,
    ),
    Row("Zscaler", "filter", _WAFW00F, "2026-01", body=("internet security by zscaler",), alone=True),
    Row("Zscaler", "filter", _WAFW00F, "2026-01", body=("zscaler to protect you from internet threats",), alone=True),
    Row(
        "Zscaler", "filter", _WAFW00F, "2026-01", headers=(("server", "zscaler"),), statuses=(302, 307, 403, 407),
        note="Server is on every page that it makes itself, log-in pages too.",
    ),
    Row("SonicWALL", "filter", _OONI, "2026-11", headers=(("server", "sonicwall"),), statuses=(302, 307, 403, 503)),
)  # fmt: skip
