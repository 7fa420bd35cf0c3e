"""Scripts by hour and by variable, and the choices that forms offer."""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
