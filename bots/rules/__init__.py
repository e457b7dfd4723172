"""What a rule does with prices: indicators, evaluation, explanation, presets."""
