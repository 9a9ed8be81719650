"""Writes dequantise.golden: random blocks of every quantised type, and the float32 values the gguf package reads.

    pip install gguf==0.19.0 && python3 dequantise.py > dequantise.golden

A line is: type, the blocks in hex, the values' bits in hex.
"""
import random

import numpy as np
from gguf import GGMLQuantizationType as T
from gguf import quants

# bytes of a block, and where its f16 scales are
BLOCKS = {
    T.Q8_0: (34, [0]), T.Q4_0: (18, [0]), T.Q4_1: (20, [0, 2]), T.Q5_0: (22, [0]), T.Q5_1: (24, [0, 2]),
    T.Q2_K: (84, [80, 82]), T.Q3_K: (110, [108]), T.Q4_K: (144, [0, 2]), T.Q5_K: (176, [0, 2]), T.Q6_K: (210, [208]),
    T.IQ4_NL: (18, [0]), T.IQ4_XS: (136, [0]), T.BF16: (2, []), T.F16: (2, [0]),
}

rng = random.Random(1)
for t, (size, scales) in BLOCKS.items():
    count = 16 if size < 4 else 4 if size < 40 else 2
    data = bytearray(rng.randbytes(size * count))
    for b in range(count):
        for at in scales:  # finite scales
            s = np.float16(rng.uniform(-2, 2) * 10 ** rng.uniform(-6, 2)).tobytes()
            data[b * size + at : b * size + at + 2] = s
        if t == T.BF16:
            data[b * size : b * size + 2] = (np.float32(rng.gauss(0, 1)).view(np.uint32) >> 16).astype(np.uint16).tobytes()
    values = quants.dequantize(np.frombuffer(bytes(data), dtype=np.uint8), t).astype(np.float32)
    print(t.name.lower(), data.hex(), values.astype("<f4").tobytes().hex())
