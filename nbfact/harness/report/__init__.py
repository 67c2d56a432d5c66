"""The report: results of any runs and machines as one page, data and drawing in it."""
