# ANCOVA of the ISI change at week 8.
source("../common.R")
d <- read_trial()
d$change <- d$isi_8 - d$isi_0
fit <- lm(change ~ isi_0 + arm, data = d)
out <- contrasts_of(fit, c("low", "high"))
# Adjusted mean of the reference arm at the mean baseline, as a value (not a change).
out$reference_mean <- unname(predict(fit, data.frame(isi_0 = mean(d$isi_0), arm = "placebo")) + mean(d$isi_0))
out$slope <- unname(coef(fit)["isi_0"])
out$residual_sd <- sigma(fit)
write_numbers(out)
