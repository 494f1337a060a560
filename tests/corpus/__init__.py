"""The corpus: every scenario of ``bundles/`` on every network, as recorded bundles with golden facts and verdicts.

``python -m tests.corpus record [NAME…]`` records from the lab, ``golden`` rewrites what is expected from the
recordings (read the diff), ``table`` prints the verdicts, ``accuracy`` writes docs/accuracy.md.
"""
