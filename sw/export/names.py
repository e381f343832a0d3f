"""What all forms of an export share: models that have one, and identifiers of other languages."""

import re

from sw.model import Model


class ExportError(ValueError):
    """A model cannot be exported; the message says why."""


def fixed_point(model: Model, name: str) -> None:
    """Refuse a model in floating point.

    Raises
    ------
    ExportError
        For such a model.
    """
    if model.domains is not None:
        raise ExportError(
            f"{name} is in floating point, and an export is in fixed point: train with --arithmetic fixed16"
        )


def identifier(name: str) -> str:
    """Make an identifier of C and Verilog, or the prefix of one: letters, digits and `_`, a letter first."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
    return plain if plain[:1].isalpha() else f"model_{plain}".rstrip("_")
