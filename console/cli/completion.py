"""`completion`: a script that lets the shell complete nouns, verbs and their options."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.main import get_command

from shared.config import ROOT


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@dataclass(frozen=True, slots=True)
class Word:
    """A noun, or a verb that stands alone: what it is about, its verbs (a noun's) and its options (a verb's)."""

    name: str
    about: str
    verbs: tuple[Word, ...] = ()
    options: tuple[str, ...] = ()


def completion(shell: Annotated[Shell, typer.Argument(case_sensitive=False)] = Shell.BASH) -> None:
    """셸 자동완성 · For ~/.bashrc, ~/.zshrc or fish's config: eval "$(.venv/bin/python -m console.cli completion bash)".

    The script also makes `letstrade` a command where there is none.
    """
    sys.stdout.write(_SCRIPTS[shell](list(words())))


def words() -> Iterator[Word]:
    """Everything that may stand first on the command line."""
    from console.cli.__main__ import NOUNS, VERBS, WATCHED

    def options(command: Any, name: str) -> tuple[str, ...]:
        own = (option for param in command.params for option in param.opts if option.startswith("--"))
        return (*own, "--help", *(("--watch",) if name in WATCHED else ()))

    for noun, (module, about) in NOUNS.items():
        verbs = get_command(import_module(module).app).commands  # type: ignore[attr-defined]
        yield Word(
            noun, about,
            tuple(Word(name, _line(one.help), (), options(one, f"{noun} {name}")) for name, one in verbs.items()),
        )  # fmt: skip
    for verb, (module, about) in VERBS.items():
        alone = typer.Typer(add_completion=False)
        alone.command(verb)(getattr(import_module(module), verb.replace("-", "_")))
        yield Word(verb, about, (), options(get_command(alone), verb))


def _line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]


_FUNCTION = 'PYTHONPATH={root} {python} -m console.cli "$@"'
_BASH = """command -v letstrade >/dev/null || letstrade() {{ {call}; }}
_letstrade() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" said=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{first}" -- "$word")); return
  fi
  if [ "$COMP_CWORD" -eq 2 ]; then
    case "${{COMP_WORDS[1]}}" in
{verbs}
    esac
    if [ -n "$said" ]; then COMPREPLY=($(compgen -W "$said" -- "$word")); return; fi
  fi
  case "${{COMP_WORDS[1]}} ${{COMP_WORDS[2]}} " in
{options}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$said" -- "$word"));;
    *) COMPREPLY=($(compgen -f -- "$word"));;
  esac
}}
complete -F _letstrade letstrade
"""
_ZSH = """(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit; }}
autoload -U +X bashcompinit && bashcompinit
"""


def _bash(every: list[Word]) -> str:
    verbs = (f'      {one.name}) said="{" ".join(verb.name for verb in one.verbs)}";;' for one in every if one.verbs)
    pairs = [(f"{one.name} {verb.name} ", verb.options) for one in every for verb in one.verbs]
    pairs += [(f"{one.name} ", one.options) for one in every if not one.verbs]
    options = (f'    "{head}"*) said="{" ".join(found)}";;' for head, found in pairs)
    return _BASH.format(
        call=_FUNCTION.format(root=shlex.quote(str(ROOT)), python=shlex.quote(sys.executable)),
        first=" ".join(one.name for one in every), verbs="\n".join(verbs), options="\n".join(options),
    )  # fmt: skip


def _fish(every: list[Word]) -> str:
    call = f"PYTHONPATH={_quoted(str(ROOT))} {_quoted(sys.executable)} -m console.cli $argv"
    lines = [f"type -q letstrade; or function letstrade; {call}; end", "complete -c letstrade -e"]
    for one in every:
        here = f"__fish_seen_subcommand_from {one.name}"
        lines.append(_fish_word("__fish_use_subcommand", one))
        lines += [f"complete -c letstrade -n '{here}' -l {option[2:]}" for option in one.options]
        names = " ".join(verb.name for verb in one.verbs)
        for verb in one.verbs:
            lines.append(_fish_word(f"{here}; and not __fish_seen_subcommand_from {names}", verb))
            there = f"{here}; and __fish_seen_subcommand_from {verb.name}"
            lines += [f"complete -c letstrade -n '{there}' -l {option[2:]}" for option in verb.options]
    return "\n".join(lines) + "\n"


def _fish_word(where: str, one: Word) -> str:
    return f"complete -c letstrade -f -n '{where}' -a {one.name} -d {_quoted(one.about)}"


def _quoted(text: str) -> str:
    """As fish reads a text in single quotes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_SCRIPTS: dict[Shell, Callable[[list[Word]], str]] = {
    Shell.BASH: _bash,
    Shell.ZSH: lambda every: _ZSH.format() + _bash(every),
    Shell.FISH: _fish,
}
