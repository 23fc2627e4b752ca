"""The settings of an installation that several programs read: Katib's `katib-config`.

Belongs here: reading the text and its sections (`text`), containers and their resources
(`containers`), the services for search and early stopping (`services`) and the rule for the address
of such a service (`service_addresses`); the address of the DB manager (`stores`); the kinds of
objects that trials may be (`trial_kinds`).
Does not belong here: settings that only one program reads (`webhook.model.config`), and the source
of the text (`kube.settings_source`).
May import: `api`. May be imported by: every program that reads katib-config.
"""
