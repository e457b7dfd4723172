"""Streamlit's settings: a calm look in light and dark, and nothing open that need not be."""

from __future__ import annotations

from typing import Any

_FONT = "system-ui, 'Apple SD Gothic Neo', 'Noto Sans KR', 'Noto Sans CJK KR', sans-serif"
_LIGHT = {
    "primaryColor": "#1f4f8f",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f4f6f9",
    "textColor": "#1d2433",
    "borderColor": "#d9dee7",
}
_DARK = {
    "primaryColor": "#82b4f5",
    "backgroundColor": "#0f131a",
    "secondaryBackgroundColor": "#171c26",
    "textColor": "#e8ebf2",
    "borderColor": "#2b3342",
}


def streamlit_config(port: int, public_host: str = "") -> dict[str, Any]:
    """Return the settings for `App.run`; `public_host` is the name a reverse proxy serves us by."""
    config: dict[str, Any] = {
        "server.address": "127.0.0.1",
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.enableCORS": True,
        "server.enableXsrfProtection": True,
        "server.enableStaticServing": False,
        "server.enableAgentApi": False,  # a second door to the pages; programs have the API
        "server.allowedHosts": ["localhost", "127.0.0.1", *([public_host] if public_host else [])],
        "server.maxUploadSize": 1,
        "server.disconnectedSessionTTL": 60,
        "runner.postScriptGC": False,
        "runner.magicEnabled": False,
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "viewer",
        "theme.font": _FONT,
        "theme.baseFontSize": 15,
        "theme.baseRadius": "8px",
        "theme.showWidgetBorder": True,
    }
    for name, colours in (("light", _LIGHT), ("dark", _DARK)):
        for option, value in colours.items():
            config[f"theme.{name}.{option}"] = value
    return config
