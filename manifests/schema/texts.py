"""The descriptions of the fields, which `kubectl explain` shows.

The key is the end of a field's path; of several ends that match a path, the longest counts.
"""

from __future__ import annotations

TEXTS: dict[str, str] = {
    # an experiment
    "spec": "The desired state.",
    "status": "The observed state.",
    "parameters": "The search space: the parameters that differ from trial to trial.",
    "parameters[].name": "The name of the parameter.",
    "parameterType": "double and int have a range of values, discrete and categorical have a list.",
    "feasibleSpace": "The values that the parameter may take.",
    "feasibleSpace.min": "The smallest value of a range, as text.",
    "feasibleSpace.max": "The largest value of a range, as text.",
    "feasibleSpace.step": "The distance between two values of a range, counted from min, as text.",
    "feasibleSpace.list": "The values of a list, as texts.",
    "feasibleSpace.distribution": (
        "How a range is sampled: evenly or around its middle, on a linear or a logarithmic scale."
    ),
    "objective": "What the search optimizes.",
    "objective.type": "Which values are better: the smallest or the largest.",
    "objective.goal": (
        "The search ends when a trial reaches this value; without it only the counts end it."
    ),
    "objectiveMetricName": "The metric to optimize, named as in the trainer's log.",
    "additionalMetricNames": "More metrics to collect.",
    "metricStrategies": "Which one of a metric's many values counts for the trial.",
    "metricStrategies[].name": "The metric.",
    "metricStrategies[].value": (
        "Which of the metric's values counts: the smallest, the largest or the last."
    ),
    "algorithm": "The search algorithm.",
    "algorithm.algorithmName": (
        "The name of the search algorithm, such as random, grid or tpe; auto chooses one."
    ),
    "algorithmSettings": (
        "The settings of the algorithm; a setting that is left out has its default."
    ),
    "algorithmSettings[].name": "The name of the setting.",
    "algorithmSettings[].value": "The value of the setting, as text.",
    "earlyStopping": "When to stop a trial that will not be the best.",
    "earlyStopping.algorithmName": "The name of the early-stopping algorithm, such as medianstop.",
    "parallelTrialCount": "The number of trials that run at the same time.",
    "maxTrialCount": (
        "The search ends after this number of trials; without it only the goal ends it."
    ),
    "maxFailedTrialCount": (
        "The experiment fails after this number of trials that failed or have no metrics; 0: after"
        " the first."
    ),
    "resumePolicy": (
        "What to keep of a completed experiment so that a larger maxTrialCount continues it:"
        " LongRunning keeps the service of its search, FromVolume the volume of that service."
    ),
    "nasConfig": "The space of an architecture search, instead of parameters.",
    "nasConfig.graphConfig": "The shape of the networks.",
    "graphConfig.numLayers": "The number of layers.",
    "graphConfig.inputSizes": "The sizes of the inputs.",
    "graphConfig.outputSizes": "The sizes of the outputs.",
    "nasConfig.operations": "The kinds of layers to choose from.",
    "operations[].operationType": "The kind of layer.",
    "operations[].parameters": "The parameters of the layer.",
    # how metrics are found
    "metricsCollectorSpec": "Where to find a trial's metrics; the default is its standard output.",
    "metricsCollector": "Where to find the trial's metrics.",
    "collector": "How to collect the metrics.",
    "collector.kind": (
        "With StdOut, File and TensorFlowEvent a sidecar reads the metrics; with Push the trainer"
        " reports them; with"
        " Custom your own container collects them."
    ),
    "customCollector": "The container of kind Custom, which collects the metrics.",
    "source": "Where the metrics are.",
    "source.fileSystemPath": "The file, or TensorFlow's directory of event files.",
    "fileSystemPath.path": "Its absolute path in the training container.",
    "fileSystemPath.kind": "Whether it is a file, or a directory of event files.",
    "fileSystemPath.format": "TEXT: lines of text; JSON: one JSON object a line.",
    "source.filter": "How the metrics are written, if not in a usual form.",
    "metricsFormat": (
        "Regular expressions in RE2's syntax with two groups, for the name and the value."
    ),
    "source.httpGet": "Where kind PrometheusMetric finds the metrics.",
    "httpGet.path": "The path, starting with /.",
    "httpGet.port": "The port.",
    "httpGet.host": "The host; the default is the pod.",
    "httpGet.scheme": "HTTP or HTTPS.",
    "httpGet.httpHeaders": "Headers of the request.",
    "httpHeaders[].name": "The name of the header.",
    "httpHeaders[].value": "The value of the header.",
    # how trials are made
    "trialTemplate": "The template of each trial's job.",
    "trialTemplate.retain": "Whether to keep the job and its logs after the trial has ended.",
    "trialSpec": "The job; ${trialParameters.NAME} stands for the value of a parameter.",
    "trialSpec.apiVersion": "The job's API version.",
    "trialSpec.kind": "The job's kind.",
    "trialSpec.metadata": (
        "The job's labels and annotations; the controller sets the name of each job."
    ),
    "trialSpec.metadata.name": "Must be left out; the controller sets it.",
    "trialSpec.metadata.namespace": "Must be left out; the controller sets it.",
    "configMap": "A ConfigMap that has the job as text, instead of trialSpec.",
    "configMapName": "The name of the ConfigMap.",
    "configMapNamespace": "The namespace of the ConfigMap.",
    "templatePath": "The key in the ConfigMap.",
    "trialParameters": "The parameters that the template uses.",
    "trialParameters[].name": "NAME in ${trialParameters.NAME}.",
    "trialParameters[].description": "A description for readers.",
    "trialParameters[].reference": (
        "The name of a parameter, or a property of the trial such as ${trialSpec.Name}."
    ),
    "primaryPodLabels": "Labels of the pod that has the metrics, if a job has several pods.",
    "primaryContainerName": "The name of the container that trains.",
    "successCondition": (
        "A GJSON expression; the job has succeeded if it finds something in the job."
    ),
    "failureCondition": "A GJSON expression; the job has failed if it finds something in the job.",
    # a suggestion
    "spec.requests": "The number of trials that are requested in all.",
    "suggestionCount": "The number of trials that the algorithm has suggested.",
    "suggestions": "The trials that the algorithm has suggested.",
    "suggestions[].name": "The trial's name.",
    "suggestions[].labels": "Labels for the trial.",
    # a trial
    "parameterAssignments": "The value of each parameter in this trial.",
    "parameterAssignments[].name": "The parameter.",
    "parameterAssignments[].value": "Its value, as text.",
    "earlyStoppingRules": "When to stop the trial early; all rules must be met.",
    "earlyStoppingRules[].name": "The metric.",
    "earlyStoppingRules[].value": "The threshold, as text.",
    "earlyStoppingRules[].comparison": "How to compare the metric's value with the threshold.",
    "earlyStoppingRules[].startStep": "The number of reports from which on the rule applies.",
    "runSpec": "The job.",
    "retainRun": "Whether to keep the job after the trial has ended.",
    "spec.labels": "Labels that the algorithm gave to the trial.",
    "observation": "The measured metrics.",
    "observation.metrics": "The smallest, largest and latest value of each metric.",
    "metrics[].name": "The metric.",
    "metrics[].min": "The smallest value, as text.",
    "metrics[].max": "The largest value, as text.",
    "metrics[].latest": "The latest value, as text.",
    # status
    "startTime": "When it started.",
    "completionTime": "When it ended.",
    "lastReconcileTime": "When it was last reconciled; no program writes it.",
    "conditions": "The conditions; the last one changed last.",
    "conditions[].type": "The kind of condition.",
    "conditions[].status": "True, False or Unknown.",
    "conditions[].reason": "The reason, as one word.",
    "conditions[].message": "The reason, as a sentence.",
    "conditions[].lastUpdateTime": "When it was written.",
    "conditions[].lastTransitionTime": "When its status changed.",
    "currentOptimalTrial": "The best trial so far.",
    "bestTrialName": "The name of the best trial.",
    "runningTrialList": "The trials that are running.",
    "pendingTrialList": "The trials that have not started yet.",
    "failedTrialList": "The trials that failed.",
    "succeededTrialList": "The trials that succeeded.",
    "killedTrialList": "The trials that were killed.",
    "earlyStoppedTrialList": "The trials that were stopped early.",
    "metricsUnavailableTrialList": "The trials without a value of the objective.",
    "trials": "The number of trials.",
    "trialsSucceeded": "The number of trials that succeeded.",
    "trialsFailed": "The number of trials that failed.",
    "trialsKilled": "The number of trials that were killed.",
    "trialsPending": "The number of trials that have not started yet.",
    "trialsRunning": "The number of trials that are running.",
    "trialsEarlyStopped": "The number of trials that were stopped early.",
    "trialMetricsUnavailable": "The number of trials without a value of the objective.",
}


def text_of(path: str) -> str:
    """Return the description of the field at a path; "" if it has none."""
    parts = path.split(".")
    ends = (".".join(parts[i:]) for i in range(len(parts)))
    return next((TEXTS[end] for end in ends if end in TEXTS), "")
