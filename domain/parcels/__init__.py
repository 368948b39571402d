"""The parcel: what is packed, labelled and scanned, and whose goods are in it."""
