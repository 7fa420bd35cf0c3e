"""Everything that waihu can be asked to do, in one object that faces and commands are given."""

from pathlib import Path

from waihu.application.access import Access
from waihu.application.accounts import Accounts
from waihu.application.agents import Agents
from waihu.application.billing import Billing
from waihu.application.callback_news import Newsroom
from waihu.application.callback_sending import CallbackSending
from waihu.application.callbacks import Callbacks
from waihu.application.calling_hours import CallingHoursGroups
from waihu.application.calls import Calls
from waihu.application.campaigns import Campaigns
from waihu.application.choices import Choices
from waihu.application.cloud_nodes import CloudNodes
from waihu.application.contacts import Contacts
from waihu.application.customers import Customers
from waihu.application.do_not_call import DoNotCallLists
from waihu.application.enrolments import Enrolments
from waihu.application.login_links import LoginLinks
from waihu.application.numbered_campaigns import NumberedCampaigns
from waihu.application.privacy import Privacy
from waihu.application.recordings import Recordings
from waihu.application.retry_rules import RetryRules
from waihu.application.signed_keys import SignedKeys
from waihu.application.text_dialogue import TextDialogue
from waihu.application.trunks import Trunks
from waihu.application.users import Users
from waihu.ports.clock import Clock
from waihu.ports.contact_book import ContactBook
from waihu.ports.phone_places import PhonePlaces
from waihu.ports.receiver import Addresses
from waihu.ports.sounds import SoundShelf
from waihu.ports.store import Store
from waihu.ports.tokens import TokenSigner
from waihu.ports.users import PasswordHasher


class Application:
    """`public_url` is how the outside reaches this API, for links that others are given; empty: not known."""

    def __init__(
        self,
        store: Store,
        book: ContactBook,
        clock: Clock,
        recordings: Path,
        *,
        signer: TokenSigner,
        passwords: PasswordHasher,
        places: PhonePlaces,
        addresses: Addresses,
        shelf: SoundShelf,
        public_url: str = "",
    ) -> None:
        self.public_url = public_url.rstrip("/")
        self.clock = clock
        self.recordings = Recordings(recordings, clock)
        self.access = Access(store, clock, signer)
        self.accounts = Accounts(store, clock)
        self.cloud_nodes = CloudNodes(store)
        self.users = Users(store, clock, self.cloud_nodes, passwords)
        self.login_links = LoginLinks(store, clock, signer)
        self.trunks = Trunks(store, clock)
        self.billing = Billing(store, clock)
        self.calling_hours = CallingHoursGroups(store, clock)
        self.agents = Agents(store, clock)
        self.retry_rules = RetryRules(store, clock)
        self.choices = Choices(store, clock, shelf)
        self.do_not_call = DoNotCallLists(store, clock)
        self.text_dialogue = TextDialogue(store, clock)
        self.campaigns = Campaigns(store, book, clock)
        self.places = places
        self.privacy = Privacy(store, clock, passwords)
        self.customers = Customers(store, clock, places)
        self.enrolments = Enrolments(store, book, clock)
        self.contacts = Contacts(store, book, clock, self.customers)
        self.numbered_campaigns = NumberedCampaigns(store, self.campaigns, self.contacts)
        self.calls = Calls(store, self.recordings)
        batch_keys = SignedKeys(recordings, "number batch", clock)
        self.newsroom = Newsroom(self.recordings.key, batch_keys, places)
        self.callbacks = Callbacks(store, clock, addresses, batch_keys, self.newsroom)
        self.callback_sending = CallbackSending(store, clock, self.newsroom)
