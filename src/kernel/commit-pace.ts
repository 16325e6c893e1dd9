import type { Turn } from './turn.js'

/**
 * A commit is not begun sooner than this after the last one began, unless much is waiting. In ms. Behind that it is the
 * stream that sets the pace: what comes while it stores the commits of others goes with the next. Where the last one was
 * of many turns nobody is helped by smaller ones.
 */
const INTERVAL = 5
const BUSY_INTERVAL = 10
const BUSY = 100
const MANY_TURNS = 4_000
const MANY_OUTPUTS = 500
/**
 * The same for turns of which nobody sees anything but the position: whoever commits them more often takes the stream’s
 * time from those for whose outputs somebody waits.
 */
const QUIET_INTERVAL = 200
const MANY_QUIET = 1_000

/** Says when the turns that wait are to be committed. */
export class CommitPace {
  readonly #quiet: boolean
  readonly #manyQuiet: number
  #turns = 0
  #outputs = 0
  /** Turns that somebody waits for. */
  #awaited = 0
  /** How many the last commit completed. */
  #last = 0

  /**
   * @param quiet whether a turn without outputs changes nothing that anybody waits for: no state, nothing done before
   * @param credit messages that may be in hand: half of them are enough for a commit
   */
  constructor(quiet: boolean, credit = Number.POSITIVE_INFINITY) {
    this.#quiet = quiet
    this.#manyQuiet = Math.min(MANY_QUIET, credit / 2)
  }

  add(turn: Turn): void {
    this.#turns += 1
    this.#outputs += turn.outputs.length
    if (!this.#isQuiet(turn)) this.#awaited += 1
  }

  stored(turns: readonly Turn[]): void {
    this.#turns -= turns.length
    this.#last = turns.length
    for (const turn of turns) {
      this.#outputs -= turn.outputs.length
      if (!this.#isQuiet(turn)) this.#awaited -= 1
    }
  }

  /** Outputs of the turns that wait. */
  get outputs(): number {
    return this.#outputs
  }

  /** How long after the last commit began the next one is due, in ms. */
  get interval(): number {
    if (this.#turns >= MANY_TURNS || this.#outputs >= MANY_OUTPUTS) return 0
    const many = this.#turns >= this.#manyQuiet
    if (this.#awaited === 0 && !many) return QUIET_INTERVAL
    return this.#last < BUSY ? INTERVAL : BUSY_INTERVAL
  }

  #isQuiet({ outputs, deadLetters, decision, parked, stored }: Turn): boolean {
    if (!this.#quiet || outputs.length > 0 || deadLetters.length > 0) return false
    return decision === undefined && parked === undefined && stored === undefined
  }
}
