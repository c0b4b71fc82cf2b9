"""Keeps what must not be lost. Speaks the ports' dataclasses; rows and SQL never leave it."""
