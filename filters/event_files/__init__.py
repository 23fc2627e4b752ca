"""Event files of TensorFlow, tensorboardX and torch to metrics: bytes in, points out.

Belongs here: the framing of records, the tags that a metric means, numbers in tensors.
Does not belong here: which files a directory has, and how they are followed (`collector.streams`).
May import: `filters`, `api`. May be imported by: every program, but only where it reads event
files: others must not load the messages and the checksum.

An event file is a series of records: the length, a checksum of the length, the data, a checksum of
the data. The data is an Event, a message of protobuf: a wall time, a step, and any number of tags
with values.

- **Names first.** Most records have no tag that a metric means. A search for the tags' bytes comes
  before protobuf reads the message (`extractor`).
- **Only damaged records are lost.** Where the data is damaged, the next record is read. Where the
  length is damaged, the next place with an intact length is searched for. What is skipped is
  counted, and reported as one range for each extractor (`records`).
- **Bounds.** Of a record, at most `records.LONGEST_RECORD` bytes are held. A longer one is skipped
  while it streams by.
"""
