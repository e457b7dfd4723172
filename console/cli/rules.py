"""`rule`: check a rule file, keep rules, switch them, see why they did or did not trade."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli import output
from console.cli.accounts import Confirm, Reason
from console.cli.desk import Desk, open_desk
from console.cli.output import FAILED, AsJson, listing, print_json, tell
from console.services import rule_history, rules
from console.services.permissions import refuse
from console.services.rules import RuleLine
from shared.clock import SystemClock
from shared.config import ROOT, load_settings
from shared.domain.errors import ConfigError, Conflict, NotFound, TradingError
from shared.domain.rule.model import Rule
from shared.domain.rule.parse import parse_rule
from shared.domain.rule.problem import RuleInvalid
from shared.domain.rule.python_text import is_python
from shared.domain.rule.validate import warnings_of
from shared.domain.signal import Decision, Step, Verdict
from shared.models import DecisionRow
from shared.words import reason_text, refusal_advice, say

app = typer.Typer(help="규칙 · rules", no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="YAML, JSON, 파이썬 · YAML, JSON, Python")]
RuleId = Annotated[int, typer.Argument(metavar="RULE", help="규칙 · rule id of `rule list`")]
Symbols = Annotated[str, typer.Option(help="파일에 종목이 없을 때 · when the file names none: AAPL,MSFT")]
MaxPosition = Annotated[
    int | None, typer.Option(min=0, help="종목당 최대 보유 주 · most shares of a symbol; 0: no entries")
]
_STEP = ("path", "label", "left", "operator", "right", "truth")  # what a stored step holds
_MARKS = {True: "✓", False: "✗", None: "?"}


@app.command()
def validate(file: File, as_json: AsJson = False) -> int:
    """규칙 파일을 검사합니다 · Check a rule file; needs no desk."""
    lang = load_settings().lang
    try:
        rule = parse_rule(read(file))
    except RuleInvalid as invalid:
        problems = [
            {"path": one.path, "line": one.line, "why": one.reason.ko, "why_en": one.reason.en, "now": one.mend.ko}
            for one in invalid.problems
        ]
        if as_json:
            told = {"code": invalid.code, "what": invalid.what, "why": invalid.why, "now": invalid.now}
            print_json({"valid": False, "problems": problems, "error": told})
        else:
            for one in invalid.problems:
                tell(f"✗ {one.text(lang)}")
        return FAILED
    refused = _tried(rule)
    if refused is not None:
        if as_json:
            line = getattr(refused, "line", None)
            problem = {"path": "python", "line": line, "why": refused.why, "why_en": refused.why, "now": refused.now}
            told = {"code": refused.code, "what": refused.what, "why": refused.why, "now": refused.now}
            print_json({"valid": False, "problems": [problem], "error": told})
            return FAILED
        raise refused
    warnings = [one.text(lang) for one in warnings_of(rule)]
    for warning in [] if as_json else warnings:
        tell(f"! {warning}")
    valid = {"valid": True, "name": rule.metadata.name, "timeframe": rule.timeframe, "universe": list(rule.universe)}
    output.show({**valid, "problems": [], "warnings": warnings} if as_json else valid, as_json)
    return 0


@app.command()
def add(
    file: File,
    account: Annotated[str, typer.Option(help="계좌 · id or nickname")],
    symbols: Symbols = "",
    max_position: MaxPosition = None,
    replace: Annotated[int | None, typer.Option(metavar="RULE", help="새 버전으로 · as its next version")] = None,
    as_json: AsJson = False,
) -> None:
    """규칙을 꺼진 채로 등록합니다 · Keep a rule, switched off; or a new version of one."""
    desk = open_desk()
    account_id, text = desk.account(account), read(file)
    _must_run(text)
    if replace is None:
        replace = _keep(desk, account_id, text, symbols, max_position)
    elif _line(desk, replace).account_id != account_id:
        raise NotFound(
            f"규칙 {replace}은(는) {account} 계좌의 것이 아닙니다 (not of this account)", "", "letstrade rule list"
        )
    else:
        rules.save_version(desk.wiring, desk.actor, replace, text, symbols=symbols, max_position=max_position)
    output.show(_row(_line(desk, replace)), as_json)


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help=".kis.yaml, YAML, JSON")],
    account: Annotated[str, typer.Option(help="계좌 · id or nickname")],
    symbols: Symbols = "",
    max_position: MaxPosition = None,
    as_json: AsJson = False,
) -> None:
    """여러 파일을 검사한 뒤 모두 등록합니다 · Check several files, then keep all of them; one bad file keeps none."""
    desk = open_desk()
    account_id = desk.account(account)
    texts = [read(one) for one in files]
    market = rules.market_of(desk.wiring, desk.actor, account_id)
    for name, text in zip(files, texts, strict=True):
        checked = rules.check(text, market, symbols, desk.actor.lang)
        if checked.rule is None:
            raise Conflict(
                f"{name}: 등록하지 않았습니다 (nothing was imported)", " / ".join(checked.problems), "", code="bad_rule"
            )
    for text in texts:
        _must_run(text)
    kept = [_keep(desk, account_id, text, symbols, max_position) for text in texts]
    output.show(listing([_row(_line(desk, rule_id)) for rule_id in kept], desk.now), as_json)


@app.command("list")
def list_(
    account: Annotated[str | None, typer.Option(help="계좌 · id or nickname")] = None,
    presets: Annotated[bool, typer.Option("--presets", help="가져다 쓸 규칙 · rules to start from")] = False,
    as_json: AsJson = False,
) -> None:
    """등록된 규칙 · The rules kept here; or, with --presets, those that come along (needs no desk)."""
    if presets:
        _presets(as_json)
        return
    desk = open_desk()
    lines = rules.listed(desk.wiring, desk.actor, account_id=desk.account_or_all(account))
    output.show(listing([_row(line) for line in lines], desk.now), as_json)


def _presets(as_json: bool) -> None:
    from bots.rules.presets import preset_names, preset_text

    lang = load_settings().lang
    rows = []
    for name in preset_names():
        rule = parse_rule(preset_text(name))
        told = rule.metadata
        knobs = [
            {"name": one.name, "default": one.default, "min": one.min, "max": one.max, "description": one.description,
             "description_en": one.description_en}
            for one in rule.params
        ]  # fmt: skip
        rows.append(
            {"name": name, "title": told.name, "title_en": told.name_en, "description": told.description,
             "description_en": told.description_en, "timeframe": rule.timeframe, "tags": list(told.tags), "params": knobs,
             "file": f"bots/rules/presets/{name}.yaml", "picture": f"docs/presets/{name}.svg"}
        )  # fmt: skip
    if as_json:
        print_json(listing(rows, SystemClock().wall_now()))
        return
    for row in rows:
        title, text = (row["title"], row["description"]) if lang == "ko" else (row["title_en"], row["description_en"])
        typer.echo(f"{row['name']} · {title}\n  {text}")
        for knob in row["params"]:
            said = knob["description"] if lang == "ko" else knob["description_en"]
            typer.echo(f"    {knob['name']} = {knob['default']} ({knob['min']} ~ {knob['max']}) {said}")


@app.command()
def show(rule_id: RuleId, as_json: AsJson = False) -> None:
    """쓰이는 글과 버전 · The text in force and its versions."""
    desk = open_desk()
    found = rules.opened(desk.wiring, desk.actor, rule_id)
    if not as_json:
        typer.echo(found.version.text)
        return
    versions = [
        {"number": one.number, "created_by": one.created_by, "created_at": one.created_at, "note": one.note}
        for one in found.versions
    ]
    text = {"version": found.version.number, "text": found.version.text, "versions": versions}
    print_json({**_row(_line(desk, rule_id)), "max_position": found.max_position, **text})


@app.command()
def diff(
    rule_id: RuleId,
    older: Annotated[int | None, typer.Argument(help="버전 · version; else the one before")] = None,
    newer: Annotated[int | None, typer.Argument(help="버전 · version; else the one in force")] = None,
    file: Annotated[Path | None, typer.Option(help="저장하기 전의 파일과 · with a file not yet saved")] = None,
    as_json: AsJson = False,
) -> None:
    """두 버전의 차이와 그 뜻 · What two versions differ in, as text and in meaning."""
    desk = open_desk()
    found = rules.opened(desk.wiring, desk.actor, rule_id)
    if file is not None and newer is not None:
        raise typer.BadParameter("NEWER / --file")
    texts = {one.number: one.text for one in found.versions}
    if newer is None:
        newer = found.version.number
    if older is None:
        older = newer if file is not None else max((one for one in texts if one < newer), default=newer)
    for number in (older, newer):
        if number not in texts:
            raise refuse(NotFound, "no_version", desk.actor.lang, rule=rule_id, number=number)
    compared = rule_history.compare(texts[older], read(file) if file is not None else texts[newer])
    if not as_json:
        _print_diff(compared, str(older), str(newer) if file is None else str(file), desk.actor.lang)
        return
    meaning = None if compared.meaning is None else [asdict(one) for one in compared.meaning]
    told = {"rule_id": rule_id, "older": older, "newer": newer if file is None else None, "text": compared.text}
    print_json({**told, "changes": meaning, "lowers_risk": compared.lowers_risk, "as_of": desk.now})


def _print_diff(compared: rule_history.Compared, older: str, newer: str, lang: str) -> None:
    if not compared.text:
        typer.echo(f"{older} → {newer}: {say('rules.same', lang)}")
        return
    typer.echo(f"{older} → {newer}")
    if compared.meaning is None:
        tell(f"! {say('rules.unreadable', lang)}")
    for one in compared.meaning or ():
        place, effect = rule_history.place_words(one.path, lang), say(f"effect.{one.effect}", lang)
        typer.echo(f"  {place}: {one.before or '—'} → {one.after or '—'} ({say('rules.effect', lang)}: {effect})")
    typer.echo(compared.text)


@app.command()
def revert(
    rule_id: RuleId,
    number: Annotated[int, typer.Argument(metavar="VERSION", help="버전 · number of `rule show --json`")],
    also_open: Annotated[
        bool | None,
        typer.Option("--also-open/--not-open", help="보유분도 · positions held now too; else: if risk falls"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """옛 버전의 글을 새 버전으로 다시 씁니다 · Put an older text in force again, as a new version."""
    desk = open_desk()
    saved = rules.revert(desk.wiring, desk.actor, rule_id, number, also_open=also_open)
    if saved.switched_off:
        tell(f"! {say('rules.switched_off', desk.actor.lang)}")
    told = {"also_open": saved.also_open, "switched_off": saved.switched_off}
    output.show({**_row(_line(desk, rule_id)), **told}, as_json)


@app.command()
def enable(
    rule_id: RuleId,
    confirm: Confirm = "",
    reason: Reason = "",
    waive: Annotated[
        bool, typer.Option("--waive", help="실전: 빠진 것을 면제 · LIVE: without what is missing")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """규칙을 켭니다 · Switch a rule on."""
    desk = open_desk()
    rules.switch(desk.wiring, desk.actor, rule_id, enabled=True, confirm=confirm, reason=reason, waive=waive)
    output.show(_row(_line(desk, rule_id)), as_json)


@app.command()
def disable(rule_id: RuleId, reason: Reason = "", as_json: AsJson = False) -> None:
    """규칙을 끕니다 · Switch a rule off."""
    desk = open_desk()
    rules.switch(desk.wiring, desk.actor, rule_id, enabled=False, reason=reason)
    output.show(_row(_line(desk, rule_id)), as_json)


@app.command()
def archive(rule_id: RuleId, reason: Reason = "", as_json: AsJson = False) -> None:
    """규칙을 끄고 목록에서 내립니다 · Switch a rule off for good; its versions and orders stay."""
    desk = open_desk()
    rules.archive(desk.wiring, desk.actor, rule_id, reason=reason)
    output.show({"id": rule_id, "archived": True}, as_json)


@app.command()
def explain(rule_id: RuleId, as_json: AsJson = False) -> None:
    """마지막 판단과 그 까닭 · Its last decision and why: every compared value, then the gates."""
    line = _line(desk := open_desk(), rule_id)
    said = line.decision
    if as_json:
        names = ("symbol", "verdict", "reason", "text", "steps", "gates", "counts", "at")
        told = None if said is None else {name: getattr(said, name) for name in names}
        if told is not None and said is not None:
            told["recomputed"] = _judged_anew(desk, rule_id, said)
        print_json({"rule_id": rule_id, "name": line.name, "decision": told, "as_of": desk.now})
        return
    if said is None:
        typer.echo("아직 판단하지 않았습니다 (no decision yet)")
        return
    for one in _told(said, desk.wiring.settings.lang):
        typer.echo(one)
    again = _judged_anew(desk, rule_id, said)
    if again is not None:
        same = "같음 · the same" if again == said.verdict else f"다름 · differs: {again}"
        typer.echo(f"  저장된 값으로 다시 판단 (judged anew from what was stored): {same}")


def _judged_anew(desk: Desk, rule_id: int, said: DecisionRow) -> str | None:
    """The verdict that the stored numbers lead to; None when that version's text is not at hand."""
    from bots.rules.recompute import verdict_of

    versions = rules.opened(desk.wiring, desk.actor, rule_id).versions
    text = next((one.text for one in versions if one.id == said.version_id), None)
    if text is None or not said.steps or is_python(text):  # what code made of the numbers only the code can tell
        return None
    return verdict_of(parse_rule(text), _steps(said)).value


def _tried(rule: Rule) -> TradingError | None:
    """What is wrong with a Python rule's code once it runs, behind its fence and on sample bars."""
    if not rule.python:
        return None
    from bots.rules.sandbox.check import try_out

    return try_out(rule).error


def _must_run(text: str) -> None:
    """Refuse Python that does not run; what else is wrong with a text is the service's to say."""
    if is_python(text):
        refused = _tried(parse_rule(text))
        if refused is not None:
            raise refused


def _in_words(decision: Decision, lang: str) -> list[str]:
    from bots.rules.explain import explain as in_words

    return in_words(decision, lang)


def read(file: Path) -> str:
    """The text of a rule file named on the command line; relative paths start at the repo root."""
    try:
        return (ROOT / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(
            f"{file}을(를) 읽을 수 없습니다 (cannot be read)", why or "", "파일을 확인하십시오 (check the file)"
        ) from error


def _keep(desk: Desk, account_id: int, text: str, symbols: str, max_position: int | None) -> int:
    most = rules.DEFAULT_MAX_POSITION if max_position is None else max_position
    return rules.add_rule(desk.wiring, desk.actor, account_id, text, symbols=symbols, max_position=most)


def _line(desk: Desk, rule_id: int) -> RuleLine:
    found = [line for line in rules.listed(desk.wiring, desk.actor) if line.id == rule_id]
    if not found:
        raise NotFound(f"규칙 {rule_id}이(가) 없습니다 (no rule {rule_id})", "", "letstrade rule list")
    return found[0]


def _row(line: RuleLine) -> dict[str, Any]:
    names = ("id", "account_id", "account", "environment", "name", "symbol", "enabled", "version", "updated_at")
    return {name: getattr(line, name) for name in names}


def _told(said: DecisionRow, lang: str) -> Iterator[str]:
    decision = Decision(
        said.rule_id, said.version_id, said.symbol, Verdict(said.verdict), said.reason, said.at, _steps(said)
    )
    yield from _in_words(decision, lang)
    passed = [say(f"gate.{gate.get('code', '')}", lang) for gate in said.gates if gate.get("passed")]
    if passed:
        yield f"  ✓ {' · '.join(passed)}"
    for gate in said.gates:
        if not gate.get("passed"):
            code = str(gate.get("code", ""))
            yield f"  {_MARKS[gate.get('passed')]} {reason_text(code, lang)}: {gate.get('text', '')}"
            yield f"    → {refusal_advice(code, lang)}"
    if said.text and not said.gates:
        yield f"  {said.text}"
    for reason, times in said.counts.items():
        yield f"  {reason_text(reason, lang)}: {times}"


def _steps(said: DecisionRow) -> tuple[Step, ...]:
    return tuple(Step(**{name: step.get(name) for name in _STEP}) for step in said.steps)
