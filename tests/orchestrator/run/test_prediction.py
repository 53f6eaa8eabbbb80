"""`orchestrate predict`: by kept weights, by a command's own line, or one line that says what is allowed."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from orchestrator import discovery
from orchestrator.cli.commands import main
from orchestrator.errors import DataError, RequestError
from orchestrator.ledger import Ledger
from orchestrator.run.prediction import predict

STUDY = '''"""?"""
from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study

STUDY = Study(question="?", design=one_factor("{method}", {{"{knob}": [{level}]}}), datasets=("digits:subset=120",),
              n_epochs=1, seeds=2, exploratory=True, keep="confirm")
'''

SCRIPT = """
import argparse, json, os
import numpy as np
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--shift", type=int, default=0)
parser.add_argument("--predict", nargs=3, default=None)
a = parser.parse_args()
if a.predict:
    weights, data, out = a.predict
    np.save(out, (np.load(data)[:, 0] > float(open(weights).read())).astype(np.int64))
else:
    keep = os.environ["ORCHESTRATE_KEEP"]
    open(keep + "/weights.txt", "w").write(str(a.shift))
    np.save(keep + "/assignments.npy", np.array([0, 1, 1]))
    print(json.dumps({"loss": 1.0 + a.shift}))
"""

COMMAND = '''"""?"""
from orchestrator.designs.one_factor import one_factor
from orchestrator.knobs import Int
from orchestrator.own import command
from orchestrator.study import Study

MINE = command("python script.py", knobs={"shift": Int(0, 5)}, PREDICT)
STUDY = Study(question="?", design=one_factor(MINE, {"shift": [2]}), metric="loss", seeds=2, exploratory=True,
              keep="confirm")
'''


def status(*arguments):
    with pytest.raises(SystemExit) as left:
        main([str(one) for one in arguments])
    return left.value.code


def ran(folder, text, name="asked"):
    """Run a study inline; return the results folder."""
    (folder / f"{name}.py").write_text(text)
    results = folder / "results"
    options = ("--address", "inline", "--no-report", "--quiet", "--results", results)
    assert status("run", folder / f"{name}.py", *options) == 0
    return results


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    text = STUDY.format(method="entropy", knob="fairness_weight", level=10.0)
    return ran(tmp_path_factory.mktemp("entropy"), text)


def test_the_command_writes_the_clusters_and_the_trial_names_its_files(results, tmp_path, capsys):
    trial_id = Ledger(results).trials()["trial_id"][0]
    points = discovery.load_dataset("digits:subset=120", "whole").eval_inputs.numpy()
    np.save(tmp_path / "new.npy", points[5:25])
    assert status("predict", trial_id[:10], tmp_path / "new.npy", "--results", results) == 0
    capsys.readouterr()
    assert status("trial", trial_id, "--results", results, "--json") == 0
    kept = json.loads(capsys.readouterr().out)["kept"]
    known = pq.read_table(kept["assignments"])["cluster"].to_numpy()
    assert np.array_equal(np.load(tmp_path / "new.clusters.npy"), known[5:25])


def test_wrong_requests_end_in_one_line(results, tmp_path):
    np.save(tmp_path / "new.npy", np.zeros((2, 64)))
    (tmp_path / "text.npy").write_text("no array")
    trial_id = Ledger(results).trials()["trial_id"][0]
    for asked, said in (
        ((trial_id, tmp_path / "text.npy", None), "is no .npy file"),
        ((trial_id, tmp_path / "new.npy", tmp_path / "x.csv"), "ends in .npy"),
        (("zz", tmp_path / "new.npy", None), "fits 0 complete trials"),
        (("", tmp_path / "new.npy", None), "fits 4 complete trials"),
    ):
        with pytest.raises(RequestError, match=said):
            predict(results, *asked, ())


def test_a_damaged_file_is_refused(tmp_path):
    results = ran(tmp_path, STUDY.format(method="entropy", knob="fairness_weight", level=10.0))
    ledger = Ledger(results)
    trial_id = ledger.trials()["trial_id"][0]
    path = ledger.kept.of(trial_id)["weights"]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    np.save(tmp_path / "new.npy", np.zeros((2, 64)))
    with pytest.raises(DataError, match="is damaged"):
        predict(results, trial_id, tmp_path / "new.npy", None, ())


def test_clean_deletes_what_is_kept_only_when_asked(tmp_path, capsys):
    results = ran(tmp_path, STUDY.format(method="entropy", knob="fairness_weight", level=10.0))
    trial_id = Ledger(results).trials()["trial_id"][0]
    assert status("clean", "--remove", "--results", results) == 0
    assert Ledger(results).kept.of(trial_id)
    assert status("clean", "--kept", "--results", results) == 0
    assert not Ledger(results).kept.of(trial_id)
    np.save(tmp_path / "new.npy", np.zeros((2, 64)))
    with pytest.raises(RequestError, match=r"no weights are kept of trial .* --set keep=confirm"):
        predict(results, trial_id, tmp_path / "new.npy", None, ())


def test_a_command_predicts_by_its_own_line_which_is_no_part_of_its_trials(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    line = 'predict="python script.py --predict {weights} {data} {out}"'
    results = ran(tmp_path, COMMAND.replace("PREDICT", line))
    ledger = Ledger(results)
    rows = ledger.trials()
    shifted = rows[rows["knob.shift"] == 2]["trial_id"].iloc[0]
    files = ledger.kept.of(shifted)
    assert files["weights"].read_text() == "2"
    assert pq.read_table(files["assignments"])["cluster"].to_pylist() == [0, 1, 1]
    np.save(tmp_path / "new.npy", np.array([[1.0], [3.0]]))
    predict(results, shifted, tmp_path / "new.npy", None, ())
    assert np.load(tmp_path / "new.clusters.npy").tolist() == [0, 1]
    ran(tmp_path, COMMAND.replace(", PREDICT", ""))
    assert len(Ledger(results).trials()) == len(rows)
    with pytest.raises(RequestError, match=r"allowed: command\(..., predict="):
        predict(results, shifted, tmp_path / "new.npy", None, ())


def test_a_line_for_predictions_needs_its_places(tmp_path):
    from orchestrator.own import command

    with pytest.raises(RequestError, match=r"predict has no place \{out\}"):
        command("true", knobs={}, predict="python x.py {weights} {data}", seed="")
    with pytest.raises(RequestError, match="place in predict of"):
        command("true", knobs={}, predict="python x.py {weights} {data} {out} {wight}", seed="")


OWN = '''"""?"""
import numpy as np
import torch
from sklearn.cluster import DBSCAN

from orchestrator.designs.one_factor import one_factor
from orchestrator.knobs import Int, knob
from orchestrator.own import estimator, trainable
from orchestrator.study import Study


def assign(config, weights, x):
    return ((x.reshape(len(x), 1, -1) - weights["centres"]) ** 2).sum(2).argmin(1)


@trainable(knobs={"steps": knob(2, Int(1, 9))}, n_epochs=1 OPTIONS)
def lloyd(config, seed, report, data):
    x = data.x.reshape(len(data.x), -1)
    centres = x[np.random.default_rng(seed).choice(len(x), data.n_clusters, replace=False)]
    for _ in range(config.steps):
        nearest = assign(config, {"centres": centres}, x)
        centres = np.stack([x[nearest == one].mean(0) for one in range(len(centres))])
    report(loss=0.0, assignments=assign(config, {"centres": centres}, x), weights={"centres": torch.tensor(centres)})


OTHER = estimator("sklearn:KMeans", knobs={"n_init": knob(1, Int(1, 9))})
NO_RULE = estimator(DBSCAN, knobs={"min_samples": knob(3, Int(1, 9))})
STUDY = Study(question="?", design=one_factor(METHOD, {KNOB: [LEVEL]}), datasets=("digits:subset=120",), seeds=2,
              exploratory=True, keep="confirm")
'''


def own_study(method, knob, level, options=", predict=assign"):
    text = OWN.replace("METHOD", method).replace("KNOB", repr(knob)).replace("LEVEL", str(level))
    return text.replace(" OPTIONS", options)


def predicted(results, folder, trial_id):
    """Predict points 5 to 24 of the data; return the clusters, and those that are kept of them."""
    points = discovery.load_dataset("digits:subset=120", "whole").eval_inputs.numpy()
    np.save(folder / "new.npy", points[5:25])
    predict(results, trial_id, folder / "new.npy", None, ())
    known = pq.read_table(Ledger(results).kept.of(trial_id)["assignments"])["cluster"].to_numpy()
    return np.load(folder / "new.clusters.npy").tolist(), known[5:25].tolist()


def test_a_function_assigns_new_points_by_the_weights_that_it_reported(tmp_path):
    results = ran(tmp_path, own_study("lloyd", "steps", 4))
    rows = Ledger(results).trials()
    for trial_id in rows["trial_id"]:
        found, known = predicted(results, tmp_path, trial_id)
        assert found == known and len(set(found)) > 3
    ran(tmp_path, own_study("lloyd", "steps", 4, options=""))
    assert len(Ledger(results).trials()) == len(rows), "how points are assigned afterwards is no part of a trial"
    with pytest.raises(RequestError, match=r"lloyd has no function for it; allowed: @trainable\(predict=assign\)"):
        predict(results, rows["trial_id"][0], tmp_path / "new.npy", None, ())


def test_a_clusterer_is_fitted_again_and_has_to_find_the_clusters_that_are_kept(tmp_path):
    results = ran(tmp_path, own_study("OTHER", "n_init", 4))
    ledger = Ledger(results)
    first, second = ledger.trials()["trial_id"][:2]
    found, known = predicted(results, tmp_path, first)
    assert found == known and len(set(found)) > 3
    assert "weights" not in ledger.kept.of(first)
    files = results / "kept"
    (files / f"{first}.json").write_bytes((files / f"{second}.json").read_bytes())
    with pytest.raises(DataError, match="was fitted again, and finds other clusters"):
        predict(results, first, tmp_path / "new.npy", None, ())


def test_a_clusterer_without_predict_says_so(tmp_path):
    results = ran(tmp_path, own_study("NO_RULE", "min_samples", 5))
    np.save(tmp_path / "new.npy", np.zeros((2, 1, 8, 8)))
    with pytest.raises(RequestError, match=r"DBSCAN has no predict\(x\)"):
        predict(results, Ledger(results).trials()["trial_id"][0], tmp_path / "new.npy", None, ())
