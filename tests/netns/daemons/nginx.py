"""nginx (and HAProxy in front of it): the vendor's web service."""

from __future__ import annotations

from pathlib import Path

from tests.netns.scenario import Vendor as Options

_HEALTHY = 'default_type application/json; return 200 \'{"status":"ok","service":"api"}\\n\';'


def write(folder: Path, options: Options, name: str, *, behind_proxy: bool) -> list[str]:
    """Write the configuration; returns the command to run. Behind a proxy nginx listens on loopback, in plain HTTP."""
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    listens = ["listen 127.0.0.1:8080;"] if behind_proxy else ["listen 443 ssl;"]
    if options.listen6 and not behind_proxy:
        listens.append("listen [::]:443 ssl;")
    tls = "" if behind_proxy else f"ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem;"
    plain = ""
    if not behind_proxy:
        plain6 = "listen [::]:80;" if options.listen6 else ""
        plain = f"server {{ listen 80; {plain6} server_name _; return 301 https://{name}$request_uri; }}"
    temporary = "".join(f"{kind}_temp_path {folder}/tmp/{kind};\n" for kind in _TEMPORARY)
    text = f"""
daemon off;
user root root;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log info;
events {{ worker_connections 256; }}
http {{
{temporary}
access_log {folder}/access.log combined;
{options.http}
{plain}
server {{
    {" ".join(listens)}
    server_name {name};
    {tls}
    {options.site}
    location / {{ {options.location or _HEALTHY} }}
}}
}}
"""
    (folder / "nginx.conf").write_text(text)
    return ["nginx", "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")]


_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def write_haproxy(folder: Path, frontend: str) -> list[str]:
    """HAProxy on 443 with the vendor's certificate and nginx as its only origin; returns the command to run."""
    folder.mkdir(parents=True, exist_ok=True)
    text = f"""
global
    stats socket {folder}/socket
defaults
    mode http
    timeout connect 2s
    timeout client 20s
    timeout server 20s
frontend public
    bind :::443 v4v6 ssl crt {folder}/site.pem alpn http/1.1
    default_backend origin
{frontend}
backend origin
    server nginx 127.0.0.1:8080
backend empty
    server gone 127.0.0.1:9 check inter 200ms
"""
    (folder / "haproxy.cfg").write_text(text)
    return ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")]
