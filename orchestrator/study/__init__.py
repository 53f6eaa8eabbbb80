"""A study: a named, finite question; its tiers, and what `--set` changes. The names below are a study file's own."""

from __future__ import annotations

from orchestrator.plateau import Plateau
from orchestrator.study.study import LOCAL, PROTOCOLS, Study, Tier, UntilDecided, check, key_of, load, until_decided

__all__ = ["LOCAL", "PROTOCOLS", "Plateau", "Study", "Tier", "UntilDecided", "check", "key_of", "load", "until_decided"]
