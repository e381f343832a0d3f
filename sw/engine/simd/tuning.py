"""What LLVM assumes of the processor while it compiles one function, beyond what Numba says of all functions."""

from llvmlite import ir
from numba import types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from sw.engine.simd.rows import has_feature


def _set(function: ir.Function, attribute: str) -> None:
    """Give a function an attribute that llvmlite does not know."""
    known = ir.values.FunctionAttributes._known | {attribute}
    attributes = type("Attributes", (ir.values.FunctionAttributes,), {"_known": known})(function.attributes)
    attributes.add(attribute)
    function.attributes = attributes


@intrinsic
def keep_dot_products(typing):
    """Have products added as they are made, in the kernel that calls this.

    Where x86 has one instruction for it, LLVM makes two of it so as to end a chain of sums sooner. Rows have so many
    sums side by side that the number of instructions counts, not the length of chains.
    """

    def build(context, builder, signature, arguments):
        if has_feature("avx512vnni") or has_feature("avxvnni"):
            features = cpu_target.target_context.codegen()._tm_features
            _set(builder.function, f'"target-features"="{features},+fast-dpwssd"')
        return context.get_dummy_value()

    return types.void(), build
