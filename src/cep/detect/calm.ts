/** Heights of earlier peaks, oldest first; height of the alarm that calm follows, values since; height of the present peak, values since. */
export type CalmState = readonly [peaks: number[], alarm: number, sinceAlarm: number, sincePeak: number]

/** From this height (decades) on something is a peak, which makes the next of its height less surprising. */
const PEAK = 1
/** Values apart from which two heights are two peaks. */
const APART = 30
/** Decades that a peak is less surprising for each factor of ten of peaks that were as high. */
const HABIT = 0.2
/** Peaks that are remembered. */
const MOST_PEAKS = 100
/** An alarm right after another must be so much higher; at the end of the calm, as high. */
const HIGHER = 1.3

/**
 * What makes the tenth alarm of a kind, and the second in a row, less than the first. A height that earlier peaks have reached is
 * lowered with the logarithm of their number; after an alarm nothing counts for a while that is not clearly higher, less clearly as it fades.
 */
export class Calm {
  readonly #alarmAt: number
  readonly #values: number
  readonly #peaks: number[]
  #alarm: number
  #sinceAlarm: number
  #sincePeak: number

  /**
   * @param alarmAt height from which it is an alarm
   * @param values after an alarm that are calm
   */
  constructor(alarmAt: number, values: number, state: CalmState = [[], 0, values, APART]) {
    this.#alarmAt = alarmAt
    this.#values = values
    this.#peaks = [...state[0]]
    this.#alarm = state[1]
    this.#sinceAlarm = state[2]
    this.#sincePeak = state[3]
  }

  /** @returns the height as it is to be taken */
  lower(height: number): number {
    const surprising = this.#habituated(height)
    if (this.#sinceAlarm < this.#values) {
      const left = 1 - ++this.#sinceAlarm / this.#values
      if (surprising <= this.#alarm * (1 + (HIGHER - 1) * left)) return Math.min(surprising, this.#alarmAt) / 2
    }
    if (surprising >= this.#alarmAt) {
      this.#alarm = surprising
      this.#sinceAlarm = 0
    }
    return surprising
  }

  #habituated(height: number): number {
    const peaks = this.#peaks
    const goesOn = this.#sincePeak < APART
    // the present peak does not make itself usual
    const earlier = goesOn ? peaks.length - 1 : peaks.length
    let reached = 0
    for (let i = 0; i < earlier; i++) if ((peaks[i] as number) >= height) reached++
    if (height < PEAK) this.#sincePeak = Math.min(APART, this.#sincePeak + 1)
    else {
      if (!goesOn) peaks.push(height)
      else if (height > (peaks.at(-1) as number)) peaks[peaks.length - 1] = height
      if (peaks.length > MOST_PEAKS) peaks.shift()
      this.#sincePeak = 0
    }
    return Math.max(0, height - HABIT * Math.log10(1 + reached))
  }

  snapshot(): CalmState {
    return [[...this.#peaks], this.#alarm, this.#sinceAlarm, this.#sincePeak]
  }
}
