"""Too little text ends a run of every task before its long steps, in one line."""

import pytest

from babelet.core.errors import BabeletError
from tests.training.conftest import train


@pytest.mark.parametrize("recipe", ["embedding", "translation", "classification"])
def test_a_run_ends_before_its_vocabulary(recipe, home, request, tmp_path):
    """The teacher reads for an hour, and then there is nothing to validate with."""
    rows = [f"Set the heating to {i}\tHeizung auf {i} stellen" for i in range(400)]
    settings = ["data.languages=de"]
    path = home.recipe
    if recipe == "translation":
        path = request.getfixturevalue("translation_recipe")
    text = tmp_path / "text.tsv"
    if recipe == "classification":
        path = request.getfixturevalue("labelled")
        rows = ["text\tlabel\tlanguage", "Licht an\ton\tde", "Licht aus\toff\tde"]
        rows += ["Light on\ton\ten"]
    text.write_text("\n".join(rows) + "\n", "utf-8")
    settings.append(f"data.files={text}")
    with pytest.raises(
        BabeletError, match="too little .*text: none .*Remedy: give more"
    ):
        train(path, tmp_path / "run", *settings)
    assert not (tmp_path / "run" / "tokenizer.model").exists()
