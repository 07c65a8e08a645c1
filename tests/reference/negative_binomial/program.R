# Awakenings of one night (whole, overdispersed counts): negative binomial by maximum likelihood.
# Weekly means of awakenings (no whole numbers): Poisson with the sandwich (HC0) computed by hand.
source("../common.R")
suppressPackageStartupMessages(library(MASS))
d <- read_trial()
d$base <- log(d$awakenings_0 + 0.5)
plain <- glm(awakenings_8 ~ base + arm, data = d, family = poisson, control = glm.control(epsilon = 1e-15, maxit = 100))
out <- list(dispersion = sum(residuals(plain, "pearson")^2) / plain$df.residual)
fit <- glm.nb(awakenings_8 ~ base + arm, data = d, control = glm.control(epsilon = 1e-14, maxit = 500))
stopifnot(fit$converged)
table <- summary(fit)$coefficients
for (a in c("low", "high")) {
  row <- paste0("arm", a)
  out[[paste0(a, ".estimate")]] <- table[row, 1]
  out[[paste0(a, ".se")]] <- table[row, 2]
  out[[paste0(a, ".p_value")]] <- table[row, 4]
  out[[paste0(a, ".ci_low")]] <- table[row, 1] + qnorm(0.025) * table[row, 2]
  out[[paste0(a, ".ci_high")]] <- table[row, 1] + qnorm(0.975) * table[row, 2]
}
out$theta <- fit$theta
middle <- data.frame(base = mean(d$base), arm = "placebo")
out$reference_mean <- unname(exp(predict(fit, middle)))

d$week <- log(d$weekly_awakenings_0 + 0.5)
mean_model <- suppressWarnings(glm(weekly_awakenings_8 ~ week + arm, data = d, family = poisson,
                                   control = glm.control(epsilon = 1e-15, maxit = 100)))
x <- model.matrix(mean_model)
mu <- fitted(mean_model)
bread <- solve(t(x) %*% (x * mu))
scores <- x * (d$weekly_awakenings_8 - mu)
robust <- sqrt(diag(bread %*% (t(scores) %*% scores) %*% bread))
for (a in c("low", "high")) {
  row <- paste0("arm", a)
  out[[paste0("weekly.", a, ".estimate")]] <- unname(coef(mean_model)[row])
  out[[paste0("weekly.", a, ".se")]] <- unname(robust[row])
  out[[paste0("weekly.", a, ".p_value")]] <- unname(2 * pnorm(-abs(coef(mean_model)[row] / robust[row])))
}
write_numbers(out)
