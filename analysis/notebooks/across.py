# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Across the papers: what only several studies together say, from the ledger alone
#
# The mission's seven knobs on one scale; methods head to head; what choosing without labels costs, rule by rule; where
# each method collapses; accuracy against cost. Nothing is trained here and no number is typed in.

# %% tags=["parameters"]
RESULTS = "results"

# %%
from pathlib import Path

from analysis.data import study_view
from analysis.pages import family, notebook

everything = study_view.load_all(Path(RESULTS))

# %% [markdown]
# ## Over all searches and all methods

# %%
for section in family.across_sections(everything):
    notebook.show_section(section)

# %% [markdown]
# ## Study by study: answer, table, figures, what would change it

# %%
for study in family.of_family(Path(RESULTS), "across"):
    for section in family.study_sections(study):
        notebook.show_section(section)
