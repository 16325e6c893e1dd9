import type { Turn } from './turn.js'

/** Outputs that are kept of a replay: the last ones, which living state has made. */
const MOST = 20_000

/** What a replay has put out, for who has to say where it differs from what is stored. */
export class ReplayedOutputs {
  readonly #turns: Turn[] = []
  #kept = 0
  #from = 0
  #since = 0
  #to = 0

  /** Sequences of the first and last message, and when the first was stored. */
  get from(): number {
    return this.#from
  }

  get to(): number {
    return this.#to
  }

  get since(): number {
    return this.#since
  }

  add(turn: Turn): void {
    if (this.#from === 0) [this.#from, this.#since] = [turn.sequence, turn.storedAt]
    this.#to = turn.sequence
    if (turn.outputs.length === 0) return
    this.#turns.push(turn)
    this.#kept += turn.outputs.length
    while (this.#kept > MOST && this.#turns.length > 1) this.#kept -= this.#turns.shift()?.outputs.length ?? 0
  }

  /** The output of this id, with the sequence whose turn made it. */
  find(id: string): { readonly sequence: number; readonly text: string } | undefined {
    for (const { sequence, outputs } of this.#turns)
      for (const { headers, data } of outputs)
        if (headers.some(([name, value]) => name === 'ce-id' && value === id))
          return { sequence, text: Buffer.from(data).toString() }
    return undefined
  }
}
