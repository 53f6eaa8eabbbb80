# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Entropy clustering (2301.11405): its studies and their answers, from the ledger alone
#
# Reverse against forward cross-entropy under label noise, fairness terms, solvers, rivals on fixed features, norm
# weight with margins and boundaries in the plane, update frequency, Renyi order, sensitivity.
# Nothing is trained here and no number is typed in; verdicts are about their tier and claim no more.

# %% tags=["parameters"]
RESULTS = "results"

# %%
import orchestrator as dco

results = dco.load_results(RESULTS)

# %% [markdown]
# ## The paper's tables, with what this ledger has beside them

# %%
results.show("entropy", paper="2301.11405")

# %% [markdown]
# ## Study by study: answer, table, figures, what would change it

# %%
results.show("entropy")
