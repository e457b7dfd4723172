"""Rules as text and as values: read, check, print. What a rule does with prices stands in bots/rules."""
