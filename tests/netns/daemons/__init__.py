"""The programs of the lab: real ones (nginx, Apache, Caddy, HAProxy, unbound, nsd, fail2ban) and the small ones written here."""
