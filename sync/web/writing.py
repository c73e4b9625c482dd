"""The store to write a request into: opened for one form, and closed again."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from sync.adapters.store import Store, open_store
from sync.web.site import Site


@contextmanager
def writing(site: Site) -> Iterator[Store]:
    """Open the store for what a form asks.

    Raises:
        CourseSyncError: it cannot be written.
    """
    with closing(open_store(site.settings.state_dir, site.clock)) as store:
        yield store
