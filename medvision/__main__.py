"""`python -m medvision` is the command line."""

from medvision.cli import main

if __name__ == "__main__":
    main()
