"""`kanloom formula`: a model written with known functions."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from sw.commands.model_records import declare_records, read_records, score_of
from sw.commands.options import add_json, data_file, load_model
from sw.commands.progress import TerminalReporter
from sw.commands.scores import score_figures, score_text
from sw.outputs import FIGURES, Output, add_force, check, write_json
from sw.spec.printable import printable

FITS = 0.99  # R2 of a function, below which it is named
MOST_NAMED = 20
EXAMPLES = ("table.npz table.csv", "table.npz table.csv --json formula.json")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    declare_records(parser)
    add_json(parser)
    add_force(parser)


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Print a model as a formula, and how well that stands for the model.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    reporter : TerminalReporter
        For progress and results.

    Returns
    -------
    int
        The exit status.
    """
    inputs = [options.model, data_file(options.dataset)]
    check(Output(options.json, FIGURES, "--json"), inputs=inputs, force=options.force)
    model = load_model(options.model, options.dataset)
    with reporter.step("fitting functions"):
        from sw.engine.prediction import Predictor
        from sw.formulas.evaluation import check_depth
        from sw.formulas.formula import formula

        check_depth(model)
        records = read_records(options, model, reporter)
        found = formula(model, records.training)
        predicted = Predictor(model).predict(records.features), found.predict(records.features)
        scores = [score_figures(score_of(each, records.targets), model.target_names) for each in predicted]
    poor = sorted((each for each in found.terms if each.fit.r2 < FITS), key=lambda each: each.fit.r2)
    named = [
        f"  {found.names[each.layer + 1][each.output]} of {found.names[each.layer][each.source]}: best "
        f"{each.fit.name}, R2 {each.fit.r2:.4f}"
        for each in poor[:MOST_NAMED]
    ]
    more = [f"  and {len(poor) - MOST_NAMED} more"] if len(poor) > MOST_NAMED else []
    lines = found.lines()
    reporter.show(
        *map(printable, lines),
        f"{len(found.terms)} functions, of which {len(poor)} do not fit (R2 below {FITS}){':' if poor else ''}",
        *map(printable, named),
        *more,
        f"model    hold-out {score_text(scores[0])}",
        f"formula  hold-out {score_text(scores[1])}",
    )
    terms = [asdict(each) for each in found.terms]
    write_json(options.json, {"formula": lines, "terms": terms, "model": scores[0], "of_formula": scores[1]})
    return 0
