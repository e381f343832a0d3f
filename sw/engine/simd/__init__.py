"""The vector operations that kernels are written in.

Belongs here: operations on SIMD registers, as Numba intrinsics. Does not: anything of networks. Begin with `rows`.

A *row* is a run of numbers of one type, held in registers. Its length is a whole number of registers of
`rows.REGISTER_BYTES`, given by a *size*: a tuple with an entry for each register, since the length of a tuple is part
of its type and so known to the compiler. Operations on rows become vector instructions of whatever processor compiles
them. All of it is generic LLVM, except for the four operations that x86 has one instruction for and LLVM does not
find it.

Nodes are *words*: int16, int32 or floating point. Sums and other exact results are *wide*, twice as many bits; floating
point is as wide as it is. A *pair* is a function's left and right node, two words side by side.

| file | operations |
|---|---|
| `rows` | `zeros`; `bits` and `lanes` of an array's numbers |
| `memory` | `number`, `numbers`, `put`, `spread`; `load`, `store`, `repeated`; `load_pairs`, `store_pairs` |
| `conversion` | `left`, `right`, `pair`; `halves`, `left_and_right`; `widen`, `narrow`, `saturated`; `whole`, `real` |
| `arithmetic` | `+ - * << >> & < >`, `minimum`, `maximum`, `multiply_add`; saturating `adds`, rounding `mulr` |
| `sums` | `no_sums`, `weigh`, `saturated_sums`, `weighted`; `total`, `add_totals`, `differing` |
| `tuning` | `keep_dot_products` |

`registers` holds what these are made of, and `compiling` turns functions that use them into parts of kernels.
"""
