"""The action that starts a process."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ._process import ProcessSpec
from .conditions import Condition
from .entities import Action
from .event_handlers import OnProcessExit, Reaction
from .substitutions import SomeSubstitutionsType, normalize, perform, truth

if TYPE_CHECKING:
    from .launch_context import LaunchContext

_OUTPUTS: Mapping[str, tuple[set[str], set[str]]] = {
    "screen": ({"screen"}, {"screen"}),
    "log": ({"log"}, {"log", "screen"}),
    "both": ({"log", "screen"}, {"log", "screen"}),
    "own_log": ({"own_log"}, {"own_log"}),
    "full": ({"screen", "log", "own_log"}, {"screen", "log", "own_log"}),
}
"""What ``output`` means for the standard output and for the standard error."""

_numbers = itertools.count(1)

Environment = Mapping[SomeSubstitutionsType, SomeSubstitutionsType]
Seconds = float | SomeSubstitutionsType


class ExecuteProcess(Action):
    """Starts a process, shows its output, and ends it with the launch.

    ``respawn`` starts it again after ``respawn_delay`` seconds whenever it ends; ``on_exit`` is visited
    when it has ended. ``env`` replaces the environment, ``additional_env`` adds to it.
    """

    def __init__(
        self,
        *,
        cmd: Iterable[SomeSubstitutionsType],
        name: SomeSubstitutionsType | None = None,
        cwd: SomeSubstitutionsType | None = None,
        env: Environment | None = None,
        additional_env: Environment | None = None,
        shell: bool = False,
        output: SomeSubstitutionsType = "log",
        emulate_tty: bool = False,
        respawn: bool | SomeSubstitutionsType = False,
        respawn_delay: float | None = None,
        respawn_max_retries: int = -1,
        sigterm_timeout: Seconds | None = None,
        sigkill_timeout: Seconds | None = None,
        on_exit: Reaction | None = None,
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        self.cmd = [normalize(part) for part in cmd]
        self._name = None if name is None else normalize(name)
        self._cwd = None if cwd is None else normalize(cwd)
        self._env, self._additional_env = env, additional_env
        self._shell = shell
        self._output = normalize(output)
        self._emulate_tty = emulate_tty
        self._respawn = respawn
        self.respawn_delay = respawn_delay or 0.0
        self.respawn_max_retries = respawn_max_retries
        self._timeouts = {"sigterm_timeout": sigterm_timeout, "sigkill_timeout": sigkill_timeout}
        self._on_exit = on_exit
        self._executed = False
        self.respawn = False

    def full_command(self, context: LaunchContext) -> list[str]:
        """The command with all its arguments, now."""
        return [perform(context, part) for part in self.cmd]

    def execute(self, context: LaunchContext) -> Sequence[Action] | None:
        if self._executed:
            raise RuntimeError(f"{type(self).__name__}: this action was reached twice; make one for each process")
        self._executed = True
        if context.is_shutdown:
            return None
        spec = self._spec(context)
        self.respawn = self._respawn if isinstance(self._respawn, bool) else truth(perform(context, self._respawn))
        if self._on_exit is not None:
            context.handlers.append(OnProcessExit(target_action=self, on_exit=self._on_exit))
        assert context.runtime is not None
        context.runtime.start(self, spec)
        return None

    def _spec(self, context: LaunchContext) -> ProcessSpec:
        cmd = self.full_command(context)
        name = Path(cmd[0]).name if self._name is None else perform(context, self._name)
        env = dict(context.environment) if self._env is None else _performed(context, self._env)
        env.update(_performed(context, self._additional_env or {}))
        output = os.environ.get("OVERRIDE_LAUNCH_PROCESS_OUTPUT") or perform(context, self._output)
        if output not in _OUTPUTS:
            raise ValueError(f"output of {name}: {output!r} is none of {', '.join(_OUTPUTS)}")
        stdout, stderr = _OUTPUTS[output]
        emulate_tty = context.launch_configurations.get("emulate_tty")
        return ProcessSpec(
            name=f"{name}-{next(_numbers)}",
            cmd=cmd,
            env=env,
            cwd=None if self._cwd is None else perform(context, self._cwd),
            shell=self._shell,
            emulate_tty=self._emulate_tty if emulate_tty is None else truth(emulate_tty),
            stdout=frozenset(stdout),
            stderr=frozenset(stderr),
            **{kind: self._timeout(context, kind) for kind in self._timeouts},
        )

    def _timeout(self, context: LaunchContext, kind: str) -> float:
        given = self._timeouts[kind]
        if given is None:
            return float(context.launch_configurations.get(kind, 5))
        return float(given) if isinstance(given, (int, float)) else float(perform(context, given))


def _performed(context: LaunchContext, environment: Environment) -> dict[str, str]:
    return {perform(context, name): perform(context, value) for name, value in environment.items()}
