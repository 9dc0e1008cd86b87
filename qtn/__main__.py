"""Run the command line with python -m qtn."""

from qtn.cli import main

if __name__ == "__main__":
    main()
