"""Every code that a message can be put in quarantine for is said in the reader's language."""

import json

import pytest

from api.pages import FOLDER
from tests import members


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_code_has_its_words(language):
    words = json.loads((FOLDER / "locales" / f"{language}.json").read_text("utf-8"))
    said = {key.removeprefix("code.") for key in words if key.startswith("code.")}
    assert said == members.constants("Unreadable")
