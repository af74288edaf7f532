"""`python -m babelet` is the command `babelet`."""

from babelet.cli import main

if __name__ == "__main__":
    main()
