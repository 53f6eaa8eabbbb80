# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # SeCu (2311.14310): its studies and their answers, from the ledger alone
#
# Lower bound and dual learning rate, batch size and output dimension as equivalence, loss forms, the entropy weight.
# Nothing is trained here and no number is typed in; verdicts are about their tier and claim no more.

# %% tags=["parameters"]
RESULTS = "results"

# %%
from pathlib import Path

from analysis.pages import family, notebook, paper_tables

studies = family.of_family(Path(RESULTS), "secu")

# %% [markdown]
# ## The paper's tables, with what this ledger has beside them

# %%
for section in paper_tables.paper_sections("2311.14310", studies):
    notebook.show_section(section)

# %% [markdown]
# ## Study by study: answer, table, figures, what would change it

# %%
for study in studies:
    for section in family.study_sections(study):
        notebook.show_section(section)
