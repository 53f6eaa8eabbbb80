"""The ledger: the Parquet store of every attempted trial; the only package that knows its schema.

    results/
      trials/<batch>.<digest>.parquet    one row per attempt
      epochs/<batch>.<digest>.parquet    one row per attempt and evaluation
      studies/<name>/                    study.json, plan.parquet, looks.jsonl, bundles.json, what the report writes;
                                         spending.jsonl: what each run has spent so far
      profiles/<hash>.json               what probes measured of a program; <hash>.memory.json: what memory ran out for
      checkpoints/<bundle_id>/           resumable state of bundles that are not finished
      kept/<trial_id>.json, files/       weights, assignments and embeddings of trials that a study keeps
      logs/<bundle_id>.log               tracebacks and last lines of processes, where something failed; bounded
      retracted.jsonl                    trials that count as nothing, with the reason, a line each
      quarantine/                        what `repair` set aside
      lock                               held by the driver that writes here

Files are immutable; the digest in a name is that of the content, so that a damaged file is noticed whatever its
damage. Any reader of Parquet can read them, but only `Ledger` applies the reading rule: a batch that another one
replaces does not count; of the attempts of a trial the view shows a complete one before a pruned one before a failed
one, then the latest; epoch rows are those of the batch that their trial came with.

    trials.schema_version          int64                  version of this table
    trials.trial_id                string                 hash of all that makes it the trial it is
    trials.attempt                 int64                  attempts of a trial count from 1; one row each
    trials.method                  string                 name of the method
    trials.method_version          int64                  raised when a change of the method moves numbers
    trials.code_digest             string                 digest of the method's file and its imports
    trials.dataset                 string                 name of the dataset, with its options
    trials.dataset_digest          string                 digest of its content
    trials.protocol                string                 whole, or split: scored on the test part
    trials.seed_block              string                 search or confirm; disjoint by derivation
    trials.seed                    int64                  number of the seed in its block
    trials.n_epochs                int64                  budget in epochs
    trials.precision               string                 number format of the training
    trials.stop                    string                 JSON: rule by which training may end early; empty: none
    trials.declaration   string   digest of what a method of a study's own file is asked; else empty
    trials.config                  string                 canonical JSON of all knobs: the truth
    trials.knob.<name>             by knob                the knobs, typed; empty where the method has no such knob
    trials.state                   string                 complete (collapsed ones included), pruned or failed
    trials.failure_kind            string                 why a failed attempt failed; else empty
    trials.error                   string                 traceback of a failed attempt; else empty
    trials.collapsed               bool                   whether clusters died out: an outcome, not a failure
    trials.metric.<name>           double                 metrics of the last evaluation
    trials.cost.seconds            double                 the trial's share of its bundle's wall-clock time
    trials.cost.peak_memory_bytes  double                 highest memory use of the process, or GPU, that trained it
    trials.cost.gpu_seconds        double                 GPU time, 0 without one
    trials.bundle_id               string                 hash of the ids of the trials that were trained together
    trials.bundle_size             int64                  members trained together (halved when memory ran out)
    trials.device                  string                 what it was trained on
    trials.device_name             string                 name of the processor or of the card
    trials.device_memory_bytes     int64                  memory of the card, or of the machine by core
    trials.tf32                    bool                   whether a GPU may round float32 products to TF32
    trials.deterministic           bool                   one thread, or deterministic GPU kernels asked for
    trials.stages                  string                 JSON: what was made once (name, key, drawn by a seed)
    trials.threads                 int64                  torch threads; part of what makes bits equal
    trials.started_at              timestamp[us, tz=UTC]  start of the attempt, UTC
    trials.finished_at             timestamp[us, tz=UTC]  end of the attempt, UTC
    trials.git_commit              string                 commit of the checkout that trained it; empty when installed
    trials.versions                string                 JSON: versions of Python and of the packages that move numbers
    epochs.trial_id                string                 the trial
    epochs.attempt                 int64                  the attempt of the trial
    epochs.epoch                   int64                  epochs trained before this evaluation
    epochs.seconds                 double                 the trial's share of the time so far
    epochs.metric.<name>           double                 metrics of this evaluation
    epochs.diagnostic.<name>       double                 what the method says of itself
"""

from orchestrator.ledger.schema import SCHEMA_VERSION, columns
from orchestrator.ledger.store import Ledger
from orchestrator.machine.arrow import defer_pandas

__all__ = ["SCHEMA_VERSION", "Ledger", "columns"]

defer_pandas()  # before any array is made; a frame brings pandas along when one is asked for
