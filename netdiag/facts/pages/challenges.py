"""Pages that want a proof of being a browser or a person. A challenge is not a limit, whatever its status (429 too)."""

from netdiag.facts.pages.row import Row

_WAFW00F = "wafw00f, plugins (idea of the signal)"

CHALLENGES = (
    Row(
        "Cloudflare", "challenge", "Cloudflare docs, Detecting a challenge page response", "2026-11",
        headers=(("cf-mitigated", "challenge"),), alone=True, note="Sent with 403, 429 and 503.",
    ),
    Row(
        "Cloudflare", "challenge", "Cloudflare docs, Challenges", "2026-11",
        body=("just a moment...", "/cdn-cgi/challenge-platform/"),
    ),
    Row(
        "AWS WAF", "challenge", "AWS WAF developer guide, CAPTCHA and Challenge", "2026-11",
        headers=(("x-amzn-waf-action", "challenge"),), alone=True, note="Status 202, with no page for a program.",
    ),
    Row(
        "AWS WAF", "challenge", "wappalyzer/wappalyzer#6021 (recorded answer)", "2022-07-02",
        headers=(("x-amzn-waf-action", "captcha"),), alone=True, note="Status 405.",
    ),
    Row("AWS WAF", "challenge", "germondai/trawl#82", "2026-08-24", body=("window.gokuprops", ".awswaf.com/")),
    Row(
        "Vercel", "challenge", "elevenlabs/ui#80, mohamedhiba/smartmenu#45 (recorded answers)", "2026-08-27",
        headers=(("x-vercel-mitigated", "challenge"),), alone=True, note="Status 403 or 429.",
    ),
    Row(
        "Vercel", "challenge", "CactusPuppy/ow2countdown#134 (recorded answer)", "2026-06-03",
        body=("vercel security checkpoint",), alone=True,
    ),
    Row(
        "DataDome", "challenge", "psf/requests#5331 (recorded page)", "2020-01-31",
        body=("please enable js and disable any ad blocker", "var dd={"),
        note="The same page with t=bv says that the address is banned: the row of that comes first.",
    ),
    Row(
        "DataDome", "challenge", "DataDome, response format of its modules", "2026-11",
        body=(".captcha-delivery.com/",), alone=True,
    ),
    Row("HUMAN", "challenge", "PerimeterX modules, block page template", "2026-11", body=("px-captcha", "_pxappid")),
    Row(
        "HUMAN", "challenge", "PerimeterX modules, answer to API clients", "2026-11",
        body=('"jsclientsrc"', '"blockscript"'), statuses=(403, 412, 429),
    ),
    Row(
        "DataDome", "challenge", "is-antibot, providers (idea of the signal); DataDome docs", "2026-11",
        headers=(("x-dd-b", ""),), statuses=(401, 403, 405, 429), note="1 for a script, 2 for a CAPTCHA.",
    ),
    Row(
        "Kasada", "challenge", "is-antibot, providers (idea of the signal)", "2026-01", headers=(("x-kpsdk-ct", ""),),
        statuses=(403, 429), note="The header's value names the client: never recorded.",
    ),
    Row(
        "Anubis", "challenge", _WAFW00F, "2026-01", body=("/.within.website/x/cmd/anubis/",), alone=True,
        note="Comes with status 200 by default.",
    ),
    Row("Anubis", "challenge", _WAFW00F, "2026-01", body=('id="anubis_challenge"',), alone=True),
    Row(
        "F5 BIG-IP ASM", "challenge", "F5 BIG-IP ASM, bot defence pages", "2026-11",
        body=("please enable javascript to view the page content.", "your support id is"),
    ),
    Row(
        "Imunify360", "challenge", "a capture of the Wayback Machine, as described in public code", "2024-07-12",
        body=("one moment, please...", "please wait while your request is being verified..."),
        note="Sent with status 200.",
    ),
    Row(
        "CrowdSec", "challenge", "CrowdSec, captcha pages of its bouncers", "2026-11",
        body=("<title>crowdsec captcha</title>",), alone=True,
    ),
    Row("Imunify360", "challenge", _WAFW00F, "2026-01", body=("imunify360", "captcha")),
)  # fmt: skip
