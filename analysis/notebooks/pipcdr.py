# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # PIPCDR (2311.00731): its studies and their answers, from the ledger alone
#
# Neighbour noise, k-means frequency and queue size with their costs, neighbour preservation, collapse, and what its two
# parts give.
# Nothing is trained here and no number is typed in; verdicts are about their tier and claim no more.

# %% tags=["parameters"]
RESULTS = "results"

# %%
import orchestrator as dco

results = dco.load_results(RESULTS)

# %% [markdown]
# ## The paper's tables, with what this ledger has beside them

# %%
results.show("pipcdr", paper="2311.00731")

# %% [markdown]
# ## Study by study: answer, table, figures, what would change it

# %%
results.show("pipcdr")
