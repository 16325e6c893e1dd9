import { adwin } from '../../../src/cep/detect/adwin.ts'
import { cusum } from '../../../src/cep/detect/cusum.ts'
import type { DetectorPlan } from '../../../src/cep/detect/detector.ts'
import { ewma } from '../../../src/cep/detect/ewma.ts'
import { heartbeat } from '../../../src/cep/detect/heartbeat.ts'
import { holtWinters } from '../../../src/cep/detect/holt-winters.ts'
import { hourOfWeek } from '../../../src/cep/detect/hour-of-week.ts'
import { medianMad } from '../../../src/cep/detect/median-mad.ts'
import { pageHinkley } from '../../../src/cep/detect/page-hinkley.ts'
import { peer } from '../../../src/cep/detect/peer.ts'
import { quantileBand } from '../../../src/cep/detect/quantile-band.ts'
import { rateOfChange } from '../../../src/cep/detect/rate-of-change.ts'
import { threshold } from '../../../src/cep/detect/threshold.ts'
import { twoWindow } from '../../../src/cep/detect/two-window.ts'

/** Every detector of single values, small enough that a short series reaches all of its states. */
export const LEARNING: readonly DetectorPlan[] = [
  ewma({ halfLife: 5 }),
  medianMad({ window: 9 }),
  quantileBand(),
  rateOfChange(),
  cusum({ learn: 8 }),
  pageHinkley({ learn: 8 }),
  adwin({ delta: 0.1 }),
  twoWindow({ recent: 6, reference: 12 }),
  twoWindow({ recent: 6, reference: 12, test: 'shape' }),
  holtWinters({ period: 8000, slots: 4 }),
  hourOfWeek({ period: 8000, slots: 4 }),
]

export const ALL: readonly DetectorPlan[] = [
  ...LEARNING,
  threshold({ above: 10, clearAbove: 8, below: -10 }),
  heartbeat({ every: 5000 }),
  peer({ peers: 3 }),
]

/** Normal noise that is the same each time: sums of twelve uniform numbers of a congruential generator. */
export function noise(seed: number): () => number {
  let state = seed >>> 0
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  return () => {
    let sum = -6
    for (let i = 0; i < 12; i++) sum += uniform()
    return sum
  }
}
