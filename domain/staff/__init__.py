"""What people do: commands carried out, payments, goods sent back, and what may be said."""
