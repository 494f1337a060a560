"""Seeded secrets: in no member of the bundle, and on no screen of either end."""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.conftest import LabFactory
from tests.netns.collecting import NETDIAG, NOTHING_IS_WRONG, collect_command
from tests.netns.lab import Lab

pytestmark = pytest.mark.lab

URL_USER, URL_PASSWORD, QUERY, FRAGMENT, SESSION = (
    "s3cr3tuser", "hunter2pass", "tok-4711-query", "fragment-815", "jsess-2290",
)  # fmt: skip
PROXY_USER, PROXY_PASSWORD = "proxyuser-77", "proxy%40pass-88"
OTHER_HOST, HOST_NAME, USER_NAME, SEARCH = (
    "other-host-99.example", "annas-laptop-55", "anna-klarname", "secret-firm-12.example",
)  # fmt: skip
COOKIE, TOKEN, BEARER, ECHOED = "cookie-3141", "x-token-2718", "bearer-1618-abcdefgh", "dXNlcjpwYXNzd29ydC0xNDE0"

WRITTEN = (
    URL_USER, URL_PASSWORD, QUERY, FRAGMENT, SESSION, PROXY_USER, PROXY_PASSWORD, "proxy@pass-88", OTHER_HOST,
    HOST_NAME, USER_NAME, SEARCH, COOKIE, TOKEN, BEARER, ECHOED,
    base64.b64encode(f"{URL_USER}:{URL_PASSWORD}".encode()).decode(),
    base64.b64encode(f"{PROXY_USER}:proxy@pass-88".encode()).decode(),
)  # fmt: skip

PAGE = f"""<html><title>403</title><p>Rejected: GET {{vendor_path}}?key={QUERY}#{FRAGMENT}
<p>Authorization: Bearer {BEARER}
<p>Authorization: Basic {ECHOED}
<p>You said {URL_USER} and {URL_PASSWORD}, from {HOST_NAME}.{SEARCH} ({USER_NAME})
<p>Try https://{URL_USER}:{URL_PASSWORD}@{{vendor_name}}/login;jsessionid={SESSION}?token={QUERY}
</html>""".replace("\n", " ")

SEEDED = (
    NOTHING_IS_WRONG
    + f"""
[customer]
hosts = ["192.168.7.7 {OTHER_HOST}"]
[vendor]
location = '''
add_header Set-Cookie "session={COOKIE}; HttpOnly" always;
add_header Authorization "Bearer {BEARER}" always;
add_header X-Auth-Token "{TOKEN}" always;
add_header Location "https://{URL_USER}@{{vendor_name}}/x?key={QUERY}" always;
add_header WWW-Authenticate 'Digest realm="{USER_NAME}", nonce="{TOKEN}"' always;
default_type text/html; return 403 '{PAGE}';
'''
"""
)
BY_PROXY = """
[gateway]
proxy = "auth_required"
"""

ENDS = (("verify",), ("show",), *(("analyze", "--format", form) for form in ("text", "markdown", "html", "json")))

RULES = {
    "MAC address", "URLs in text", "credentials in text", "host name",
    "search domain", "secrets in text", "user name",
}  # fmt: skip
"""Each finds something to remove here; else the test would test nothing."""

# A host name of its own, and then an ordinary user's rights.
AS_ANNA = """
hostname "$0" && exec setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all --no-new-privs "$@"
"""


@pytest.mark.parametrize("through", ["directly", "by-proxy"])
def test_secrets_are_in_no_member_and_on_no_screen(lab: LabFactory, through: str) -> None:
    by_proxy = through == "by-proxy"
    opened = lab(toml=SEEDED + (BY_PROXY if by_proxy else ""))
    secrets = [*WRITTEN, *_hardware(opened)]
    proxy = f"http://{PROXY_USER}:{PROXY_PASSWORD}@{opened.values['gateway4']}:3128"
    env = {"https_proxy": proxy, "http_proxy": proxy} if by_proxy else {"no_proxy": "*", "ftp_proxy": proxy}
    screens, output = _collected(opened, env)
    for words in ENDS:
        shown = opened.run("agent", [*NETDIAG, words[0], str(output), *words[1:]])
        assert shown.returncode == 0, shown.stderr
        screens[" ".join(words)] = shown.stdout + shown.stderr
    with zipfile.ZipFile(output) as packed:
        screens |= {name: packed.read(name).decode() for name in packed.namelist()}
    assert (" 403" if not by_proxy else "407") in screens["summary.txt"] + screens["evidence.json"].replace(":", " ")
    if not by_proxy:
        assert "Rejected: GET" in screens["evidence.json"], "the page was not kept: nothing is tested"
        assert set(json.loads(screens["evidence.json"])["removed"]) >= RULES
    for secret in secrets:
        found = [name for name, text in screens.items() if secret.lower() in text.lower()]
        assert not found, (secret, found)


def _collected(lab: Lab, env: Mapping[str, str]) -> tuple[dict[str, str], Path]:
    """Two collects of one person: what they showed, and the bundle of the second."""
    home = lab.home / USER_NAME
    home.mkdir()
    who = {"USER": USER_NAME, "LOGNAME": USER_NAME, "HOME": str(home), "XDG_DATA_HOME": ""}
    with_search = f"echo 'search {SEARCH}' >> /etc/resolv.conf"
    assert lab.run("customer", ["sh", "-c", with_search], ordinary=False).returncode == 0
    name, path = lab.values["vendor_name"], lab.values["vendor_path"]
    url = f"https://{URL_USER}:{URL_PASSWORD}@{name}{path};jsessionid={SESSION}?key={QUERY}#{FRAGMENT}"
    screens: dict[str, str] = {}
    output = lab.home / "unused"
    for form in ("json", "text"):
        output = lab.home / f"{form}.zip"
        argv = collect_command(lab, output, "--format", form, url=url)
        done = lab.run(
            "customer", ["unshare", "--uts", "sh", "-c", AS_ANNA, HOST_NAME, *argv], ordinary=False, env={**who, **env}
        )
        assert done.returncode == 0, done.stderr
        screens |= {f"collect {form} stdout": done.stdout, f"collect {form} stderr": done.stderr}
    return screens, output


def _hardware(lab: Lab) -> Sequence[str]:
    """The MAC addresses of the customer's machine and of its gateway, and the link-local addresses made of them."""
    found: list[str] = []
    for role in ("customer", "gateway"):
        listed = lab.run(role, ["ip", "-j", "address"], ordinary=False)
        for link in json.loads(listed.stdout):
            if link["link_type"] == "ether":
                mac = link["address"]
                found += [mac, mac.replace(":", "-"), mac.replace(":", "")]
                found += [one["local"] for one in link["addr_info"] if one["scope"] == "link" and ":" in one["local"]]
    assert len(found) >= 8
    return found
