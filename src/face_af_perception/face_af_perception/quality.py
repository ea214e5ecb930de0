"""How much an embedding of a face can be trusted: its size, sharpness and pose, as one number."""

from __future__ import annotations

import cv2
import numpy as np

from face_af_gallery.model import Points

from .alignment import Picture

FULL_EYE_DISTANCE = 32.0
"""Pixels between the eyes from which on size no longer matters (an aligned chip has 35)."""
FULL_SHARPNESS = 120.0
"""Variance of the Laplacian of a 112 x 112 chip that counts as sharp, in good light."""
GOOD_LIGHT = 110.0
"""Mean gray of a chip from which on light is good; below, edges are as much weaker as the light is."""
_DARKEST = 20.0


def eye_distance(landmarks: Points) -> float:
    """Pixels between the eyes."""
    return float(np.hypot(*(landmarks[1] - landmarks[0])))


def frontality(landmarks: Points) -> float:
    """1 for a face that looks into the camera, falling to 0 for a profile; from the landmarks alone.

    The nose of a frontal face lies midway between the eyes and about midway between eyes and mouth.
    """
    eyes = (landmarks[0] + landmarks[1]) / 2
    mouth = (landmarks[3] + landmarks[4]) / 2
    across = landmarks[1] - landmarks[0]
    down = mouth - eyes
    width, height = float(np.hypot(*across)), float(np.hypot(*down))
    if width < 1 or height < 1:
        return 0.0
    nose = landmarks[2] - eyes
    yaw = abs(float(nose @ across)) / width**2
    pitch = abs(float(nose @ down) / height**2 - 0.55)
    narrow = min(1.0, width / height)  # eyes close together for the face's height: turned away
    return max(0.0, 1 - 1.6 * yaw) * max(0.0, 1 - 1.6 * pitch) * narrow


def sharpness(chip: Picture) -> float:
    """0 for a blurred chip, 1 for a sharp one, however dim or coloured the light."""
    gray = cv2.cvtColor(chip, cv2.COLOR_BGR2GRAY)
    height, width = gray.shape
    inner = gray[height // 5 : -height // 5, width // 5 : -width // 5]
    light = min(GOOD_LIGHT, max(_DARKEST, cv2.mean(inner)[0])) / GOOD_LIGHT
    variance = float(cv2.Laplacian(inner, cv2.CV_32F).var())
    return min(1.0, variance / light**2 / FULL_SHARPNESS)


def quality(landmarks: Points, chip: Picture) -> float:
    """0.05 to 1: size x pose x sharpness of a face; ``chip`` is its aligned picture."""
    size = min(1.0, eye_distance(landmarks) / FULL_EYE_DISTANCE)
    blur = 0.3 + 0.7 * sharpness(chip)
    return float(np.clip(size * (0.2 + 0.8 * frontality(landmarks)) * blur, 0.05, 1.0))
