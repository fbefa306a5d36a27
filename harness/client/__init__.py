"""How a client is called: the binding from an operation to a method of any client."""
