"""The command line: `kanloom VERB`, which is `python -m sw VERB`.

Belongs here: parsing, progress, what is printed. Does not: what a verb does (`sw.experiment`, `sw.engine`,
`sw.device`). A new verb is one file with `declare(parser)` and `run(options, reporter)`, and one entry in `verbs`.
Begin with `verbs`, then `command_line`."""
