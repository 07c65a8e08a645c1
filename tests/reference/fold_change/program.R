# Geometric-mean fold change of Bifidobacterium within each arm, pseudo-count 2e-4 as a fraction.
source("../common.R")
d <- read_trial()
out <- list()
for (a in levels(d$arm)) {
  x <- d[d$arm == a, ]
  logs <- log((x$bifidobacterium_pct_8 / 100 + 2e-4) / (x$bifidobacterium_pct_0 / 100 + 2e-4))
  n <- length(logs)
  se <- sd(logs) / sqrt(n)
  t <- t.test(logs)
  out[[paste0(a, ".n")]] <- n
  out[[paste0(a, ".estimate")]] <- exp(mean(logs))
  out[[paste0(a, ".se")]] <- se
  out[[paste0(a, ".ci_low")]] <- exp(mean(logs) - 1.96 * se)
  out[[paste0(a, ".ci_high")]] <- exp(mean(logs) + 1.96 * se)
  out[[paste0(a, ".p_value")]] <- 2 * pnorm(-abs(mean(logs) / se))
  out[[paste0(a, ".t_ci_low")]] <- exp(t$conf.int[1])
  out[[paste0(a, ".t_ci_high")]] <- exp(t$conf.int[2])
  out[[paste0(a, ".t_p_value")]] <- t$p.value
}
write_numbers(out)
