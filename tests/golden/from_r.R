# Makes from_r.json: numbers of R packages that tests/golden/test_against_r.py compares with ours.
#   Rscript tests/golden/from_r.R > tests/golden/from_r.json
# Debian packages: r-cran-proc r-cran-psych r-cran-epir r-cran-rms r-cran-survival r-cran-jsonlite.
suppressPackageStartupMessages({
  library(pROC); library(psych); library(epiR); library(rms); library(survival); library(jsonlite)
})

area <- function(seed, n, prevalence, shift, digits) {
  set.seed(seed)
  y <- c(0, 1, 0, 1, 0, 1, rbinom(n - 6, 1, prevalence))
  shared <- rnorm(n)
  a <- round(shared + rnorm(n) + shift * y, digits)
  b <- round(shared + rnorm(n) + shift / 2 * y, digits)
  curve <- function(rows, scores) roc(y[rows], scores[rows], levels = c(0, 1), direction = "<", quiet = TRUE)
  every <- seq_len(n)
  first <- curve(every, a); second <- curve(every, b)
  paired <- roc.test(first, second, method = "delong", paired = TRUE)
  half <- every %% 2 == 0
  half[1:6] <- c(FALSE, FALSE, FALSE, TRUE, TRUE, TRUE)
  unpaired <- roc.test(curve(!half, a), curve(half, b), method = "delong", paired = FALSE)
  part <- function(range, focus, correct) as.numeric(auc(
    first, partial.auc = range, partial.auc.focus = focus, partial.auc.correct = correct,
    allow.invalid.partial.auc.correct = TRUE))
  parts <- lapply(
    list(list(c(1, 0.9), "specificity"), list(c(0.95, 0.6), "specificity"), list(c(1, 0.8), "sensitivity")),
    function(one) list(
      high = one[[1]][1], low = one[[1]][2], focus = one[[2]],
      area = part(one[[1]], one[[2]], FALSE), standardised = part(one[[1]], one[[2]], TRUE)))
  at <- c(0.5, 0.8, 0.9, 0.97)
  best_at <- function(input, ret) sapply(
    at, function(x) max(coords(first, x, input = input, ret = ret, transpose = TRUE)))
  points <- coords(first, "all", ret = c("threshold", "sensitivity", "specificity"), transpose = FALSE)
  best <- coords(first, "best", best.method = "youden", ret = c("sensitivity", "specificity"), transpose = FALSE)
  list(
    y = y, a = a, b = b, half = half, auc = as.numeric(auc(first)), variance = var(first, method = "delong"),
    interval = as.numeric(ci.auc(first, method = "delong")), z = unname(paired$statistic), p = paired$p.value,
    difference = as.numeric(paired$conf.int), d = unname(unpaired$statistic),
    df = unname(unpaired$parameter), p_unpaired = unpaired$p.value, parts = parts, at = at,
    sensitivity_at = best_at("specificity", "sensitivity"),
    specificity_at = best_at("sensitivity", "specificity"),
    thresholds = as.character(points$threshold), sensitivity = points$sensitivity,
    specificity = points$specificity, youden = as.numeric(best[1, ]))
}

power <- function(...) power.roc.test(sig.level = 0.05, ...)
needed <- power.roc.test(auc = 0.8, power = 0.95, sig.level = 0.01, kappa = 3)
planning <- list(
  power = power(ncases = 41, ncontrols = 72, auc = 0.73)$power,
  positive = needed$ncases, negative = needed$ncontrols,
  one_sided = power(auc = 0.7, power = 0.8, alternative = "one.sided")$ncases)

ratings <- function(seed, n, k) {
  set.seed(seed)
  x <- sample(k, n, TRUE)
  y <- ifelse(runif(n) < 0.6, x, sample(k, n, TRUE))
  found <- cohen.kappa(unclass(table(factor(x, 1:k), factor(y, 1:k))))
  list(x = x, y = y, kappa = found$kappa, error = sqrt(found$var.kappa), quadratic = found$weighted.kappa)
}

correlation <- function(seed, n, k) {
  set.seed(seed)
  m <- round(matrix(rnorm(n), n, k) + 0.5 * matrix(rnorm(k), n, k, byrow = TRUE) + 0.7 * matrix(rnorm(n * k), n, k), 3)
  found <- ICC(m, lmer = FALSE)$results
  list(ratings = m, value = found$ICC, low = found$"lower bound", high = found$"upper bound")
}

table_of <- function(cells) {
  found <- epi.tests(as.table(matrix(cells, 2, byrow = TRUE)), conf.level = 0.95)$detail
  list(cells = cells, name = as.character(found$statistic), value = found$est, low = found$lower, high = found$upper)
}

share <- function(k, n) list(
  k = k, n = n, exact = as.numeric(binom.test(k, n)$conf.int),
  wilson = as.numeric(prop.test(k, n, correct = FALSE)$conf.int),
  wilson_cc = as.numeric(prop.test(k, n)$conf.int))

discordant <- function(b, c) {
  both <- matrix(c(9, b, c, 9), 2)
  list(b = b, c = c, asymptotic = mcnemar.test(both, correct = FALSE)$p.value,
    corrected = mcnemar.test(both)$p.value, exact = binom.test(b, b + c)$p.value)
}

calibrated <- function(seed, n) {
  set.seed(seed)
  l <- rnorm(n, -0.5, 1.5)
  y <- rbinom(n, 1, plogis(0.3 + 0.8 * l))
  fine <- glm.control(epsilon = 1e-14, maxit = 100)
  offset <- glm(y ~ offset(l), family = binomial, control = fine)
  slope <- glm(y ~ l, family = binomial, control = fine)
  found <- val.prob(plogis(l), y, pl = FALSE)
  list(y = y, p = plogis(l), intercept = unname(coef(offset)), intercept_error = sqrt(vcov(offset)[1, 1]),
    slope = unname(coef(slope)[2]), slope_error = sqrt(vcov(slope)[2, 2]), brier = unname(found["Brier"]),
    z = unname(found["S:z"]), p_z = unname(found["S:p"]))
}

p <- c(0.001, 0.2, 0.03, 0.03, 0.5, 0.04)
write_json(list(
  r = R.version.string,
  packages = lapply(
    c(pROC = "pROC", psych = "psych", epiR = "epiR", rms = "rms", survival = "survival"),
    function(n) as.character(packageVersion(n))),
  areas = list(area(1, 30, 0.4, 1, 1), area(2, 60, 0.3, 1.5, 6), area(6, 40, 0.5, -0.6, 6)), planning = planning,
  kappas = list(ratings(1, 30, 3), ratings(2, 80, 5), ratings(4, 50, 2)),
  iccs = list(correlation(1, 6, 4), correlation(2, 20, 3)),
  tables = list(table_of(c(45, 10, 5, 60)), table_of(c(8, 3, 2, 7))),
  shares = list(share(3, 17), share(0, 12), share(40, 41)),
  mcnemars = list(discordant(5, 14), discordant(0, 6), discordant(30, 30)),
  calibrations = list(calibrated(1, 100), calibrated(3, 60)),
  adjusted = list(p = p, holm = p.adjust(p, "holm"), bh = p.adjust(p, "BH"), by = p.adjust(p, "BY"))
), stdout(), digits = 15, auto_unbox = TRUE)
