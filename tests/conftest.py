"""What every test has: brokers, stores, and hypothesis profiles (--hypothesis-profile=deep for the long night)."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.brokers.plugin", "tests.stores.plugin"]

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", settings.get_profile("default"), max_examples=20_000)
settings.load_profile("default")
