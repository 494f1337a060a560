"""Verdicts and facts in words: text, Markdown, HTML and JSON over one model. Layout only, no decisions."""
