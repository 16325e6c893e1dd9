import type { Direction, Score } from './detector.js'

/** Score at the ends of a band: one in ten thousand. */
export const BAND_SCORE = 0.4
/** As many standard deviations as a normal value exceeds once in ten thousand times, both sides together. */
export const BAND_SIGMAS = 3.8906

const DECADES = 10

/** Score of a probability: ten times the score is the number of zeros. */
export function scoreOfProbability(probability: number): number {
  if (probability <= 0) return 1
  return clamp(-Math.log10(probability) / DECADES)
}

/** Score of a probability that is given as its natural logarithm, for those that a double cannot hold. */
export function scoreOfLogProbability(logarithm: number): number {
  return clamp(-logarithm / (Math.LN10 * DECADES))
}

/** Score of a value that lies `sigmas` standard deviations from the mean of a normal distribution, on either side. */
export function scoreOfSigmas(sigmas: number): number {
  return scoreOfProbability(erfc(Math.abs(sigmas) / Math.SQRT2))
}

/**
 * Scores a value against a normal distribution. Where there is no spread at all, every other value is as odd as can be.
 * @param sigma standard deviation, in the value’s unit
 */
export function scoreNormal(value: number, expected: number, sigma: number): Score {
  const off = value - expected
  const band = BAND_SIGMAS * sigma
  return {
    score: off === 0 ? 0 : sigma === 0 ? 1 : scoreOfSigmas(off / sigma),
    expected,
    lower: expected - band,
    upper: expected + band,
    direction: directionOf(off),
  }
}

export function directionOf(off: number): Direction {
  return off > 0 ? 'above' : off < 0 ? 'below' : 'none'
}

/**
 * Complementary error function for x >= 0, to a relative 1.2e-7 everywhere.
 * Chebyshev fit of W. Press et al., “Numerical Recipes in C”, 2nd edition, section 6.2.
 */
export function erfc(x: number): number {
  const t = 1 / (1 + x / 2)
  let sum = 0
  for (let i = ERFC.length - 1; i >= 0; i--) sum = sum * t + (ERFC[i] as number)
  return Math.min(1, t * Math.exp(-x * x + sum))
}

const ERFC = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
]

function clamp(score: number): number {
  return score <= 0 ? 0 : score >= 1 ? 1 : score
}
