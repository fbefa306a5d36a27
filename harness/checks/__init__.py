"""Pure judgements of what was observed, one module a topic."""
