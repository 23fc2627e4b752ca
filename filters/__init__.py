r"""Text to metrics: bytes in, points out.

Belongs here: lines, patterns, matchers, time stamps in a line, and counters of what was skipped.
The same code serves a live tail and a 10 GiB file.
Does not belong here: a clock, a file, a socket, a thread; what happens to a point afterwards.
May import: `api`. May be imported by: every program.

From bytes to points:

    chunks > LineSplitter > Region > finder > ExtractedPoint (name, value, timestamp, line, bounds)
             lines          region   |
                                     | DefaultFinder  no metricsFormat: name_matcher, tables, doubts
                                     | PatternFinder  the user's metricsFormat: pattern
                                     | JsonFinder     one object a line
                                     | JournalFinder  one call a line: points that were pushed

`extractor.Extractor` joins these parts: `feed(bytes)` and `finish()` return points, `counters`
counts what was read and skipped, `position` is where to continue after a crash.

- A **region** is a run of whole lines as the matchers see it: without terminal escapes, and with
  `\n` at the end of each line. It maps positions in its text back to offsets in the stream.
- **Names first.** Without a `metricsFormat`, each metric's name is the literal at the start of a
  pattern of its own. `re` searches for literals quickly, so the costly part of the pattern runs
  only where the name stands. Other forms of the pattern lose that speed (`name_matcher`).
- **Right or silent.** Without a `metricsFormat`, a number that may not be the metric's value is not
  a point: the percentage of a progress bar, code, settings, one of two data sets (`doubts`).
- **Steps.** `steps` finds the training's own counter on the lines that have metrics, and on
  progress lines before them.
- **Patterns** run in RE2, line by line, and are iterated as Go iterates them. So they mean what
  they mean in Katib. A pattern that RE2 refuses and `regex` accepts runs in `regex`, with a time
  limit for each line. A line on which a pattern exceeds its bounds gives no points (`pattern`).
- **Chunks do not matter.** The points do not depend on how the stream was cut into chunks, nor on
  where extraction continued after a crash (`tests/filters/test_chunking.py`).
- **Bounds.** A line of more than 1 MiB is cut into pieces, near a blank or a bracket if possible,
  and each piece is searched. Every built-in pattern takes linear time.

`event_files` does the same for event files, whose records are not lines.

Read `extractor` first, then `lines`, `region`, and the finders.
"""
