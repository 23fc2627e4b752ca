"""The journal: points that come by calls, on the pod's disk before the call is answered.

Belongs here: `Journal.append`, which every receiver of points calls, and the files behind it.
Does not belong here: how points arrive (`collector.receiving`); how they are read and delivered
(`collector.core`, as one more stream).
May import: `collector.core`, `collector.streams`, `filters`, `api`. May be imported by: the rest of
`collector`.

How a receiver uses it, from any thread:

    journal.append([JournalPoint("loss", "0.3", step=7)])     # filters.journal_finder

`append` returns when the points are on the disk (fdatasync). From then on each of them is stored
exactly once, whichever process dies next: the files are the segments of a stream with the name
`journal`, which `collector.core` follows with positions in the checkpoint like the output of the
trainer. Calls of several threads share one fdatasync.

`append` raises `Unavailable` if the points are not accepted: no training runs, too much is
undelivered, or the disk is full. Then they are never stored: what was written of them is cut off
before the call is answered, and the reader stops at the last accepted byte (`Journal.accepted`).
Where the disk does not even cut, the call gets `PerhapsAccepted`. What a collector wrote that was
killed during a call may be stored: that call got no answer.

Each attempt of the trainer has a journal of its own, `STATE_DIR/journal/N/points-00000001` and so
on. A point belongs to the attempt that runs when it is accepted. The session seals the journal of
an attempt that has ended before it reads the end of it; so no accepted point is left unread.
"""
