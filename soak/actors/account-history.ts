// One account’s history, judged record by record.
import { isDeepStrictEqual } from 'node:util'
import type { AggregateRecord, Decided } from '../../src/actor/record.ts'
import { decideCommand } from '../../src/actor/decider.ts'
import { evolveAll } from '../../src/actor/evolve.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import account, { sets, unlucky } from '../actor-streams/ledger/actors/account.ts'

type AccountState = ReturnType<typeof account.initial>
type Counts = Record<
  'events' | 'lost' | 'duplicated' | 'different' | 'outOfOrder' | 'gaps' | 'timers' | 'steps',
  number
>

interface Reminder {
  set: boolean
  cancelled: boolean
  came: number
}

export class AccountHistory {
  readonly counts: Counts = {
    events: 0,
    lost: 0,
    duplicated: 0,
    different: 0,
    outOfOrder: 0,
    gaps: 0,
    timers: 0,
    steps: 0,
  }
  readonly examples: string[] = []
  /** Ids of the commands that were decided. */
  readonly decided = new Set<string>()
  readonly #id: string
  /** Commands by their sequence. */
  readonly #log: ReadonlyMap<number, StoredEvent>
  #version = 0
  #state: AccountState
  #lastSequence = 0
  readonly #reminders = new Map<number, Reminder>()
  /** How often the step of a number came to its end. */
  readonly #audits = new Map<number, number>()

  constructor(id: string, log: ReadonlyMap<number, StoredEvent>) {
    this.#id = id
    this.#log = log
    this.#state = account.initial(id)
  }

  /** Takes the next record. */
  add({ version, events, decided, frame, sequence }: AggregateRecord): void {
    this.counts.events += events.length
    if (version - events.length !== this.#version)
      this.#note(
        'gaps',
        `version ${version} with ${events.length} events after version ${this.#version} at ${sequence}`,
      )
    let at = 0
    for (const one of decided) {
      this.#decide(one, events.slice(at, at + one.n))
      at += one.n
    }
    if (frame !== undefined && 's' in frame && !isDeepStrictEqual(frame.s, this.#state))
      this.#note('different', `state ${JSON.stringify(frame.s)} at ${sequence}, and not ${JSON.stringify(this.#state)}`)
    this.#version = version
  }

  /** Nothing more comes. */
  end(): void {
    for (const [n, { set, cancelled, came }] of this.#reminders) {
      this.counts.timers += came
      if (came > 1) this.#note('duplicated', `the timer of ${n} came ${came} times`)
      if (set && !cancelled && came === 0) this.#note('lost', `the timer of ${n} never came`)
    }
    for (const [n, ends] of this.#audits) {
      this.counts.steps += ends
      if (ends > 1) this.#note('duplicated', `the step of ${n} ended ${ends} times`)
      if (ends === 0) this.#note('lost', `the step of ${n} never ended`)
    }
  }

  #decide({ c, q, x }: Decided, events: readonly StoredEvent[]): void {
    if (this.decided.has(c)) this.#note('duplicated', `command ${c} was decided twice, at ${q} too`)
    this.decided.add(c)
    if (q > 0 && q <= this.#lastSequence) this.#note('outOfOrder', `command ${q} after ${this.#lastSequence}`)
    if (q > 0) this.#lastSequence = q
    const command = q === 0 ? undefined : this.#log.get(q)
    if (command === undefined) {
      if (q > 0) this.#note('different', `decided command ${q}, which is not in the log`)
      this.#state = evolveAll(account, this.#aggregate(), events).state
    } else this.#compare(command, events, x)
    for (const event of events) this.#happened(event)
  }

  #compare(command: StoredEvent, events: readonly StoredEvent[], rejected: Decided['x']): void {
    const before = this.#aggregate()
    const verdict = decideCommand(account, before, command)
    if (verdict.kind === 'rejected') {
      if (rejected?.code !== verdict.code || events.length > 0)
        this.#note('different', `${command.id} was not rejected as ${verdict.code}`)
      return
    }
    const expected = verdict.events.map(({ type, data }) => ({ type, data }))
    const found = events.map(({ type, data }) => ({ type, data }))
    if (rejected !== undefined || !isDeepStrictEqual(found, expected))
      this.#note('different', `${command.id}: ${JSON.stringify(found)} and not ${JSON.stringify(expected)}`)
    this.#state = verdict.state
    for (const effect of verdict.effects)
      if (effect.effect === 'cancel-timer') this.#reminder(Number(effect.name.slice(1))).cancelled = true
  }

  #aggregate(): { id: string; version: number; state: AccountState } {
    return { id: this.#id, version: this.#version, state: this.#state }
  }

  #happened({ type, data }: StoredEvent): void {
    const { n, part } = data as { n: number; part?: number }
    if (type === 'ledger.added' && part === 0) {
      if (sets(n) && !unlucky(n)) this.#reminder(n).set = true
      if (n % 25 === 0 && !unlucky(n)) this.#audits.set(n, this.#audits.get(n) ?? 0)
    }
    if (type === 'ledger.audited') this.#audits.set(n, (this.#audits.get(n) ?? 0) + 1)
    if (type !== 'ledger.reminded') return
    const reminder = this.#reminder(n)
    reminder.came += 1
    if (reminder.cancelled) this.#note('duplicated', `the timer of ${n} came after it was cancelled`)
  }

  #reminder(n: number): Reminder {
    const known = this.#reminders.get(n)
    if (known !== undefined) return known
    const reminder = { set: false, cancelled: false, came: 0 }
    this.#reminders.set(n, reminder)
    return reminder
  }

  #note(what: keyof Counts, text: string): void {
    this.counts[what] += 1
    if (this.examples.length < 5) this.examples.push(`${this.#id}: ${what}: ${text}`)
  }
}
