"""Sixteen float32 numbers as one value in compiled code.

The loops of the block solver are too irregular for a compiler to vectorize, so they say themselves
what runs side by side. LLVM maps the sixteen lanes to the vectors that the processor has (one of
512 bits, two of 256, four of 128).
"""

from __future__ import annotations

from collections.abc import Callable

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, register_model

WIDTH = 16

_INT32 = ir.IntType(32)
_FLOATS = ir.VectorType(ir.FloatType(), WIDTH)
_INTEGERS = ir.VectorType(_INT32, WIDTH)
_FLOAT_BYTES = 4
_POINTER = types.CPointer(types.float32)


class Lanes(types.Type):
    """The type of sixteen float32 numbers."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, data_model_manager, frontend_type) -> None:
        super().__init__(data_model_manager, frontend_type, _FLOATS)


lanes = Lanes()


def _address(builder, address, index) -> ir.Value:
    """Return the address of sixteen lanes from ``index`` on."""
    return builder.bitcast(builder.gep(address, [index]), _FLOATS.as_pointer())


def _spread(builder, number) -> ir.Value:
    """Return a vector with ``number`` in every lane."""
    vector = builder.insert_element(ir.Constant(_FLOATS, ir.Undefined), number, _INT32(0))
    return builder.shuffle_vector(vector, vector, ir.Constant(_INTEGERS, [0] * WIDTH))


def _minimum(builder, first, second) -> ir.Value:
    """Return the smaller of each pair of lanes; ``second`` where one of the two is NaN."""
    return builder.select(builder.fcmp_ordered("<", first, second), first, second)


def _magnitude(builder, vector) -> ir.Value:
    without_sign = ir.Constant(_INTEGERS, [0x7FFFFFFF] * WIDTH)
    bits = builder.and_(builder.bitcast(vector, _INTEGERS), without_sign)
    return builder.bitcast(bits, _FLOATS)


@intrinsic
def load(typingctx, address, index):
    """Return sixteen float32 from ``index`` on."""

    def codegen(context, builder, signature, arguments):
        return builder.load(_address(builder, *arguments), align=_FLOAT_BYTES)

    return lanes(_POINTER, types.intp), codegen


@intrinsic
def store(typingctx, address, index, vector):
    """Write sixteen float32 from ``index`` on."""

    def codegen(context, builder, signature, arguments):
        address, index, vector = arguments
        builder.store(vector, _address(builder, address, index), align=_FLOAT_BYTES)
        return context.get_dummy_value()

    return types.void(_POINTER, types.intp, lanes), codegen


@intrinsic
def spread(typingctx, number):
    """Return the number in every lane."""

    def codegen(context, builder, signature, arguments):
        return _spread(builder, *arguments)

    return lanes(types.float32), codegen


@intrinsic
def scaled(typingctx, vector, factor):
    """Return every lane times the number ``factor``."""

    def codegen(context, builder, signature, arguments):
        return builder.fmul(arguments[0], _spread(builder, arguments[1]))

    return lanes(lanes, types.float32), codegen


@intrinsic
def cost(typingctx, length, here, there):
    """Return ``length + |here - there|``, the cost of a step."""

    def codegen(context, builder, signature, arguments):
        length, here, there = arguments
        return builder.fadd(
            _spread(builder, length), _magnitude(builder, builder.fsub(here, there))
        )

    return lanes(types.float32, lanes, lanes), codegen


@intrinsic
def plus_square(typingctx, squares, here, there):
    """Return ``squares + (here - there) ** 2``."""

    def codegen(context, builder, signature, arguments):
        squares, here, there = arguments
        difference = builder.fsub(here, there)
        return builder.fadd(squares, builder.fmul(difference, difference))

    return lanes(lanes, lanes, lanes), codegen


@intrinsic
def magnitude(typingctx, length, squares):
    """Return ``length + sqrt(squares)``."""

    def codegen(context, builder, signature, arguments):
        length, squares = arguments
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(_FLOATS, [_FLOATS]), f"llvm.sqrt.v{WIDTH}f32"
        )
        return builder.fadd(_spread(builder, length), builder.call(function, [squares]))

    return lanes(types.float32, lanes), codegen


@intrinsic
def relaxed(typingctx, best, near, step):
    """Return the smaller of ``best`` and ``near + step``."""

    def codegen(context, builder, signature, arguments):
        best, near, step = arguments
        return _minimum(builder, builder.fadd(near, step), best)

    return lanes(lanes, lanes, lanes), codegen


@intrinsic
def minimum(typingctx, first, second):
    """Return the smaller number of each lane."""

    def codegen(context, builder, signature, arguments):
        return _minimum(builder, *arguments)

    return lanes(lanes, lanes), codegen


@intrinsic
def moved_up(typingctx, vector, outside):
    """Return the lanes moved up by one; the first is that of ``outside``."""
    return lanes(lanes, lanes), _shuffle([WIDTH, *range(WIDTH - 1)])


@intrinsic
def moved_down(typingctx, vector, outside):
    """Return the lanes moved down by one; the last is that of ``outside``."""
    return lanes(lanes, lanes), _shuffle([*range(1, WIDTH), 2 * WIDTH - 1])


def _shuffle(order: list[int]) -> Callable:
    def codegen(context, builder, signature, arguments):
        mask = ir.Constant(_INTEGERS, order)
        return builder.shuffle_vector(*arguments, mask)

    return codegen


@intrinsic
def less(typingctx, first, second):
    """Return an integer whose bit n says that lane n of ``first`` is less than of ``second``."""

    def codegen(context, builder, signature, arguments):
        bits = builder.bitcast(builder.fcmp_ordered("<", *arguments), ir.IntType(WIDTH))
        return builder.zext(bits, ir.IntType(64))

    return types.int64(lanes, lanes), codegen


@intrinsic
def where_less(typingctx, first, second, otherwise):
    """Return ``first`` in the lanes where it is less than ``second``, else ``otherwise``."""

    def codegen(context, builder, signature, arguments):
        first, second, otherwise = arguments
        return builder.select(builder.fcmp_ordered("<", first, second), first, otherwise)

    return lanes(lanes, lanes, lanes), codegen


@intrinsic
def first_lanes(typingctx, vector, count, otherwise):
    """Return the first ``count`` lanes of ``vector`` and the other lanes of ``otherwise``."""

    def codegen(context, builder, signature, arguments):
        vector, count, otherwise = arguments
        number = builder.insert_element(
            ir.Constant(_INTEGERS, ir.Undefined), builder.trunc(count, _INT32), _INT32(0)
        )
        number = builder.shuffle_vector(number, number, ir.Constant(_INTEGERS, [0] * WIDTH))
        places = ir.Constant(_INTEGERS, list(range(WIDTH)))
        return builder.select(builder.icmp_signed("<", places, number), vector, otherwise)

    return lanes(lanes, types.int64, lanes), codegen


@intrinsic
def least(typingctx, vector):
    """Return the smallest lane; none may be NaN."""

    def codegen(context, builder, signature, arguments):
        (vector,) = arguments
        half = WIDTH // 2
        while half:
            order = [(lane + half) % WIDTH for lane in range(WIDTH)]
            mask = ir.Constant(_INTEGERS, order)
            vector = _minimum(builder, builder.shuffle_vector(vector, vector, mask), vector)
            half //= 2
        return builder.extract_element(vector, _INT32(0))

    return types.float32(lanes), codegen


@intrinsic
def lane(typingctx, vector, number):
    """Return one lane."""

    def codegen(context, builder, signature, arguments):
        return builder.extract_element(*arguments)

    return types.float32(lanes, types.int64), codegen
