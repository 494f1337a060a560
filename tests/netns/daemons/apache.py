"""Apache with mod_evasive: the vendor's web service on the other common server."""

from __future__ import annotations

from pathlib import Path

_MODULES = Path("/usr/lib/apache2/modules")
_LOADED = ("mpm_event", "authz_core", "alias", "ssl", "socache_shmcb", "evasive20")

# Apache serves no page as root, and a lab may have no second user to become. In a user namespace of its own it is
# somebody else; the port is then free to take (net.ipv4.ip_unprivileged_port_start).
_AS_NOBODY = ("unshare", "--user", "--map-user=33", "--map-group=33")


def write(folder: Path, site: str, name: str) -> list[str]:
    """Write the configuration, ``site`` inside the virtual host; returns the command to run.

    One child process only: mod_evasive counts in each child by itself, so that with several of them the limit would
    depend on which one a connection happens to meet (mod_evasive 1.10.1, README).
    """
    pages = folder / "pages"
    pages.mkdir(parents=True, exist_ok=True)
    (pages / "answer.json").write_text('{"status":"ok","service":"api"}\n')
    modules = "\n".join(f"LoadModule {one}_module {_MODULES / f'mod_{one}.so'}" for one in _LOADED)
    (folder / "apache.conf").write_text(
        f"""
{modules}
ServerRoot {folder}
ServerName {name}
PidFile {folder}/pid
DefaultRuntimeDir {folder}
ErrorLog {folder}/error.log
CustomLog {folder}/access.log "%h %l %u %t \\"%r\\" %>s %O"
ServerLimit 1
StartServers 1
ThreadsPerChild 25
MaxRequestWorkers 25
Listen 443
<VirtualHost *:443>
    SSLEngine on
    SSLCertificateFile {folder}/chain.pem
    SSLCertificateKeyFile {folder}/key.pem
    DocumentRoot {pages}
    AliasMatch ".*" "{pages}/answer.json"
    <Directory {pages}>
        Require all granted
        ForceType application/json
    </Directory>
    {site}
</VirtualHost>
"""
    )
    return [*_AS_NOBODY, "apache2", "-f", str(folder / "apache.conf"), "-D", "FOREGROUND"]
