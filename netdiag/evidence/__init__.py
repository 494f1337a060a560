"""The shared vocabulary of probes and judges: what was seen, and how it is sealed. No network, no opinions."""
