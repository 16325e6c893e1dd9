import type { MillraceError } from '../error/millrace-error.js'
import type { Log } from '../observe/log.js'
import type { Upgrade } from './processor-policies.js'
import { processorId, type Logic, type Processor } from './processor.js'
import type { Turn } from './turn.js'

/** What a processor at work says in the log. */
export class ProcessorLog {
  readonly #log: Log
  readonly #processor: string
  readonly #noticed = new Set<string>()

  constructor(log: Log, processor: Processor) {
    this.#log = log
    this.#processor = processorId(processor)
  }

  changed(from: string, to: string, position: number, upgrade: Upgrade): void {
    const fields = { processor: this.#processor, from, to, position, upgrade }
    if (upgrade === 'cut') this.#log.warn(fields, 'processor changed: it goes on from its position with empty state')
    else this.#log.info(fields, 'processor changed: its state goes over')
  }

  stalled({ code, detail, advice }: MillraceError, forMs: number): void {
    const fields = { processor: this.#processor, code, detail, advice, seconds: Math.round(forMs / 1_000) }
    this.#log.warn(fields, 'what was done cannot be stored; trying on')
  }

  /** What a logic has to say after a commit. */
  told(logic: Logic): void {
    this.#notices(logic)
    for (const { level, message, fields } of logic.takeRemarks?.() ?? [])
      this.#log[level]({ processor: this.#processor, ...fields }, message)
  }

  /** Warns once of each kind of thing that is passed over without a dead letter; the counts are in the status. */
  #notices(logic: Logic): void {
    for (const [what, count] of Object.entries(logic.notices ?? {})) {
      if (this.#noticed.has(what) || count === 0) continue
      this.#noticed.add(what)
      const by = logic.noticedBy?.(what) ?? []
      const of = by.length === 0 ? {} : { rules: by.join(', ') }
      this.#log.warn({ processor: this.#processor, what, count, ...of }, 'events were passed over; status counts them')
    }
  }

  deadLetters(turns: readonly Turn[]): void {
    for (const { deadLetters, sequence } of turns)
      for (const { code, detail } of deadLetters)
        this.#log.warn({ processor: this.#processor, sequence, code, detail }, 'dead letter')
  }
}
