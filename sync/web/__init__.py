"""The operators' page: requests in, pages out. Thin: what a page shows or asks for is in `sync/jobs/`."""
