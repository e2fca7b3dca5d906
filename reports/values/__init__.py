"""The record types of the page, by the section that prints them."""
