"""`kanloom prune`: a smaller model, without the columns and addends that hardly matter."""

from __future__ import annotations

import argparse
from pathlib import Path

from sw.commands.model_records import declare_records, read_records, score_of
from sw.commands.options import add_json, data_file, load_model
from sw.commands.progress import TerminalReporter
from sw.commands.scores import score_figures, score_text
from sw.outputs import FIGURES, Output, add_force, check, write_json
from sw.spec.options import real
from sw.spec.printable import printable

SHARE = 0.001
EXAMPLES = ("table.npz table.csv --output small.npz", "table.npz table.csv --share 0.01 --output small.npz")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    declare_records(parser)
    parser.add_argument(
        "--share",
        type=real(0, 1),
        default=SHARE,
        metavar="X",
        help="how much predictions may change: mean square, as a share of their variance (default: %(default)s)",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="the smaller model, .npz")
    add_json(parser)
    add_force(parser)


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Prune a model and say what that costs.

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
    from sw.model import MODEL_FILE

    outputs = Output(options.output, MODEL_FILE), Output(options.json, FIGURES, "--json")
    check(*outputs, inputs=[options.model, data_file(options.dataset)], force=options.force)
    model = load_model(options.model, options.dataset)
    with reporter.step("pruning"):
        from sw.engine.prediction import Predictor
        from sw.formulas.evaluation import check_depth
        from sw.formulas.pruning import prune

        check_depth(model)
        records = read_records(options, model, reporter)
        pruned = prune(model, records.training, options.share)
        smaller = pruned.model
        kept = [index for index, name in enumerate(model.feature_names) if name in smaller.feature_names]
        features = records.features[:, kept] if model.feature_names else records.features
        scores = [
            score_figures(score_of(Predictor(each).predict(rows), records.targets), model.target_names)
            for each, rows in ((model, records.features), (smaller, features))
        ]
    smaller.save(options.output)
    columns = ", ".join(map(printable, pruned.columns)) or "no column"
    reporter.show(
        f"removed  {columns}; {len(pruned.addends)} addends",
        f"before   {model.network}, {model.network.parameters:,} parameters; hold-out {score_text(scores[0])}",
        f"after    {smaller.network}, {smaller.network.parameters:,} parameters; hold-out {score_text(scores[1])}",
    )
    what = "The smaller model" if pruned.columns or pruned.addends else "Nothing is removed; the same model"
    reporter.note(f"{what} is in {options.output}.")
    figures = {"columns": pruned.columns, "addends": pruned.addends, "change": pruned.change}
    write_json(options.json, {**figures, "before": scores[0], "after": scores[1]})
    return 0
