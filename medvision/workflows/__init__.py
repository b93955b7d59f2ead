"""The verbs that join everything: run, check, predict, evaluate, compare, convert, report."""
