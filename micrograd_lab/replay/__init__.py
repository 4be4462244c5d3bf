"""The recorded graph as an array program."""
