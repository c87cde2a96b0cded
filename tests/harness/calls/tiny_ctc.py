"""A speech model of 60 kB in the form of a NeMo CTC model: one convolution with random weights.

It writes nonsense. But it is a real network with token times, and the real library runs it from the files that such
models have. So tests can show that a family works, that warm equals cold, and what damaged files do.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FEATURES = 80
FRAMES_PER_TOKEN = 8
SYLLABLES = [consonant + vowel for consonant in "bdfgkl" for vowel in "aeio"]


def make_tiny_ctc(folder: Path, seed: int = 7) -> Path:
    """Write model.onnx and tokens.txt into `folder` and return it. Another seed makes another model."""
    size = len(SYLLABLES) + 1
    weights = np.random.default_rng(seed).normal(0, 0.3, (size, FEATURES, FRAMES_PER_TOKEN)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["audio_signal", "weights"], ["scores"], strides=[FRAMES_PER_TOKEN]),
            helper.make_node("Transpose", ["scores"], ["by_time"], perm=[0, 2, 1]),
            helper.make_node("LogSoftmax", ["by_time"], ["logprobs"], axis=2),
        ],
        "tiny",
        [
            helper.make_tensor_value_info("audio_signal", TensorProto.FLOAT, ["N", FEATURES, "T"]),
            helper.make_tensor_value_info("length", TensorProto.INT64, ["N"]),
        ],
        [helper.make_tensor_value_info("logprobs", TensorProto.FLOAT, ["N", "tokens", size])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    about = {
        "model_type": "EncDecCTCModelBPE",
        "vocab_size": str(size),
        "subsampling_factor": str(FRAMES_PER_TOKEN),
        "normalize_type": "per_feature",
    }
    helper.set_model_props(model, about)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(folder / "model.onnx"))
    lines = [f"{'▁' if n % 2 == 0 else ''}{syllable} {n}" for n, syllable in enumerate(SYLLABLES)]
    (folder / "tokens.txt").write_text("\n".join([*lines, f"<blk> {len(SYLLABLES)}"]) + "\n")
    return folder
