"""Verdict -> text, markdown, HTML, JSON. No decisions here."""
