"""`controller.driver.ports.Objects` over a cluster: reads from watches, writes to its API."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from api.documents import mapping_at, value_at
from api.names import EXPERIMENT_FINALIZER, EXPERIMENT_LABEL, TRIAL_FINALIZER
from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment, render_experiment
from api.objects.metadata import API_VERSION
from api.objects.suggestions import parse_suggestion, render_suggestion
from api.objects.trials import parse_trial, render_trial
from api.types import (
    ConfigMapSource,
    Experiment,
    JsonObject,
    Suggestion,
    SuggestionStatus,
    Trial,
    TrialStatus,
)
from controller.driver.ports import Conflict
from controller.on_kube.interning import interned
from controller.on_kube.read_your_writes_cache import (
    AbsentError,
    ReadYourWritesCache,
    with_port_errors,
)
from controller.reconcile.trial_states import experiment_digest
from controller.reconcile.views import Key, key_of
from kube.cluster import Cluster, Kind, Ref, Scope
from kube.watch_cache import Pace

EXPERIMENT = Kind(api_version=API_VERSION, kind="Experiment")
SUGGESTION = Kind(api_version=API_VERSION, kind="Suggestion")
TRIAL = Kind(api_version=API_VERSION, kind="Trial")
_CONFIG_MAP = Kind(api_version="v1", kind="ConfigMap")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeListeners:
    """Functions to call after an object has changed, with its key."""

    experiment: Callable[[Key], None]
    """Called with an experiment's key when it, its suggestion or one of its trials has changed."""
    trial: Callable[[Key], None]
    """Called with the key of a trial that has changed."""


class ClusterObjects:
    """The objects of one namespace, or (if it is empty) of all. Run the watches of its caches."""

    def __init__(
        self,
        cluster: Cluster,
        changed: ChangeListeners,
        namespace: str = "",
        pace: Pace | None = None,
    ) -> None:
        self._cluster, self._changed = cluster, changed
        self._by_experiment: dict[Key, dict[Key, Trial]] = defaultdict(dict)
        self._experiment_of: dict[Key, Key] = {}
        self._digests: dict[Key, object] = {}

        def scope(kind: Kind) -> Scope:
            return Scope(kind, namespace)

        self.experiments = ReadYourWritesCache(
            cluster, scope(EXPERIMENT), _experiment, changed.experiment, pace
        )
        self.suggestions = ReadYourWritesCache(
            cluster, scope(SUGGESTION), _suggestion, changed.experiment, pace
        )
        self.all_trials = ReadYourWritesCache(
            cluster, scope(TRIAL), _trial, self._trial_changed, pace
        )

    async def experiment(self, key: Key) -> Experiment | None:
        """Return the experiment, with defaults."""
        return self.experiments.get(key)

    async def suggestion(self, key: Key) -> Suggestion | None:
        """Return the suggestion of the experiment with this key."""
        return self.suggestions.get(key)

    async def trial(self, key: Key) -> Trial | None:
        """Return a trial."""
        return self.all_trials.get(key)

    async def trials(self, experiment: Key) -> Sequence[Trial]:
        """Return all trials of an experiment, without a search through other trials."""
        return list(self._by_experiment.get(experiment, {}).values())

    async def template(self, source: ConfigMapSource) -> str | None:
        """Read the text of a template from the API server."""
        key = Key(namespace=source.namespace, name=source.name)
        try:
            document = await with_port_errors(self._cluster.get(_ref(_CONFIG_MAP, key)))
        except AbsentError:
            return None
        text = value_at(document, "data", source.path)
        return text if isinstance(text, str) else None

    async def create(self, item: Suggestion | Trial) -> None:
        """Store a new object; if one of this name exists, read it."""
        try:
            self._store(await with_port_errors(self._cluster.create(_without_status(item))))
        except Conflict:
            kind = TRIAL if isinstance(item, Trial) else SUGGESTION
            with suppress(AbsentError):  # deleted again: the next view shows it
                self._store(await with_port_errors(self._cluster.get(_ref(kind, key_of(item)))))
        except AbsentError as error:
            raise Conflict(f"its namespace does not exist any more: {error}") from None

    async def write_spec(self, item: Suggestion) -> Suggestion:
        """Store the number of requested trials; a suggestion's spec never changes otherwise."""
        version = item.metadata.resource_version
        patch: JsonObject = {
            "metadata": {"resourceVersion": version},
            "spec": {"requests": item.spec.requests},
        }
        key = key_of(item)
        known = self.suggestions.get(key)
        if known is not None and (known.metadata, known.spec) == (item.metadata, item.spec):
            return known  # a repeated request: nothing to write
        try:
            document = await with_port_errors(self._cluster.patch(_ref(SUGGESTION, key), patch))
        except (AbsentError, Conflict) as error:
            self.suggestions.forget(key)
            raise Conflict(str(error)) from None
        return self.suggestions.note(document) or item

    async def write_status(self, item: Experiment | Suggestion | Trial) -> None:
        """Store `status` and nothing else."""
        try:
            document = await with_port_errors(self._cluster.replace(_rendered(item), status=True))
        except (AbsentError, Conflict) as error:
            self._forget(item)
            raise Conflict(str(error)) from None
        self._store(document)

    async def delete(self, trial: Trial) -> None:
        """Mark a trial as being deleted."""
        ref = _ref(TRIAL, key_of(trial))
        try:
            await with_port_errors(self._cluster.delete(ref, uid=trial.metadata.uid))
            self._store(await with_port_errors(self._cluster.get(ref)))
        except (AbsentError, Conflict):
            self._forget(trial)

    async def release(self, item: Experiment | Trial) -> None:
        """Remove our finalizer."""
        kind, own = EXPERIMENT, EXPERIMENT_FINALIZER
        if isinstance(item, Trial):
            kind, own = TRIAL, TRIAL_FINALIZER
        left = [name for name in item.metadata.finalizers if name != own]
        version = item.metadata.resource_version
        patch: JsonObject = {"metadata": {"finalizers": left, "resourceVersion": version}}
        self._forget(item)
        with suppress(AbsentError):
            await with_port_errors(self._cluster.patch(_ref(kind, key_of(item)), patch))

    def _store(self, document: JsonObject) -> None:
        match document.get("kind"):
            case EXPERIMENT.kind:
                self.experiments.note(document)
            case SUGGESTION.kind:
                self.suggestions.note(document)
            case _:
                self.all_trials.note(document)

    def _forget(self, item: Experiment | Suggestion | Trial) -> None:
        if isinstance(item, Experiment):
            self.experiments.forget(key_of(item))
        elif isinstance(item, Suggestion):
            self.suggestions.forget(key_of(item))
        else:
            self.all_trials.forget(key_of(item))
            self._assign(key_of(item))

    def _trial_changed(self, key: Key) -> None:
        """Find the trial's experiment, and report the change to both."""
        owner, trial = self._assign(key)
        self._changed.trial(key)
        if self._concerns_experiment(key, trial) and owner.name:
            self._changed.experiment(owner)

    def _assign(self, key: Key) -> tuple[Key, Trial | None]:
        """List a trial under its experiment; return the experiment's key, and the trial."""
        trial, previous = self.all_trials.get(key), self._experiment_of.pop(key, None)
        if trial is None:
            owner = previous or Key(namespace=key.namespace, name="")
        else:
            owner = self._experiment_of[key] = _owner_of(trial)
            self._by_experiment[owner][key] = trial
        if previous is not None and (trial is None or owner != previous):
            del self._by_experiment[previous][key]
            if not self._by_experiment[previous]:
                del self._by_experiment[previous]
        return owner, trial

    def _concerns_experiment(self, key: Key, trial: Trial | None) -> bool:
        """Return whether to reconcile the experiment; latest values do not concern it."""
        if trial is None:
            self._digests.pop(key, None)
            return True
        previous, digest = self._digests.get(key), experiment_digest(trial)
        self._digests[key] = digest
        return digest != previous


def _experiment(document: JsonObject) -> Experiment:
    return with_defaults(parse_experiment(document, unknown_fields=False))


def _suggestion(document: JsonObject) -> Suggestion:
    return parse_suggestion(document, unknown_fields=False)


def _trial(document: JsonObject) -> Trial:
    if "completionTime" in mapping_at(document, "status"):
        document = interned(document)  # it stays in memory, beside thousands of others
    return parse_trial(document, unknown_fields=False)


def _owner_of(trial: Trial) -> Key:
    name = trial.metadata.labels.get(EXPERIMENT_LABEL, "")
    return Key(namespace=trial.metadata.namespace, name=name)


def ref_of_item(item: Experiment | Suggestion | Trial) -> Ref:
    """Return the reference of an object."""
    kind = SUGGESTION if isinstance(item, Suggestion) else TRIAL
    return _ref(EXPERIMENT if isinstance(item, Experiment) else kind, key_of(item))


def _rendered(item: Experiment | Suggestion | Trial) -> JsonObject:
    if isinstance(item, Experiment):
        return render_experiment(item)
    return render_suggestion(item) if isinstance(item, Suggestion) else render_trial(item)


def _without_status(item: Suggestion | Trial) -> JsonObject:
    if isinstance(item, Trial):
        return render_trial(replace(item, status=TrialStatus()))
    return render_suggestion(replace(item, status=SuggestionStatus()))


def _ref(kind: Kind, key: Key) -> Ref:
    return Ref(api_version=kind.api_version, kind=kind.kind, namespace=key.namespace, name=key.name)
