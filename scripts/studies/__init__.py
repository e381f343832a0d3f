"""Studies behind the figures in docs/results.md: long, and run by hand."""
