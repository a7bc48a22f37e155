"""The report: what is counted of a part of the archive, which events it shows, and the page that it becomes."""
