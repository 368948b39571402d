"""The log and what commits with it: streams, batches, records, leases."""
