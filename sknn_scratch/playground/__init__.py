"""A playground."""
