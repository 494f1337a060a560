"""Caddy as the vendor's web service."""

from __future__ import annotations

from pathlib import Path


def write(folder: Path, site: str, name: str) -> list[str]:
    """Write the configuration, ``site`` before the healthy answer; returns the command to run."""
    (folder / "Caddyfile").write_text(
        f"""
{{
    admin off
    auto_https off
    storage file_system {folder}/caddy
}}
https://{name} {{
    tls {folder}/chain.pem {folder}/key.pem
    route {{
        {site}
        header Content-Type application/json
        respond `{{"status":"ok","service":"api"}}`
    }}
}}
"""
    )
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
