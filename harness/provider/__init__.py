"""How a provider is had: stub, embedded engine, container, URL."""
