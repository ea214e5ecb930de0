"""Whether a node still hears the others of its graph, judged by what they say about themselves once a second. No ROS.

Fast DDS (3.2) takes a process that did not run for a second or two for dead and gives its shared-memory port up; those
who send to it make a new one at once, and so does the process when it goes on. Now and then these are different ones
(a sender who just looks whether the port's lock is held makes the process believe that nobody uses the new port), or
a sender finds neither and may change to UDP, which loses large pictures. Then the node never hears again from some of
the others, or from all, or gets no more pictures, without any error.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

_STILL_S = 0.8
"""Who is called so late stood still. Fast DDS asks once a second whether a port is listened to."""
_AFTER_STILL_S = 1.6
"""So long after it somebody must have been heard."""
_OLD_S = 0.3
"""What comes so soon after it may have been said before."""
_SILENCE_S = 5.0
"""At other times: for so long not everybody can have said nothing."""
_FRESH_S = 1.5
"""Who was heard within this time is there."""
_DOUBT_S = 3.0
"""For so long others hear somebody, or somebody sends pictures, and the node gets nothing of it."""


class Ears:
    """One node's. All times are seconds of a clock that goes on while the process stands still.

    ``me``: the node's full name without the first slash; ``inputs``: topics that it gets frames from.
    """

    def __init__(self, me: str, inputs: Iterable[str], now: float) -> None:
        self._me = me
        self._last = now
        self._since = now
        """Its start, or the end of the newest time in which it stood still."""
        self._still_s = 0.0
        """How long it stood still, until somebody is heard again; else 0."""
        self._heard: dict[str, float] = {}
        self._sends: set[str] = set()
        """Those whose newest word was that they have results."""
        self._told: dict[str, float] = {}
        """When somebody else said that it hears this one."""
        self._got = dict.fromkeys(inputs, now)
        self._doubts: dict[str, float] = {}
        """What is missing that should be there, and since when."""

    def got(self, topic: str, now: float) -> None:
        """A message came in."""
        self._got[topic] = now

    def heard(self, now: float, name: str, sends: bool, hears: Iterable[str]) -> None:
        """``name`` said that it is there, whether it had results within the last second, and whom it hears."""
        if name == self._me or now - self._since < _OLD_S:
            return
        self._still_s = 0.0
        self._heard[name] = now
        (self._sends.add if sends else self._sends.discard)(name)
        self._told.update(dict.fromkeys((n for n in hears if n != self._me), now))

    def hears(self, now: float) -> list[str]:
        """Whom it has heard just now."""
        return sorted(name for name, at in self._heard.items() if now - at <= _FRESH_S)

    def missed(
        self, now: float, reporting: Callable[[], Collection[str]], senders: Callable[[str], Collection[str]]
    ) -> str:
        """What it does not hear although it should, in words; "" = nothing. To be called several times a second.

        ``reporting()``: names of the other nodes that could be heard; ``senders(topic)``: those of who publishes it.
        """
        gap, self._last = now - self._last, now
        if gap > _STILL_S:
            self._still_s, self._since = gap, now
            for known in (self._heard, self._told, self._doubts):
                known.clear()
            self._got = dict.fromkeys(self._got, now)
            return ""
        if quiet := self._quiet(now):
            self._doubts.clear()
            if self._still_s and quiet > _AFTER_STILL_S and reporting():
                return f"stood still for {self._still_s:.1f} s and hears nobody since"
            # a single one who says nothing may have died just now
            return "hears nobody any more" if quiet > _SILENCE_S and len(reporting()) > 1 else ""
        missing = self._unheard(now) | self._missing_inputs(now, senders)
        self._doubts = {what: self._doubts.get(what, now) for what in missing}
        lasting = sorted(what for what, since in self._doubts.items() if now - since > _DOUBT_S)
        return f"does not get {' and '.join(lasting)}" if lasting else ""

    def _quiet(self, now: float) -> float:
        """For how long nobody was heard; 0 = somebody is there."""
        self._heard = {name: at for name, at in self._heard.items() if now - at <= _SILENCE_S}
        self._sends &= self._heard.keys()
        quiet = now - max(self._heard.values(), default=self._since)
        return quiet if quiet > _FRESH_S or not self._heard else 0.0

    def _unheard(self, now: float) -> set[str]:
        """Those near whom others hear and it does not."""
        self._told = {name: at for name, at in self._told.items() if now - at <= _FRESH_S}
        near = self._me.rpartition("/")[0]
        return {f"what {n} says" for n in self._told.keys() - set(self.hears(now)) if n.rpartition("/")[0] == near}

    def _missing_inputs(self, now: float, senders: Callable[[str], Collection[str]]) -> set[str]:
        sending = self._sends.intersection(self.hears(now))
        quiet = [topic for topic, at in self._got.items() if now - at > _FRESH_S] if sending else []
        return {f"the {topic} of {name}" for topic in quiet for name in sending.intersection(senders(topic))}
