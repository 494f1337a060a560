"""The programs of the lab: real ones (nginx, Apache, Caddy, HAProxy, unbound, nsd, fail2ban) and small ones of ours."""
