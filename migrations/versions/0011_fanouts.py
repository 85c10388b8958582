"""Fan-outs under their name of today: the table, the count of a campaign, and the series of their events were called spreads.

The log keeps the kind `unit.spread` of what was written before; readers know it as `unit.fanout`.
"""

from alembic import op

from migrations.statements import run

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CONSTRAINTS = """
DO $$
DECLARE
    constrained record;
BEGIN
    -- The primary key with its index and, since Postgres 18, each NOT NULL: a rename of a table or column leaves their names.
    FOR constrained IN
        SELECT conname, conrelid::regclass AS relation
        FROM pg_constraint
        WHERE conrelid IN ('{table}'::regclass, 'campaigns'::regclass) AND conname ~ '{old}'
    LOOP
        EXECUTE format(
            'ALTER TABLE %s RENAME CONSTRAINT %I TO %I',
            constrained.relation,
            constrained.conname,
            regexp_replace(constrained.conname, '{old}', '{new}')
        );
    END LOOP;
END
$$;
"""
SERIES = """
UPDATE series
SET labels = ARRAY['{new}']
WHERE family = 'muster_events_total' AND labels = ARRAY['{old}'];
"""


def upgrade() -> None:
    """Rename; no row of the state is rewritten, and one series of each generation."""
    op.execute("ALTER TABLE spreads RENAME TO fanouts")
    op.execute("ALTER TABLE campaigns RENAME COLUMN spreading TO open_fanouts")
    run(CONSTRAINTS.format(table="fanouts", old="^spreads_", new="fanouts_"))
    run(CONSTRAINTS.format(table="fanouts", old="_spreading_", new="_open_fanouts_"))
    run(SERIES.format(old="unit.spread", new="unit.fanout"))


def downgrade() -> None:
    """Restore the former names; the version before cannot read a log that holds `unit.fanout` by then."""
    op.execute("ALTER TABLE fanouts RENAME TO spreads")
    op.execute("ALTER TABLE campaigns RENAME COLUMN open_fanouts TO spreading")
    run(CONSTRAINTS.format(table="spreads", old="^fanouts_", new="spreads_"))
    run(CONSTRAINTS.format(table="spreads", old="_open_fanouts_", new="_spreading_"))
    run(SERIES.format(old="unit.fanout", new="unit.spread"))
