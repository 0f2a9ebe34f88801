"""libsodium's ristretto255 and X25519, from the `rbcl` wheel, as functions over addresses: what the users of it share.

Declared argument types let plain integers pass as addresses, so a batch can run over them without an object of its
own for each element. ctypes releases the interpreter's lock during every call.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import cast

from rbcl._sodium import _sodium as _lib  # importing the package initialises libsodium


def _function(name: str, arguments: int) -> Callable[..., int]:
    prototype = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * arguments)
    return cast(Callable[..., int], prototype((name, _lib)))


def _procedure(name: str, arguments: int) -> Callable[..., None]:
    prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * arguments)
    return cast(Callable[..., None], prototype((name, _lib)))


is_valid_point = _function("crypto_core_ristretto255_is_valid_point", 1)
point_add = _function("crypto_core_ristretto255_add", 3)
point_sub = _function("crypto_core_ristretto255_sub", 3)
point_from_hash = _function("crypto_core_ristretto255_from_hash", 2)
point_multiply = _function("crypto_scalarmult_ristretto255", 3)
point_multiply_base = _function("crypto_scalarmult_ristretto255_base", 2)
x25519 = _function("crypto_scalarmult", 3)
edwards_multiply_base = _function("crypto_scalarmult_ed25519_base", 2)
scalar_invert = _function("crypto_core_ristretto255_scalar_invert", 2)
scalar_reduce = _procedure("crypto_core_ristretto255_scalar_reduce", 2)
scalar_add = _procedure("crypto_core_ristretto255_scalar_add", 3)
scalar_sub = _procedure("crypto_core_ristretto255_scalar_sub", 3)
scalar_mul = _procedure("crypto_core_ristretto255_scalar_mul", 3)


def address(data: bytes) -> tuple[ctypes.c_char_p, int]:
    """Return an owner of the buffer and its address: the caller holds the owner while it uses the address."""
    holder = ctypes.c_char_p(data)
    return holder, cast(int, ctypes.cast(holder, ctypes.c_void_p).value)
