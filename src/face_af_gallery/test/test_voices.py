"""Voices in a gallery: several writers lose nobody, nobody else can read them, damage is one line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from face_af_gallery.model import GalleryError
from face_af_gallery.voices import VoiceGallery, remove_voice

ROW = np.linspace(0, 1, 8, dtype=np.float32)


def test_two_programs_that_enrol_at_once_lose_nobody(tmp_path: Path) -> None:
    first = VoiceGallery.open(tmp_path, "m", create=True)
    second = VoiceGallery.open(tmp_path, "m", create=True)
    first.add("anna", ROW, 10)
    second.add("bert", ROW * 2, 12)
    first.add("anna", ROW * 3, 5)
    again = VoiceGallery.open(tmp_path, "m")
    assert again.names == ["anna", "bert"]
    assert [round(s.seconds) for s in again.samples("anna")] == [10, 5]
    assert np.allclose(again.samples("bert")[0].embedding, ROW * 2, atol=1e-5)


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "gallery"
    VoiceGallery.open(folder, "m", create=True).add("anna", ROW, 10)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "voices.json").stat().st_mode & 0o777 == 0o600


def test_removing_leaves_no_trace(tmp_path: Path) -> None:
    gallery = VoiceGallery.open(tmp_path, "m", create=True)
    gallery.add("anna", ROW, 10)
    VoiceGallery.open(tmp_path, "other model", create=True).add("anna", ROW, 10)
    gallery.add("bert", ROW, 10)
    assert remove_voice(tmp_path, "anna") == 2
    assert remove_voice(tmp_path, "anna") == 0
    assert "anna" not in (tmp_path / "voices.json").read_text()
    assert gallery.changed_on_disk()
    gallery.reload()
    assert gallery.names == ["bert"]


def test_another_models_voices_are_kept_and_told(tmp_path: Path) -> None:
    VoiceGallery.open(tmp_path, "old", create=True).add("anna", ROW, 10)
    gallery = VoiceGallery.open(tmp_path, "new")
    assert gallery.names == [] and "anna" in gallery.complaint
    gallery.add("anna", ROW, 3)
    assert gallery.complaint == ""
    assert VoiceGallery.open(tmp_path, "old").names == ["anna"]


def test_no_voices_is_said(tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match="no voices"):
        VoiceGallery.open(tmp_path, "m")
    with pytest.raises(GalleryError, match="name"):
        VoiceGallery.open(tmp_path, "m", create=True).add("  ", ROW, 1)
    with pytest.raises(GalleryError, match="numbers"):
        VoiceGallery.open(tmp_path, "m", create=True).add("anna", np.full(8, np.nan, np.float32), 1)


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(people=_json, entry=_json)
def test_a_strangers_file_is_one_line(people: object, entry: object, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("voices")
    for data in ({"format": 1, "people": people}, {"format": 1, "people": {"anna": [entry]}}, people):
        (folder / "voices.json").write_text(json.dumps(data))
        try:
            VoiceGallery.open(folder, "m")
        except GalleryError as error:
            assert "\n" not in str(error)
