"""What a command says while it waits for its kernels."""

from sw.engine.conversion import as_floating, compiled_trainer
from sw.model import Model


def preparing(model: Model, arithmetic: str | None = None) -> str:
    """Say whether a model's kernels are compiled, or only loaded.

    Parameters
    ----------
    model : Model
        What the kernels are for.
    arithmetic : str, optional
        Of a training; for predictions, it is the model's own.

    Returns
    -------
    str
        What is being done, for `sw.spec.reporter.Reporter.step`.
    """
    arithmetic = arithmetic or ("fixed16" if model.domains is None else "float64")
    model = model if arithmetic == "fixed16" else as_floating(model)
    ready = compiled_trainer(model, arithmetic).ready
    return "loading kernels" if ready else "compiling kernels (once a machine)"
