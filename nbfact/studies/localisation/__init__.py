"""The study of sources in the head that are localised through fast operators."""
