"""Writes GGUF files: what weft-guide needs of the format, with nothing but numpy (github.com/ggml-org/ggml, docs/gguf.md)."""
import struct

import numpy as np

F32, Q8_0 = 0, 8  # types of tensors
U32, F32_VALUE, BOOL, STRING, ARRAY, I32 = 4, 6, 7, 8, 9, 5  # of metadata
ALIGN = 32
BLOCK = 32  # weights of Q8_0 that share a scale


def quantized(x):
    """Blocks of 32 weights as f16 scale and 32 i8."""
    blocks = x.astype(np.float32).reshape(-1, BLOCK)
    scale = np.abs(blocks).max(1, keepdims=True) / np.float32(127)
    with np.errstate(divide="ignore"):
        inverse = np.where(scale == 0, np.float32(0), 1 / scale)
    scaled = blocks * inverse
    away = np.trunc(scaled + np.where(scaled < 0, np.float32(-0.5), np.float32(0.5)))  # halves go away from zero, as in ggml
    out = np.empty(len(blocks), np.dtype([("d", "<f2"), ("q", "i1", BLOCK)]))
    out["d"], out["q"] = scale[:, 0].astype(np.float16), away.astype(np.int8)
    return out.tobytes()


def as_stored(x):
    """What a file's Q8_0 weights are worth."""
    blocks = np.frombuffer(quantized(x), np.dtype([("d", "<f2"), ("q", "i1", BLOCK)]))
    return (blocks["d"].astype(np.float32)[:, None] * blocks["q"].astype(np.float32)).reshape(x.shape)


def string(s):
    b = s.encode()
    return struct.pack("<Q", len(b)) + b


def value(kind, v):
    if kind == STRING:
        return string(v)
    return struct.pack({U32: "<I", I32: "<i", F32_VALUE: "<f", BOOL: "<?"}[kind], v)


def entry(key, kind, v):
    """One pair of metadata; kind is (ARRAY, kind of its elements) for a list."""
    if isinstance(kind, tuple):
        return string(key) + struct.pack("<IIQ", ARRAY, kind[1], len(v)) + b"".join(value(kind[1], x) for x in v)
    return string(key) + struct.pack("<I", kind) + value(kind, v)


def write(path, metadata, tensors):
    """metadata: [(key, kind, value)]; tensors: [(name, array)], matrices as Q8_0, vectors as F32."""
    infos, blobs, at = b"", [], 0
    for name, x in tensors:
        blob = quantized(x) if x.ndim == 2 else x.astype("<f4").tobytes()
        dims = tuple(reversed(x.shape))
        infos += string(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, Q8_0 if x.ndim == 2 else F32, at)
        blobs.append(blob + bytes(-len(blob) % ALIGN))
        at += len(blobs[-1])
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)) + b"".join(entry(*m) for m in metadata) + infos
    with open(path, "wb") as f:
        f.write(head + bytes(-len(head) % ALIGN) + b"".join(blobs))
