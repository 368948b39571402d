"""The incident: what staff and time make of a finding, in a stream of its own."""
