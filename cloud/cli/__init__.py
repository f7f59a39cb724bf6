"""Commands of the cloud for the shell: each answers in one line when it cannot do what was asked."""
