"""What README says that studies found stands in ANSWERS.md, number by number."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
ANSWERS = Path(__file__).parents[2] / "studies" / "ANSWERS.md"


def findings() -> list[tuple[str, str]]:
    """Return (study, sentence) of every finding that README lists."""
    section = README.read_text(encoding="utf-8").split("## What the studies found")[1].split("\n## ")[0]
    sentences = [" ".join(item.split()) for item in re.findall(r"^\* (.*(?:\n  .*)*)", section, re.MULTILINE)]
    return [(re.findall(r"\(`(\w+)`\)", sentence)[-1], sentence) for sentence in sentences]


def answers(study: str) -> str:
    """Return what ANSWERS.md says of a study."""
    return ANSWERS.read_text(encoding="utf-8").split(f"### `{study}`")[1].split("\n### `")[0]


@pytest.mark.parametrize(("study", "sentence"), findings())
def test_every_effect_and_interval_of_a_finding_stands_in_its_studys_answers(study: str, sentence: str) -> None:
    told = answers(study)
    for effect, low, high in re.findall(r"(\d+\.\d) \[(\d+\.\d), (\d+\.\d)\]", sentence):
        ahead = rf"\+{effect} points, .*interval \+{low} to \+{high}"
        behind = rf"−{effect} points, .*interval −{high} to −{low}"
        assert re.search(rf"{ahead}|{behind}", told), (study, effect, low, high)
    if "inconclusive" in sentence:
        assert "**inconclusive**" in told


def test_what_readme_says_of_the_quickstart_stands_in_its_answers() -> None:
    section = README.read_text(encoding="utf-8").split("## What comes out")[1].split("\n## ")[0]
    paragraph = section[section.index("Around the chosen configuration") : section.index("The same answer")]
    numbers = re.findall(r"\d+\.\d", paragraph)
    told = answers("quickstart")
    assert len(numbers) >= 8
    assert [number for number in numbers if number not in told] == []
