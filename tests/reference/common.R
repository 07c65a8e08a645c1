# Reading the invented table, and writing named numbers with all their digits.
options(digits = 17, scipen = 999)
read_trial <- function() {
  d <- read.csv("../data/trial.csv", stringsAsFactors = FALSE)
  d$arm <- relevel(factor(d$arm), ref = "placebo")
  d
}
write_numbers <- function(x, file = "expected.csv") {
  lines <- c("name,value", sprintf("%s,%.17g", names(x), unlist(x)))
  writeLines(lines, file)
  cat(R.version.string, "\n")
  cat(lines, sep = "\n")
}
contrasts_of <- function(fit, arms, prefix = "") {
  out <- list()
  table <- summary(fit)$coefficients
  bounds <- confint(fit)
  for (a in arms) {
    row <- paste0("arm", a)
    out[[paste0(prefix, a, ".estimate")]] <- table[row, 1]
    out[[paste0(prefix, a, ".se")]] <- table[row, 2]
    out[[paste0(prefix, a, ".p_value")]] <- table[row, 4]
    out[[paste0(prefix, a, ".ci_low")]] <- bounds[row, 1]
    out[[paste0(prefix, a, ".ci_high")]] <- bounds[row, 2]
  }
  out[[paste0(prefix, "df")]] <- fit$df.residual
  out
}
