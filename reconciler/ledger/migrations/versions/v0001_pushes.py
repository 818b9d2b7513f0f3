"""First schema: effects, attempts, bills, leases, marks, decisions, stamps, rate buckets."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('attempts',
    sa.Column('effect', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('started_at', sa.String(length=32), nullable=False),
    sa.Column('ended_at', sa.String(length=32), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('worker', sa.Text(), nullable=False),
    sa.Column('fence', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('effect', 'number')
    )
    op.create_table('bills',
    sa.Column('site', sa.Text(), nullable=False),
    sa.Column('bill_id', sa.Text(), nullable=False),
    sa.Column('account_id', sa.Text(), nullable=False),
    sa.Column('integration', sa.Text(), nullable=False),
    sa.Column('generation', sa.Integer(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('input_hash', sa.String(length=64), nullable=False),
    sa.Column('draft', sa.LargeBinary(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=True),
    sa.Column('places', sa.Integer(), nullable=True),
    sa.Column('billed_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('expected_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('period_end', sa.String(length=10), nullable=False),
    sa.Column('next_at', sa.String(length=32), nullable=True),
    sa.Column('changed_at', sa.String(length=32), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('site', 'bill_id')
    )
    op.create_index('bills_by_status', 'bills', ['site', 'status', 'period_end'], unique=False)
    op.create_table('buckets',
    sa.Column('site', sa.Text(), nullable=False),
    sa.Column('next_at', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('updated_at', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('paused_until', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('pace', sa.Integer(), nullable=False),
    sa.Column('epoch', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('site')
    )
    op.create_table('decisions',
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('site', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('what', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('at', sa.String(length=32), nullable=False),
    sa.PrimaryKeyConstraint('number')
    )
    op.create_table('disabled',
    sa.Column('site', sa.Text(), nullable=False),
    sa.Column('integration', sa.Text(), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('at', sa.String(length=32), nullable=False),
    sa.PrimaryKeyConstraint('site', 'integration')
    )
    op.create_table('effects',
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('site', sa.Text(), nullable=False),
    sa.Column('bill_id', sa.Text(), nullable=False),
    sa.Column('generation', sa.Integer(), nullable=False),
    sa.Column('step', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('headers', sa.Text(), nullable=False),
    sa.Column('invoice_id', sa.Text(), nullable=True),
    sa.Column('lines_before', sa.Text(), nullable=True),
    sa.Column('draft_line', sa.Integer(), nullable=True),
    sa.Column('rejections', sa.Integer(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('round_started_at', sa.String(length=32), nullable=True),
    sa.Column('last_attempt_at', sa.String(length=32), nullable=True),
    sa.Column('empty_looks', sa.Text(), nullable=False),
    sa.Column('key_conflict', sa.Boolean(), nullable=False),
    sa.Column('failed_since', sa.String(length=32), nullable=True),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('line_ids', sa.Text(), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('run', sa.Text(), nullable=False),
    sa.Column('integration', sa.Text(), nullable=False),
    sa.Column('record', sa.Integer(), nullable=False),
    sa.Column('commit_id', sa.Text(), nullable=False),
    sa.Column('bill_version', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('input_hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('number'),
    sa.UniqueConstraint('site', 'bill_id', 'generation', 'step', name='one_effect')
    )
    op.create_table('leases',
    sa.Column('site', sa.Text(), nullable=False),
    sa.Column('bill_id', sa.Text(), nullable=False),
    sa.Column('worker', sa.Text(), nullable=False),
    sa.Column('fence', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('until', sa.String(length=32), nullable=False),
    sa.PrimaryKeyConstraint('site', 'bill_id')
    )
    op.create_table('ledger',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('sequence', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('created_at', sa.String(length=32), nullable=False),
    sa.Column('rebuilt_at', sa.String(length=32), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('marks',
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('site', sa.Text(), nullable=False),
    sa.Column('integration', sa.Text(), nullable=False),
    sa.Column('mark', sa.Text(), nullable=False),
    sa.Column('at', sa.String(length=32), nullable=False),
    sa.PrimaryKeyConstraint('number')
    )
    op.create_index('marks_by_route', 'marks', ['site', 'integration', 'number'], unique=False)
    op.create_table('pauses',
    sa.Column('site', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('at', sa.String(length=32), nullable=False),
    sa.PrimaryKeyConstraint('site')
    )
    op.create_table('stamps',
    sa.Column('site', sa.Text(), nullable=False),
    sa.Column('invoice_id', sa.Text(), nullable=False),
    sa.Column('bill_id', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('subscription_id', sa.Text(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('date', sa.String(length=32), nullable=True),
    sa.Column('deleted', sa.Boolean(), nullable=False),
    sa.Column('updated_at', sa.String(length=32), nullable=True),
    sa.PrimaryKeyConstraint('site', 'invoice_id')
    )
    op.create_index('stamps_by_bill', 'stamps', ['site', 'bill_id'], unique=False)
