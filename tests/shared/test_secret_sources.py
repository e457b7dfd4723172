"""A secret may stand in a file, another variable or a secrets manager; what cannot be read is named, never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared import secret_sources
from shared.config import load_settings
from shared.domain.errors import ConfigError
from tests.cloud.aws import amazon


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    secret_sources._known.clear()


def test_settings_come_from_where_they_stand(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("1:abc\n")
    token.chmod(0o600)
    with amazon() as account:
        account.secrets["prod/desk"] = '{"db": "postgresql://u:p@h/d"}'
        account.secrets["prod/key"] = "the service role key"
        found = load_settings(
            {
                "LETSTRADE_HOME": str(tmp_path),
                "TELEGRAM_BOT_TOKEN": f"file:{token}",
                "SUPABASE_DB_URL": "aws-secret:prod/desk#db",
                "SUPABASE_SERVICE_ROLE_KEY": "aws-secret:prod/key",
                "LETSTRADE_MASTER_KEY": "env:ELSEWHERE",
                "ELSEWHERE": "abc",
                **account.env,
            }
        )
        assert found.telegram_token == "1:abc" and found.master_key == "abc"
        assert found.database_url == "postgresql+psycopg://u:p@h/d"
        assert found.supabase_service_role_key == "the service role key"
        assert "u:p@h" not in repr(found.env) or "env" not in repr(found)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("file:/nowhere/at/all", "missing"),
        ("env:NOT_THERE", "empty"),
        ("aws-secret:prod/none", "ResourceNotFound"),
        ("aws-secret:prod/text#field", "no fields"),
        ("aws-secret:prod/json#none", "empty"),
    ],
)
def test_what_cannot_be_read_names_the_setting(tmp_path: Path, value: str, why: str) -> None:
    with amazon() as account:
        account.secrets = {"prod/text": "not JSON", "prod/json": "{}"}
        with pytest.raises(ConfigError) as error:
            load_settings({"LETSTRADE_HOME": str(tmp_path), "TELEGRAM_BOT_TOKEN": value, **account.env})
    assert "TELEGRAM_BOT_TOKEN" in error.value.what and why in error.value.why and error.value.now


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("1:abc")
    (tmp_path / "t").chmod(0o644)
    with pytest.raises(ConfigError, match="read by others"):
        load_settings({"LETSTRADE_HOME": str(tmp_path), "TELEGRAM_BOT_TOKEN": f"file:{tmp_path / 't'}"})
