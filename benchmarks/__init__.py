"""netdiag beside the classic tools on the same lab path, and what it costs.

``python -m benchmarks [NAME…] [--quick] [--write]``. Ratios inside one run are the bar; absolute figures depend on the
machine and are goals that are reported. Nothing here is a test with a clock, and no packet leaves the labs.
"""
