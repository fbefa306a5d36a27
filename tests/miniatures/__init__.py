"""Liars: small providers and clients that break one clause each, and honest ones that differ from ours in style."""
