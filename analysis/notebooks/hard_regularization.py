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
import orchestrator as dco

results = dco.load_results(RESULTS)

# %% [markdown]
# ## The paper's tables, with what this ledger has beside them

# %%
results.show("hard_regularization", paper="2303.16521")

# %% [markdown]
# ## Study by study: answer, table, figures, what would change it

# %%
results.show("hard_regularization")
