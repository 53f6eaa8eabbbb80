# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Hard regularisation (2303.16521): its studies and their answers, from the ledger alone
#
# Batch size, greedy against exact assignment, unknown numbers of clusters, priors under imbalance, hard against soft
# entropy, centroid initialisation.
# Nothing is trained here and no number is typed in; verdicts are about their tier and claim no more.

# %% tags=["parameters"]
RESULTS = "results"

# %%
from pathlib import Path

from analysis.pages import family, notebook, paper_tables

studies = family.of_family(Path(RESULTS), "hard_regularization")

# %% [markdown]
# ## The paper's tables, with what this ledger has beside them

# %%
for section in paper_tables.paper_sections("2303.16521", studies):
    notebook.show_section(section)

# %% [markdown]
# ## Study by study: answer, table, figures, what would change it

# %%
for study in studies:
    for section in family.study_sections(study):
        notebook.show_section(section)
