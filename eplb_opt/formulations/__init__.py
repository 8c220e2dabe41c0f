"""The problem as mathematical programs: mathematics here, solvers in `eplb_opt.backends`."""
