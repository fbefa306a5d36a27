"""Prove every integration before it ships: one YAML contract per service drives every check."""
