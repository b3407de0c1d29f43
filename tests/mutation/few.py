"""A pytest plugin for a run over mutants: few examples, the same for each mutant, and no time spent on small ones."""

from hypothesis import Phase, settings

settings.register_profile(
    "few", max_examples=10, derandomize=True, deadline=None, database=None, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("few")
