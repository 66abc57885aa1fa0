"""Hooks under load: events at a steady rate, and what becomes of every one of them."""
