"""A pytest plugin for a run over mutants: few examples, the same for each mutant, and nothing that hangs on speed."""

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "few",
    max_examples=10,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("few")
