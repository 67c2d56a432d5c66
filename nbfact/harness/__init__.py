"""The harness: one registry of cases, timed side by side, checked, stored."""
