"""A page to type expressions into: what it asks of Python, and a server for it."""
