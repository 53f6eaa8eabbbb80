"""How large the bundles of one study are: decided once a program, remembered, never changed while it is under way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from orchestrator.bundles.profile import MEMBERS_ON_GPU, Profile, bundle_limit, fitting, share_of_card
from orchestrator.bundles.program import program_key
from orchestrator.ledger import Ledger, profiles
from orchestrator.plan.catalogue import Catalogue
from orchestrator.trial import Bundle, TrialSpec

__all__ = ["BundleLimits", "known_profile"]


def known_profile(ledger: Ledger, key: str) -> Profile | None:
    """Return the profile that the ledger's folder holds of a program; None: none, or one of another form."""
    try:
        return Profile.from_json(profiles.read_profile(ledger.folder, key))
    except (KeyError, TypeError, ValueError):
        return None


class BundleLimits:
    """Looks sizes up for `bundling.bundles`.

    A program's limit comes from the study's own record; else from its profile; else, unmeasured, from what the method
    says (which follows from the benchmark of fusing on a CPU). It is on disk before a bundle is cut by it.

    Args:
        ledger: the results folder, open for writing.
        catalogue: methods and datasets.
        study: the study's name.
        device: kind of device of the run.
        bundles_per_gpu: how many bundles may share a card, of programs that cannot fuse.
    """

    def __init__(
        self, ledger: Ledger, catalogue: Catalogue, study: str, device: str = "cpu", bundles_per_gpu: int = 1
    ) -> None:
        self.ledger, self.catalogue, self.study, self.device = ledger, catalogue, study, device
        self.bundles_per_gpu = bundles_per_gpu
        self._limits = profiles.read_limits(ledger.folder, study)
        self._memory: dict[str, int] = {}

    def __call__(self, spec: TrialSpec) -> int:
        """Return the largest bundle of a trial's program."""
        key = self._key(spec)
        if key not in self._limits:
            self._limits[key] = self._decided(spec, key)
            profiles.write_limits(self.ledger.folder, self.study, self._limits)
        return self._limits[key]

    def looked_up(self, spec: TrialSpec) -> int:
        """Return the limit as it stands or would be decided; nothing is written."""
        key = self._key(spec)
        return self._limits[key] if key in self._limits else self._decided(spec, key)

    def fitting(self, bundles: Iterable[Bundle]) -> list[Bundle]:
        """Halve bundles that memory is known to run out for, as the run that met it did: their ids are the same."""
        return list(fitting(bundles, self._out_of_memory))

    def ran_out(self, bundle: Bundle, members: int) -> None:
        """Remember that memory ran out for a group of `members` of a bundle."""
        key = self._key(bundle.specs[0])
        profiles.remember_memory(self.ledger.folder, key, members, {"bundle_id": bundle.bundle_id, "study": self.study})
        self._memory.pop(key, None)

    def share(self, bundle: Bundle) -> float:
        """Return the part of a GPU that a bundle takes."""
        if self.device == "cpu":
            return 1.0
        spec = bundle.specs[0]
        return share_of_card(known_profile(self.ledger, self._key(spec)), self(spec), self.bundles_per_gpu)

    def _key(self, spec: TrialSpec) -> str:
        return program_key(spec, self.catalogue.space(spec.method), self.device)

    def _out_of_memory(self, spec: TrialSpec) -> int:
        key = self._key(spec)
        if key not in self._memory:
            self._memory[key] = profiles.read_memory(self.ledger.folder, key)
        return self._memory[key]

    def _decided(self, spec: TrialSpec, key: str) -> int:
        allowed = self.catalogue.member_limit(spec)
        failed = self._out_of_memory(spec)
        profile = known_profile(self.ledger, key)
        if profile is None:
            return min(allowed, max(1, failed // 2)) if failed else allowed
        if self.device != "cpu" and profile.members > 1:
            allowed = max(allowed, MEMBERS_ON_GPU)
        failed = min(filter(None, (failed, profile.out_of_memory)), default=0)
        return bundle_limit(replace(profile, out_of_memory=failed), allowed, spec.n_epochs)
