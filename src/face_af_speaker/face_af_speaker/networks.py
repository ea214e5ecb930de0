"""The two networks of this package, on one thread: voice activity (Silero) and voice embedding (GE2E)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_af_inference.manifest import load_manifest
from face_af_inference.model_files import ModelSpec
from face_af_inference.runtimes import ModelError

from .features import Mel, Sound

STEP = 512
"""Samples from one probability to the next, 32 ms (Silero's ``sequence_vad.py``)."""
_CONTEXT = 64
"""Samples before a step that the network also sees."""
DIMENSION = 256
"""Numbers in a voice's embedding."""
_LAYERS = 3

Floats = NDArray[np.float32]
State = tuple[Floats, Floats]
"""Hidden and cell state of the embedder, each 3 x N x 256."""


class SpeechDetector:
    """How likely a person speaks, every 32 ms. Keeps its state from call to call: one for each stream of sound."""

    def __init__(self, network: ActivityNetwork) -> None:
        self._network = network
        self.reset()

    def reset(self) -> None:
        self._h = self._c = np.zeros((1, 1, 128), np.float32)
        self._kept = np.zeros(_CONTEXT, np.float32)

    def probabilities(self, sound: Sound) -> Floats:
        """0 to 1 for each whole step of the sound so far that has not been answered; what is left over is kept."""
        sound = np.concatenate([self._kept, sound])
        count = (len(sound) - _CONTEXT) // STEP
        self._kept = sound[count * STEP :]
        if not count:
            return np.empty(0, np.float32)
        steps = np.lib.stride_tricks.sliding_window_view(sound, STEP + _CONTEXT)[::STEP][:count]
        result, self._h, self._c = self._network.run(np.ascontiguousarray(steps), self._h, self._c)
        return result


class ActivityNetwork:
    """Silero's voice activity detector for 16 kHz, in the form that takes many steps at once."""

    def __init__(self, spec: ModelSpec) -> None:
        self.model_id = spec.model_id
        self._session = _session(spec, {"input", "h", "c"}, {"speech_probs", "hn", "cn"})

    def run(self, steps: Floats, h: Floats, c: Floats) -> tuple[Floats, Floats, Floats]:
        """N probabilities and the new state for N x (64 + 512) samples."""
        probabilities, h, c = self._session.run(["speech_probs", "hn", "cn"], {"input": steps, "h": h, "c": c})
        return probabilities.reshape(-1), h, c


class VoiceEmbedder:
    """Turns mel frames into voice embeddings; goes on from a state where it is given one."""

    dimension = DIMENSION

    def __init__(self, spec: ModelSpec) -> None:
        self.model_id = spec.model_id
        self.threshold = spec.threshold
        self._session = _session(spec, {"mel", "h", "c"}, {"embedding", "hn", "cn"})

    @staticmethod
    def start(count: int) -> State:
        """The state before the first frame of ``count`` streams."""
        zeros = np.zeros((_LAYERS, count, DIMENSION), np.float32)
        return zeros, zeros

    def step(self, mel: Floats, state: State) -> tuple[Floats, State]:
        """N x 256 embeddings of all frames since :meth:`start`, and the new state, for frames x N x 40."""
        wanted = ["embedding", "hn", "cn"]
        embedding, h, c = self._session.run(wanted, {"mel": mel, "h": state[0], "c": state[1]})
        # silence gives no unit a value, and length one cannot be made of that
        return np.nan_to_num(embedding), (h, c)

    def embed(self, windows: Sequence[Mel]) -> Floats:
        """N x 256 embeddings of N windows of equal length."""
        if not len(windows):
            return np.empty((0, DIMENSION), np.float32)
        return self.step(np.stack(windows, axis=1), self.start(len(windows)))[0]


def open_networks(
    embedder: str, model_dirs: Sequence[Path], manifest: Path | None = None
) -> tuple[ActivityNetwork, VoiceEmbedder]:
    """Both networks, the embedder by its name in the manifest or ``auto``. Raises ``ModelError``."""
    known = load_manifest(manifest)
    activity = ActivityNetwork(known.choose("voice_activity", "auto", model_dirs))
    return activity, VoiceEmbedder(known.choose("voice_embedder", embedder, model_dirs))


def _session(spec: ModelSpec, inputs: set[str], outputs: set[str]) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError(f"ONNX Runtime is not installed ({error})") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    network = spec.network()
    data = network if isinstance(network, bytes) else str(network)
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no base class
        raise ModelError(f"{spec.path}: not a network that ONNX Runtime can run ({error})") from error
    found = {i.name for i in session.get_inputs()}, {o.name for o in session.get_outputs()}
    if found != (inputs, outputs):
        raise ModelError(f"{spec.path}: not a network of the family {spec.family}: it has {found[0]} and {found[1]}")
    return session
