"""`python -m workers.decoder`: a decoder process with as many decode loops as suit the cores."""

from workers.decoder.parent import main

main()
