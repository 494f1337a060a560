"""netdiag: evidence about a connectivity fault, and which side it is on."""

__version__ = "0.1.0"
