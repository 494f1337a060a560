"""The benchmarks' own words and rules, without a clock and without a lab."""
