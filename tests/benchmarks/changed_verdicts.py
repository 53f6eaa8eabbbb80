"""Which verdicts of the committed ledger read otherwise than they did: the table of `docs/verdicts_judged_again.md`.

    git show 5c7b3a1:studies/ANSWERS.md | python tests/benchmarks/changed_verdicts.py

Prints study, contrast, old word and new word (why is for a reader to say), and what became of the words of baselines
and published numbers. Contrasts have kept their order; a study with more or fewer of them is named and not compared.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

from analysis.data import study_view

ROOT = Path(__file__).parents[2]
STUDY = re.compile(r"### `(\w+)`")
VERDICT = re.compile(r"\* \*\*([^*]+)\*\*: ")
PUBLISHED = re.compile(r"\* Of \d+ published numbers? beside this study: (.*)\.")
GATES = {
    "not shown to beat chance": "not shown to beat chance",
    "does not work at this tier": "does not work",
    " beats chance: ": "beats chance",
}


def words(page: str, pattern: re.Pattern[str]) -> dict[str, list[str]]:
    """Study -> what the pattern catches in its lines, in their order."""
    found: dict[str, list[str]] = {}
    study = ""
    for line in page.splitlines():
        head = STUDY.match(line)
        study = head[1] if head else study
        hit = pattern.match(line)
        if study and hit:
            found.setdefault(study, []).append(hit[1])
    return found


def gate(line: str) -> str:
    """The word of a line on a baseline; empty for any other line."""
    return next((word for mark, word in GATES.items() if line.startswith("* ") and mark in line), "")


def published(page: str) -> Counter[str]:
    """Word -> how many published numbers."""
    counted: Counter[str] = Counter()
    for parts in words(page, PUBLISHED).values():
        for number, word in re.findall(r"(\d+) ([a-z ]+?)(?:,| and|$)", parts[0]):
            counted[word] += int(number)
    return counted


def main() -> int:
    old, new = sys.stdin.read(), (ROOT / "studies" / "ANSWERS.md").read_text(encoding="utf-8")
    before, after = words(old, VERDICT), words(new, VERDICT)
    named = {study.name: study.record["contrasts"] for study in study_view.load_all(ROOT / "analysis" / "ledger")}
    changed, total = 0, 0
    for study, own in after.items():
        if len(before.get(study, ())) != len(own):
            print(f"{study}: {len(before.get(study, ()))} contrasts before, {len(own)} now")
            continue
        total += len(own)
        for contrast, was, now in zip(named[study], before[study], own, strict=True):
            if was != now:
                changed += 1
                print(f"| `{study}` | {contrast['name']} | {was} | {now} |")
    print(f"{changed} of {total} contrasts")
    for page, when in ((old, "before"), (new, "now")):
        gates = Counter(filter(None, map(gate, page.splitlines())))
        print(f"{when}: baselines {dict(gates)}, published numbers {dict(published(page))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
