"""Measures answers: scoring, suites, intervals. Knows no app, database or network."""
