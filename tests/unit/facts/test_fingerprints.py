"""Who made a page, and whether the application answered."""

from typing import Any

import pytest

from netdiag.facts.derivation.exchanges import works
from netdiag.facts.fingerprints import fingerprint, says_refused
from netdiag.facts.target import HttpState
from tests.fakes.records import SECOND, TARGET, Story
from tests.unit.facts import facts_of, state_of

NGINX_403 = (
    "<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center><hr><center>nginx"
)


HAPROXY_503 = "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request."


@pytest.mark.parametrize(
    ("status", "headers", "body", "product", "kind"),
    [
        (403, {"server": "cloudflare"}, "error code: 1020", "Cloudflare", "block"),
        (429, {"server": "cloudflare"}, "error code: 1015", "Cloudflare", "limit"),
        (530, {"server": "cloudflare"}, "error code: 1033", "Cloudflare", "origin"),
        (522, {"server": "cloudflare"}, None, "Cloudflare", "origin"),
        (403, {"cf-mitigated": "challenge"}, None, "Cloudflare", "challenge"),
        (403, {}, "Access Denied ... Reference #18.2f3c", "Akamai", "block"),
        (403, {"x-azure-ref": "0a"}, "The request is blocked.", "Azure Front Door", "block"),
        (200, {}, "The requested URL was rejected. Your support ID is: 12345678", "F5 BIG-IP ASM", "block"),
        (
            503,
            {},
            "<h1>503 Service Unavailable</h1>\nNo server is available to handle this request.",
            "HAProxy",
            "origin",
        ),
        (403, {}, "FortiGuard Intrusion Prevention - Access Blocked", "FortiGuard", "filter"),
        (403, {"server": "nginx"}, NGINX_403, "nginx", "bare"),
        (403, {}, "<title>CrowdSec Ban</title><h1>CrowdSec Access Forbidden</h1>", "CrowdSec", "block"),
        (200, {}, '{"message":"Access denied by Imunify360 bot-protection."}', "Imunify360", "block"),
        (
            200,
            {},
            "<title>One moment, please...</title>Please wait while your request is being verified...",
            "Imunify360",
            "challenge",
        ),
        (429, {"x-envoy-ratelimited": "true"}, None, "Envoy", "limit"),
    ],
)
def test_known_pages(status: int, headers: dict[str, str], body: str | None, product: str, kind: str) -> None:
    page = fingerprint(status, headers, body)
    assert page is not None
    assert (page.product, page.kind) == (product, kind)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {"server": "cloudflare", "cf-ray": "8a-FRA"}, None),
        (403, {"server": "cloudflare", "cf-ray": "8a-FRA"}, '{"error":"no such plan"}'),
        (403, {"x-amz-cf-id": "abc", "x-cache": "Error from cloudfront"}, '{"message":"Missing Authentication Token"}'),
        (403, {}, "The request is blocked."),
        (200, {}, None),
    ],
)
def test_headers_of_every_reply_name_nobody(status: int, headers: dict[str, str], body: str | None) -> None:
    assert fingerprint(status, headers, body) is None


@pytest.mark.parametrize(
    ("text", "whom"),
    [
        ("Your IP address 203.0.113.9 has been blocked", "address"),
        ("We have banned this IP for abuse", "address"),
        ('{"message":"Your IP address is not allowed"}', "address"),
        ('{"error":"ip_not_allowed"}', "address"),
        ("IP blocked by origin policy", "address"),
        ("Your IP address is not in the allowlist", "address"),
        ("client ip 203.0.113.9 is not on our allow list", "address"),
        ("Your IP is not whitelisted", "address"),
        ("<p>Ihre IP-Adresse wurde gesperrt.</p>", "address"),
        ("Votre adresse IP a été bloquée.", "address"),
        (r'{"message":"Votre adresse IP a \u00e9t\u00e9 bloqu\u00e9e"}', "address"),
        ("Tu direcci&oacute;n IP no est&aacute; autorizada", "address"),
        ("O seu endereço de IP foi bloqueado", "address"),
        ("Il tuo indirizzo IP è stato bloccato", "address"),
        ("Uw IP-adres is geblokkeerd", "address"),
        ("Twój adres IP został zablokowany", "address"),
        ("Access from your country is not permitted", "region"),
        ("This service is not available in your region", "region"),
        ("Your country is not supported", "region"),
        ("Access from your network is restricted", "network"),
        ("Your subscription is blocked", None),
        ("Your IP address is not blocked", None),
        ("Ihre IP-Adresse ist nicht gesperrt", None),
        ("Your account is not in the allowlist", None),
        ("Add the addresses of your servers to the allowlist", None),
        ("The script is blocked, the zip allowed", None),
        ("Choose your country", None),
        ("Forbidden", None),
        (None, None),
    ],
)
def test_words_of_a_refusal(text: str | None, whom: str | None) -> None:
    assert says_refused(text) == whom


def answered(status: int, **fields: object) -> HttpState:
    return HttpState(how="answered", status=status, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "good"),
    [
        *[(answered(status), True) for status in (200, 204, 301, 302, 400, 401, 402, 403, 404, 405, 410, 415)],
        *[(answered(status), False) for status in (407, 408, 421, 429, 451, 500, 502, 503, 504, 511, 520)],
        (HttpState(how="silent"), False),
        (HttpState(how="closed"), False),
        (answered(200, page="block"), False),
        (answered(404, page="origin"), False),
        (answered(405, page="challenge"), False),
        (answered(403, page="challenge", other_agent_status=200), True),
        (answered(403, page="block", other_agent_status=200), True),
        (answered(429, page="limit", other_agent_status=200), False),
        (answered(403, bare=True), None),
        (answered(403, bare=True, other_agent_status=403), False),
        (answered(403, bare=True, other_agent_status=200), True),
        (answered(403, bare=True, other_agent_status=404), True),
        (answered(403, refuses="address"), False),
        (answered(401, refuses="address"), False),
        (answered(403, refuses="region", other_agent_status=200), True),
        (answered(200, page="block", other_agent_status=200, other_agent_page="block"), False),
        (answered(404, bare=True), True),
    ],
)
def test_which_answers_mean_that_the_network_works(state: HttpState, good: bool | None) -> None:
    assert works(state) is good


@pytest.mark.parametrize(
    ("body", "bare", "good"),
    [
        (NGINX_403, True, None),
        ("<html><body><h1>403 Forbidden</h1></body></html>", True, None),
        ("", True, None),
        ('<!doctype html><meta charset="utf-8"><title>403</title>403 Forbidden', True, None),
        ('{"error": "insufficient_scope"}', False, True),
        ('{"error": "forbidden"}', False, True),
        (None, False, True),
    ],
)
def test_a_403_from_records(body: str | None, bare: bool, good: bool | None) -> None:
    story = Story()
    story.surroundings()
    story.reach()
    story.http(status=403, body=body)
    state = state_of(facts_of(story), TARGET)
    assert state.http is not None
    assert state.http.bare is bare
    assert state.works is good
    assert state.failed_at is None


def test_a_bare_403_that_every_client_gets_fails() -> None:
    story = Story()
    story.surroundings()
    story.reach()
    story.http(status=403, body=NGINX_403)
    story.http(status=403, body=NGINX_403, agent="browser")
    state = state_of(facts_of(story), TARGET)
    assert (state.works, state.failed_at) == (False, "http")


def test_limits_and_ids_are_kept() -> None:
    story = Story()
    story.surroundings()
    story.reach()
    story.http(
        status=429,
        headers={"Retry-After": "30", "X-RateLimit-Remaining": "0", "cf-ray": "8a12-FRA", "x-request-id": "r-1"},
        body="error code: 1015",
    )
    http = state_of(facts_of(story), TARGET).http
    assert http is not None
    assert http.retry_after_s == 30
    assert http.limit_headers == ("retry-after: 30", "x-ratelimit-remaining: 0")
    assert http.page == "limit"
    assert http.pop == "cloudflare:FRA"
    assert http.search_keys == (("cf-ray", "8a12-FRA"), ("x-request-id", "r-1"))


def test_retry_after_as_a_date() -> None:
    story = Story()
    story.surroundings()
    story.reach()
    story.http(
        status=503,
        headers={"Date": "Sat, 14 Mar 2026 09:27:00 GMT", "Retry-After": "Sat, 14 Mar 2026 09:28:30 GMT"},
    )
    http = state_of(facts_of(story), TARGET).http
    assert http is not None
    assert http.retry_after_s == 90


def http_of(**fields: Any) -> HttpState:
    story = Story()
    story.surroundings()
    story.reach()
    story.http(**fields)
    http = state_of(facts_of(story), TARGET).http
    assert http is not None
    return http


@pytest.mark.parametrize("header", [("X-RateLimit-Remaining", "0"), ("RateLimit", '"default";r=0;t=30')])
@pytest.mark.parametrize(("status", "kind"), [(403, "limit"), (429, "limit"), (404, None), (200, None)])
def test_a_quota_that_is_used_up_makes_a_403_a_limit(header: tuple[str, str], status: int, kind: str | None) -> None:
    http = http_of(status=status, headers=dict([header]), body='{"error":"forbidden"}' if status >= 400 else None)
    assert http.page == kind
    assert works(http) is (kind is None)


def test_a_quota_that_is_left_does_not() -> None:
    http = http_of(status=403, headers={"X-RateLimit-Remaining": "10"}, body='{"error":"forbidden"}')
    assert (http.page, works(http)) == (None, True)


def test_a_page_says_whom_it_refuses_and_what_it_means() -> None:
    http = http_of(status=403, headers={"cf-ray": "8a-FRA"}, body="error code: 1009")
    assert (http.refuses, http.page_says) == ("region", "the country of the address is banned")
    assert http.fronts == ("Cloudflare",)
    assert works(http) is False


def test_words_on_a_good_page_refuse_nobody_unless_it_says_little_else() -> None:
    assert http_of(status=200, body="Your IP address has been blocked" + ", an article" * 100).refuses is None
    assert http_of(status=200, body="Your IP address has been blocked").refuses == "address"


def test_a_refusal_with_success_to_both_clients_is_no_success() -> None:
    page = "The requested URL was rejected. Please consult with your administrator. Your support ID is: 112435"
    story = Story()
    story.surroundings()
    story.reach()
    story.http(status=200, body=page)
    story.http(status=200, body=page, agent="browser")
    state = state_of(facts_of(story), TARGET)
    assert state.http is not None
    assert (state.http.page, state.http.other_agent_page) == ("block", "block")
    assert (state.works, state.failed_at) == (False, "http")


@pytest.mark.parametrize(("second", "told"), [("same", 200), ("another page", None), ("another status", None)])
def test_what_another_client_was_answered_holds_for_addresses_that_refuse_alike(second: str, told: int | None) -> None:
    story = Story()
    story.surroundings()
    for address in (TARGET, SECOND):
        story.reach(address)
    story.http(TARGET, status=403, headers={"Server": "nginx"}, body=NGINX_403)
    story.http(TARGET, status=200, agent="browser")
    status = 406 if second == "another status" else 403
    body = '{"error": "no key"}' if second == "another page" else NGINX_403
    story.http(SECOND, status=status, headers={"Server": "nginx"}, body=body)
    state = state_of(facts_of(story), SECOND)
    assert state.http is not None
    assert state.http.other_agent_status == told


def test_the_reason_phrase_may_tell() -> None:
    page = fingerprint(406, {}, None, reason="ModSecurity Action")
    assert page is not None
    assert (page.product, page.kind) == ("ModSecurity", "block")
