"""Reference clients, one module a provider, and the resilience they share."""
