"""Generated worlds: small random seasons for property tests, big seeded files for acceptance runs."""
