"""What two or more nodes share; importing it makes the project's own wheels importable (:mod:`.wheels`)."""

from .wheels import add_venv

add_venv()
