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
import orchestrator as dco

results = dco.load_results(RESULTS)

# %% [markdown]
# ## The paper's tables, with what this ledger has beside them

# %%
results.show("secu", paper="2311.14310")

# %% [markdown]
# ## Study by study: answer, table, figures, what would change it

# %%
results.show("secu")
