"""What is limited, and therefore leased: a trunk, a campaign, and a campaign's share of a trunk."""

from waihu.domain.ids import CampaignId, TrunkId

Resource = str
"""`trunk:ID`, `campaign:ID` or `campaign:ID/trunk:ID`. The engines lease capacity under these names."""


def of_trunk(trunk: TrunkId) -> Resource:
    return f"trunk:{trunk}"


def of_campaign(campaign: CampaignId) -> Resource:
    return f"campaign:{campaign}"


def of_share(campaign: CampaignId, trunk: TrunkId) -> Resource:
    return f"campaign:{campaign}/trunk:{trunk}"


def campaign_of(resource: Resource) -> CampaignId | None:
    """The campaign whose resource this is; None for a trunk's own."""
    kind, _, name = resource.partition("/")[0].partition(":")
    return CampaignId(name) if kind == "campaign" else None
