#!/bin/sh
# `make demo`: what trialwatch finds in real training logs, told nothing but the metrics' names.
set -eu
cd "$(dirname "$0")/logs"

metrics='accuracy;loss;val_accuracy;val_loss;auc;rmse;logloss'
found=false

for log in *.log; do
    [ -e "$log" ] || continue
    found=true
    printf '\n$ trialwatch extract --metrics "%s" examples/logs/%s\n' "$metrics" "$log"
    trialwatch extract --metrics "$metrics" "$log"
done

if [ "$found" = false ]; then
    echo "make demo: there are no logs in examples/logs" >&2
    exit 1
fi
