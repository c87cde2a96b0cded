"""Commands of this repository; each has an executable of its name beside this file."""
