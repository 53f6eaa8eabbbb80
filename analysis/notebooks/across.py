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
import orchestrator as dco

results = dco.load_results(RESULTS)

# %% [markdown]
# ## Over all searches and all methods

# %%
results.show_across()

# %% [markdown]
# ## Study by study: answer, table, figures, what would change it

# %%
results.show("across")
