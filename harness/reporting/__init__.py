"""Consumers of the event stream: the summary by clause, its text, its JSON."""
