"""Text to metrics: bytes in, points out.

Belongs here: lines, patterns, matchers, time stamps in a line, and the counts of what was passed
over. The same code serves a live tail and a 10 GiB file.
Does not belong here: a clock, a file, a socket, a thread; what is done with a point.
May import: `api`. May be imported by: every program.

Reading order: `extractor` (the whole), `lines`, `text`, then the matchers `named`, `patterned`,
`jsonl` and `columns`.
"""
