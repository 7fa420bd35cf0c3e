"""Users sign in, tokens are JWTs, and there is a cloud node."""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
