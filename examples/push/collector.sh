#!/bin/sh
# A Custom collector: pushes what the trainer writes to $1, one line `EPOCH LOSS` after the other.
# The trainer creates $1.done when it has ended.
set -eu
log=$1
objective=${TRIALWATCH_METRICS%%;*}
until [ -e "$log" ] || [ -e "$log.done" ]; do sleep 0.2; done
seen=0
while :; do
    ended=$(test -e "$log.done" && echo yes || echo no) # before the last look at the log
    lines=$(wc -l <"$log")
    if [ "$lines" -gt "$seen" ]; then
        sed -n "$((seen + 1)),${lines}p" "$log" | while read -r epoch loss; do
            echo "{\"$objective\": $loss, \"epoch\": $epoch}"
        done | curl -fsS "$TRIALWATCH_METRICS_URL" --data-binary @-
        seen=$lines
    elif [ "$ended" = yes ]; then
        exit 0
    fi
    sleep 0.2
done
