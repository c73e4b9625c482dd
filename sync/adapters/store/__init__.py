"""The store of one profile: journal, desired state and quota ledger in one SQLite file; the only home of SQLAlchemy."""

from sync.adapters.store.journal import RunJournal
from sync.adapters.store.meter import RequestMeter
from sync.adapters.store.opening import Store, open_store
from sync.adapters.store.quota import QuotaLedger

__all__ = ["QuotaLedger", "RequestMeter", "RunJournal", "Store", "open_store"]
