"""The rules that come with the product, as files beside this one: to copy, to change, or (`demo_…`) to watch at once."""

from __future__ import annotations

from importlib import resources

from shared.domain.errors import NotFound

_FOLDER = resources.files(__name__)


def preset_names() -> list[str]:
    """Return the names of all presets, demo rules included."""
    return sorted(one.name.removesuffix(".yaml") for one in _FOLDER.iterdir() if one.name.endswith(".yaml"))


def preset_text(name: str) -> str:
    """Return a preset's YAML text.

    Raises:
        NotFound: no preset of that name.
    """
    if name not in preset_names():
        raise NotFound(f"preset {name!r}", "no such preset", f"one of: {', '.join(preset_names())}")
    return (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
