"""Domains of functions: where arguments lie in them, and how they grow."""

from sw.engine.kernels.floating.memory import WORDS
from sw.engine.simd.arithmetic import maximum, minimum
from sw.engine.simd.compiling import inlined
from sw.engine.simd.conversion import real, whole
from sw.engine.simd.memory import load, store
from sw.engine.simd.rows import lanes, zeros
from sw.engine.simd.sums import differing


@inlined
def locate(memory, layer, arguments, at, slot):
    """Store the places of a layer's arguments and their offsets; arguments outside the domain count as at its end."""
    segments, ones = layer.nodes - 1, zeros(memory.offsets, WORDS) + 1
    for k in range(0, layer.padded, lanes(memory.rows)):
        here = layer.inputs_at + k
        scaled = (load(arguments, at + k, WORDS) - load(memory.low, here, WORDS)) * load(memory.scale, here, WORDS)
        position = maximum(minimum(scaled, segments), 0)
        segment = minimum(whole(position), segments - 1)
        store(memory.places, slot + here, load(memory.starts, here, WORDS) + segment * layer.stride)
        offset = position - real(segment)
        store(memory.offsets, slot + here, offset)
        store(memory.remainders, slot + here, ones - offset)


@inlined
def grow(memory, layer, margin):
    """Widen the domains that arguments have left, and by a share `margin` of their new width beyond the arguments."""
    outside = 0
    for k in range(layer.inputs_at, layer.inputs_at + layer.padded, lanes(memory.rows)):
        x = load(memory.arguments, k, WORDS)
        inside = maximum(minimum(x, load(memory.high, k, WORDS)), load(memory.low, k, WORDS))
        outside += differing(x, inside)
    if outside:
        for k in range(layer.inputs_at, layer.inputs_at + layer.inputs):
            x = memory.arguments[k]
            low, high = min(memory.low[k], x), max(memory.high[k], x)
            beyond = memory.low.dtype.type(margin) * (high - low)
            if x < memory.low[k]:
                memory.low[k] = low - beyond
            if x > memory.high[k]:
                memory.high[k] = high + beyond
            memory.scale[k] = (layer.nodes - 1) / (memory.high[k] - memory.low[k])
