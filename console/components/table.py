"""HTML tables: right-aligned figures, escaped text, cards on a phone. No widget, so a refresh takes nothing away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from console.components.figures import Html, safe


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    numeric: bool = False
    wide: bool = False  # may wrap and take what is left


def table(columns: Sequence[Column], rows: Sequence[Sequence[object]], *, name: str, empty: str) -> None:
    """Draw the rows, or the sentence that says why there are none. `name` is the stable data-table of tests."""
    st.html(table_markup(columns, rows, name=name, empty=empty))


def table_markup(columns: Sequence[Column], rows: Sequence[Sequence[object]], *, name: str, empty: str) -> str:
    if not rows:
        return f'<p class="lt-empty" data-table="{safe(name)}">{safe(empty)}</p>'
    head = "".join(f'<th class="{_css(column)}" scope="col">{safe(column.title)}</th>' for column in columns)
    cells = [f'<td class="{_css(column)}" data-label="{safe(column.title)}">' for column in columns]
    body = "".join(_row(cells, row) for row in rows)
    return (
        f'<div class="lt-scroll"><table class="lt-table" data-table="{safe(name)}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(cells: Sequence[str], row: Sequence[object]) -> str:
    return f"<tr>{''.join(f'{cell}{safe(value)}</td>' for cell, value in zip(cells, row, strict=True))}</tr>"


def _css(column: Column) -> str:
    return "n" if column.numeric else ("w" if column.wide else "")


def facts(pairs: Sequence[tuple[object, object]], *, name: str) -> None:
    """Draw a few named figures in a row."""
    st.html(facts_markup(pairs, name=name))


def facts_markup(pairs: Sequence[tuple[object, object]], *, name: str) -> str:
    cells = "".join(f"<div><span>{safe(label)}</span><b>{safe(value)}</b></div>" for label, value in pairs)
    return f'<div class="lt-facts" data-table="{safe(name)}">{cells}</div>'


def note(text: object) -> None:
    """A small line under a panel: ages, what is missing."""
    st.html(f'<p class="lt-note">{safe(text)}</p>')


def link(path: str, text: object) -> Html:
    """A link inside the console that a refresh does not break."""
    return Html(f'<a href="{safe(path)}" target="_self">{safe(text)}</a>')
