"""Waves: one card for each topological level of a campaign, and the level of every unit that is not in the first."""

from alembic import op

from migrations.statements import run

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WAVES = """
CREATE TABLE wave_card (
    shard integer NOT NULL,
    generation integer NOT NULL,
    campaign text NOT NULL,
    wave integer NOT NULL,
    card jsonb NOT NULL,
    PRIMARY KEY (shard, generation, campaign, wave)
) WITH (fillfactor = 50);

CREATE TABLE unit_wave (
    shard integer NOT NULL,
    generation integer NOT NULL,
    campaign text NOT NULL,
    unit text NOT NULL,
    wave integer NOT NULL,
    PRIMARY KEY (shard, generation, campaign, unit)
);
CREATE INDEX units_of_wave ON unit_wave (shard, generation, campaign, wave, unit);

GRANT SELECT, INSERT, UPDATE, DELETE ON wave_card, unit_wave TO muster_service;
"""


def upgrade() -> None:
    """Create the tables."""
    run(WAVES)


def downgrade() -> None:
    """Drop them; the log holds everything that they say."""
    op.execute("DROP TABLE unit_wave, wave_card")
