/** On which side of what was expected a value lies. */
export type Direction = 'above' | 'below' | 'none'

/**
 * How unusual one value is, before anyone decides whether that is an alarm.
 *
 * `score` counts zeros: ten times the score is −log10 of the probability that the detector’s own model gives to a value at
 * least as odd. 0.3 is one in a thousand, 0.4 one in ten thousand, 1 one in 10^10 or rarer. The model is never quite right
 * (values that depend on each other, tails that are heavier), so take it as an order, the same for every detector, not as a promise.
 */
export interface Score {
  /** 0 to 1. */
  readonly score: number
  /** What the detector expected; null where it expects no particular value. */
  readonly expected: number | null
  /** Ends of the band outside of which a value scores at least `BAND_SCORE`; null where there is none. */
  readonly lower: number | null
  readonly upper: number | null
  readonly direction: Direction
}

/**
 * Learns from one series of values and scores each. Pure: time comes from the caller (ms, never back), chance from a seed.
 * @template V a number, or for detectors of several dimensions an array of as many numbers each time
 */
export interface Detector<V = number> {
  /**
   * Scores a value with what was learnt before it, then learns from it.
   * @param value finite, of at most `LARGEST` in size: see `usable`
   * @param key whose value it is; only detectors across keys look at it
   * @returns null as long as too little is known for any score
   */
  observe(value: V, time: number, key: string): Score | null
  /** Whole state as plain data that JSON can carry. A detector started with it goes on exactly as this one would. */
  snapshot(): unknown
}

/** Detectors that also notice that nothing came. */
export interface Deadline {
  /** Event time (ms) at which silence is a finding; Infinity when it is not waited for. */
  readonly due: number
  /** The finding, once time has reached `due`. `due` moves on. */
  overdue(): Score
}

/** A detector with its parameters checked: starts one detector per key, or one for all keys. */
export interface DetectorPlan<V = number> {
  readonly name: string
  /** Name and parameters: the shape that a snapshot depends on. */
  readonly signature: string
  /** Values after which scores are worth acting on. */
  readonly warmUp: number
  /** `rule`: one detector sees the values of all keys. */
  readonly scope: 'key' | 'rule'
  /** Numbers that it reads of each event, as an array; 0: none, whatever the event. Not given: one number, as such. */
  readonly dimensions?: number
  /** Milliseconds that it waits for an event of a key: the key is not forgotten before. */
  readonly patience?: number
  /** @param state what `snapshot()` gave */
  start(state?: unknown): Detector<V> & Partial<Deadline>
  /** For detectors across keys: forgets what it knew of a key. */
  readonly forget?: (detector: Detector<V>, key: string) => void
}

/** Larger values would overflow in a sum of squares; they are not scored. */
export const LARGEST = 1e150

export function usable(value: unknown): value is number {
  return typeof value === 'number' && value <= LARGEST && value >= -LARGEST
}

/** The name and parameters of a detector as one text. */
export function signatureOf(name: string, options: object): string {
  return `${name} ${JSON.stringify(options)}`
}
