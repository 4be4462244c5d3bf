"""A deadline would measure the machine: a test is as right on a busy one."""

from hypothesis import settings

settings.register_profile("any machine", parent=settings(), deadline=None)
settings.load_profile("any machine")
