"""Trains a path. Serving needs none of it: `model` does not know that this package is here."""
