"""How facts are derived from records: one file per layer, each later one leaning on those before it."""
