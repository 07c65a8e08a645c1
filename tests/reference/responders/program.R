# Responders (ISI down by 6 points or more) of each arm against placebo. Newcombe's interval from the Wilson intervals of
# prop.test; the conditional odds ratio and its exact interval from the noncentral hypergeometric law, solved to 1e-13
# (fisher.test solves it to about 1e-4, so its own interval is only compared here).
source("../common.R")
d <- read_trial()
d$hit <- (d$isi_0 - d$isi_8) >= 6
wilson <- function(x, n) prop.test(x, n, correct = FALSE)$conf.int
out <- list()
for (a in c("low", "high")) {
  own <- d$hit[d$arm == a]
  control <- d$hit[d$arm == "placebo"]
  x <- sum(own); n <- length(own); y <- sum(control); m <- length(control)
  w <- suppressWarnings(wilson(x, n)); v <- suppressWarnings(wilson(y, m))
  difference <- x / n - y / m
  out[[paste0(a, ".responders_arm")]] <- x
  out[[paste0(a, ".responders_reference")]] <- y
  out[[paste0(a, ".estimate")]] <- difference
  out[[paste0(a, ".ci_low")]] <- difference - sqrt((x / n - w[1])^2 + (v[2] - y / m)^2)
  out[[paste0(a, ".ci_high")]] <- difference + sqrt((w[2] - x / n)^2 + (y / m - v[1])^2)
  table <- matrix(c(x, y, n - x, m - y), 2)
  exact <- fisher.test(table)
  out[[paste0(a, ".p_value")]] <- exact$p.value
  # Law of x given the margins, at odds ratio psi.
  k <- x + y
  support <- max(0, k - m):min(k, n)
  law <- function(psi) {
    logs <- dhyper(support, n, m, k, log = TRUE) + support * log(psi)
    w <- exp(logs - max(logs))
    w / sum(w)
  }
  solve_for <- function(f) exp(uniroot(function(l) f(exp(l)), c(-20, 20), tol = 1e-14)$root)
  out[[paste0(a, ".odds_ratio")]] <- solve_for(function(psi) sum(support * law(psi)) - x)
  out[[paste0(a, ".odds_ratio_ci_low")]] <- solve_for(function(psi) sum(law(psi)[support >= x]) - 0.025)
  out[[paste0(a, ".odds_ratio_ci_high")]] <- solve_for(function(psi) sum(law(psi)[support <= x]) - 0.025)
  # fisher.test solves for the smaller of psi and 1/psi.
  near <- function(u, v) all(abs(pmin(u, 1 / u) - pmin(v, 1 / v)) < 2e-4)
  bounds <- c(out[[paste0(a, ".odds_ratio_ci_low")]], out[[paste0(a, ".odds_ratio_ci_high")]])
  stopifnot(near(out[[paste0(a, ".odds_ratio")]], exact$estimate), near(bounds, exact$conf.int))
}
write_numbers(out)
