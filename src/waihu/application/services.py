"""Everything that waihu can be asked to do, in one object that faces and commands are given."""

from pathlib import Path

from waihu.application.access import Access
from waihu.application.accounts import Accounts
from waihu.application.agents import Agents
from waihu.application.callbacks import Callbacks
from waihu.application.calling_hours import CallingHoursGroups
from waihu.application.calls import Calls
from waihu.application.campaigns import Campaigns
from waihu.application.contacts import Contacts
from waihu.application.numbered_campaigns import NumberedCampaigns
from waihu.application.recordings import Recordings
from waihu.application.trunks import Trunks
from waihu.ports.clock import Clock
from waihu.ports.contact_book import ContactBook
from waihu.ports.store import Store


class Application:
    """`public_url` is how the outside reaches this API, for links that others are given; empty: not known."""

    def __init__(
        self, store: Store, book: ContactBook, clock: Clock, recordings: Path, *, public_url: str = ""
    ) -> None:
        self.public_url = public_url.rstrip("/")
        self.clock = clock
        self.recordings = Recordings(recordings, clock)
        self.access = Access(store, clock)
        self.accounts = Accounts(store, clock)
        self.trunks = Trunks(store, clock)
        self.calling_hours = CallingHoursGroups(store, clock)
        self.agents = Agents(store, clock)
        self.campaigns = Campaigns(store, book, clock)
        self.contacts = Contacts(store, book, clock)
        self.numbered_campaigns = NumberedCampaigns(store, self.campaigns, self.contacts)
        self.calls = Calls(store, self.recordings)
        self.callbacks = Callbacks(store, clock, self.recordings.key)
