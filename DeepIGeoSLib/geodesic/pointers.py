"""Plain memory in compiled code: numbers behind a pointer, and integers that threads share.

Arrays that compiled functions hand to each other are counted, each time with an atomic operation,
which took a third of the block solver's time. Pointers are not counted: whoever calls keeps the
arrays alive.
"""

from __future__ import annotations

from collections.abc import Callable

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic


@intrinsic
def pointer(typingctx, array):
    """Return the address of a contiguous array's first item."""

    def codegen(context, builder, signature, arguments):
        return context.make_array(signature.args[0])(context, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), codegen


@intrinsic
def moved(typingctx, address, items):
    """Return the address that lies ``items`` further."""

    def codegen(context, builder, signature, arguments):
        return builder.gep(arguments[0], [arguments[1]])

    return address(address, types.intp), codegen


@intrinsic
def item(typingctx, address, index):
    """Return the item at ``index``."""

    def codegen(context, builder, signature, arguments):
        return builder.load(builder.gep(arguments[0], [arguments[1]]))

    return address.dtype(address, types.intp), codegen


@intrinsic
def put(typingctx, address, index, value):
    """Write ``value`` to ``index``."""

    def codegen(context, builder, signature, arguments):
        builder.store(arguments[2], builder.gep(arguments[0], [arguments[1]]))
        return context.get_dummy_value()

    return types.void(address, types.intp, address.dtype), codegen


@intrinsic
def ask_for(typingctx, address, index):
    """Have the memory at ``index`` brought near, where it may be read soon; it need not exist."""

    def codegen(context, builder, signature, arguments):
        byte, integer = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [byte, integer, integer, integer]),
            "llvm.prefetch.p0i8",
        )
        place = builder.bitcast(builder.gep(arguments[0], [arguments[1]]), byte)
        for_reading, into_second_cache, data = integer(0), integer(2), integer(1)
        builder.call(function, [place, for_reading, into_second_cache, data])
        return context.get_dummy_value()

    return types.void(address, types.intp), codegen


def _atomic(operation: str, address: types.CPointer) -> tuple:
    def codegen(context, builder, signature, arguments):
        place = builder.gep(arguments[0], [arguments[1]])
        return builder.atomic_rmw(operation, place, arguments[2], "seq_cst")

    return address.dtype(address, types.intp, address.dtype), codegen


@intrinsic
def exchange(typingctx, address, index, value):
    """Write an integer, as one step for all threads; return what was there."""
    return _atomic("xchg", address)


@intrinsic
def join(typingctx, address, index, bits):
    """Set bits of an integer, as one step for all threads; return what was there."""
    return _atomic("or", address)


@intrinsic
def lower(typingctx, address, index, value):
    """Write an integer if it is less than what is there, as one step; return what was there."""
    return _atomic("min", address)


@intrinsic
def smallest_member(typingctx, members):
    """Return the number of the lowest set bit of a uint64; there must be one."""

    def codegen(context, builder, signature, arguments):
        return builder.cttz(arguments[0], cgutils.true_bit)

    return types.int64(types.uint64), codegen


def _reinterpret(to: ir.Type) -> Callable:
    def codegen(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], to)

    return codegen


@intrinsic
def as_integer(typingctx, number):
    """Return the int32 of a float32's bits; the order of numbers from 0 on is the same."""
    return types.int32(types.float32), _reinterpret(ir.IntType(32))


@intrinsic
def as_number(typingctx, integer):
    """Return the float32 whose bits those of an int32 are."""
    return types.float32(types.int32), _reinterpret(ir.FloatType())
