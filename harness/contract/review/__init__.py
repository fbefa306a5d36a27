"""What has to be right about a contract besides its form; each module gathers its own kind of problem."""
