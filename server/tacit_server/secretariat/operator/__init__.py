"""What the secretariat's operator does by command, on the database directly."""
