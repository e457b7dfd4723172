"""`completion`: a script that lets the shell complete nouns and verbs."""

from __future__ import annotations

import sys
from enum import StrEnum
from importlib import import_module
from typing import Annotated

import typer


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"


_SCRIPT = """_letstrade() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}"
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "{nouns}" -- "$word")); return; fi
  if [ "$COMP_CWORD" -ne 2 ]; then COMPREPLY=($(compgen -W "--json --help" -f -- "$word")); return; fi
  case "${{COMP_WORDS[1]}}" in
{cases}
  esac
}}
complete -F _letstrade letstrade
"""


def completion(shell: Annotated[Shell, typer.Argument(case_sensitive=False)] = Shell.BASH) -> None:
    """셸 자동완성 · For ~/.bashrc or ~/.zshrc: alias letstrade='.venv/bin/python -m console.cli'; eval "$(letstrade completion)"."""
    from console.cli.__main__ import NOUNS, VERBS

    cases = []
    for noun, (module, _) in NOUNS.items():
        found = import_module(module).app.registered_commands
        verbs = " ".join(one.name or one.callback.__name__ for one in found)
        cases.append(f'    {noun}) COMPREPLY=($(compgen -W "{verbs}" -- "$word"));;')
    head = "autoload -U +X bashcompinit && bashcompinit\n" if shell is Shell.ZSH else ""
    sys.stdout.write(head + _SCRIPT.format(nouns=" ".join([*NOUNS, *VERBS]), cases="\n".join(cases)))
