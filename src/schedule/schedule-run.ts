// ScheduleRun
//
// Runs one schedule in this process, as long as this process has it.
//
//   clock of the server -> ScheduleRun:   which nominal times have come
//   declaration -> ScheduleRun:           the events of a tick
//   ScheduleRun -> stream:                events and position, in one batch; see schedule-commits.ts
//
// Times are compared with the clock of the server that leads the stream: that of this process may be anything, and may
// jump. It is only used to wait.
//
// Invariants (tests cite them):
//   SC4  A tick whose events cannot be made or stored becomes a dead letter before the schedule goes on; the next is run.
//   SC5  A clock that is wrong, or jumps, makes no tick twice and leaves none out.
import type { StreamDeclaration } from '../broker/define-stream.js'
import { fault, isFault, messageOf, type MillraceError } from '../error/millrace-error.js'
import { formatTime } from '../event/rfc3339.js'
import type { WireMessage } from '../event/wire.js'
import type { UnitRun } from '../kernel/ownership/holding-port.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../time/clock.js'
import { decideTicks, type DueTick } from './decide-ticks.js'
import { ScheduleCommits, type ScheduleStore } from './schedule-commits.js'
import type { ScheduleDeclaration, Tick } from './schedule-options.js'
import { startingRecord, type ScheduleRecord } from './schedule-record.js'
import type { ScheduleStall } from './schedule-stalls.js'
import { letterOfTick, tickMessages, tickOf } from './tick-messages.js'
import { nextTick } from './tick-rule.js'

export interface ScheduleRunOptions {
  readonly declaration: ScheduleDeclaration
  readonly stream: StreamDeclaration
  readonly store: ScheduleStore
  readonly clock: Clock
  readonly log: Log
  /** Unique among all runs that ever are. */
  readonly owner: string
  /** Largest message of the server, in bytes. */
  readonly maxPayload: number
  /** Something keeps it from storing, at each try; undefined: it stores. */
  readonly onStall?: (stall: ScheduleStall | undefined) => void
}

export interface ScheduleStatus {
  readonly schedule: string
  readonly stream: string
  readonly record: ScheduleRecord
  /** When it is due next, in ms since the Unix epoch; undefined: never again. */
  readonly next: number | undefined
  /** Why it stands still. */
  readonly stall: ScheduleStall | undefined
}

/** The server’s clock is looked at this often, as it may be set; in ms. It is asked for every 30 s. */
const LOOK_MS = 10_000
const ASK_MS = 20
const ANSWER_MS = 5_000

export class ScheduleRun implements UnitRun {
  readonly ended: Promise<void>
  readonly #options: ScheduleRunOptions
  readonly #commits: ScheduleCommits
  readonly #end: AbortController
  #record: ScheduleRecord
  #stall: ScheduleStatus['stall']

  private constructor(
    options: ScheduleRunOptions,
    commits: ScheduleCommits,
    end: AbortController,
    record: ScheduleRecord,
  ) {
    this.#options = options
    this.#commits = commits
    this.#end = end
    this.#record = record
    this.ended = this.#run()
    this.ended.catch(() => undefined) // ownership listens as soon as it is given the run
  }

  /**
   * Claims the schedule: whoever ran it before stores nothing more from here on.
   * @throws errors of the broker, SCHEDULE_RECORD_INVALID, PROCESSOR_FENCED another one claimed it in this moment
   */
  static async start(options: ScheduleRunOptions): Promise<ScheduleRun> {
    const { declaration, store, clock, owner, log } = options
    const { name, rule } = declaration
    const end = new AbortController()
    const told: { run?: ScheduleRun } = {}
    const onStall = (error: MillraceError): void => {
      stalled(log, name, error, told.run)
      options.onStall?.(error)
    }
    const commits = new ScheduleCommits({ store, clock, signal: end.signal, onStall, name })
    await untilTimeIsKnown(store, clock)
    const record = startingRecord(await commits.read(), rule, owner, Math.floor(store.time()))
    await commits.store([], record)
    options.onStall?.(undefined)
    const run = new ScheduleRun(options, commits, end, record)
    told.run = run
    const next = nextTick(rule, record.position)
    log.info({ schedule: name, next: next === undefined ? null : formatTime(next) }, 'schedule started')
    return run
  }

  get status(): ScheduleStatus {
    const { declaration, stream } = this.#options
    const next = nextTick(declaration.rule, this.#record.position)
    return { schedule: declaration.name, stream: stream.name, record: this.#record, next, stall: this.#stall }
  }

  /** What keeps it from storing; undefined: nothing. */
  set stall(stall: ScheduleStatus['stall']) {
    this.#stall = stall
  }

  /** Finishes the tick that is on its way, and ends. */
  async stop(): Promise<void> {
    this.#end.abort()
    await this.ended.catch(() => undefined)
  }

  async #run(): Promise<void> {
    const { declaration, store, clock } = this.#options
    const { signal } = this.#end
    const { rule, missed } = declaration
    try {
      while (!signal.aborted) {
        const due = nextTick(rule, this.#record.position) ?? Number.POSITIVE_INFINITY
        for (let now = store.time(); now < due; now = store.time())
          await clock.sleep(Math.max(1, Math.ceil(Math.min(LOOK_MS, due - now))), signal)
        const { run, passTo, passed } = decideTicks(rule, missed, this.#record.position, store.time())
        if (passTo !== undefined) await this.#pass(passTo, passed)
        for (const due of run) {
          if (signal.aborted) return
          await this.#tick(due)
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  async #tick(due: DueTick): Promise<void> {
    const { declaration, stream, store, maxPayload } = this.#options
    const tick = tickOf(declaration.name, due, this.#record.last?.nominal)
    let messages: readonly WireMessage[]
    try {
      messages = tickMessages(declaration, stream, tick, maxPayload)
    } catch (error) {
      return this.#dead(due, tick, error)
    }
    const late = Math.max(0, Math.round(store.time() - due.nominal))
    const record = this.#after(due, { last: { nominal: due.nominal, late }, ticks: this.#record.ticks + 1 })
    try {
      await this.#store(messages, record)
    } catch (error) {
      if (!isFault(error, 'BATCH_REFUSED', 'MESSAGE_TOO_LARGE', 'MESSAGE_INVALID')) throw error
      await this.#dead(due, tick, error)
    }
  }

  /** SC4: the letter first. Written again after a crash it is the same one. */
  async #dead(due: DueTick, tick: Tick, error: unknown): Promise<void> {
    const { declaration, stream, maxPayload, log } = this.#options
    const fields = { schedule: declaration.name, tick: tick.time, detail: messageOf(error) }
    log.error(fields, 'a tick has failed; it becomes a dead letter')
    await this.#commits.storeLetter(letterOfTick(declaration, stream, tick, error, maxPayload))
    await this.#store([], this.#after(due, { letters: this.#record.letters + 1 }))
  }

  async #pass(position: number, passed: number): Promise<void> {
    const { declaration, log } = this.#options
    await this.#store([], { ...this.#record, position, missed: this.#record.missed + passed })
    log.warn({ schedule: declaration.name, passed, until: formatTime(position) }, 'ticks that were missed are left out')
  }

  #after({ nominal, missed }: DueTick, changed: Partial<ScheduleRecord>): ScheduleRecord {
    const { declaration, log } = this.#options
    if (missed > 0)
      log.warn({ schedule: declaration.name, missed, tick: formatTime(nominal) }, 'ticks before this one were missed')
    return { ...this.#record, position: nominal, missed: this.#record.missed + missed, ...changed }
  }

  async #store(messages: readonly WireMessage[], record: ScheduleRecord): Promise<void> {
    await this.#commits.store(messages, record)
    if (this.#stall !== undefined)
      this.#options.log.info({ schedule: this.#options.declaration.name }, 'the schedule goes on')
    this.#stall = undefined
    this.#options.onStall?.(undefined)
    this.#record = record
  }
}

/** @throws BROKER_TIMEOUT */
async function untilTimeIsKnown(store: ScheduleStore, clock: Clock): Promise<void> {
  const until = clock.monotonic() + ANSWER_MS
  while (store.time() === Number.NEGATIVE_INFINITY) {
    if (clock.monotonic() > until) throw fault('BROKER_TIMEOUT', 'asking the server for its time')
    await clock.sleep(ASK_MS)
  }
}

function stalled(log: Log, schedule: string, { code, detail }: MillraceError, run: ScheduleRun | undefined): void {
  if (run?.status.stall?.code !== code) log.warn({ schedule, code, detail }, 'the schedule stands still')
  if (run !== undefined) run.stall = { code, detail }
}
