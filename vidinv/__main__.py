"""python -m vidinv"""

from vidinv.cli.main import main

main()
