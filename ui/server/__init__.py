"""The HTTP server of the pages: `/api/v1`, its OpenAPI document, streams, and the built files.

    request ──> security ──> operations ──> pages ──> sources, model
                    └──────> streams    ──┘    └────> JSON, gzip

Belongs here: aiohttp, the token, headers against attacks from other pages, Server-Sent Events.
Does not belong here: what a page shows (`ui.model`), where it is read from (`ui.sources`).
May import: `ui.model`, `ui.sources`, `serving`, `api`. May be imported by: `trialwatch`.

`operations` is one table: the routes and the OpenAPI document come from it. A type of `ui.model` is
the type in the document; `make ui-types` writes the same types for TypeScript, `web/src/api.ts`.
"""
