"""The commands of `python -m sw`, one a file: `declare(parser)`, and `run(options)`, which gives the exit code."""
