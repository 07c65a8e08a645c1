# Ratios of geometric means: butyrate without, Bifidobacterium (percent of reads, with zeros) with a pseudo-count of
# 2e-4 as a fraction, which is 0.02 percent. Estimates and intervals are on the log scale here.
source("../common.R")
d <- read_trial()
fit <- lm(log(butyrate_8) ~ log(butyrate_0) + arm, data = d)
out <- contrasts_of(fit, c("low", "high"), "butyrate.")
middle <- data.frame(butyrate_0 = exp(mean(log(d$butyrate_0))), arm = "placebo")
out$butyrate.reference_mean <- unname(exp(predict(fit, middle)))
with_zeros <- lm(log(bifidobacterium_pct_8 + 0.02) ~ log(bifidobacterium_pct_0 + 0.02) + arm, data = d)
out <- c(out, contrasts_of(with_zeros, c("low", "high"), "bifidobacterium."))
# The same as fractions: nothing may change.
d$f0 <- d$bifidobacterium_pct_0 / 100
d$f8 <- d$bifidobacterium_pct_8 / 100
as_fraction <- lm(log(f8 + 2e-4) ~ log(f0 + 2e-4) + arm, data = d)
stopifnot(all.equal(coef(as_fraction)[3:4], coef(with_zeros)[3:4], tolerance = 1e-12))
write_numbers(out)
