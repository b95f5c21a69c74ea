"""What happens to the program, and to files, when everything around it goes wrong."""
