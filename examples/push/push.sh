#!/bin/sh
# Pushes metrics with curl, and without it.
for step in 1 2 3; do
    loss=$(awk "BEGIN { print 1 / $step }")
    if [ -n "$(command -v curl)" ]; then
        curl -fsS "$TRIALWATCH_METRICS_URL" -d "{\"loss\": $loss, \"step\": $step}"
    else
        echo "loss=$loss" >>"$TRIALWATCH_METRICS_FILE"
    fi
done
