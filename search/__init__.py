"""Texts and their vectors in one SQLite file, searched across languages."""
