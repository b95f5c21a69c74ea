"""python -m vidinv"""

from vidinv.cli.start import main

main()
