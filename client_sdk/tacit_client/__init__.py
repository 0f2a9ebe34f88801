"""What a member runs on its own machine."""
