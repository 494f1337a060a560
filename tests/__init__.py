"""Tests of netdiag."""
