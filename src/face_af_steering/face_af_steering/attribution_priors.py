"""What is believed of a camera and a photographer before anything was seen of them, and how quick hands are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Priors:
    """What is believed of a camera and a photographer that nobody has seen yet; wide, so that little overrules it.

    A rate is believed as after ``events`` in ``seconds`` (the parameters of its gamma distribution).
    """

    camera_events: float = 0.5
    camera_s: float = 15.0
    """Cameras move by themselves never, or up to several times a minute."""
    wish_events: float = 0.5
    wish_s: float = 30.0
    """Photographers want another person never, or up to a few times a minute."""
    memory_s: float = 600.0
    """What was learned fades: light and lens change."""
    habits: Mapping[str, float] = field(
        default_factory=lambda: {"largest": 0.5, "nearest": 0.3, "neighbour": 0.3, "central": 0.2, "any": 0.7}
    )
    """Own moves believed to have been seen to each kind of face: the weights of a Dirichlet distribution."""
    lost: float = 4.0
    hidden: float = 1.0
    """Own moves a second of a camera that has lost its subject, or whose subject's face is not seen."""
    chooses_again: float = 1.0
    """... of a camera that has nobody chosen: some choose again at once, some wait for a press."""
    settles_s: float = 0.2
    """So long after a loss the camera may change its mind."""
    first_step: float = 0.9
    """Share of the first steps that go to the left or to the right."""
    other_step: float = 0.1
    """... above or below, or around the ends of the row of a camera that has not shown whether it does."""
    far_step: float = 0.02
    """... to anybody else: two steps seen as one, or a finger on the screen."""
    steps_back: float = 0.3
    """Share of the moves to the target by themselves that a hand made, which ends its wish so."""
    goes_on: float = 0.8
    """Share of the unfinished wishes in which the hand's next step is seen: none is lost, and it is not given up."""
    elsewhere: float = 0.1
    """Share of the hands whose face was taken away that go elsewhere next, and not back to it."""
    unconfirmed: float = 0.3
    """What a first step counts of which nothing more was seen: else what is believed of it would confirm itself."""
    at_work_odds: float = 50.0
    """So much likelier must it be that a hand has made all moves of a wish before first steps are left alone: a camera
    that came back at a hand's pace by chance would be left alone for the rest of the session."""
    at_work_events: float = 1.0
    """Wishes counted besides from then on: who is at work has more than those that were seen."""
    wish_lasts_s: float = 8.0
    """Mean of a wish's length, as far as nobody has said that it goes on."""
    next_wish: float = 0.5
    """Share of the wishes that were obeyed which end with a step to another person, and not in peace."""
    step_s: tuple[float, float] = (0.62, 0.45)
    """From one step of a hand to the next: median, and spread of its logarithm."""
    insists: float = 0.85
    """Share of the photographers who bring back what was taken away at once."""
    insists_later: float = 0.5
    """... where the wish had some seconds to end by itself."""
    back_s: tuple[float, float] = (0.6, 0.45)
    """From the loss of a face in the viewfinder to its return: median, and spread of its logarithm. Few need
    under 0.25 s, or over 1.5 s."""
    reaction_s: float = 0.2
    """Nobody sees a change and answers it sooner."""
    misread: float = 6e-4
    """Moves a second by misreading alone (:mod:`.read_error_rate` holds it there)."""


PRIORS = Priors()

_OTHER_TIMES, _OTHER_TIMES_S = 0.2, 0.7
"""Share of the hands that are slower or quicker than the spread allows, and their mean: no two people are alike."""


def hand_density(seconds: float, median: float, spread: float) -> float:
    """Density a second of a hand that takes ``median`` seconds, give or take; some are far quicker or slower."""
    others = _OTHER_TIMES * math.exp(-seconds / _OTHER_TIMES_S) / _OTHER_TIMES_S
    if seconds <= 0.0:
        return others
    z = math.log(seconds / median) / spread
    return others + (1.0 - _OTHER_TIMES) * math.exp(-0.5 * z * z) / (seconds * spread * math.sqrt(2 * math.pi))


def hand_share(seconds: float, median: float, spread: float) -> float:
    """Share of the hands that have acted within ``seconds``."""
    if seconds <= 0.0:
        return 0.0
    return 0.5 * (1.0 + math.erf(math.log(seconds / median) / (spread * math.sqrt(2.0))))
