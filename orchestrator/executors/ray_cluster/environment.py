"""Variables of Ray: those of the driver while Ray runs in it, and those of its workers."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DRIVER_ENVIRONMENT", "JOINED_ENVIRONMENT", "WORKER_ENVIRONMENT"]

DRIVER_ENVIRONMENT: Mapping[str, str] = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_AIR_NEW_OUTPUT": "0",  # the new reporter prints even at verbose=0
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_ENABLE_AUTO_CONNECT": "0",  # a late call must not start another Ray
    "RAY_TRAIN_COUNT_PREEMPTION_AS_FAILURE": "1",  # else Tune would start a preempted trial again, by itself
    "RAY_enable_metrics_collection": "0",
    "TUNE_DISABLE_AUTO_INIT": "1",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Tune's makes `fit` return as if all had gone well
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # the ledger is the truth; Tune's state is never restored
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "RAY_grpc_client_keepalive_time_ms": "15000",  # else a connection that was cut off shows after 300 s: the answer
    "RAY_grpc_client_keepalive_timeout_ms": "15000",  # of a worker that went on meanwhile never comes
    "GRPC_VERBOSITY": "NONE",  # it complains on the terminal where a server wants fewer signs of life
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}
"""Set while Ray runs in this process, and put back after."""

JOINED_ENVIRONMENT: Mapping[str, str] = {
    "RAY_gcs_rpc_server_reconnect_timeout_s": "86400",  # else Ray ends this process after 60 s without its head
}
"""Beside them, where a cluster is joined; `contact` says when it is gone."""

WORKER_ENVIRONMENT: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": "4000000000",  # large activations are not given back to the kernel after every step:
    "MALLOC_TRIM_THRESHOLD_": "8000000000",  # 10-35 % fewer page faults
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "PL_DISABLE_FORK": "1",
}
