"""Answers: tables, verdicts, figures, report and notebook of a study, from the ledger alone; nothing here trains."""
