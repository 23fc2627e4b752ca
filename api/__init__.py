"""What all programs agree on: types, names, the sidecar's argv, the wire, the errors.

Belongs here: values that two programs exchange, and the words they exchange them in.
Does not belong here: files, sockets, clocks, or a decision that one program takes alone.
May import: nothing of ours. May be imported by: everything.
"""
