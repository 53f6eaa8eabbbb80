"""The sweep as others run it: one plain trial, in a loop, under Ray Tune twice, and under Optuna with two processes.

The plain trial is what a careful researcher writes: nn.Linear, torch.optim.SGD, EM pseudo-labels, sklearn's scores. It
does the arithmetic of our `entropy` method at its defaults: same data, batches of 250, 10 epochs, same scores.
"""

import math
import time

import numpy as np
import torch

N_EPOCHS, BATCH, K = 10, 250, 10


def data():
    """Return (5,000 x 784 centred pixels, labels)."""
    from trainables.datasets.mnist_5k import load

    loaded = load()
    return loaded.vectors.numpy().copy(), loaded.labels.numpy().copy()


def pseudo_labels(sigma, weight, tolerance=1e-6, cap=15, look=5):
    """EM for eqs. (45)-(46) of paper 2301.11405 on one batch; looks at the objective as rarely as ours does."""
    y, before = sigma.clone(), math.inf
    for iteration in range(1, cap + 1):
        share = y / y.sum(0)
        responsibility = weight * len(y) / K * share
        y = (sigma + responsibility) / (1 + responsibility.sum(1, keepdim=True))
        if iteration % look == 0 and iteration < cap:
            log_y, mean = y.clamp_min(1e-12).log(), y.mean(0)
            now = float(-(sigma * log_y).sum(1).mean() + weight * (-(mean * K).log()).mean())
            if before - now < look * tolerance * abs(now):
                break
            before = now
    return y


def scores(labels, found):
    """ACC, NMI, ARI and cluster sizes."""
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    table = np.zeros((K, K), dtype=np.int64)
    np.add.at(table, (labels, found), 1)
    rows, columns = linear_sum_assignment(-table)
    return {
        "acc": table[rows, columns].sum() / len(labels),
        "nmi": normalized_mutual_info_score(labels, found),
        "ari": adjusted_rand_score(labels, found),
        "max_share": table.sum(0).max() / len(labels),
    }


def plain_trial(config, points, labels, report=lambda row: None):
    """Train one configuration; report a row each epoch and return the last."""
    torch.manual_seed(config["seed"])
    inputs = torch.as_tensor(points)
    head = torch.nn.Linear(inputs.shape[1], K)
    optimiser = torch.optim.SGD(head.parameters(), lr=config["lr"])
    row = {}
    for _ in range(N_EPOCHS):
        total = 0.0
        order = torch.randperm(len(inputs))
        for start in range(0, len(inputs), BATCH):
            sigma = torch.softmax(head(inputs[order[start : start + BATCH]]), 1)
            y = pseudo_labels(sigma.detach(), config["fairness_weight"])
            loss = -(sigma * y.clamp_min(1e-12).log()).sum(1).mean()
            loss = loss + config["norm_weight"] * (head.weight**2).sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += float(loss.detach())
        with torch.no_grad():
            found = head(inputs).argmax(1).numpy()
        row = {"loss": total, **{name: float(value) for name, value in scores(labels, found).items()}}
        row["ended"] = time.time()
        report(row)
    return row


def loop(configs):
    """One process, one trial after another; returns (seconds without start-up, last rows)."""
    points, labels = data()
    began = time.perf_counter()
    rows = [plain_trial(config, points, labels) for config in configs]
    return time.perf_counter() - began, rows


def _own_ray():
    """Start a Ray of this benchmark's own, reachable from this machine only; never one that happens to run."""
    import ray

    ray.init(address="local", _node_ip_address="127.0.0.1", include_dashboard=False)


def tutorial_tune(configs, folder):
    """Ray Tune as its tutorial writes it: function trainable, data loaded in the trial, default settings."""
    from ray import tune

    _own_ray()

    def trainable(config):
        points, labels = data()
        plain_trial(config["case"], points, labels, tune.report)

    return _tuned(tune, trainable, configs, folder, reuse=False)


def careful_tune(configs, folder):
    """Ray Tune with reuse_actors, data in the object store, one torch thread a trial."""
    from ray import tune

    _own_ray()
    points, labels = data()

    def trainable(config, points, labels):
        torch.set_num_threads(1)
        plain_trial(config["case"], points, labels, tune.report)

    return _tuned(tune, tune.with_parameters(trainable, points=points, labels=labels), configs, folder, reuse=True)


def _tuned(tune, trainable, configs, folder, *, reuse):
    began = time.perf_counter()
    results = tune.Tuner(
        trainable,
        param_space={"case": tune.grid_search(configs)},
        tune_config=tune.TuneConfig(reuse_actors=reuse),
        run_config=tune.RunConfig(storage_path=str(folder), verbose=0),
    ).fit()
    return time.perf_counter() - began, [result.metrics for result in results]


def optuna_processes(configs, folder):
    """Optuna with two worker processes on a JournalStorage; each trial's rows are user attributes."""
    import subprocess
    import sys
    from pathlib import Path

    journal = Path(folder) / "journal.log"
    began = time.perf_counter()
    code = f"from rivals import optuna_worker; optuna_worker({str(journal)!r}, {configs!r})"
    here = str(Path(__file__).parent)
    workers = [subprocess.Popen([sys.executable, "-c", code], cwd=here) for _ in range(2)]
    for worker in workers:
        worker.wait()
    seconds = time.perf_counter() - began
    import optuna

    study = optuna.load_study(study_name="sweep", storage=_journal(journal))
    return seconds, [trial.user_attrs["row"] for trial in study.trials if trial.user_attrs]


def optuna_worker(journal, configs):
    """One of the processes: asks for a case until all are taken."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    points, labels = data()
    sampler = optuna.samplers.BruteForceSampler(seed=0)
    study = optuna.create_study(study_name="sweep", storage=_journal(journal), sampler=sampler, load_if_exists=True)

    def objective(trial):
        row = plain_trial(configs[trial.suggest_int("case", 0, len(configs) - 1)], points, labels)
        trial.set_user_attr("row", row)
        return row["loss"]

    while sum(trial.state.is_finished() for trial in study.get_trials(deepcopy=False)) < len(configs):
        study.optimize(objective, n_trials=1)


def _journal(path):
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(str(path)))
