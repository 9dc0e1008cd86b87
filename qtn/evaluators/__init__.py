"""From a chain and a schedule to the delivered state and its waiting time: only evaluators know time."""
