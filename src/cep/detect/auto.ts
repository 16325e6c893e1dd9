import { Calm, type CalmState } from './calm.js'
import { LONGEST, VIEWS, type View } from './auto-views.js'
import { checkNumber } from './check-options.js'
import { signatureOf, type Detector, type DetectorPlan, type Score } from './detector.js'
import { Gap, type GapState } from './gap.js'
import { SeriesScale, type ScaleState } from './series-scale.js'
import { TailHistogram, type TailState } from './tail-histogram.js'
import { BAND_SCORE, directionOf } from './tail.js'

export interface AutoOptions {
  /** Points that each view remembers: more tells apart more, at the cost of memory and time. Default 64. */
  readonly capacity?: number
  /** Values after an alarm for which less is no alarm. Default 200. */
  readonly calm?: number
}

/**
 * The default detector, for a series of which nothing is known: many views of it at once (src/cep/detect/auto-views.ts), each of which
 * asks how unlike anything before the present is, made comparable by how rare such a distance has been in this series, and weighed
 * together so that one strong view or several weaker ones are enough. After an alarm it is calm: scores are halved unless clearly higher, for a
 * while less and less. What lies before a gap of many usual intervals is not looked at together with what comes after.
 * Novelty instead of rarity is what contextual detectors do on the Numenta benchmark (S. Ahmad et al., “Unsupervised real-time anomaly
 * detection for streaming data”, Neurocomputing 262, 2017): what came before, however rarely, is known. No parameter is fitted to data.
 * State: some 160 kB a key, with the default capacity (docs/detectors.md).
 * @throws DETECTOR_INVALID
 */
export function auto(options: AutoOptions = {}): DetectorPlan {
  const name = 'auto'
  const capacity = checkNumber(name, 'capacity', options.capacity ?? 64, { min: 8, max: 4096, whole: true })
  const calm = checkNumber(name, 'calm', options.calm ?? 200, { min: 0, whole: true })
  return {
    name,
    signature: signatureOf(name, options),
    warmUp: 100,
    scope: 'key',
    start: (state) => new Auto(capacity, calm, state as AutoState | undefined),
  }
}

interface AutoState {
  readonly recent: readonly number[]
  readonly scale: ScaleState
  readonly views: readonly unknown[]
  readonly tails: readonly TailState[]
  readonly calm: CalmState
  readonly gap: GapState
}

/** One view alone says at most one in a thousand: it is the others that make it more. */
const MOST = 3
/** Decades, together, from which it is an alarm: what the default threshold of a decision stands for. */
const ALARM = 1.25

class Auto implements Detector {
  readonly #recent: number[]
  readonly #scale: SeriesScale
  readonly #views: readonly { readonly view: View; readonly tail: TailHistogram }[]
  readonly #calm: Calm
  readonly #gap: Gap

  constructor(capacity: number, calm: number, state?: AutoState) {
    this.#calm = new Calm(ALARM, calm, state?.calm)
    this.#gap = new Gap(state?.gap)
    this.#recent = [...(state?.recent ?? [])]
    this.#scale = new SeriesScale(state?.scale)
    this.#views = VIEWS.map((make, i) => ({
      view: make(capacity, this.#scale, state?.views[i]),
      tail: new TailHistogram(state?.tails[i]),
    }))
  }

  observe(value: number, time: number): Score | null {
    const recent = this.#recent
    const expected = recent.length === 0 ? null : meanOfLast(recent, 24)
    if (this.#gap.before(time)) recent.length = 0
    recent.push(value)
    if (recent.length > LONGEST) recent.shift()
    const decades = this.#calm.lower(this.#weigh(time))
    this.#scale.add(value)
    return expected === null
      ? null
      : {
          score: Math.min(1, (decades * BAND_SCORE) / ALARM),
          expected,
          lower: null,
          upper: null,
          direction: directionOf(value - expected),
        }
  }

  /** Cubic mean of what the views say: between their mean and the largest of them. */
  #weigh(time: number): number {
    let cubes = 0
    for (const { view, tail } of this.#views) {
      const measured = view.measure(this.#recent, time)
      if (measured === null) continue
      cubes += tail.decades(measured, MOST) ** 3
      tail.add(measured)
    }
    return Math.cbrt(cubes / this.#views.length)
  }

  snapshot(): AutoState {
    return {
      recent: [...this.#recent],
      scale: this.#scale.snapshot(),
      views: this.#views.map(({ view }) => view.snapshot()),
      tails: this.#views.map(({ tail }) => tail.snapshot()),
      calm: this.#calm.snapshot(),
      gap: this.#gap.snapshot(),
    }
  }
}

function meanOfLast(values: readonly number[], most: number): number {
  const from = Math.max(0, values.length - most)
  let sum = 0
  for (let i = from; i < values.length; i++) sum += values[i] as number
  return sum / (values.length - from)
}
