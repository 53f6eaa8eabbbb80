"""What a run's events and its ledger tell: who worked when, what stood still, and whether a zombie's file was used."""

import itertools
from collections import defaultdict

from orchestrator.ledger import Ledger

METRIC = "metric.nmi"


def hosts_of(events):
    """Return the hosts that trained something."""
    return {event["host"] for event in events if event.get("host")}


def left(events, total):
    """Return how many of so many bundles are not done."""
    return total - len({event["bundle"] for event in events if event["event"] == "done"})


def open_at(events, moment):
    """Return the bundles that were under way at a moment, by the driver's book."""
    found = set()
    for event in events:
        if event["at"] <= moment:
            if event["event"] == "began":
                found.clear()  # another driver
            elif event["event"] == "out":
                found.add(event["bundle"])
            elif event["event"] in ("done", "lost", "interrupted"):
                found.discard(event["bundle"])
    return found


def moved_after(events, moment):
    """Return the seconds until each bundle under way at a moment had gone on or was planned again; None: not yet."""
    first = {}
    for event in events:
        if event["at"] > moment and "bundle" in event:
            first.setdefault(event["bundle"], event["at"] - moment)
    waiting = open_at(events, moment)
    return max((first[bundle] for bundle in waiting), default=0.0) if waiting <= first.keys() else None


def rows_of(results):
    """Return (trial_id, epoch) -> the metric of a ledger's complete trials."""
    epochs = Ledger(results).epochs()
    return dict(zip(zip(epochs["trial_id"], epochs["epoch"], strict=True), epochs[METRIC], strict=True))


def problems(results, events, expected):
    """Return a line for whatever a study's ledger has that a quiet run's has not."""
    found = []
    ledger = Ledger(results)
    attempts = ledger.trials(view=False)
    complete = attempts[attempts["state"] == "complete"]
    wanted = {trial_id for trial_id, _ in expected}
    if set(complete["trial_id"]) != wanted:
        found.append(f"{results}: {len(wanted - set(complete['trial_id']))} trials are not complete")
    if len(attempts) != attempts["trial_id"].nunique():
        found.append(f"{results}: {len(attempts) - attempts['trial_id'].nunique()} trials have more than one attempt")
    rows = rows_of(results)
    if rows != expected:
        differ = sum(rows.get(key) != value for key, value in expected.items())
        found.append(f"{results}: {differ} rows differ from the quiet run's, {len(rows) - len(expected)} are too many")
    done = [event["bundle"] for event in events if event["event"] == "done"]
    if len(done) != len(set(done)):
        found.append(f"{results}: {len(done) - len(set(done))} bundles were counted twice")
    return found + zombies(ledger.epochs(), ledger.trials(), events)


def zombies(epochs, trials, events):
    """Return a line for each trial that goes on from what a worker trained after its bundle was handed out again."""
    out = defaultdict(list)
    for event in events:
        if event["event"] == "out":
            out[event["bundle"]].append(event["at"])
    bundle_of = dict(zip(trials["trial_id"], trials["bundle_id"], strict=True))
    found = []
    for trial_id, own in epochs.sort_values("epoch").groupby("trial_id"):
        moments = own["diagnostic.at"].map(_in_time(events))
        workers = list(zip(own["diagnostic.host"], own["diagnostic.pid"], moments, strict=True))
        for (host, pid, at), (next_host, next_pid, next_at) in itertools.pairwise(workers):
            if (host, pid) != (next_host, next_pid):
                began = max((moment for moment in out[bundle_of[trial_id]] if moment < next_at), default=0.0)
                if at > began + 0.5:  # a worker's last report may be on its way
                    found.append(f"trial {trial_id}: host {next_host:g} uses what host {host:g} did after its time")
    return found


def _in_time(events):
    """Return what takes an hour's error of a clock from a moment."""
    began, ended = events[0]["at"] - 60, events[-1]["at"] + 60

    def right(moment):
        return next((moment + off for off in (0.0, 3600.0, -3600.0) if began <= moment + off <= ended), moment)

    return right
