"""The same descriptions under the name that newer launch files use."""

from launch._limits import unsupplied

from .parameter_descriptions import ParameterFile, ParameterValue

__all__ = ["ParameterFile", "ParameterValue"]

__getattr__ = unsupplied(__name__)
