"""Everything the model library raises on purpose. Anything else is a bug and stays loud.

ModelError
├── ConfigError        a setting is outside its legal set
├── CheckpointError    a folder is not an adapter, or not one for this base model
├── WeightsError       base weights are missing, damaged or of an unknown family
└── Cancelled          the caller asked to stop between two evaluations
"""


class ModelError(Exception):
    """Its message is safe to show: what happened, the numbers, what to do."""


class ConfigError(ModelError, ValueError):
    """A setting is outside its legal set."""


class CheckpointError(ModelError):
    """A folder is not an adapter, or not one for this base model."""


class WeightsError(ModelError):
    """Base weights are missing, damaged or of an unknown family."""


class Cancelled(ModelError):
    """The caller asked to stop; what was done until then has been counted."""
