# Makes from_r_more.json: further numbers of R packages, for tests/golden/test_against_r_more.py.
#   Rscript tests/golden/from_r_more.R > tests/golden/from_r_more.json
# Debian packages: r-cran-survival r-cran-coin r-cran-epir r-cran-nlme r-cran-geepack r-cran-jsonlite.
suppressPackageStartupMessages({
  library(survival); library(coin); library(epiR); library(nlme); library(geepack); library(jsonlite)
})

followed <- function(seed, n, digits) {
  set.seed(seed)
  risk <- round(rnorm(n), digits)
  life <- rexp(n, exp(0.7 * risk)); end <- rexp(n, 0.5)
  time <- ceiling(pmin(life, end) * 10^digits) / 10^digits
  event <- as.integer(life <= end)
  patient <- sample(n %/% 2, n, TRUE)
  y <- Surv(time, event)
  plain <- concordance(y ~ risk, reverse = TRUE)
  owned <- concordance(y ~ risk, reverse = TRUE, cluster = patient)
  # The last time is left out by ymax; no event or censoring falls on tau itself.
  ordered <- sort(unique(time))
  tau <- mean(ordered[length(ordered) * 0.7 + 0:1])
  uno <- concordance(y ~ risk, reverse = TRUE, timewt = "n/G2", ymax = tau)
  list(
    time = time, event = event, risk = risk, patient = patient, tau = tau, harrell = unname(plain$concordance),
    count = as.list(plain$count), error = sqrt(plain$var), error_patients = sqrt(owned$var),
    uno = unname(uno$concordance), uno_count = as.list(uno$count))
}

ordered_classes <- function(seed, n, k, digits) {
  set.seed(seed)
  class <- sample(k, n, TRUE)
  score <- round(class / 2 + rnorm(n), digits)
  found <- concordance(class ~ score)
  list(class = class, score = score, value = unname(found$concordance), error = sqrt(found$var))
}

ranks <- function(seed, n, digits) {
  set.seed(seed)
  d <- round(rnorm(n, 0.3), digits)
  exactly <- if (anyDuplicated(abs(d)) || any(d == 0)) NULL else
    wilcox.test(d, exact = TRUE, conf.int = TRUE)
  rest <- function(zero) as.numeric(pvalue(wilcoxsign_test(
    d ~ rep(0, n), distribution = exact(), zero.method = zero)))
  list(
    d = d, drop = rest("Wilcoxon"), pratt = rest("Pratt"), statistic = unname(exactly$statistic),
    p = exactly$p.value, centre = unname(exactly$estimate), interval = as.numeric(exactly$conf.int))
}

lin <- function(seed, n, shift) {
  set.seed(seed)
  x <- rnorm(n); y <- 0.8 * x + 0.5 * rnorm(n) + shift
  found <- epi.ccc(x, y, ci = "z-transform")$rho.c
  list(x = x, y = y, ccc = as.numeric(found[1, ]))
}

repeated <- function(seed, patients, units) {
  set.seed(seed)
  id <- rep(seq_len(patients), each = units)
  d <- rnorm(patients, 1, 2)[id] + rnorm(patients * units)
  model <- lme(d ~ 1, random = ~ 1 | id, method = "REML", control = lmeControl(tolerance = 1e-12, msTol = 1e-12))
  parts <- as.numeric(VarCorr(model)[, "Variance"])
  list(d = d, id = id, bias = unname(fixef(model)), sd = sqrt(sum(parts)), error = summary(model)$tTable[1, 2])
}

shared <- function(seed, patients) {
  set.seed(seed)
  id <- rep(seq_len(patients), times = sample(4, patients, TRUE))
  usual <- runif(patients)[id]
  first <- rbinom(length(id), 1, usual); second <- rbinom(length(id), 1, usual * 0.8)
  one <- geeglm(first ~ 1, id = id, family = binomial("logit"), corstr = "independence")
  gap <- geeglm(first - second ~ 1, id = id, family = gaussian, corstr = "independence")
  list(
    id = id, first = first, second = second, logit = unname(coef(one)), logit_error = summary(one)$coefficients[1, 2],
    gap = unname(coef(gap)), gap_error = summary(gap)$coefficients[1, 2])
}

sloped <- function(seed, patients) {
  set.seed(seed)
  id <- rep(seq_len(patients), times = sample(3, patients, TRUE))
  truth <- rnorm(length(id), 10, 3)
  first <- truth + rnorm(patients)[id] + rnorm(length(id)); second <- 0.9 * truth + rnorm(length(id))
  mean <- (first + second) / 2
  found <- geeglm(first - second ~ mean, id = id, family = gaussian, corstr = "independence")
  list(id = id, first = first, second = second, slope = unname(coef(found)[2]), error = summary(found)$coefficients[2, 2])
}

unpaired <- epi.sssimpleestb(N = NA, Py = 0.85, epsilon = 0.05, error = "absolute", se = 1, sp = 1, nfractional = TRUE, conf.level = 0.95)

write_json(list(
  r = R.version.string,
  packages = lapply(
    c(survival = "survival", coin = "coin", epiR = "epiR", nlme = "nlme", geepack = "geepack"),
    function(n) as.character(packageVersion(n))),
  survivals = list(followed(1, 30, 6), followed(2, 40, 1), followed(3, 25, 0)),
  ordinals = list(ordered_classes(1, 40, 3, 6), ordered_classes(2, 50, 4, 0), ordered_classes(3, 40, 2, 1)),
  ranks = list(ranks(1, 9, 6), ranks(2, 30, 6), ranks(3, 14, 1), ranks(4, 20, 0)),
  concordances = list(lin(1, 20, 0), lin(2, 40, 0.7)),
  repeats = list(repeated(1, 8, 3), repeated(2, 12, 2)),
  shares = list(shared(1, 20), shared(2, 45)),
  slopes = list(sloped(1, 15), sloped(2, 30)),
  size = as.numeric(unpaired)
), stdout(), digits = 15, auto_unbox = TRUE, null = "null")
