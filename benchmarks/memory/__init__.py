"""Does memory grow with the length of a video?"""
