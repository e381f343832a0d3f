"""A trained model as a C99 header: node tables and inference, one file, nothing but <stdint.h>."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from sw.datasets.encoding import encoding_notes
from sw.export.c_units import CUnits
from sw.export.names import ExportError, fixed_point, identifier
from sw.model import Model
from sw.spec.numerics import LayerFormat
from sw.spec.printable import printable

MOST_BITS = 16  # of a word: nodes are int16_t, sums int32_t
COLUMNS = 110  # of a line of numbers


def comment_text(text: str) -> str:
    """Make a text safe for a comment of C: it neither ends the comment nor begins another, and has no trigraph."""
    return re.sub(r"\?(?=\?)", "? ", re.sub(r"\*(?=/)|/(?=\*)", r"\g<0> ", printable(text)))


@dataclass(frozen=True)
class CHeader:
    """A header: C99 that is C++, too.

    Attributes
    ----------
    model : Model
        In fixed point, with words of at most 16 bits.
    name : str
        What the model is called.
    units : CUnits
        The constants of its units.
    """

    model: Model
    name: str
    units: CUnits

    @classmethod
    def of(cls, model: Model, name: str) -> "CHeader":
        """Make the header of a model.

        Parameters
        ----------
        model : Model
            From a training.
        name : str
            What it is called; identifiers begin with it.

        Raises
        ------
        ExportError
            For a model in floating point, for wider words, and for units that no double holds.
        """
        fixed_point(model, name)
        if model.network.width > MOST_BITS:
            raise ExportError(f"{name} has words of {model.network.width} bits; a header holds at most {MOST_BITS}")
        return cls(model, name, CUnits.of(model))

    @property
    def prefix(self) -> str:
        """What identifiers begin with."""
        return identifier(self.name)

    @property
    def macro(self) -> str:
        """What macros begin with."""
        return self.prefix.upper()

    @property
    def table_bytes(self) -> int:
        """Bytes of constant data."""
        units = self.units
        reals = [units.low, units.high, units.scale, units.knots, units.centre, units.step]
        rows = 2 * len(units.knots_of) if len(units.knots) else 0
        return 2 * self.model.network.parameters + sum(each.nbytes for each in reals) + rows

    @property
    def stack_bytes(self) -> int:
        """Bytes of the arrays that the inference keeps on the stack."""
        return 4 * self._most_outputs + 2 * self._most_hidden

    @property
    def unit_stack_bytes(self) -> int:
        """Bytes of the arrays that the conversion of units keeps there, too."""
        return 2 * self.model.network.record_words

    @property
    def _most_hidden(self) -> int:
        return max((layer.outputs for layer in self.model.network.layers[:-1]), default=0)

    @property
    def _most_outputs(self) -> int:
        return max(layer.outputs for layer in self.model.network.layers)

    @property
    def text(self) -> str:
        """The file."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        guard, network = f"KANLOOM_{self.macro}_H", self.model.network
        yield from self._about()
        yield from (f"#ifndef {guard}", f"#define {guard}", "", "#include <stdint.h>", "")
        yield f"#define {self.macro}_FEATURES {network.features}"
        yield f"#define {self.macro}_TARGETS {network.outputs}"
        yield from ("", "/* This code needs a compiler whose right shift of a negative number keeps the sign. */")
        yield from (f"typedef char {self.prefix}_shift_keeps_the_sign[(-1 >> 1) == -1 ? 1 : -1];", "")
        for index, nodes in enumerate(self.model.nodes):
            yield f"/* Nodes of layer {index}: of each input, at each node of its functions, one for each output. */"
            sizes = "".join(f"[{size}]" for size in nodes.shape)
            yield f"static const int16_t {self.prefix}_nodes_{index}{sizes} = {{"
            for functions in nodes:
                yield "    {"
                for row in functions:
                    yield from _braced(map(str, row.tolist()), indent=8)
                yield "    },"
            yield from ("};", "")
        yield from self._fixed()
        yield from self._encode()
        yield from self._predict()
        yield from ("", f"#endif /* {guard} */")

    def _about(self) -> Iterator[str]:
        """Yield the comment at the top."""
        model, prefix, real = self.model, self.prefix, self.units.c_type
        name = comment_text(self.name)
        yield f'/* Written by kanloom export c from the model "{name}": a Kolmogorov-Arnold network, {model.network}.'
        yield " *"
        yield f" * {prefix}_predict computes targets from features, both in the user's units ({real})."
        yield f" * {prefix}_encode  is its first step: the argument codes of features."
        yield f" * {prefix}_fixed   is its second step: words from argument codes, the bits of kanloom's oracle."
        yield " *"
        yield f" * Constant tables: {self.table_bytes} bytes. Arrays on the stack: {self.stack_bytes} bytes in"
        yield f" * {prefix}_fixed, {self.unit_stack_bytes} more in {prefix}_predict. No other memory, and no library."
        yield " *"
        yield " * Features, with the range of training. A value beyond it counts as its end, NaN as the low end."
        scaling = model.scaling
        for index, low, high in zip(
            range(model.network.features), scaling.feature_low, scaling.feature_high, strict=True
        ):
            yield f" *   [{index}] {self._column(model.feature_names, index)}, {low:.9g} to {high:.9g}"
        yield " * Targets:"
        for index in range(model.network.outputs):
            yield f" *   [{index}] {self._column(model.target_names, index)}"
        for note in encoding_notes(model.encoding):
            yield f' * In training: "{comment_text(note)}".'
        yield " */"

    @staticmethod
    def _column(names: tuple[str, ...], index: int) -> str:
        return f'"{comment_text(names[index])}"' if names else "(no name)"

    def _fixed(self) -> Iterator[str]:
        """Yield the function from argument codes to words."""
        prefix, macro, formats = self.prefix, self.macro, self.model.network.formats
        yield from (
            "/* The rounded mean of an exact sum, limited to a range. */",
            f"static inline int32_t {prefix}_mean(int32_t sum, unsigned shift, int32_t low, int32_t high)",
            "{",
            "    const int32_t mean = (sum >> shift) + ((sum >> (shift - 1u)) & 1);",
            "",
            "    return mean < low ? low : mean > high ? high : mean;",
            "}",
            "",
            "/* Compute words from argument codes. A code above the last one counts as the last one. */",
            "static inline void",
            f"{prefix}_fixed(const uint16_t arguments[{macro}_FEATURES], int16_t results[{macro}_TARGETS])",
            "{",
            *([f"    uint16_t codes[{self._most_hidden}];"] if self._most_hidden else []),
            f"    int32_t sums[{self._most_outputs}];",
            "    uint16_t input, output;",
        )
        for index, form in enumerate(formats):
            yield from self._layer(index, form, last=index == len(formats) - 1)
        yield from ("}", "")

    def _layer(self, index: int, form: LayerFormat, *, last: bool) -> Iterator[str]:
        """Yield the statements of a layer."""
        layer, nodes = self.model.network.layers[index], f"{self.prefix}_nodes_{index}"
        each = f"    for (output = 0; output < {layer.outputs}; output++)"
        limited = not index and form.argument_bits < 16
        low, high = form.result_limits
        mean = f"{self.prefix}_mean(sums[output], {form.sum_shift}u, {low}, {high})"
        yield from (
            "",
            f"    /* Layer {index}: {layer.inputs} inputs, {layer.outputs} outputs, {layer.segments} segments. */",
            each,
            "        sums[output] = 0;",
            f"    for (input = 0; input < {layer.inputs}; input++) {{",
            f"        {'' if limited else 'const '}uint16_t code = {'codes' if index else 'arguments'}[input];",
            "        const int16_t *left, *right;",
            "        int32_t offset;",
            "",
            *([f"        if (code > {form.last_code}u)", f"            code = {form.last_code}u;"] if limited else []),
            f"        left = {nodes}[input][code >> {form.offset_bits}];",
            f"        right = {nodes}[input][(code >> {form.offset_bits}) + 1];",
            f"        offset = code & {(1 << form.offset_bits) - 1}u;",
            f"    {each}",
            f"            sums[output] += (int32_t)left[output] * {1 << form.offset_bits}"
            " + ((int32_t)right[output] - left[output]) * offset;",
            "    }",
            each,
            f"        results[output] = (int16_t){mean};"
            if last
            else f"        codes[output] = (uint16_t)({mean} + {form.result_bias});",
        )

    def _encode(self) -> Iterator[str]:
        """Yield the function from features to argument codes."""
        prefix, macro, units, real = self.prefix, self.macro, self.units, self.units.c_type
        has_knots = len(units.knots) > 0
        if has_knots:
            yield from self._interpolation(units.knots.shape[1])
        yield "/* Compute the argument codes of features. */"
        yield "static inline void"
        yield f"{prefix}_encode(const {real} features[{macro}_FEATURES], uint16_t arguments[{macro}_FEATURES])"
        yield "{"
        for name, values in (("low", units.low), ("high", units.high), ("scale", units.scale)):
            yield f"    static const {real} {name}[{macro}_FEATURES] ="
            yield from _braced(self._reals(values), indent=8, end=";")
        if has_knots:
            rows, points = units.knots.shape
            yield f"    static const int16_t knots_of[{macro}_FEATURES] ="
            yield from _braced(map(str, units.knots_of.tolist()), indent=8, end=";")
            yield f"    static const {real} knots[{rows}][{points}] = {{"
            for row in units.knots:
                yield from _braced(self._reals(row), indent=8)
            yield "    };"
        one, half = self._reals(np.array([self.model.network.formats[0].last_code, 0.5]))
        yield from (
            "    uint16_t input;",
            "",
            f"    for (input = 0; input < {macro}_FEATURES; input++) {{",
            f"        {real} unit = features[input];",
            "",
            "        if (!(unit > low[input]))",
            "            unit = low[input];",
            "        if (unit > high[input])",
            "            unit = high[input];",
            "        unit = (unit - low[input]) * scale[input];",
            *(
                [
                    "        if (knots_of[input] >= 0)",
                    f"            unit = {prefix}_level(knots[knots_of[input]], unit);",
                ]
                if has_knots
                else []
            ),
            f"        arguments[input] = (uint16_t)(unit * {one} + {half});",
            "    }",
            "}",
            "",
        )

    def _interpolation(self, points: int) -> Iterator[str]:
        """Yield the function that finds a value among knots."""
        real, (one,) = self.units.c_type, self._reals(np.array([1.0]))
        (steps,) = self._reals(np.array([points - 1.0]))
        yield from (
            "/* Map a value to [0, 1], where knots become equal steps. */",
            f"static inline {real} {self.prefix}_level(const {real} knots[{points}], {real} value)",
            "{",
            "    uint16_t knot = 0;",
            "",
            "    if (!(value > knots[0]))",
            "        value = knots[0];",
            f"    if (value >= knots[{points - 1}])",
            f"        return {one};",
            "    while (value >= knots[knot + 1])",
            "        knot++;",
            f"    return (({real})knot + (value - knots[knot]) / (knots[knot + 1] - knots[knot])) / {steps};",
            "}",
            "",
        )

    def _predict(self) -> Iterator[str]:
        """Yield the function from features to targets."""
        prefix, macro, units, real = self.prefix, self.macro, self.units, self.units.c_type
        yield "/* Predict targets from features, both in the user's units. */"
        yield "static inline void"
        yield f"{prefix}_predict(const {real} features[{macro}_FEATURES], {real} targets[{macro}_TARGETS])"
        yield "{"
        for name, values in (("centre", units.centre), ("step", units.step)):
            yield f"    static const {real} {name}[{macro}_TARGETS] ="
            yield from _braced(self._reals(values), indent=8, end=";")
        yield from (
            f"    uint16_t arguments[{macro}_FEATURES], output;",
            f"    int16_t results[{macro}_TARGETS];",
            "",
            f"    {prefix}_encode(features, arguments);",
            f"    {prefix}_fixed(arguments, results);",
            f"    for (output = 0; output < {macro}_TARGETS; output++)",
            "        targets[output] = centre[output] + step[output] * results[output];",
            "}",
        )

    def _reals(self, values: np.ndarray) -> list[str]:
        """Write numbers as constants of C, with as many digits as tell them from their neighbours."""
        end = "f" if self.units.real is np.float32 else ""
        return [f"{np.format_float_scientific(self.units.real(each), unique=True, trim='0')}{end}" for each in values]


def _braced(numbers: Iterable[str], *, indent: int, end: str = ",") -> Iterator[str]:
    """Yield the lines of an initialiser."""
    line = " " * indent + "{"
    for number in numbers:
        if len(line) + len(number) > COLUMNS:
            yield line.rstrip()
            line = " " * (indent + 1)
        line += f"{number}, "
    yield f"{line.removesuffix(', ')}}}{end}"
