"""docs/rule.schema.json is what the code says, and the code's parser and the schema agree on the presets."""

import json
from pathlib import Path

import pytest
import yaml

from bots.rules.presets import preset_names, preset_text
from shared.domain.rule.parse import parse_rule
from shared.domain.rule.schema import SECTIONS, json_schema, schema_text
from shared.domain.rule.write import to_document

PUBLISHED = Path(__file__).resolve().parents[3] / "docs" / "rule.schema.json"


def test_the_published_schema_is_the_one_of_the_code():
    assert PUBLISHED.read_text(encoding="utf-8") == schema_text(), "run: python -m shared.domain.rule.schema"


def test_every_reference_in_the_schema_leads_somewhere():
    definitions = json_schema()["$defs"]
    references = [part.split('"')[0] for part in json.dumps(json_schema()).split('"#/$defs/')[1:]]
    assert references and set(references) <= set(definitions)


def keys_of(document, section):
    """Yield (section, key) of every key of a document, following the section tables."""
    for key, value in document.items():
        yield section, key
        field = SECTIONS[section][key]
        if field.section:
            inner = value if isinstance(value, list) else value.values() if field.kind == "named" else [value]
            for one in inner:
                yield from keys_of(one, field.section)


@pytest.mark.parametrize("name", preset_names())
def test_presets_as_written_and_as_printed_use_only_known_keys(name):
    written = yaml.safe_load(preset_text(name))
    printed = to_document(parse_rule(preset_text(name)))
    for document in (written, printed):
        assert all(key in SECTIONS[section] for section, key in keys_of(document, "rule"))
