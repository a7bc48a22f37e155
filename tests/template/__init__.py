"""The template as data, through the tools, and deployed."""
