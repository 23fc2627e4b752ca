"""Reconciles Experiments and Trials: the program, and what it is made of.

Belongs here: the program (`app`, `replica`, `leader_term`, settings, metrics), the loop that
reconciles objects (`reconcile_workers`; `runner` uses it too), and four subpackages: `reconcile`
(the pure core), `driver` (carries out the core's actions, through ports), `on_kube` (the ports
over a cluster) and `over_grpc` (the ports over gRPC services).
Does not belong here: how jobs run, how points are chosen, how metrics are collected.
May import: `api`, `filters`, `kube`, `serving`, `stopping`. May be imported by: `runner` and
`trialwatch`.

    objects, jobs, store ──> ExperimentView ──> reconcile_experiment ──> actions ──> ports
                         └─> TrialView ───────> reconcile_trial ──────┘
                             reconcile/views    experiments, trials     actions      driver

From an experiment to its trials:

- **Two pure functions and a driver without state.** The core takes a view and the time, and returns
  actions. The driver carries them out and looks again, until no action is left. What must survive
  a crash is in the status of an object. For example, the condition `TrialMetricsAwaited` says since
  when a trial has waited for its metrics.
- **Write first, then act.** The driver stores the reply of the search in the Suggestion, with a
  name for each trial, before it creates a trial. It removes an entry when it sees the trial, and
  before that trial may be deleted. So no trial is created twice, and the object stays small.
  `tests/controller/driver/test_simulation.py` kills the driver between any two calls, repeats and
  delays its actions, and checks budget, names and optimum.
- **The same core on a cluster and on one machine.** `on_kube` implements the ports with watches:
  what it returns is never older than what this program wrote. `over_grpc` calls the store and the
  search. `tests/controller/test_on_a_cluster.py` runs whole experiments this way and kills the
  controller at any moment. `runner` implements the same ports with files and processes.
- **One leadership term starts from nothing.** Of several replicas, the one that holds the Lease
  works (`kube.leader_election`). A term begins with new lists, made after the Lease was acquired,
  so they contain every write of the previous leader (`leader_term`). Each write first checks that
  the Lease is still held (`kube.fencing`).
- **A pure queue of keys** (`driver.reconcile_queue`): a key that is added many times is reconciled
  once, and never twice at the same time. `reconcile_workers` runs the reconciles.
- **The cost of a reconcile depends on what has changed.** What an experiment needs to know about a
  trial is computed once for each version of the trial (`reconcile.trial_facts`);
  `tests/controller/reconcile/test_cost.py` counts the calls. Each version of an object is parsed
  once (`on_kube.read_your_writes_cache`). Strings that ended trials share are stored once
  (`on_kube.interning`).
- **Each algorithm has an address** (`search_router`). `api.installation` reads it from
  katib-config; the webhook gives it to the sidecars, the controller calls it. The objects of a
  deployed search are a value (`on_kube.suggestion_deployment`, with goldens). The Suggestion
  records a deployment before it is created, so that it is always removed. The driver does not wait
  for a Deployment: it checks it again later (`driver.ask_suggestions`).
- **A history is encoded once.** The wire form of a trial is cached by the version of its object
  (`over_grpc.history_cache`).
- **First store the observation, then delete the job.**
- **Pods are watched, not polled.** A finished pod may disappear within a second. So its termination
  message is taken from the watch, also from the event that deletes it. `on_kube.pod_facts` keeps
  less than 2 KiB of each pod.
- **The values of a running trial do not count.** `reconcile.latest_values` shows them;
  `reconcile.trial_states.is_measured` decides whose observation counts.
- **Templates are parsed before parameters are filled in.** Conditions of jobs are evaluated by our
  own part of GJSON (`api.gjson`), because the only maintained Python library is under the GPL.

Reading order: `reconcile.views` (in), `reconcile.actions` (out), `reconcile.experiments` and
`reconcile.trials` (the two functions), then `driver.ports` and `driver.driver`; for the program
`app`, `replica`, `leader_term`, `reconcile_workers`.
"""
