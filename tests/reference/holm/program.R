# Holm's adjustment of invented p values, with ties, and with a hypothesis that could not be tested.
source("../common.R")
p <- c(0.011, 0.04, 0.04, 0.0005, 0.73, 0.02)
out <- as.list(p.adjust(p, "holm"))
names(out) <- paste0("six.", seq_along(p))
q <- p.adjust(c(0.03, NA, 0.01), "holm")
out$gap.1 <- q[1]
out$gap.3 <- q[3]
write_numbers(out)
