"""The settings of an installation, as far as several programs read them: Katib's `katib-config`.

Belongs here: what the text is and which of its parts are whose (`text`), containers and their
resources as it has them (`containers`), the services of search and early stopping that it names
(`services`), and the one rule by which an algorithm is asked (`places`); where the DB manager is
(`stores`); the kinds of objects that trials may be (`trial_kinds`).
Does not belong here: what only one program reads (`webhook.model.config`), and where the text comes
from (`kube.settings_source`).
May import: `api`. May be imported by: every program that reads katib-config.
"""
