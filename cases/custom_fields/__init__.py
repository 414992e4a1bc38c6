"""Fields that an installation adds to its incidents: what each kind takes, how it reads, how it is looked for."""
