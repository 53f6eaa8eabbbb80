# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # The answer of a study, from the ledger alone
#
# Every table, figure and sentence below is computed here from the Parquet files of the results folder; nothing is
# trained and no number is typed in. Change `STUDY` or `RESULTS` and run all cells again. The last part is for your own.

# %% tags=["parameters"]
RESULTS = "results"
STUDY = "quickstart"

# %%
from IPython.display import HTML, display

import orchestrator as dco

answer = dco.load_results(RESULTS).study(STUDY)
display(answer)

# %% [markdown]
# ## In words

# %%
from pathlib import Path

from analysis.data import provenance, study_view, under_trained
from analysis.escaping import markdown
from analysis.figures import finite_designs, rankings, searches, sensitivity
from analysis.pages import notebook
from analysis.tables import arm_tables, formats
from analysis.verdicts import optimism, reproduction, verdicts
from analysis.verdicts.beats_chance import footings
from analysis.verdicts.detectable import detectable

study = study_view.load(Path(RESULTS), STUDY)
found = verdicts.verdicts(study)
rows = arm_tables.arm_rows(study, found)
epochs = study_view.epochs_of(study, study_view.confirm_rows(study))
for footing in footings(study):
    notebook.show_text(markdown(footing.sentence))
could_find = detectable(study, found)
notebook.show_text(markdown(f"{verdicts.tally(found, study.tier)} {could_find.sentence if could_find else ''}"))
notebook.show_text(
    "\n".join(f"- **{one.words}**: {markdown(one.sentence)}" for one in found) or "Nothing was to be tested."
)
notebook.show_text("\n".join(f"- {markdown(text)}" for text in verdicts.missing_sentences(study)))
notebook.show_text(markdown(under_trained.under_trained_sentence(study, epochs)))
notebook.show_text(provenance.summary(study))

# %%
HTML(
    formats.as_html(
        arm_tables.columns(arm_tables.shown(rows), study.metric, 1 - study.record["alpha"]),
        arm_tables.printed(arm_tables.shown(rows), study.metric),
    )
)

# %%
notebook.show_text(
    "\n".join(f"- **{one.judged.word}**: {markdown(one.sentence)}" for one in reproduction.comparisons(study))
)

# %% [markdown]
# ## Figures

# %%
for drawing in finite_designs.study_figures(study, rows, found, epochs):
    notebook.show(drawing)

# %% [markdown]
# ## The search, and what labels would have added

# %%
for drawing in searches.figures_of_searches(study):
    notebook.show(drawing)
for section in [*rankings.sections(study), *sensitivity.sections(study, found)]:
    notebook.show_text(markdown(section.sentence))
    for drawing in section.drawings:
        notebook.show(drawing)
notebook.show_text("\n".join(f"- {markdown(one.sentence)}" for one in optimism.optimism(study, epochs)))

# %% [markdown]
# ## To go on from here
#
# `answer` has data frames: a row a trial, an evaluation, an arm, a contrast, a configuration of a search.

# %%
answer.contrasts().drop(columns="sentence", errors="ignore")

# %%
trials = answer.trials()
trials.filter(regex="^(arm|dataset|seed|state|collapsed|metric)").head()

# %% [markdown]
# Any figure is some lines away: here, every confirmed seed of every arm.

# %%
import matplotlib.pyplot as plt

metric = f"metric.{answer.record['metric']}"
confirmed = trials[(trials["phase"] == "confirm") & (trials["state"] == "complete")]
by_arm = dict(list(confirmed.groupby("arm", observed=True)[metric]))
figure, axes = plt.subplots(figsize=(8, 1 + 0.35 * len(by_arm)), layout="constrained")
for place, values in enumerate(by_arm.values()):
    axes.plot(values, [place] * len(values), "|", markersize=10)
axes.set_yticks(range(len(by_arm)), [arm.replace("$", r"\$") for arm in by_arm])
axes.set_xlabel(metric)
