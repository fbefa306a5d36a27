"""Who tests the tests: mutants derived from each clause, and the score of the suites against them."""
