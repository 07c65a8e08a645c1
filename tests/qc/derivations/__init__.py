"""Plain re-derivations of the published submodels, written from the printed equations and parameters only."""
