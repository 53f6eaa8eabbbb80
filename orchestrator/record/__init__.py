"""The record of a study beside the ledger: study.json and plan.parquet (their fields: `orchestrator.study`)."""
