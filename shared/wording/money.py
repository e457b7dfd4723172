"""The words of money: fees by contract, taxes, settlement, returns."""

WORDS: dict[str, tuple[str, str]] = {}
