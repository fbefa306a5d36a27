"""What stands between client and provider: recorder, faults, mutants, local ports, virtual time."""
