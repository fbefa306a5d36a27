"""The declarative contract: read, checked, and taken apart into clauses."""
