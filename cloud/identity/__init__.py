"""Who may do what: users, sign-in, sessions, roles granted by community."""
