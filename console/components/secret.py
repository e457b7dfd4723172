"""A field for a secret: dots instead of letters, nothing remembered by the browser."""

from __future__ import annotations

from typing import Any


def secret_input(place: Any, label: str, *, key: str, disabled: bool = False) -> None:
    """Draw the field in `place` (a column); its key must end in app_key, app_secret or _password, which desk.css dots.

    Not `type="password"`: leaving Streamlit's password field with the Tab key drops what was typed (1.67).
    """
    place.text_input(label, key=key, disabled=disabled, autocomplete="off")
