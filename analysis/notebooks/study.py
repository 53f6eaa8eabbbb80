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
import orchestrator as dco

answer = dco.load_results(RESULTS).study(STUDY)
answer

# %% [markdown]
# ## In words

# %%
answer.show("words")

# %%
answer.show("table")

# %%
answer.show("published")

# %% [markdown]
# ## Figures

# %%
answer.show("figures")

# %% [markdown]
# ## The search, and what labels would have added

# %%
answer.show("searches")

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
