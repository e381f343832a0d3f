"""Studies behind the figures in docs/results.md: long, and run by hand.

Belongs here: programs whose output a document quotes, a study a file. Does not: what a user runs (`sw.commands`). Begin
with `schedule_study`.
"""
