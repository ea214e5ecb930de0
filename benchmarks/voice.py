"""Voices and outputs: who is named, how soon, what it costs, and what a broker gets.

./run bench voice --people DIR --strangers DIR --check

DIR: one folder of recordings a person (strangers may also be one file each). Without them the folder ``speech`` of
FACE_AF_TEST_MEDIA serves, whose short recordings show less.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from face_af_common.files import write_json
from face_af_common.paths import model_dirs
from face_af_gallery.voices import VoiceGallery
from face_af_speaker import evaluation
from face_af_speaker.enrolment import people_in, recordings
from face_af_speaker.features import RATE, Sound
from face_af_speaker.identification import MARGIN, VoiceMatcher, threshold_for
from face_af_speaker.listener import Heard, Listener
from face_af_speaker.networks import ActivityNetwork, VoiceEmbedder, open_networks
from face_af_speaker.segments import speech_of
from face_af_speaker.sound_files import Piece, read
from face_af_speaker.speech import SpeechFrames
from face_af_speaker.voice_windows import embed_windows

Networks = tuple[ActivityNetwork, VoiceEmbedder]
Sounds = dict[str, list[Sound]]

LIMITS: dict[str, tuple[str, float]] = {
    "named_percent": (">=", 97.0),
    "strangers_named_percent": ("<=", 1.0),
    "equal_error_5s_percent": ("<=", 0.6),
    "names_without_speech": ("<=", 0.0),
    "ms_per_second": ("<=", 15.0),
    "name_after_1600ms_p95_s": ("<=", 0.7),
    "withdrawn_in_1500ms_percent": (">=", 90.0),
    "mqtt_p95_ms": ("<=", 50.0),
    "mqtt_lost_states": ("<=", 0.0),
    "mqtt_twice": ("<=", 0.0),
}
"""What ``--check`` asks for; a figure that could not be measured is not judged, and said."""


def load(folder: Path, most: int = 10_000) -> Sounds:
    people = people_in(folder) or {path.stem: [path] for path in recordings(folder)}
    return {name: [read(Piece(path), most_s=30) for path in paths] for name, paths in list(people.items())[:most]}


def recognition(
    networks: Networks, known: Sounds, strangers: Sounds, enrolled_s: float, repeats: int
) -> dict[str, float]:
    """Open set at the threshold that 1 % of the strangers reach, and as shipped."""
    activity, embedder = networks

    def windows(sounds: Sounds) -> dict[str, list[Any]]:
        return {
            name: [w for sound in recorded if len(w := embed_windows(embedder, speech_of(activity, [sound])))]
            for name, recorded in sounds.items()
        }

    people, others = windows(known), windows(strangers)
    trial = evaluation.open_set(
        people, others, enrolled_s=enrolled_s, heard_s=3.0, margin=MARGIN, repeats=repeats
    )  # fmt: skip
    figures: dict[str, float] = {"people": len(people), "strangers": len(others), "probes": len(trial.known)}
    if len(trial.known):
        figures |= {"named_percent": trial.at_strangers(0.01)["named"]}
        shipped = trial.rates(threshold_for(embedder.threshold, evaluation.windows_in(3.0)))
        figures |= {"named_as_shipped_percent": shipped["named"], "strangers_as_shipped_percent": shipped["strangers"]}
    genuine, impostor = evaluation.verification({**people, **others}, 5.0)
    if len(genuine):
        figures["equal_error_5s_percent"] = evaluation.equal_error(genuine, impostor)
    return figures


def enrolled(networks: Networks, known: Sounds, seconds: float) -> VoiceMatcher:
    """Everybody in a gallery in memory, with the speech of their first recordings."""
    gallery = VoiceGallery(None, networks[1].model_id)
    for name, sounds in known.items():
        mel = speech_of(networks[0], [np.concatenate(sounds)])[: round(seconds * 100)]
        gallery.add(name, embed_windows(networks[1], mel).mean(0), len(mel) / 100)
    return VoiceMatcher(gallery, networks[1].threshold)


def listen(networks: Networks, matcher: VoiceMatcher, sound: Sound) -> list[Heard]:
    listener = Listener(*networks, matcher)
    return [heard for at in range(0, len(sound), 1600) for heard in listener.feed(sound[at : at + 1600])]


def cost(networks: Networks, matcher: VoiceMatcher, sound: Sound) -> dict[str, float]:
    """Processor time for a second of speech; of the whole process, whichever threads it has."""
    listener = Listener(*networks, matcher)
    listener.feed(sound[: 5 * RATE])
    spent = []
    for at in range(5 * RATE, len(sound) - RATE, RATE):
        begun = time.process_time()
        listener.feed(sound[at : at + RATE])
        spent.append(time.process_time() - begun)
    return {"ms_per_second": round(1e3 * float(np.mean(spent)), 2)}


def first_name(networks: Networks, matcher: VoiceMatcher, probes: Sounds) -> dict[str, float]:
    """From 1.6 s of speech to the name, in the sound's own time, with the start at different phases of the updates."""
    rng, late, never = np.random.default_rng(1), [], 0
    for name, sounds in probes.items():
        for sound in sounds:
            quiet = np.zeros(RATE + int(rng.integers(0, RATE // 2)), np.float32)
            stream = np.concatenate([quiet, sound])
            times = SpeechFrames(networks[0]).feed(stream).times
            if len(times) < 260:
                continue
            named = [heard.end for heard in listen(networks, matcher, stream) if heard.identity == name]
            never += not named
            late.append(named[0] - times[159] if named else np.inf)
    if not late:
        return {}
    return {
        "first_names": len(late),
        "never_named": never,
        "name_after_1600ms_p50_s": round(float(np.quantile(late, 0.5)), 2),
        "name_after_1600ms_p95_s": round(float(np.quantile(late, 0.95, method="higher")), 2),
    }


def changes(networks: Networks, matcher: VoiceMatcher, probes: Sounds, count: int = 100) -> dict[str, float]:
    """One known person's speech, and from one sample to the next another's; how often a name is lost without."""
    rng, took, wrong, seconds, lost = np.random.default_rng(2), [], 0, 0.0, 0
    speech = {name: [_trimmed(networks, sound) for sound in sounds] for name, sounds in probes.items()}
    long = {name: [s for s in sounds if len(s) > 4 * RATE] for name, sounds in speech.items()}
    names = [name for name, sounds in long.items() if sounds]
    if len(names) < 2:
        return {}
    for _ in range(count):
        one, other = rng.choice(names, 2, replace=False)
        first, second = long[one][rng.integers(len(long[one]))], long[other][rng.integers(len(long[other]))]
        first = first[: int(rng.integers(4 * RATE, min(len(first), 8 * RATE) + 1))]
        change = len(first) / RATE
        heard = listen(networks, matcher, np.concatenate([first, second[: 5 * RATE]]))
        before = [h for h in heard if h.end <= change]
        if not before or before[-1].identity != one:
            wrong += bool(before and before[-1].identity not in ("", one))
        had = [bool(h.identity) for h in before]
        lost += sum(a and not b for a, b in pairwise(had))
        seconds += change
        gone = [h.end - change for h in heard if h.end > change and h.identity != one]
        took.append(gone[0] if gone else np.inf)
    return {
        "changes": count,
        "withdrawn_in_1500ms_percent": round(100 * float(np.mean(np.array(took) <= 1.5)), 1),
        "withdrawn_p90_s": round(float(np.quantile(took, 0.9, method="higher")), 2),
        "misnamed_before_change": wrong,
        "names_lost_a_minute": round(60 * lost / seconds, 2),
    }


def _trimmed(networks: Networks, sound: Sound) -> Sound:
    """From the first speech to the last: a splice is a change of voice, not a pause."""
    times = SpeechFrames(networks[0]).feed(sound).times
    return sound[int(times[0] * RATE) : int(times[-1] * RATE)] if len(times) else sound[:0]


def without_speech(networks: Networks, matcher: VoiceMatcher, music: Path | None) -> dict[str, float]:
    """Names in two minutes of silence, noises and made music, and in a folder of real music without voices."""
    rng = np.random.default_rng(4)
    white = rng.standard_normal(30 * RATE).astype(np.float32)
    pink = np.fft.irfft(np.fft.rfft(white) / np.sqrt(np.maximum(1, np.arange(len(white) // 2 + 1))), len(white))
    sounds = [np.zeros(30 * RATE, np.float32), 0.05 * white, np.asarray(0.2 * pink / np.abs(pink).max(), np.float32)]
    sounds.append(_made_music(30.0))
    if music is not None:
        sounds += [sound for recorded in load(music).values() for sound in recorded]
    heard = [h for sound in sounds for h in listen(networks, matcher, sound)]
    return {
        "seconds_without_speech": round(sum(map(len, sounds)) / RATE),
        "names_without_speech": sum(bool(h.identity) for h in heard),
        "taken_for_speech_percent": round(100 * float(np.mean([h.speech.share for h in heard])), 2),
    }


def _made_music(seconds: float) -> Sound:
    """Broken chords with overtones that decay, as of a piano."""
    out = np.zeros(round(seconds * RATE), np.float32)
    for at, note in enumerate([0, 4, 7, 12, 7, 4, 5, 9, 12, 9, 5, 7, 11, 14] * 20):
        start = at * RATE // 4
        time_s = np.arange(min(RATE, max(0, len(out) - start))) / RATE
        f = 220 * 2 ** (note / 12)
        tone = sum(np.sin(2 * np.pi * f * k * time_s) / k**1.5 for k in range(1, 9)) * np.exp(-3 * time_s)
        out[start : start + len(time_s)] += (0.15 * tone).astype(np.float32)
    return out


def missed(figures: dict[str, float]) -> list[str]:
    lines = []
    for name, (sign, limit) in LIMITS.items():
        value = figures.get(name)
        if value is not None and not (value >= limit if sign == ">=" else value <= limit):
            lines.append(f"{name}: {value:g}, {sign} {limit:g} is asked for")
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    media = Path(os.environ.get("FACE_AF_TEST_MEDIA", "")) / "speech"
    parser = argparse.ArgumentParser(prog="voice", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=Path, default=media, help="one folder of recordings a person")
    parser.add_argument("--strangers", type=Path, help="recordings of others, one person a folder or file")
    parser.add_argument("--music", type=Path, help="recordings without voices")
    parser.add_argument("--repeats", type=int, default=5, help="random choices of what is enrolled (5)")
    parser.add_argument("--no-outputs", action="store_true", help="only the voices")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--check", action="store_true", help="exit 1, one line for each missed figure")
    options = parser.parse_args(argv)
    figures: dict[str, float] = {}
    if options.people.is_dir():
        figures |= voices(options)
    else:
        print("no voices: --people, or a folder `speech` in FACE_AF_TEST_MEDIA", file=sys.stderr)
    if not options.no_outputs:
        from voice_outputs import outputs

        figures |= outputs()
    for name, value in figures.items():
        print(f"{name:32} {value}")
    if options.report:
        write_json(options.report, figures)
    lines = missed(figures) if options.check else []
    for line in lines:
        print(line, file=sys.stderr)
    return 1 if lines else 0


def voices(options: argparse.Namespace) -> dict[str, float]:
    networks = open_networks("auto", model_dirs())
    known = load(options.people)
    strangers = load(options.strangers) if options.strangers else {}
    figures = recognition(networks, known, strangers, 10.0, options.repeats)
    # half of each person's recordings are enrolled, the other half heard
    matcher = enrolled(networks, {name: sounds[::2] for name, sounds in known.items()}, 10.0)
    probes = {name: sounds[1::2] for name, sounds in known.items()}
    figures |= first_name(networks, matcher, probes)
    figures |= changes(networks, matcher, probes)
    figures |= without_speech(networks, matcher, options.music)
    talk = np.concatenate([sound for sounds in probes.values() for sound in sounds])[: 60 * RATE]
    return {**figures, **cost(networks, matcher, talk)}


if __name__ == "__main__":
    sys.exit(main())
