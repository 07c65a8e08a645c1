# Baxter et al. 2019 on the re-shared public tables (not shipped): give their folder as the argument.
# Per subject the arithmetic mean of all samples before and of all samples during; blanks are left out.
source("../common.R")
folder <- commandArgs(trailingOnly = TRUE)[1]
s <- read.delim(file.path(folder, "samples.tsv"), stringsAsFactors = FALSE)
taxa <- read.delim(gzfile(file.path(folder, "taxa_relative_abundance.tsv.gz")), check.names = FALSE)
s$bifidobacterium <- taxa$Bifidobacterium[match(s$sample, taxa$sample)]
means <- function(column) {
  a <- aggregate(s[[column]], list(subject = s$subject, arm = s$arm, period = s$period_before_after), mean, na.rm = TRUE)
  wide <- reshape(a, idvar = c("subject", "arm"), timevar = "period", direction = "wide")
  data.frame(arm = relevel(factor(wide$arm), ref = "accessible"), before = wide$x.before, during = wide$x.during)
}
out <- list()
b <- means("bifidobacterium")
for (a in levels(b$arm)) {
  x <- b[b$arm == a, ]
  logs <- log((x$during + 2e-4) / (x$before + 2e-4))
  se <- sd(logs) / sqrt(length(logs))
  t <- t.test(logs)
  out[[paste0("bifidobacterium.", a, ".n")]] <- length(logs)
  out[[paste0("bifidobacterium.", a, ".estimate")]] <- exp(mean(logs))
  out[[paste0("bifidobacterium.", a, ".ci_low")]] <- exp(mean(logs) - 1.96 * se)
  out[[paste0("bifidobacterium.", a, ".ci_high")]] <- exp(mean(logs) + 1.96 * se)
  out[[paste0("bifidobacterium.", a, ".t_ci_low")]] <- exp(t$conf.int[1])
  out[[paste0("bifidobacterium.", a, ".t_ci_high")]] <- exp(t$conf.int[2])
}
for (acid in c("butyrate", "acetate", "propionate")) {
  d <- means(acid)
  d <- d[is.finite(log(d$before)) & is.finite(log(d$during)), ]
  fit <- lm(log(during) ~ log(before) + arm, data = d)
  out <- c(out, contrasts_of(fit, c("potato", "inulin", "himaize"), paste0(acid, ".")))
  out[[paste0(acid, ".n")]] <- nrow(d)
}
write_numbers(out)
