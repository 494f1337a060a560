"""The programs of the lab: real ones (nginx, HAProxy, unbound, nsd, fail2ban) and the small ones written here."""
