"""What stands in front of a site, by headers that are on every reply: it says who answered, never who decided."""

from collections.abc import Mapping

FRONTS: tuple[tuple[str, str, str], ...] = (
    ("Cloudflare", "cf-ray", ""),
    ("Cloudflare", "server", "cloudflare"),
    ("CloudFront", "x-amz-cf-id", ""),
    ("Akamai", "server", "akamaighost"),
    ("Akamai", "akamai-grn", ""),
    ("Fastly", "x-served-by", "cache-"),
    ("Azure Front Door", "x-azure-ref", ""),
    ("Imperva", "x-iinfo", ""),
    ("Imperva", "x-cdn", "imperva"),
    ("Imperva", "x-cdn", "incapsula"),
    ("Sucuri", "x-sucuri-id", ""),
    ("Sucuri", "server", "sucuri"),
    ("Google Cloud", "via", "1.1 google"),
    ("Vercel", "x-vercel-id", ""),
    ("DataDome", "x-datadome", ""),
    ("Kong", "x-kong-response-latency", ""),
    ("Envoy", "server", "envoy"),
    ("AWS API Gateway", "x-amz-apigw-id", ""),
    ("AWS API Gateway", "apigw-requestid", ""),
    ("AWS ELB", "server", "awselb"),
    ("ModSecurity", "server", "mod_security"),
)
"""Product, header, part of its value. Source: fault-signatures 7.5, "present but not block"."""


def fronts(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The products that an answer passed, each once, in the order of the table."""
    return tuple(
        dict.fromkeys(product for product, name, part in FRONTS if name in headers and part in headers[name].lower())
    )
