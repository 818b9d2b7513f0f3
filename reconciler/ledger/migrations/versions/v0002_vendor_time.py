"""The vendor's time of attempts and looks; what was in doubt is looked for before it is resent."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Looks were timed by the ledger's clock: they begin anew, by the vendor's.
_DOUBTED = """
update effects set doubt = case when
    state in ('SENDING', 'IN_DOUBT') or exists (
        select 1 from attempts where attempts.effect = effects.number
        and attempts.outcome in ('', 'Unknown', 'KeyConflict')
    ) then 'open' else '' end, empty_looks = '[]'
"""


def upgrade() -> None:
    op.add_column("attempts", sa.Column("vendor_at", sa.String(length=32)))
    for name in ("round_vendor_at", "last_vendor_at"):
        op.add_column("effects", sa.Column(name, sa.String(length=32)))
    empty = sa.Column("doubt", sa.Text(), nullable=False, server_default="")
    op.add_column("effects", empty)
    op.execute(_DOUBTED)
