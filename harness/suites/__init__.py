"""Independent generators of cases, one module a technique."""
