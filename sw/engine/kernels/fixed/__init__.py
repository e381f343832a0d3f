"""Fixed-point Newton-Kaczmarz training, compiled: the rules of `sw.spec.numerics`, record by record.

Belongs here: the fixed-point kernels. Does not: the trainer's interface (`sw.engine.compiled`). Begin with `passes`.

The first layer has its functions of one input side by side: a row goes over the outputs, and the place in it is found
once an input. The update of an earlier record goes through the rows together with the forward pass of the present one.
Later layers of many outputs lie in rows, too. Layers of few outputs have the nodes of a function side by side, as
pairs: a row goes over the inputs of one output (`sw.engine.kernels.layout`).

The functions' parameters have the same meaning in all files:

memory
    The `memory.FixedMemory` of the network.
layer
    The `memory.LayerFields` of one layer.
size
    Size of the rows that are worked on at a time, as in `sw.engine.simd`: of the first layer's, and of the second's
    inputs, which are the first layer's outputs. Code for another size is compiled anew.
slot, old, new
    First number of a record in flight, in arrays with a slot for each record.
here
    Place of an input in these arrays: the slot and the input's own place.
lane
    First output of a row.
at
    Place of a node in `memory.rows`.
before, behind
    Nodes at the left and at the right end of a segment.
limit
    The largest word.
largest
    The largest error.
fine
    A size of as many numbers as the network has fine bits: code for other fine bits is compiled anew.
chance
    The record's chance word, twice side by side.
counting
    A size that is not zero if saturations, clips and zero steps are to be counted in `statistics`.
"""
