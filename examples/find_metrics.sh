#!/bin/sh
# `make logs`: which metrics trialwatch finds in real training logs, given only their names.
# metrics.tsv has the metric names of each log; trainings/ has the programs that wrote the logs.
set -eu
cd "$(dirname "$0")/logs"
tab=$(printf '\t')

while IFS="$tab" read -r log format metrics; do
    set -- --metrics "$metrics"
    shown="--metrics '$metrics'"
    if [ "$format" = JSON ]; then
        set -- "$@" --format JSON
        shown="$shown --format JSON"
    fi
    printf '$ trialwatch extract %s examples/logs/%s\n' "$shown" "$log"
    points=$(trialwatch extract "$@" "$log" 2>&1 >/dev/null)
    trialwatch extract "$@" "$log" 2>/dev/null | tail -n 2
    printf '%s\n\n' "$points"
done <metrics.tsv
