"""Clients for `contracts/voyage_ai.yaml`: honest ones in several styles, and liars made of them."""
