//! From an experiment to results: plan, shared passes, methods.
