"""Where and when: the sun's and the moon's place in the sky, with the error of each step."""
