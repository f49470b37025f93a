#!/usr/bin/python3
"""Prints which code OpenBLAS runs here; fails where Debian's alternatives choose another BLAS."""
from __future__ import annotations

import ctypes
import sys


def name() -> str:
    library = ctypes.CDLL("libblas.so.3")
    try:
        library.openblas_get_corename.restype = ctypes.c_char_p
        return f"OpenBLAS, {library.openblas_get_corename().decode()}"
    except AttributeError:
        sys.exit("libblas.so.3 is not OpenBLAS; see update-alternatives")


if __name__ == "__main__":
    print(name())
