"""The command line: parse, call vidinv.api, print."""
