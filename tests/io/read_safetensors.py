"""Reads a safetensors file with json, struct and numpy alone, as someone without our code would.

Prints one line per metadata entry and per array: name, dtype, shape, values.
Exit code 77: numpy is not installed.
"""

import json
import struct
import sys

try:
    import numpy
except ImportError:
    sys.exit(77)

DTYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8", "U8": "u1"}


def read(path):
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack("<Q", content[:8])
    assert (8 + length) % 8 == 0, "the arrays are not aligned"
    header = json.loads(content[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    arrays = {}
    used = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        assert begin == used, "a hole or an overlap"
        used = end
        dtype = numpy.dtype(DTYPES[entry["dtype"]])
        assert begin % dtype.itemsize == 0, "an array is not aligned"
        flat = numpy.frombuffer(content[8 + length + begin : 8 + length + end], dtype)
        arrays[name] = flat.reshape(entry["shape"])
    assert 8 + length + used == len(content), "bytes left over"
    return metadata, arrays


def main():
    metadata, arrays = read(sys.argv[1])
    for key, value in sorted(metadata.items()):
        print(f"{key}: {value}")
    for name, array in sorted(arrays.items()):
        print(name, array.dtype, array.shape, array.ravel().tolist())


if __name__ == "__main__":
    main()
