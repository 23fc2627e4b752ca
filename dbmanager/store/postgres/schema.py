"""The tables in PostgreSQL: Katib's table, and what trialwatch adds."""

from __future__ import annotations

from dbmanager.store.migrations import Migrations, statements

_FIRST = statements(
    # As Katib creates it, except that ids may exceed 2,147,483,647.
    """
    CREATE TABLE IF NOT EXISTS observation_logs (
        trial_name VARCHAR(255) NOT NULL,
        id BIGSERIAL PRIMARY KEY,
        time TIMESTAMP(6),
        metric_name VARCHAR(255) NOT NULL,
        value TEXT NOT NULL
    )
    """,
    """
    DO $$ BEGIN
        IF (SELECT atttypid = 'integer'::regtype FROM pg_attribute
            WHERE attrelid = 'observation_logs'::regclass AND attname = 'id')
        THEN
            ALTER TABLE observation_logs ALTER COLUMN id TYPE BIGINT;
        END IF;
        IF pg_get_serial_sequence('observation_logs', 'id') IS NOT NULL THEN
            EXECUTE format(
                'ALTER SEQUENCE %s AS BIGINT', pg_get_serial_sequence('observation_logs', 'id'));
        END IF;
    END $$
    """,
    """
    ALTER TABLE observation_logs
        ADD COLUMN IF NOT EXISTS namespace VARCHAR(255) NOT NULL DEFAULT '',
        ADD COLUMN IF NOT EXISTS source VARCHAR(255) NOT NULL DEFAULT ''
    """,
    """
    CREATE TABLE IF NOT EXISTS trialwatch_sources (
        namespace VARCHAR(255) NOT NULL,
        trial_name VARCHAR(255) NOT NULL,
        source VARCHAR(255) NOT NULL,
        last_sequence BIGINT NOT NULL,
        gaps BIGINT NOT NULL,
        outcome VARCHAR(16),
        PRIMARY KEY (trial_name, namespace, source)
    )
    """,
    "CREATE INDEX IF NOT EXISTS trialwatch_in_order"
    " ON observation_logs (trial_name, namespace, time, id)",
    "CREATE INDEX IF NOT EXISTS trialwatch_unsourced"
    " ON observation_logs (trial_name, namespace) WHERE source = ''",
)

_SECOND = statements("DROP INDEX IF EXISTS trialwatch_by_id")
"""Version 1 used this index to find new rows; `sql_reads` finds them in another way now."""

_THIRD = statements("ALTER TABLE observation_logs ADD COLUMN IF NOT EXISTS step BIGINT")

MIGRATIONS = Migrations(
    list_tables="SELECT tablename FROM pg_tables WHERE schemaname = ANY (current_schemas(false))",
    steps=(_FIRST, _SECOND, _THIRD),
)
