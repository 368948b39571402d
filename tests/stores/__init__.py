"""The stores that tests run on: SQLite files, and a PostgreSQL that is thrown away."""
