"""The sidecar: follows the trainer's output, finds its metrics, and delivers each value once.

Belongs here: the way of a trial's metrics from the trainer's output to the DB manager. The program,
with its system calls, is here; the subpackages are `core` (pure: what to send, and when), `streams`
(pure: files through rotation and truncation), `katib` (Katib's protocol with a trainer),
`receiving` (points that come by calls: pushes and scrapes) and `journal` (keeps those points).
Does not belong here: how a line becomes points (`filters`); how the trainer is run (`launcher`).
May import: `filters`, `serving` (the clients' half), `api`. May be imported by: `runner`.

From the trainer's output to the store:

    stream ──────────────> Chunk ──> ReadStep ─────────> Batch ───────────────> DB manager
    streams.segments,                core.attempt_reader core.prepared_batch,   grpc_clients
    streams.followed_file,                               core.delivery_retry
    streams.event_file

`app` opens the ports of the mode that the flags name (`modes`), and runs `core.session.Session`.
`Session.step()` does the next small part of the work, and returns how long to sleep;
`change_waiter` sleeps, and wakes up when files change. All access to the outside goes through ports
(`core.ports`, `streams.files`): files, clock, store, trainer. So the core also runs in memory:
`tests/collector/test_simulation.py` kills it between any two calls.

- **Exactly once.** Before a batch is sent, the checkpoint has the positions of its bytes, the time
  of reading, and its number. After a crash the same bytes give the same points with the same
  number, which the store accepts once. A digest of the points shows whether the bytes have changed.
  If they have, the number is given up, and a gap is reported (`core.checkpoint`).
- **A position is recognized by its bytes**: a digest of the bytes before it, and of those at the
  start of its file. Inode numbers are reused, and files that were cut grow again. So rotated files
  are found after a crash, and the rest of an emptied file is read from its copy. Bytes that cannot
  be found are reported as a gap (`streams.stream_position`).
- **What has become of a file is a table**: nine questions lead to ten states, and each state has
  one way to continue (`streams.file_states`).
- **What is not read yet stays open**: while the store is away, rotated files are opened before a
  rotation removes them. What could not be opened in time is a gap (`streams.held_files`).
- **The trainer's volumes are hostile**: no path in them leaves them by a link, and what is not a
  regular file counts as missing (`shared_volume`, `beneath`). The checkpoint is elsewhere.
- **Event files are streams that appear.** Each is a stream with a place of its own in the
  checkpoint; `streams.event_directory` finds them. Other kinds do not load what reads them.
- **Two attempts in one file** are separated where the file ended when the trainer started again.
  The launcher notes its inode, its size, and its last 64 bytes (`streams.attempt_boundary`).
- **Two helper threads**: one waits for signals, one writes to stdout. Files are watched only while
  there is nothing to do, so a busy trainer causes no events.
- **Back-pressure needs no queue**: undelivered points wait in the log, not in memory.
"""
