"""What a rule does with prices: indicators, evaluation, explanation, presets."""

from bots.rules import numpy_door  # noqa: F401  before anything here imports numpy
