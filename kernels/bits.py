"""What the kernels need below numba's own reach: addresses, bfloat16, prefetching, atomics.

Each is one instruction or two of LLVM, so that they are the same on every processor it knows.
"""

import platform
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_I64, _I32, _F32 = ir.IntType(64), ir.IntType(32), ir.FloatType()


def _pointer(kind: Any) -> Any:
    @intrinsic
    def at(_context: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(types.int64), codegen

    return at


bfloats = _pointer(types.uint16)
"""The address of bfloat16 numbers, as a pointer for numba.carray."""
floats = _pointer(types.float32)
numbers = _pointer(types.int64)
words = _pointer(types.uint32)


@intrinsic
def widen(_context: Any, bits: Any) -> Any:
    """bfloat16 -> float32: its bits are the upper half."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        upper = builder.shl(builder.zext(args[0], _I32), ir.Constant(_I32, 16))
        return builder.bitcast(upper, _F32)

    return types.float32(types.uint16), codegen


@intrinsic
def bits_of(_context: Any, value: Any) -> Any:
    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], _I32)

    return types.uint32(types.float32), codegen


@intrinsic
def nearest(_context: Any, value: Any) -> Any:
    """The whole number nearest to a float32, as one."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        shape = ir.FunctionType(_F32, (_F32,))
        return builder.call(builder.module.declare_intrinsic("llvm.rint", (_F32,), shape), args)

    return types.float32(types.float32), codegen


@intrinsic
def two_to(_context: Any, power: Any) -> Any:
    """2^power for a whole number in [-126, 127], both float32."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        exponent = builder.add(builder.fptosi(args[0], _I32), ir.Constant(_I32, 127))
        return builder.bitcast(builder.shl(exponent, ir.Constant(_I32, 23)), _F32)

    return types.float32(types.float32), codegen


@intrinsic
def float_of(_context: Any, bits: Any) -> Any:
    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], _F32)

    return types.float32(types.uint32), codegen


@njit(inline="always")
def narrow(value):
    """float32 -> bfloat16, to the nearest, ties to even."""
    bits = bits_of(value)
    return types.uint16((bits + types.uint32(0x7FFF) + ((bits >> 16) & 1)) >> 16)


@intrinsic
def prefetch(_context: Any, address: Any) -> Any:
    """Bring the cache line at this address near; any address is allowed."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> None:
        ask_for(builder, args[0])

    return types.void(types.int64), codegen


NEAR, ONCE = 3, 0
"""How long a line is to stay: in all caches; as short as can be, as it is read once a pass."""


def ask_for(builder: Any, address: Any, stay: int = NEAR) -> None:
    """The same where code is written by hand."""
    byte = ir.IntType(8).as_pointer()
    call = builder.module.declare_intrinsic(
        "llvm.prefetch", (byte,), ir.FunctionType(ir.VoidType(), (byte, _I32, _I32, _I32))
    )
    how = [ir.Constant(_I32, value) for value in (0, stay, 1)]  # to read, data
    builder.call(call, [builder.inttoptr(address, byte), *how])


@intrinsic
def add_to(_context: Any, address: Any, value: Any) -> Any:
    """Atomically add to the int64 at an address; what was there before."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        place = builder.inttoptr(args[0], _I64.as_pointer())
        return builder.atomic_rmw("add", place, args[1], "seq_cst")

    return types.int64(types.int64, types.int64), codegen


@intrinsic
def look_at(_context: Any, address: Any) -> Any:
    """The int64 at an address, as other threads left it."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        place = builder.inttoptr(args[0], _I64.as_pointer())
        return builder.load_atomic(place, "acquire", 8)

    return types.int64(types.int64), codegen


@intrinsic
def pause(_context: Any) -> Any:
    """Tell the processor that this thread only waits, where there is such an instruction."""

    def codegen(_context: Any, builder: Any, _signature: Any, _args: Any) -> None:
        if platform.machine() == "x86_64":
            shape = ir.FunctionType(ir.VoidType(), ())
            name = "llvm.x86.sse2.pause"
            builder.call(cgutils.get_or_insert_function(builder.module, shape, name), ())

    return types.void(), codegen
