"""The terminal of a run: a live table, or plain lines if the output is not a terminal.

Belongs here: the port `screen.RunScreen` and its implementation for a terminal, the streams of the
terminal while the table covers it (`terminal`), and what shows a run on a screen (`run_watcher`).
Does not belong here: what a table or a line says (`view`); a screen for a program
(`search_process.screens`).
May import: `view`, `ui.model`, `runner`, `api`. May be imported by: `commands`, `search_process`.
"""
